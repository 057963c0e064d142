# SPDX-License-Identifier: GPL-2.0-or-later
"""Bilinear, cubic, cubic spline and Lanczos beside their definitions in float64, onto finer and
coarser pixels and beside nodata.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.grids.layout import Resampling
from bench import Bench
from rasterio.warp import transform as places_of
from resampling_cases import UTM, resample

KERNELS = [Resampling.BILINEAR, Resampling.CUBIC, Resampling.CUBIC_SPLINE, Resampling.LANCZOS]
#: By how many times the range of its source pixels a result may leave it.
OVERSHOOT = 1.5


def kernel(method: Resampling, distance: Any) -> Any:
    x = np.abs(distance)
    if method is Resampling.BILINEAR:
        return np.where(x < 1, 1 - x, 0)
    if method is Resampling.CUBIC:
        return np.where(
            x < 1,
            1.5 * x**3 - 2.5 * x**2 + 1,
            np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0),
        )
    if method is Resampling.CUBIC_SPLINE:
        return np.where(x < 1, 2 / 3 - x**2 + x**3 / 2, np.where(x < 2, (2 - x) ** 3 / 6, 0))
    return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0)


def wide(ratio: float) -> float:
    """How much a kernel is wider than its definition: not at all where pixels grow by less than a twentieth."""
    return ratio if ratio > 1 / 0.95 else 1.0


def matrix(method: Resampling, positions: Any, ratio: float, length: int) -> Any:
    """Weights of all source pixels (columns) for each position (rows)."""
    return kernel(method, (np.arange(length) + 0.5 - np.asarray(positions)[:, None]) / wide(ratio))


def noise(height: int, width: int, holes: float = 0.0) -> Any:
    """Numbers of 1 to 250; single pixels and a block are nodata, 0."""
    rng = np.random.default_rng(height + width)
    values = rng.integers(1, 251, (height, width)).astype(np.uint16)
    values[rng.random(values.shape) < holes] = 0
    if holes:
        values[height // 3 : height // 2, : width // 3] = 0
    return values


#: Pixels of the result in pixels of the source, and how many the result is shifted.
PARALLEL = [
    *((1 / 3, 0), (0.5, 0), (0.7, 1.3), (1, 0.4), (1.02, 0.2), (1.06, 0), (1.2, 0), (1.5, 0)),
    *((1.52, 0), (2, 0), (2, 1), (3, 0), (3.3, 0.1), (6, 0), (10, 0)),
]


@pytest.mark.one_backend
@pytest.mark.parametrize("holes", [0.0, 0.1], ids=["complete", "with nodata"])
@pytest.mark.parametrize(
    ("method", "ratio", "shift"),
    [
        (method, ratio, shift)
        for method in KERNELS
        for ratio, shift in PARALLEL
        if method is not Resampling.CUBIC or ratio > 1.05
    ],
)
def test_kernels_between_parallel_grids(
    bench: Bench, method: Resampling, ratio: float, shift: float, holes: float
) -> None:
    """But for cubic onto finer pixels, which is GDAL's: bilinear beside nodata and at edges, and
    compared with gdalwarp.
    """
    height, width = 300, 270
    values = noise(height, width, holes)
    source = bench.save("source.tif", values, transform=(10, 0, 500000, 0, -10, 5000000), nodata=0)
    shape = int((height - shift) / ratio), int((width - shift) / ratio)
    transform = (10 * ratio, 0, 500000 + 10 * shift, 0, -10 * ratio, 5000000 - 10 * shift)
    got = resample(bench, source, (UTM, transform, shape), method)
    rows, columns = (shift + ratio * (np.arange(count) + 0.5) for count in shape)
    down, across = matrix(method, rows, ratio, height), matrix(method, columns, ratio, width)
    valid = (values > 0).astype(float)
    weights, magnitudes = down @ valid @ across.T, np.abs(down) @ valid @ np.abs(across).T
    centres = valid[np.floor(rows + 1e-6).astype(int)][:, np.floor(columns + 1e-6).astype(int)] > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.where(
            centres & (weights >= 0.25 * magnitudes),
            down @ values.astype(float) @ across.T / weights,
            np.nan,
        )
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    np.testing.assert_allclose(got, expected, rtol=2e-6, atol=2e-5)
    assert np.isnan(got).mean() < 0.25 if holes else not np.isnan(got).any()


@pytest.mark.parametrize("method", KERNELS, ids=lambda method: method.name)
@pytest.mark.parametrize("ratio", [0.5, 1 / 3, 1.5, 2, 3, 6])
def test_a_ramp_stays_where_it_is(bench: Bench, method: Resampling, ratio: float) -> None:
    """The number of a column is that of its place: kernels are symmetric, so that a shift would
    show as a difference.
    """
    ramp = np.broadcast_to(np.arange(480, dtype=np.float32), (120, 480))
    source = bench.save("source.tif", ramp, transform=(10, 0, 500000, 0, -10, 5000000))
    shape = int(120 / ratio), int(480 / ratio)
    got = resample(
        bench, source, (UTM, (10 * ratio, 0, 500000, 0, -10 * ratio, 5000000), shape), method
    )
    positions = ratio * (np.arange(shape[1]) + 0.5) - 0.5
    inner = slice(int(20 / min(ratio, 1)), -int(20 / min(ratio, 1)))
    np.testing.assert_allclose(got[shape[0] // 2, inner], positions[inner], atol=0.05)


SYSTEMS = {
    "next zone": ("EPSG:32632", (10.0, 0.0, 972500.0, 0.0, -10.0, 5016300.0)),
    "turned": (UTM, (8.0, 6.0, 499000.0, 6.0, -8.0, 4998000.0)),
    "false origin": (
        "+proj=tmerc +lat_0=0 +lon_0=15 +k=0.9996 +x_0=0 +y_0=0 +datum=WGS84 +units=m",
        (10.0, 0.0, 600.0, 0.0, -10.0, 4998600.0),
    ),
}


@pytest.mark.parametrize("holes", [0.0, 0.1], ids=["complete", "with nodata"])
@pytest.mark.parametrize("ratio", [1.3, 2, 3, 6])
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    "method",
    [Resampling.CUBIC, Resampling.CUBIC_SPLINE, Resampling.LANCZOS],
    ids=lambda method: method.name,
)
def test_kernels_onto_coarser_pixels_of_another_crs(
    bench: Bench, method: Resampling, system: str, ratio: float, holes: float
) -> None:
    """Each pixel beside the sum of all source pixels around its place; the kernel is as wide as the middle's pixels."""
    crs, transform = SYSTEMS[system]
    values = noise(420, 420, holes)
    source = bench.save("source.tif", values, crs=crs, transform=transform, nodata=0)
    shape = int(200 / ratio), int(200 / ratio)
    grid = (UTM, (10 * ratio, 0, 501700, 0, -10 * ratio, 4997500), shape)
    got = resample(bench, source, grid, method)
    inverse = ~rasterio.Affine(*transform)

    def place(column: Any, row: Any) -> Any:
        xs, ys = 501700 + 10 * ratio * np.asarray(column), 4997500 - 10 * ratio * np.asarray(row)
        return inverse * tuple(np.array(numbers) for numbers in places_of(UTM, crs, xs, ys))

    middle = shape[1] / 2 + np.array([0, 1, 0]), shape[0] / 2 + np.array([0, 0, 1])
    factors = [
        np.hypot(numbers[1] - numbers[0], numbers[2] - numbers[0]) for numbers in place(*middle)
    ]
    rng = np.random.default_rng(1)
    rows, columns = (rng.integers(0, count, 300) for count in shape)
    xs, ys = place(columns + 0.5, rows + 0.5)
    valid = values > 0
    known = 0
    for row, column, x, y in zip(rows, columns, xs, ys):
        if not (0 <= x < 420 and 0 <= y < 420 and valid[int(y + 1e-6), int(x + 1e-6)]):
            assert np.isnan(got[row, column])
            continue
        weights = (
            np.outer(
                matrix(method, [y], factors[1], 420)[0], matrix(method, [x], factors[0], 420)[0]
            )
            * valid
        )
        if weights.sum() < 0.26 * np.abs(weights).sum():
            continue
        known += 1
        assert got[row, column] == pytest.approx(
            (weights * values).sum() / weights.sum(), rel=1e-4, abs=5e-3
        ), (row, column)
    assert known > 100


@pytest.mark.parametrize("system", ["parallel", *SYSTEMS])
@pytest.mark.parametrize("ratio", [1 / 3, 1.06, 2.1])
@pytest.mark.parametrize(
    "method", [Resampling.CUBIC, Resampling.LANCZOS], ids=lambda method: method.name
)
def test_beside_nodata_results_stay_near_the_values_around_them(
    bench: Bench, method: Resampling, ratio: float, system: str
) -> None:
    """Inputs of 1 to 250 with a third nodata: weights that almost cancel out would give numbers beyond 100,000."""
    crs, transform = SYSTEMS.get(system, (UTM, (10.0, 0.0, 501500.0, 0.0, -10.0, 4997700.0)))
    source = bench.save("source.tif", noise(420, 420, 0.33), crs=crs, transform=transform, nodata=0)
    shape = int(200 / ratio), int(200 / ratio)
    grid = (UTM, (10 * ratio, 0, 501700, 0, -10 * ratio, 4997500), shape)
    got, nearest = (resample(bench, source, grid, one) for one in (method, Resampling.NEAREST))
    assert np.nanmin(got) >= 1 - OVERSHOOT * 249 and np.nanmax(got) <= 250 + OVERSHOOT * 249
    assert np.isnan(got[np.isnan(nearest)]).mean() > 0.999
    assert 0.97 * np.isfinite(nearest).sum() < np.isfinite(got).sum()


@pytest.mark.parametrize("system", ["parallel", "next zone"])
@pytest.mark.parametrize(
    "method",
    [Resampling.CUBIC_SPLINE, Resampling.LANCZOS, Resampling.AVERAGE],
    ids=lambda method: method.name,
)
def test_pixels_do_not_depend_on_windows_workers_or_memory(
    bench: Bench, method: Resampling, system: str
) -> None:
    crs, transform = SYSTEMS.get(system, (UTM, (10.0, 0.0, 501503.0, 0.0, -10.0, 4997700.0)))
    source = bench.save("source.tif", noise(600, 520, 0.02), crs=crs, transform=transform, nodata=0)
    for ratio in (0.9, 2.2):
        grid = (
            UTM,
            (10 * ratio, 0, 501700, 0, -10 * ratio, 4997500),
            (int(400 / ratio), int(350 / ratio)),
        )
        once = resample(bench, source, grid, method, workers=1).tobytes()
        for options in (
            {"workers": 3},
            {"memory": 1},
            {"creation_options": "COMPRESS=NONE|BLOCKXSIZE=64|BLOCKYSIZE=128"},
        ):
            assert resample(bench, source, grid, method, **options).tobytes() == once, options
