# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure the median NDVI of 24 cloud-masked scenes: Bandwise in QGIS, its engine, and xarray with dask.

    python -m benchmarks.studies.composite [--size 5490] [--scenes 24] [--rounds 3]

Scenes are Sentinel-2 Level-2A products as flat folders: B04, B8A and SCL of 20 m as DEFLATE tiles, a
third of the pixels under clouds, the offset of -1000 in the metadata alone. They are written once.
Tools follow each other in every round; one round before them warms the page cache, and its results
are compared with numpy's nanmedian in float64. Prints a Markdown table of medians.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from scripts.qgis_profile import Profile

from ..environments import ROOT, program
from ..meter import Usage, measure

PEERS = ROOT / "benchmarks" / "peers"
CHUNKS = (512, 1024, 2048)  #: pixels a side, for dask


def commands(scenes: Path, output: Path, python: Path) -> dict[str, list[str]]:
    """Return the command of each tool by its title."""
    qgis = [
        *(program("qgis_process.bin", "qgis_process"), "run", "bandwise:composite", "--"),
        *(f"SCENES_FOLDER={scenes}", "INDEX=NDVI", "STATISTICS=0", "OVERVIEWS=0"),
        *("CREATION_OPTIONS=COMPRESS=DEFLATE|ZLEVEL=1|PREDICTOR=3", f"OUTPUT={output}"),
    ]
    engine = [sys.executable, str(PEERS / "composite_engine.py"), str(scenes), str(output)]
    dask = [str(python), str(PEERS / "composite_dask.py"), str(scenes), str(output)]
    return {
        "Bandwise in QGIS": qgis,
        "Bandwise's engine alone": engine,
        **{f"xarray and dask, chunks of {size}": [*dask, str(size)] for size in CHUNKS},
    }


def scene_files(folder: Path, number: int) -> tuple[Path, str]:
    """Return the folder of a scene, and the beginning of the names of its bands."""
    day = datetime.date(2023, 4, 1) + datetime.timedelta(days=5 * number)
    return folder / f"{day:%Y%m%d}", f"T32TNS_{day:%Y%m%d}T101601"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=5490, help="pixels a side")
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv-bench")
    parser.add_argument("--without", action="append", default=[], help="part of a tool's title")
    arguments = parser.parse_args()
    folder: Path = arguments.folder.resolve()
    scenes = folder / f"season-{arguments.scenes}-{arguments.size}"
    output = folder / "composite.tif"
    make = [sys.executable, "-m", "benchmarks.studies.season", str(scenes)]
    subprocess.run([*make, str(arguments.scenes), str(arguments.size)], check=True)
    environment = {**os.environ, **Profile(folder / "profile", ROOT).environment()}
    tools = {
        title: command
        for title, command in commands(scenes, output, arguments.venv / "bin" / "python").items()
        if not any(part in title for part in arguments.without)
    }
    measured: dict[str, list[Usage]] = {title: [] for title in tools}
    errors = {}
    for number in range(arguments.rounds + 1):
        for title, command in tools.items():
            output.unlink(missing_ok=True)
            usage = measure(command, environment, folder / "log.txt")
            print(f"{title:<36} {usage.seconds:8.2f} s {usage.peak / 1e6:7.0f} MB", flush=True)
            if usage.status:
                raise SystemExit((folder / "log.txt").read_text("utf-8")[-2000:])
            if number:
                measured[title].append(usage)
            else:
                check = [sys.executable, "-m", "benchmarks.studies.season", str(scenes)]
                done = subprocess.run(
                    [*check, "--check", str(output)], check=True, capture_output=True, text=True
                )
                errors[title] = done.stdout.strip()
    print(table(measured, errors))


def table(measured: dict[str, list[Usage]], errors: dict[str, str]) -> str:
    """Return the Markdown table."""
    lines = [
        "| tool | seconds | min-max | CPU s | peak MB | max error |",
        "|---|---|---|---|---|---|",
    ]
    for title, usages in measured.items():
        if usages:
            seconds = [usage.seconds for usage in usages]
            cells = [
                *(title, f"{median(seconds):.1f}", f"{min(seconds):.1f}-{max(seconds):.1f}"),
                f"{median(usage.cpu for usage in usages):.1f}",
                *(f"{max(usage.peak for usage in usages) / 1e6:.0f}", errors[title]),
            ]
            lines.append(_row(cells))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
