# SPDX-License-Identifier: GPL-2.0-or-later
"""Percentiles of the histogram of a pass, beside numpy's of all values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from bandwise.engine.compute.histogram import Histogram, percentiles
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.grid import Window
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.storage import DataType
from bench import Bench

SHARES = (0.0, 0.02, 0.25, 0.5, 0.75, 0.98, 1.0)
RANDOM = np.random.default_rng(7)
VALUES = {
    "uniform about zero": RANDOM.uniform(-1, 1, 10_000),
    "normal, far from zero": RANDOM.normal(1000, 100, 10_000),
    "negative": -RANDOM.exponential(3, 10_000),
    "two values": np.repeat([0.0, 1.0], [9_700, 300]),
    "tiny": RANDOM.uniform(0, 1e-30, 10_000),
    "huge": RANDOM.uniform(-1e38, 3e38, 10_000),
    "one pixel": np.array([0.25]),
}


def counted(values: Any) -> Any:
    histogram = Histogram(1, 1)
    histogram.add(Window(0, 0, values.size, 1), values.reshape(1, 1, -1), -9999.0)
    return histogram.counts()[0]


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_within_a_hundred_and_twenty_eighth_of_a_value(values: Any) -> None:
    values = values.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    found = percentiles(counted(values), SHARES, low, high)
    assert found == tuple(sorted(found)) and low <= found[0] and found[-1] <= high
    assert_percentiles(found, values, SHARES)


def assert_percentiles(found: Any, values: Any, shares: Any) -> None:
    """One between two neighbours may be either; the code of zero holds all below 1e-40, too."""
    lower = np.quantile(values, shares, method="lower").astype(float)
    upper = np.quantile(values, shares, method="higher").astype(float)
    for value, least, most in zip(found, lower, upper):
        assert least - abs(least) / 128 <= value <= most + abs(most) / 128 + 1e-40


def test_no_pixel_and_an_endless_range_have_none() -> None:
    values = np.array([-9999.0], np.float32)
    assert all(map(math.isnan, percentiles(counted(values), SHARES, math.nan, math.nan)))
    values = np.array([1.0, np.inf], np.float32)
    assert all(map(math.isnan, percentiles(counted(values), SHARES, 1.0, math.inf)))


@pytest.mark.parametrize("data_type", [DataType.FLOAT32, DataType.INT16_SCALED])
def test_a_report_has_them_in_units_of_the_result(bench: Bench, data_type: DataType) -> None:
    values = RANDOM.uniform(0, 2, (60, 70))
    path = bench.save("a.tif", values, nodata=77)
    formula = named_formula("x := a; y := a * 0 + 1; z := a / 0", ("a",))
    job = Job((BandRef("a", path),), formula, bench.path("out.tif"), data_type=data_type)
    _, report = bench.run(job)
    assert_percentiles(report.ranges[0], values, (0.02, 0.98))
    assert report.ranges[1] == (1, 1)
    assert all(map(math.isnan, report.ranges[2]))
    assert all(type(value) is float for ends in report.ranges for value in ends)
