# SPDX-License-Identifier: GPL-2.0-or-later
"""Rasters behind a server or in an archive: each byte is fetched once, and a server that dies is told of."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio.shutil
from bandwise.engine.errors import BandwiseError, InputError, ReadError
from bench import Bench
from range_server import Server


@pytest.fixture
def pair(bench: Bench) -> list[str]:
    """NIR and red as Cloud Optimized GeoTIFFs of 1500 x 1500 pixels, each 5 MB."""
    values = np.random.default_rng(3).integers(1, 9000, (2, 1500, 1500), dtype=np.uint16)
    paths = []
    for name, plane in zip(("nir", "red"), values):
        paths.append(bench.path(f"web/{name}.tif"))
        rasterio.shutil.copy(
            bench.save(f"{name}.tif", plane),
            paths[-1],
            driver="COG",
            BLOCKSIZE="256",
            COMPRESS="DEFLATE",
        )
    return paths


@pytest.fixture
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """GDAL neither looks beside a file nor remembers one of another test."""
    monkeypatch.setenv("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_remote_file_is_fetched_once(
    bench: Bench, server: Server, pair: list[str], afresh: None, workers: int
) -> None:
    here = bench.ndvi(*pair, output="here.tif")
    there = bench.ndvi(*map(server.address, pair), output="there.tif", workers=workers)
    np.testing.assert_array_equal(there, here)
    for path in pair:
        ranges = [
            (first, last)
            for command, name, first, last in server.requests
            if command == "GET" and name == Path(path).name
        ]
        covered = np.zeros(Path(path).stat().st_size, np.uint8)
        for first, last in ranges:
            covered[first : last + 1] += 1
        assert (covered > 1).sum() <= 4 * len(ranges), (
            "but for the four bytes that part the blocks of a COG, which GDAL reads with both"
        )
        assert 0.5 < covered.mean() < 0.9, "the overviews are not fetched"
        assert len(ranges) <= 40


@pytest.mark.parametrize("manner", ["close", "hang"])
def test_a_server_that_dies_halfway(
    bench: Bench, server: Server, pair: list[str], afresh: None, monkeypatch: Any, manner: str
) -> None:
    monkeypatch.setenv("GDAL_HTTP_LOW_SPEED_TIME", "2")
    monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "4")
    server.healthy, server.manner = 6, manner
    before = bench.listing()
    with pytest.raises(ReadError) as caught:
        bench.ndvi(*map(server.address, pair))
    assert len(server.headers_seen) < 40, "it is not asked again and again"
    assert "check the connection" in str(caught.value)
    assert "/vsicurl/http://127.0.0.1" in str(caught.value) and "\n" not in str(caught.value)
    assert bench.listing() == before


def test_a_server_that_is_not_there(bench: Bench, afresh: None) -> None:
    with pytest.raises(InputError) as caught:
        bench.ndvi("/vsicurl/http://127.0.0.1:9/nir.tif", "/vsicurl/http://127.0.0.1:9/red.tif")
    assert "/vsicurl/" in str(caught.value) and "does not exist" not in str(caught.value)


def test_a_file_in_an_archive(bench: Bench, pair: list[str]) -> None:
    here = bench.ndvi(*pair, output="here.tif")
    archive = bench.path("scene.zip")
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in pair:
            zipped.write(path, f"bands/{Path(path).name}")
    inside = [f"/vsizip/{archive}/bands/{Path(path).name}" for path in pair]
    np.testing.assert_array_equal(bench.ndvi(*inside, output="there.tif"), here)
    with pytest.raises(BandwiseError, match="nothing"):
        bench.ndvi(f"/vsizip/{archive}/nothing.tif", inside[1])


def test_patience_is_the_users_where_he_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from bandwise.engine.backend.rasterio_.library import _missing_timeouts

    assert _missing_timeouts()["GDAL_HTTP_LOW_SPEED_TIME"] == "30"
    with rasterio.Env(GDAL_HTTP_LOW_SPEED_TIME="7"):
        assert "GDAL_HTTP_LOW_SPEED_TIME" not in _missing_timeouts()


def test_a_file_of_s3_goes_the_same_way(
    bench: Bench, server: Server, pair: list[str], afresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder as a bucket of a server that asks for no signature."""
    for name, value in (
        ("AWS_S3_ENDPOINT", f"127.0.0.1:{server.server_port}"), ("AWS_HTTPS", "NO"),
        ("AWS_VIRTUAL_HOSTING", "FALSE"), ("AWS_NO_SIGN_REQUEST", "YES"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    server.folder = server.folder.parent
    there = bench.ndvi(*(f"/vsis3/web/{Path(path).name}" for path in pair), output="there.tif")
    np.testing.assert_array_equal(there, bench.ndvi(*pair, output="here.tif"))
    assert {name for _, name, _, _ in server.requests} >= {"nir.tif", "red.tif"}
