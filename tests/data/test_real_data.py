# SPDX-License-Identifier: GPL-2.0-or-later
"""Real products: what their metadata imply, and what another tool published."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
from bandwise.engine.execution.pipeline import run
from bandwise.engine.grids.layout import ExtentRule, GridRule, Layout, Resampling
from bandwise.engine.radiometry.masks import MaskChoice, QaFlag
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling, resolve
from bandwise.engine.reading.bands import describe
from bench import Bench

N0400 = "sentinel2_safe_N0400_original_jp2"
SAFE = f"{N0400}/S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE"
R60M = f"{SAFE}/GRANULE/L2A_T29UNU_A038058_20221005T115407/IMG_DATA/R60m/T29UNU_20221005T115411"
OLD = "sentinel2_safe_N0214_downsampled_jp2/esa_S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500.SAFE"
OLD_R10M = f"{OLD}/GRANULE/L2A_T22HBD_A020270_20210122T133224/IMG_DATA/R10m/T22HBD_20210122T133229"
LANDSAT = [
    "LC08_L2SP_001070_20190114_20200830_02_T2",
    "LC08_L2SP_008059_20191201_20200825_02_T1",
    "LC08_L2SR_099120_20191129_20201016_02_T2",
]


def float64_ndvi(near: np.ndarray, visible: np.ndarray, scale: float, offset: float) -> np.ndarray:
    a, b = near.astype(np.float64) * scale + offset, visible.astype(np.float64) * scale + offset
    with np.errstate(all="ignore"):
        return (a - b) / (a + b)


def sentinel2_numbers(xml: Path, band_id: int) -> tuple[float, float]:
    """Quantification and offset of a band, by the standard library's own XML tree."""
    root = ElementTree.parse(xml).getroot()
    quantification = float(next(root.iter("BOA_QUANTIFICATION_VALUE")).text)  # type: ignore[arg-type]
    offsets = {int(node.get("band_id")): float(node.text) for node in root.iter("BOA_ADD_OFFSET")}  # type: ignore[arg-type]
    return quantification, offsets.get(band_id, 0.0)


def test_the_original_sentinel_2_product(bench: Bench, shared: Any) -> None:
    """NDVI of B8A and B04 at 60 m, baseline 04.00: mean over vegetation (SCL 4) 0.8254, and every
    pixel as its XML implies.
    """
    near, visible = str(shared(f"{R60M}_B8A_60m.jp2")), str(shared(f"{R60M}_B04_60m.jp2"))
    xml = shared(SAFE, "MTD_MSIL2A.xml")
    assert sentinel2_numbers(xml, 8) == sentinel2_numbers(xml, 3) == (10000, -1000)
    a, b = bench.read(near).astype(np.int64), bench.read(visible).astype(np.int64)
    pixels, report = bench.run(bench.job(near, visible))
    invalid = (a == 0) | (b == 0) | (a == 65535) | (b == 65535)
    with np.errstate(all="ignore"):
        truth = (a - b).astype(np.float64) / (a + b - 2000)
    lost = ~invalid & ~np.isfinite(truth)
    expected = np.where(invalid | lost, -9999, truth).astype(np.float32)
    np.testing.assert_array_equal(pixels, expected)
    as_written = float64_ndvi(a, b, 1 / 10000, -1000 / 10000)
    sound = ~invalid & (np.abs(a + b - 2000) > 0)
    np.testing.assert_allclose(pixels[sound], as_written[sound], rtol=2**-23)
    vegetation = (bench.read(str(shared(f"{R60M}_SCL_60m.jp2"))) == 4) & (pixels != -9999)
    assert round(float(pixels[vegetation].astype(np.float64).mean()), 4) == 0.8254
    statistics = report.statistics[0]
    assert statistics.nodata + statistics.saturated == np.count_nonzero(invalid)
    assert statistics.not_finite == np.count_nonzero(lost)
    assert statistics.beyond == np.count_nonzero(np.abs(expected[expected != -9999]) > 1)


@pytest.mark.parametrize("extension", ["tif", "jp2"])
@pytest.mark.parametrize(
    ("choice", "mean"),
    [
        (RadiometryChoice(Scaling.CUSTOM, scale=1e-4, offset=-0.1, nodata=0.0), 0.826),
        (RadiometryChoice(Scaling.STORED, nodata=0.0), 0.560),
    ],
)
def test_the_offset_decides_over_vegetation(
    bench: Bench, shared: Any, extension: str, choice: RadiometryChoice, mean: float
) -> None:
    """The crops lie outside their product: 0.826 with the offset that the user gives, 0.560 on stored values."""
    folder = f"{N0400}/crops/T29UNU_20221005T115411"
    near, visible = (
        str(shared(f"{folder}_{band}_60m_crop.{extension}")) for band in ("B8A", "B04")
    )
    pixels, report = bench.run(bench.job(near, visible, scaling=choice))
    vegetation = bench.read(str(shared(f"{folder}_SCL_60m_crop.tif"))) == 4
    assert round(float(pixels[vegetation & (pixels != -9999)].astype(np.float64).mean()), 3) == mean
    if choice.scaling is Scaling.CUSTOM:
        a, b = bench.read(near).astype(np.int64), bench.read(visible).astype(np.int64)
        valid = (a != 0) & (b != 0) & (a + b != 2000)
        assert report.statistics[0].valid == np.count_nonzero(valid)
        assert report.statistics[0].beyond == np.count_nonzero(
            np.abs((a - b)[valid]) > np.abs((a + b - 2000)[valid])
        )


def test_the_crops_numbers_that_are_published(bench: Bench, shared: Any) -> None:
    """data/README.md: with the offset 2,069 of 186,351 valid pixels leave [-1, 1]."""
    folder = f"{N0400}/crops/T29UNU_20221005T115411"
    near, visible = (str(shared(f"{folder}_{band}_60m_crop.tif")) for band in ("B8A", "B04"))
    statistics = bench.run(
        bench.job(
            near,
            visible,
            scaling=RadiometryChoice(Scaling.CUSTOM, scale=1e-4, offset=-0.1, nodata=0.0),
        )
    )[1].statistics[0]
    assert (statistics.beyond, statistics.valid) == (2069, 186351)


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_real_jpeg_2000_gives_the_same_bytes_for_all(
    bench: Bench, shared: Any, workers: int
) -> None:
    folder = f"{N0400}/crops/T29UNU_20221005T115411"
    near, visible = (str(shared(f"{folder}_{band}_60m_crop.jp2")) for band in ("B8A", "B04"))
    a, b = bench.read(near).astype(np.float64), bench.read(visible).astype(np.float64)
    with np.errstate(all="ignore"):
        truth = ((a - b) / (a + b)).astype(np.float32)
    truth[~np.isfinite(truth)] = -9999
    for memory in (1, 600):
        assert (
            bench.ndvi(near, visible, workers=workers, memory=memory).tobytes() == truth.tobytes()
        )


def test_a_product_of_an_older_baseline(bench: Bench, shared: Any) -> None:
    """Baseline 02.14 has no offset: the pixels are those of the stored values, nodata 0 by the XML."""
    near, visible = str(shared(f"{OLD_R10M}_B08_10m.jp2")), str(shared(f"{OLD_R10M}_B04_10m.jp2"))
    assert sentinel2_numbers(shared(OLD, "MTD_MSIL2A.xml"), 7) == (10000, 0)
    a, b = bench.read(near), bench.read(visible)
    pixels = bench.ndvi(near, visible)
    truth = float64_ndvi(a, b, 1.0, 0.0).astype(np.float32)
    np.testing.assert_array_equal(pixels, np.where((a == 0) | (b == 0), np.float32(-9999), truth))


def test_bands_of_the_sentinel_2_driver_are_known_by_name(shared: Any) -> None:
    """The product opened through its XML: the driver's first 10 m band is B4, its fourth B8, and
    the XML speaks for both.
    """
    address = f"SENTINEL2_L2A:{shared(OLD, 'MTD_MSIL2A.xml')}:10m:EPSG_32722"
    for number, name in ((1, "B4"), (4, "B8")):
        radiometry = resolve(address, describe(address, number).declared, RadiometryChoice())
        assert (radiometry.scale, radiometry.offset, radiometry.nodata, radiometry.saturated) == (
            1e-4,
            0,
            0,
            65535,
        )
        assert f"band {name}:" in radiometry.scaling_source


@pytest.mark.parametrize("date", ["20170703", "20190723"])
def test_what_sen2r_published_is_reproduced_without_error(
    bench: Bench, shared: Any, date: str
) -> None:
    """sen2r wrote round(10000 * NDVI) as Int16, nodata -32768: error 0 in all pixels."""
    folder = shared("references", "sen2r_barbellino")
    stack = str(folder / "input" / f"S2A2A_{date}_022_Barbellino_BOA_10.tif")
    published = bench.read(str(folder / "expected" / f"S2A2A_{date}_022_Barbellino_NDVI_10.tif"))
    pixels = bench.ndvi((stack, 8), (stack, 4))
    ours = np.where(pixels == -9999, -32768, np.round(10000 * pixels.astype(np.float64)))
    assert np.abs(ours - published).max() == 0


@pytest.mark.parametrize("product", LANDSAT)
def test_landsat_collection_2(bench: Bench, shared: Any, product: str) -> None:
    """Scale and offset of the MTL's surface reflectance; nodata 0; the CRS is the input's, also
    where it has no code.
    """
    near, visible = (
        str(shared("landsat8_c2l2_stactools", product, f"{product}_SR_{band}.TIF"))
        for band in ("B5", "B4")
    )
    text = Path(shared("landsat8_c2l2_stactools", product, f"{product}_MTL.txt")).read_text()
    group = text.partition("GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS")[2].partition(
        "END_GROUP"
    )[0]
    scale, offset = (
        float(number)
        for key in ("MULT", "ADD")
        for number in re.findall(rf"REFLECTANCE_{key}_BAND_4 = (\S+)", group)
    )
    assert (scale, offset) == (2.75e-05, -0.2)
    a, b = bench.read(near), bench.read(visible)
    pixels, report = bench.run(bench.job(near, visible))
    truth = float64_ndvi(a, b, scale, offset)
    invalid = (a == 0) | (b == 0)
    assert ((pixels == -9999) == (invalid | ~np.isfinite(truth))).all()
    np.testing.assert_array_max_ulp(pixels[~invalid], truth[~invalid].astype(np.float32), maxulp=1)
    assert 0.3 < invalid.mean() < 0.52 and report.statistics[0].nodata == np.count_nonzero(invalid)
    with rasterio.open(near) as source, rasterio.open(bench.path("ndvi.tif")) as result:
        assert result.crs == source.crs and result.transform == source.transform
        assert result.crs.to_wkt() == source.crs.to_wkt()


@pytest.mark.parametrize("product", LANDSAT)
def test_landsat_masked_by_its_quality_flags(bench: Bench, shared: Any, product: str) -> None:
    """The bits of QA_PIXEL, by plain numpy; the polar scene has a CRS without a code."""
    near, visible, flags = (
        str(shared("landsat8_c2l2_stactools", product, f"{product}_{band}.TIF"))
        for band in ("SR_B5", "SR_B4", "QA_PIXEL")
    )
    plain, _ = bench.run(bench.job(near, visible, output="plain.tif"))
    got, report = bench.run(bench.job(near, visible, mask=MaskChoice(flags)))
    hidden = (bench.read(flags) & 0b11111) != 0
    np.testing.assert_array_equal(got, np.where(hidden, -9999, plain))
    assert report.statistics[0].masked > 100
    snow, _ = bench.run(bench.job(near, visible, mask=MaskChoice(flags, reject=(QaFlag.SNOW,))))
    np.testing.assert_array_equal(snow, np.where(bench.read(flags) & 0b100000, -9999, plain))


@pytest.mark.skipif(not shutil.which("gdalwarp"), reason="needs gdalwarp")
@pytest.mark.parametrize(
    ("resampling", "method"), [(Resampling.NEAREST, "near"), (Resampling.BILINEAR, "bilinear")]
)
def test_the_polar_scene_on_a_grid_with_a_code(
    bench: Bench, shared: Any, resampling: Resampling, method: str
) -> None:
    """From the CRS without a code onto EPSG:3031, as gdalwarp; both by the reference's grid."""
    near, visible = (
        str(shared("landsat8_c2l2_stactools", LANDSAT[2], f"{LANDSAT[2]}_SR_{band}.TIF"))
        for band in ("B5", "B4")
    )
    warped = []
    for name, path in (("nir", near), ("red", visible)):
        warped.append(bench.path(f"{name}.tif"))
        command = [
            "gdalwarp",
            "-q",
            "-et",
            "0",
            "-t_srs",
            "EPSG:3031",
            "-tr",
            "500",
            "500",
            "-tap",
            "-ot",
            "Float32",
            "-wt",
            "Float32",
            "-r",
            method,
        ]
        subprocess.run(
            [*command, "-wo", "XSCALE=1", "-wo", "YSCALE=1", "-dstnodata", "nan", path, warped[-1]],
            check=True,
        )
    layout = Layout(
        rule=GridRule.REFERENCE,
        reference=warped[0],
        extent_rule=ExtentRule.GRID,
        resampling=resampling,
    )
    got, _ = bench.run(
        bench.job(near, visible, scaling=RadiometryChoice(Scaling.STORED), layout=layout)
    )
    a, b = (bench.read(path).astype(np.float64) for path in warped)
    with np.errstate(all="ignore"):
        truth = (a - b) / (a + b)
    np.testing.assert_array_equal(got == -9999, ~np.isfinite(truth))
    valid = np.isfinite(truth)
    assert valid.sum() > 100_000
    np.testing.assert_allclose(
        got[valid], truth[valid], rtol=0, atol=3e-8 if resampling is Resampling.NEAREST else 2e-6
    )


def test_landsat_of_level_1_numbers_would_be_wrong(bench: Bench, shared: Any) -> None:
    """2e-05 and -0.1, which a search for the key finds as well, give other pixels."""
    product = LANDSAT[1]
    near, visible = (
        str(shared("landsat8_c2l2_stactools", product, f"{product}_SR_{band}.TIF"))
        for band in ("B5", "B4")
    )
    right = bench.ndvi(near, visible)
    wrong = bench.ndvi(
        near, visible, scaling=RadiometryChoice(Scaling.CUSTOM, scale=2e-05, offset=-0.1)
    )
    assert np.count_nonzero(right != wrong) > right.size / 2


def test_landsat_5_has_unsigned_bytes(bench: Bench, shared: Any) -> None:
    """Red = B3, NIR = B4; over water red is above NIR, and the difference of two bytes is below 0."""
    near, visible = (
        str(shared("landsat5_tm_rstoolbox", f"LT52240631988227CUB02_{band}.TIF"))
        for band in ("B4", "B3")
    )
    a, b = bench.read(near), bench.read(visible)
    assert (a < b).any()
    pixels = bench.ndvi(near, visible)
    truth = float64_ndvi(a, b, 1.0, 0.0).astype(np.float32)
    np.testing.assert_array_equal(
        pixels, np.where((a == 255) | (b == 255) | ~np.isfinite(truth), np.float32(-9999), truth)
    )


def test_scale_and_offset_tags_of_two_bands_of_one_file(bench: Bench, shared: Any) -> None:
    """int16, nodata 0: band 1 * 0.0001 + 1000, band 2 * 0.001 + 2000."""
    path = str(shared("rio_tiler_scale_offset", "cog_scale.tif"))
    first, second = bench.read(path, None)
    pixels = bench.ndvi((path, 1), (path, 2))
    a, b = first.astype(np.float64) * 0.0001 + 1000, second.astype(np.float64) * 0.001 + 2000
    invalid = (first == 0) | (second == 0)
    assert ((pixels == -9999) == invalid).all()
    np.testing.assert_array_max_ulp(
        pixels[~invalid], ((a - b) / (a + b))[~invalid].astype(np.float32), maxulp=1
    )
    lines, _ = bench.notes(bench.job((path, 1), (path, 2)))
    assert any("scale 0.0001, offset 1000" in line for line in lines) and any(
        "scale 0.001, offset 2000" in line for line in lines
    )


@pytest.mark.skipif(not shutil.which("gdalwarp"), reason="needs gdalwarp")
@pytest.mark.parametrize(
    ("resampling", "method"),
    [(Resampling.NEAREST, "near"), (Resampling.BILINEAR, "bilinear"), (Resampling.CUBIC, "cubic")],
)
def test_landsat_panchromatic_with_a_band_half_a_pixel_off(
    bench: Bench, shared: Any, resampling: Resampling, method: str
) -> None:
    """82 x 82 pixels of 15 m and 41 x 41 of 30 m, half a small pixel off: the result is on the fine
    grid where both are.
    """
    near, visible = (
        str(
            shared(
                "landsat8_l1_satellite_r", f"LC08_L1TP_195025_20130707_20170503_01_T1_{band}.TIF"
            )
        )
        for band in ("B8", "B4")
    )
    job = bench.job(
        near,
        visible,
        scaling=RadiometryChoice(Scaling.STORED),
        layout=Layout(resampling=resampling),
    )
    got, report = bench.run(job)
    with rasterio.open(bench.path("ndvi.tif")) as result, rasterio.open(near) as fine:
        assert result.res == fine.res == (15, 15) and result.crs == fine.crs
        box = list(map(str, result.bounds))
        column, row = (
            round(number) for number in ~fine.transform * (result.bounds.left, result.bounds.top)
        )
        a = fine.read(1)[row : row + result.height, column : column + result.width].astype(
            np.float64
        )
    size = ["-ts", str(got.shape[1]), str(got.shape[0])]
    command = [
        "gdalwarp",
        "-q",
        "-et",
        "0",
        "-ot",
        "Float32",
        "-wt",
        "Float32",
        "-dstnodata",
        "nan",
        "-r",
        method,
        "-te",
        *box,
        *size,
    ]
    subprocess.run([*command, visible, bench.path("warped.tif")], check=True)
    b = bench.read(bench.path("warped.tif")).astype(np.float64)
    valid = np.isfinite(b) & (b + a != 0) & (got != -9999)
    assert valid.sum() == report.statistics[0].valid >= 80 * 80
    np.testing.assert_allclose(
        got[valid],
        ((a - b) / (a + b))[valid],
        rtol=0,
        atol=3e-8 if resampling is Resampling.NEAREST else 1e-6,
    )


def test_a_60_m_band_with_its_mask_of_20_m(bench: Bench, shared: Any) -> None:
    """Red and near infrared of 60 m, the scene classification of 20 m: it is found by its name, and
    its middle pixel counts.
    """
    near, visible = (str(shared(f"{R60M}_{band}_60m.jp2")) for band in ("B8A", "B04"))
    scl = next(Path(near).parents[1].glob("R20m/*_SCL_20m.jp2"), None)
    if scl is None:
        pytest.skip("needs the SCL of 20 m")
    plain, before = bench.run(bench.job(near, visible, output="plain.tif"))
    got, report = bench.run(bench.job(near, visible, mask=MaskChoice(str(scl))))
    middle = bench.read(str(scl))[1::3, 1::3][: got.shape[0], : got.shape[1]]
    kept = np.isin(middle, (4, 5, 6, 7, 11))
    np.testing.assert_array_equal(got, np.where(kept, plain, -9999))
    # 0/0 and masked: masked
    without_number = before.statistics[0].not_finite - report.statistics[0].not_finite
    assert report.statistics[0].masked == (~kept & (plain != -9999)).sum() + without_number > 1000


def test_a_truncated_original_is_named(bench: Bench, shared: Any) -> None:
    """Half of the real B8A: an error that names it, and no NDVI of what was left."""
    source = shared(f"{R60M}_B8A_60m.jp2")
    copy = Path(bench.path(source.name))
    shutil.copyfile(source, copy)
    with copy.open("r+b") as file:
        file.truncate(source.stat().st_size // 2)
    before = bench.listing()
    with pytest.raises(OSError, match=re.escape(str(copy))):
        run(
            bench.job(
                str(copy),
                str(shared(f"{R60M}_B04_60m.jp2")),
                scaling=RadiometryChoice(Scaling.STORED),
            )
        )
    assert bench.listing() == before
