# SPDX-License-Identifier: GPL-2.0-or-later
"""What the plugin site or QGIS would not take is found in a zip, and what an installer leaves behind."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scripts.check_package import ROOT, faults, life_faults, make_older, metadata

FILES = (
    "LICENSE",
    "__init__.py",
    "metadata.txt",
    "engine/__init__.py",
    "resources/icons/bandwise.png",
)


def package(path: Path, changes: dict[str, bytes | None], mode: int = 0o644) -> Path:
    """Write a zip of the files that every package has; None leaves one out."""
    contents = {name: (ROOT / name).read_bytes() for name in FILES} | changes
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            if data is not None:
                info = zipfile.ZipInfo(f"bandwise/{name}")
                info.external_attr = mode << 16
                archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return path


def found(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return faults(archive)


def test_the_package_of_this_checkout_has_no_fault(tmp_path: Path) -> None:
    assert found(package(tmp_path / "a.zip", {})) == []


METADATA = (ROOT / "metadata.txt").read_bytes()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"LICENSE": None}, "LICENSE is missing"),
        ({"engine/fast.so": b""}, "no source"),
        ({"scene.tif": b""}, "no source"),
        ({"tests/test_a.py": b""}, "for tests"),
        ({".hidden.txt": b""}, "dotfile"),
        ({"resources/large.png": os.urandom(2_100_000)}, "more than 2000000"),
        ({"metadata.txt": METADATA.replace(b"supportsQt6=True\n", b"")}, "supportsQt6 is None"),
        ({"metadata.txt": METADATA.replace(b"4.99", b"3.99")}, "qgisMaximumVersion is 3.99"),
        ({"metadata.txt": METADATA.replace(b"changelog=", b"notes=")}, "no changelog"),
        ({"metadata.txt": METADATA.replace(b"category=Raster\n", b"")}, "no category"),
        ({"engine/__init__.py": b'__version__ = "9.9.9"\n'}, "version is"),
        ({"resources/icons/bandwise.png": b"<svg/>"}, "no PNG"),
    ],
)
def test_faults_of_a_package(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    (fault,) = found(package(tmp_path / "a.zip", changes))
    assert words in fault


def test_a_program_is_found(tmp_path: Path) -> None:
    assert all(
        "can be executed" in fault for fault in found(package(tmp_path / "a.zip", {}, 0o755))
    )
    assert found(package(tmp_path / "a.zip", {}, 0o755))


def test_the_older_version_differs_in_its_number_and_a_module(tmp_path: Path) -> None:
    make_older(package(tmp_path / "newer.zip", {}), tmp_path / "older.zip")
    assert found(tmp_path / "older.zip") == []
    with zipfile.ZipFile(tmp_path / "older.zip") as archive:
        assert metadata(archive)["version"] == "0.0.1"
        assert "bandwise/engine/gone.py" in archive.namelist()


def seen(version: str = "", **changes: Any) -> dict[str, Any]:
    """A step of the session of the installer; without a version, without the plugin."""
    plugins = ["python/plugins/bandwise"] if version else []
    gone = ["python/plugins/bandwise/engine/gone.py"] if version == "0.0.1" else []
    return {
        **{"active": bool(version), "metadata": version, "engine": version, "pixels": 2},
        "algorithms": ["bandwise:ndvi"] if version else [],
        "modules": ["bandwise"] if version else [],
        "files": [*plugins, *gone],
        "settings": {},
        **changes,
    }


@pytest.mark.parametrize(
    ("step", "state", "words"),
    [
        ("newer", seen("0.2.0", active=False), "not loaded and started"),
        ("newer", seen("0.2.0", engine="0.0.1"), "0.0.1 run"),
        ("newer", seen("0.2.0", files=["python/plugins/bandwise/engine/gone.py"]), "still there"),
        ("after", seen(algorithms=["bandwise:ndvi"]), "still runs"),
        ("after", seen(modules=["bandwise.plugin"]), "still runs"),
        ("after", seen(files=["python/plugins/bandwise"]), "left behind"),
        ("after", seen(settings={"bandwise/a": "1"}), "bandwise/a is left behind"),
    ],
)
def test_faults_of_the_life_in_a_profile(step: str, state: dict[str, Any], words: str) -> None:
    fine = {"before": seen(), "older": seen("0.0.1"), "newer": seen("0.2.0"), "after": seen()}
    assert life_faults(fine, "0.2.0") == []
    (fault,) = life_faults({**fine, step: state}, "0.2.0")
    assert words in fault
