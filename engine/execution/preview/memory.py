# SPDX-License-Identifier: GPL-2.0-or-later
"""What a preview keeps in memory: the result's pixels, and the inputs' at the same places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from ...arrays import NDArray
from ...grids.grid import Grid, Window
from ...planning.plan import Plan
from ...radiometry.nodata import mark
from ...radiometry.storage import Storage
from ...reading.reader import Pixels, Reader
from ...reading.sources import Opening, Sources

_ROWS = 32  #: of cells that windows are whole multiples of


class ArraySink:
    """A sink (see :class:`~...writing.sink.Sink`) that fills an array of shape (results, rows, columns)."""

    def __init__(self, grid: Grid, results: int, storage: Storage) -> None:
        self.stored = np.full((results, grid.height, grid.width), storage.nodata, storage.dtype)
        self._window, self._storage = grid.window, storage
        self.block = grid.width, _ROWS

    def __enter__(self) -> ArraySink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def write(self, window: Window, values: NDArray[Any]) -> None:
        """Keep stored values of a window."""
        self.stored[(..., *window.slices_in(self._window))] = values

    def commit(
        self,
        tags: Mapping[str, str],
        band_tags: Sequence[Mapping[str, str]],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> str:
        """Return no name: there is no file."""
        return ""

    def values(self) -> NDArray[np.float64]:
        """Return the values that are stored, NaN where they are nodata."""
        storage = self._storage
        values: NDArray[np.float64] = self.stored.astype(np.float64)
        values /= storage.factor
        values -= storage.shift
        values[self.stored == storage.nodata] = np.nan
        return values


class KeptInputs:
    """The inputs' values as the operation computes with them, NaN where they are nodata."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        shape = len(plan.read.inputs), plan.grid.height, plan.grid.width
        self._values: NDArray[np.float64] = np.full(shape, np.nan)

    def values(self, bands: Sequence[int]) -> NDArray[np.float64]:
        """Return those of some bands, of shape (bands, rows, columns)."""
        inputs = self._plan.read.inputs
        keys = [(each.band.path, each.band.number) for each in inputs]
        read = {keys[band]: band for stack in self._plan.read.stacks for band in stack.bands}
        return np.stack([self._physical(band, read[keys[band]]) for band in bands])

    def _physical(self, band: int, read: int) -> NDArray[np.float64]:
        radiometry = self._plan.radiometries[band]
        values: NDArray[np.float64] = self._values[read] * radiometry.scale + radiometry.offset
        return values

    def keep(self, window: Window, pixels: Pixels) -> None:
        """Keep what was read of a window."""
        halo = self._plan.read.halo
        grown = window.grown(halo)
        inner = window.slices_in(grown)
        shape = grown.height, grown.width
        for stack, rows in zip(self._plan.read.stacks, pixels.values):
            for band, row in zip(stack.bands, rows):
                values, missing = row.astype(np.float64), np.zeros(row.shape, np.bool_)
                flags = np.empty_like(missing)
                for marker in (stack.nodata, stack.saturated):
                    mark(row, marker, flags)
                    missing |= flags
                for plane in pixels.planes[band]:
                    missing |= plane == 0
                values[missing] = np.nan
                place = window.slices_in(self._plan.grid.window)
                self._values[(band, *place)] = values.reshape(shape)[inner]


class _KeepingReader(Reader):
    """A reader that keeps what it reads."""

    def __init__(self, reader: Reader, kept: KeptInputs) -> None:
        self._reader, self._kept, self.close = reader, kept, reader.close

    def read(self, window: Window, part: int = 0) -> Pixels:
        """See :meth:`Reader.read`."""
        pixels = self._reader.read(window, part)
        self._kept.keep(window, pixels)
        return pixels


class KeepingSources(Sources):
    """The open rasters of a preview, whose readers keep what they read."""

    def __init__(self, plan: Plan, workers: int, opening: Opening, kept: KeptInputs) -> None:
        super().__init__(plan.reads, workers, opening=opening)
        self._kept = kept

    def reader(self, width: int, rows: int) -> Reader:
        """See :meth:`Sources.reader`."""
        return _KeepingReader(super().reader(width, rows), self._kept)
