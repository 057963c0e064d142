# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of bandmath have in common: rasters, tables and fixtures."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from qgis.core import (
    QgsApplication,
)


def bandmath():
    return QgsApplication.processingRegistry().createAlgorithmById("bandwise:bandmath")


def single(values):
    """Float64 numbers as a Float32 raster holds them."""
    return values.astype(np.float32).astype(float)


@pytest.fixture
def bands(scene):
    """Red and NIR as float64, NaN where nodata."""
    with rasterio.open(scene.stack) as stack:
        stored = stack.read().astype(float)
    stored[stored == 0] = np.nan
    return stored
