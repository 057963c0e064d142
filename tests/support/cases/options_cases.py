# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of options have in common: rasters, tables and fixtures."""

from __future__ import annotations

from pathlib import Path

import rasterio
from qgis.core import (
    QgsApplication,
)
from rasterio.transform import Affine


def save(path: Path, values, size: float, left: float = 600000.0, top: float = 5100000.0) -> str:
    height, width = values.shape
    place = {"crs": "EPSG:32632", "transform": Affine(size, 0, left, 0, -size, top)}
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=1, dtype=values.dtype, **place
    ) as dataset:
        dataset.write(values, 1)
    return str(path)


def run(parameters, context, log):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("bandwise:ndvi")
    return algorithm.run(parameters, context, log)
