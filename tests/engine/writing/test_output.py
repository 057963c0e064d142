# SPDX-License-Identifier: GPL-2.0-or-later
"""The result's file: its profile, description, tags and statistics, and that nothing stands beside it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import rasterio
from bench import Bench
from output_cases import pair  # noqa: F401  fixtures


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


@pytest.mark.posix
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)
def test_the_owner_of_what_is_replaced_is_kept(bench: Bench, pair: list[str]) -> None:
    Path(bench.path("ndvi.tif")).write_bytes(b"former")
    os.chown(bench.path("ndvi.tif"), 1234, 2345)
    bench.ndvi(*pair)
    status = os.stat(bench.path("ndvi.tif"))
    assert (status.st_uid, status.st_gid) == (1234, 2345)


@pytest.mark.posix
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
