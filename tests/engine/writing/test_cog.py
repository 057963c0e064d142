# SPDX-License-Identifier: GPL-2.0-or-later
"""Cloud Optimized GeoTIFFs: GDAL's validator accepts them, pixels are those of the plain file, cancelling ends them."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.backend.choice import backend
from bandwise.engine.errors import Cancelled, OutputError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.grid import Grid, Window
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.storage import DataType, storage_of
from bandwise.engine.writing.cog import write_cog
from bandwise.engine.writing.creation import ResultSpec, creation_profile
from bandwise.engine.writing.geotiff import GeoTiffSink
from bandwise.engine.writing.tiff import block_index, byte_order, directories, is_complete
from bench import Bench

FLOAT32 = storage_of(DataType.FLOAT32)
OPTIONS = [
    "",
    "COMPRESS=NONE",
    "COMPRESS=ZSTD|ZSTD_LEVEL=1|BIGTIFF=YES",
    "BLOCKXSIZE=128|BLOCKYSIZE=256|COMPRESS=LZW",
    "BLOCKXSIZE=48|BLOCKYSIZE=48",
    "SPARSE_OK=YES",
    "SPARSE_OK=YES|COMPRESS=NONE|BIGTIFF=YES",
    "COMPRESS=LERC|MAX_Z_ERROR=0",
    "COMPRESS=PACKBITS|INTERLEAVE=BAND",
]


def job(bench: Bench, expression: str, **options: Any) -> Job:
    values = np.random.default_rng(3).random((1031, 1543)).astype(np.float32)
    values[:600, :700] = -1
    path = bench.save("a.tif", values, nodata=-1)
    return Job(
        (BandRef("a", path),),
        named_formula(expression, ("a",)),
        bench.path("out.tif"),
        **{"workers": 2, **options},
    )


def images(path: str) -> list[np.ndarray]:
    with rasterio.open(path) as dataset:
        levels, whole = range(len(dataset.overviews(1))), [dataset.read()]
    for level in levels:
        with rasterio.open(path, overview_level=level) as dataset:
            whole.append(dataset.read())
    return whole


@functools.cache
def has_validator() -> bool:
    if shutil.which("/usr/bin/python3") is None:
        return False
    imported = subprocess.run(["/usr/bin/python3", "-c", "import osgeo_utils"], check=False)
    return imported.returncode == 0


def judged(path: str) -> None:
    """Ask GDAL's validator: no error, and no warning but that a small file has no overviews."""
    script = (
        "import sys; from osgeo_utils.samples.validate_cloud_optimized_geotiff import main; "
        "sys.exit(main(['', sys.argv[1], '--full-check=yes']))"
    )
    if not has_validator():
        pytest.skip("needs GDAL's utilities for Python")
    said = subprocess.run(
        ["/usr/bin/python3", "-W", "ignore", "-c", script, path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0 and "is a valid cloud optimized GeoTIFF" in said.stdout, (
        said.stdout + said.stderr
    )
    assert "warning" not in said.stdout.lower(), said.stdout


@pytest.mark.parametrize("expression", ["x := a / 7", "x := a / 7; y := a * 2; z := a"])
@pytest.mark.parametrize("options", OPTIONS)
def test_gdals_validator_accepts_every_layout_and_the_pixels_are_the_plain_files(
    bench: Bench, options: str, expression: str
) -> None:
    """Overviews on every level too; the two differ in the order of blocks alone."""
    run(job(bench, expression, creation_options=options, overviews=True, cog=True))
    got = images(bench.path("out.tif"))
    judged(bench.path("out.tif"))
    data = Path(bench.path("out.tif")).read_bytes()
    assert is_complete(data, images=3, sparse="SPARSE" in options) and byte_order(data)[1] == (
        "BIGTIFF=YES" in options
    )
    with rasterio.open(bench.path("out.tif")) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG" and dataset.nodata == -9999
        assert dataset.count == 1 or dataset.interleaving.name == "pixel"
        assert dataset.block_shapes[0][0] == dataset.block_shapes[0][1]
        tags, band_tags, names = dataset.tags(), dataset.tags(1), dataset.descriptions
    run(job(bench, expression, creation_options=options, overviews=True))
    assert len(got) == 3
    for ours, plain in zip(got, images(bench.path("out.tif"))):
        np.testing.assert_array_equal(ours, plain)
    with rasterio.open(bench.path("out.tif")) as dataset:
        assert (dataset.tags(), dataset.tags(1), dataset.descriptions) == (tags, band_tags, names)
    assert sorted(bench.listing()) == ["a.tif", "out.tif"]


@pytest.mark.parametrize("data_type", list(DataType), ids=lambda data_type: data_type.name)
def test_every_type_is_laid_out(bench: Bench, data_type: DataType) -> None:
    run(job(bench, "x := a * 100", data_type=data_type, overviews=True, cog=True))
    judged(bench.path("out.tif"))
    got = images(bench.path("out.tif"))
    run(job(bench, "x := a * 100", data_type=data_type, overviews=True))
    assert len(got) == 3
    for ours, plain in zip(got, images(bench.path("out.tif"))):
        np.testing.assert_array_equal(ours, plain)


def test_without_overviews_and_of_one_pixel(bench: Bench) -> None:
    path = bench.save("one.tif", np.full((1, 1), 3, np.uint8))
    run(
        Job(
            (BandRef("a", path),),
            named_formula("x := a / 2", ("a",)),
            bench.path("out.tif"),
            cog=True,
        )
    )
    judged(bench.path("out.tif"))
    assert bench.read(bench.path("out.tif")).tolist() == [[1.5]]


def test_the_order_of_blocks_and_what_surrounds_them(bench: Bench) -> None:
    """Directories, then the smallest overview's blocks row by row, the raster's own last; each with
    leader and trailer.
    """
    run(
        job(
            bench,
            "x := a",
            creation_options="BLOCKXSIZE=128|BLOCKYSIZE=128",
            overviews=True,
            cog=True,
        )
    )
    data = Path(bench.path("out.tif")).read_bytes()
    end = max(field.position + field.size for fields in directories(data) for field in fields)
    for image in (2, 1, 0):
        for offset, size in zip(
            *(numbers.tolist() for numbers in block_index(data, image).read(data))
        ):
            assert offset - 4 >= end
            assert int.from_bytes(data[offset - 4 : offset], "little") == size
            assert (
                data[offset + size : offset + size + 4] == data[offset + size - 4 : offset + size]
            )
            end = offset + size + 4
    assert end == len(data)


@pytest.mark.parametrize("cog", [False, True])
@pytest.mark.parametrize(
    "moment", ["the windows are done", "the middle of laying out", "the last check"]
)
def test_cancelling_is_heard_after_the_last_window(bench: Bench, cog: bool, moment: str) -> None:
    """And nothing is left, neither the plain file nor the one that is laid out; the former result stays."""
    grid = Grid("", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 1000, 1000)
    profile = creation_profile("BLOCKXSIZE=64|BLOCKYSIZE=64", FLOAT32.dtype)
    pixels = np.random.default_rng(1).random((1, 1000, 1000)).astype(np.float32)
    Path(bench.path("out.tif")).write_bytes(b"former result")
    before, calls = bench.listing(), []

    def count(limit: float) -> Any:
        def cancelled() -> bool:
            calls.append(1)
            return len(calls) > limit

        return cancelled

    def write(name: str, limit: float) -> None:
        calls.clear()
        with (
            backend().worker_settings(),
            GeoTiffSink(
                ResultSpec(
                    bench.path(name),
                    grid,
                    ("a",),
                    storage=FLOAT32,
                    profile=profile,
                    overviews=True,
                    cog=cog,
                )
            ) as sink,
        ):
            sink.write(Window(0, 0, 1000, 1000), pixels)
            sink.commit({}, [{}], count(limit))

    write("whole.tif", float("inf"))
    asked = len(calls)
    assert asked >= (300 if cog else 2), "asked before each block that is moved"
    Path(bench.path("whole.tif")).unlink()
    limit = {
        "the windows are done": 0,
        "the middle of laying out": asked // 2,
        "the last check": asked - 1,
    }[moment]
    with pytest.raises(Cancelled, match="nothing was written"):
        write("out.tif", limit)
    assert bench.listing() == before


@pytest.mark.parametrize("options", ["COMPRESS=NONE", "TILED=NO|COMPRESS=NONE"])
def test_cancelling_a_run_ends_it_within_two_seconds(bench: Bench, options: str) -> None:
    """Ten moments over the time of a run: before the first window, between windows, while the file is finished."""
    values = np.random.default_rng(3).random((3000, 3000)).astype(np.float32)
    path = bench.save("a.tif", values)
    formula = named_formula("x := a / 7", ("a",))
    whole = Job(
        (BandRef("a", path),),
        formula,
        bench.path("out.tif"),
        creation_options=options,
        overviews=True,
        cog="TILED" not in options,
        workers=2,
    )
    started = time.monotonic()
    run(whole)
    seconds = time.monotonic() - started
    Path(bench.path("out.tif")).unlink()
    for tenth in range(10):
        started = time.monotonic()
        moment = started + seconds * tenth / 10
        try:
            run(whole, cancelled=lambda moment=moment: time.monotonic() >= moment)
            Path(bench.path("out.tif")).unlink()
        except Cancelled:
            pass
        assert sorted(bench.listing()) == ["a.tif"]


def test_a_classic_tiff_that_would_grow_past_4_gb_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bandwise.engine.writing import cog

    run(job(bench, "x := a", overviews=True))
    monkeypatch.setattr(cog, "_MOST", {False: 100_000, True: 2**64 - 1})
    with pytest.raises(OutputError, match=re.escape("BIGTIFF=YES")):
        write_cog(
            Path(bench.path("out.tif")),
            Path(bench.path("cog.tif")),
            name=Path("cog.tif"),
            large=False,
            check=lambda: None,
        )
