# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs in parts cost: beside a single run, against their forecast, and with tens of thousands of parts.

    python -m benchmarks.studies.cluster [--size 10980] [--only runs|tasks|use]

The parts of ``tasks`` and ``use`` are empty, or sleep: they need dask.distributed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from cluster.__main__ import registered
from demo.cluster import bands

ROOT = Path(__file__).resolve().parents[2]
COUNTS = (5_476, 54_760)  #: parts of 4096 x 4096 of 300000 x 300000 pixels, and ten times as many
_MEMORY = 20  #: MB by which client and scheduler may grow between these
_SLEEPERS = 100
_SINGLE = """
import sys
from cluster.__main__ import registered
registered()
from bandwise.engine.execution.pipeline import run
from bandwise.engine.job_file.job_file import read_job_file
job = read_job_file(sys.argv[1]).job
run(job._replace(output=job.output.replace("out.tif", "single.tif"), workers=int(sys.argv[2])))
"""


def timed(words: list[str]) -> tuple[float, float]:
    """Return seconds of wall time and of processors that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    subprocess.run(
        words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu


def runs(folder: Path, size: int) -> None:
    """Time a single run with one thread, and 1, 2 and 4 workers of one thread, beside their forecast."""
    package = registered()
    job_module = importlib.import_module(f"{package}.engine.job")
    names = importlib.import_module(f"{package}.engine.expression.names")
    saving = importlib.import_module(f"{package}.engine.execution.saving")
    forecast = importlib.import_module(f"{package}.cluster.forecast")
    parts_of = importlib.import_module(f"{package}.cluster.folder")
    folder.mkdir(parents=True, exist_ok=True)
    paths = bands(folder, size)
    refs = tuple(job_module.BandRef(name, path) for name, path in paths.items())
    formula = names.named_formula("NDVI := (nir - red) / (nir + red)", tuple(paths))
    file = str(folder / "job.json")
    saving.save_job(job_module.Job(refs, formula, str(folder / "out.tif")), file)
    single, cpu = timed([sys.executable, "-c", _SINGLE, file, "1"])
    print(f"single run, one thread: {single:.1f} s, {cpu:.1f} s of processors")
    side = 2048
    parts = parts_of.planned(file, side=side)
    measured = forecast.measured(parts)
    count = len(list(parts.run.parts()))
    for workers in (1, 2, 4):
        guess = forecast.seconds_on(count, measured, workers)
        words = [sys.executable, "-m", "cluster", "run", file, "--side", str(side)]
        seconds, cpu = timed([*words, "--processes", str(workers), "--threads", "1"])
        print(
            f"{workers} workers: {seconds:.1f} s ({seconds / single:.2f} x), {cpu:.1f} s of processors; "
            f"forecast {guess:.1f} s ({100 * (guess - seconds) / seconds:+.0f} %)"
        )


def empty(request: str) -> str:
    """Answer as a part without pixels."""
    del request
    return json.dumps({"done": True, "on": "here"})


def sleeping(request: str) -> str:
    """Answer as a part that takes a second."""
    time.sleep(1)
    return empty(request)


def tasks() -> None:
    """Hand out so many empty parts, and tell how much memory client and scheduler then have more."""
    slots_module, distributed = _dask()
    sizes = []
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        slots = slots_module.DaskSlots(client, work=empty)
        for count in (500, *COUNTS):
            started = time.monotonic()
            done = sum(1 for _ in slots.answers({"part": [0, n]} for n in range(count)))
            pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
            sizes.append(pages * resource.getpagesize() / 1e6)
            speed = done / (time.monotonic() - started)
            print(f"{done} empty parts: {speed:.0f} a second, {sizes[-1]:.0f} MB")
    grown = sizes[-1] - sizes[-2]
    print(f"client and scheduler grew by {grown:.1f} MB; at most {_MEMORY} are allowed")


def use() -> None:
    """Tell how much of the time of 100 workers in this process parts that sleep a second take."""
    slots_module, distributed = _dask()
    with (
        distributed.LocalCluster(
            n_workers=_SLEEPERS, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        slots = slots_module.DaskSlots(client, work=sleeping)
        count = 10 * _SLEEPERS
        started = time.monotonic()
        done = sum(1 for _ in slots.answers({"part": [0, n]} for n in range(count)))
        seconds = time.monotonic() - started
    print(
        f"{done} parts of a second on {_SLEEPERS} workers: {seconds:.1f} s, use {done / _SLEEPERS / seconds:.0%}"
    )


def _dask() -> tuple[Any, Any]:
    module = importlib.import_module(f"{registered()}.cluster.workers.dask_slots")
    return module, importlib.import_module("distributed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10980)
    parser.add_argument("--only", choices=("runs", "tasks", "use"))
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench-cluster")
    arguments = parser.parse_args()
    if arguments.only in (None, "runs"):
        runs(arguments.folder.resolve(), arguments.size)
    if arguments.only in (None, "tasks"):
        tasks()
    if arguments.only in (None, "use"):
        use()


if __name__ == "__main__":
    main()
