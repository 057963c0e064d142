# SPDX-License-Identifier: GPL-2.0-or-later
"""One rule for the grid of band math: only rasters that the expression uses count, in the order of their letters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.grids.layout import ExtentRule, GridRule, Layout
from bandwise.engine.job import Job
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.planning.plan import prepare
from bench import Bench

#: Letter to pixel size and left edge: A and C are as large as each other, and half a pixel apart; E
#: covers nothing of the others.
RASTERS = {
    "A": (20, 500000),
    "B": (10, 500000),
    "C": (20, 500010),
    "D": (60, 500000),
    "E": (5, 900000),
}
FIRST, FINEST, COARSEST = GridRule.FIRST, GridRule.FINEST, GridRule.COARSEST


@pytest.fixture
def math(bench: Bench) -> Callable[..., Job]:
    """A function from (expression, rule) to a job over all the rasters, each of which holds the
    number of its letter.
    """

    def job(text: str, rule: GridRule, **more: Any) -> Any:
        rasters = []
        for number, (letter, (size, left)) in enumerate(RASTERS.items(), start=1):
            transform = (size, 0, left, 0, -size, 5000000)
            rasters.append(
                (
                    f"layer {letter}",
                    bench.save(
                        f"{letter}.tif",
                        np.full((1200 // size,) * 2, number, np.uint16),
                        transform=transform,
                    ),
                )
            )
        layout = Layout(rule=rule, extent_rule=ExtentRule.GRID, **more)
        return bandmath_job(rasters, text, bench.path("out.tif"), layout=layout)

    return job


@pytest.mark.parametrize(
    ("text", "rule", "like"),
    [
        ("D - B", FIRST, "B"),
        ("D - B - A", FIRST, "A"),
        ("D", FIRST, "D"),
        ("D - B", FINEST, "B"),
        ("D - B", COARSEST, "D"),
        ("C - A", FIRST, "A"),
        ("C - A", FINEST, "A"),
        ("C - A", COARSEST, "A"),
        ("im3b1 + im2b1", FIRST, "B"),
        ('"layer D@1" + "layer C@1"', FIRST, "C"),
        ("1", FIRST, "A"),
        ("1", FINEST, "A"),
        ("1", COARSEST, "A"),
    ],
)
def test_the_raster_whose_grid_is_taken(
    bench: Bench, math: Callable[..., Job], text: str, rule: GridRule, like: str
) -> None:
    """E is never used, although it is the finest; C and A tie, and A comes first."""
    bench.run(math(text, rule))
    with rasterio.open(bench.path("out.tif")) as dataset:
        assert (dataset.transform.a, dataset.transform.c) == RASTERS[like]


def test_bands_mean_what_they_did_in_whatever_order_they_are_named(
    bench: Bench, math: Callable[..., Job]
) -> None:
    """D, A and B hold 4, 1 and 2, each its own number."""
    got, _ = bench.run(math("D * 100 + A * 10 + B; A - D", FIRST))
    np.testing.assert_array_equal(got, np.full((60, 60), 412))
    np.testing.assert_array_equal(bench.read(bench.path("out.tif"), 2), np.full((60, 60), -3))
    with rasterio.open(bench.path("out.tif")) as dataset:
        tags = dataset.tags()
    assert [name for name in tags if name.startswith("BANDWISE_INPUT")] == [
        f"BANDWISE_INPUT_{letter}@1" for letter in "ABD"
    ]
    assert tags["BANDWISE_FORMULA_1"].endswith("= ((D@1 * 100) + (A@1 * 10)) + B@1")


def test_a_raster_that_is_not_used_is_told(bench: Bench, math: Callable[..., Job]) -> None:
    lines, _ = bench.notes(math("D - B", FIRST))
    (line,) = (line for line in lines if "Not used by the expression" in line)
    assert line.endswith("A = A.tif; C = C.tif; E = E.tif") and "grid" in line
    lines, _ = bench.notes(bandmath_job([("a", bench.path("A.tif"))], "A", bench.path("out.tif")))
    assert not any("Not used" in line for line in lines)


def test_a_reference_without_the_rule_is_told(bench: Bench, math: Callable[..., Job]) -> None:
    """The first input is no reference."""
    job = math("D - B", FIRST, reference=bench.path("A.tif"))
    assert prepare(job).grid.transform[0] == RASTERS["B"][0]
    assert any("reference is given but grid rule does not" in line for line in bench.notes(job)[1])
