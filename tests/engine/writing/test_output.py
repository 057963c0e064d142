# SPDX-License-Identifier: GPL-2.0-or-later
"""The result's file: its profile, description, tags and statistics, and that nothing stands beside it."""

from __future__ import annotations

import json
import os
import shutil
import stat
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

FLOAT32 = storage_of(DataType.FLOAT32)
TILED = {"tiled": True, "blockxsize": 256, "blockysize": 256}


@pytest.fixture
def pair(bench: Bench) -> list[str]:
    """NIR and red of random uint16, 700 x 900; nodata 0 in the upper left 100 x 100 of NIR."""
    values = np.random.default_rng(5).integers(1, 10000, (2, 700, 900), dtype=np.uint16)
    values[0, :100, :100] = 0
    return [
        bench.save("nir.tif", values[0], nodata=0, **TILED),
        bench.save("red.tif", values[1], nodata=0, **TILED),
    ]


def test_the_profile_is_built_not_copied(bench: Bench) -> None:
    """From JPEG 2000 of uint16 comes a GeoTIFF of Float32, whatever its inputs were."""
    values = np.arange(1, 401, dtype=np.uint16).reshape(20, 20)
    paths = [bench.save("nir.jp2", values), bench.save("red.jp2", values[::-1])]
    bench.ndvi(*paths)
    assert Path(bench.path("ndvi.tif")).read_bytes()[:4] == b"II*\0"
    with rasterio.open(bench.path("ndvi.tif")) as dataset:
        assert dataset.driver == "GTiff"
        assert dataset.dtypes == ("float32",)
        assert dataset.nodata == -9999
        assert dataset.count == 1
        assert dataset.block_shapes == [(512, 512)]
        assert dataset.tags(ns="IMAGE_STRUCTURE")["COMPRESSION"] == "DEFLATE"
        assert dataset.scales == (1.0,) and dataset.offsets == (0.0,)
        with rasterio.open(paths[0]) as source:
            assert dataset.crs == source.crs and dataset.transform == source.transform


def test_scale_and_offset_of_an_input_are_not_inherited(bench: Bench) -> None:
    near = bench.save("nir.tif", np.array([[3]], np.int16), scales=[0.5], offsets=[2.0], nodata=-1)
    visible = bench.save(
        "red.tif", np.array([[1]], np.int16), scales=[0.5], offsets=[2.0], nodata=-1
    )
    np.testing.assert_array_equal(bench.ndvi(near, visible), np.array([[1 / 6]], np.float32))
    with rasterio.open(bench.path("ndvi.tif")) as dataset:
        assert (dataset.scales, dataset.offsets, dataset.nodata) == ((1.0,), (0.0,), -9999)


def test_the_band_is_described_and_the_run_can_be_repeated(bench: Bench, pair: list[str]) -> None:
    bench.ndvi(*pair)
    with rasterio.open(bench.path("ndvi.tif")) as dataset:
        assert dataset.descriptions == ("NDVI",)
        tags = dataset.tags()
    assert tags["TIFFTAG_SOFTWARE"].startswith("Bandwise ") and tags["TIFFTAG_SOFTWARE"].endswith(
        tags["BANDWISE_VERSION"]
    )
    assert tags["BANDWISE_FORMULA"] == "NDVI = (nir - red) / (nir + red)"
    for name, path in zip(("NIR", "RED"), pair):
        said = json.loads(tags[f"BANDWISE_INPUT_{name}"])
        assert said == {
            "path": path,
            "band": 1,
            "scale": 1.0,
            "offset": 0.0,
            "scaling_source": said["scaling_source"],
            "nodata": 0.0,
            "saturated": None,
            "nodata_source": said["nodata_source"],
        }
        assert (
            "no scale or offset was found" in said["scaling_source"]
            and "declared by the file" in said["nodata_source"]
        )


def test_a_path_that_is_not_ascii_survives_in_the_tags(bench: Bench) -> None:
    path = bench.save("Schärding, Inn & Salzach ™ «植生».tif", np.full((4, 4), 3, np.uint16))
    pixels = bench.ndvi(path, path, output="Ergebnis «植生» & Co.tif")
    assert (pixels == 0).all()
    with rasterio.open(bench.path("Ergebnis «植生» & Co.tif")) as dataset:
        assert json.loads(dataset.tags()["BANDWISE_INPUT_NIR"])["path"] == path


def test_statistics_are_those_of_the_written_pixels(bench: Bench, pair: list[str]) -> None:
    pixels, report = bench.run(bench.job(*pair, workers=2))
    valid = pixels[pixels != -9999].astype(np.float64)
    with rasterio.open(bench.path("ndvi.tif")) as dataset:
        tags = dataset.tags(1)
    assert float(tags["STATISTICS_MINIMUM"]) == valid.min() == report.statistics[0].minimum
    assert float(tags["STATISTICS_MAXIMUM"]) == valid.max() == report.statistics[0].maximum
    assert (
        float(tags["STATISTICS_MEAN"])
        == pytest.approx(valid.mean(), rel=1e-12)
        == report.statistics[0].mean
    )
    assert (
        float(tags["STATISTICS_STDDEV"])
        == pytest.approx(valid.std(), rel=1e-12)
        == report.statistics[0].standard_deviation
    )
    assert tags["STATISTICS_VALID_PERCENT"] == f"{100 * valid.size / pixels.size:.4g}"
    assert (int(tags["BANDWISE_VALID_PIXELS"]), int(tags["BANDWISE_NODATA_PIXELS"])) == (
        valid.size,
        10000,
    )
    assert report.statistics[0].valid + report.statistics[0].invalid == pixels.size
    assert all(
        type(value) in (int, float)
        for value in (
            report.statistics[0].mean,
            report.statistics[0].minimum,
            report.statistics[0].valid,
        )
    )


def test_gdal_computes_the_same_statistics_afresh(bench: Bench, pair: list[str]) -> None:
    """On a copy without our tags, by GDAL's own loop over the pixels."""
    pixels, report = bench.run(bench.job(*pair))
    copy = bench.save("copy.tif", pixels, nodata=-9999)
    with rasterio.open(copy) as dataset:
        statistics = (
            dataset.stats(approx=False)[0]
            if hasattr(dataset, "stats")
            else dataset.statistics(1, approx=False)
        )
    ours = report.statistics[0]
    assert (statistics.min, statistics.max) == (ours.minimum, ours.maximum)
    assert statistics.mean == pytest.approx(ours.mean, rel=1e-12)
    assert statistics.std == pytest.approx(ours.standard_deviation, rel=1e-12)


def test_a_constant_has_no_deviation(bench: Bench) -> None:
    """NDVI 1/3 in a million pixels: the mean is the value, the deviation 0, with no rounding left over."""
    paths = [
        bench.save("nir.tif", np.full((1000, 1000), 2, np.uint8)),
        bench.save("red.tif", np.full((1000, 1000), 1, np.uint8)),
    ]
    statistics = bench.run(bench.job(*paths))[1].statistics[0]
    third = float(np.float32(1 / 3))
    assert (statistics.minimum, statistics.maximum, statistics.standard_deviation) == (
        third,
        third,
        0,
    )
    assert statistics.mean == pytest.approx(third, rel=1e-11)


def test_what_the_former_result_left_beside_it_is_removed(bench: Bench, pair: list[str]) -> None:
    """Statistics, overviews and a mask of the former pixels would be shown with the new ones."""
    for suffix in ("", ".aux.xml", ".ovr", ".msk"):
        Path(bench.path(f"ndvi.tif{suffix}")).write_bytes(b"former")
    for name in ("ndvi.tif.qml", "ndvi.tfw", "other.tif.aux.xml"):
        Path(bench.path(name)).write_bytes(b"not ours")
    pixels = bench.ndvi(*pair)
    assert sorted(bench.listing()) == sorted(
        ["nir.tif", "red.tif", "ndvi.tif", "ndvi.tif.qml", "ndvi.tfw", "other.tif.aux.xml"]
    )
    assert pixels.shape == (700, 900)


def test_a_result_can_be_replaced_again_and_again(bench: Bench, pair: list[str]) -> None:
    first = bench.ndvi(*pair)
    for _ in range(3):
        np.testing.assert_array_equal(bench.ndvi(*pair), first)
    assert sorted(bench.listing()) == ["ndvi.tif", "nir.tif", "red.tif"]


@pytest.mark.parametrize("there", [True, False])
def test_a_symbolic_link_is_followed(bench: Bench, pair: list[str], there: bool) -> None:
    """It stays, and what it points to is replaced or made; what GDAL would read beside either name goes."""
    former = Path(bench.path("results/former.tif"))
    if there:
        former.write_bytes(b"former")
    os.symlink(former, bench.path("ndvi.tif"))
    for path in (f"{former}.ovr", bench.path("ndvi.tif.aux.xml")):
        Path(path).write_bytes(b"former")
    pixels = bench.ndvi(*pair)
    assert os.readlink(bench.path("ndvi.tif")) == str(former)
    np.testing.assert_array_equal(bench.read(str(former)), pixels)
    assert sorted(bench.listing()) == ["ndvi.tif", "nir.tif", "red.tif", "results/former.tif"]


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o002, 0o077])
def test_permissions_follow_the_umask(bench: Bench, pair: list[str], umask: int) -> None:
    before = os.umask(umask)
    try:
        bench.ndvi(*pair)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(bench.path("ndvi.tif")).st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o604])
@pytest.mark.parametrize("cog", [False, True])
def test_the_mode_of_what_is_replaced_is_kept(
    bench: Bench, pair: list[str], mode: int, cog: bool
) -> None:
    """And nobody may look into the temporary file who may not look into the result."""
    Path(bench.path("ndvi.tif")).write_bytes(b"former")
    os.chmod(bench.path("ndvi.tif"), mode)
    seen = set()

    def cancelled() -> bool:
        seen.update(
            stat.S_IMODE(path.stat().st_mode) for path in bench.folder.glob(".bandwise-*.tif")
        )
        return False

    bench.run(bench.job(*pair, cog=cog), cancelled=cancelled)
    assert mode in seen and not {found for found in seen if found & ~mode}
    assert stat.S_IMODE(os.stat(bench.path("ndvi.tif")).st_mode) == mode
    assert bench.read(bench.path("ndvi.tif")).shape == (700, 900)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)
def test_the_owner_of_what_is_replaced_is_kept(bench: Bench, pair: list[str]) -> None:
    Path(bench.path("ndvi.tif")).write_bytes(b"former")
    os.chown(bench.path("ndvi.tif"), 1234, 2345)
    bench.ndvi(*pair)
    status = os.stat(bench.path("ndvi.tif"))
    assert (status.st_uid, status.st_gid) == (1234, 2345)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)
@pytest.mark.parametrize(("group", "kept"), [(2345, 2345), (3456, 1234)])
def test_the_group_is_kept_where_the_owner_cannot_be(
    bench: Bench, pair: list[str], group: int, kept: int
) -> None:
    """A file of root's that everyone may write to, in the user's own folder; the user is in the group 2345 alone."""
    Path(bench.path("ndvi.tif")).write_bytes(b"former")
    os.chown(bench.path("ndvi.tif"), 0, group)
    os.chmod(bench.path("ndvi.tif"), 0o666)
    os.chown(bench.folder, 1234, 1234)
    script = """
import os
from bandwise.engine.backend.choice import backend
from bandwise.engine.job import BandRef, Job
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
backend()
os.setgroups([2345])
os.setgid(1234)
os.setuid(1234)
run(Job((BandRef("a", "nir.tif"),), named_formula("x := a + 1", ("a",)), "ndvi.tif"))
"""
    result = bench.python(script)
    assert result.returncode == 0, result.stderr
    status = os.stat(bench.path("ndvi.tif"))
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, kept, 0o666)


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
    "options", ["TFW=YES", "WORLDFILE=YES", "PROFILE=GeoTIFF", "PROFILE=BASELINE"]
)
def test_options_that_write_beside_the_result_leave_no_temporary(
    bench: Bench, pair: list[str], options: str
) -> None:
    try:
        run(bench.job(*pair, creation_options=options))
    except OptionError:
        assert sorted(bench.listing()) == ["nir.tif", "red.tif"]
        return
    assert not [name for name in bench.listing() if "bandwise" in name]


@pytest.mark.parametrize("options", ["NBITS=16", "DISCARD_LSB=20", "COMPRESS=LERC|MAX_Z_ERROR=0.7"])
def test_options_that_lose_digits_do_not_lose_nodata(
    bench: Bench, pair: list[str], options: str
) -> None:
    """Half floats turn -9999 into -10000, and 10000 pixels of nodata into numbers: refuse, or keep
    nodata what it is.
    """
    try:
        pixels, report = bench.run(bench.job(*pair, creation_options=options))
    except OptionError:
        return
    assert np.count_nonzero(pixels == -9999) == report.statistics[0].invalid


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
