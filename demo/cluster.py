# SPDX-License-Identifier: GPL-2.0-or-later
"""A run on several workers from end to end: a worker is killed in the middle, the file is that of a single run."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import from_origin

from cluster.__main__ import registered

ROOT = Path(__file__).resolve().parent.parent
_TEXT = "NDVI := (nir - red) / (nir + red)"
_SIDE = 512  #: of a part: many, so that there is a middle


def bands(folder: Path, size: int) -> dict[str, str]:
    """Write two bands of whole numbers, smooth with noise on it, and return their paths."""
    generator = np.random.default_rng(7)
    rows, columns = np.ogrid[0:size, 0:size]
    paths = {}
    for name, slope in (("nir", 3.0), ("red", 5.0)):
        wave = 4000 + 2500 * np.sin(rows / size * slope) * np.cos(columns / size * 9)
        values = (wave + generator.integers(0, 300, (size, size))).astype(np.uint16)
        values[: size // 7, : size // 5] = 0
        paths[name] = str(folder / f"{name}.tif")
        profile = {"driver": "GTiff", "count": 1, "dtype": "uint16", "crs": "EPSG:32633"}
        layout = {"tiled": True, "blockxsize": 512, "blockysize": 512, "nodata": 0}
        with rasterio.open(
            paths[name],
            "w",
            width=size,
            height=size,
            transform=from_origin(300000, 5000040, 10, 10),
            **profile,
            **layout,
        ) as dataset:
            dataset.write(values, 1)
    return paths


def contents(path: str, tiff: Any) -> tuple[Any, ...]:
    """Return the hashes of all blocks and overview blocks of a result, and its tags."""
    data = Path(path).read_bytes()
    images = []
    for number, _ in enumerate(tiff.directories(data)):
        offsets, sizes = tiff.block_index(data, number).read(data)
        places = zip(offsets.tolist(), sizes.tolist())
        images.append(
            [hashlib.sha256(data[start : start + size]).digest() for start, size in places]
        )
    with rasterio.open(path) as dataset:
        return images, dataset.tags(), dataset.tags(1), str(dataset.profile)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=4096, help="pixels of a side")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    package = registered()
    engine = {
        name: importlib.import_module(f"{package}.engine.{name}")
        for name in (
            "job",
            "expression.names",
            "execution.pipeline",
            "execution.saving",
            "writing.tiff",
        )
    }
    paths = bands(folder, arguments.size)
    refs = tuple(engine["job"].BandRef(name, path) for name, path in paths.items())
    formula = engine["expression.names"].named_formula(_TEXT, tuple(paths))
    job = engine["job"].Job(refs, formula, str(folder / "ndvi.tif"), overviews=True)
    single = job._replace(output=str(folder / "single.tif"))
    started = time.monotonic()
    engine["execution.pipeline"].run(single)
    print(f"single run: {time.monotonic() - started:.1f} s")
    file = str(folder / "job.json")
    engine["execution.saving"].save_job(job, file)
    run = run_with_a_kill(file, folder / "ndvi.tif.parts")
    print(f"run in parts, a worker killed in the middle: {run:.1f} s")
    tiff = engine["writing.tiff"]
    if contents(job.output, tiff) != contents(single.output, tiff):
        sys.exit(f"{job.output} is not equal to the single run")
    print(f"{job.output}: equal to the single run")


def run_with_a_kill(file: str, parts: Path) -> float:
    """Run a job on two processes, kill one of them once a few parts are there, and return the seconds."""
    started = time.monotonic()
    words = [sys.executable, "-m", "cluster", "run", file, "--processes", "2", "--side", str(_SIDE)]
    client = subprocess.Popen(words, cwd=ROOT)
    while client.poll() is None and len(list(parts.glob("r*.tif"))) < 4:
        time.sleep(0.01)
    children = Path(f"/proc/{client.pid}/task/{client.pid}/children")
    if client.poll() is None:
        victim = int(children.read_text("ascii").split()[0])
        os.kill(victim, signal.SIGKILL)
        print(f"killed worker {victim} after {len(list(parts.glob('r*.tif')))} parts")
    if client.wait():
        sys.exit(f"the run ended with {client.returncode}")
    return time.monotonic() - started


if __name__ == "__main__":
    main()
