# SPDX-License-Identifier: GPL-2.0-or-later
"""Real products: what their metadata imply, and what another tool published."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
from bandwise.engine.grids.layout import ExtentRule, GridRule, Layout, Resampling
from bandwise.engine.radiometry.masks import MaskChoice, QaFlag
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling, resolve
from bandwise.engine.reading.bands import describe
from bench import Bench
from real_data_cases import LANDSAT, N0400, OLD, OLD_R10M, R60M, SAFE, float64_ndvi


def sentinel2_numbers(xml: Path, band_id: int) -> tuple[float, float]:
    """Quantification and offset of a band, by the standard library's own XML tree."""
    root = ElementTree.parse(xml).getroot()
    quantification = float(next(root.iter("BOA_QUANTIFICATION_VALUE")).text)  # type: ignore[arg-type]
    offsets = {int(node.get("band_id")): float(node.text) for node in root.iter("BOA_ADD_OFFSET")}  # type: ignore[arg-type]
    return quantification, offsets.get(band_id, 0.0)


def test_the_original_sentinel_2_product(bench: Bench, shared: Callable[..., Path]) -> None:
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
    bench: Bench, shared: Callable[..., Path], extension: str, choice: RadiometryChoice, mean: float
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


def test_the_crops_numbers_that_are_published(bench: Bench, shared: Callable[..., Path]) -> None:
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
    bench: Bench, shared: Callable[..., Path], workers: int
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


def test_a_product_of_an_older_baseline(bench: Bench, shared: Callable[..., Path]) -> None:
    """Baseline 02.14 has no offset: the pixels are those of the stored values, nodata 0 by the XML."""
    near, visible = str(shared(f"{OLD_R10M}_B08_10m.jp2")), str(shared(f"{OLD_R10M}_B04_10m.jp2"))
    assert sentinel2_numbers(shared(OLD, "MTD_MSIL2A.xml"), 7) == (10000, 0)
    a, b = bench.read(near), bench.read(visible)
    pixels = bench.ndvi(near, visible)
    truth = float64_ndvi(a, b, 1.0, 0.0).astype(np.float32)
    np.testing.assert_array_equal(pixels, np.where((a == 0) | (b == 0), np.float32(-9999), truth))


def test_bands_of_the_sentinel_2_driver_are_known_by_name(shared: Callable[..., Path]) -> None:
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
    bench: Bench, shared: Callable[..., Path], date: str
) -> None:
    """sen2r wrote round(10000 * NDVI) as Int16, nodata -32768: error 0 in all pixels."""
    folder = shared("references", "sen2r_barbellino")
    stack = str(folder / "input" / f"S2A2A_{date}_022_Barbellino_BOA_10.tif")
    published = bench.read(str(folder / "expected" / f"S2A2A_{date}_022_Barbellino_NDVI_10.tif"))
    pixels = bench.ndvi((stack, 8), (stack, 4))
    ours = np.where(pixels == -9999, -32768, np.round(10000 * pixels.astype(np.float64)))
    assert np.abs(ours - published).max() == 0


@pytest.mark.parametrize("product", LANDSAT)
def test_landsat_collection_2(bench: Bench, shared: Callable[..., Path], product: str) -> None:
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
def test_landsat_masked_by_its_quality_flags(
    bench: Bench, shared: Callable[..., Path], product: str
) -> None:
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
    bench: Bench, shared: Callable[..., Path], resampling: Resampling, method: str
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
