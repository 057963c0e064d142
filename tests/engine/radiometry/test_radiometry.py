# SPDX-License-Identifier: GPL-2.0-or-later
"""Where scale, offset, nodata and saturation come from: the user, the band's tags, the product's
metadata, in this order.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from bandwise.engine.execution.pipeline import run
from bandwise.engine.radiometry.scaling import (
    Declared,
    RadiometryChoice,
    Scaling,
    resolve,
)
from bench import Bench
from radiometry_cases import (
    CUSTOM,
    STORED,
    UINT16,
    facts,
    safe,  # noqa: F401  fixtures
    sentinel2,
)

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")


@pytest.mark.parametrize(
    ("product", "xml", "level", "scene", "offset"),
    [
        (
            "S2A_MSIL1C_20200717T221941_R029_T01LAC_20200717T234135",
            "MTD_MSIL1C.xml",
            "L1C",
            "T01LAC_20200717T221941",
            0,
        ),
        (
            "S2A_MSIL1C_20210908T042701_N0301_R133_T46RER_20210908T070248",
            "MTD_MSIL1C.xml",
            "L1C",
            "T46RER_20210908T042701",
            0,
        ),
        (
            "GDALfake_S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234",
            "MTD_MSIL1C_trimmed.xml",
            "L1C",
            "T34UCF_20230823T095559",
            -1000,
        ),
        (
            "S2A_MSIL2A_20190212T192651_N0212_R013_T07HFE_20201007T160857",
            "MTD_MSIL2A.xml",
            "L2A",
            "T07HFE_20190212T192651",
            0,
        ),
        (
            "S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126",
            "MTD_MSIL2A.xml",
            "L2A",
            "T33XWJ_20220413T150759",
            -1000,
        ),
        (
            "S2A_MSIL2A_20230821T221941_N0509_R029_T01KAB_20230822T021825",
            "MTD_MSIL2A.xml",
            "L2A",
            "T01KAB_20230821T221941",
            -1000,
        ),
    ],
)
def test_real_product_files(
    shared: Callable[..., Path],
    safe: Callable[..., str],
    product: str,
    xml: str,
    level: str,
    scene: str,
    offset: int,
) -> None:
    """Baselines 02.09 to 05.09 of both levels, found by walking up: the offset is the file's own, whatever the date."""
    metadata = shared("sentinel2_metadata_xml", f"{product}.SAFE", xml)
    for band in ("B04", "B08", "B8A", "B12", "B01"):
        name = f"{scene}_{band}.jp2" if level == "L1C" else f"{scene}_{band}_60m.jp2"
        radiometry = resolve(safe(metadata, name, level=level), UINT16, RadiometryChoice())
        assert facts(radiometry) == (1 / 10000, offset / 10000, 0, 65535)
        assert radiometry.warning is None
        assert f"MTD_MSI{level}.xml" in radiometry.scaling_source
        assert f"quantification 10000, offset {offset}" in radiometry.scaling_source


def test_every_band_has_its_own_offset(safe: Callable[..., str]) -> None:
    """Band ids run 0 = B1 ... 7 = B8, 8 = B8A, 9 = B9 ... 12 = B12; here offset = -(id + 1)."""
    text = sentinel2(offsets={str(number): str(-number - 1) for number in range(13)})
    for number, band in enumerate(BANDS):
        radiometry = resolve(
            safe(text, f"T33UUU_20220413T150759_{band}_20m.jp2"), UINT16, RadiometryChoice()
        )
        assert radiometry.offset == -(number + 1) / 10000, band


@pytest.mark.parametrize("depth", ["", "IMG_DATA", "GRANULE/x/IMG_DATA/R10m"])
def test_metadata_are_found_above_the_band(bench: Bench, depth: str) -> None:
    Path(bench.path("MTD_MSIL2A.xml")).write_text(
        sentinel2(offsets={str(n): "-1000" for n in range(13)})
    )
    assert (
        resolve(
            bench.path(str(Path(depth, "T33UUU_20220413T150759_B04_10m.jp2"))),
            UINT16,
            RadiometryChoice(),
        ).offset
        == -0.1
    )


@pytest.mark.parametrize(
    "name",
    [
        "B04.tif",
        "B04_10m.tif",
        "L2A_T33UUU_20220413T150759_B04_10m.jp2",
        "T33UUU_20220413T150759_B8A.jp2",
    ],
)
def test_names_that_are_sentinel_2s(bench: Bench, name: str) -> None:
    Path(bench.path("MTD_MSIL2A.xml")).write_text(sentinel2())
    assert resolve(bench.path(name), UINT16, RadiometryChoice()).scale == 1 / 10000


@pytest.mark.parametrize(
    "name",
    [
        "ndvi.tif",
        "T33UUU_20220413T150759_SCL_20m.jp2",
        "T33UUU_AOT_10m.jp2",
        "B04_clip.tif",
        "B13.tif",
        "CB04.tif",
    ],
)
def test_names_that_are_not(bench: Bench, name: str) -> None:
    Path(bench.path("MTD_MSIL2A.xml")).write_text(sentinel2())
    radiometry = resolve(bench.path(name), UINT16, RadiometryChoice())
    assert facts(radiometry) == (1, 0, None, None)
    assert radiometry.warning is None


@pytest.mark.parametrize(
    ("band", "offset"), [("B4", -4), ("B8", -8), ("B8A", -9), ("B9", -10), ("B12", -13)]
)
def test_a_subdataset_of_gdals_sentinel_2_driver_goes_by_the_bands_name(
    bench: Bench, band: str, offset: int
) -> None:
    """The driver orders bands its own way; the name that it gives a band decides. Offsets are -(id + 1)."""
    path = bench.path("MTD_MSIL2A.xml")
    Path(path).write_text(
        sentinel2(offsets={str(number): str(-number - 1) for number in range(13)})
    )
    declared = Declared("uint16", name=band)
    assert (
        resolve(f"SENTINEL2_L2A:{path}:10m:EPSG_32633", declared, RadiometryChoice()).offset
        == offset / 10000
    )


def test_what_was_computed_from_a_band_is_not_scaled_again(safe: Callable[..., str]) -> None:
    """A Float32 file named as a band already holds reflectance."""
    assert facts(resolve(safe(sentinel2()), Declared("float32"), RadiometryChoice())) == (
        1,
        0,
        None,
        None,
    )


def test_the_users_word_goes_first(safe: Callable[..., str]) -> None:
    path = safe(sentinel2(offsets={str(n): "-1000" for n in range(13)}))
    tagged = Declared("uint16", scale=0.5, offset=7.0)
    for declared in (UINT16, tagged):
        custom = resolve(path, declared, CUSTOM)
        assert (custom.scale, custom.offset) == (0.002, 0.5) and "user" in custom.scaling_source
        stored = resolve(path, declared, STORED)
        assert (stored.scale, stored.offset) == (
            1,
            0,
        ) and stored.scaling_source == "stored values as they are"
        assert (stored.nodata, stored.saturated) == (0, 65535), "what is no measurement stays none"


def test_the_bands_tags_go_before_the_product(safe: Callable[..., str]) -> None:
    path = safe(sentinel2(offsets={str(n): "-1000" for n in range(13)}))
    radiometry = resolve(path, Declared("uint16", scale=0.5, offset=7.0), RadiometryChoice())
    assert (radiometry.scale, radiometry.offset) == (0.5, 7.0)
    assert "tags of the band" in radiometry.scaling_source
    only_offset = resolve(path, Declared("uint16", offset=7.0), RadiometryChoice())
    assert (only_offset.scale, only_offset.offset) == (1.0, 7.0)


def test_nodata_in_the_same_order(safe: Callable[..., str]) -> None:
    path = safe(sentinel2())
    assert resolve(path, UINT16, RadiometryChoice()).nodata == 0
    declared = resolve(path, Declared("uint16", nodata=9.0), RadiometryChoice())
    assert declared.nodata == 9 and "declared by the file" in declared.nodata_source
    given = resolve(path, Declared("uint16", nodata=9.0), RadiometryChoice(nodata=5.0))
    assert given.nodata == 5 and "user" in given.nodata_source
    assert resolve("nowhere.tif", UINT16, RadiometryChoice()).nodata is None


def test_source_nodata_is_a_stored_value(bench: Bench) -> None:
    """Nodata 1000 of the user replaces the declared 0: pixels 1000, 0, 3000 with red 1000, 1000, 1000."""
    near, visible = (
        bench.save("a.tif", np.array([[1000, 0, 3000]], np.uint16), nodata=0),
        bench.save("b.tif", np.array([[1, 1, 1]], np.uint16)),
    )
    choice = RadiometryChoice(Scaling.CUSTOM, scale=0.001, offset=0.0, nodata=1000.0)
    np.testing.assert_array_equal(
        bench.ndvi(near, visible, scaling=choice), np.array([[-9999, -1, 2999 / 3001]], np.float32)
    )


def test_the_offset_of_a_product_reaches_the_pixels(bench: Bench, safe: Callable[..., str]) -> None:
    """3500/1500 with offset -1000: 2500/500 -> .667; without it .4. 0 and 65535 are no
    measurements. 1000/1000 is 0/0.
    """
    metadata = sentinel2(
        offsets={str(n): "-1000" for n in range(13)},
        uri="S2A_MSIL2A_20220413T150759_N0400_R025_T33UUU_20220414T082126.SAFE",
    )
    near = np.array([[3500, 0, 65535, 900, 1000, 1200]], np.uint16)
    visible = np.array([[1500, 1500, 1500, 1300, 1000, 800]], np.uint16)
    paths = []
    for band, values in (("B08", near), ("B04", visible)):
        target = Path(safe(metadata, f"T33UUU_20220413T150759_{band}_10m.tif"))
        bench.save(str(target.relative_to(bench.folder)), values)
        paths.append(str(target))
    pixels, report = bench.run(bench.job(*paths))
    np.testing.assert_array_equal(
        pixels, np.array([[2000 / 3000, -9999, -9999, -2, -9999, -9999]], np.float32)
    )
    statistics = report.statistics[0]
    assert (
        statistics.valid,
        statistics.nodata,
        statistics.saturated,
        statistics.not_finite,
        statistics.beyond,
    ) == (2, 1, 1, 2, 1)


def test_tags_and_notes_say_where_everything_came_from(
    bench: Bench, safe: Callable[..., str]
) -> None:
    metadata = sentinel2(offsets={str(n): "-1000" for n in range(13)})
    near = Path(safe(metadata, "T33UUU_20220413T150759_B08_10m.tif"))
    bench.save(str(near.relative_to(bench.folder)), np.array([[3500]], np.uint16))
    visible = bench.save(
        "red.tif", np.array([[2]], np.int16), nodata=-1, scales=[0.5], offsets=[0.25]
    )
    job = bench.job(str(near), visible)
    lines, warnings = bench.notes(job)
    assert not warnings
    assert any(
        near.name in line
        and "scale 0.0001, offset -0.1" in line
        and "MTD_MSIL2A.xml, band B8" in line
        for line in lines
    )
    assert any(
        "red.tif" in line
        and "scale 0.5, offset 0.25" in line
        and "nodata -1 (declared by the file)" in line
        for line in lines
    )
    assert any("65535" in line and "saturated" in line for line in lines)
    run(job)
    with rasterio.open(job.output) as dataset:
        tags = dataset.tags()
    first, second = json.loads(tags["BANDWISE_INPUT_NIR"]), json.loads(tags["BANDWISE_INPUT_RED"])
    keys = ("path", "band", "scale", "offset", "nodata", "saturated")
    assert [first[key] for key in keys] == [str(near), 1, 1e-4, -0.1, 0, 65535]
    assert [second[key] for key in keys] == [visible, 1, 0.5, 0.25, -1, None]
    assert (
        "MTD_MSIL2A.xml" in first["scaling_source"]
        and "product's metadata" in first["nodata_source"]
    )
    assert (
        "tags of the band" in second["scaling_source"]
        and "declared by the file" in second["nodata_source"]
    )
