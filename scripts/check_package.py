# SPDX-License-Identifier: GPL-2.0-or-later
"""Check that the plugin site accepts the zip and that the plugin works in an otherwise empty profile."""

from __future__ import annotations

import argparse
import configparser
import re
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from .qgis_profile import NAME, Profile

_PNG = b"\x89PNG\r\n\x1a\n"
_COMPILED = (".pyc", ".pyd", ".so", ".dll", ".dylib", ".exe", ".bin")
_REQUIRED = ("name", "description", "about", "author", "email", "repository", "tracker", "icon")
_FIXED = {
    "qgisMinimumVersion": "3.22",
    "qgisMaximumVersion": "4.99",
    "license": "GPL-2.0-or-later",
    "hasProcessingProvider": "yes",
}


def faults(archive: zipfile.ZipFile) -> list[str]:
    """What the plugin site, or QGIS, would not like about the zip; a sentence each."""
    names = [name for name in archive.namelist() if not name.endswith("/")]
    found = [f"{name} is not under {NAME}/" for name in names if not name.startswith(f"{NAME}/")]
    found += [f"{name} is a dotfile" for name in names if re.search(r"(^|/)\.", name)]
    found += [
        f"{name} is compiled" for name in names if name.endswith(_COMPILED) or "__pycache__" in name
    ]
    found += [
        f"{name} is missing"
        for name in ("LICENSE", "__init__.py", "metadata.txt")
        if f"{NAME}/{name}" not in names
    ]
    return found or metadata_faults(archive)


def metadata_faults(archive: zipfile.ZipFile) -> list[str]:
    """What is wrong with ``metadata.txt``."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(archive.read(f"{NAME}/metadata.txt").decode("utf-8"))
    metadata = dict(parser["general"])
    found = [f"metadata.txt has no {key}" for key in _REQUIRED if not metadata.get(key, "").strip()]
    found += [
        f"metadata.txt: {key} is {metadata.get(key)}, not {value}"
        for key, value in _FIXED.items()
        if metadata.get(key) != value
    ]
    if "supportsQt6" in metadata:
        found.append("metadata.txt: supportsQt6 is withdrawn")
    icon = f"{NAME}/{metadata.get('icon')}"
    if icon not in archive.namelist() or not archive.read(icon).startswith(_PNG):
        found.append(f"{icon} is no PNG in the zip")
    version = re.search(
        r'^__version__ = "(.+)"$',
        archive.read(f"{NAME}/engine/__init__.py").decode("utf-8"),
        re.MULTILINE,
    )
    if not version or version[1] != metadata.get("version"):
        found.append(
            f"metadata.txt: version is {metadata.get('version')}, the engine's is {version and version[1]}"
        )
    return found


def mean_in_fresh_profile(package: Path, folder: Path) -> float:
    """Mean NDVI, by the packaged plugin in a new profile, of three pixels whose NDVI is 0.4, -0.2 and nodata."""
    raster = folder / "bands.tif"
    profile = {
        "driver": "GTiff",
        "dtype": "uint16",
        "count": 2,
        "width": 3,
        "height": 1,
        "nodata": 0,
        "crs": "EPSG:32632",
    }
    with rasterio.open(
        raster, "w", transform=from_origin(500000, 5200000, 10, 10), **profile
    ) as dataset:
        dataset.write(np.array([[[1500, 1800, 0]], [[3500, 1200, 0]]], np.uint16))
    run = Profile(folder / "profile", package).run(
        f"{NAME}:ndvi",
        {"RED": raster, "RED_BAND": 1, "NIR": raster, "NIR_BAND": 2, "OUTPUT": folder / "ndvi.tif"},
    )
    with rasterio.open(folder / "ndvi.tif") as dataset:
        pixels = dataset.read(1, masked=True)
    if (
        run.results.get("VALID_PIXELS") != "2"
        or run.results.get("NODATA_PIXELS") != "1"
        or pixels.count() != 2
    ):
        sys.exit(f"{package}: wrong pixel counts in {run.results}")
    return float(pixels.mean(dtype=np.float64))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path, help="the zip")
    parser.add_argument(
        "--contents", action="store_true", help="look into the zip only; do not run it"
    )
    arguments = parser.parse_args()
    with zipfile.ZipFile(arguments.package) as archive:
        found, files = faults(archive), len(archive.namelist())
    if found:
        sys.exit("\n".join(f"{arguments.package}: {fault}" for fault in found))
    print(
        f"{arguments.package}: {files} entries, {arguments.package.stat().st_size / 1000:.0f} kB, "
        f"as the plugin site wants it"
    )
    if arguments.contents:
        return
    with tempfile.TemporaryDirectory() as folder:
        mean = mean_in_fresh_profile(arguments.package.resolve(), Path(folder))
    if abs(mean - 0.1) > 1e-7:
        sys.exit(f"{arguments.package}: mean NDVI {mean} in a fresh profile, not 0.1")
    print(f"{arguments.package}: installed in a fresh profile; NDVI is right (mean {mean:.6f})")


if __name__ == "__main__":
    main()
