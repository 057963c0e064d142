# SPDX-License-Identifier: GPL-2.0-or-later
"""Which part of a result a preview shows, and how its rasters are read for that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from ...backend.api import Dataset
from ...errors import GridError
from ...files.locations import is_remote
from ...grids.grid import Grid, Window
from ...grids.layout import Extent
from ...job import Job
from ...messages import translate
from ...planning.plan import grid_of, reference_of
from ...planning.target_grid import window_of
from ...planning.user_mask import mask_band
from ...reading.bands import BandFacts, describe
from ...reading.opening import opened
from .reduced import Reduction, has_level, reduced_by, reduction_for

#: Bytes that are decoded for a preview, at most, where there are no overviews: two bands of a tile
#: of Sentinel-2 at 10 m in DEFLATE, of which a core decodes 300 MB in a second
_MOST_BYTES = 520_000_000
#: How long bytes take, compared to those of a local GeoTIFF in DEFLATE
_JPEG2000, _UNCOMPRESSED, _REMOTE = 10.0, 0.5, 40.0


@dataclass(frozen=True)
class Region:
    """The part of a result that is shown.

    Attributes
    ----------
    full
        The grid of the whole result.
    window
        The part, in pixels of ``full``, of which a cell of ``step`` x ``step`` becomes a pixel.
    grid
        The cells.
    is_centre
        Whether it is only the middle of what was asked for, as the rest would take too long.
    levels
        Whether any raster is read from overviews.
    facts, reductions, exact
        What is known of each band (path and number), the cells of each raster, and which of its
        bands are read without overviews.
    """

    full: Grid
    window: Window
    step: int
    grid: Grid
    is_centre: bool
    levels: bool
    facts: Mapping[tuple[str, int], BandFacts]
    reductions: Mapping[str, Reduction]
    exact: Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class _Rasters:
    """The bands of a job: ``factors`` are the overviews of each, ``costs`` how long a byte of a
    raster takes, and ``exact`` the bands of each that are read without overviews.
    """

    facts: dict[tuple[str, int], BandFacts]
    factors: dict[tuple[str, int], list[int]]
    costs: dict[str, float]
    exact: dict[str, frozenset[int]]


def region_of(job: Job, extent: Extent | None, side: int) -> Region:
    """Return the part of the result of ``job`` within an extent, or all of it, at no more than
    ``side`` pixels a side.

    Raises
    ------
    BandwiseError
        As :func:`prepare` does for rasters that cannot be used; for an extent beside the result.
    """
    rasters = _rasters(job)
    bands = [rasters.facts[ref.path, ref.number] for ref in job.bands]
    full = grid_of(job, bands, reference_of(job))
    window: Window | None = full.window
    if extent is not None and full.georeference is None:
        window = window_of(extent, full)
    if window is None:
        text = translate(
            "Bandwise",
            "The result lies outside of the extent that is to be shown; choose the whole raster.",
        )
        raise GridError(text.format())
    wanted = window
    while True:
        region = _region(rasters, full, window, side, is_centre=window != wanted)
        excess = _bytes_decoded(rasters, region) / _MOST_BYTES
        if excess <= 1 or max(window.width, window.height) <= side:
            return region
        window = _middle(window, min(0.9, excess**-0.5), side)


def _middle(window: Window, part: float, side: int) -> Window:
    """Return the middle of a window, of that part of its width and height."""
    width, height = (max(min(side, length), math.floor(length * part)) for length in window[2:])
    return Window(
        window.column + (window.width - width) // 2,
        window.row + (window.height - height) // 2,
        width,
        height,
    )


def _rasters(job: Job) -> _Rasters:
    keys = dict.fromkeys((ref.path, ref.number) for ref in job.bands)
    facts = {key: describe(*key) for key in keys}
    exact = {key for key, band in facts.items() if band.classes}
    if job.mask is not None:
        mask = mask_band(job.mask)
        facts[mask.path, mask.number] = mask
        exact.add((mask.path, mask.number))
    factors, costs = {}, {}
    for path, number in facts:
        with closing(opened(path)) as dataset:
            factors[path, number] = list(dataset.overviews(number))
            costs[path] = _cost(path, dataset)
    exact_by_path = {
        path: frozenset(number for other, number in exact if other == path) for path, _ in facts
    }
    return _Rasters(facts, factors, costs, exact_by_path)


def _cost(path: str, dataset: Dataset) -> float:
    cost = _REMOTE if is_remote(path) else 1.0
    if dataset.driver.startswith("JP2"):
        return cost * _JPEG2000
    plain = dataset.driver == "GTiff" and "COMPRESSION" not in dataset.tags("IMAGE_STRUCTURE")
    return cost * (_UNCOMPRESSED if plain else 1.0)


def _region(rasters: _Rasters, full: Grid, window: Window, side: int, *, is_centre: bool) -> Region:
    part = full.crop(window)
    step = math.ceil(max(window.width, window.height) / side)
    grid = reduced_by(part, step).grid(part)
    reductions = {
        path: reduction_for(band.grid, part, grid, step)
        for (path, _), band in rasters.facts.items()
    }
    levels = any(_has_level(rasters, reductions, key) for key in rasters.facts)
    return Region(
        full, window, step, grid, is_centre, levels, rasters.facts, reductions, rasters.exact
    )


def _has_level(
    rasters: _Rasters, reductions: Mapping[str, Reduction], key: tuple[str, int]
) -> bool:
    path, number = key
    return number not in rasters.exact[path] and has_level(rasters.factors[key], reductions[path])


def _bytes_decoded(rasters: _Rasters, region: Region) -> float:
    """Return about how many bytes are decoded of blocks that are read whole."""
    total, seen = 0.0, set[tuple[str, bool]]()
    for key, band in rasters.facts.items():
        path = key[0]
        together = band.decoded > band.block[0] * band.block[1] * band.dtype.itemsize
        if _has_level(rasters, region.reductions, key) or (together and (path, True) in seen):
            continue
        seen.add((path, together))
        reduction = region.reductions[path]
        columns = region.grid.width * reduction.across
        rows = region.grid.height * reduction.down
        width, height = band.block
        blocks = min(columns // width + 2, math.ceil(band.grid.width / width))
        blocks_down = min(
            rows // height + 2, math.ceil(band.grid.height / height), region.grid.height
        )
        total += blocks * blocks_down * band.decoded * rasters.costs[path]
    return total
