# SPDX-License-Identifier: GPL-2.0-or-later
"""GDAL through its own Python package, which every QGIS has."""
