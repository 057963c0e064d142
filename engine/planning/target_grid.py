# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose the grid of the result for inputs on the same or on different grids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..backend.crs import pixel_coordinates, transform_points
from ..errors import GridError, OptionError
from ..grids.grid import SAME_GRID_TOLERANCE, Grid, Window, crs_name
from ..grids.layout import Extent, ExtentRule, GridRule, Layout
from ..messages import Field, translate

_LONGEST_SIDE = 2**31 - 1
WARP_FIRST = translate(
    "Bandwise", "warp the rasters first, with gdalwarp or QGIS's “Warp (reproject)”"
).format()
_SAMPLES = 21  #: points along a side for a raster's outline in another CRS


class Raster(NamedTuple):
    """A raster by its path and its grid."""

    path: str
    grid: Grid


class _Box(NamedTuple):
    """A rectangle in fractional columns and rows of a grid."""

    left: float
    top: float
    right: float
    bottom: float


def result_grid(rasters: Sequence[Raster], layout: Layout, reference: Raster | None = None) -> Grid:
    """Return the grid of the result of ``rasters`` (at least one); ``reference`` for the rule of that name.

    Raises
    ------
    GridError
        If they have no common area, or cannot be brought to one grid.
    OptionError
        For a missing reference, or an extent without area.
    """
    if layout.rule is GridRule.REFERENCE:
        if reference is None:
            raise OptionError(
                translate(
                    "Bandwise",
                    "The result needs the grid of a reference raster; choose one in {reference}.",
                ).format(reference=Field.REFERENCE)
            )
        chosen = reference
    else:
        chosen = rasters[0]
    for raster in rasters:
        check_georeference(chosen, raster)
    _check_crs(chosen, rasters)
    if layout.rule in (GridRule.FINEST, GridRule.COARSEST):
        areas = [_pixel_area(raster.grid, rasters[0].grid.crs) for raster in rasters]
        best = min(areas) if layout.rule is GridRule.FINEST else max(areas)
        chosen = next(
            raster for raster, area in zip(rasters, areas) if math.isclose(area, best, rel_tol=1e-6)
        )
    boxes = [_outline(raster.grid, chosen.grid) for raster in rasters]
    common = _Box(
        *(max(box[side] for box in boxes) for side in (0, 1)),
        *(min(box[side] for box in boxes) for side in (2, 3)),
    )
    together = _Box(
        *(min(box[side] for box in boxes) for side in (0, 1)),
        *(max(box[side] for box in boxes) for side in (2, 3)),
    )
    wanted = together if layout.extent_rule is ExtentRule.UNION else common
    if layout.extent is not None:
        window = _outward(_extent_box(layout.extent, chosen.grid))
    elif layout.extent_rule is ExtentRule.GRID:
        window = chosen.grid.window
    else:
        window = _outward(together) if layout.extent_rule is ExtentRule.UNION else _inward(common)
    if chosen.grid.georeference is not None and (
        layout.extent is not None or window != chosen.grid.window
    ):
        raise GridError(
            translate(
                "Bandwise",
                "{file} has no geotransform, only {georeference}, so no extent can be cut out of it; {remedy}.",
            ).format(
                file=chosen.path, georeference=chosen.grid.georeference.summary(), remedy=WARP_FIRST
            )
        )
    if window is None:
        raise _no_area(rasters)
    _check_area(_Box(*_clipped(wanted, window)), rasters)
    if max(window.width, window.height) > _LONGEST_SIDE:
        raise GridError(
            translate(
                "Bandwise",
                "The result would have {width} x {height} pixels, more than a raster can; choose "
                "an extent or a coarser grid.",
            ).format(width=window.width, height=window.height)
        )
    return chosen.grid.crop(window)


def window_of(extent: Extent, grid: Grid) -> Window | None:
    """Return the pixels of a grid that an extent touches; None if there are none.

    Raises
    ------
    OptionError
        For an extent without area.
    """
    window = _outward(_Box(*_clipped(_extent_box(extent, grid), grid.window)))
    return window and window.intersection(grid.window)


def check_georeference(chosen: Raster, other: Raster) -> None:
    """Check that two rasters have geotransforms, or the same control points, RPC and size.

    Raises
    ------
    GridError
        If only one has a geotransform, or the others differ.
    """
    first_grid, second_grid = chosen.grid, other.grid
    if first_grid.georeference == second_grid.georeference and (
        first_grid.georeference is None
        or (first_grid.width, first_grid.height) == (second_grid.width, second_grid.height)
    ):
        return
    first, second = (other, chosen) if first_grid.georeference is None else (chosen, other)
    text = translate(
        "Bandwise",
        "{file} has no geotransform, only {georeference}, and {other} has different ones or another grid; {remedy}.",
    )
    georeference = first.grid.georeference.summary() if first.grid.georeference else ""
    raise GridError(
        text.format(
            file=first.path, georeference=georeference, other=second.path, remedy=WARP_FIRST
        )
    )


def _check_crs(chosen: Raster, rasters: Sequence[Raster]) -> None:
    """Check that all rasters have a CRS, or that none has and all have the same grid."""
    for raster in rasters:
        if bool(raster.grid.crs) != bool(chosen.grid.crs):
            without, other = (chosen, raster) if raster.grid.crs else (raster, chosen)
            raise GridError(
                translate(
                    "Bandwise",
                    "{file} has no CRS and {other} has {crs}; assign the right CRS to the first.",
                ).format(file=without.path, other=other.path, crs=crs_name(other.grid.crs))
            )
        size, other_size = (
            (chosen.grid.width, chosen.grid.height),
            (raster.grid.width, raster.grid.height),
        )
        if not chosen.grid.crs and (
            size != other_size or chosen.grid.pixel_offset(raster.grid) != (0, 0)
        ):
            raise GridError(
                translate(
                    "Bandwise",
                    "{file} and {other} have no CRS and different grids; assign a CRS to both, so "
                    "that one can be resampled.",
                ).format(file=chosen.path, other=raster.path)
            )


def _check_area(box: _Box, rasters: Sequence[Raster]) -> None:
    if box.right - box.left <= SAME_GRID_TOLERANCE or box.bottom - box.top <= SAME_GRID_TOLERANCE:
        raise _no_area(rasters)


def _no_area(rasters: Sequence[Raster]) -> GridError:
    return GridError(
        translate(
            "Bandwise",
            "{files} have no area in common, or none within the grid and extent that were chosen; "
            "check their positions and CRS.",
        ).format(files=", ".join(dict.fromkeys(raster.path for raster in rasters)))
    )


def _pixel_area(grid: Grid, crs: str) -> float:
    """Return the area of the pixel in the middle, in square units of a CRS."""
    column, row = grid.width / 2, grid.height / 2
    corners = [
        grid.xy(row + down, column + right) for right, down in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]
    xs, ys = transform_points([x for x, _ in corners], [y for _, y in corners], grid.crs, crs)
    if not np.isfinite(xs).all():
        return math.inf
    xs, ys = xs - xs[0], ys - ys[0]  # with large coordinates a small area would lose its digits
    return float(abs(np.dot(xs, np.roll(ys, 1)) - np.dot(ys, np.roll(xs, 1))) / 2)


def _outline(grid: Grid, other: Grid) -> _Box:
    """Return the columns and rows of ``other`` that ``grid`` covers."""
    columns, rows = pixel_coordinates(
        grid, other, np.linspace(0, grid.width, _SAMPLES), np.linspace(0, grid.height, _SAMPLES)
    )
    return (
        _Box(columns.min(), rows.min(), columns.max(), rows.max())
        if columns.size
        else _Box(0.0, 0.0, 0.0, 0.0)
    )


def _extent_box(extent: Extent, grid: Grid) -> _Box:
    if not (
        extent.left < extent.right
        and extent.bottom < extent.top
        and all(map(math.isfinite, extent[:4]))
    ):
        raise OptionError(
            translate("Bandwise", "The extent has no area; draw or type another.").format()
        )
    crs = extent.crs if extent.crs and grid.crs else grid.crs
    extent_grid = Grid(
        crs,
        (extent.right - extent.left, 0, extent.left, 0, extent.bottom - extent.top, extent.top),
        1,
        1,
    )
    return _outline(extent_grid, grid)


def _clipped(box: _Box, window: Window) -> tuple[float, float, float, float]:
    right, bottom = window.column + window.width, window.row + window.height
    return (
        max(box.left, window.column),
        max(box.top, window.row),
        min(box.right, right),
        min(box.bottom, bottom),
    )


def _outward(box: _Box) -> Window | None:
    """Return all pixels that a box touches by more than the tolerance."""
    if not all(map(math.isfinite, box)):
        return None
    left, top = (math.floor(side + SAME_GRID_TOLERANCE) for side in box[:2])
    right, bottom = (math.ceil(side - SAME_GRID_TOLERANCE) for side in box[2:])
    return _window(left, top, right, bottom)


def _inward(box: _Box) -> Window | None:
    """Return all pixels that lie inside a box, to the tolerance."""
    if not all(map(math.isfinite, box)):
        return None
    left, top = (math.ceil(side - SAME_GRID_TOLERANCE) for side in box[:2])
    right, bottom = (math.floor(side + SAME_GRID_TOLERANCE) for side in box[2:])
    return _window(left, top, right, bottom)


def _window(left: int, top: int, right: int, bottom: int) -> Window | None:
    return Window(left, top, right - left, bottom - top) if right > left and bottom > top else None
