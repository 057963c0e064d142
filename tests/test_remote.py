# SPDX-License-Identifier: GPL-2.0-or-later
"""Rasters behind a server or in an archive: each byte is fetched once, and a server that dies is told of."""

from __future__ import annotations

import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio.shutil
from bandwise.engine.errors import BandwiseError, InputError, ReadError


class Server(ThreadingHTTPServer):
    """Serves a folder by ranges, and counts; after ``healthy`` requests it hangs, or closes connections at once."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.healthy, self.manner = folder, 10**9, "close"
        self.requests: list[tuple[str, str, int, int]] = []
        self.over = threading.Event()

    def address(self, path: str) -> str:
        return f"/vsicurl/http://127.0.0.1:{self.server_port}/{Path(path).name}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, *, with_body: bool) -> None:
        file = self.server.folder / self.path.lstrip("/")
        if len(self.server.requests) >= self.server.healthy:
            if self.server.manner == "hang":
                self.server.over.wait(60)
            self.close_connection = True
            return
        content = file.read_bytes() if file.is_file() else b""
        first, last = 0, len(content) - 1
        asked = self.headers.get("Range", "")
        if asked:
            start, _, end = asked.removeprefix("bytes=").partition("-")
            first, last = int(start), min(int(end), last) if end else last
        self.server.requests.append((self.command, file.name, first, last if content else -1))
        self.send_response(404 if not content else 206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1 if content else 0))
        if asked and content:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.end_headers()
        if with_body and content:
            self.wfile.write(content[first : last + 1])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "web").mkdir()
    server = Server(tmp_path / "web")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def pair(bench: Any) -> list[str]:
    """NIR and red as Cloud Optimized GeoTIFFs of 1500 x 1500 pixels, each 5 MB."""
    values = np.random.default_rng(3).integers(1, 9000, (2, 1500, 1500), dtype=np.uint16)
    paths = []
    for name, plane in zip(("nir", "red"), values):
        paths.append(bench.path(f"web/{name}.tif"))
        rasterio.shutil.copy(bench.save(f"{name}.tif", plane), paths[-1], driver="COG", BLOCKSIZE="256", COMPRESS="DEFLATE")
    return paths


@pytest.fixture
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """GDAL neither looks beside a file nor remembers one of another test."""
    monkeypatch.setenv("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_remote_file_is_fetched_once(bench: Any, server: Server, pair: list[str], afresh: None, workers: int) -> None:
    here = bench.ndvi(*pair, output="here.tif")
    there = bench.ndvi(*map(server.address, pair), output="there.tif", workers=workers)
    np.testing.assert_array_equal(there, here)
    for path in pair:
        ranges = [(first, last) for command, name, first, last in server.requests if command == "GET" and name == Path(path).name]
        covered = np.zeros(Path(path).stat().st_size, np.uint8)
        for first, last in ranges:
            covered[first : last + 1] += 1
        assert (covered > 1).sum() <= 4 * len(ranges), "but for the four bytes that part the blocks of a COG, which GDAL reads with both"
        assert 0.5 < covered.mean() < 0.9, "the overviews are not fetched"
        assert len(ranges) <= 40


@pytest.mark.parametrize("manner", ["close", "hang"])
def test_a_server_that_dies_halfway(bench: Any, server: Server, pair: list[str], afresh: None, monkeypatch: Any, manner: str) -> None:
    monkeypatch.setenv("GDAL_HTTP_LOW_SPEED_TIME", "2")
    monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "4")
    server.healthy, server.manner = 6, manner
    before = bench.listing()
    started = time.monotonic()
    with pytest.raises(ReadError) as caught:
        bench.ndvi(*map(server.address, pair))
    assert time.monotonic() - started < 30
    assert "check the connection" in str(caught.value)
    assert "/vsicurl/http://127.0.0.1" in str(caught.value) and "\n" not in str(caught.value)
    assert bench.listing() == before


def test_a_server_that_is_not_there(bench: Any, afresh: None) -> None:
    with pytest.raises(InputError) as caught:
        bench.ndvi("/vsicurl/http://127.0.0.1:9/nir.tif", "/vsicurl/http://127.0.0.1:9/red.tif")
    assert "/vsicurl/" in str(caught.value) and "does not exist" not in str(caught.value)


def test_a_file_in_an_archive(bench: Any, pair: list[str]) -> None:
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
    from bandwise.engine.environment import _patience

    assert _patience()["GDAL_HTTP_LOW_SPEED_TIME"] == "30"
    with rasterio.Env(GDAL_HTTP_LOW_SPEED_TIME="7"):
        assert "GDAL_HTTP_LOW_SPEED_TIME" not in _patience()


def test_a_file_of_s3_goes_the_same_way(bench: Any, server: Server, pair: list[str], afresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
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
