# SPDX-License-Identifier: GPL-2.0-or-later
"""Block-wise band math on rasters of any size: numpy and GDAL, no QGIS."""

__version__ = "0.1.0"
