# SPDX-License-Identifier: GPL-2.0-or-later
"""Registers the repository root as the package ``bandwise``, whatever its folder is called, and the
workbench of the engine's tests.
"""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from register import REGISTER

ROOT = Path(__file__).resolve().parents[1]

if "bandwise" not in sys.modules:
    spec = importlib.util.spec_from_file_location(
        "bandwise", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bandwise"] = module
    spec.loader.exec_module(module)

#: UTM zone 33 north, 10 m pixels: where test rasters lie unless they say otherwise.
CRS = "EPSG:32633"
TRANSFORM = (10.0, 0.0, 300000.0, 0.0, -10.0, 5000040.0)


class Bench:
    """A folder to make rasters in, to run jobs in, and to look at afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(path)

    def save(
        self,
        name: str,
        values: Any,
        *,
        scales: Any = None,
        offsets: Any = None,
        mask: Any = None,
        alpha: int = 0,
        tags: Any = None,
        **options: Any,
    ) -> str:
        """Write ``values`` of shape (rows, columns) or (bands, rows, columns), losslessly; the path comes back.

        ``mask`` becomes the dataset's mask, inside the file unless ``GDAL_TIFF_INTERNAL_MASK`` is
        off; band ``alpha`` an alpha band.
        """
        import numpy as np
        import rasterio
        from rasterio.enums import ColorInterp
        from rasterio.transform import Affine

        values = np.asarray(values)
        planes = values.reshape((-1, *values.shape[-2:]))
        path = self.path(name)
        if path.endswith(".jp2"):
            options = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES", **options}
        transform = options.pop("transform", TRANSFORM)
        profile = {
            "driver": "GTiff",
            "count": planes.shape[0],
            "height": planes.shape[1],
            "width": planes.shape[2],
            "dtype": planes.dtype.name,
            "crs": CRS,
            "transform": Affine(*transform) if transform else None,
            **options,
        }
        with rasterio.open(path, "w", **profile) as dataset:
            if alpha:
                dataset.colorinterp = [
                    ColorInterp.alpha if n == alpha else ColorInterp.gray for n in dataset.indexes
                ]
            dataset.write(planes)
            if scales is not None:
                dataset.scales = scales
            if offsets is not None:
                dataset.offsets = offsets
            if tags:
                dataset.update_tags(**tags)
            if mask is not None:
                dataset.write_mask(np.asarray(mask, bool))
        return path

    def job(
        self, nir: Any, red: Any, *, output: str = "ndvi.tif", scaling: Any = None, **options: Any
    ) -> Any:
        """An NDVI job; a band is a path, or (path, number). ``scaling`` is a :class:`RadiometryChoice`."""
        from bandwise.engine.expression.names import named_formula
        from bandwise.engine.job import BandRef, Job
        from bandwise.engine.radiometry.scaling import RadiometryChoice

        bands = tuple(
            BandRef(name, *(band if isinstance(band, tuple) else (band,)))
            for name, band in (("nir", nir), ("red", red))
        )
        formula = named_formula(
            "NDVI := (nir - red) / (nir + red)", ("nir", "red"), valid_range=(-1.0, 1.0)
        )
        return Job(
            bands, formula, self.path(output), radiometry=scaling or RadiometryChoice(), **options
        )

    def run(self, job: Any, **callbacks: Any) -> Any:
        """Run a job: (pixels of the first result band, report)."""
        from bandwise.engine.execution.pipeline import run

        report = run(job, **callbacks)
        return self.read(job.output), report

    def ndvi(self, nir: Any, red: Any, **options: Any) -> Any:
        """The pixels of an NDVI job."""
        return self.run(self.job(nir, red, **options))[0]

    def notes(self, job: Any) -> tuple[list[str], list[str]]:
        """What a job says before it starts: (lines, warnings)."""
        from bandwise.engine.planning.plan import prepare

        notes = prepare(job).notes
        return [str(note.text) for note in notes if not note.warning], [
            str(note.text) for note in notes if note.warning
        ]

    def read(self, path: str, band: int | None = 1) -> Any:
        """Stored pixels, of one band (rows, columns) or with None of all (bands, rows, columns)."""
        import rasterio

        with rasterio.open(path) as dataset:
            return dataset.read(band)

    def listing(self) -> dict[str, str]:
        """Every file of the folder, hidden ones too, with a digest of its bytes."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def python(self, script: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run ``script`` in a Python process of its own, in the folder, with ``bandwise`` to import."""
        return subprocess.run(
            [sys.executable, "-c", REGISTER + script],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            **{"timeout": 300, **options},
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty folder with tools to make rasters and run jobs in it."""
    return Bench(tmp_path)


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
def shared() -> Any:
    """A function from parts of a path to that path in ``../shared/data``; the test is skipped where it is absent."""

    def path(*parts: str) -> Path:
        data = ROOT.parent.joinpath("shared", "data", *parts)
        if not data.exists():
            pytest.skip(f"needs real data: {'/'.join(parts)}")
        return data

    return path
