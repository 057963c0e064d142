# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of the cluster have in common: a job in a file, the command line, and what it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.execution.pipeline import run
from bandwise.engine.execution.saving import save_job
from bench import Bench
from parts_cases import contents

ROOT = Path(__file__).resolve().parents[3]
BLOCKS = "BLOCKXSIZE=64|BLOCKYSIZE=64"


class Work:
    """A job of 500 x 600 pixels in 20 parts of 128 x 128, in a file, and the contents of its single run."""

    def __init__(self, bench: Bench, **options: Any) -> None:
        values = np.random.default_rng(20).integers(1, 9000, (2, 500, 600), dtype=np.uint16)
        tiles = {"tiled": True, "blockxsize": 64, "blockysize": 64}
        nir = bench.save("in/nir.tif", values[0], nodata=5, **tiles)
        red = bench.save("in/red.tif", values[1], nodata=5, **tiles)
        Path(bench.path("out/x")).unlink(missing_ok=True)
        given = {"creation_options": BLOCKS, "overviews": True, "memory": 1, "workers": 1}
        self.job = bench.job(nir, red, output="out/out.tif", **{**given, **options})
        self.output = Path(self.job.output)
        self.folder = self.output.with_name("out.tif.parts")
        self.file = bench.path("job.json")
        run(self.job)
        self.single = contents(self.job.output)
        self.output.unlink()
        save_job(self.job, self.file)

    def assert_done(self) -> None:
        """The result is the single run's file, and nothing else is left."""
        assert contents(str(self.output)) == self.single
        assert sorted(path.name for path in self.output.parent.iterdir()) == ["out.tif"]


@pytest.fixture
def work(bench: Bench) -> Work:
    return Work(bench)


def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cluster", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        **{"timeout": 120, **options},
    )


def started(*arguments: str) -> subprocess.Popen[str]:
    """Start the command line."""
    pipe = subprocess.PIPE
    words = [sys.executable, "-m", "cluster", *arguments]
    return subprocess.Popen(words, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)


def workers_of(pid: int) -> list[int]:
    """The processes that a client started for work."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except OSError:
        return []
    found = []
    for child in map(int, text.split()):
        try:
            words = Path(f"/proc/{child}/cmdline").read_text("utf-8")
        except OSError:
            continue
        if "serve" in words or "spawn_main" in words:
            found.append(child)
    return found


def parts_in(folder: Path) -> list[str]:
    """Names of the parts that are there."""
    return sorted(name for name in os.listdir(folder) if name.endswith(".tif"))
