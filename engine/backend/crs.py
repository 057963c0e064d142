# SPDX-License-Identifier: GPL-2.0-or-later
"""Coordinate reference systems: whether two are one, and places of one in another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Union

import numpy as np
import rasterio.warp
from rasterio.crs import CRS
from rasterio.errors import CRSError

from ..arrays import NDArray
from ..errors import GridError
from ..grids.grid import Grid, crs_name
from ..messages import translate
from .environment import RASTER_FAILURES

Numbers = Union[Sequence[float], NDArray[np.float64]]
Places = tuple[NDArray[np.float64], NDArray[np.float64]]


@lru_cache(maxsize=64)
def crs_of(wkt: str) -> CRS | None:
    """The CRS that WKT describes; None for the empty text.

    Raises :class:`GridError` for one that this PROJ does not know.
    """
    try:
        return CRS.from_wkt(wkt) if wkt else None
    except CRSError as error:
        text = translate(
            "Bandwise",
            "The CRS {crs} is not understood by the PROJ of rasterio; choose one that is, such as "
            "one with an EPSG code.",
        )
        raise GridError(text.format(crs=crs_name(wkt))) from error


def same_crs(wkt: str, other: str) -> bool:
    """Whether two CRS, given as WKT (empty for none), are the same place for place."""
    if wkt == other or not (wkt and other):
        return wkt == other
    return bool(crs_of(wkt) == crs_of(other))


def transform_points(xs: Numbers, ys: Numbers, wkt: str, other: str) -> Places:
    """Places of one CRS in the other; infinite where it has none of them."""
    if same_crs(wkt, other):
        return np.asarray(xs, np.float64), np.asarray(ys, np.float64)
    try:
        found = rasterio.warp.transform(crs_of(wkt), crs_of(other), xs, ys)
    except (*RASTER_FAILURES, CRSError):
        if len(xs) == 1:
            return np.array([np.inf]), np.array([np.inf])
        # one that fails fails all
        places = [transform_points([x], [y], wkt, other) for x, y in zip(xs, ys)]
        return np.concatenate([x for x, _ in places]), np.concatenate([y for _, y in places])
    return np.asarray(found[0], np.float64), np.asarray(found[1], np.float64)


def pixel_coordinates(grid: Grid, other: Grid, columns: Numbers, rows: Numbers) -> Places:
    """Columns and rows of ``other`` at which all pairs of columns and rows of ``grid`` lie; those
    that lie nowhere are left out.
    """
    found = pixel_coordinates_grid(grid, other, columns, rows)
    known = np.isfinite(found[0])
    return found[0][known], found[1][known]


def pixel_coordinates_grid(grid: Grid, other: Grid, columns: Numbers, rows: Numbers) -> Places:
    """As :func:`pixel_coordinates`, of shape (rows, columns), with NaN for those that lie nowhere."""
    a, b, c, d, e, f = grid.transform
    column, row = np.meshgrid(columns, rows)
    xs, ys = transform_points(
        (a * column + b * row + c).ravel(), (d * column + e * row + f).ravel(), grid.crs, other.crs
    )
    known = np.isfinite(xs) & np.isfinite(ys)
    a, b, c, d, e, f = other.transform
    x, y, determinant = (
        np.where(known, xs - c, np.nan),
        np.where(known, ys - f, np.nan),
        a * e - b * d,
    )
    return ((e * x - b * y) / determinant).reshape(column.shape), (
        (a * y - d * x) / determinant
    ).reshape(column.shape)
