# SPDX-License-Identifier: GPL-2.0-or-later
"""Which band a file is: known by names of files, drivers and descriptions, said where an index
wants another, and a name in expressions.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.errors import ExpressionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.band_names import (
    NEAR_INFRARED,
    RED,
    name_of_band,
    name_of_file,
    short_name,
)
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bench import Bench

PRODUCT = "S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE"
BANDS = f"sentinel2_safe_N0400_original_jp2/{PRODUCT}/GRANULE/L2A_T29UNU_A038058_20221005T115407/IMG_DATA/R60m"
S2 = "T29UNU_20221005T115411"
L8 = "LC08_L2SP_001070_20190114_20200830_02_T2"
L7 = "LE07_L2SP_001070_20000114_20200830_02_T1"


@pytest.mark.parametrize(
    ("name", "sensor", "red", "nir", "classes"),
    [
        (f"{S2}_B04_10m.jp2", "Sentinel-2", True, False, False),
        (f"{S2}_B08_10m.jp2", "Sentinel-2", False, True, False),
        (f"{S2}_B8A_20m.jp2", "Sentinel-2", False, True, False),
        (f"{S2}_B05_20m.jp2", "Sentinel-2", False, False, False),
        (f"{S2}_B04.jp2", "Sentinel-2", True, False, False),
        (f"L2A_{S2}_B04_10m.jp2", "Sentinel-2", True, False, False),
        (f"{S2}_SCL_20m.jp2", "Sentinel-2", False, False, True),
        (f"{S2}_AOT_10m.jp2", "Sentinel-2", False, False, False),
        ("B04.tif", "", True, False, False),
        ("B05.tif", "", False, True, False),  # of the harmonised product of Landsat, or a red edge
        ("B8A.tif", "Sentinel-2", False, True, False),
        (f"{L8}_SR_B4.TIF", "Landsat 8", True, False, False),
        (f"{L8}_SR_B5.TIF", "Landsat 8", False, True, False),
        (f"{L8}_SR_B3.TIF", "Landsat 8", False, False, False),
        (f"{L8}_ST_B10.TIF", "Landsat 8", False, False, False),
        (f"{L8}_QA_PIXEL.TIF", "Landsat 8", False, False, True),
        (f"{L8}_QA_RADSAT.TIF", "Landsat 8", False, False, True),
        (f"{L8}_SR_QA_AEROSOL.TIF", "Landsat 8", False, False, True),
        ("LC09_L1TP_010065_20220129_20220131_02_T1_B5.TIF", "Landsat 9", False, True, False),
        ("LC80010702013114LGN00_B4.TIF", "Landsat 8", True, False, False),
        ("LC08_L1TP_195025_20130707_20170503_01_T1_BQA.TIF", "Landsat 8", False, False, True),
        ("LT08_L1GT_195025_20130707_20170503_01_T1_B5.TIF", "Landsat 8", False, False, False),
        (f"{L7}_SR_B3.TIF", "Landsat 7", True, False, False),
        (f"{L7}_SR_B4.TIF", "Landsat 7", False, True, False),
        (f"{L7}_ST_B6.TIF", "Landsat 7", False, False, False),
        ("LT52240631988227CUB02_B3.TIF", "Landsat 5", True, False, False),
        ("LT52240631988227CUB02_B4.TIF", "Landsat 5", False, True, False),
        ("LT04_L1TP_195025_19880707_20170503_01_T1_B5.TIF", "Landsat 4", False, False, False),
        ("LM05_L1TP_195025_19880707_20180503_02_T2_B2.TIF", "Landsat 5 MSS", True, False, False),
        ("LM01_L1TP_195025_19730707_20180503_02_T2_B7.TIF", "Landsat 1 MSS", False, True, False),
    ],
)
def test_the_band_that_a_file_is(
    name: str, sensor: str, red: bool, nir: bool, classes: bool
) -> None:
    found = name_of_file(f"/folder/{name}")
    assert found is not None
    assert (found.sensor, RED in found.roles, NEAR_INFRARED in found.roles, found.classes) == (
        sensor,
        red,
        nir,
        classes,
    )


@pytest.mark.parametrize(
    "name",
    [
        "ndvi.tif",
        "B04_clip.tif",
        "CB04.tif",
        "B13.tif",
        "LCB4.tif",
        "L8_B4.tif",
        "band4.tif",
        "HLS.L30.T10SEH.B05.tif",
    ],
)
def test_a_file_whose_name_tells_nothing(name: str) -> None:
    assert name_of_file(name) is None


@pytest.mark.parametrize(
    ("description", "driver", "roles"),
    [
        ("B4, central wavelength 665 nm", "B4", {RED}),
        ("B4, central wavelength 665 nm", "", {RED}),
        ("B5, central wavelength 705 nm", "", set()),
        ("B8A", "", {NEAR_INFRARED}),
        ("B04", "", {RED}),
        ("B4", "", {RED, NEAR_INFRARED}),  # Landsat 5's near infrared
        ("B5", "", {NEAR_INFRARED}),  # Landsat 8's
        ("SR_B3", "", {RED}),
        ("B8", "", {NEAR_INFRARED}),
        ("B2 (blue)", "", set()),
        ("Red", "", {RED}),
        ("NIR", "", {NEAR_INFRARED}),
        ("near infrared", "", {NEAR_INFRARED}),
        ("blue", "", set()),
        ("swir_1", "", None),
        ("elevation", "", None),
        ("", "", None),
        ("B4 something", "", {RED, NEAR_INFRARED}),
        ("B4x", "", None),
    ],
)
def test_the_band_that_a_description_names(
    description: str, driver: str, roles: set[str] | None
) -> None:
    found = name_of_band(description, driver)
    assert (None if found is None else set(found.roles) & {RED, NEAR_INFRARED}) == roles


def test_short_names() -> None:
    assert [
        short_name(name)
        for name in (
            "B04",
            "b4",
            "SR_B4",
            "ST_B10",
            "B8A",
            "B10",
            "SCL",
            "scl_20m",
            "QA_PIXEL",
            "B00",
        )
    ] == [*("B4", "B4", "B4", "B10", "B8A", "B10", "SCL", "SCL", "QA_PIXEL", "B0")]


def band(bench: Bench, name: str, value: int = 3000, **options: Any) -> str:
    return bench.save(name, np.full((30, 30), value, np.uint16), **options)


def said(bench: Bench, red: Any, nir: Any) -> list[str]:
    """Warnings of an NDVI job about its bands, of red first."""
    return [text for text in bench.notes(bench.job(nir, red))[1] if ", not " in text][::-1]


@pytest.mark.parametrize(
    ("red", "nir", "expected"),
    [
        ("B04", "B08", []),
        ("B04", "B8A", []),
        (
            "B08",
            "B04",
            [
                "B08 of Sentinel-2, not red; choose B04",
                "B04 of Sentinel-2, not near infrared; choose B08 / B8A",
            ],
        ),
        (
            "B8A",
            "B04",
            [
                "B8A of Sentinel-2, not red; choose B04",
                "B04 of Sentinel-2, not near infrared; choose B08 / B8A",
            ],
        ),
        ("B04", "B05", ["B05 of Sentinel-2, not near infrared"]),
        ("SCL", "B08", ["holds classes or flags, not red reflectance; choose the red band"]),
        ("B04", "SCL", ["holds classes or flags, not near infrared reflectance"]),
        ("AOT", "B08", ["AOT of Sentinel-2, not red"]),
    ],
)
def test_wrong_bands_of_sentinel_2(bench: Bench, red: str, nir: str, expected: list[str]) -> None:
    paths = [band(bench, f"{S2}_{name}_10m.tif") for name in (red, nir)]
    found = said(bench, *paths)
    assert len(found) == len(expected) and all(part in text for part, text in zip(expected, found))
    assert all(f"Band 1 of {S2}_" in text for text in found)


@pytest.mark.parametrize(
    ("product", "red", "nir", "count"),
    [
        (L8, "SR_B4", "SR_B5", 0),
        (L8, "SR_B3", "SR_B4", 2),
        (L7, "SR_B3", "SR_B4", 0),
        (L7, "SR_B4", "SR_B5", 2),
        (L8, "QA_PIXEL", "SR_B5", 1),
    ],
)
def test_wrong_bands_of_landsat(bench: Bench, product: str, red: str, nir: str, count: int) -> None:
    found = said(bench, *(band(bench, f"{product}_{name}.TIF") for name in (red, nir)))
    assert len(found) == count and all(
        ("Landsat " + product[3]) in text or "classes or flags" in text for text in found
    )


def described(bench: Bench, *descriptions: str) -> str:
    path = bench.save("stack.tif", np.full((len(descriptions), 30, 30), 3000, np.uint16))
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = descriptions
    return str(path)


def test_wrong_bands_by_description(bench: Bench) -> None:
    path = described(bench, "B2", "B3", "B4", "B8", "B8A", "SCL", "blue")
    assert not said(bench, (path, 3), (path, 4)) and not said(bench, (path, 3), (path, 5))
    assert len(said(bench, (path, 4), (path, 3))) == 1, (
        "B8 is never red, B4 may be Landsat 5's near infrared"
    )
    (text,) = said(bench, (path, 5), (path, 4))
    assert "Band 5 of stack.tif is B8A of Sentinel-2, not red; choose B04" in text
    assert "Band 6 of stack.tif holds classes or flags" in said(bench, (path, 6), (path, 4))[0]
    assert "is blue, not red; choose the red band" in said(bench, (path, 7), (path, 4))[0]


def test_a_palette_is_a_classification(bench: Bench) -> None:
    path = bench.save("classes.tif", np.full((30, 30), 4, np.uint8))
    with rasterio.open(path, "r+") as dataset:
        dataset.write_colormap(1, {0: (0, 0, 0, 255), 4: (0, 200, 0, 255)})
    assert (
        "classes.tif holds classes or flags, not red reflectance"
        in said(bench, path, band(bench, "nir.tif"))[0]
    )


def test_nothing_is_said_of_bands_of_band_math_or_of_unknown_files(bench: Bench) -> None:
    paths = [band(bench, f"{S2}_{name}_10m.tif") for name in ("B08", "B04")]
    job = bandmath_job([("r", path) for path in paths], "(B - A) / (B + A)", bench.path("out.tif"))
    assert not [text for text in bench.notes(job)[1] if ", not " in text]
    assert not said(bench, band(bench, "one.tif"), band(bench, "two.tif"))


def test_bands_are_known_through_a_vrt(bench: Bench) -> None:
    paths = [band(bench, f"{S2}_{name}_10m.tif") for name in ("B04", "B08", "SCL")]
    path = bench.path("scene.vrt")
    subprocess.run(
        ["gdalbuildvrt", "-q", "-separate", path, *paths], check=True, capture_output=True
    )
    assert not said(bench, (path, 1), (path, 2))
    assert (
        "Band 2 of scene.vrt is B08 of Sentinel-2, not red; choose B04"
        in said(bench, (path, 2), (path, 1))[0]
    )
    assert "Band 3 of scene.vrt holds classes or flags" in said(bench, (path, 3), (path, 2))[0]


def closing(bench: Bench, red: Any, nir: Any, **options: Any) -> list[str]:
    """What a run says of pixels outside -1 to 1."""
    told: list[str] = []
    run(
        bench.job(nir, red, **options),
        progress=lambda fraction, note: told.append(str(note.text)) if note else None,
    )
    return [text for text in told if "pixels lie outside" in text]


def test_negative_reflectance_is_the_reason_only_where_it_can_be(bench: Bench) -> None:
    offset = RadiometryChoice(Scaling.CUSTOM, scale=0.0001, offset=-0.1)
    low, high = band(bench, "low.tif", 500), band(bench, "high.tif", 2000)
    (text,) = closing(bench, low, high, scaling=offset)
    assert "as they do where a reflectance is negative; they are kept as computed" in text
    classes = band(bench, f"{S2}_SCL_20m.tif", 4)
    (text,) = closing(bench, classes, high, scaling=offset)
    assert "negative" not in text and "they are kept as computed" in text
    signed = bench.save("signed.tif", np.full((30, 30), -100, np.int16))
    (text,) = closing(bench, signed, high, scaling=RadiometryChoice(Scaling.STORED))
    assert "negative" not in text


@pytest.mark.parametrize("name", ["B04", "B4", "b04", "b4"])
def test_a_files_name_is_a_name_in_expressions(bench: Bench, name: str) -> None:
    job = bandmath_job(
        [("r", band(bench, f"{S2}_B04_60m.tif"))], f"A@{name} * 2", bench.path("out.tif")
    )
    run(job)
    assert np.all(bench.read(job.output) == 6000)


def test_names_in_a_stack_by_its_sources_and_by_descriptions(bench: Bench) -> None:
    paths = [
        band(bench, f"{S2}_{name}_10m.tif", value)
        for name, value in (("B04", 4), ("B08", 8), ("B8A", 81), ("SCL", 5))
    ]
    path = bench.path(f"{S2}_B02_10m.vrt")
    subprocess.run(
        ["gdalbuildvrt", "-q", "-separate", path, *paths], check=True, capture_output=True
    )
    for name, value in (("B04", 4), ("B8", 8), ("B8A", 81), ("SCL", 5)):
        bench.run(bandmath_job([("r", path)], f"A@{name} + 1", bench.path("out.tif")))
        assert np.all(bench.read(bench.path("out.tif")) == value + 1)
    with pytest.raises(
        ExpressionError,
        match=r"no single band called B02; its bands are 1 = B4, 2 = B8, 3 = B8A, 4 = SCL",
    ):
        bandmath_job([("r", path)], "A@B02", bench.path("out.tif"))
    stack = described(bench, "B4", "SR_B5", "B4, central wavelength 665 nm")
    bench.run(bandmath_job([("r", stack)], "A@B5 + A@B4", bench.path("out.tif")))
    with pytest.raises(ExpressionError, match="no single band called B04"):
        bandmath_job([("r", stack)], "A@B04", bench.path("out.tif"))


def test_a_description_goes_before_a_files_name(bench: Bench) -> None:
    path = band(bench, f"{S2}_B04_60m.tif")
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = ("B04 cut",)
    bandmath_job([("r", path)], 'A@"B04 cut" + A@B04', bench.path("out.tif"))


def test_real_files(bench: Bench, shared: Callable[..., Path]) -> None:
    """RED=B8A with NIR=B04, and RED=SCL, of the real product; A@B04 of its file, which has no description."""
    red, nir, classes = (
        str(shared(BANDS, f"{S2}_{name}_60m.jp2")) for name in ("B04", "B8A", "SCL")
    )
    assert not said(bench, red, nir)
    assert len(said(bench, nir, red)) == 2
    assert "SCL_60m.jp2 holds classes or flags, not red reflectance" in said(bench, classes, nir)[0]
    (text,) = closing(bench, classes, nir) or [""]
    assert "negative" not in text
    job = bandmath_job([("r", red)], "A@B04", bench.path("out.tif"))
    assert [(ref.path, ref.number) for ref in job.bands] == [(red, 1)]
    landsat = [
        str(shared("landsat5_tm_rstoolbox", f"LT52240631988227CUB02_B{number}.TIF"))
        for number in (3, 4)
    ]
    assert not said(bench, *landsat) and len(said(bench, *reversed(landsat))) == 2
    product = next(Path(shared("sentinel2_safe_N0214_downsampled_jp2")).glob("*.SAFE"))
    subdataset = f"SENTINEL2_L2A:{product / 'MTD_MSIL2A.xml'}:10m:EPSG_32722"
    assert not said(bench, (subdataset, 1), (subdataset, 4))
    assert (
        "is B8 of Sentinel-2, not red; choose B04"
        in said(bench, (subdataset, 4), (subdataset, 1))[0]
    )
