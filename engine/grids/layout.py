# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's choices for the result's grid."""

from __future__ import annotations

import enum
from typing import NamedTuple


class GridRule(enum.Enum):
    """The raster whose grid the result has: one of those that are used, the first of several alike."""

    FINEST = 0
    FIRST = 1
    COARSEST = 2
    REFERENCE = 3


class ExtentRule(enum.Enum):
    """The extent of the result if none is given."""

    INTERSECTION = 0
    UNION = 1
    GRID = 2


class Resampling(enum.Enum):
    """Resampling of measurements; names are those of GDAL's warper."""

    NEAREST = 0
    BILINEAR = 1
    CUBIC = 2
    AVERAGE = 3
    CUBIC_SPLINE = 4
    LANCZOS = 5


class Extent(NamedTuple):
    """A rectangle in a CRS, as WKT."""

    left: float
    bottom: float
    right: float
    top: float
    crs: str


class Layout(NamedTuple):
    """The user's choices; ``reference`` is the raster for the rule of that name, and ``extent`` takes
    precedence over ``extent_rule``.
    """

    rule: GridRule = GridRule.FINEST
    reference: str = ""
    extent_rule: ExtentRule = ExtentRule.INTERSECTION
    extent: Extent | None = None
    resampling: Resampling = Resampling.BILINEAR
