# SPDX-License-Identifier: GPL-2.0-or-later
"""A server of files by ranges, which counts what is asked of it."""

from __future__ import annotations

import threading
import time
import zlib
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Server(ThreadingHTTPServer):
    """Serves a folder by ranges, and counts; after ``healthy`` requests it hangs, or closes connections at once."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.healthy, self.manner = folder, 10**9, "close"
        self.tells, self.delay = "all", 0.0
        self.waiting = 0
        self.headers_seen: list[str] = []
        self.requests: list[tuple[str, str, int, int]] = []
        self.over = threading.Event()

    def handle_error(self, *_: Any) -> None:
        """Whoever asked may be gone."""

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
        file = self.server.folder / self.path.partition("?")[0].lstrip("/")
        self.server.headers_seen.append(f"{self.path} {self.headers}")
        if len(self.server.requests) >= self.server.healthy:
            if self.server.manner == "hang":
                self.server.waiting += 1
                self.server.over.wait(60)
                self.server.waiting -= 1
            if len(self.server.requests) >= self.server.healthy:
                self.close_connection = True
                return
        time.sleep(self.server.delay)
        content = file.read_bytes() if file.is_file() else b""
        first, last = 0, len(content) - 1
        asked = self.headers.get("Range", "")
        if asked:
            start, _, end = asked.removeprefix("bytes=").partition("-")
            first, last = int(start), min(int(end), last) if end else last
        self.server.requests.append((self.command, file.name, first, last if content else -1))
        self.send_response(404 if not content else 206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        if content and self.server.tells != "nothing":
            tag = (
                len(self.server.requests)
                if self.server.tells == "another tag each time"
                else zlib.crc32(content)
            )
            self.send_header("ETag", f'"{tag}"')
            self.send_header("Last-Modified", formatdate(file.stat().st_mtime, usegmt=True))
        self.send_header("Content-Length", str(last - first + 1 if content else 0))
        if asked and content:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.end_headers()
        if with_body and content:
            self.wfile.write(content[first : last + 1])

    def log_message(self, *_: Any) -> None:
        pass
