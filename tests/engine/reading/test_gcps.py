# SPDX-License-Identifier: GPL-2.0-or-later
"""Rasters without a geotransform, that lie by ground control points or RPC: those are carried to
the result, or the run is refused.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.errors import GridError
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.layout import Extent, ExtentRule, GridRule, Layout
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.masks import Area, MaskChoice, MaskRule
from bench import Bench
from rasterio.control import GroundControlPoint
from rasterio.rpc import RPC

ROWS, COLUMNS = 300, 700
#: On a plane that is turned and sheared; heights differ.
POINTS = tuple(
    (
        float(row),
        float(column),
        300000 + 9.5 * column + 2.25 * row,
        5000000.125 - 10 * row + 1.5 * column,
        100.0 + row,
    )
    for row in (0, 150, ROWS)
    for column in (0, 350, COLUMNS)
)
COEFFICIENTS = {
    "HEIGHT_OFF": "120", "HEIGHT_SCALE": "500", "LAT_OFF": "10.25", "LAT_SCALE": "0.1",
    "LONG_OFF": "20.5", "LONG_SCALE": "0.1",
    "LINE_OFF": "150", "LINE_SCALE": "150", "SAMP_OFF": "350", "SAMP_SCALE": "350",
    "LINE_NUM_COEFF": "0.001 0 -1" + " 0" * 17, "LINE_DEN_COEFF": "1" + " 0" * 19,
    "SAMP_NUM_COEFF": "0 1.0000001" + " 0" * 18, "SAMP_DEN_COEFF": "1" + " 0" * 19,
}  # fmt: skip


def save(bench: Bench, name: str, values: Any, points: Any = POINTS, **options: Any) -> str:
    placed = (
        {"crs": "EPSG:32633", "gcps": [GroundControlPoint(*point) for point in points]}
        if points
        else {"crs": None}
    )
    return bench.save(name, np.asarray(values, np.uint16), transform=None, **{**placed, **options})


def placed_by(path: str) -> Any:
    with rasterio.open(path) as dataset:
        points, crs = dataset.gcps
        assert dataset.transform.is_identity and dataset.crs is None
        return tuple(
            (point.row, point.col, point.x, point.y, point.z) for point in points
        ), crs and crs.to_epsg()


@pytest.fixture
def pair(bench: Bench) -> tuple[str, str, np.ndarray]:
    near, red = np.mgrid[1 : ROWS + 1, 1 : COLUMNS + 1]
    return save(bench, "nir.tif", near), save(bench, "red.tif", red), (near - red) / (near + red)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"overviews": True},
        {"cog": True, "overviews": True},
        {"creation_options": "TILED=NO|COMPRESS=LZW", "overviews": True},
    ],
    ids=["plain", "overviews", "cog", "strips"],
)
def test_control_points_are_carried(
    bench: Bench, pair: tuple[str, str, np.ndarray], options: Any
) -> None:
    near, red, expected = pair
    lines, _ = bench.notes(bench.job(near, red, **options))
    assert sum("9 ground control points in WGS 84 / UTM zone 33N" in line for line in lines) == 1
    for _ in range(2):
        got, _ = bench.run(bench.job(near, red, **options))
        np.testing.assert_array_equal(got, expected.astype(np.float32))
        assert placed_by(bench.path("ndvi.tif")) == placed_by(near) == (POINTS, 32633)
    with rasterio.open(bench.path("ndvi.tif")) as dataset:
        assert bool(dataset.overviews(1)) is bool(options.get("overviews"))


def test_gdal_warps_the_result_to_where_it_warps_the_input(
    bench: Bench, pair: tuple[str, str, np.ndarray]
) -> None:
    """Both end on one grid, with the same pixels there."""
    near, _, _ = pair
    if not shutil.which("gdalwarp"):
        pytest.skip("gdalwarp is not installed")
    job = Job((BandRef("a", near),), named_formula("a", ("a",)), bench.path("out.tif"))
    bench.run(job)
    for source, target in ((near, "1.tif"), (job.output, "2.tif")):
        subprocess.run(
            [
                "gdalwarp",
                "-q",
                "-order",
                "1",
                "-ot",
                "Float32",
                "-dstnodata",
                "-1",
                source,
                bench.path(target),
            ],
            check=True,
        )
    with rasterio.open(bench.path("1.tif")) as one, rasterio.open(bench.path("2.tif")) as two:
        assert one.transform == two.transform and one.crs == two.crs and one.crs.to_epsg() == 32633
        np.testing.assert_array_equal(one.read(), two.read())
        assert (one.read() > 0).sum() > 1000


@pytest.mark.parametrize("cog", [False, True])
def test_rational_polynomial_coefficients_are_carried(bench: Bench, cog: bool) -> None:
    values = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) % 999
    path = save(bench, "a.tif", values, None, rpcs=RPC.from_gdal(COEFFICIENTS))
    job = Job((BandRef("a", path),), named_formula("a + 1", ("a",)), bench.path("out.tif"), cog=cog)
    got, _ = bench.run(job)
    np.testing.assert_array_equal(got, values + 1)
    with rasterio.open(path) as source, rasterio.open(job.output) as result:
        assert (
            source.rpcs == result.rpcs
            and result.rpcs.long_off == 20.5
            and result.rpcs.samp_num_coeff[1] == 1.0000001
        )
    lines, _ = bench.notes(job)
    assert any("rational polynomial coefficients" in line for line in lines)


def test_a_mask_of_the_same_points(bench: Bench, pair: tuple[str, str, np.ndarray]) -> None:
    near, red, expected = pair
    cloud = np.indices((ROWS, COLUMNS)).sum(axis=0) % 3 == 0
    mask = MaskChoice(save(bench, "mask.tif", cloud), rule=MaskRule.KEEP_ZERO)
    got, _ = bench.run(bench.job(near, red, mask=mask))
    np.testing.assert_array_equal(
        got, np.where(cloud, np.float32(-9999), expected.astype(np.float32))
    )
    assert placed_by(bench.path("ndvi.tif")) == (POINTS, 32633)


def moved(places: Any) -> Any:
    return (*places[:-1], (*places[-1][:2], places[-1][2] + 0.5, *places[-1][3:]))


@pytest.mark.parametrize(
    "other",
    [
        {"points": moved(POINTS)},
        {"points": POINTS[:-1]},
        {"crs": "EPSG:32632"},
        {"points": None},
        {"points": None, "rpcs": RPC.from_gdal(COEFFICIENTS)},
        {"points": None, "crs": "EPSG:32633", "transform": (10, 0, 300000, 0, -10, 5000000)},
        {"rows": ROWS - 1},
    ],
    ids=[
        "a point elsewhere",
        "a point less",
        "another crs",
        "no place",
        "rpc",
        "geotransform",
        "another size",
    ],
)
@pytest.mark.parametrize("role", ["first", "second", "mask", "reference"])
def test_what_lies_otherwise_is_refused_in_one_sentence(
    bench: Bench, role: str, other: Any
) -> None:
    options = dict(other)
    values = np.ones((options.pop("rows", ROWS), COLUMNS), np.uint16)
    points = options.pop("points", POINTS)
    near = save(bench, "near.tif", np.ones((ROWS, COLUMNS)))
    keep = (
        bench.save
        if "transform" in options
        else lambda name, values, **more: save(bench, name, values, points, **more)
    )
    different = keep("other.tif", values, **options)
    layout = (
        Layout(rule=GridRule.REFERENCE, reference=different) if role == "reference" else Layout()
    )
    mask = MaskChoice(different, rule=MaskRule.KEEP_ZERO) if role == "mask" else None
    paths = {"first": (different, near), "second": (near, different)}.get(role, (near, near))
    with pytest.raises(
        GridError,
        match=r"no geotransform, only .*other.*; warp the rasters first, with gdalwarp or QGIS",
    ) as error:
        bench.run(bench.job(*paths, layout=layout, mask=mask))
    assert (
        "near.tif" in str(error.value)
        and "other.tif" in str(error.value)
        and str(error.value).count(".tif") == 2
    )
    assert not [name for name in bench.listing() if "ndvi" in name]


def test_nothing_is_cut_out(bench: Bench, pair: tuple[str, str, np.ndarray]) -> None:
    near, red, _ = pair
    for extent in (
        Extent(300100, 4998000, 302000, 4999000, "EPSG:32633"),
        Extent(10, -200, 90, -50, ""),
        Extent(0, 0, COLUMNS, ROWS, ""),
    ):
        with pytest.raises(
            GridError, match="no extent can be cut out of it; warp the rasters first"
        ):
            bench.run(bench.job(near, red, layout=Layout(extent=extent)))
    square = ((0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0), (0.0, 0.0))
    for crs in ("", rasterio.crs.CRS.from_epsg(32633).to_wkt()):
        with pytest.raises(GridError, match=r"area cannot be laid over them; warp them first"):
            bench.run(bench.job(near, red, area=Area(((square,),), crs)))
    for rule in ExtentRule:
        bench.run(bench.job(near, red, layout=Layout(extent_rule=rule)))
        assert placed_by(bench.path("ndvi.tif")) == (POINTS, 32633)


def test_a_raster_without_any_place_stays_so(bench: Bench) -> None:
    path = save(bench, "a.tif", np.ones((20, 30)), None)
    got, report = bench.run(bench.job(path, path))
    assert (got == 0).all() and placed_by(bench.path("ndvi.tif")) == ((), None)
    assert json.loads(report.estimate)
