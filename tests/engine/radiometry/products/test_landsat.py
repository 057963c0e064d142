# SPDX-License-Identifier: GPL-2.0-or-later
"""Landsat's MTL files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from bandwise.engine.errors import MetadataError
from bandwise.engine.radiometry.products import product_facts
from bandwise.engine.radiometry.scaling import (
    RadiometryChoice,
    resolve,
)
from bench import Bench
from radiometry_cases import UINT16, facts, nested_entities

MTL = """GROUP = LANDSAT_METADATA_FILE
  GROUP = PRODUCT_CONTENTS
    LANDSAT_PRODUCT_ID = "LC08_L2SP_001070_20190114_20200830_02_T2"
  END_GROUP = PRODUCT_CONTENTS
  GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
    REFLECTANCE_MULT_BAND_4 = 2.75e-05
    REFLECTANCE_ADD_BAND_4 = -0.2
  END_GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
  GROUP = LEVEL2_SURFACE_TEMPERATURE_PARAMETERS
    TEMPERATURE_MULT_BAND_ST_B10 = 0.00341802
    TEMPERATURE_ADD_BAND_ST_B10 = 149.0
  END_GROUP = LEVEL2_SURFACE_TEMPERATURE_PARAMETERS
  GROUP = LEVEL1_RADIOMETRIC_RESCALING
    RADIANCE_MULT_BAND_4 = 9.6e-03
    REFLECTANCE_MULT_BAND_4 = 2.0000E-05
    REFLECTANCE_ADD_BAND_4 = -0.100000
  END_GROUP = LEVEL1_RADIOMETRIC_RESCALING
END_GROUP = LANDSAT_METADATA_FILE
END
"""


LANDSAT = "LC08_L2SP_001070_20190114_20200830_02_T2"


def mtl_json(text: str) -> str:
    groups: dict[str, dict[str, str]] = {}
    name = ""
    for key, _, value in (line.strip().partition(" = ") for line in text.splitlines()):
        if key == "GROUP":
            name = value
        elif key not in ("END_GROUP", "END"):
            groups.setdefault(name, {})[key] = value.strip('"')
    return json.dumps({"LANDSAT_METADATA_FILE": groups})


def mtl_xml(text: str) -> str:
    groups = json.loads(mtl_json(text))["LANDSAT_METADATA_FILE"]
    body = "".join(
        f"<{group}>{''.join(f'<{k}>{v}</{k}>' for k, v in values.items())}</{group}>"
        for group, values in groups.items()
    )
    return f"<?xml version='1.0'?><LANDSAT_METADATA_FILE>{body}</LANDSAT_METADATA_FILE>"


WRITERS = {"txt": str, "json": mtl_json, "xml": mtl_xml}


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    ("name", "scale", "offset", "group"),
    [
        (f"{LANDSAT}_SR_B4.TIF", 2.75e-05, -0.2, "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"),
        (f"{LANDSAT}_ST_B10.TIF", 0.00341802, 149.0, "LEVEL2_SURFACE_TEMPERATURE_PARAMETERS"),
        (
            "LC08_L1TP_001070_20190114_20200830_02_T1_B4.TIF",
            2e-05,
            -0.1,
            "LEVEL1_RADIOMETRIC_RESCALING",
        ),
    ],
)
def test_landsat_takes_the_group_that_fits_the_file(
    bench: Bench, form: str, name: str, scale: float, offset: float, group: str
) -> None:
    """The same key stands in two groups: 2.75e-05 for surface reflectance, 2e-05 for level 1."""
    product = name[: name.index("_02_T") + len("_02_T2")]
    Path(bench.path(f"{product}_MTL.{form}")).write_text(WRITERS[form](MTL))  # type: ignore[operator]
    radiometry = resolve(bench.path(name), UINT16, RadiometryChoice())
    assert facts(radiometry) == (scale, offset, 0, None)
    assert (
        f"{product}_MTL.{form}" in radiometry.scaling_source and group in radiometry.scaling_source
    )


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    "product",
    [
        "LC08_L2SP_001070_20190114_20200830_02_T2",
        "LC08_L2SP_008059_20191201_20200825_02_T1",
        "LC08_L2SR_099120_20191129_20201016_02_T2",
    ],
)
def test_real_landsat_metadata_in_all_three_forms(
    shared: Callable[..., Path], bench: Bench, form: str, product: str
) -> None:
    shutil.copy(
        shared("landsat8_c2l2_stactools", product, f"{product}_MTL.{form}"),
        bench.path(f"{product}_MTL.{form}"),
    )
    for band in (4, 5):
        assert facts(
            resolve(bench.path(f"{product}_SR_B{band}.TIF"), UINT16, RadiometryChoice())
        ) == (2.75e-05, -0.2, 0, None)


def test_landsat_9(shared: Callable[..., Path], bench: Bench) -> None:
    product = "LC09_L2SP_010065_20220129_20220131_02_T1"
    shutil.copy(
        shared("landsat8_c2l2_stactools", f"{product}_MTL.txt"), bench.path(f"{product}_MTL.txt")
    )
    assert facts(resolve(bench.path(f"{product}_SR_B5.TIF"), UINT16, RadiometryChoice())) == (
        2.75e-05,
        -0.2,
        0,
        None,
    )


@pytest.mark.parametrize(
    "name",
    [
        f"{LANDSAT}_QA_PIXEL.TIF",
        "LC08_L1TP_195025_20130707_20170503_01_T1_B4.TIF",
        "LT52240631988227CUB02_B3.TIF",
    ],
)
def test_other_landsat_files_are_left_alone(bench: Bench, name: str) -> None:
    """Quality bits; Collection 1; before the collections."""
    Path(bench.path(f"{LANDSAT}_MTL.txt")).write_text(MTL)
    assert product_facts(bench.path(name), "uint16") is None


def test_a_landsat_band_without_its_mtl_is_used_as_stored_with_a_caution(bench: Bench) -> None:
    radiometry = resolve(bench.path(f"{LANDSAT}_SR_B4.TIF"), UINT16, RadiometryChoice())
    assert facts(radiometry) == (1, 0, 0, None)
    assert f"{LANDSAT}_MTL" in str(radiometry.warning)


@pytest.mark.parametrize(
    ("form", "text", "word"),
    [
        ("txt", "", "no REFLECTANCE_MULT_BAND_4"),
        ("txt", MTL.replace("2.75e-05", '"a lot"'), "not a number"),
        ("txt", MTL.replace("2.75e-05", "0"), "scale is 0"),
        (
            "txt",
            MTL.replace("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", "OTHER"),
            "no REFLECTANCE_MULT_BAND_4",
        ),
        ("txt", "END_GROUP = X\n" * 1000 + "GROUP\n= =\n", "no REFLECTANCE_MULT_BAND_4"),
        ("json", "", "not a Landsat MTL"),
        ("json", "[]", "not a Landsat MTL"),
        ("json", '{"LANDSAT_METADATA_FILE": 3}', "not a Landsat MTL"),
        ("json", '{"LANDSAT_METADATA_FILE": {"a": [1, 2]}}', "not a Landsat MTL"),
        ("json", "[" * 200000, "not a Landsat MTL"),
        ("json", "\udcff", "not a Landsat MTL"),
        ("json", mtl_json(MTL).replace('"2.75e-05"', "NaN"), "not a number"),
        ("xml", "<a/>", "no REFLECTANCE_MULT_BAND_4"),
        ("xml", nested_entities(), "document type"),
    ],
)
def test_damaged_landsat_metadata_are_refused_in_one_sentence(
    bench: Bench, form: str, text: str, word: str
) -> None:
    Path(bench.path(f"{LANDSAT}_MTL.{form}")).write_text(text, errors="surrogateescape")
    with pytest.raises(MetadataError, match=word) as caught:
        resolve(bench.path(f"{LANDSAT}_SR_B4.TIF"), UINT16, RadiometryChoice())
    assert f"{LANDSAT}_MTL.{form}" in str(caught.value) and "\n" not in str(caught.value)
