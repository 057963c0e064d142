# SPDX-License-Identifier: GPL-2.0-or-later
"""How the pixels of two grids lie to each other, for resampling."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray
from ..backend.crs import pixel_coordinates, same_crs
from ..grids.grid import Grid
from ..grids.kernels import nearest
from ..grids.layout import Resampling

#: How many source pixels a kernel reaches
_REACH = {
    Resampling.NEAREST: 1,
    Resampling.BILINEAR: 1,
    Resampling.CUBIC: 2,
    Resampling.AVERAGE: 1,
    Resampling.CUBIC_SPLINE: 2,
    Resampling.LANCZOS: 3,
}
#: Source pixels by which GDAL may be off where it interpolates coordinates; the second for nearest
TOLERANCE = (1e-5, 1e-6)
_SAME_SIZE = 0.95


class Line(NamedTuple):
    """Where the edges of the target's columns, or rows, lie in the source: pixel ``n`` begins at
    ``start + step * n``.
    """

    start: float
    step: float

    def at(self, pixels: NDArray[Any]) -> NDArray[np.float64]:
        """Places in the source of places in the target, in pixels."""
        return self.start + self.step * pixels

    def nearest(self, begin: int, count: int, length: int) -> NDArray[np.intp]:
        """The source pixels, of ``length``, in which the centres of ``count`` pixels from ``begin``
        on lie; -1 beyond the source.
        """
        return nearest(self.at(np.arange(begin, begin + count) + 0.5), length)


def lines(
    source: Grid, target: Grid, resampling: Resampling, scale: tuple[float, float]
) -> tuple[Line, Line] | None:
    """Columns and rows of parallel grids; None where they are not, or where GDAL has a kernel of its own.

    GDAL's cubic kernel onto smaller pixels is bilinear beside nodata and at the edge, where it would overshoot.
    """
    if not same_crs(source.crs, target.crs) or (
        resampling is Resampling.CUBIC and min(scale) >= _SAME_SIZE
    ):
        return None
    width, height = target.width, target.height
    (top, left), (turned, right), (bottom, slanted) = (
        source.rowcol(*target.xy(*corner)) for corner in ((0, 0), (0, width), (height, 0))
    )
    if max(abs(turned - top), abs(slanted - left)) > TOLERANCE[0]:
        return None
    return _line(left, right, width), _line(top, bottom, height)


def _line(start: float, end: float, count: int) -> Line:
    """A line from ``start`` to ``end``; where grids nest, so that edges meet, without what rounding
    made of their georeferences.
    """
    step = (end - start) / count
    parts = max(1, round(1 / abs(step)))  # of the target's pixels in one of the source
    nested = Line(
        round(start * parts) / parts, math.copysign(max(1, round(abs(step))) / parts, step)
    )
    apart = abs(nested.start - start), abs(nested.start + nested.step * count - end)
    return nested if max(apart) <= TOLERANCE[0] else Line(start, step)


def scale_of(source: Grid, target: Grid) -> tuple[float, float]:
    """How many target pixels a source pixel has in the middle of the target; without a source there, 1."""
    column, row = target.width / 2, target.height / 2
    columns, rows = pixel_coordinates(target, source, [column, column + 1], [row, row + 1])
    if columns.size != 4:
        return 1.0, 1.0
    steps = (
        math.hypot(numbers[1] - numbers[0], numbers[2] - numbers[0]) for numbers in (columns, rows)
    )
    across, down = (1 / step if step > 0 else 1.0 for step in steps)
    return across, down


def kernel_scale(scale: float) -> float:
    """What GDAL's kernels are widened by: nothing where pixels are of one size but for the projection."""
    return scale if scale < _SAME_SIZE else 1.0


def margin(resampling: Resampling, scale: float) -> int:
    """Source pixels beyond a tile that its own may be made of; kernels widen where pixels grow."""
    widened = 1.0 if resampling is Resampling.NEAREST else max(1.0, 1 / scale)
    return math.ceil(_REACH[resampling] * widened) + 2
