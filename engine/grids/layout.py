# SPDX-License-Identifier: GPL-2.0-or-later
"""What the user wants of the result's grid."""

from __future__ import annotations

import enum
from typing import NamedTuple


class GridRule(enum.Enum):
    """Which raster's pixels the result has: of those that are used, and of several alike the first."""

    FINEST = 0
    FIRST = 1
    COARSEST = 2
    REFERENCE = 3


class ExtentRule(enum.Enum):
    """How far the result reaches, where no extent is given."""

    INTERSECTION = 0
    UNION = 1
    GRID = 2


class Resampling(enum.Enum):
    """How measurements come from one grid to another; names are those of GDAL's warper."""

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
    """What the user wants: ``reference`` is the raster of the rule of that name; ``extent`` counts
    more than ``extent_rule``.
    """

    rule: GridRule = GridRule.FINEST
    reference: str = ""
    extent_rule: ExtentRule = ExtentRule.INTERSECTION
    extent: Extent | None = None
    resampling: Resampling = Resampling.BILINEAR
