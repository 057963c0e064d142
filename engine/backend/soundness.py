# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a rasterio can be trusted in this process: with GDAL's calls, and with coordinates."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from ..messages import Text, translate
from .api import Backend
from .gdal_settings import version_pair

_LEAST_RASTERIO, _LEAST_GDAL = (1, 3), (3, 4)
#: UTM zone 33 north: on its central meridian, 15 degrees east, x is 500 km.
_WGS84, _UTM = 4326, 32633


def fault_of_package() -> Text | None:
    """Return what is wrong with rasterio as it is installed, found without loading it; None for nothing.

    A wheel brings a GDAL of its own. On Linux its calls bind to the GDAL that QGIS has loaded, which
    is another version, and QGIS can crash; a wheel is recognised by its folder of libraries.
    """
    spec = importlib.util.find_spec("rasterio")
    if spec is None or not spec.origin:
        return translate("Bandwise", "rasterio is not installed").format()
    package = Path(spec.origin).parent
    wheel = package.with_name("rasterio.libs").is_dir()
    if sys.platform.startswith("linux") and wheel and importlib.util.find_spec("osgeo"):
        text = translate(
            "Bandwise",
            "the rasterio in {folder} is a wheel with a GDAL of its own, which cannot run safely beside the system's",
        )
        return text.format(folder=package)
    return None


def fault_of(library: Backend) -> Text | None:
    """Return what is wrong with rasterio once it is loaded; None for nothing. It takes some milliseconds."""
    if version_pair(library.version) < _LEAST_RASTERIO or library.gdal_version < _LEAST_GDAL:
        text = translate(
            "Bandwise",
            "rasterio {version} with GDAL {gdal} is too old",
        )
        return text.format(version=library.version, gdal=".".join(map(str, library.gdal_version)))
    if not _knows_coordinates(library):
        text = translate(
            "Bandwise",
            "the PROJ of rasterio {version} finds no data of its own version, so it knows no CRS",
        )
        return text.format(version=library.version)
    return None


def _knows_coordinates(library: Backend) -> bool:
    """Whether known codes are CRS, and a known point is where it should be."""
    try:
        xs, ys = library.transform(
            [15.0], [0.0], library.wkt_of_code(_WGS84), library.wkt_of_code(_UTM)
        )
    except (OSError, ValueError):
        return False
    return bool(abs(xs[0] - 500_000) < 0.01 and abs(ys[0]) < 0.01)
