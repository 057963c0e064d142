# SPDX-License-Identifier: GPL-2.0-or-later
"""GDAL through rasterio and through osgeo: the same bytes, and nothing of the host's is changed."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.arrays import NDArray
from bandwise.engine.backend.api import Backend, CreationSpec, Polygon
from bandwise.engine.backend.captured import GdalMessages
from bandwise.engine.backend.choice import listening, using
from bandwise.engine.backend.failures import RasterFailure
from bandwise.engine.backend.gdal_settings import gdal_name
from bandwise.engine.grids.grid import Grid, Window
from bandwise.engine.grids.layout import Resampling
from bench import Bench

gdal = pytest.importorskip("osgeo.gdal", reason="a wheel of rasterio alone")
from bandwise.engine.backend.osgeo_.library import OsgeoBackend  # noqa: E402
from bandwise.engine.backend.rasterio_.library import RasterioBackend  # noqa: E402

if RasterioBackend.gdal_version != OsgeoBackend.gdal_version:
    pytest.skip("a wheel of rasterio has a GDAL of its own", allow_module_level=True)

BOTH: tuple[Backend, Backend] = (RasterioBackend(), OsgeoBackend())
UTM = Grid(
    crs=BOTH[0].wkt_of_code(32633),
    transform=(10.0, 0.0, 300000.0, 0.0, -10.0, 5000040.0),
    width=700,
    height=600,
)
#: The same place in degrees, and on pixels of 7 m that are turned a little.
DEGREES = Grid(
    crs=BOTH[0].wkt_of_code(4326),
    transform=(0.0001, 0.0, 12.455, 0.0, -0.00009, 45.125),
    width=800,
    height=500,
)
TURNED = Grid(crs=UTM.crs, transform=(7, 0.4, 300003, 0.3, -7, 5000030), width=300, height=400)


def holed(dtype: str) -> NDArray[np.floating[Any]]:
    """Random numbers of the grid's shape, a twentieth of them NaN."""
    random = np.random.default_rng(7)
    values = random.random((UTM.height, UTM.width)).astype(dtype)
    values[random.random(values.shape) < 0.05] = np.nan
    return values


@pytest.mark.parametrize(
    ("dtype", "resampling", "target"),
    list(itertools.product(["float32", "float64"], Resampling, [DEGREES, TURNED])),
)
def test_a_raster_is_warped_to_the_same_bytes(
    dtype: str, resampling: Resampling, target: Grid
) -> None:
    values, results = holed(dtype), []
    for library in BOTH:
        with library.worker_settings():
            results.append(
                library.warp(values, UTM, target, resampling, tolerance=0.125, scale=(0.8, 0.7))
            )
    assert results[0].dtype == results[1].dtype == dtype
    assert 0 < np.isnan(results[0]).mean() < 0.5
    np.testing.assert_array_equal(results[0], results[1])


@pytest.mark.parametrize(("name", "levels"), [("a.tif", [2, 4]), ("b.tif", []), ("c.jp2", [2])])
def test_fewer_pixels_are_read_the_same(bench: Bench, name: str, levels: list[int]) -> None:
    values = np.random.default_rng(5).integers(1, 9999, (300, 400), dtype=np.uint16)
    path = bench.save(name, values, nodata=7, **({} if levels == [2] else {"tiled": True}))
    if levels == [2, 4]:
        with rasterio.open(path, "r+") as dataset:
            dataset.build_overviews(levels, rasterio.enums.Resampling.average)
    results = []
    for library in BOTH:
        dataset = library.open(path)
        few, mask = np.empty((1, 60, 80), np.uint16), np.empty((60, 80), np.uint8)
        dataset.read([1], Window(0, 0, 400, 300), few)
        dataset.read_mask(1, Window(0, 0, 400, 300), mask)
        results.append((list(dataset.overviews(1)), few.tobytes(), mask.tobytes()))
        dataset.close()
    assert results[0] == results[1]
    assert results[0][0] == levels or name == "c.jp2"
    if not levels:
        np.testing.assert_array_equal(few[0], values[2::5, 2::5])


@pytest.mark.parametrize(
    "options", [{}, {"COMPRESS": "DEFLATE", "TILED": "YES"}, {"BIGTIFF": "YES"}]
)
@pytest.mark.parametrize("crs", [UTM.crs, DEGREES.crs, ""])
def test_a_file_is_created_with_the_same_bytes(
    tmp_path: Path, options: dict[str, str], crs: str
) -> None:
    grid = Grid(crs=crs, transform=UTM.transform, width=70, height=60)
    spec = CreationSpec(
        grid, 2, np.dtype(np.int16), -32768, {**options, "SPARSE_OK": "YES"}, ("NDVI", "é"), 0.1, 2.0
    )  # fmt: skip
    files, made = [], []
    for library in BOTH:
        path = tmp_path / f"{library.name}.tif"
        made.append((library.create(spec, str(path)), library.create(spec)))
        tags = {"B": "é", "BANDWISE/C": "2"}
        library.set_tags(str(path), {"A": "1", "TIFFTAG_SOFTWARE": "x"}, [tags, {}])
        assert library.tags(str(path))["A"] == "1"
        dataset = gdal.Open(str(path))  # a band does not outlive it
        band = dataset.GetRasterBand(1)
        assert band.GetMetadata()["B"] == "é" and "C" not in band.GetMetadata()
        assert band.GetMetadata("BANDWISE") == {"C": "2"}
        del band, dataset
        files.append(path.read_bytes())
    assert made[0] == made[1] and made[0][0] == made[0][1]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    "options", [{"COMPRESS": "DEFLATE"}, {"COMPRESS": "LERC"}, {"COMPRESS": "ZSTD"}]
)
@pytest.mark.parametrize("nodata", [None, 0.0])
def test_values_are_encoded_to_the_same_bytes(
    options: dict[str, str], nodata: float | None
) -> None:
    values = np.random.default_rng(1).integers(0, 900, (2, 256, 512)).astype(np.uint16)
    encoded = []
    for library in BOTH:
        with library.worker_settings(), library.encode(values, options, nodata) as data:
            encoded.append(bytes(data))
    assert encoded[0] == encoded[1]
    assert not [name for name in gdal.ReadDir("/vsimem/") or () if name.startswith("bandwise_")]


def test_polygons_are_burnt_alike() -> None:
    polygon: Polygon = [
        [(1.0, 1.0), (50.3, 7.7), (30.0, 80.2), (1.0, 1.0)],
        [(10.0, 10.0), (20.0, 10.0), (20.0, 20.0)],
    ]
    planes = [np.full((70, 60), 255, np.uint8) for _ in BOTH]
    for library, plane in zip(BOTH, planes):
        with library.worker_settings():
            library.burn([polygon], Window(3, 5, 60, 70), plane)
    assert 1000 < (planes[0] == 0).sum() < 3000
    np.testing.assert_array_equal(planes[0], planes[1])


def test_points_are_transformed_alike() -> None:
    xs, ys = np.linspace(3e5, 4e5, 50), np.linspace(5e6, 51e5, 50)
    points = [library.transform(xs, ys, UTM.crs, DEGREES.crs) for library in BOTH]
    np.testing.assert_array_equal(np.array(points[0]), np.array(points[1]))
    beyond = BOTH[1].transform([3e5, 1e30], [5e6, 5e6], UTM.crs, DEGREES.crs)
    assert np.isfinite(beyond[0]).tolist() == [True, False]


@pytest.mark.parametrize("exceptions", [False, True])
def test_the_hosts_exceptions_are_as_they_were(bench: Bench, exceptions: bool) -> None:
    """QGIS and other plugins share osgeo: a run works under either setting, and leaves it alone."""
    paths = [
        bench.save(f"{name}.tif", np.full((300, 200), value))
        for name, value in (("n", 3), ("r", 1))
    ]
    before = gdal.GetUseExceptions()
    (gdal.UseExceptions if exceptions else gdal.DontUseExceptions)()
    seen = []
    try:
        with using(BOTH[1]):
            pixels, _ = bench.run(
                bench.job(*paths, workers=2),
                progress=lambda fraction, note: seen.append(gdal.GetUseExceptions()),
            )
            with pytest.raises(RasterFailure, match="No such file"):
                BOTH[1].open(bench.path("nothing.tif"))
        assert (pixels == 0.5).all()
        assert set(seen) == {int(exceptions)} == {gdal.GetUseExceptions()}
    finally:
        (gdal.UseExceptions if before else gdal.DontUseExceptions)()


def test_settings_are_this_threads_and_end(bench: Bench) -> None:
    names = ("GDAL_NUM_THREADS", "GDAL_HTTP_LOW_SPEED_TIME", "GDAL_MEM_ENABLE_OPEN")
    before = [gdal.GetConfigOption(name) for name in names]
    elsewhere: list[list[str | None]] = []

    def look() -> None:
        elsewhere.append([gdal.GetConfigOption(name) for name in names])

    with BOTH[1].worker_settings():
        assert [gdal.GetConfigOption(name) for name in names] == ["1", "30", "YES"]
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert elsewhere == [before] == [[gdal.GetConfigOption(name) for name in names]]


def test_warnings_are_heard_in_the_thread_that_listens() -> None:
    spec = CreationSpec(UTM.crop(Window(0, 0, 9, 9)), 1, np.dtype(np.uint8), 0, {"NO_SUCH": "1"})
    messages, others = GdalMessages(), GdalMessages()
    for library in BOTH:
        with using(library), listening(messages):
            library.create(spec)
    assert len(messages.warnings) == 1 and "NO_SUCH" in next(iter(messages.warnings))
    assert not others.warnings


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/b.tif", "/a/b.tif"),
        ("C:\\a\\b.tif", "C:\\a\\b.tif"),
        ("file:///a/b.tif", "/a/b.tif"),
        ("https://host/b.tif", "/vsicurl/https://host/b.tif"),
        ("s3://bucket/b.tif", "/vsis3/bucket/b.tif"),
        ("/vsicurl/https://host/b.tif", "/vsicurl/https://host/b.tif"),
        ('NETCDF:"/a/b.nc":band', 'NETCDF:"/a/b.nc":band'),
    ],
)
def test_addresses_are_gdals_names(path: str, name: str) -> None:
    assert gdal_name(path) == name
