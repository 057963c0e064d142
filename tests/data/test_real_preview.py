# SPDX-License-Identifier: GPL-2.0-or-later
"""The preview of a real Sentinel-2 product: its numbers against plain numpy on all pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
from bandwise.engine.execution.preview.run import preview
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bench import Bench
from real_data_cases import R60M, float64_ndvi

STEP = 4  #: 1830 pixels at no more than 460


def blocks(values: np.ndarray) -> np.ndarray:
    """Means of STEP x STEP pixels, NaN where any is."""
    size = len(values) // STEP
    cut = values[: size * STEP, : size * STEP]
    means: np.ndarray = cut.reshape(size, STEP, size, STEP).mean((1, 3))
    return means


def test_numbers_agree_within_the_sampling(bench: Bench, shared: Callable[..., Path]) -> None:
    """By levels of JPEG 2000, and of a GeoTIFF without overviews, of which pixels are taken out."""
    paths = [str(shared(f"{R60M}_{band}_60m.jp2")) for band in ("B8A", "B04")]
    near, visible = (bench.read(path) for path in paths)
    truth = float64_ndvi(near, visible, 1e-4, -0.1)
    truth[(near == 0) | (visible == 0)] = np.nan
    valid = truth[np.isfinite(truth) & (abs(truth) <= 1)]
    shown = preview(bench.job(*paths), side=460)
    assert (shown.region.step, shown.region.levels) == (STEP, True)
    both = np.isfinite(shown.values[0]) & np.isfinite(blocks(truth))
    difference = np.abs(shown.values[0] - blocks(truth))[both]
    assert np.median(difference) < 0.1 * valid.std()
    assert abs(shown.nodata_share(0) - np.isnan(truth).mean()) < 0.005
    plain = []
    for name, path in zip(("n.tif", "r.tif"), paths):
        with rasterio.open(path) as source:
            profile = {"crs": source.crs, "transform": tuple(source.transform)[:6], "nodata": 0}
            plain.append(
                bench.save(name, source.read(1), scales=(1e-4,), offsets=(-0.1,), **profile)
            )
    sampled = preview(bench.job(*plain), side=460)
    assert not sampled.region.levels
    expected = truth[STEP // 2 :: STEP, STEP // 2 :: STEP][
        : len(truth) // STEP, : len(truth) // STEP
    ]
    np.testing.assert_allclose(sampled.values[0], expected.astype(np.float32), rtol=2e-6, atol=1e-6)


def test_clouds_are_left_out_as_in_the_run(bench: Bench, shared: Callable[..., Path]) -> None:
    """SCL at 20 m on bands of 60 m: classes are never averages, though JPEG 2000 has levels of them."""
    paths = [str(shared(f"{R60M}_{band}_60m.jp2")) for band in ("B8A", "B04")]
    scl = str(shared(f"{R60M.replace('R60m', 'R20m')}_SCL_20m.jp2"))
    job = bench.job(*paths, mask=MaskChoice(scl, rule=MaskRule.SCL))
    shown, report = preview(job, side=460), bench.run(job)[1].statistics[0]
    pixels = report.valid + report.invalid
    share = report.masked / pixels
    count = shown.values[0].size
    assert 0.05 < share < 0.95
    error = 4 * np.sqrt(share * (1 - share) / count) * STEP  # clouds are larger than a cell
    assert abs(shown.statistics[0].masked / count - share) < error
