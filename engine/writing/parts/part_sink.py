# SPDX-License-Identifier: GPL-2.0-or-later
"""Writing a part of a result as a GeoTIFF whose bytes do not depend on threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import NDArray
from ...backend.choice import backend
from ...grids.grid import Grid, Window
from ..blocks import Blocks
from ..creation import ResultSpec, creation_spec
from . import part_file


class PartSink:
    """Writes the windows of ``part``, in pixels of the whole result, to the GeoTIFF ``path``.

    Blocks are appended in the order of ``windows``, then those of the first ``levels`` overviews, so
    that the file is the same whichever thread is first. :meth:`finish` adds what lies behind the TIFF.
    """

    def __init__(
        self,
        spec: ResultSpec,
        part: Window,
        windows: Sequence[Window],
        path: Path,
        *,
        levels: int,
        above: bool,
    ) -> None:
        own = replace(spec, grid=_grid_of(spec.grid, part), cog=False)
        created = backend().create(
            creation_spec(own.grid, own.names, own.storage, own.profile), str(path)
        )
        self._part, self._path, self._above = part, path, np.empty(0, own.storage.dtype)
        if above:
            scale = 2 ** (levels + 1)
            shape = len(own.names), -(-part.height // scale), -(-part.width // scale)
            self._above = np.empty(shape, own.storage.dtype)
        self._blocks = _OrderedBlocks(
            own,
            created,
            path,
            large=False,
            levels=levels,
            above=self._keep if above else None,
        )
        self._blocks.order.extend(self._moved(window) for window in windows)

    def write(self, window: Window, values: NDArray[Any]) -> None:
        """See :class:`~..sink.WindowSink`."""
        self._blocks.write(self._moved(window), values)

    def finish(self, record: bytes) -> str:
        """Complete the file with the part's record, and return its digest."""
        self._blocks.finish()
        return part_file.finish(self._path, self._blocks.start, self._above.tobytes(), record)

    def close(self) -> None:
        """Close the file as it is."""
        self._blocks.close()

    def _keep(self, window: Window, halves: NDArray[Any]) -> None:
        whole = Window(0, 0, self._above.shape[2], self._above.shape[1])
        self._above[(slice(None), *window.slices_in(whole))] = halves

    def _moved(self, window: Window) -> Window:
        return window.offset(-self._part.column, -self._part.row)


class _OrderedBlocks(Blocks):
    """Blocks that are appended in the order of the windows, whichever is written first."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.order: deque[Window] = deque()
        self._waiting: dict[Window, list[tuple[int, bytes]]] = {}
        self._small: dict[tuple[int, int], bytes] = {}
        self._turn = threading.Lock()

    @property
    def start(self) -> int:
        """The byte that the first block begins at."""
        return self._start

    def _write(self, level: int, window: Window, values: NDArray[Any]) -> None:
        if self._uncompressed:
            super()._write(level, window, values)
            return
        blocks = [(number, bytes(block)) for number, block in self._encoded(level, window, values)]
        with self._turn:
            if level:
                self._small.update({(level, number): block for number, block in blocks})
                return
            self._waiting[window] = blocks
            while self.order and self.order[0] in self._waiting:
                for number, block in self._waiting.pop(self.order.popleft()):
                    self._append(self._images[0], number, block)

    def finish(self) -> None:
        """See :class:`Blocks`."""
        for (level, number), block in sorted(self._small.items()):
            self._append(self._images[level], number, block)
        super().finish()


def _grid_of(grid: Grid, part: Window) -> Grid:
    """Return the grid of a part; control points move with it, other georeferences are left out."""
    georeference = grid.georeference
    if georeference is None or part == grid.window:
        return grid.crop(part)
    moved = tuple(
        (row - part.row, column - part.column, x, y, z)
        for row, column, x, y, z in georeference.points
    )
    kept = georeference._replace(points=moved, rpc=()) if moved else None
    return grid._replace(width=part.width, height=part.height, georeference=kept)
