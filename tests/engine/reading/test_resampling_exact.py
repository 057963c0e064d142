# SPDX-License-Identifier: GPL-2.0-or-later
"""Resampling between grids whose axes are parallel, beside exact means and GDAL's own bytes: the same on every GDAL."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.grids.layout import Resampling
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from resampling_cases import UTM, resample


def exact_means(values: Any, columns: Any, rows: Any) -> Any:
    """Means of a raster, NaN where it is not valid, between edges given in its pixels, by
    integrals; NaN where nothing is.
    """

    def integral(plane: Any) -> Any:
        sums = np.zeros((plane.shape[0] + 1, plane.shape[1] + 1))
        sums[1:, 1:] = plane.cumsum(axis=0).cumsum(axis=1)
        for axis, wanted in ((0, rows), (1, columns)):
            edges = np.clip(wanted, 0, sums.shape[axis] - 1)
            low = np.minimum(np.floor(edges).astype(int), sums.shape[axis] - 2)
            part = np.expand_dims(edges - low, 1 - axis)
            sums = sums.take(low, axis) * (1 - part) + sums.take(low + 1, axis) * part
        return np.abs(np.diff(np.diff(sums, axis=0), axis=1))

    valid = np.isfinite(values)
    areas = integral(valid.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(
            areas > 1e-6, integral(np.where(valid, values, 0).astype(np.float64)) / areas, np.nan
        )


def noise(height: int, width: int, holes: bool = True) -> Any:
    rng = np.random.default_rng(height * 10007 + width)
    values = rng.integers(1, 5000, (height, width)).astype(np.uint16)
    if holes:
        values[rng.random((height, width)) < 0.2] = 0
        values[height // 3 : height // 2, : width // 2] = 0
    return values


@pytest.mark.one_backend
@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("shift", [0.0, 0.3, -0.7], ids=["aligned", "shifted", "from outside"])
@pytest.mark.parametrize("ratio", [1.5, 2, 2.5, 6, 10, 37.3, 150, 300, 1000])
def test_averages_are_exact_in_narrow_results(
    bench: Bench, ratio: float, shift: float, width: int
) -> None:
    height = 2
    values = noise(math.ceil(ratio * height), math.ceil(ratio * width), holes=ratio > 2)
    source = bench.save("source.tif", values, transform=(10, 0, 500000, 0, -10, 5000000), nodata=0)
    transform = (10 * ratio, 0, 500000 + 10 * shift, 0, -10 * ratio, 5000000 - 10 * shift)
    got = resample(bench, source, (UTM, transform, (height, width)), Resampling.AVERAGE)
    columns, rows = (shift + ratio * np.arange(count + 1) for count in (width, height))
    expected = exact_means(np.where(values, values, np.nan), columns, rows)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("ratio", "shape"),
    [(300, (10, 10)), (500, (6, 6)), (7.3, (700, 300)), (3, (1100, 600)), (0.4, (400, 600))],
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_averages_are_exact_across_tiles(
    bench: Bench, ratio: float, shape: tuple[int, int], mirrored: bool
) -> None:
    """10 m to 3000 m and 5000 m among others; mirrored is a source whose rows go north and columns west."""
    height, width = (math.ceil(ratio * count) for count in shape)
    values = noise(height, width)
    transform = (
        (-10, 0, 500000 + 10 * width, 0, 10, 5000000 - 10 * height)
        if mirrored
        else (10, 0, 500000, 0, -10, 5000000)
    )
    source = bench.save("source.tif", values, transform=transform, nodata=0)
    got = resample(
        bench,
        source,
        (UTM, (10 * ratio, 0, 500000, 0, -10 * ratio, 5000000), shape),
        Resampling.AVERAGE,
    )
    columns, rows = (ratio * np.arange(count + 1) for count in shape[::-1])
    expected = exact_means(
        np.where(values, values, np.nan)[:: -1 if mirrored else 1, :: -1 if mirrored else 1],
        columns,
        rows,
    )
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("size", "left", "shape"),
    [(36.0, -180.0, (5, 10)), (0.3, -180.0, (600, 1200)), (7.7, -203.0, (20, 50))],
)
def test_averages_of_a_globe_in_degrees(
    bench: Bench, size: float, left: float, shape: tuple[int, int]
) -> None:
    values = noise(900, 1800)
    source = bench.save(
        "globe.tif", values, crs="EPSG:4326", transform=(0.2, 0, -180, 0, -0.2, 90), nodata=0
    )
    got = resample(
        bench, source, ("EPSG:4326", (size, 0, left, 0, -size, 90), shape), Resampling.AVERAGE
    )
    columns, rows = (
        (left + 180) / 0.2 + np.arange(shape[1] + 1) * (size / 0.2),
        np.arange(shape[0] + 1) * (size / 0.2),
    )
    expected = exact_means(np.where(values, values, np.nan), columns, rows)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_pixels_that_only_touch_the_source_have_no_average(bench: Bench) -> None:
    """The source lies on 4 x 3 pixels of the result; those beside it share an edge with it and no more."""
    source = bench.save(
        "source.tif", np.ones((60, 80), np.uint8), transform=(10, 0, 500000, 0, -10, 5000000)
    )
    got = resample(
        bench, source, (UTM, (200, 0, 499600, 0, -200, 5000400), (7, 8)), Resampling.AVERAGE
    )
    expected = np.full((7, 8), np.nan)
    expected[2:5, 2:6] = 1
    np.testing.assert_array_equal(got, expected)


def test_a_rounded_georeference_does_not_let_a_neighbour_in(bench: Bench) -> None:
    """A block of nodata stays nodata, though its edges in degrees are some 1e-9 pixels off: thirds
    of a degree have no exact number.
    """
    values = noise(600, 600, holes=False)
    values[300:303, 300:306] = 0
    source = bench.save(
        "source.tif",
        values,
        crs="EPSG:4326",
        transform=(1 / 3600, 0, 15 + 1 / 3, 0, -1 / 3600, 45 + 2 / 3),
        nodata=0,
    )
    got = resample(
        bench,
        source,
        ("EPSG:4326", (3 / 3600, 0, 15 + 1 / 3, 0, -3 / 3600, 45 + 2 / 3), (200, 200)),
        Resampling.AVERAGE,
    )
    assert np.argwhere(np.isnan(got)).tolist() == [[100, 100], [100, 101]]


def by_gdal(
    source: str,
    transform: tuple[float, ...],
    shape: tuple[int, int],
    method: Resampling,
    scale: float,
) -> Any:
    """The source on a grid by GDAL's warper, all at once, from the Float32 values that the engine resamples."""
    with rasterio.open(source) as dataset:
        values = dataset.read(1).astype(np.float32)
        values[dataset.read_masks(1) == 0] = np.nan
        profile = {
            "crs": dataset.crs,
            "transform": dataset.transform,
            "width": dataset.width,
            "height": dataset.height,
        }
    with rasterio.io.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=1, dtype="float32", nodata=np.nan, **profile
        ) as dataset:
            dataset.write(values, 1)
        with (
            memory.open() as dataset,
            WarpedVRT(
                dataset,
                src_nodata=np.nan,
                nodata=np.nan,
                crs=dataset.crs,
                transform=Affine(*transform),
                width=shape[1],
                height=shape[0],
                resampling=rasterio.enums.Resampling[method.name.lower()],
                tolerance=1e-6,
                XSCALE=repr(min(scale, 1.0)),
                YSCALE=repr(min(scale, 1.0)),
            ) as warped,
        ):
            return warped.read(1).astype(np.float32)


@pytest.mark.parametrize(
    "method",
    [Resampling.NEAREST, Resampling.AVERAGE, Resampling.BILINEAR],
    ids=lambda method: method.name,
)
@pytest.mark.parametrize(
    ("pixel", "other"), [(20, 10), (60, 10), (60, 20), (10, 20), (10, 60), (20, 60)]
)
def test_nested_grids_give_the_pixels_of_gdal(
    bench: Bench, method: Resampling, pixel: int, other: int
) -> None:
    """10, 20 and 60 m of Sentinel-2, with nodata; more than a tile across."""
    across, down = 7200 // pixel, 6600 // pixel
    if pixel < other:
        across, down = across // 6 * 6, down // 6 * 6
    source = bench.save(
        "source.tif",
        noise(down, across),
        transform=(pixel, 0, 500000, 0, -pixel, 5000000),
        nodata=0,
    )
    transform = (other, 0, 500000, 0, -other, 5000000)
    shape = down * pixel // other, across * pixel // other
    got = resample(bench, source, (UTM, transform, shape), method)
    expected = by_gdal(source, transform, shape, method, pixel / other)
    assert got.dtype == expected.dtype == np.float32
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    assert same.all(), (same.mean(), got[~same][:5], expected[~same][:5])


def test_nearest_whole_numbers_stay_what_they_are(bench: Bench) -> None:
    """Numbers of 32 bits that float32 does not hold, onto finer, coarser, shifted and mirrored pixels."""
    values = np.random.default_rng(3).integers(2**31, 2**32, (300, 260), dtype=np.uint32)
    values[100:120, 30:70] = 7
    source = bench.save("source.tif", values, transform=(20, 0, 500000, 0, -20, 5000000), nodata=7)
    for a, e, left, top, shape in (
        (10, -10, 500000, 5000000, (600, 520)),
        (60, -60, 500000, 5000000, (100, 86)),
        (13, -17, 499900, 5000033, (360, 410)),
        (-20, 20, 505200, 4994000, (300, 260)),
        (3, 3, 500001, 4995001, (700, 600)),
    ):
        got = resample(
            bench,
            source,
            (UTM, (a, 0, left, 0, e, top), shape),
            Resampling.NEAREST,
            data_type=DataType.FLOAT64,
        )
        columns = np.floor((left + a * (np.arange(shape[1]) + 0.5) - 500000) / 20).astype(int)
        rows = np.floor((5000000 - top - e * (np.arange(shape[0]) + 0.5)) / 20).astype(int)
        inside = ((rows >= 0) & (rows < 300))[:, None] & ((columns >= 0) & (columns < 260))
        expected = values.take(rows, 0, mode="clip").take(columns, 1, mode="clip").astype(float)
        np.testing.assert_array_equal(got, np.where(inside & (expected != 7), expected, np.nan))


@pytest.mark.parametrize(
    "method",
    [Resampling.NEAREST, Resampling.AVERAGE, Resampling.BILINEAR],
    ids=lambda method: method.name,
)
@pytest.mark.parametrize("ratio", [0.5, 2, 1.3, 40])
def test_pixels_do_not_depend_on_windows_workers_or_memory(
    bench: Bench, method: Resampling, ratio: float
) -> None:
    values = noise(int(600 * min(ratio, 4)), int(700 * min(ratio, 4)))
    source = bench.save("source.tif", values, transform=(10, 0, 500000, 0, -10, 5000000), nodata=0)
    shape = tuple(int(count / ratio) for count in values.shape)
    transform = (10 * ratio, 0, 500003, 0, -10 * ratio, 5000000)
    once = resample(bench, source, (UTM, transform, shape), method, workers=1).tobytes()  # type: ignore[arg-type]
    for options in (
        {"workers": 3},
        {"memory": 1},
        {"creation_options": "COMPRESS=NONE|BLOCKXSIZE=64|BLOCKYSIZE=128"},
    ):
        assert (
            resample(bench, source, (UTM, transform, shape), method, **options).tobytes() == once  # type: ignore[arg-type]
        ), options
