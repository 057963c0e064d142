# SPDX-License-Identifier: GPL-2.0-or-later
"""An operation with a halo gives what it gives on the whole raster, however the windows are cut."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.layout import ExtentRule, Layout, Resampling
from bandwise.engine.job import BandRef, Job
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.masks import Area, MaskChoice, MaskRule
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from mean_operation import Mean
from scipy import ndimage

NODATA = -9999.0


def means(values: Any, valid: Any) -> Any:
    """The mean of the valid ones of 3 x 3 pixels, by scipy, of the whole raster."""
    sums, counts = (
        ndimage.convolve(array.astype(np.float64), np.ones((3, 3)), mode="constant")
        for array in (np.where(valid, values, 0), valid)
    )
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def pixels(shape: tuple[int, int], seed: int = 1) -> Any:
    values = np.random.default_rng(seed).integers(0, 4000, shape).astype(np.uint16)
    values[: shape[0] // 3, : shape[1] // 4] = 0
    return values


def job(paths: list[str], output: str, **options: Any) -> Job:
    names = "ab"[: len(paths)]
    text = "; ".join(f"m{name} := {name}" for name in names)
    bands = tuple(BandRef(name, path) for name, path in zip(names, paths))
    operation = Mean(tuple(range(len(paths))))
    return Job(bands, named_formula(text, tuple(names)), output, operation=operation, **options)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (257, 511), (900, 1300)])
@pytest.mark.parametrize(("workers", "memory"), [(1, 1), (3, 4), (2, 512)])
@pytest.mark.parametrize("options", ["COMPRESS=NONE", "BLOCKXSIZE=64|BLOCKYSIZE=32", "TILED=NO"])
def test_windows_do_not_matter(
    bench: Bench, shape: tuple[int, int], workers: int, memory: int, options: str
) -> None:
    """Nodata counts for nothing, and so does what lies beyond the raster."""
    values = [pixels(shape, seed) for seed in (1, 2)]
    paths = [
        bench.save(
            f"{name}.tif", array, nodata=0, tiled=min(shape) > 16, blockxsize=48, blockysize=16
        )
        if min(shape) > 16
        else bench.save(f"{name}.tif", array, nodata=0)
        for name, array in zip("ab", values)
    ]
    report = run(
        job(paths, bench.path("m.tif"), workers=workers, memory=memory, creation_options=options)
    )
    assert report.windows > 1 or memory == 512 or shape[0] < 16
    for number, array in enumerate(values, start=1):
        expected = means(array, array != 0)
        right = np.where(np.isnan(expected), NODATA, expected).astype(np.float32)
        np.testing.assert_array_equal(bench.read(bench.path("m.tif"), number), right)


def test_neighbours_beyond_the_result_are_read(bench: Bench) -> None:
    """The result is the part that both rasters have; the larger one goes on beside it."""
    large, small = pixels((120, 160)), pixels((60, 70), 2)
    a = bench.save("a.tif", large)
    b = bench.save("b.tif", small, transform=(10.0, 0.0, 300200.0, 0.0, -10.0, 4999840.0))
    run(job([a, b], bench.path("m.tif"), workers=2, memory=1))
    inside = means(large, np.ones(large.shape, bool))[20:80, 20:90]
    np.testing.assert_array_equal(bench.read(bench.path("m.tif"), 1), inside.astype(np.float32))
    alone = means(small, np.ones(small.shape, bool))
    np.testing.assert_array_equal(bench.read(bench.path("m.tif"), 2), alone.astype(np.float32))


@pytest.mark.parametrize(
    "resampling", [Resampling.NEAREST, Resampling.AVERAGE, Resampling.BILINEAR]
)
def test_resampled_bands_have_neighbours(bench: Bench, resampling: Resampling) -> None:
    """A formula brings the coarse band onto the grid; the mean of that is the operation's result."""
    fine, coarse = pixels((200, 240)), pixels((60, 60), 2)
    a = bench.save("a.tif", fine)
    b = bench.save(
        "b.tif", coarse, nodata=0, transform=(50.0, 0.0, 300000.0, 0.0, -50.0, 5000040.0)
    )
    layout = Layout(resampling=resampling, extent_rule=ExtentRule.INTERSECTION)
    bands = (BandRef("a", a), BandRef("b", b))
    formula = named_formula("x := a * 0 + b", "ab")
    plain = Job(bands, formula, bench.path("plain.tif"), layout=layout, data_type=DataType.FLOAT64)
    run(plain)
    brought = bench.read(bench.path("plain.tif"))
    run(job([a, b], bench.path("m.tif"), layout=layout, memory=1, data_type=DataType.FLOAT64))
    found = bench.read(bench.path("m.tif"), 2)
    right = means(brought, brought != NODATA)
    inner = np.s_[1:-1, 1:-1]  # beyond the result's edge the coarse raster goes on
    right = np.where(np.isnan(right), NODATA, right)
    np.testing.assert_allclose(found[inner], right[inner], rtol=1e-12)


def test_masks_areas_and_integers(bench: Bench) -> None:
    """What the user leaves out is nodata in the result, and still a neighbour; integers are rounded."""
    values = pixels((150, 170))
    mask = (np.random.default_rng(5).random(values.shape) < 0.3).astype(np.uint8)
    a, m = bench.save("a.tif", values, nodata=0), bench.save("mask.tif", mask)
    ring = (
        (300200.0, 4999900.0),
        (301500.0, 4999900.0),
        (301500.0, 4998700.0),
        (300200.0, 4998700.0),
    )
    report = run(
        job(
            [a],
            bench.path("m.tif"),
            workers=3,
            memory=1,
            mask=MaskChoice(m, rule=MaskRule.KEEP_ZERO),
            area=Area((((*ring, ring[0]),),)),
            data_type=DataType.UINT16,
        )
    )
    inside = np.zeros(values.shape, bool)
    inside[14:134, 20:150] = True
    right = means(values, values != 0)
    hidden = ~inside | (mask != 0) | np.isnan(right)
    expected = np.where(hidden, 65535, np.rint(np.nan_to_num(right))).astype(np.uint16)
    np.testing.assert_array_equal(bench.read(bench.path("m.tif")), expected)
    (band,) = report.statistics
    assert band.outside == (~inside).sum() and band.valid == (~hidden).sum()


def test_parallel_is_serial_byte_for_byte(bench: Bench) -> None:
    path = bench.save("a.tif", pixels((900, 1300)), nodata=0)
    for workers in (1, 4):
        output = bench.path(f"{workers}/m.tif")
        run(job([path], output, workers=workers, memory=2, creation_options="COMPRESS=NONE"))
    one, four = (Path(bench.path(f"{workers}/m.tif")).read_bytes() for workers in (1, 4))
    assert one == four


@pytest.mark.parametrize("kind", ["formula", "operation"])
def test_a_plan_pickles(bench: Bench, kind: str) -> None:
    """With mask and area: what comes back is equal, the kernel and what is read among it."""
    values = pixels((64, 80))
    path, mask = (
        bench.save("a.tif", values, nodata=0),
        bench.save("mask.tif", (values % 2).astype(np.uint8)),
    )
    ring = ((300000.0, 5000040.0), (300600.0, 5000040.0), (300600.0, 4999500.0))
    options: dict[str, Any] = {"mask": MaskChoice(mask, rule=MaskRule.KEEP_ZERO)}
    options["area"] = Area((((*ring, ring[0]),),))
    asked = job([path], bench.path("m.tif"), **options)
    plan = prepare(asked if kind == "operation" else asked._replace(operation=None))
    again = pickle.loads(pickle.dumps(plan))
    assert again.kernel == plan.kernel and again.read == plan.read and again.notes == plan.notes
    assert (again.area is not None) and again.mask == plan.mask
