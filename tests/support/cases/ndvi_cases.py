# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of ndvi have in common: rasters, tables and fixtures."""

from __future__ import annotations

from qgis.core import (
    QgsApplication,
)


def ndvi():
    return QgsApplication.processingRegistry().createAlgorithmById("bandwise:ndvi")
