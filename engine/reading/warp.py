# SPDX-License-Identifier: GPL-2.0-or-later
"""A band brought onto another grid, tile by tile: in numpy where axes are parallel, else by GDAL's warper."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray
from ..backend.choice import backend
from ..backend.crs import pixel_coordinates, pixel_coordinates_grid
from ..grids.grid import Grid, Window
from ..grids.kernels import BILINEAR, CUBIC, CUBIC_SPLINE, LANCZOS, Axis, average, weighted
from ..grids.layout import Resampling
from ..grids.resampling import resampled, scattered
from .alignment import TOLERANCE, Line, kernel_scale, lines, margin, scale_of

_KERNELS = {
    Resampling.BILINEAR: BILINEAR,
    Resampling.CUBIC: CUBIC,
    Resampling.CUBIC_SPLINE: CUBIC_SPLINE,
    Resampling.LANCZOS: LANCZOS,
}
_LARGEST_TILE = 512
_MOST_SOURCE_PIXELS = 2 * 1024 * 1024
_SMALLEST_PART = 32  #: pixels of a tile's side, below which what is not clear is read in whole rows
#: Places beside each other in a tile that lie a fourth of the source apart lie on two sides of
#: something
_FAR = 4
_MARGIN_OF_GDAL = 32  #: source pixels, a few more than GDAL takes beyond those that it needs
_ROWS_TOGETHER = 64  #: of places that are computed by PROJ
_SAMPLES = 17  #: places along a tile's side, by which its source window is found

#: Reads a window of the source: numbers of shape (height, width), NaN where they are not valid.
Read = Callable[[Window], NDArray["np.floating[Any]"]]


class Warp(NamedTuple):
    """How a raster on ``source`` comes onto ``target``.

    Tiles of ``tile`` x ``tile`` pixels, counted from the target's upper left pixel, are computed
    each by itself: so pixels do not depend on windows. ``scale`` is how many target pixels a source
    pixel has, along its columns and its rows. ``lines`` are the columns and rows of grids of one
    CRS whose axes are parallel: there pixels are computed in numpy, the same on every GDAL.
    """

    source: Grid
    target: Grid
    resampling: Resampling
    tile: int
    scale: tuple[float, float]
    lines: tuple[Line, Line] | None = None

    @classmethod
    def between(cls, source: Grid, target: Grid, resampling: Resampling) -> Warp:
        """The warp with a tile so small that its source window is not large."""
        scale = scale_of(source, target)
        warp = cls(
            source,
            target,
            resampling,
            _LARGEST_TILE,
            scale,
            lines(source, target, resampling, scale),
        )
        while warp.tile > 1 and warp.source_pixels > _MOST_SOURCE_PIXELS:
            warp = warp._replace(tile=warp.tile // 2)
        return warp

    @property
    def source_pixels(self) -> int:
        """Pixels of the source that a tile takes, about."""
        exact = self.lines is not None and self.resampling in (
            Resampling.NEAREST,
            Resampling.AVERAGE,
        )
        return math.ceil(
            math.prod(
                self.tile / along + (2 if exact else 2 * margin(self.resampling, along))
                for along in self.scale
            )
        )

    @property
    def _widened(self) -> tuple[float, float]:
        return 1 / kernel_scale(self.scale[0]), 1 / kernel_scale(self.scale[1])

    def _by_places(self, numbers: NDArray[np.floating[Any]]) -> bool:
        """Whether it takes a kernel that GDAL has wrong, or that overshoots without bounds, as it
        is beside pixels that are not valid.

        Onto larger pixels GDAL before 3.10 shifts Lanczos, newer ones have it wrong where centres
        coincide, and all cut off the cubic spline; 3.13 widens no cubic kernel onto pixels that are
        a little larger. Onto smaller ones they make cubic a bilinear kernel beside nodata.
        """
        larger = max(self._widened) > 1
        if self.resampling is Resampling.CUBIC_SPLINE:
            return larger
        if self.resampling is Resampling.LANCZOS:
            return larger or not np.isfinite(numbers).all()
        return (
            self.resampling is Resampling.CUBIC
            and larger
            and (backend().gdal_version >= (3, 13) or not np.isfinite(numbers).all())
        )

    def parts(self, window: Window) -> Iterator[Window]:
        """What a window has of each tile."""
        for tile in self._tiles(window):
            part = tile.intersection(window)
            if part is not None:
                yield part

    def _tiles(self, window: Window) -> Iterator[Window]:
        tile = self.tile
        for row in range(window.row // tile * tile, window.row + window.height, tile):
            for column in range(window.column // tile * tile, window.column + window.width, tile):
                yield Window(
                    column,
                    row,
                    min(tile, self.target.width - column),
                    min(tile, self.target.height - row),
                )

    def fill(self, window: Window, read: Read, out: NDArray[np.floating[Any]]) -> None:
        """Put the numbers of a window of the target, NaN where there are none, into ``out`` of
        shape (height, width).
        """
        for tile in self._tiles(window):
            part = tile.intersection(window)
            if part is not None:
                out[part.slices_in(window)] = self._warped(tile, read, out.dtype)[
                    part.slices_in(tile)
                ]

    def _warped(self, tile: Window, read: Read, dtype: np.dtype[Any]) -> NDArray[np.floating[Any]]:
        if self.lines is not None:
            return self._weighted(self.lines, tile, read, dtype)
        wanted, clear = self._source_window(tile)
        window = wanted.intersection(self.source.window) if wanted else None
        if wanted is None or window is None:
            return np.full((tile.height, tile.width), np.nan, dtype)
        if not clear and max(tile.width, tile.height) > _SMALLEST_PART:
            return self._in_parts(tile, read, dtype)
        numbers = read(window)
        if self._by_places(numbers):
            samples = self._places(tile)
            size, corner = (self.source.width, self.source.height), (window.column, window.row)
            return scattered(
                numbers, corner, samples, _KERNELS[self.resampling], self._widened, size, dtype
            )
        if self.resampling is Resampling.AVERAGE and clear:
            numbers, window = _framed(numbers, window, wanted)
        return backend().warp(
            numbers,
            self.source.crop(window),
            self.target.crop(tile),
            self.resampling,
            tolerance=TOLERANCE[self.resampling is Resampling.NEAREST],
            scale=(kernel_scale(self.scale[0]), kernel_scale(self.scale[1])),
        )

    def _places(self, tile: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Columns and rows of the source at which the centres of a tile's pixels lie, NaN where they lie nowhere."""
        columns, rows = np.empty((tile.height, tile.width)), np.empty((tile.height, tile.width))
        # rasterio makes lists of Python numbers, which take memory
        for row in range(0, tile.height, _ROWS_TOGETHER):
            part = Window(
                tile.column, tile.row + row, tile.width, min(_ROWS_TOGETHER, tile.height - row)
            )
            centres = np.arange(part.width) + 0.5, np.arange(part.height) + 0.5
            columns[row : row + part.height], rows[row : row + part.height] = (
                pixel_coordinates_grid(self.target.crop(part), self.source, *centres)
            )
        return columns, rows

    def _weighted(
        self, lines: tuple[Line, Line], tile: Window, read: Read, dtype: np.dtype[Any]
    ) -> NDArray[np.floating[Any]]:
        columns = self._axis(lines[0], tile.column, tile.width, self.source.width)
        rows = self._axis(lines[1], tile.row, tile.height, self.source.height)
        across, down = columns.span, rows.span
        if across is None or down is None:
            return np.full((tile.height, tile.width), np.nan, dtype)
        numbers = read(Window(across[0], down[0], across[1] - across[0], down[1] - down[0]))
        kernel = _KERNELS.get(self.resampling)
        return resampled(
            numbers,
            (across[0], down[0]),
            columns,
            rows,
            dtype,
            overshoots=kernel is not None and kernel.overshoots,
        )

    def _axis(self, line: Line, begin: int, count: int, length: int) -> Axis:
        """Weights for ``count`` columns, or rows, from ``begin`` on, of a source that has ``length`` of them."""
        if self.resampling is Resampling.AVERAGE:
            edges = line.at(np.arange(begin, begin + count + 1))
            return average(edges[:-1], edges[1:], length)
        widened = 1 / kernel_scale(1 / abs(line.step))
        return weighted(
            line.at(np.arange(begin, begin + count) + 0.5),
            _KERNELS[self.resampling],
            widened,
            length,
        )

    def _in_parts(
        self, tile: Window, read: Read, dtype: np.dtype[Any]
    ) -> NDArray[np.floating[Any]]:
        out = np.empty((tile.height, tile.width), dtype)
        width, height = -(-tile.width // 2), -(-tile.height // 2)
        for row in range(0, tile.height, height):
            for column in range(0, tile.width, width):
                part = Window(
                    tile.column + column,
                    tile.row + row,
                    min(width, tile.width - column),
                    min(height, tile.height - row),
                )
                out[part.slices_in(tile)] = self._warped(part, read, dtype)
        return out

    def _source_window(self, tile: Window) -> tuple[Window | None, bool]:
        """The source pixels, and some beyond it, that a tile's pixels are made of, or None; and whether that is clear.

        It is not where places between those that are looked at may lie far from them: at a pole, at
        the edge of a projection, and at 180 degrees, where a raster ends and begins: there the
        rows, or the columns, are taken whole.
        """
        samples = np.linspace(0, tile.width, _SAMPLES), np.linspace(0, tile.height, _SAMPLES)
        columns, rows = pixel_coordinates(self.target.crop(tile), self.source, *samples)
        if not columns.size:
            return None, True
        complete = columns.size == _SAMPLES * _SAMPLES
        # pixels to the next place on either side
        beyond = 0 if complete else 2 * max(tile.width, tile.height) / (_SAMPLES - 1)
        margins = [
            margin(self.resampling, along) + math.ceil(beyond / along) for along in self.scale
        ]
        left, top = (
            math.floor(numbers.min()) - margin for numbers, margin in zip((columns, rows), margins)
        )
        right, bottom = (
            math.ceil(numbers.max()) + margin for numbers, margin in zip((columns, rows), margins)
        )
        across, down = (
            complete and _jumps(numbers, length)
            for numbers, length in ((columns, self.source.width), (rows, self.source.height))
        )
        if across:
            left, right = 0, self.source.width
        if down:
            top, bottom = 0, self.source.height
        return Window(left, top, right - left, bottom - top), complete and not (across or down)


def _framed(
    numbers: NDArray[np.floating[Any]], window: Window, wanted: Window
) -> tuple[NDArray[np.floating[Any]], Window]:
    """The numbers of a window among pixels without a value, up to a margin around what is ``wanted``.

    GDAL's average takes a pixel of the target that lies near both the first and the last column of
    its source for one that goes on from the last to the first, and gives those beside a source the
    values of its edge. Within pixels without a value it has all of them right.
    """
    margin = _MARGIN_OF_GDAL
    frame = Window(
        wanted.column - margin,
        wanted.row - margin,
        wanted.width + 2 * margin,
        wanted.height + 2 * margin,
    )
    framed = np.full((frame.height, frame.width), np.nan, numbers.dtype)
    framed[window.slices_in(frame)] = numbers
    return framed, frame


def _jumps(numbers: NDArray[np.float64], length: int) -> bool:
    """Whether places beside each other lie far apart in a source so long."""
    square = numbers.reshape(_SAMPLES, _SAMPLES)
    return any(bool((np.abs(np.diff(square, axis=axis)) > length / _FAR).any()) for axis in (0, 1))
