# SPDX-License-Identifier: GPL-2.0-or-later
"""Rasters of which only some columns and rows are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from ...arrays import NDArray
from ...backend.api import Bands, Dataset
from ...backend.crs import same_crs
from ...grids.grid import Grid, Window
from ...reading.alignment import scale_of
from ...reading.bands import BandFacts


class Reduction(NamedTuple):
    """Cells of ``across`` x ``down`` pixels of a raster, counted from ``column`` and ``row``.

    There are ``width`` x ``height`` whole cells; each is read as its middle pixel, or as a pixel of
    an overview that covers the middle.
    """

    column: int
    row: int
    across: int
    down: int
    width: int
    height: int

    def grid(self, grid: Grid) -> Grid:
        """Return the grid of the cells."""
        a, b, _, d, e, _ = grid.transform
        x, y = grid.xy(self.row, self.column)
        transform = (a * self.across, b * self.down, x, d * self.across, e * self.down, y)
        return Grid(grid.crs, transform, self.width, self.height, grid.georeference)

    def pixels(self, window: Window) -> Window:
        """Return the raster's pixels that lie in a window of cells."""
        return Window(
            self.column + window.column * self.across,
            self.row + window.row * self.down,
            window.width * self.across,
            window.height * self.down,
        )


def reduced_by(grid: Grid, step: int) -> Reduction:
    """Return the cells of ``step`` x ``step`` pixels, at least one, from the first pixel on."""
    return _reduction(grid, (0, 0), (step, step))


def reduction_for(grid: Grid, region: Grid, cells: Grid, step: int) -> Reduction:
    """Return the cells of a raster that come closest to those of the result.

    Parameters
    ----------
    grid
        The raster's.
    region, cells, step
        The result's pixels, and its cells of ``step`` x ``step`` of these. A raster with the same
        pixels gets the same cells.
    """
    near = same_crs(grid.crs, region.crs)
    shift = grid.pixel_offset(region) if near else None
    if shift is not None:
        return _reduction(grid, shift, (step, step))
    across, down = (max(1, round(1 / scale)) for scale in scale_of(grid, cells))
    row, column = grid.rowcol(*region.xy(0, 0)) if near else (0.0, 0.0)
    return _reduction(grid, (round(column), round(row)), (across, down))


def _reduction(grid: Grid, start: tuple[int, int], steps: tuple[int, int]) -> Reduction:
    across, down = min(steps[0], grid.width), min(steps[1], grid.height)
    column, row = start[0] % across, start[1] % down
    if column + across > grid.width:
        column = 0
    if row + down > grid.height:
        row = 0
    return Reduction(
        *(column, row, across, down),
        *((grid.width - column) // across, (grid.height - row) // down),
    )


def has_level(overviews: Sequence[int], reduction: Reduction) -> bool:
    """Return whether an overview is at least as fine as the cells."""
    return any(1 < factor <= min(reduction.across, reduction.down) for factor in overviews)


def reduced_facts(band: BandFacts, reduction: Reduction) -> BandFacts:
    """Return what is known of a band, for its cells."""
    return band._replace(grid=reduction.grid(band.grid))


class ReducedDataset:
    """The cells of an open raster; see :class:`Dataset` for what it tells and reads.

    ``exact`` are the bands that are read without overviews: in these a class or a flag would be an
    average of others.
    """

    def __init__(self, dataset: Dataset, reduction: Reduction, exact: frozenset[int]) -> None:
        self._dataset, self._reduction, self._exact = dataset, reduction, exact
        self.driver = dataset.driver
        self._levels = {
            number: number not in exact and has_level(dataset.overviews(number), reduction)
            for number in range(1, len(dataset.dtypes) + 1)
        }

    def read(self, bands: Bands, window: Window, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """See :meth:`Dataset.read`."""
        numbers = [bands] if isinstance(bands, int) else list(bands)
        if out is None:
            dtype = np.dtype(self._dataset.dtypes[numbers[0] - 1])
            planes = () if isinstance(bands, int) else (len(numbers),)
            out = np.empty((*planes, window.height, window.width), dtype)
        for levels in (True, False):
            rows = [row for row, band in enumerate(numbers) if self._levels[band] is levels]
            if len(rows) == len(numbers):
                self._read(bands, window, out, levels=levels)
            else:
                for row in rows:
                    self._read(numbers[row], window, out[row], levels=levels)
        return out

    def read_mask(self, band: int, window: Window, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """See :meth:`Dataset.read_mask`."""
        if out is None:
            out = np.empty((window.height, window.width), np.uint8)
        if self._levels[band]:
            return self._dataset.read_mask(band, self._reduction.pixels(window), out)
        for row, line in self._lines(window):
            out[row] = self._dataset.read_mask(band, line)[0, :: self._reduction.across]
        return out

    def close(self) -> None:
        """Close the raster."""
        self._dataset.close()

    def _read(self, bands: Bands, window: Window, out: NDArray[Any], *, levels: bool) -> None:
        if levels:
            self._dataset.read(bands, self._reduction.pixels(window), out)
            return
        for row, line in self._lines(window):
            out[..., row, :] = self._dataset.read(bands, line)[..., 0, :: self._reduction.across]

    def _lines(self, window: Window) -> list[tuple[int, Window]]:
        """Return for each row of cells the pixels from the middle of the first to that of the last."""
        across, down = self._reduction.across, self._reduction.down
        pixels = self._reduction.pixels(window)
        column, row = pixels.column + across // 2, pixels.row + down // 2
        width = (window.width - 1) * across + 1
        return [
            (number, Window(column, row + number * down, width, 1))
            for number in range(window.height)
        ]


def reduced(
    dataset: Dataset, path: str, reductions: Mapping[str, Reduction], exact: frozenset[int]
) -> Dataset:
    """Return an open raster by its cells, where it has a reduction."""
    return cast("Dataset", ReducedDataset(dataset, reductions[path], exact))
