# SPDX-License-Identifier: GPL-2.0-or-later
"""Real Landsat files, and bands of Sentinel-2 on grids that differ."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from bandwise.engine.execution.pipeline import run
from bandwise.engine.grids.layout import Layout, Resampling
from bandwise.engine.radiometry.masks import MaskChoice
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bench import Bench
from real_data_cases import LANDSAT, R60M, float64_ndvi
from resampling_cases import gdalwarp, needs_gdalwarp


def test_landsat_of_level_1_numbers_would_be_wrong(
    bench: Bench, shared: Callable[..., Path]
) -> None:
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


def test_landsat_5_has_unsigned_bytes(bench: Bench, shared: Callable[..., Path]) -> None:
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


def test_scale_and_offset_tags_of_two_bands_of_one_file(
    bench: Bench, shared: Callable[..., Path]
) -> None:
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


@needs_gdalwarp
@pytest.mark.parametrize("resampling", [Resampling.NEAREST, Resampling.BILINEAR, Resampling.CUBIC])
def test_landsat_panchromatic_with_a_band_half_a_pixel_off(
    bench: Bench, shared: Callable[..., Path], resampling: Resampling
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
        box = result.bounds
        column, row = (
            round(number) for number in ~fine.transform * (result.bounds.left, result.bounds.top)
        )
        a = fine.read(1)[row : row + result.height, column : column + result.width].astype(
            np.float64
        )
    b = gdalwarp(bench, visible, box, got.shape, resampling).astype(np.float64)
    valid = np.isfinite(b) & (b + a != 0) & (got != -9999)
    assert valid.sum() == report.statistics[0].valid >= 80 * 80
    np.testing.assert_allclose(
        got[valid],
        ((a - b) / (a + b))[valid],
        rtol=0,
        atol=3e-8 if resampling is Resampling.NEAREST else 1e-6,
    )


def test_a_60_m_band_with_its_mask_of_20_m(bench: Bench, shared: Callable[..., Path]) -> None:
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


def test_a_truncated_original_is_named(bench: Bench, shared: Callable[..., Path]) -> None:
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
