# SPDX-License-Identifier: GPL-2.0-or-later
"""Extents of the result, and grids that cannot meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.warp
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.layout import Extent, ExtentRule, GridRule, Layout, Resampling
from bandwise.engine.job import BandRef, Job
from bandwise.engine.planning.memory import window_plan
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.scaling import RadiometryChoice
from bench import Bench
from resampling_cases import (
    one_band,
    saved,  # noqa: F401  fixtures
)


def test_nodata_masks_and_saturation_do_not_bleed(bench: Bench) -> None:
    """Bilinear between 1000 and whatever is not valid: 1000."""
    values = np.full((40, 40), 1000, np.uint16)
    values[10], values[:, 20] = 0, 65535
    mask = np.ones((40, 40), bool)
    mask[30] = False
    values[30] = 7
    path = bench.save(
        "T33UUP_20230615T101601_B04_20m.tif",
        values,
        nodata=0,
        mask=mask,
        transform=(20, 0, 500000, 0, -20, 5000000),
    )
    target = bench.save(
        "target.tif", np.ones((80, 80), np.uint8), transform=(10, 0, 500000, 0, -10, 5000000)
    )
    bands = (BandRef("a", target), BandRef("b", path))
    job = Job(
        bands,
        named_formula("x := b", ("a", "b")),
        bench.path("out.tif"),
        layout=Layout(),
        radiometry=RadiometryChoice(),
    )
    got = bench.run(job)[0]
    assert set(np.unique(got[np.r_[0:60, 62:80]][:, :38])) == {-9999.0, 1000.0}
    assert (got[60:62] == -9999).all()


def test_classes_come_from_the_nearest_pixel(bench: Bench) -> None:
    """A band that is called SCL, or has a palette, is not averaged: 4 and 8 make no 6."""
    classes = np.where(np.indices((30, 30)).sum(axis=0) % 2, 4, 8).astype(np.uint8)
    path = bench.save(
        "T33UUP_20230615T101601_SCL_20m.tif", classes, transform=(20, 0, 500000, 0, -20, 5000000)
    )
    target = bench.save(
        "target.tif", np.ones((60, 60), np.uint8), transform=(10, 0, 500000, 0, -10, 5000000)
    )
    got = bench.run(one_band(bench, [target, path], "b & 12", Layout(resampling=Resampling.CUBIC)))[
        0
    ]
    np.testing.assert_array_equal(got, np.kron(classes, np.ones((2, 2))))


def test_the_first_of_equal_grids_is_taken_in_degrees_too(bench: Bench) -> None:
    paths = [
        bench.save(
            f"{number}.tif",
            np.ones((50, 60), np.uint16),
            crs="EPSG:4326",
            transform=(1e-4, 0, 100.1 + shift, 0, -1e-4, 50.2),
        )
        for number, shift in enumerate((0, 5e-5))
    ]
    for rule in (GridRule.FINEST, GridRule.COARSEST):
        assert (
            prepare(
                one_band(bench, paths, "a + b", Layout(rule=rule, extent_rule=ExtentRule.GRID))
            ).grid.transform[2]
            == 100.1
        )


def test_an_extent_over_a_mosaic(bench: Bench) -> None:
    paths = [
        bench.save(
            f"{n}.tif",
            np.full((30, 30), n, np.uint16),
            transform=(10, 0, 500000 + 300 * n, 0, -10, 5000000),
        )
        for n in (1, 2)
    ]
    layout = Layout(
        extent_rule=ExtentRule.UNION, extent=Extent(500400, 4999800, 500800, 4999900, "")
    )
    got, _ = bench.run(one_band(bench, paths, "coalesce(a, b)", layout))
    np.testing.assert_array_equal(got, np.repeat([[1] * 20 + [2] * 20], 10, axis=0))


def test_a_grid_across_180_degrees(bench: Bench) -> None:
    """A globe of 0.05 degrees on a grid that begins west of 180 and ends east of it: no hole where
    the globe ends and begins.
    """
    lon = np.cos(np.radians(-180 + 0.05 * (np.arange(7200) + 0.5)))
    globe = bench.save(
        "globe.tif",
        np.broadcast_to(lon, (3600, 7200)).astype(np.float32),
        crs="EPSG:4326",
        transform=(0.05, 0, -180, 0, -0.05, 90),
    )
    target = bench.save(
        "target.tif",
        np.ones((200, 600), np.uint8),
        crs="EPSG:3832",
        transform=(5565, 0, 1700000, 0, -5565, 1000000),
    )
    got, report = bench.run(
        one_band(
            bench, [target, globe], "b", Layout(rule=GridRule.FIRST, extent_rule=ExtentRule.GRID)
        )
    )
    assert report.statistics[0].valid == got.size
    xs = 1700000 + 5565 * (np.arange(600) + 0.5)
    truth = np.cos(
        np.array(rasterio.warp.transform("EPSG:3832", "EPSG:4326", xs, np.full(600, 5e5))[0])
        * np.pi
        / 180
    )
    assert abs(got - truth).max() < 1e-4


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"crs": None}, ["no CRS", "UTM zone 33N"]),
        ({"transform": (10, 0, 900000, 0, -10, 5000000)}, ["no area in common"]),
        ({"crs": "EPSG:32733"}, ["no area in common"]),
    ],
)
def test_inputs_that_cannot_meet_get_one_sentence(
    bench: Bench, saved: Callable[..., str], other: dict[str, Any], words: list[str]
) -> None:
    from bandwise.engine.errors import GridError

    job = one_band(
        bench,
        [saved("10 m", "1.tif"), bench.save("2.tif", np.ones((30, 40), np.uint16), **other)],
        "a + b",
        Layout(),
    )
    before = bench.listing()
    with pytest.raises(GridError) as caught:
        prepare(job)
    assert all(word in str(caught.value) for word in words) and "\n" not in str(caught.value)
    assert bench.listing() == before


def test_inputs_without_a_crs_are_not_resampled(bench: Bench) -> None:
    from bandwise.engine.errors import GridError

    paths = [
        bench.save(f"{size}.tif", np.ones((size, size), np.uint16), crs=None, transform=None)
        for size in (30, 40)
    ]
    with pytest.raises(GridError, match="no CRS"):
        prepare(one_band(bench, paths, "a + b", Layout()))


def test_the_log_says_what_is_resampled_from_what_to_what(
    bench: Bench, saved: Callable[..., str]
) -> None:
    lines, _ = bench.notes(
        one_band(
            bench,
            [saved("10 m", "1.tif"), saved("next zone", "2.tif")],
            "a + b",
            Layout(rule=GridRule.FIRST),
        )
    )
    assert "already" in lines[0]
    assert (
        "resampled (bilinear) from pixels of 10 x 10 in WGS 84 / UTM zone 32N to pixels of 10 x 10 "
        "in WGS 84 / UTM zone 33N" in lines[1]
    )


def test_memory_is_flat_when_inputs_are_resampled(bench: Bench) -> None:
    """A worker takes as much for 4096 pixels a side as for 1024."""
    sizes = {}
    for size in (1024, 4096):
        fine = bench.save(
            f"fine{size}.tif",
            np.ones((size, size), np.uint8),
            tiled=True,
            transform=(10, 0, 500000, 0, -10, 5000000),
        )
        half = bench.save(
            f"half{size}.tif",
            np.ones((size // 2, size // 2), np.uint8),
            tiled=True,
            transform=(20, 0, 500000, 0, -20, 5000000),
        )
        plan = prepare(one_band(bench, [fine, half], "a + b", Layout(), workers=2))
        sizes[size] = window_plan(plan, (512, 512)).memory
    assert sizes[4096] <= sizes[1024] * 1.6 < 200e6
