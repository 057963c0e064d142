# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server of a folder that answers ranges, and can be told to answer wrongly.

It is a process of its own: rasterio 1.3 holds Python's lock while GDAL opens a file, so a server in
a thread would never answer.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FAULTS = (
    "404",
    "403",
    "500",
    "503",
    "reset",
    "silence",
    "slow",
    "half",
    "wrong range",
    "no range",
    "garbage",
)


class FaultServer:
    """Serves ``folder``; a context that runs the server's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> FaultServer:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self.folder)],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def address(self, name: str) -> str:
        """What GDAL calls the file."""
        return f"/vsicurl/http://127.0.0.1:{self.port}/{name}"

    def plan(self, fault: str, first: int, count: int) -> None:
        """Answer ``count`` requests for bytes wrongly, from the one of number ``first`` (from 0)
        that comes after this.
        """
        self._ask(f"plan/{FAULTS.index(fault)}/{first}/{count}")

    def heal(self) -> int:
        """Answer rightly from now on; how many requests for bytes came since the plan."""
        return int(self._ask("heal"))

    def _ask(self, what: str) -> str:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}/control/{what}", timeout=30
        ) as answer:
            return str(answer.read(), "ascii")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.requests, self.lock = folder, 0, threading.Lock()
        self.fault, self.first, self.count = "", 0, 0

    def fault_of_this(self) -> str:
        with self.lock:
            number, self.requests = self.requests, self.requests + 1
            return self.fault if self.first <= number < self.first + self.count else ""

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:
        self._answer("", with_body=False)

    def do_GET(self) -> None:
        if self.path.startswith("/control/"):
            self._obey(self.path.split("/")[2:])
        elif not self.headers.get("Range"):
            self._answer("", with_body=True)
        else:
            self._answer(self.server.fault_of_this(), with_body=True)

    def _obey(self, words: list[str]) -> None:
        came = self.server.requests
        self.server.requests, self.server.count = 0, 0
        if words[0] == "plan":
            self.server.fault = FAULTS[int(words[1])]
            self.server.first, self.server.count = int(words[2]), int(words[3])
        self.send_response(200)
        self.send_header("Content-Length", str(len(str(came))))
        self.end_headers()
        self.wfile.write(str(came).encode())

    def _answer(self, fault: str, *, with_body: bool) -> None:
        file = self.server.folder / self.path.partition("?")[0].lstrip("/")
        if fault in _STATUS or not file.is_file():
            self._refuse(_STATUS.get(fault, 404))
            return
        if fault == "silence":
            time.sleep(60)
        if fault in ("reset", "silence"):
            self.close_connection = True
            return
        if fault == "slow":
            time.sleep(0.3)
        content, stamp = file.read_bytes(), int(file.stat().st_mtime_ns)
        asked = self.headers.get("Range", "")
        first, last = _range(asked, len(content))
        body = content[first : last + 1]
        if fault == "wrong range":
            body = content[: last + 1 - first]
        if fault == "garbage":
            body = bytes(len(body))
        partial = bool(asked) and fault != "no range"
        if fault == "no range":
            body, first, last = content, 0, len(content) - 1
        self.send_response(206 if partial else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{stamp:x}-{len(content):x}"')
        self.send_header("Last-Modified", self.date_time_string(stamp // 10**9))
        self.send_header("Content-Length", str(len(body)))
        if partial:
            shown = 0 if fault == "wrong range" else first
            self.send_header(
                "Content-Range", f"bytes {shown}-{shown + len(body) - 1}/{len(content)}"
            )
        self.end_headers()
        if with_body:
            self.wfile.write(body[: len(body) // 2] if fault == "half" else body)
            self.close_connection = fault == "half"

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


_STATUS = {"404": 404, "403": 403, "500": 500, "503": 503}


def _range(asked: str, length: int) -> tuple[int, int]:
    """The first and the last byte of what is asked for."""
    if not asked:
        return 0, length - 1
    start, _, end = asked.removeprefix("bytes=").partition("-")
    return int(start), min(int(end), length - 1) if end else length - 1


if __name__ == "__main__":
    server = _Server(Path(sys.argv[1]))
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
