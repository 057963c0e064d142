# SPDX-License-Identifier: GPL-2.0-or-later
"""Check that the plugin site accepts the zip, and that the plugin works in an otherwise empty profile:
by itself, and installed, upgraded and uninstalled by QGIS's own plugin installer.
"""

from __future__ import annotations

import argparse
import configparser
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import from_origin

from .console import show_every_name
from .qgis_profile import NAME, Profile

ROOT = Path(__file__).resolve().parents[1]
_PNG = b"\x89PNG\r\n\x1a\n"
_SUFFIXES = {".py", ".txt", ".md", ".html", ".css", ".svg", ".png", ".qml", ".qm", ".json"}
_TEST_DATA = {"tests", "test", "data", "benchmarks", "demo"}
_MOST_BYTES = 2_000_000
#: What QGIS's plugin installer keeps for itself: a folder and a setting.
_INSTALLERS_OWN = {"python/plugins", "app/plugin_installer/lastZipDirectory"}
_REQUIRED = (
    *("name", "description", "about", "version", "changelog", "tags", "category", "icon"),
    *("author", "email", "homepage", "repository", "tracker"),
)
_FIXED = {
    "qgisMinimumVersion": "3.22",
    "qgisMaximumVersion": "4.99",
    # QGIS 3.44 on Qt 6 lists a plugin without it as incompatible; QGIS 4 does not ask
    "supportsQt6": "True",
    "license": "GPL-2.0-or-later",
    "hasProcessingProvider": "yes",
}


def faults(archive: zipfile.ZipFile) -> list[str]:
    """What the plugin site, or QGIS, would not like about the zip; a sentence each."""
    names = [name for name in archive.namelist() if not name.endswith("/")]
    found = [f"{name} is not under {NAME}/" for name in names if not name.startswith(f"{NAME}/")]
    found += [f"{name} is a dotfile" for name in names if re.search(r"(^|/)\.", name)]
    found += [
        f"{name} is no source, text or picture"
        for name in names
        if Path(name).suffix not in _SUFFIXES and Path(name).name != "LICENSE"
    ]
    found += [f"{name} is for tests" for name in names if _TEST_DATA & set(Path(name).parts)]
    found += [
        f"{info.filename} can be executed"
        for info in archive.infolist()
        if not info.is_dir() and info.external_attr >> 16 & 0o111
    ]
    found += [
        f"{name} is missing"
        for name in ("LICENSE", "__init__.py", "metadata.txt")
        if f"{NAME}/{name}" not in names
    ]
    size = sum(info.compress_size for info in archive.infolist())
    if size > _MOST_BYTES:
        found.append(f"{size} bytes are more than {_MOST_BYTES}")
    return found or metadata_faults(archive)


def metadata(archive: zipfile.ZipFile) -> dict[str, str]:
    """Read ``metadata.txt`` as QGIS and the plugin site do: a ``%`` has to be doubled."""
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(archive.read(f"{NAME}/metadata.txt").decode("utf-8"))
    return dict(parser["general"])


def metadata_faults(archive: zipfile.ZipFile) -> list[str]:
    """What is wrong with ``metadata.txt``."""
    values = metadata(archive)
    found = [f"metadata.txt has no {key}" for key in _REQUIRED if not values.get(key, "").strip()]
    found += [
        f"metadata.txt: {key} is {values.get(key)}, not {value}"
        for key, value in _FIXED.items()
        if values.get(key) != value
    ]
    icon = f"{NAME}/{values.get('icon')}"
    if icon not in archive.namelist() or not archive.read(icon).startswith(_PNG):
        found.append(f"{icon} is no PNG in the zip")
    version = re.search(
        r'^__version__ = "(.+)"$',
        archive.read(f"{NAME}/engine/__init__.py").decode("utf-8"),
        re.MULTILINE,
    )
    if not version or version[1] != values.get("version"):
        found.append(
            f"metadata.txt: version is {values.get('version')}, the engine's is {version and version[1]}"
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


def life_in_profile(package: Path, folder: Path) -> dict[str, Any]:
    """Install an older version, upgrade it to ``package`` and uninstall it by QGIS's own installer, in a new profile.

    Returns what ``install_session.py`` saw at each step.
    """
    shutil.copy(package, folder / "newer.zip")
    make_older(package, folder / "older.zip")
    profile = Profile(folder / "installed")
    program = shutil.which("qgis.bin") or shutil.which("qgis") or "qgis"
    script = Path(__file__).with_name("install_session.py")
    subprocess.run(
        ["xvfb-run", "--auto-servernum", program, "--nologo", "--noversioncheck", "--code", script],
        env={
            **profile.environment(),
            "QT_QPA_PLATFORM": "xcb",  # QGIS's window crashes on Qt's offscreen platform
            "SESSION_FOLDER": str(folder),
        },
        check=True,
        timeout=300,
    )
    facts: dict[str, Any] = json.loads((folder / "facts.json").read_text("utf-8"))
    return facts


def make_older(package: Path, older: Path) -> None:
    """Write a zip as ``package``, of version 0.0.1 and with a module that is no longer in ``package``."""
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(older, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name in (f"{NAME}/metadata.txt", f"{NAME}/engine/__init__.py"):
                text = re.sub(
                    rb'^(version=|__version__ = ")[\d.]+', rb"\g<1>0.0.1", text, flags=re.M
                )
            target.writestr(name, text)
        target.writestr(f"{NAME}/engine/gone.py", b"")


def life_faults(facts: dict[str, Any], version: str) -> list[str]:
    """What is wrong with the steps of :func:`life_in_profile`; a sentence each."""
    if "failure" in facts:
        return [facts["failure"]]
    before, older, newer, after = (facts[step] for step in ("before", "older", "newer", "after"))
    found = []
    for name, step, number in (("older", older, "0.0.1"), ("newer", newer, version)):
        if not step["active"] or f"{NAME}:ndvi" not in step["algorithms"] or step["pixels"] != 2:
            found.append(f"the {name} version is not loaded and started: {step}")
        if step["metadata"] != number or step["engine"] != number:
            found.append(f"{number} is installed, {step['metadata']} and {step['engine']} run")
    gone = f"python/plugins/{NAME}/engine/gone.py"
    if gone not in older["files"] or gone in newer["files"]:
        found.append("a module that the newer version does not have is still there")
    if after["active"] or after["algorithms"] or after["modules"]:
        found.append(f"something of the uninstalled plugin still runs: {after}")
    left = set(after["files"]) - set(before["files"])
    kept = {key for key, value in after["settings"].items() if before["settings"].get(key) != value}
    return [*found, *(f"{name} is left behind" for name in sorted((left | kept) - _INSTALLERS_OWN))]


def main() -> None:
    show_every_name()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path, help="the zip")
    parser.add_argument(
        "--contents", action="store_true", help="look into the zip only; do not run it"
    )
    arguments = parser.parse_args()
    with zipfile.ZipFile(arguments.package) as archive:
        found, files = faults(archive), len(archive.namelist())
        version = "" if found else metadata(archive)["version"]
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
        found = life_faults(life_in_profile(arguments.package.resolve(), Path(folder)), version)
    if found:
        sys.exit("\n".join(f"{arguments.package}: {fault}" for fault in found))
    print(f"{arguments.package}: QGIS installs, upgrades and uninstalls it, and nothing is left")


if __name__ == "__main__":
    main()
