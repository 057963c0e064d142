# SPDX-License-Identifier: GPL-2.0-or-later
"""The pipeline knows its threads by ``execution/executor.py`` alone: another executor takes their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bandwise.engine.errors import ReadError
from bandwise.engine.execution.pipeline import run
from bench import Bench
from serial_executor import Serial

VALUES = np.random.default_rng(7).integers(1, 3000, (2, 1000, 700)).astype(np.uint16)


def test_one_turn_after_the_other_gives_the_same_bytes(bench: Bench) -> None:
    nir, red = (bench.save(f"{name}.tif", band) for name, band in zip(("nir", "red"), VALUES))
    options = {"workers": 3, "memory": 1, "creation_options": "COMPRESS=NONE"}
    run(bench.job(nir, red, output="out/threads.tif", **options))
    serial = Serial()
    report = run(bench.job(nir, red, output="out/serial.tif", **options), executor=serial)
    assert report.windows > 1 and len(serial.names) == report.workers
    threads, turns = (
        Path(bench.path(f"out/{name}.tif")).read_bytes() for name in ("threads", "serial")
    )
    assert threads == turns


def test_an_error_of_a_turn_is_the_run_s(bench: Bench) -> None:
    path = bench.save(
        "nir.tif", VALUES[0], tiled=True, blockxsize=64, blockysize=64, compress="deflate"
    )
    with Path(path).open("r+b") as file:
        file.seek(Path(path).stat().st_size // 2)
        file.write(b"\xff" * 5000)
    before = bench.listing()
    with pytest.raises(ReadError, match="nir"):
        run(bench.job(path, path, workers=2), executor=Serial())
    assert bench.listing() == before
