# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure time to write, size and time to read of NDVI by codec, level, predictor and tile size.

The default creation options were chosen by these numbers. The engine alone writes, in turn, round
after round; ``read_back.py`` reads each result as a user's tools would. Nothing heavy is imported here.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.cases import FULL, NDVI, scene_bands, scene_folder
from benchmarks.contenders.bandwise import engine_command
from benchmarks.contenders.task import Task
from benchmarks.environments import PEERS, ROOT, Place
from benchmarks.meter import measure

#: Creation options by codec, and whether a predictor changes anything.
CODECS = {
    "NONE": ("COMPRESS=NONE", False),
    "LZW": ("COMPRESS=LZW", True),
    "DEFLATE 1": ("COMPRESS=DEFLATE|ZLEVEL=1", True),
    "DEFLATE 6": ("COMPRESS=DEFLATE|ZLEVEL=6", True),
    "ZSTD 1": ("COMPRESS=ZSTD|ZSTD_LEVEL=1", True),
    "ZSTD 3": ("COMPRESS=ZSTD|ZSTD_LEVEL=3", True),
    "ZSTD 9": ("COMPRESS=ZSTD|ZSTD_LEVEL=9", True),
    "LERC, exact": ("COMPRESS=LERC|MAX_Z_ERROR=0", False),
    "LERC and ZSTD 1, exact": ("COMPRESS=LERC_ZSTD|MAX_Z_ERROR=0|ZSTD_LEVEL=1", False),
}
PREDICTORS = (1, 2, 3)
TILES = (256, 512, 1024)
_SCENE = "deflate"


def profiles(tiles: tuple[int, ...]) -> Iterator[tuple[str, str, int, str]]:
    """Yield codec, predictor, tile size, and all three as creation options."""
    for tile, (codec, (options, predicts)) in itertools.product(tiles, CODECS.items()):
        for predictor in PREDICTORS if predicts else ("",):
            text = f"{options}|BLOCKXSIZE={tile}|BLOCKYSIZE={tile}" + (
                f"|PREDICTOR={predictor}" if predictor else ""
            )
            yield codec, str(predictor), tile, text


class Measurements:
    """Numbers of the runs by creation options; ``absent`` says why some have none."""

    def __init__(self, task: Task, log: Path) -> None:
        self.task, self.log = task, log
        self.runs: dict[str, list[dict[str, float]]] = {}
        self.absent: dict[str, str] = {}

    def add(self, options: str) -> None:
        """Write the result with these options, and read it back with all cores and with one."""
        output = Path(self.task.output)
        output.unlink(missing_ok=True)
        usage = measure(engine_command(self.task, options=options), os.environ, self.log)
        if usage.status:
            self.absent[options] = self.log.read_text(encoding="utf-8").strip().splitlines()[-1]
            return
        numbers = {"write": usage.seconds, "cpu": usage.cpu, "size": output.stat().st_size / 1e6}
        for key, workers in (("read", 0), ("one", 1)):
            measure(
                [
                    sys.executable,
                    str(PEERS / "read_back.py"),
                    str(output),
                    f"--workers={workers}",
                ],
                os.environ,
                self.log,
            )
            numbers[key] = json.loads(self.log.read_text(encoding="utf-8"))["seconds"]
        self.runs.setdefault(options, []).append(numbers)
        print(f"{options:<84} {numbers['write']:6.2f} s {numbers['size']:7.1f} MB", flush=True)

    def median(self, options: str, key: str) -> float:
        """Return the median of a number over the rounds."""
        return median(numbers[key] for numbers in self.runs[options])


def markdown(measured: Measurements, wanted: list[tuple[str, str, int, str]], title: str) -> str:
    """Return the medians of all runs as a page in Markdown."""
    lines = [
        f"# {title}",
        "",
        "Medians; writing is the whole run of the engine, reading the decoding of every tile "
        "without the interpreter's start.",
        "",
        "| codec | predictor | tiles | write, s | CPU, s | MB | read, all cores, s | read, one core, s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for codec, predictor, tile, options in wanted:
        if options in measured.runs:
            write, cpu, size, read, one = (
                measured.median(options, key) for key in ("write", "cpu", "size", "read", "one")
            )
            lines.append(
                f"| {codec} | {predictor} | {tile} | {write:.2f} | {cpu:.2f} | {size:.1f} | {read:.2f} | {one:.2f} |"
            )
    lines += [f"\nRefused: {options}: {reason}" for options, reason in measured.absent.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument("--size", type=int, default=FULL, help="pixels a side; default %(default)s")
    parser.add_argument(
        "--tile",
        type=int,
        action="append",
        choices=TILES,
        help="only this tile size; may be repeated",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("build/bench"),
        help="where scenes and results are written; default %(default)s",
    )
    arguments = parser.parse_args()
    folder: Path = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    log, output = folder / "log.txt", folder / "profile.tif"
    if measure(
        [sys.executable, "-m", "benchmarks.scenes", str(folder), _SCENE, str(arguments.size)],
        os.environ,
        log,
    ).status:
        sys.exit(log.read_text(encoding="utf-8"))
    bands = scene_bands(scene_folder(folder, _SCENE, arguments.size))
    measured = Measurements(
        Task(Place(folder, None, ROOT / ".venv-bench"), NDVI, bands, str(output), ()), log
    )
    wanted = list(profiles(tuple(arguments.tile or TILES)))
    for _, (*_, options) in itertools.product(range(arguments.rounds), wanted):
        if options not in measured.absent:
            measured.add(options)
    output.unlink(missing_ok=True)
    title = f"Creation options: NDVI, {arguments.size} x {arguments.size} pixels, {arguments.rounds} rounds"
    text = markdown(measured, wanted, title)
    (folder / "creation_options.md").write_text(text, encoding="utf-8")
    print(f"\n{text}")


if __name__ == "__main__":
    main()
