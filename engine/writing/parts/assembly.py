# SPDX-License-Identifier: GPL-2.0-or-later
"""The result from its parts: blocks move as they lie, and nothing is decoded."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...arrays import NDArray
from ...backend.api import Created
from ...grids.grid import Window
from ..block_file import Image
from ..blocks import Blocks
from ..creation import ResultSpec, is_uncompressed
from ..geotiff import GeoTiffSink
from ..tiff import Numbers, block_index, memory_mapped
from .part_file import Layout

#: (from, to, bytes) of what is copied of a part's file
Segments = list[tuple[int, int, int]]


class PlacedPart(NamedTuple):
    """The part with the pixels ``window``, its file, and where its blocks go in the result, if
    they go there together.
    """

    window: Window
    path: Path
    layout: Layout
    offset: int | None


class AssembledGeoTiff(GeoTiffSink):
    """A result whose blocks come from parts; whoever copies them writes to ``temporary``."""

    _blocks: _AssembledBlocks

    def __enter__(self) -> AssembledGeoTiff:
        super().__enter__()
        return self

    def _new_blocks(self, spec: ResultSpec, created: Created, path: Path, *, large: bool) -> Blocks:
        return _AssembledBlocks(spec, created, path, large=large)

    def room(self, window: Window, path: Path, layout: Layout) -> PlacedPart:
        """Make room for the blocks of a part."""
        together = not is_uncompressed(self._spec.profile)
        offset = self._blocks.reserve(layout.size) if together else None
        return PlacedPart(window, path, layout, offset)

    def segments(self, part: PlacedPart, levels: int) -> Segments:
        """Return what has to be copied from a part's file; ``ValueError`` for one that is damaged."""
        if part.offset is not None:
            return [(part.layout.start, part.offset, part.layout.size)]
        return self._blocks.segments(part, levels)

    def adopt(self, part: PlacedPart, levels: int, above: bytes) -> None:
        """Enter the blocks of a part that was copied, and what it adds to the overviews beyond ``levels``."""
        with self._writing():
            self._blocks.adopt(part, levels)
            if above:
                self._blocks.put_above(part.window, levels + 1, above)


class _AssembledBlocks(Blocks):
    def reserve(self, size: int) -> int:
        """Return the offset of ``size`` bytes at the end of the file."""
        return self._file.append(size)

    def segments(self, part: PlacedPart, levels: int) -> Segments:
        """Return the places of a part's blocks in an uncompressed result."""
        segments = []
        for level, numbers, (offsets, byte_counts) in self._matched(part, levels):
            image = self._images[level]
            if not np.array_equal(image.byte_counts[numbers], byte_counts):
                raise ValueError(f"{part.path} has blocks of another size")
            places = image.offsets[numbers]
            segments += list(zip(offsets.tolist(), places.tolist(), byte_counts.tolist()))
        return segments

    def adopt(self, part: PlacedPart, levels: int) -> None:
        """Enter a part's blocks, which were copied as they lie."""
        if part.offset is None:
            return
        delta = part.offset - part.layout.start
        for level, numbers, (offsets, byte_counts) in self._matched(part, levels):
            image = self._images[level]
            moved = (offsets.astype(np.int64) + delta).astype(np.uint64)
            image.offsets[numbers] = np.where(byte_counts > 0, moved, np.uint64(0))
            image.byte_counts[numbers] = byte_counts

    def put_above(self, window: Window, level: int, above: bytes) -> None:
        """Take the pixels of an overview that lie in a part, and write what is whole by that."""
        if self._overviews is None or level >= len(self._images):
            return
        scale = 2**level
        width, height = -(-window.width // scale), -(-window.height // scale)
        halves = np.frombuffer(above, self._storage.dtype).reshape(-1, height, width)
        half = Window(window.column // scale, window.row // scale, width, height)
        for number, block, values in self._overviews.put(half, halves, level):
            self._write(number, block, values)

    def _matched(
        self, part: PlacedPart, levels: int
    ) -> list[tuple[int, NDArray[np.int64], tuple[Numbers, Numbers]]]:
        """Return for each image of a part: its level, the numbers of its blocks in the result, and
        the part's own offsets and byte counts.
        """
        found = []
        with memory_mapped(part.path) as data:
            for level in range(min(levels + 1, len(self._images))):
                index = block_index(data, level).read(data)
                found.append((level, _numbers(self._images[level], part.window, level), index))
        return found


def _numbers(image: Image, window: Window, level: int) -> NDArray[np.int64]:
    """Return the numbers, in the whole image, of the blocks of a part, in the order of the part's index."""
    (width, height), scale = image.block, 2**level
    columns, rows = -(-image.width // width), -(-image.height // height)
    planes = len(image.index) // (columns * rows)
    left, top = window.column // scale // width, window.row // scale // height
    across = math.ceil(math.ceil(window.width / scale) / width)
    down = math.ceil(math.ceil(window.height / scale) / height)
    plane, row, column = np.ogrid[:planes, :down, :across]
    numbers: NDArray[np.int64] = (plane * rows + top + row) * columns + left + column
    return numbers.reshape(-1)
