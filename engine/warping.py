# SPDX-License-Identifier: GPL-2.0-or-later
"""A band brought onto another grid, tile by tile, by GDAL's warper."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import rasterio
from rasterio.enums import Resampling as Method
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from .arrays import NDArray
from .crs import crs_of, pixels_of
from .grid import Grid, Window
from .layout import Resampling
from .rasters import name_of

_METHODS = {
    Resampling.NEAREST: (Method.nearest, 1),
    Resampling.BILINEAR: (Method.bilinear, 1),
    Resampling.CUBIC: (Method.cubic, 2),
    Resampling.AVERAGE: (Method.average, 1),
    Resampling.CUBIC_SPLINE: (Method.cubic_spline, 2),
    Resampling.LANCZOS: (Method.lanczos, 3),
}  #: GDAL's method, and how many source pixels its kernel reaches
_LARGEST_TILE = 512
_MOST_SOURCE_PIXELS = 2 * 1024 * 1024
_TOLERANCE = (1e-5, 1e-6)  #: source pixels by which GDAL may be off where it interpolates coordinates; the second for nearest
_SAME_SIZE = 0.95
_SMALLEST_PART = 32  #: pixels of a tile's side, below which what is not clear is read in whole rows
_FAR = 4  #: places beside each other in a tile that lie a fourth of the source apart lie on two sides of something
_SAMPLES = 17  #: places along a tile's side, by which its source window is found

#: Reads a window of the source: numbers of shape (height, width), NaN where they are not valid.
Read = Callable[[Window], NDArray[np.floating[Any]]]


class Warp(NamedTuple):
    """How a raster on ``source`` comes onto ``target``.

    Tiles of ``tile`` x ``tile`` pixels, counted from the target's upper left pixel, are computed each by itself: so pixels do not
    depend on windows. ``scale`` is how many target pixels a source pixel has, along its columns and its rows.
    """

    source: Grid
    target: Grid
    resampling: Resampling
    tile: int
    scale: tuple[float, float]

    @classmethod
    def between(cls, source: Grid, target: Grid, resampling: Resampling) -> Warp:
        """The warp with a tile so small that its source window is not large."""
        scale = _scale(source, target)
        tile = _LARGEST_TILE
        while tile > 1 and math.prod(tile / along + 2 * _margin(resampling, along) for along in scale) > _MOST_SOURCE_PIXELS:
            tile //= 2
        return cls(source, target, resampling, tile, scale)

    @property
    def source_pixels(self) -> int:
        """Pixels of the source that a tile takes, about."""
        return math.ceil(math.prod(self.tile / along + 2 * _margin(self.resampling, along) for along in self.scale))

    def fill(self, window: Window, read: Read, out: NDArray[np.floating[Any]]) -> None:
        """Put the numbers of a window of the target, NaN where there are none, into ``out`` of shape (height, width)."""
        tile = self.tile
        for row in range(window.row // tile * tile, window.row + window.height, tile):
            for column in range(window.column // tile * tile, window.column + window.width, tile):
                whole = Window(column, row, min(tile, self.target.width - column), min(tile, self.target.height - row))
                part = whole.shared(window)
                if part is not None:
                    out[part.within(window)] = self._warped(whole, read, out.dtype)[part.within(whole)]

    def _warped(self, tile: Window, read: Read, dtype: np.dtype[Any]) -> NDArray[np.floating[Any]]:
        window, clear = self._source_window(tile)
        if window is None:
            return np.full((tile.height, tile.width), np.nan, dtype)
        if not clear and max(tile.width, tile.height) > _SMALLEST_PART:
            return self._in_parts(tile, read, dtype)
        numbers = read(window)
        method, _ = _METHODS[self.resampling]
        target = self.target.cut(tile)
        with rasterio.open(name_of(numbers[np.newaxis], self.source.cut(window).transform)) as dataset, WarpedVRT(
            dataset,
            src_crs=crs_of(self.source.crs),
            src_nodata=math.nan,
            crs=crs_of(self.target.crs),
            transform=_affine(target),
            width=target.width,
            height=target.height,
            resampling=method,
            nodata=math.nan,
            tolerance=_TOLERANCE[self.resampling is Resampling.NEAREST],
            XSCALE=repr(_kernel_scale(self.scale[0])),
            YSCALE=repr(_kernel_scale(self.scale[1])),
        ) as warped:
            found: NDArray[np.floating[Any]] = warped.read(1)
        return found

    def _in_parts(self, tile: Window, read: Read, dtype: np.dtype[Any]) -> NDArray[np.floating[Any]]:
        out = np.empty((tile.height, tile.width), dtype)
        width, height = -(-tile.width // 2), -(-tile.height // 2)
        for row in range(0, tile.height, height):
            for column in range(0, tile.width, width):
                part = Window(tile.column + column, tile.row + row, min(width, tile.width - column), min(height, tile.height - row))
                out[part.within(tile)] = self._warped(part, read, dtype)
        return out

    def _source_window(self, tile: Window) -> tuple[Window | None, bool]:
        """The source pixels that a tile's pixels are made of, or None; and whether that is clear.

        It is not where places between those that are looked at may lie far from them: at a pole, at the edge of a projection, and at 180
        degrees, where a raster ends and begins: there the rows, or the columns, are taken whole.
        """
        places = np.linspace(0, tile.width, _SAMPLES), np.linspace(0, tile.height, _SAMPLES)
        columns, rows = pixels_of(self.target.cut(tile), self.source, *places)
        if not columns.size:
            return None, True
        complete = columns.size == _SAMPLES * _SAMPLES
        beyond = 0 if complete else 2 * max(tile.width, tile.height) / (_SAMPLES - 1)  # pixels to the next place on either side
        margins = [_margin(self.resampling, along) + math.ceil(beyond / along) for along in self.scale]
        left, top = (math.floor(numbers.min()) - margin for numbers, margin in zip((columns, rows), margins))
        right, bottom = (math.ceil(numbers.max()) + margin for numbers, margin in zip((columns, rows), margins))
        across, down = (complete and _jumps(numbers, length) for numbers, length in ((columns, self.source.width), (rows, self.source.height)))
        if across:
            left, right = 0, self.source.width
        if down:
            top, bottom = 0, self.source.height
        return Window(left, top, right - left, bottom - top).shared(self.source.window), complete and not (across or down)


def _jumps(numbers: NDArray[np.float64], length: int) -> bool:
    """Whether places beside each other lie far apart in a source so long."""
    square = numbers.reshape(_SAMPLES, _SAMPLES)
    return any(bool((np.abs(np.diff(square, axis=axis)) > length / _FAR).any()) for axis in (0, 1))


def _scale(source: Grid, target: Grid) -> tuple[float, float]:
    """How many target pixels a source pixel has in the middle of the target; without a source there, 1."""
    column, row = target.width / 2, target.height / 2
    columns, rows = pixels_of(target, source, [column, column + 1], [row, row + 1])
    if columns.size != 4:
        return 1.0, 1.0
    steps = (math.hypot(numbers[1] - numbers[0], numbers[2] - numbers[0]) for numbers in (columns, rows))
    across, down = (1 / step if step > 0 else 1.0 for step in steps)
    return across, down


def _kernel_scale(scale: float) -> float:
    """What GDAL's kernels are widened by: nothing where pixels are of one size but for the projection."""
    return scale if scale < _SAME_SIZE else 1.0


def _margin(resampling: Resampling, scale: float) -> int:
    """Source pixels beyond a tile that its own may be made of; kernels widen where pixels grow."""
    widened = 1.0 if resampling is Resampling.NEAREST else max(1.0, 1 / scale)
    return math.ceil(_METHODS[resampling][1] * widened) + 2


def _affine(grid: Grid) -> Affine:
    return Affine(*grid.transform)
