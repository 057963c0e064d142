# SPDX-License-Identifier: GPL-2.0-or-later
"""Values are clamped before they are stored: statistics are those of what is stored, and no type
decides what a clamp brings back.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.storage import DataType
from bench import Bench

FLOATS = [DataType.FLOAT32, DataType.FLOAT64]


def job(bench: Bench, expression: str, values: Any, **options: Any) -> Job:
    path = bench.save("a.tif", np.atleast_2d(values), nodata=77)
    return Job(
        (BandRef("a", path),), named_formula(expression, ("a",)), bench.path("out.tif"), **options
    )


@pytest.mark.parametrize("data_type", list(DataType), ids=lambda data_type: data_type.name)
@pytest.mark.parametrize(
    "values",
    [[1000.0, 2000, 77, 3000], [1000.0] * 4, [np.nan, 1000, 1001, 1002]],
    ids=["nodata", "constant", "nan"],
)
def test_statistics_where_all_values_lie_beyond(
    bench: Bench, data_type: DataType, values: Any
) -> None:
    """Minimum, maximum, mean and histogram are of the clamped values: the report's, the tags' and
    GDAL's own are one.
    """
    for sign, clamp in ((1, (None, 0.7)), (-1, (-0.7, None)), (1, (-0.25, 0.7))):
        _, report = bench.run(job(bench, f"a * {sign}", values, data_type=data_type, clamp=clamp))
        with rasterio.open(bench.path("out.tif")) as dataset:
            tags = {**dataset.tags(1), **dataset.tags(1, ns="BANDWISE")}
            stored = dataset.read(1, masked=True)
            scale, offset = dataset.scales[0], dataset.offsets[0]
        assert len(set(stored.compressed())) == 1 and stored.count() == 3 + (
            values[2] != 77 and values[0] == values[0]
        )
        (value,) = set(stored.compressed())
        band = report.statistics[0]
        assert (band.minimum, band.maximum, band.mean) == pytest.approx(
            (value * scale + offset,) * 3, rel=1e-12, abs=1e-12
        )
        assert [
            float(tags[f"STATISTICS_{name}"]) for name in ("MINIMUM", "MAXIMUM", "MEAN")
        ] == pytest.approx([value] * 3, rel=1e-12)
        histogram = json.loads(tags["HISTOGRAM"])
        assert (histogram["minimum"], histogram["maximum"]) == (value, value) and sum(
            histogram["buckets"]
        ) == stored.count()


@pytest.mark.parametrize("data_type", FLOATS)
def test_the_least_and_the_largest_are_stored_values(bench: Bench, data_type: DataType) -> None:
    """77.7 is no float32; what the file holds is what is told."""
    got, report = bench.run(
        job(bench, "a", [[5.0, 1000, 78]], data_type=data_type, clamp=(77.7, 77.75))
    )
    band = report.statistics[0]
    assert (
        (band.minimum, band.maximum)
        == (float(got.min()), float(got.max()))
        == tuple(float(got.dtype.type(x)) for x in (77.7, 77.75))
    )


@pytest.mark.parametrize("data_type", FLOATS)
def test_a_number_beyond_float32_is_clamped(bench: Bench, data_type: DataType) -> None:
    """exp(100) is 2.7e43, exp(800) infinite in float64: the first is a number, the second and 1/0 are not."""
    values = [[0.0, 100, 800, 77, -3]]
    got, report = bench.run(job(bench, "exp(a)", values, data_type=data_type, clamp=(None, 1.0)))
    np.testing.assert_allclose(got, [[1, 1, -9999, -9999, np.exp(-3.0)]], rtol=1e-7)
    band = report.statistics[0]
    assert (band.valid, band.nodata, band.not_finite, band.clamped, band.maximum) == (
        3,
        1,
        1,
        1,
        1.0,
    )
    got, report = bench.run(
        job(bench, "0 - exp(a)", values, data_type=data_type, clamp=(-2.0, None))
    )
    np.testing.assert_allclose(got, [[-1, -2, -9999, -9999, -np.exp(-3.0)]], rtol=1e-7)
    got, _ = bench.run(
        job(bench, "1 / a", [[0.0, 1e-40, 2, 3]], data_type=data_type, clamp=(None, 1.0))
    )
    np.testing.assert_allclose(got, [[-9999, 1, 0.5, 1 / 3]], rtol=1e-7)


@pytest.mark.parametrize(
    ("clamp", "expected"),
    [
        ((None, None), -9999),
        ((0.0, None), -9999),
        ((None, 1e300), -9999),
        ((None, 3e38), np.float32(3e38)),
    ],
)
def test_beyond_float32_without_a_clamp_that_float32_holds(
    bench: Bench, clamp: Any, expected: float
) -> None:
    """2.7e43 stays beyond float32, where it is nodata; Float64 holds it."""
    values = [[0.0, 100, 1]]
    got, report = bench.run(job(bench, "exp(a)", values, clamp=clamp))
    assert got[0, 1] == expected and report.statistics[0].not_finite == (expected == -9999)
    got, _ = bench.run(
        job(bench, "exp(a)", values, clamp=(clamp[0], None), data_type=DataType.FLOAT64)
    )
    assert got[0, 1] == np.exp(100.0)


@pytest.mark.parametrize("results", ["x := exp(a); y := a; z := 1 / a", "x := 0 - exp(a) * exp(a)"])
def test_clamped_float32_is_clamped_float64_rounded(bench: Bench, results: str) -> None:
    """For numbers of every size, in several results, nodata and an area of windows between them."""
    rng = np.random.default_rng(5)
    values = rng.normal(0, 60, (300, 500))
    values[rng.random(values.shape) < 0.1] = 77
    values[100:140] = 0
    planes = []
    for data_type in FLOATS:
        bench.run(job(bench, results, values, data_type=data_type, clamp=(-0.3, 12.5)))
        planes.append(bench.read(bench.path("out.tif"), None))
    np.testing.assert_array_equal(planes[0], planes[1].astype(np.float32))
