# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person sees of a product's metadata in ``qgis_process``: the warning of stored values,
VRTs, wrong bands, impossible numbers.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

OFFSETS = "".join(
    f'<BOA_ADD_OFFSET band_id="{number}">-1000</BOA_ADD_OFFSET>' for number in range(13)
)
METADATA = f"<x><BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE>{OFFSETS}</x>"


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def product(tmp_path: Path) -> dict[str, str]:
    """Band files of a Sentinel-2 product with offset: red 2000, near infrared 6000 (NDVI 4000 /
    6000, of stored values 4000 / 8000), SCL 4.
    """
    (tmp_path / "MTD_MSIL2A.xml").write_text(METADATA)
    paths = {}
    for name, value in (("B04", 2000), ("B08", 6000), ("SCL", 4)):
        paths[name] = str(tmp_path / f"T33UUU_20220413T150759_{name}_10m.tif")
        with rasterio.open(
            paths[name],
            "w",
            driver="GTiff",
            width=40,
            height=30,
            count=1,
            dtype="uint8" if name == "SCL" else "uint16",
            crs="EPSG:32633",
            transform=Affine(10.0, 0.0, 600000.0, 0.0, -10.0, 5100000.0),
        ) as dataset:
            dataset.write(np.full((30, 40), value), 1)
    return paths


def warnings(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Warnings of stored values and of bands; the report repeats them."""
    assert "Traceback" not in done.stderr + done.stdout
    lines = [
        line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("REPORT:")
    ]
    return [line for line in lines if "Stored values are used" in line or ", not " in line]


def test_band_math_says_it_first_and_the_setting_that_it_names_is_right(
    qgis_process: Run, product: dict[str, str], tmp_path: Path, read_values: Callable[[str], Any]
) -> None:
    arguments = (
        f"LAYERS={product['B04']}",
        f"LAYERS={product['B08']}",
        "EXPRESSION=(B - A) / (B + A)",
    )
    out = str(tmp_path / "out.tif")
    done = qgis_process("run", "bandwise:bandmath", "--", *arguments, f"OUTPUT={out}")
    assert done.returncode == 0, done.stderr
    (warning,) = warnings(done)
    assert (
        "A@1, B@1: scale 0.0001, offset -0.1 (MTD_MSIL2A.xml)" in warning
        and "Automatic (RADIOMETRY=0)" in warning
    )
    assert np.all(read_values(out) == 0.5)
    done = qgis_process(
        "run", "bandwise:bandmath", "--", *arguments, "RADIOMETRY=0", f"OUTPUT={out}"
    )
    assert done.returncode == 0 and not warnings(done)
    assert np.all(read_values(out) == np.float32(4 / 6))


def test_ndvi_of_the_vrt_that_qgis_builds(
    qgis_process: Run, product: dict[str, str], tmp_path: Path, read_values: Callable[[str], Any]
) -> None:
    """Twice into one name: QGIS's own "Build virtual raster" makes the VRT."""
    scene, out = str(tmp_path / "scene.vrt"), str(tmp_path / "out.tif")
    built = qgis_process(
        "run",
        "gdal:buildvirtualraster",
        "--",
        f"INPUT={product['B04']}",
        f"INPUT={product['B08']}",
        f"OUTPUT={scene}",
    )
    # Processing's own GDAL algorithms are not on every QGIS's path
    if built.returncode or not Path(scene).exists():
        subprocess.run(
            ["gdalbuildvrt", "-q", "-separate", scene, product["B04"], product["B08"]], check=True
        )
    for _ in range(2):
        done = qgis_process(
            "run",
            "bandwise:ndvi",
            "--",
            f"RED={scene}",
            "RED_BAND=1",
            f"NIR={scene}",
            "NIR_BAND=2",
            f"OUTPUT={out}",
        )
        assert done.returncode == 0, done.stderr
        assert not warnings(done)
        assert np.all(read_values(out) == np.float32(4 / 6))


def test_wrong_bands(qgis_process: Run, product: dict[str, str], tmp_path: Path) -> None:
    out = str(tmp_path / "out.tif")
    done = qgis_process(
        "run",
        "bandwise:ndvi",
        "--",
        f"RED={product['SCL']}",
        f"NIR={product['B04']}",
        f"OUTPUT={out}",
    )
    assert done.returncode == 0, done.stderr
    classes, other = warnings(done)
    assert "holds classes or flags, not red reflectance" in classes
    assert "is B04 of Sentinel-2, not near infrared; choose B08 / B8A" in other
    assert "negative" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "numbers",
    [("SCALE=1e-320", "OFFSET=1"), ("SCALE=1e308", "OFFSET=1e308"), ("SCALE=1", "OFFSET=-1e31")],
)
def test_impossible_numbers_are_one_sentence(
    qgis_process: Run, product: dict[str, str], tmp_path: Path, numbers: tuple[str, str]
) -> None:
    out = tmp_path / "out.tif"
    done = qgis_process(
        "run",
        "bandwise:ndvi",
        "--",
        f"RED={product['B04']}",
        f"NIR={product['B08']}",
        "RADIOMETRY=2",
        *numbers,
        f"OUTPUT={out}",
    )
    assert done.returncode > 0, "no signal"
    assert (
        "from 1e-30 to 1e30" in done.stderr + done.stdout
        and "Traceback" not in done.stderr + done.stdout
    )
    assert not out.exists()


def test_impossible_metadata_are_one_sentence(
    qgis_process: Run, product: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "MTD_MSIL2A.xml").write_text(METADATA.replace("10000", "1e-320"))
    out = tmp_path / "out.tif"
    done = qgis_process(
        "run",
        "bandwise:ndvi",
        "--",
        f"RED={product['B04']}",
        f"NIR={product['B08']}",
        f"OUTPUT={out}",
    )
    assert done.returncode > 0, "no signal"
    assert (
        "MTD_MSIL2A.xml cannot be used" in done.stderr + done.stdout
        and "Traceback" not in done.stderr + done.stdout
    )
    assert not out.exists()
