# SPDX-License-Identifier: GPL-2.0-or-later
"""The preview: the run's own pixels where it looks, and what it says of itself."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.errors import Cancelled, GridError, InputError, OptionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.execution.preview.run import Preview, preview
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.layout import Extent, ExtentRule, GridRule, Layout, Resampling
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bandwise.engine.radiometry.storage import DataType
from bench import CRS, TRANSFORM, Bench
from pipeline_cases import LAYOUTS, TILED, expected, ramps, scene  # noqa: F401  fixtures

SIDE = 128


def sampled(full: np.ndarray, step: int, column: int = 0, row: int = 0) -> np.ndarray:
    """The middle pixel of each whole cell of ``step`` x ``step`` pixels."""
    rows, columns = (full.shape[0] - row) // step, (full.shape[1] - column) // step
    half = step // 2
    return full[row + half :: step, column + half :: step][:rows, :columns]


def wkt(name: str) -> str:
    return str(rasterio.crs.CRS.from_string(name).to_wkt(version="WKT2_2019"))


def with_nan(stored: np.ndarray) -> np.ndarray:
    return np.where(stored == -9999, np.nan, stored.astype(np.float64))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pixels_are_those_of_the_run_where_it_looks(
    bench: Bench,
    scene: Any,
    layout: str,
) -> None:
    paths = scene(layout)
    shown = preview(bench.job(*paths, workers=2), side=SIDE)
    step = shown.region.step
    truth = with_nan(sampled(expected(*ramps()), step))
    if shown.region.levels:  # of JPEG 2000: what is between goes in
        assert layout == "jpeg2000"
        assert shown.values[0].shape == truth.shape
        return
    assert step == -(-1300 // SIDE)
    np.testing.assert_array_equal(shown.values[0], truth)
    for name, values in zip(shown.input_names, shown.inputs):
        stored = ramps()[("nir", "red").index(name)].astype(float)
        stored[(stored == 0) & (name == "nir")] = np.nan
        np.testing.assert_array_equal(values, sampled(stored, step))


def test_statistics_and_histogram_are_those_of_the_pixels_shown(bench: Bench, scene: Any) -> None:
    shown = preview(bench.job(*scene("tiled")), side=SIDE)
    valid = shown.values[0][np.isfinite(shown.values[0])]
    band = shown.statistics[0]
    assert band.valid == valid.size
    assert (band.minimum, band.maximum) == (valid.min(), valid.max())
    assert band.mean == pytest.approx(valid.mean(), rel=1e-9)
    assert band.standard_deviation == pytest.approx(valid.std(), rel=1e-6)
    counts, low, high = shown.histogram(0)
    truth, _ = np.histogram(valid, 256, (valid.min(), valid.max()))
    assert (low, high) == (valid.min(), valid.max())
    assert counts.sum() == valid.size and np.abs(counts - truth).max() <= 2  # edges of bins
    assert shown.nodata_share(0) == pytest.approx(1 - valid.size / shown.values[0].size)
    assert shown.stretch(0) == pytest.approx(tuple(np.percentile(valid, [2, 98])))


def test_a_few_values_far_away_leave_the_others_their_bars(bench: Bench) -> None:
    """0 to 9999, and 1e9 twice: the second and 98th percentile are about 200 and 9800."""
    values = np.arange(10000.0).reshape(100, 100)
    values[50, 50] = values[60, 60] = 1e9
    paths = bench.save("n.tif", values), bench.save("r.tif", values)
    job = bench.job(*paths)._replace(formula=named_formula("x := nir", ("nir", "red")))
    counts, low, high = preview(job).histogram(0)
    assert low == 0 and 9999 < high < 20000
    assert counts.sum() == 10000 and counts[-1] == 2 and (counts[:100] > 0).all()


def test_its_mean_is_that_of_the_run_within_the_sampling(bench: Bench, scene: Any) -> None:
    job = bench.job(*scene("tiled"))
    shown, report = preview(job, side=256).statistics[0], run(job).statistics[0]
    error = 4 * report.standard_deviation / np.sqrt(shown.valid)
    assert abs(shown.mean - report.mean) < error
    assert report.minimum <= shown.minimum and shown.maximum <= report.maximum


def test_nothing_is_written(bench: Bench, scene: Any) -> None:
    paths = scene("tiled")
    before = bench.listing()
    preview(bench.job(*paths), side=SIDE)
    assert bench.listing() == before


def test_a_small_raster_is_shown_as_it_is(bench: Bench) -> None:
    nir, red = (np.arange(1, 61, dtype=np.float32).reshape(5, 12) * factor for factor in (3, 1))
    shown = preview(bench.job(bench.save("n.tif", nir), bench.save("r.tif", red)))
    assert (shown.region.step, shown.values.shape) == (1, (1, 5, 12))
    np.testing.assert_array_equal(shown.values[0], np.full((5, 12), 0.5))
    assert "as in the run" in str(shown.summary())


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (2, 257)])
def test_any_shape_is_shown(bench: Bench, size: tuple[int, int]) -> None:
    values = np.full(size, 3, np.float32)
    shown = preview(
        bench.job(bench.save("n.tif", values), bench.save("r.tif", values / 3)), side=16
    )
    assert max(shown.values.shape) <= 16 and np.all(shown.values == 0.5)


def test_overviews_are_read_where_there_are_any(bench: Bench) -> None:
    """Averages of 2 x 2, 4 x 4 and 8 x 8 pixels of a ramp of columns, which GDAL builds."""
    ramp = np.tile(np.arange(1024, dtype=np.float32), (1024, 1))
    path, other = bench.save("a.tif", ramp, **TILED), bench.save("b.tif", ramp * 0, **TILED)
    for each in (path, other):
        with rasterio.open(each, "r+") as dataset:
            dataset.build_overviews([2, 4, 8], rasterio.enums.Resampling.average)
    shown = preview(bench.job(path, other), side=128)
    assert shown.region.levels and "overviews" in str(shown.summary())
    nir = shown.inputs[shown.input_names.index("nir")]
    np.testing.assert_array_equal(nir, np.tile(ramp[0].reshape(-1, 8).mean(1), (128, 1)))


def test_classes_are_never_averages(bench: Bench) -> None:
    """A checkerboard of the classes 4 (vegetation) and 9 (cloud): an average would be neither."""
    scl = np.where(np.add(*np.indices((512, 512))) % 2, 4, 9).astype(np.uint8)
    mask = bench.save("SCL.tif", scl, **TILED)
    with rasterio.open(mask, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], rasterio.enums.Resampling.average)
    nir = bench.save("n.tif", np.full((512, 512), 3, np.uint16))
    red = bench.save("r.tif", np.full((512, 512), 1, np.uint16))
    choice = MaskChoice(mask, rule=MaskRule.SCL)
    shown = preview(bench.job(nir, red, mask=choice), side=171)
    assert shown.region.step == 3
    kept = sampled(scl, 3) == 4
    assert np.array_equal(np.isfinite(shown.values[0]), kept) and 0 < kept.mean() < 1


def test_bands_of_two_resolutions_meet(bench: Bench) -> None:
    """Red at 10 m and NIR at 20 m, both the same function of the place."""
    y, x = np.indices((600, 600)) + 0.5
    fine = (x + 2 * y).astype(np.float32)
    coarse = fine.reshape(300, 2, 300, 2).mean((1, 3))
    transform = (20.0, 0.0, TRANSFORM[2], 0.0, -20.0, TRANSFORM[5])
    job = bench.job(bench.save("n.tif", coarse, transform=transform), bench.save("r.tif", fine))
    shown = preview(job, side=100)
    assert shown.grid.pixel_size == (60, 60)
    near, visible = (shown.inputs[shown.input_names.index(name)] for name in ("nir", "red"))
    assert np.abs(near - visible).max() <= 1.5  # half a pixel of 20 m along both axes
    full = with_nan(bench.ndvi(*[ref.path for ref in job.bands]))
    assert np.abs(shown.values[0] - sampled(full, 6)).max() < 0.1


def test_the_extent_is_that_of_the_map(bench: Bench, scene: Any) -> None:
    left, top = TRANSFORM[2] + 10 * 301, TRANSFORM[5] - 10 * 207
    extent = Extent(left, top - 10 * 400, left + 10 * 500, top, wkt(CRS))
    shown = preview(bench.job(*scene("tiled")), extent, side=100)
    assert shown.region.window == (301, 207, 500, 400) and shown.region.step == 5
    truth = sampled(expected(*ramps())[207:607, 301:801], 5)
    np.testing.assert_array_equal(shown.values[0], with_nan(truth))


def test_a_far_extent_shows_the_whole_or_says_so(bench: Bench, scene: Any) -> None:
    job = bench.job(*scene("tiled"))
    world = Extent(-180, -85, 180, 85, wkt("EPSG:4326"))
    assert preview(job, world, side=64).region.window == (0, 0, 1300, 1100)
    with pytest.raises(GridError, match="outside of the extent"):
        preview(job, Extent(0, 0, 100, 100, wkt(CRS)), side=64)


@pytest.mark.parametrize("rule", [GridRule.FINEST, GridRule.COARSEST])
@pytest.mark.parametrize("extent_rule", [ExtentRule.INTERSECTION, ExtentRule.UNION])
def test_other_grids_and_crs_are_resampled(
    bench: Bench, rule: GridRule, extent_rule: ExtentRule
) -> None:
    """3 and 1 everywhere: NDVI is 0.5 wherever there are both."""
    moved = (30.0, 0.0, TRANSFORM[2] + 1234, 0.0, -30.0, TRANSFORM[5] - 777)
    nir = bench.save("n.tif", np.full((900, 900), 3, np.float32))
    red = bench.save("r.tif", np.full((300, 300), 1, np.float32), transform=moved)
    layout = Layout(rule, extent_rule=extent_rule, resampling=Resampling.CUBIC)
    job = bench.job(nir, red, layout=layout)
    shown, report = preview(job, side=60), run(job).statistics[0]
    assert np.nanmin(shown.values) == pytest.approx(0.5) == pytest.approx(np.nanmax(shown.values))
    share = report.valid / (report.valid + report.invalid)
    assert 1 - shown.nodata_share(0) == pytest.approx(share, abs=0.05)


def test_scaled_types_are_shown_as_values(bench: Bench, scene: Any) -> None:
    choice = RadiometryChoice(Scaling.CUSTOM, 0.0001, -0.1)
    job = bench.job(*scene("tiled"), scaling=choice, data_type=DataType.INT16_SCALED)
    shown = preview(job, side=SIDE)
    stored = bench.run(job)[0]
    truth = np.where(stored == -32768, np.nan, stored / 10000)
    np.testing.assert_allclose(shown.values[0], sampled(truth, shown.region.step), atol=1e-12)
    nir = shown.inputs[shown.input_names.index("nir")]
    row = sampled(ramps()[0].astype(float), shown.region.step)[0]
    np.testing.assert_allclose(nir[0], row * 0.0001 - 0.1, atol=1e-12)


def test_every_result_of_several(bench: Bench, scene: Any) -> None:
    nir, red = scene("tiled")
    formula = named_formula("sum := nir + red; twice := 2 * nir", ("nir", "red"))
    job = bench.job(nir, red)._replace(formula=formula)
    shown = preview(job, side=SIDE)
    assert shown.names == ("sum", "twice")
    near, visible = (sampled(values.astype(float), shown.region.step) for values in ramps())
    near[near == 0] = np.nan
    np.testing.assert_array_equal(shown.values, np.stack([near + visible, 2 * near]))


def test_a_large_raster_without_overviews_is_shown_in_its_middle(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, scene: Any
) -> None:
    from bandwise.engine.execution.preview import region

    monkeypatch.setattr(region, "_MOST_BYTES", 1_500_000)
    shown = preview(bench.job(*scene("tiled")), side=SIDE)
    assert shown.region.is_centre and "Only the middle" in str(shown.summary())
    column, row, width, height = shown.region.window
    assert abs(2 * column + width - 1300) <= 4 and abs(2 * row + height - 1100) <= 4
    full = expected(*ramps())[row : row + height, column : column + width]
    np.testing.assert_array_equal(shown.values[0], with_nan(sampled(full, shown.region.step)))


@pytest.mark.parametrize(
    "transform", [(10, 0, 3e5, 0, 10, 5e6), (6, 8, 3e5, 8, -6, 5e6), (-10, 0, 3e5, 0, -10, 5e6)]
)
def test_mirrored_and_rotated_grids(bench: Bench, transform: tuple[float, ...]) -> None:
    nir = np.arange(200 * 300, dtype=np.float32).reshape(200, 300) + 1
    paths = [
        bench.save(name, values, transform=transform)
        for name, values in (("n.tif", nir), ("r.tif", nir * 0 + 1))
    ]
    shown = preview(bench.job(*paths), side=100)
    inputs = shown.inputs[shown.input_names.index("nir")]
    np.testing.assert_array_equal(inputs, sampled(nir, 3))
    assert shown.grid.transform == tuple(
        factor * number for factor, number in zip((3, 3, 1) * 2, transform)
    )


def test_control_points_and_no_georeference(bench: Bench) -> None:
    from rasterio.control import GroundControlPoint as Point

    values = np.arange(1, 1 + 90 * 120, dtype=np.uint16).reshape(90, 120)
    points = [Point(row, column, column, -row) for row in (0, 90) for column in (0, 120)]
    for gcps in (points, None):
        options: dict[str, Any] = {"crs": None, "transform": None}
        paths = [bench.save(f"{bool(gcps)}_{n}.tif", values, **options) for n in range(2)]
        if gcps:
            for path in paths:
                with rasterio.open(path, "r+") as dataset:
                    dataset.gcps = (gcps, rasterio.crs.CRS.from_epsg(4326))
        shown = preview(bench.job(*paths), Extent(0, 0, 50, 50, ""), side=30)
        cut = shown.region.window
        part = values[cut.row : cut.row + cut.height, cut.column : cut.column + cut.width]
        np.testing.assert_array_equal(shown.inputs[0], sampled(part, shown.region.step))
        assert (cut == (0, 0, 120, 90)) is bool(gcps)


def test_masks_of_the_file_hide_pixels(bench: Bench) -> None:
    values = np.full((300, 300), 2, np.float32)
    mask = np.add(*np.indices((300, 300))) % 3 > 0
    paths = [bench.save("n.tif", values, mask=mask), bench.save("r.tif", values)]
    shown = preview(bench.job(*paths), side=75)
    np.testing.assert_array_equal(np.isfinite(shown.values[0]), sampled(mask, 4))


def test_nothing_but_nodata(bench: Bench) -> None:
    zeros = np.zeros((300, 300), np.uint16)
    paths = [bench.save(name, zeros, nodata=0) for name in ("n.tif", "r.tif")]
    shown = preview(bench.job(*paths), side=64)
    assert shown.nodata_share(0) == 1 and shown.stretch(0) is None
    assert shown.statistics[0].valid == 0 and not shown.histogram(0)[0].any()


def test_bad_input_is_the_runs_sentence(bench: Bench) -> None:
    job = bench.job(bench.path("absent.tif"), bench.path("absent.tif"))
    with pytest.raises(InputError, match="does not exist"):
        preview(job)


def test_a_composite_says_that_it_has_none(bench: Bench) -> None:
    with pytest.raises(OptionError, match="no preview"):
        preview(bench.job("n.tif", "r.tif")._replace(composite=object()))


def test_a_cancel_ends_it_and_the_next_one_is_whole(bench: Bench, scene: Any) -> None:
    job = bench.job(*scene("tiled"))
    threads = threading.active_count()
    with pytest.raises(Cancelled):
        preview(job, side=SIDE, cancelled=lambda: True)
    deadline = time.monotonic() + 5
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == threads
    first, second = (preview(job, side=SIDE) for _ in range(2))
    assert isinstance(first, Preview)
    np.testing.assert_array_equal(first.values, second.values)
