# SPDX-License-Identifier: GPL-2.0-or-later
"""Columns and rows of one grid in another."""

from __future__ import annotations

import numpy as np

from ..backend.api import Numbers, Points
from ..backend.crs import transform_points
from ..grids.grid import Grid


def pixel_coordinates(grid: Grid, other: Grid, columns: Numbers, rows: Numbers) -> Points:
    """Columns and rows of ``other`` at which all pairs of columns and rows of ``grid`` lie; those
    that lie nowhere are left out.
    """
    found = pixel_coordinates_grid(grid, other, columns, rows)
    known = np.isfinite(found[0])
    return found[0][known], found[1][known]


def pixel_coordinates_grid(grid: Grid, other: Grid, columns: Numbers, rows: Numbers) -> Points:
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
