# SPDX-License-Identifier: GPL-2.0-or-later
"""Inputs on other grids come onto the result's as ``gdalwarp`` brings them there, window by window;
those on it stay as they are.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.layout import Extent, ExtentRule, GridRule, Layout, Resampling
from bandwise.engine.job import BandRef, Job
from bandwise.engine.planning.memory import window_plan
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.scaling import RadiometryChoice
from bench import Bench

UTM = "EPSG:32633"
#: Grids as (CRS, geotransform, (height, width)); all show some of the same place.
GRIDS: dict[str, tuple[str, tuple[float, ...], tuple[int, int]]] = {
    "10 m": (UTM, (10, 0, 500000, 0, -10, 5000000), (700, 600)),
    "20 m": (UTM, (20, 0, 500000, 0, -20, 5000000), (350, 300)),
    "60 m, wider": (UTM, (60, 0, 499400, 0, -60, 5000600), (150, 150)),
    "half a pixel off": (UTM, (10, 0, 500005, 0, -10, 5000005), (700, 600)),
    "15 m": (UTM, (15, 0, 499991, 0, -15, 5000008), (460, 400)),
    "south-up": (UTM, (20, 0, 500000, 0, 20, 4993000), (350, 300)),
    "turned": (UTM, (12, 9, 499000, 9, -12, 5000000), (500, 500)),
    "next zone": ("EPSG:32632", (10, 0, 970000, 0, -10, 5017000), (1400, 1400)),
    "degrees": ("EPSG:4326", (0.00013, 0, 15.0, 0, -0.00009, 45.154), (720, 650)),
    "a CRS without a code": (
        "+proj=laea +lat_0=45 +lon_0=15 +x_0=0 +y_0=0 +datum=WGS84 +units=m",
        (11, 0, 0, 0, -11, 17000),
        (640, 560),
    ),
}
SOURCES = [name for name in GRIDS if name != "10 m"]
METHODS = {
    Resampling.NEAREST: "near",
    Resampling.BILINEAR: "bilinear",
    Resampling.CUBIC: "cubic",
    Resampling.AVERAGE: "average",
    Resampling.CUBIC_SPLINE: "cubicspline",
    Resampling.LANCZOS: "lanczos",
}


@pytest.fixture
def saved(bench: Bench) -> Any:
    """A function from the name of a grid to a raster on it: smooth hills with noise, uint16, a
    stripe and a corner of nodata 0.
    """

    def save(grid: str, name: str, **options: Any) -> str:
        crs, transform, (height, width) = GRIDS[grid]
        rows, columns = np.mgrid[:height, :width]
        values = (
            3000
            + 2000 * np.sin(columns / 40) * np.cos(rows / 60)
            + np.random.default_rng(7).integers(0, 300, (height, width))
        )
        values[height // 3 : height // 3 + 5] = 0
        values[:20, :30] = 0
        return bench.save(
            name, values.astype(np.uint16), crs=crs, transform=transform, **{"nodata": 0, **options}
        )

    return save


def one_band(
    bench: Bench, paths: list[str], expression: str, layout: Layout, **options: Any
) -> Job:
    names = ("a", "b", "c")[: len(paths)]
    bands = tuple(BandRef(name, path) for name, path in zip(names, paths))
    options = {"creation_options": "COMPRESS=NONE", **options}
    return Job(
        bands,
        named_formula(f"x := {expression}", names),
        bench.path("out.tif"),
        layout=layout,
        **options,
    )


def gdalwarp(
    bench: Bench, source: str, target: str, method: str, *, pixels: float = 1
) -> np.ndarray:
    """The source on the target's grid as Float32, NaN where it has no value; so many ``pixels`` of
    the target make one of the source.

    Left to itself gdalwarp takes that number from outlines, which a turned source, or one that ends
    within the target, makes wrong.
    """
    crs, (a, _, left, _, e, top), (height, width) = GRIDS[target]
    box = [left, top + e * height, left + a * width, top]
    out = bench.path("warped.tif")
    Path(out).unlink(missing_ok=True)
    command = [
        "gdalwarp",
        "-q",
        "-et",
        "0",
        "-ovr",
        "NONE",
        "-ot",
        "Float32",
        "-wt",
        "Float32",
        "-dstnodata",
        "nan",
        "-r",
        method,
        "-t_srs",
        crs,
    ]
    command += [
        "-wo",
        f"XSCALE={pixels}",
        "-wo",
        f"YSCALE={pixels}",
        "-te",
        *map(str, box),
        "-ts",
        str(width),
        str(height),
    ]
    subprocess.run([*command, source, out], check=True)
    return bench.read(out)


def bordered(bench: Bench, path: str) -> str:
    """The raster with 40 pixels of nodata around it: else gdalwarp gives pixels that only touch it
    an average of its edge.
    """
    with rasterio.open(path) as dataset:
        transform = dataset.transform * rasterio.Affine.translation(-40, -40)
        return bench.save(
            "bordered.tif",
            np.pad(dataset.read(1), 40),
            crs=dataset.crs,
            transform=tuple(transform)[:6],
            nodata=0,
        )


@pytest.mark.skipif(not shutil.which("gdalwarp"), reason="needs gdalwarp")
@pytest.mark.parametrize("resampling", list(METHODS), ids=lambda resampling: resampling.name)
@pytest.mark.parametrize("source", SOURCES)
def test_a_band_on_another_grid_is_resampled_as_gdalwarp_does(
    bench: Bench, saved: Any, source: str, resampling: Resampling
) -> None:
    target, other = saved("10 m", "target.tif"), saved(source, "source.tif")
    layout = Layout(rule=GridRule.FIRST, extent_rule=ExtentRule.GRID, resampling=resampling)
    got, report = bench.run(one_band(bench, [target, other], "b", layout))
    expected = gdalwarp(
        bench,
        bordered(bench, other) if resampling is Resampling.AVERAGE else other,
        "10 m",
        METHODS[resampling],
    )
    invalid = np.isnan(expected)
    np.testing.assert_array_equal(got == -9999, invalid)
    assert 1000 < invalid.sum() < invalid.size - 1000
    assert report.statistics[0].nodata == invalid.sum()
    if resampling is Resampling.NEAREST:
        np.testing.assert_array_equal(got[~invalid], expected[~invalid])
    else:
        np.testing.assert_allclose(got[~invalid], expected[~invalid], rtol=1e-5)


@pytest.mark.skipif(not shutil.which("gdalwarp"), reason="needs gdalwarp")
@pytest.mark.parametrize("resampling", [Resampling.NEAREST, Resampling.BILINEAR, Resampling.CUBIC])
def test_a_finer_band_comes_onto_a_coarser_grid(
    bench: Bench, saved: Any, resampling: Resampling
) -> None:
    """Averages are compared with exact means elsewhere: gdalwarp gives pixels that only touch the
    source a value of its edge.
    """
    fine, coarse = saved("10 m", "fine.tif"), saved("60 m, wider", "coarse.tif")
    layout = Layout(rule=GridRule.COARSEST, extent_rule=ExtentRule.GRID, resampling=resampling)
    got, _ = bench.run(one_band(bench, [fine, coarse], "a", layout))
    expected = gdalwarp(bench, fine, "60 m, wider", METHODS[resampling], pixels=1 / 6)
    np.testing.assert_array_equal(got == -9999, np.isnan(expected))
    np.testing.assert_allclose(
        got[got != -9999],
        expected[got != -9999],
        rtol=0 if resampling is Resampling.NEAREST else 1e-5,
    )


@pytest.mark.parametrize("source", ["20 m", "turned", "next zone", "15 m"])
@pytest.mark.parametrize("resampling", [Resampling.NEAREST, Resampling.CUBIC])
def test_resampled_pixels_do_not_depend_on_windows_workers_or_memory(
    bench: Bench, saved: Any, source: str, resampling: Resampling
) -> None:
    paths = [saved("10 m", "target.tif"), saved(source, "source.tif")]
    layout = Layout(rule=GridRule.FIRST, extent_rule=ExtentRule.GRID, resampling=resampling)
    once = bench.run(one_band(bench, paths, "a + b", layout, workers=1))[0].tobytes()
    small = "COMPRESS=NONE|BLOCKXSIZE=64|BLOCKYSIZE=128"
    for options in (
        {"workers": 3},
        {"memory": 1},
        {"creation_options": "COMPRESS=NONE|TILED=NO"},
        {"creation_options": small},
    ):
        assert bench.run(one_band(bench, paths, "a + b", layout, **options))[0].tobytes() == once, (
            options
        )


def grid_of(path: str) -> tuple[Any, ...]:
    with rasterio.open(path) as dataset:
        return dataset.crs, tuple(dataset.transform)[:6], dataset.shape


@pytest.mark.parametrize(
    ("rule", "like"),
    [(GridRule.FINEST, 1), (GridRule.FIRST, 0), (GridRule.COARSEST, 2), (GridRule.REFERENCE, 3)],
    ids=str,
)
def test_the_grid_is_that_of_the_raster_that_is_chosen(
    bench: Bench, saved: Any, rule: GridRule, like: int
) -> None:
    """20 m, 10 m (the finest), 60 m; the reference is 15 m."""
    paths = [saved("20 m", "1.tif"), saved("10 m", "2.tif"), saved("60 m, wider", "3.tif")]
    reference = saved("15 m", "4.tif")
    bench.run(
        one_band(
            bench,
            paths,
            "a + b + c",
            Layout(rule=rule, reference=reference, extent_rule=ExtentRule.GRID),
        )
    )
    assert grid_of(bench.path("out.tif")) == grid_of([*paths, reference][like])


def test_the_finest_of_two_crs_is_told_on_the_ground(bench: Bench, saved: Any) -> None:
    """0.00009 degrees are 10 m north and less east: finer than 10 m; 10 < 0.00009 would say the contrary."""
    paths = [saved("20 m", "1.tif"), saved("degrees", "2.tif")]
    bench.run(one_band(bench, paths, "a + b", Layout(extent_rule=ExtentRule.GRID)))
    assert grid_of(bench.path("out.tif")) == grid_of(paths[1])


def test_extents(bench: Bench) -> None:
    """Two rasters of 10 m, 40 x 30 and 20 x 50 pixels, the second 10 columns right and 5 rows down:
    all on one grid, none resampled.
    """
    first = bench.save(
        "1.tif", np.full((30, 40), 3, np.uint16), transform=(10, 0, 500000, 0, -10, 5000000)
    )
    second = bench.save(
        "2.tif", np.full((50, 20), 1, np.uint16), transform=(10, 0, 500100, 0, -10, 4999950)
    )
    lines, _ = bench.notes(one_band(bench, [first, second], "a + b", Layout()))
    assert all("as it is" in line for line in lines), lines
    for rule, origin, shape, valid in (
        (ExtentRule.INTERSECTION, (500100, 4999950), (25, 20), 500),
        (ExtentRule.UNION, (500000, 5000000), (55, 40), 500),
        (ExtentRule.GRID, (500000, 5000000), (30, 40), 500),
    ):
        got, report = bench.run(one_band(bench, [first, second], "a + b", Layout(extent_rule=rule)))
        _, transform, size = grid_of(bench.path("out.tif"))
        assert ((transform[2], transform[5]), size) == (origin, shape), rule
        assert report.statistics[0].valid == valid == (got == 4).sum()
    got, _ = bench.run(
        one_band(bench, [first, second], "coalesce(a, b)", Layout(extent_rule=ExtentRule.UNION))
    )
    assert (
        (got == 3).sum() == 1200
        and (got == 1).sum() == 500
        and (got == -9999).sum() == 55 * 40 - 1700
    )


def test_an_extent_is_made_larger_to_whole_pixels(bench: Bench, saved: Any) -> None:
    path = saved("10 m", "1.tif")
    extent = Extent(500012.0, 4999941.0, 500039.0, 4999969.0, "")
    got = bench.run(one_band(bench, [path], "a", Layout(extent=extent)))[0]
    _, transform, shape = grid_of(bench.path("out.tif"))
    assert (transform[2], transform[5], shape) == (500010.0, 4999970.0, (3, 3))
    np.testing.assert_array_equal(
        got,
        np.where(bench.read(path)[3:6, 1:4] == 0, -9999, bench.read(path)[3:6, 1:4].astype(float)),
    )


def test_an_extent_in_another_crs(bench: Bench, saved: Any) -> None:
    wkt = rasterio.crs.CRS.from_epsg(4326).to_wkt()
    bench.run(
        one_band(
            bench,
            [saved("10 m", "1.tif")],
            "a",
            Layout(extent=Extent(15.01, 45.12, 15.02, 45.13, wkt)),
        )
    )
    with rasterio.open(bench.path("out.tif")) as dataset:
        left, bottom, right, top = rasterio.warp.transform_bounds(
            dataset.crs, wkt, *dataset.bounds, densify_pts=21
        )
        assert (
            left <= 15.01 < left + 3e-4
            and right >= 15.02 > right - 3e-4
            and bottom <= 45.12 < bottom + 3e-4
            and top >= 45.13 > top - 3e-4
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
    bench: Bench, saved: Any, other: dict[str, Any], words: list[str]
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


def test_the_log_says_what_is_resampled_from_what_to_what(bench: Bench, saved: Any) -> None:
    lines, _ = bench.notes(
        one_band(
            bench,
            [saved("10 m", "1.tif"), saved("next zone", "2.tif")],
            "a + b",
            Layout(rule=GridRule.FIRST),
        )
    )
    assert "as it is" in lines[0]
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
