# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure ways for threads to read two rasters: a lock, a handle for each, GDAL's thread-safe datasets.

    python -m benchmarks.studies.readers [--size 8192] [--rounds 5] [--format "JPEG 2000"]

Needs rasterio 1.5 with GDAL 3.11 or newer. Threads take windows of 1024 x 1024 pixels in turn and read
both rasters; the ways follow each other in every round, in a process each. Prints a Markdown table of
median seconds. Page cache warm.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import rasterio
from rasterio.windows import Window

_WINDOW = 1024
WAYS = ("lock", "handles", "thread-safe GTiff", "thread-safe LIBERTIFF")
KINDS: dict[str, dict[str, Any]] = {
    "uncompressed": {"driver": "GTiff", "tiled": True, "blockxsize": 512, "blockysize": 512},
    "DEFLATE": {
        **{"driver": "GTiff", "tiled": True, "blockxsize": 512, "blockysize": 512},
        **{"compress": "deflate", "predictor": 2, "zlevel": 6},
    },
    "JPEG 2000": {"driver": "JP2OpenJPEG", "quality": 25, "blockxsize": 1024, "blockysize": 1024},
}


def write(path: Path, size: int, seed: int, **options: Any) -> None:
    """Write a uint16 raster that compresses as a scene does: smooth, with noise."""
    random = np.random.default_rng(seed)
    smooth = np.kron(random.integers(500, 3000, (size // 64, size // 64)), np.ones((64, 64)))
    values = (smooth + random.integers(0, 60, smooth.shape)).astype(np.uint16)
    profile = {"width": size, "height": size, "count": 1, "dtype": "uint16", **options}
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(values, 1)


def windows(size: int) -> Iterator[Window]:
    for row, column in itertools.product(range(0, size, _WINDOW), repeat=2):
        yield Window(column, row, _WINDOW, _WINDOW)


def seconds(paths: list[str], way: str, threads: int) -> float:
    """Time of reading every window of all rasters once."""
    options: dict[str, Any] = {"sharing": False}
    if way.startswith("thread-safe"):
        options["thread_safe"] = True
    if way.endswith("LIBERTIFF"):
        options["driver"] = "LIBERTIFF"
    lock = threading.Lock()
    with rasterio.Env(GDAL_NUM_THREADS="1", GDAL_CACHEMAX=8_000_000), ExitStack() as stack:

        def opened() -> list[Any]:
            return [stack.enter_context(rasterio.open(path, **options)) for path in paths]

        first = opened()
        sets = [opened() if way == "handles" else first for _ in range(threads)]
        upcoming = windows(first[0].width)

        def work(datasets: list[Any]) -> None:
            with rasterio.Env(GDAL_NUM_THREADS="1"):
                while True:
                    with lock:
                        window = next(upcoming, None)
                    if window is None:
                        return
                    for dataset in datasets:
                        with reading:
                            dataset.read(1, window=window)

        reading: Any = threading.Lock() if way == "lock" else nullcontext()
        workers = [threading.Thread(target=work, args=(datasets,)) for datasets in sets]
        started = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return time.perf_counter() - started


def table(
    folder: Path, kinds: Sequence[str], size: int, rounds: int, say: Callable[[str], None]
) -> None:
    say("| format | threads | " + " | ".join(WAYS) + " |")
    say("|---|---|" + "---|" * len(WAYS))
    for kind in kinds:
        options = KINDS[kind]
        paths = [str(folder / f"{name}.{options['driver'].lower()}") for name in "ab"]
        for seed, path in enumerate(paths):
            write(Path(path), size, seed, **options)
        ways = [way for way in WAYS if "LIBERTIFF" not in way or options["driver"] == "GTiff"]
        for threads in (1, 2, 4):
            times: dict[str, list[float]] = {way: [] for way in ways}
            for _, way in itertools.product(range(rounds), ways):
                command = [sys.executable, "-m", __spec__.name, "--one", way, str(threads), *paths]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                times[way].append(float(done.stdout))
            cells = [f"{median(times[way]):.2f} s" if way in times else "" for way in WAYS]
            say(f"| {kind} | {threads} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=8192, help="pixels a side, a multiple of 1024")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--format", choices=KINDS, nargs="+", default=list(KINDS))
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        way, threads, *paths = arguments.one
        print(seconds(paths, way, int(threads)))
        return
    with tempfile.TemporaryDirectory() as folder:
        kinds, size, rounds = arguments.format, arguments.size, arguments.rounds
        table(Path(folder), kinds, size, rounds, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
