# SPDX-License-Identifier: GPL-2.0-or-later
"""Coordinate reference systems: whether two are one, and coordinates and pixels of one in another."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..errors import GridError
from ..grids.grid import Grid, crs_name
from ..messages import translate
from .api import Backend, Numbers, Points
from .choice import backend


def same_crs(wkt: str, other: str) -> bool:
    """Return whether two CRS, given as WKT (empty for none), have the same coordinates.

    Raises
    ------
    GridError
        For a CRS that this PROJ does not know.
    """
    if wkt == other or not (wkt and other):
        return wkt == other
    check_crs(wkt)
    check_crs(other)
    return _same_crs(backend(), wkt, other)


@lru_cache(maxsize=64)
def _same_crs(library: Backend, wkt: str, other: str) -> bool:
    return library.same_crs(wkt, other)


def check_crs(wkt: str) -> None:
    """Raise :class:`GridError` for a CRS, as WKT, that this PROJ does not know."""
    _check_crs(backend(), wkt)


@lru_cache(maxsize=64)
def _check_crs(library: Backend, wkt: str) -> None:
    try:
        library.same_crs(wkt, wkt)
    except ValueError as error:
        text = translate(
            "Bandwise",
            "The CRS {crs} is not understood by the PROJ of {library}; choose one that is, such as "
            "one with an EPSG code.",
        )
        raise GridError(text.format(crs=crs_name(wkt), library=library.name)) from error


def transform_points(xs: Numbers, ys: Numbers, wkt: str, other: str) -> Points:
    """Return coordinates of one CRS in another, of shape (n,); infinite where it has none of them."""
    if same_crs(wkt, other):
        return np.asarray(xs, np.float64), np.asarray(ys, np.float64)
    try:
        transformed = backend().transform(xs, ys, wkt, other)
    except (OSError, ValueError):
        if len(xs) == 1:
            return np.array([np.inf]), np.array([np.inf])
        # one that fails fails all
        points = [transform_points([x], [y], wkt, other) for x, y in zip(xs, ys)]
        return np.concatenate([x for x, _ in points]), np.concatenate([y for _, y in points])
    return np.asarray(transformed[0], np.float64), np.asarray(transformed[1], np.float64)


def pixel_coordinates(grid: Grid, other: Grid, columns: Numbers, rows: Numbers) -> Points:
    """Columns and rows of ``other`` at which all pairs of columns and rows of ``grid`` lie; those
    that lie nowhere are left out.
    """
    coordinates = pixel_coordinates_grid(grid, other, columns, rows)
    finite = np.isfinite(coordinates[0])
    return coordinates[0][finite], coordinates[1][finite]


def pixel_coordinates_grid(grid: Grid, other: Grid, columns: Numbers, rows: Numbers) -> Points:
    """As :func:`pixel_coordinates`, of shape (rows, columns), with NaN for those that lie nowhere."""
    a, b, c, d, e, f = grid.transform
    column, row = np.meshgrid(columns, rows)
    xs, ys = transform_points(
        (a * column + b * row + c).ravel(), (d * column + e * row + f).ravel(), grid.crs, other.crs
    )
    finite = np.isfinite(xs) & np.isfinite(ys)
    a, b, c, d, e, f = other.transform
    x, y, determinant = (
        np.where(finite, xs - c, np.nan),
        np.where(finite, ys - f, np.nan),
        a * e - b * d,
    )
    return ((e * x - b * y) / determinant).reshape(column.shape), (
        (a * y - d * x) / determinant
    ).reshape(column.shape)
