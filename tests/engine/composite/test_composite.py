# SPDX-License-Identifier: GPL-2.0-or-later
"""Statistics over the scenes of a season, held to numpy in float64."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.compute.composite.statistic import Statistic
from bandwise.engine.errors import Cancelled
from bandwise.engine.execution.pipeline import dry_run, run
from bandwise.engine.grids.layout import Extent, ExtentRule, Layout
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.masks import Area, MaskChoice, MaskRule
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from composite_cases import ALL, CLOUDS, composite, expected, job, product, season

RUNNING = (
    *(Statistic.MEAN, Statistic.MINIMUM, Statistic.MAXIMUM),
    *(Statistic.COUNT, Statistic.DATE_OF_MAXIMUM),
)


@pytest.mark.parametrize(
    "statistics", [ALL, RUNNING, (Statistic.MEDIAN,)], ids=["all", "running", "median"]
)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_statistics_are_numpys(bench: Bench, count: int, statistics: Any) -> None:
    """Clouds by SCL of 20 m, nodata, saturation, and an offset that differs from scene to scene."""
    made = season(bench, count)
    found = composite(bench, [scene.path for scene in made], statistics=statistics, percentile=37.5)
    assert len(found) == len(statistics)
    for band, statistic in zip(found, statistics):
        right = expected(made, statistic, 37.5)
        np.testing.assert_allclose(band, right, rtol=1e-6, atol=1e-7, err_msg=statistic.name)
    assert np.isnan(found[0][:3, :4]).all()


def test_float64_is_exact(bench: Bench) -> None:
    made = season(bench, 5)
    found = composite(
        bench, [scene.path for scene in made], statistics=ALL, data_type=DataType.FLOAT64
    )
    for band, statistic in zip(found, ALL):
        np.testing.assert_allclose(band, expected(made, statistic), rtol=1e-12, atol=1e-14)


def test_integers_are_rounded_once(bench: Bench) -> None:
    made = season(bench, 4)
    found = composite(
        bench,
        [scene.path for scene in made],
        statistics=(Statistic.MEDIAN, Statistic.MAXIMUM),
        data_type=DataType.INT16_SCALED,
    )
    for band, statistic in zip(found, (Statistic.MEDIAN, Statistic.MAXIMUM)):
        right = expected(made, statistic)
        clamped = np.clip(np.rint(right * 10000), -32767, 32767)
        np.testing.assert_array_equal(band, np.where(np.isnan(right), -32768, clamped))


def test_of_equal_maxima_the_first_date_counts(bench: Bench) -> None:
    values = np.full((6, 8), 3000, np.uint16)
    made = [
        product(bench, date, values, values * 2)
        for date in ("2022-06-11", "2022-06-01", "2022-06-21")
    ]
    (found,) = composite(
        bench, [scene.path for scene in made], statistics=(Statistic.DATE_OF_MAXIMUM,)
    )
    assert (found == made[1].day).all()


def test_windows_and_threads_do_not_matter(bench: Bench) -> None:
    made = season(bench, 3, (300, 700), BLOCKXSIZE="128", BLOCKYSIZE="128")
    paths = [scene.path for scene in made]
    files = []
    runs: tuple[dict[str, Any], ...] = {"workers": 1}, {"workers": 3, "memory": 12}
    for number, options in enumerate(runs):
        asked = job(
            bench,
            paths,
            statistics=ALL,
            output=f"{number}/out.tif",
            creation_options="COMPRESS=NONE",
            **options,
        )
        report = run(asked)
        files.append(Path(asked.output).read_bytes())
        assert report.windows > 1 or not number
    assert files[0] == files[1]
    found = bench.read(asked.output, None)
    for band, statistic in zip(found, ALL):
        right = np.nan_to_num(expected(made, statistic), nan=-9999)
        np.testing.assert_allclose(band, right, rtol=1e-6, atol=1e-7)


def test_clouds_may_stay(bench: Bench) -> None:
    made = season(bench, 3)
    kept = composite(
        bench, [scene.path for scene in made], clouds=None, statistics=(Statistic.COUNT,)
    )
    assert kept.sum() > expected(made, Statistic.COUNT).sum()
    snow = CLOUDS._replace(keep=(11,))
    only = composite(
        bench, [scene.path for scene in made], clouds=snow, statistics=(Statistic.COUNT,)
    )
    assert 0 < only.sum() < expected(made, Statistic.COUNT).sum()


def test_scenes_on_other_grids(bench: Bench) -> None:
    """One lies 20 pixels to the east and south, on the same grid: the union has pixels of either alone."""
    first, second = season(bench, 2)
    numbers = np.random.default_rng(9)
    red, nir = (numbers.integers(1500, 9000, (60, 80), np.uint16) for _ in range(2))
    moved = product(
        bench,
        "2022-07-01",
        red,
        nir,
        np.full((30, 40), 4, np.uint8),
        transform=(10.0, 0.0, 300200.0, 0.0, -10.0, 4999840.0),
    )
    paths = [each.path for each in (first, second, moved)]
    whole = np.full((3, 80, 100), np.nan)
    for plane, scene in zip(whole, (first, second)):
        plane[:60, :80] = scene.ndvi
    whole[2, 20:, 20:] = moved.ndvi
    union = Layout(extent_rule=ExtentRule.UNION)
    statistics = (Statistic.MEAN, Statistic.COUNT)
    mean, count = composite(bench, paths, layout=union, statistics=statistics)
    np.testing.assert_array_equal(count, (~np.isnan(whole)).sum(axis=0))
    with np.errstate(all="ignore"):
        right = np.nansum(whole, axis=0) / (~np.isnan(whole)).sum(axis=0)
    np.testing.assert_allclose(mean, right, rtol=1e-6, atol=1e-7)
    inner = composite(bench, paths, statistics=(Statistic.COUNT,))
    np.testing.assert_array_equal(inner[0], count[20:60, 20:80])


def test_a_scene_of_larger_pixels_is_resampled(bench: Bench) -> None:
    fine = season(bench, 1)[0]
    coarse = product(
        bench,
        "2022-07-01",
        np.full((30, 40), 3000, np.uint16),
        np.full((30, 40), 5000, np.uint16),
        transform=(20.0, 0.0, 300000.0, 0.0, -20.0, 5000040.0),
    )
    (found,) = composite(bench, [fine.path, coarse.path], statistics=(Statistic.MAXIMUM,))
    np.testing.assert_allclose(found, np.fmax(fine.ndvi, 2 / 6), rtol=1e-6)


def test_mask_area_and_extent_are_of_the_result(bench: Bench) -> None:
    made = season(bench, 3)
    mask = np.zeros((60, 80), np.uint8)
    mask[:30] = 1
    path = bench.save("mask.tif", mask)
    ring = (
        (300100.0, 5000040.0),
        (300600.0, 5000040.0),
        (300600.0, 4999440.0),
        (300100.0, 4999440.0),
    )
    asked = job(
        bench,
        [scene.path for scene in made],
        statistics=(Statistic.MEDIAN, Statistic.COUNT),
        mask=MaskChoice(path, rule=MaskRule.KEEP_ZERO),
        area=Area((((*ring, ring[0]),),)),
        layout=Layout(extent=Extent(300000.0, 4999640.0, 300800.0, 5000040.0, "")),
    )
    report = run(asked)
    found = bench.read(asked.output, None)
    right = np.nan_to_num(expected(made, Statistic.MEDIAN), nan=-9999)[:40]
    hidden = np.ones((40, 80), bool)
    hidden[30:, 10:60] = False
    np.testing.assert_allclose(found[0], np.where(hidden, -9999, right), rtol=1e-6, atol=1e-7)
    count = expected(made, Statistic.COUNT)[:40]
    np.testing.assert_array_equal(found[1], np.where(hidden, -9999, count))
    assert report.statistics[1].outside == 40 * 30 and report.statistics[1].masked == 30 * 50


def test_an_expression_over_roles_and_names(bench: Bench) -> None:
    made = season(bench, 3)
    paths = [scene.path for scene in made]
    named = composite(
        bench, paths, "x := (nir - B04) / (B08 + red)", statistics=(Statistic.MEDIAN,)
    )
    np.testing.assert_allclose(named[0], expected(made, Statistic.MEDIAN), rtol=1e-6, atol=1e-7)
    with rasterio.open(bench.path("composite.tif")) as dataset:
        assert dataset.descriptions == ("x_median",)
    asked = job(bench, paths, "red", statistics=(Statistic.MEDIAN,))
    assert [result.name for result in asked.formula.results] == ["index_median"]


def test_constants(bench: Bench) -> None:
    values = np.full((6, 8), 3000, np.uint16)
    made = product(bench, "2022-06-11", values, values * 2)
    (found,) = composite(bench, [made.path], "SAVI", constants="L=0.25")
    np.testing.assert_allclose(found, 1.25 * 0.3 / (0.7 + 0.25), rtol=1e-6)


def test_bands_are_named_and_tagged(bench: Bench) -> None:
    made = season(bench, 3)
    asked = job(bench, [scene.path for scene in made], statistics=ALL, percentile=25)
    run(asked)
    with rasterio.open(asked.output) as dataset:
        assert dataset.descriptions == (
            *("NDVI_median", "NDVI_mean", "NDVI_minimum", "NDVI_maximum"),
            *("NDVI_p25", "NDVI_count", "NDVI_date_of_maximum"),
        )
        assert dataset.tags(5)["BANDWISE_STATISTIC"] == "percentile 25"
        assert dataset.tags(7)["BANDWISE_STATISTIC"].endswith("days since 1970-01-01")
        assert dataset.tags(1)["BANDWISE_INDEX"] == "NDVI"
        tags = dataset.tags()
    assert tags["BANDWISE_FORMULA_1"] == "NDVI_median = (nir - red) / (nir + red)"
    scenes = json.loads(tags["BANDWISE_SCENES"])
    assert [scene["date"] for scene in scenes] == [scene.date for scene in made]
    assert scenes[1]["bands"] == {"nir": "nir_2", "red": "red_2"} and "SCL" in scenes[1]["mask"]
    facts = json.loads(tags["BANDWISE_INPUT_RED_2"])
    assert facts["offset"] == 0 and json.loads(tags["BANDWISE_INPUT_RED_1"])["offset"] == -0.1


def test_a_dry_run_writes_nothing(bench: Bench) -> None:
    made = season(bench, 2)
    facts = json.loads(dry_run(job(bench, [scene.path for scene in made])))
    assert [scene["date"] for scene in facts["scenes"]] == [scene.date for scene in made]
    assert not Path(bench.path("composite.tif")).exists()


def test_a_plan_pickles(bench: Bench) -> None:
    """So that it can be run elsewhere: what comes back has the same scenes, masks and bounds."""
    plan = prepare(job(bench, [scene.path for scene in season(bench, 2)], statistics=ALL))
    again = pickle.loads(pickle.dumps(plan))
    assert again.composite is not None and plan.composite is not None
    assert repr(again.composite) == repr(plan.composite)
    assert again.notes == plan.notes and len(again.reads) == 2


def test_two_runs_and_another_in_one_session(bench: Bench) -> None:
    made = season(bench, 3)
    paths = [scene.path for scene in made]
    first = composite(bench, paths)
    fewer = composite(bench, paths[:2])
    again = composite(bench, paths)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(fewer[0], expected(made[:2], Statistic.MEDIAN), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("after", [0, 3])
def test_a_cancelled_run_leaves_nothing(bench: Bench, after: int) -> None:
    made = season(bench, 3, (700, 700))
    asked = job(bench, [scene.path for scene in made], memory=8)
    before, calls = bench.listing(), []

    def cancelled() -> bool:
        calls.append(0)
        return len(calls) > after

    with pytest.raises(Cancelled):
        run(asked, cancelled=cancelled)
    assert bench.listing() == before
