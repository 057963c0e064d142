# SPDX-License-Identifier: GPL-2.0-or-later
"""Credentials in the names of rasters reach the server, and neither the result, nor the log, nor
the report, nor an error.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from bandwise.engine.credentials import file_name, without_credentials
from bandwise.engine.errors import BandwiseError
from bandwise.engine.execution.pipeline import dry_run, run
from bandwise.engine.files.changes import states_of
from bandwise.engine.messages import translate
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bench import Bench
from range_server import Server

SECRET = "Zq9Xw7Lk3"  #: what must be found nowhere

HIDDEN = [
    f"/vsicurl/https://user:{SECRET}@host/a.tif",
    f"/vsicurl/https://{SECRET}@host/a.tif",
    f"https://user:{SECRET}@x@host/a.tif",
    f"/vsicurl/https://host/a.tif?X-Amz-Algorithm=A&X-Amz-Credential={SECRET}%2F2026&X-Amz-Signature={SECRET}",
    f"/vsicurl/https://host/a.tif?x-amz-security-token={SECRET}%2B/{SECRET}==",
    f"/vsicurl/https://host/a.tif?X-Goog-Signature={SECRET}&x=1",
    f"/vsicurl/https://acc.blob.core.windows.net/a.tif?sv=2020&sp=r&sig={SECRET}%3D&se=2026",
    f"/vsicurl/https://host/a.tif?token={SECRET}",
    f"/vsicurl/https://host/a.tif?access_token={SECRET}/{SECRET}",
    f"/vsicurl/https://host/a.tif?api_key={SECRET}&subscription-key={SECRET}",
    f"/vsicurl/https://host/a.tif?Key-Pair-Id={SECRET}&Policy={SECRET}&Signature={SECRET}~",
    f"/vsicurl/https://host/a.tif?AWSAccessKeyId={SECRET}&Expires=1",
    f"/vsicurl?header.Authorization=Bearer%20{SECRET}&url=https://host/a.tif",
    f"/vsicurl?header.Authorization=Bearer {SECRET}&url=https://host/a.tif",
    f"/vsicurl?header.X-Api-Key={SECRET}&url=https%3A%2F%2Fhost%2Fa.tif",
    "/vsicurl?url=" + quote(f"https://user:{SECRET}@host/a.tif?sig={SECRET}&x=1", safe=""),
    "/vsicurl?url=" + quote(f"https://host/a.tif?X-Amz-Credential={SECRET}/x&X-Amz-Signature={SECRET}", safe=""),
    "/vsicurl?url=" + quote(quote(f"https://user:{SECRET}@host/a.tif?sig={SECRET}", safe=""), safe=""),
    f"a.tif|option:AWS_SECRET_ACCESS_KEY={SECRET}|option:NUM_THREADS=2",
    f"/vsiaz/c/a.tif?AZURE_STORAGE_CONNECTION_STRING=AccountName=x;AccountKey={SECRET};",
    f"PG:host=h user=u password={SECRET} dbname=d",
    f"PG:host=h user=u password='{SECRET}' dbname=d",
    f'NETCDF:"/vsicurl/https://user:{SECRET}@host/a.nc":ndvi',
    f"HTTP response code on https://host/a.tif?sig={SECRET}: 403",
    f"Authorization: Basic {SECRET}",
]  # fmt: skip

PLAIN = [
    "/data/token=5/scene.tif", "C:\\data\\a=b\\key.tif",
    "/vsicurl/https://host/a.tif?version=3&design=blue", "s@mple.tif", "/vsizip/a.zip/b.tif",
    "COMPRESS=DEFLATE|PREDICTOR=2", "(A@1 - B@1) / (A@1 + B@1)", "password.tif",
    "/data/signature.tif", "NDVI := where(A == 5, 1, 0)", "EPSG:32633",
]  # fmt: skip


@pytest.mark.parametrize("text", HIDDEN)
def test_what_is_hidden(text: str) -> None:
    shown = without_credentials(text)
    assert SECRET not in shown and "***" in shown
    assert without_credentials(shown) == shown
    assert SECRET not in file_name(text)
    for part in (
        "host/a.tif",
        "x=1",
        "se=2026",
        "Expires=1",
        "dbname=d",
        "NUM_THREADS=2",
        ":ndvi",
        "A&X-Amz",
    ):
        if part in text:
            assert part in shown, "the rest stays"


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_not(text: str) -> None:
    assert without_credentials(text) == text


def test_a_sentence_hides_what_it_is_made_of() -> None:
    """In English, in another language, and within another sentence."""
    inner = translate("Bandwise", "{file} is gone").format(file=HIDDEN[0])
    outer = translate("Bandwise", "{what}; {file}").format(what=inner, file=HIDDEN[3])
    for words in (str(outer), outer.in_language(lambda template: template), repr(outer.values)):
        assert SECRET not in words


@pytest.fixture
def names(bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """NIR, red and a mask behind a server, each asked for with other credentials."""
    monkeypatch.setenv("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR")
    values = np.random.default_rng(3).integers(1, 9000, (3, 300, 300), dtype=np.uint16)
    files = [
        Path(bench.save(f"web/{name}.tif", plane)).name
        for name, plane in zip(("nir", "red", "mask"), values)
    ]
    host = f"127.0.0.1:{server.server_port}"
    return [
        f"/vsicurl/http://user:{SECRET}@{host}/{files[0]}?X-Amz-Credential={SECRET}&X-Amz-Signature={SECRET}/{SECRET}",
        f"/vsicurl?header.Authorization=Bearer%20{SECRET}&url="
        + quote(f"http://{host}/{files[1]}?sig={SECRET}", safe=""),
        f"/vsicurl/http://{host}/{files[2]}?token={SECRET}",
    ]


def test_a_run_with_credentials(bench: Bench, server: Server, names: list[str]) -> None:
    """Every byte of the result, every line of the log, the report: the secret is in none of them,
    and the server was told it.
    """
    lines: list[str] = []

    def progress(fraction: float, note: Any) -> None:
        if note:
            lines.extend(
                (
                    str(note.text),
                    note.text.in_language(lambda template: template),
                    repr(note.text.values),
                )
            )

    job = bandmath_job(
        [(f"layer?sig={SECRET}", names[0]), (f"http://user:{SECRET}@host", names[1])],
        f'"layer?sig={SECRET}@1" - B@1',
        bench.path("out/result.tif"),
        mask=MaskChoice(names[2], rule=MaskRule.KEEP_NONZERO),
    )
    for _ in range(2):
        report = run(job, progress=progress)
        assert report.statistics[0].valid == 300 * 300
        for file in Path(job.output).parent.iterdir():
            assert SECRET.encode() not in file.read_bytes()
        assert SECRET not in report.estimate and json.loads(report.estimate)["inputs"]
    assert SECRET not in dry_run(job, progress=progress)
    assert len(lines) > 20 and not [line for line in lines if SECRET in line]
    assert any("nir.tif?X-Amz-Credential=***" in line for line in lines)
    assert server.headers_seen and any(SECRET in headers for headers in server.headers_seen)


@pytest.mark.parametrize("spoil", ["missing", "no band", "dies", "changes"])
def test_errors_with_credentials(
    bench: Bench, server: Server, names: list[str], spoil: str
) -> None:
    """GDAL's own words, too."""
    first = (
        names[0].replace("nir.tif", "nothing.tif")
        if spoil == "missing"
        else (names[0], 7)
        if spoil == "no band"
        else names[0]
    )
    if spoil == "dies":
        server.healthy = 6

    def progress(fraction: float, note: Any) -> None:
        if spoil == "changes" and fraction == 0.0:
            bench.save("web/nir.tif", np.ones((400, 400), np.uint16))

    with pytest.raises(BandwiseError) as caught:
        run(bench.job(first, names[1]), progress=progress)
    assert SECRET not in str(caught.value) and SECRET not in repr(caught.value.args[0].values)
    assert "***" in str(caught.value) or "dies" in spoil


class _Elsewhere(BaseHTTPRequestHandler):
    """Keeps the headers that it gets, and sends whoever asks for /away to ``port``."""

    seen: list[tuple[str, dict[str, str]]]
    port = 0

    def do_GET(self) -> None:
        self.seen.append((self.path, dict(self.headers)))
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.port}/here")
            self.end_headers()
            return
        self.send_response(206)
        self.send_header("Content-Range", "bytes 0-0/17")
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, *_: Any) -> None:
        """No words of a server in a test's output."""


def test_a_server_that_sends_us_elsewhere_passes_no_credentials_on() -> None:
    seen: list[tuple[str, dict[str, str]]] = []
    first, second = (
        ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Elsewhere,), {"seen": seen}))
        for _ in range(2)
    )
    first.RequestHandlerClass.port = second.server_port  # type: ignore[attr-defined]
    for server in (first, second):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{first.server_port}/away"
    try:
        for file in (
            f"/vsicurl/http://user:{SECRET}@{address}",
            f"/vsicurl?header.Authorization=Bearer%20{SECRET}&header.X-Api-Key={SECRET}&url=http://{address}",
        ):
            assert states_of([file])[file].size == 17
    finally:
        for server in (first, second):
            server.shutdown()
            server.server_close()
    for path, headers in seen:
        given = [name for name in headers if name.lower() in ("authorization", "x-api-key")]
        assert bool(given) == (path == "/away"), (path, headers)
