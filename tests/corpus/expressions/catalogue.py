# SPDX-License-Identifier: GPL-2.0-or-later
"""All expressions, in the order of ``expected.json``."""

from __future__ import annotations

from . import differences
from .gdal_calc import GDAL_CALC
from .otb import OTB
from .qgis import QGIS

CASES = (
    *(*QGIS, *differences.QGIS),
    *(*GDAL_CALC, *differences.GDAL_CALC),
    *(*OTB, *differences.OTB),
)
