# SPDX-License-Identifier: GPL-2.0-or-later
"""Inputs on other grids come onto the result's as ``gdalwarp`` brings them there, window by window;
those on it stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.warp
from bandwise.engine.grids.layout import Extent, ExtentRule, GridRule, Layout, Resampling
from bench import Bench
from resampling_cases import (
    GRIDS,
    METHODS,
    gdalwarp,
    needs_gdalwarp,
    one_band,
    saved,  # noqa: F401  fixtures
)

SOURCES = [name for name in GRIDS if name != "10 m"]


def warped(
    bench: Bench, source: str, target: str, method: Resampling, *, pixels: float = 1
) -> np.ndarray:
    """The source on the target's grid by gdalwarp; so many ``pixels`` of the target make one of the
    source.

    Left to itself gdalwarp takes that number from outlines, which a turned source, or one that ends
    within the target, makes wrong.
    """
    crs, (a, _, left, _, e, top), shape = GRIDS[target]
    box = (left, top + e * shape[0], left + a * shape[1], top)
    scale = ("-wo", f"XSCALE={pixels}", "-wo", f"YSCALE={pixels}")
    return gdalwarp(bench, source, box, shape, method, "-t_srs", crs, *scale)


def bordered(bench: Bench, path: str) -> str:
    """The raster with 40 pixels of nodata around it: else gdalwarp gives pixels that only touch it
    an average of its edge.
    """
    with rasterio.open(path) as dataset:
        transform = dataset.transform * rasterio.Affine.translation(-40, -40)
        return bench.save(
            "bordered.tif",
            np.pad(dataset.read(1), 40),
            crs=dataset.crs,
            transform=tuple(transform)[:6],
            nodata=0,
        )


@needs_gdalwarp
@pytest.mark.parametrize("resampling", list(METHODS), ids=lambda resampling: resampling.name)
@pytest.mark.parametrize("source", SOURCES)
def test_a_band_on_another_grid_is_resampled_as_gdalwarp_does(
    bench: Bench, saved: Callable[..., str], source: str, resampling: Resampling
) -> None:
    target, other = saved("10 m", "target.tif"), saved(source, "source.tif")
    layout = Layout(rule=GridRule.FIRST, extent_rule=ExtentRule.GRID, resampling=resampling)
    got, report = bench.run(one_band(bench, [target, other], "b", layout))
    expected = warped(
        bench,
        bordered(bench, other) if resampling is Resampling.AVERAGE else other,
        "10 m",
        resampling,
    )
    invalid = np.isnan(expected)
    np.testing.assert_array_equal(got == -9999, invalid)
    assert 1000 < invalid.sum() < invalid.size - 1000
    assert report.statistics[0].nodata == invalid.sum()
    if resampling is Resampling.NEAREST:
        np.testing.assert_array_equal(got[~invalid], expected[~invalid])
    else:
        np.testing.assert_allclose(got[~invalid], expected[~invalid], rtol=1e-5)


@needs_gdalwarp
@pytest.mark.parametrize("resampling", [Resampling.NEAREST, Resampling.BILINEAR, Resampling.CUBIC])
def test_a_finer_band_comes_onto_a_coarser_grid(
    bench: Bench, saved: Callable[..., str], resampling: Resampling
) -> None:
    """Averages are compared with exact means elsewhere: gdalwarp gives pixels that only touch the
    source a value of its edge.
    """
    fine, coarse = saved("10 m", "fine.tif"), saved("60 m, wider", "coarse.tif")
    layout = Layout(rule=GridRule.COARSEST, extent_rule=ExtentRule.GRID, resampling=resampling)
    got, _ = bench.run(one_band(bench, [fine, coarse], "a", layout))
    expected = warped(bench, fine, "60 m, wider", resampling, pixels=1 / 6)
    np.testing.assert_array_equal(got == -9999, np.isnan(expected))
    np.testing.assert_allclose(
        got[got != -9999],
        expected[got != -9999],
        rtol=0 if resampling is Resampling.NEAREST else 1e-5,
    )


@pytest.mark.parametrize("source", ["20 m", "turned", "next zone", "15 m"])
@pytest.mark.parametrize("resampling", [Resampling.NEAREST, Resampling.CUBIC])
def test_resampled_pixels_do_not_depend_on_windows_workers_or_memory(
    bench: Bench, saved: Callable[..., str], source: str, resampling: Resampling
) -> None:
    paths = [saved("10 m", "target.tif"), saved(source, "source.tif")]
    layout = Layout(rule=GridRule.FIRST, extent_rule=ExtentRule.GRID, resampling=resampling)
    once = bench.run(one_band(bench, paths, "a + b", layout, workers=1))[0].tobytes()
    small = "COMPRESS=NONE|BLOCKXSIZE=64|BLOCKYSIZE=128"
    for options in (
        {"workers": 3},
        {"memory": 1},
        {"creation_options": "COMPRESS=NONE|TILED=NO"},
        {"creation_options": small},
    ):
        assert bench.run(one_band(bench, paths, "a + b", layout, **options))[0].tobytes() == once, (
            options
        )


def grid_of(path: str) -> tuple[Any, ...]:
    with rasterio.open(path) as dataset:
        return dataset.crs, tuple(dataset.transform)[:6], dataset.shape


@pytest.mark.parametrize(
    ("rule", "like"),
    [(GridRule.FINEST, 1), (GridRule.FIRST, 0), (GridRule.COARSEST, 2), (GridRule.REFERENCE, 3)],
    ids=str,
)
def test_the_grid_is_that_of_the_raster_that_is_chosen(
    bench: Bench, saved: Callable[..., str], rule: GridRule, like: int
) -> None:
    """20 m, 10 m (the finest), 60 m; the reference is 15 m."""
    paths = [saved("20 m", "1.tif"), saved("10 m", "2.tif"), saved("60 m, wider", "3.tif")]
    reference = saved("15 m", "4.tif")
    bench.run(
        one_band(
            bench,
            paths,
            "a + b + c",
            Layout(rule=rule, reference=reference, extent_rule=ExtentRule.GRID),
        )
    )
    assert grid_of(bench.path("out.tif")) == grid_of([*paths, reference][like])


def test_the_finest_of_two_crs_is_told_on_the_ground(
    bench: Bench, saved: Callable[..., str]
) -> None:
    """0.00009 degrees are 10 m north and less east: finer than 10 m; 10 < 0.00009 would say the contrary."""
    paths = [saved("20 m", "1.tif"), saved("degrees", "2.tif")]
    bench.run(one_band(bench, paths, "a + b", Layout(extent_rule=ExtentRule.GRID)))
    assert grid_of(bench.path("out.tif")) == grid_of(paths[1])


def test_extents(bench: Bench) -> None:
    """Two rasters of 10 m, 40 x 30 and 20 x 50 pixels, the second 10 columns right and 5 rows down:
    all on one grid, none resampled.
    """
    first = bench.save(
        "1.tif", np.full((30, 40), 3, np.uint16), transform=(10, 0, 500000, 0, -10, 5000000)
    )
    second = bench.save(
        "2.tif", np.full((50, 20), 1, np.uint16), transform=(10, 0, 500100, 0, -10, 4999950)
    )
    lines, _ = bench.notes(one_band(bench, [first, second], "a + b", Layout()))
    assert all("already" in line for line in lines), lines
    for rule, origin, shape, valid in (
        (ExtentRule.INTERSECTION, (500100, 4999950), (25, 20), 500),
        (ExtentRule.UNION, (500000, 5000000), (55, 40), 500),
        (ExtentRule.GRID, (500000, 5000000), (30, 40), 500),
    ):
        got, report = bench.run(one_band(bench, [first, second], "a + b", Layout(extent_rule=rule)))
        _, transform, size = grid_of(bench.path("out.tif"))
        assert ((transform[2], transform[5]), size) == (origin, shape), rule
        assert report.statistics[0].valid == valid == (got == 4).sum()
    got, _ = bench.run(
        one_band(bench, [first, second], "coalesce(a, b)", Layout(extent_rule=ExtentRule.UNION))
    )
    assert (
        (got == 3).sum() == 1200
        and (got == 1).sum() == 500
        and (got == -9999).sum() == 55 * 40 - 1700
    )


def test_an_extent_is_made_larger_to_whole_pixels(bench: Bench, saved: Callable[..., str]) -> None:
    path = saved("10 m", "1.tif")
    extent = Extent(500012.0, 4999941.0, 500039.0, 4999969.0, "")
    got = bench.run(one_band(bench, [path], "a", Layout(extent=extent)))[0]
    _, transform, shape = grid_of(bench.path("out.tif"))
    assert (transform[2], transform[5], shape) == (500010.0, 4999970.0, (3, 3))
    np.testing.assert_array_equal(
        got,
        np.where(bench.read(path)[3:6, 1:4] == 0, -9999, bench.read(path)[3:6, 1:4].astype(float)),
    )


def test_an_extent_in_another_crs(bench: Bench, saved: Callable[..., str]) -> None:
    wkt = rasterio.crs.CRS.from_epsg(4326).to_wkt()
    bench.run(
        one_band(
            bench,
            [saved("10 m", "1.tif")],
            "a",
            Layout(extent=Extent(15.01, 45.12, 15.02, 45.13, wkt)),
        )
    )
    with rasterio.open(bench.path("out.tif")) as dataset:
        left, bottom, right, top = rasterio.warp.transform_bounds(
            dataset.crs, wkt, *dataset.bounds, densify_pts=21
        )
        assert (
            left <= 15.01 < left + 3e-4
            and right >= 15.02 > right - 3e-4
            and bottom <= 45.12 < bottom + 3e-4
            and top >= 45.13 > top - 3e-4
        )
