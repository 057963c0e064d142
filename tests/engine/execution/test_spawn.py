# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that are started anew (``spawn``), as Windows and macOS start them: plans and jobs travel by pickle."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.grids.layout import GridRule, Layout, Resampling
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.masks import Area, MaskChoice, MaskRule
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from register import REGISTER

ROOT = Path(__file__).resolve().parents[3]
#: A program that runs pickled plans' jobs in a pool of spawned processes, and tells what arrived.
POOL = """
import multiprocessing, pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

def work(plan):
    from bandwise.engine.execution.pipeline import run
    from bandwise.engine.planning.plan import prepare
    again = prepare(plan.job)
    for name in ("grid", "kernel", "read", "radiometries", "mask", "profile", "notes"):  # with NaN
        assert repr(getattr(again, name)) == repr(getattr(plan, name)), name
    return run(plan.job)

if __name__ == "__main__":
    plans = pickle.loads(Path("plans.pickle").read_bytes())
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        reports = list(pool.map(work, plans))
    Path("reports.pickle").write_bytes(pickle.dumps(reports))
"""


def jobs(bench: Bench) -> list[Any]:
    """One of each kind of plan."""
    values = np.random.default_rng(5).integers(1, 10000, (3, 90, 70), dtype=np.uint16)
    nir, red = (
        bench.save(f"{name}.tif", band, nodata=7) for name, band in zip(("nir", "red"), values)
    )
    mask = bench.save("mask.tif", (values[2] > 3000).astype(np.uint8))
    wide = (20.0, 0.0, 300000.0, 0.0, -20.0, 5000040.0)
    coarse = bench.save("coarse.tif", values[1, ::2, ::2], transform=wide)
    ring = ((300000.0, 5000040.0), (300600.0, 5000040.0), (300600.0, 4999500.0))
    choices: list[tuple[str, dict[str, Any]]] = [
        (red, {}),
        (coarse, {"layout": Layout(rule=GridRule.FIRST, resampling=Resampling.CUBIC)}),
        (red, {"mask": MaskChoice(mask, rule=MaskRule.KEEP_NONZERO)}),
        (red, {"area": Area((((*ring, ring[0]),),))}),
        (red, {"cog": True, "overviews": True, "data_type": DataType.INT16_SCALED}),
    ]
    return [
        bench.job(nir, second, output=f"{number}.tif", **options)
        for number, (second, options) in enumerate(choices)
    ]


def test_plans_travel_to_spawned_processes_which_give_the_same_pixels(bench: Bench) -> None:
    wanted = jobs(bench)
    here = [bench.run(job) for job in wanted]
    for job in wanted:
        Path(job.output).unlink()
    Path(bench.path("plans.pickle")).write_bytes(pickle.dumps([prepare(job) for job in wanted]))
    Path(bench.path("pool.py")).write_text(REGISTER + POOL, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "pool.py"],
        cwd=bench.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    reports = pickle.loads(Path(bench.path("reports.pickle")).read_bytes())
    for (pixels, report), again in zip(here, reports):
        assert (again.output, again.statistics) == (report.output, report.statistics)
        np.testing.assert_array_equal(bench.read(again.output), pixels)


@pytest.mark.parametrize("folder", ["engine", "algorithms"])
def test_nothing_forks(folder: str) -> None:
    """No process is started at all, so that none has to be forked."""
    starting = {"multiprocessing", "subprocess", "fork", "forkpty", "spawnv", "system", "popen"}
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = {getattr(node, "attr", ""), getattr(node, "module", "") or ""}
            names |= {alias.name for alias in getattr(node, "names", ()) if hasattr(alias, "name")}
            assert not starting & {part for name in names for part in name.split(".")}, path
