# SPDX-License-Identifier: GPL-2.0-or-later
"""Ranks by a network, and totals, of arrays: held to numpy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from bandwise.engine.compute.composite.network import exchanges, sort_rows
from bandwise.engine.compute.composite.reducer import Reducer
from bandwise.engine.compute.composite.statistic import Reduction, Statistic

BY_NUMPY: dict[Statistic, Any] = {
    Statistic.MEDIAN: np.nanmedian,
    Statistic.MEAN: np.nanmean,
    Statistic.MINIMUM: np.nanmin,
    Statistic.MAXIMUM: np.nanmax,
}


def reduced(cube: Any, reduction: Reduction, reducer: Reducer | None = None) -> Any:
    """Statistics of all scenes, of shape (statistics, n)."""
    reducer = reducer or Reducer(reduction, cube.dtype)
    reducer.start(cube.shape[1])
    for position, values in enumerate(cube):
        reducer.row(position)[0] = values
        reducer.add(position)
    return reducer.results()


@pytest.mark.parametrize("count", [*range(1, 10), 24, 33])
def test_a_network_sorts(count: int) -> None:
    """All orders of zeros and ones are sorted, hence all numbers (0-1 principle), as far as few rows go."""
    bits = list(itertools.product((0.0, 1.0), repeat=min(count, 10)))
    values = np.array(bits).T if count <= 10 else np.random.default_rng(count).random((count, 500))
    rows = [row.copy() for row in values]
    sort_rows(rows, np.empty(values.shape[1]), exchanges(count, tuple(range(count))))
    np.testing.assert_array_equal(np.stack(rows), np.sort(values, axis=0))


@pytest.mark.parametrize("count", [2, 7, 24])
def test_only_the_ranks_that_are_asked_for_are_sorted(count: int) -> None:
    values = np.random.default_rng(count).random((count, 300)).astype(np.float32)
    for rank in range(count):
        network = exchanges(count, (rank,))
        assert len(network) <= len(exchanges(count, tuple(range(count))))
        rows = [row.copy() for row in values]
        sort_rows(rows, np.empty(300, np.float32), network)
        np.testing.assert_array_equal(rows[rank], np.sort(values, axis=0)[rank])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("count", "pixels"), [(1, 50), (2, 3000), (5, 70_001), (40, 9000)])
def test_statistics(count: int, pixels: int, dtype: Any) -> None:
    """Of values with gaps, of pixels without a value, and of those with all."""
    numbers = np.random.default_rng(count)
    cube = numbers.normal(0.3, 0.4, (count, pixels)).astype(dtype)
    cube[numbers.random(cube.shape) < 0.4] = np.nan
    cube[:, :10], cube[:, 10:20] = np.nan, 0.25
    days = tuple(range(19000, 19000 + 5 * count, 5))
    exact = cube[:, 10:].astype(np.float64)
    exact = exact[:, ~np.isnan(exact).all(axis=0)]
    for statistics in (tuple(Statistic), (*list(BY_NUMPY)[1:], Statistic.DATE_OF_MAXIMUM)):
        found = reduced(cube, Reduction(statistics, days, 30.0))
        for row, statistic in zip(found, statistics):
            valid = row[10:][~np.isnan(cube[:, 10:]).all(axis=0)]
            if statistic in BY_NUMPY:
                right = BY_NUMPY[statistic](exact, axis=0)
            elif statistic is Statistic.PERCENTILE:  # numpy takes its time
                right = np.nanpercentile(exact[:, :2000], 30.0, axis=0)
                valid = valid[:2000]
            elif statistic is Statistic.COUNT:
                assert not row[:10].any()
                right = (~np.isnan(exact)).sum(axis=0)
            else:
                right = np.array(days)[np.nanargmax(exact, axis=0)]
            tolerance = 1e-12 if dtype is np.float64 else 1e-6
            np.testing.assert_allclose(valid, right, rtol=tolerance, atol=tolerance / 10)
            assert statistic is Statistic.COUNT or np.isnan(row[:10]).all()


@pytest.mark.parametrize("percentile", [0.0, 12.5, 50.0, 99.0, 100.0])
def test_percentiles(percentile: float) -> None:
    cube = np.random.default_rng(3).normal(size=(11, 5000))
    found = reduced(cube, Reduction((Statistic.PERCENTILE,), (0,) * 11, percentile))
    np.testing.assert_allclose(
        found[0], np.percentile(cube, percentile, axis=0), rtol=1e-13, atol=1e-14
    )


def test_infinite_differences_stay_numbers() -> None:
    """Between the largest numbers the step is no number of float32."""
    cube = np.array([[-3e38], [3e38]], np.float32)
    (found,) = reduced(cube, Reduction((Statistic.MEDIAN,), (0, 0)))
    assert found[0] == 0


@pytest.mark.parametrize("statistics", [(Statistic.MEDIAN,), (Statistic.MEAN, Statistic.MAXIMUM)])
def test_memory_is_used_again(statistics: Any) -> None:
    """Of windows of any order of sizes each gets its own result."""
    reduction = Reduction(statistics, (1, 2, 3))
    reducer = Reducer(reduction, np.dtype(np.float32))
    for pixels in (500, 20, 1000, 1000, 1):
        cube = np.random.default_rng(pixels).random((3, pixels)).astype(np.float32)
        again = reduced(cube, reduction, reducer)
        np.testing.assert_array_equal(again, reduced(cube, reduction))


def test_memory_does_not_grow_with_scenes_unless_ranks_are_asked_for() -> None:
    dtype = np.dtype(np.float32)
    running = tuple(statistic for statistic in Statistic if not statistic.is_of_ranks)
    few, many = (
        Reducer.bytes_per_pixel(Reduction(running, (0,) * count), dtype) for count in (2, 500)
    )
    assert few == many
    few, many = (
        Reducer.bytes_per_pixel(Reduction((Statistic.MEDIAN,), (0,) * count), dtype)
        for count in (2, 500)
    )
    assert many - few == 498 * 4
