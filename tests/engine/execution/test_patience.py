# SPDX-License-Identifier: GPL-2.0-or-later
"""A cancel does not wait for a server that is silent, and what is left behind does no harm."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.errors import Cancelled
from bandwise.engine.execution.executor import Threads, attended
from bandwise.engine.execution.pipeline import run
from bench import Bench
from range_server import Server


@pytest.fixture
def pair(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR")
    values = np.random.default_rng(3).integers(1, 9000, (2, 1500, 1500), dtype=np.uint16)
    return [
        bench.save(
            f"web/{name}.tif", plane, tiled=True, blockxsize=256, blockysize=256, compress="DEFLATE"
        )
        for name, plane in zip(("nir", "red"), values)
    ]


def cancel_when_silent(bench: Bench, server: Server, job: Any) -> None:
    """Cancel a run half a second after the server stopped answering; the run ends while the server
    still has the request.
    """
    silent: list[float] = []

    def cancelled() -> bool:
        if server.waiting and not silent:
            silent.append(time.monotonic())
        return bool(silent) and time.monotonic() > silent[0] + 0.5

    before = bench.listing()
    with pytest.raises(Cancelled, match="nothing was written"):
        run(job, cancelled=cancelled)
    assert server.waiting, "it has not answered"
    assert bench.listing() == before


@pytest.mark.parametrize(
    "healthy", [0, 1, 7, 12], ids=["before the first answer", "opening", "planned", "in the middle"]
)
@pytest.mark.parametrize("form", ["file", "vrt"])
def test_a_cancel_while_the_server_is_silent(
    bench: Bench, server: Server, pair: list[str], form: str, healthy: int
) -> None:
    """Twice, and then the server recovers: what was left behind writes nothing, and the next run is right."""
    here = bench.ndvi(*pair, output="here.tif")
    names = [server.address(path) for path in pair]
    if form == "vrt":
        for number, name in enumerate(names):
            source = f'<SourceFilename relativeToVRT="0">{name}</SourceFilename><SourceBand>1</SourceBand>'
            names[number] = bench.path(f"{number}.vrt")
            Path(names[number]).write_text(
                '<VRTDataset rasterXSize="1500" '
                'rasterYSize="1500"><SRS>EPSG:32633</SRS><GeoTransform>300000,10,0,5000040,0,-10</GeoTransform>'
                f'<VRTRasterBand dataType="UInt16" '
                f'band="1"><SimpleSource>{source}</SimpleSource></VRTRasterBand></VRTDataset>'
            )
    job = bench.job(*names, output="there.tif", workers=2)
    server.manner = "hang"
    for _ in range(2):
        server.healthy = len(server.requests) + healthy
        cancel_when_silent(bench, server, job)
    before = bench.listing()
    server.healthy = 10**9
    server.over.set()
    for thread in threading.enumerate():
        if thread.name.startswith("bandwise"):
            thread.join(60)
    assert bench.listing() == before
    np.testing.assert_array_equal(bench.run(job)[0], here)


def test_the_end_of_the_process_does_not_wait(
    bench: Bench, server: Server, pair: list[str]
) -> None:
    """Daemon threads: a cancelled qgis_process comes back at once."""
    server.healthy, server.manner = 7, "hang"
    script = f"""
import time
from bandwise.engine.errors import Cancelled
from bandwise.engine.job import BandRef, Job
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
started = time.monotonic()
bands = tuple(BandRef(name, path) for name, path in zip("ab", {[server.address(path) for path in pair]}))
try:
    run(Job(bands, named_formula("x := a - b", "ab"), "out.tif"), cancelled=lambda: time.monotonic() > started + 3)
except Cancelled:
    print("cancelled")
"""
    result = bench.python(script, timeout=25)
    assert (result.returncode, result.stdout, result.stderr) == (0, "cancelled\n", "")
    assert server.waiting


def test_a_slow_server_is_waited_for(bench: Bench, server: Server, pair: list[str]) -> None:
    """Each answer takes half a second: all of them come."""
    server.delay = 0.5
    assert (
        bench.ndvi(*map(server.address, pair), output="there.tif", workers=8).tobytes()
        == bench.ndvi(*pair, output="here.tif").tobytes()
    )


def test_local_files_are_planned_in_the_callers_thread() -> None:
    """Another thread takes ten milliseconds more, for PROJ."""
    assert (
        attended(lambda left: threading.current_thread(), lambda: False, Threads(), remote=False)
        is threading.current_thread()
    )
    assert (
        attended(lambda left: threading.current_thread(), lambda: False, Threads(), remote=True)
        is not threading.current_thread()
    )
