# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of a raster: sets of windows of its plan, that several machines can compute."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from .grid import Grid, Window
from .windows import WindowPlan

SIDE = 4096  #: pixels of a part's side, if windows and blocks allow it
#: Overviews that are whole within a part, if its size allows it; the next one is a thousandth of it
_MOST_LEVELS = 3
_LARGEST = 4  #: times the pixels that are wished for, at most, so that more overviews are whole


class Tiling(NamedTuple):
    """Parts of ``width`` x ``height`` pixels (smaller at the right and lower edge), each of whole
    windows of the plan, whose first ``levels`` overviews consist of whole blocks.
    """

    width: int
    height: int
    levels: int

    def shape(self, grid: Grid) -> tuple[int, int]:
        """Return the number of rows and columns of parts."""
        return math.ceil(grid.height / self.height), math.ceil(grid.width / self.width)

    def parts(self, grid: Grid) -> Iterator[tuple[int, int]]:
        """Yield row and column of each part, row by row."""
        rows, columns = self.shape(grid)
        return ((row, column) for row in range(rows) for column in range(columns))

    def window(self, grid: Grid, row: int, column: int) -> Window:
        """Return the pixels of a part."""
        left, top = column * self.width, row * self.height
        return Window(
            left, top, min(self.width, grid.width - left), min(self.height, grid.height - top)
        )


def tiling(
    grid: Grid,
    shape: WindowPlan,
    block: tuple[int, int],
    overviews: tuple[int, int] | None,
    side: int = SIDE,
) -> Tiling:
    """Return parts of about ``side`` x ``side`` pixels.

    Parameters
    ----------
    shape
        The windows of the run.
    block
        The (width, height) of the blocks of the result.
    overviews
        How many there are, and the side of their blocks; None for none.
    side
        Parts are as large or a little larger, up to the whole raster.
    """
    if overviews is None:
        return _sized(grid, shape, block, side, 0)
    count, across = overviews
    best = None
    for levels in range(min(_MOST_LEVELS, count), -1, -1):
        unit = across << levels if levels else 2
        parts = _sized(
            grid, shape, (math.lcm(block[0], unit), math.lcm(block[1], unit)), side, levels
        )
        best = parts
        if _area(grid, parts) <= _LARGEST * side * side:
            break
    return best or _sized(grid, shape, block, side, 0)


def windows_of(grid: Grid, shape: WindowPlan, part: Window) -> list[Window]:
    """Return the windows of the plan that make up a part, row by row."""
    return [
        Window(
            column,
            row,
            min(shape.width, grid.width - column),
            min(shape.height, grid.height - row),
        )
        for row in range(part.row, part.row + part.height, shape.height)
        for column in range(part.column, part.column + part.width, shape.width)
    ]


def _area(grid: Grid, parts: Tiling) -> int:
    return min(parts.width, grid.width) * min(parts.height, grid.height)


def _sized(grid: Grid, shape: WindowPlan, unit: tuple[int, int], side: int, levels: int) -> Tiling:
    """Return parts of whole units and windows; one that is as wide as the raster is less high."""
    width = _length(math.lcm(shape.width, unit[0]), side, grid.width, shape.width)
    wanted = max(1, side * side // width) if width > side else side
    height = _length(math.lcm(shape.height, unit[1]), wanted, grid.height, shape.height)
    return Tiling(width, height, levels)


def _length(unit: int, wanted: int, length: int, window: int) -> int:
    """Return the least multiple of ``unit`` from ``wanted`` on; whole windows, if it spans the raster."""
    multiple = math.ceil(wanted / unit) * unit
    return multiple if multiple < length else math.ceil(length / window) * window
