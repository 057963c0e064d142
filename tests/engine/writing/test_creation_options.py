# SPDX-License-Identifier: GPL-2.0-or-later
"""Creation options of the result, and its temporary file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.backend.choice import backend
from bandwise.engine.errors import OptionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.grids.grid import Grid, Window
from bandwise.engine.radiometry.storage import DataType, storage_of
from bandwise.engine.writing.creation import ResultSpec, creation_profile, parse_creation_options
from bandwise.engine.writing.geotiff import GeoTiffSink
from bench import Bench
from output_cases import pair  # noqa: F401  fixtures

FLOAT32 = storage_of(DataType.FLOAT32)


def structure(path: str) -> dict[str, Any]:
    with rasterio.open(path) as dataset:
        tags = dataset.tags(ns="IMAGE_STRUCTURE")
        return {
            "compression": tags.get("COMPRESSION"),
            "predictor": tags.get("PREDICTOR"),
            "block": dataset.block_shapes[0],
        }


@pytest.mark.parametrize(
    ("options", "compression", "block"),
    [
        ("", "DEFLATE", (512, 512)),
        ("COMPRESS=ZSTD", "ZSTD", (512, 512)),
        ("compress=zstd|zstd_level=1", "ZSTD", (512, 512)),
        ("COMPRESS=LZW", "LZW", (512, 512)),
        ("COMPRESS=PACKBITS", "PACKBITS", (512, 512)),
        ("COMPRESS=NONE", None, (512, 512)),
        ("COMPRESS=DEFLATE|ZLEVEL=9|PREDICTOR=2", "DEFLATE", (512, 512)),
        ("TILED=NO|BLOCKYSIZE=16", "DEFLATE", (16, 900)),
        ("TILED=NO|COMPRESS=NONE|BLOCKYSIZE=1", None, (1, 900)),
        ("BLOCKXSIZE=256|BLOCKYSIZE=256", "DEFLATE", (256, 256)),
        ("BLOCKXSIZE=256", "DEFLATE", (512, 256)),
        (" COMPRESS = ZSTD | BLOCKYSIZE=128 |", "ZSTD", (128, 512)),
        ("NUM_THREADS=1|SPARSE_OK=YES", "DEFLATE", (512, 512)),
        ("BIGTIFF=YES", "DEFLATE", (512, 512)),
        ("TILED=TRUE|COMPRESS=LZW", "LZW", (512, 512)),
        ("tiled=no|blockysize=8", "DEFLATE", (8, 900)),
    ],
)
def test_creation_options_are_honoured(
    bench: Bench, pair: list[str], options: str, compression: str | None, block: tuple[int, int]
) -> None:
    plain = bench.ndvi(*pair, output="plain.tif")
    pixels = bench.ndvi(*pair, creation_options=options, workers=2)
    found = structure(bench.path("ndvi.tif"))
    assert (found["compression"], found["block"]) == (compression, block)
    np.testing.assert_array_equal(pixels, plain)
    with rasterio.open(bench.path("ndvi.tif")) as dataset:
        assert (
            dataset.nodata == -9999
            and dataset.descriptions == ("NDVI",)
            and "STATISTICS_MEAN" in dataset.tags(1)
        )
    if "BIGTIFF=YES" in options:
        assert Path(bench.path("ndvi.tif")).read_bytes()[:4] == b"II+\0"
    assert sorted(bench.listing()) == ["ndvi.tif", "nir.tif", "plain.tif", "red.tif"]


@pytest.mark.parametrize(
    ("options", "beside"),
    [
        ("TFW=YES", "ndvi.tfw"),
        ("PROFILE=GeoTIFF", "ndvi.tif.aux.xml"),
        ("PROFILE=BASELINE", "ndvi.tif.aux.xml"),
    ],
)
def test_options_that_write_beside_the_result_leave_no_temporary(
    bench: Bench, pair: list[str], options: str, beside: str
) -> None:
    run(bench.job(*pair, creation_options=options))
    assert set(bench.listing()) == {"nir.tif", "red.tif", "ndvi.tif", beside}


@pytest.mark.parametrize("options", ["DISCARD_LSB=20", "COMPRESS=LERC|MAX_Z_ERROR=0.7"])
def test_options_that_lose_digits_do_not_lose_nodata(
    bench: Bench, pair: list[str], options: str
) -> None:
    """10000 pixels of nodata stay so."""
    pixels, report = bench.run(bench.job(*pair, creation_options=options))
    assert np.count_nonzero(pixels == -9999) == report.statistics[0].invalid == 10000


@pytest.mark.parametrize("options", ["NBITS=16", "WORLDFILE=YES"])
def test_options_that_would_lose_nodata_or_that_gdal_lacks_are_refused(
    bench: Bench, pair: list[str], options: str
) -> None:
    """Half floats turn -9999 into -10000."""
    before = bench.listing()
    with pytest.raises(OptionError, match=options.partition("=")[0]):
        run(bench.job(*pair, creation_options=options))
    assert bench.listing() == before


def test_a_level_of_another_codec_is_not_passed_on() -> None:
    assert "ZLEVEL" not in creation_profile("COMPRESS=ZSTD", FLOAT32.dtype)
    assert "PREDICTOR" not in creation_profile("COMPRESS=NONE", FLOAT32.dtype)
    assert creation_profile("COMPRESS=ZSTD", FLOAT32.dtype)["PREDICTOR"] == "3"
    assert "NUM_THREADS" not in creation_profile("", FLOAT32.dtype), (
        "the workers encode, so GDAL starts no threads of its own"
    )
    assert creation_profile("NUM_THREADS=7", FLOAT32.dtype)["NUM_THREADS"] == "7"
    assert "BLOCKXSIZE" not in creation_profile("TILED=NO", FLOAT32.dtype)


def test_options_as_qgis_writes_them() -> None:
    assert parse_creation_options("COMPRESS=DEFLATE|PREDICTOR=2|ZLEVEL=9") == {
        "COMPRESS": "DEFLATE",
        "PREDICTOR": "2",
        "ZLEVEL": "9",
    }
    assert parse_creation_options("") == parse_creation_options(" | ") == {}


def test_a_result_past_4_gb_is_a_bigtiff(bench: Bench) -> None:
    """40000 x 40000 pixels are 6.4 GB uncompressed: IF_SAFER decides before anything is written."""
    grid = Grid("", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 40000, 40000)
    profile = {**creation_profile("SPARSE_OK=YES", FLOAT32.dtype)}
    with (
        backend().worker_settings(),
        GeoTiffSink(
            ResultSpec(bench.path("big.tif"), grid, ("NDVI",), storage=FLOAT32, profile=profile)
        ) as sink,
    ):
        sink.write(Window(0, 0, 512, 512), np.ones((1, 512, 512), np.float32))
        sink.commit({}, [{}])
    assert Path(bench.path("big.tif")).read_bytes()[:4] == b"II+\0"
    assert os.path.getsize(bench.path("big.tif")) < 10**6
    assert list(bench.listing()) == ["big.tif"]


def test_a_result_that_is_not_committed_is_not_there(bench: Bench) -> None:
    grid = Grid("", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 600, 600)
    Path(bench.path("out.tif")).write_bytes(b"former result")
    before = bench.listing()
    profile = creation_profile("", FLOAT32.dtype)
    with (
        backend().worker_settings(),
        GeoTiffSink(
            ResultSpec(bench.path("out.tif"), grid, ("NDVI",), storage=FLOAT32, profile=profile)
        ) as sink,
    ):
        sink.write(Window(0, 0, 512, 512), np.ones((1, 512, 512), np.float32))
        assert len(bench.listing()) == 3, "a temporary file while it is written, and its lock"
        assert Path(bench.path("out.tif")).read_bytes() == b"former result"
    assert bench.listing() == before


def test_another_run_in_the_same_folder_is_left_alone(bench: Bench, pair: list[str]) -> None:
    stranger = bench.path(".bandwise-0123456789ab.tif")
    shutil.copy(pair[0], stranger)
    bench.ndvi(*pair)
    assert Path(stranger).exists()


def test_the_temporary_file_stands_beside_the_target_while_the_run_goes_on(
    bench: Bench, pair: list[str]
) -> None:
    """Same folder, so the last step is a rename and no copy; and the target's name is not there before."""
    seen: list[list[str]] = []

    def cancelled() -> bool:
        seen.append(sorted(os.listdir(bench.folder)))
        return False

    run(bench.job(*pair, memory=24), cancelled=cancelled)
    assert seen
    for names in seen:
        assert "ndvi.tif" not in names
        temporary = sorted(Path(name).suffix for name in names if name.startswith(".bandwise-"))
        assert len(names) == 4 and temporary == [".lock", ".tif"]
