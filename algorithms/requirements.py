# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether this QGIS has the rasterio that the engine needs, told without importing it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

from qgis.PyQt.QtCore import QCoreApplication

translate = QCoreApplication.translate

Finder = Callable[[str], "ModuleSpec | None"]


def missing_requirement(
    platform: str = sys.platform, find: Finder = importlib.util.find_spec
) -> str:
    """One sentence about what is missing and how to get it on ``platform``; empty where nothing is.

    A pip wheel of rasterio brings a GDAL of its own. On Linux its calls bind to QGIS's GDAL instead, which
    is another version, and QGIS can crash; so a wheel is recognised by its folder of libraries and refused.
    """
    spec = find("rasterio")
    if spec is None or not spec.origin:
        return translate(
            "Bandwise",
            "Bandwise needs the Python package rasterio, which this QGIS does not have: {how}, then restart QGIS.",
        ).format(how=how_to_install(platform))
    package = Path(spec.origin).parent
    if platform.startswith("linux") and package.with_name("rasterio.libs").is_dir():
        return translate(
            "Bandwise",
            "The rasterio in {folder} is a pip wheel with a GDAL of its own, which cannot run "
            "safely inside QGIS on Linux: "
            "remove it with “pip uninstall rasterio”, {how}, then restart QGIS.",
        ).format(folder=package, how=how_to_install(platform))
    version = _version()
    if version and version < (1, 3):
        return translate(
            "Bandwise",
            "Bandwise needs rasterio 1.3 or newer and this QGIS has {version}: {how}, then restart QGIS.",
        ).format(version=".".join(map(str, version)), how=how_to_install(platform))
    return ""


def _version() -> tuple[int, int] | None:
    try:
        major, minor = importlib.metadata.version("rasterio").split(".")[:2]
        return int(major), int(minor)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None


def how_to_install(platform: str) -> str:
    """What to type, and where, as a clause of a sentence."""
    if platform.startswith("win"):
        return translate(
            "Bandwise",
            "open the OSGeo4W Shell from the QGIS folder of the Start menu and run “python -m pip install rasterio”",
        )
    if platform == "darwin":
        return translate(
            "Bandwise",
            "open the Terminal and run “/Applications/QGIS.app/Contents/MacOS/bin/python3 -m pip install rasterio”",
        )
    return translate(
        "Bandwise",
        "install your distribution's package (“sudo apt install python3-rasterio” on Debian and Ubuntu, "
        "“sudo dnf install python3-rasterio” on Fedora, “conda install -c conda-forge rasterio” in "
        "a conda environment)",
    )
