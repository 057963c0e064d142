# SPDX-License-Identifier: GPL-2.0-or-later
"""Print the engine's CPU time by library and by system call, as sampled by Linux's ``perf``.

The table, in Markdown, has CPU seconds of a whole run, of all threads. Run ``bench.py`` before: it
writes the scenes.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cases import CASES, CODECS, FULL, scene_bands, scene_folder
from benchmarks.contenders.bandwise import engine_command
from benchmarks.contenders.task import Task
from benchmarks.environments import Place

_HERTZ = 2000
_CASES = ("1", "2a", "2b", "2c", "3", "4", "5", "6", "10a", "10b", "12a")
#: Groups of libraries; a sample belongs to the first whose pattern fits.
_LIBRARIES = (
    ("codecs", r"libdeflate|libzstd|libz\.|libopenjp2"),
    ("libtiff", r"libtiff"),
    ("GDAL", r"libgdal|rasterio"),
    ("numpy", r"numpy|openblas"),
    ("Python", r"python3"),
)
#: The same for samples in the kernel, by system call or fault.
_CALLS = (
    ("pwrite", r"sys_pwrite64"),
    ("read", r"ksys_read|sys_pread"),
    ("page faults", r"exc_page_fault"),
)
_COLUMNS = (
    *(name for name, _ in _LIBRARIES),
    *(name for name, _ in _CALLS),
    "rest of the kernel",
    "other libraries",
)


def kind(stack: str) -> str:
    """Return the column of a sample; ``stack`` has a line for each frame, the innermost first."""
    innermost = stack.partition("\n")[0]
    if "[kernel" in innermost:
        return next(
            (name for name, pattern in _CALLS if re.search(pattern, stack)), "rest of the kernel"
        )
    return next(
        (name for name, pattern in _LIBRARIES if re.search(pattern, innermost.rpartition("(")[2])),
        "other libraries",
    )


def samples(command: list[str], folder: Path) -> Counter[str]:
    """Run ``command`` and return the number of its samples in each column."""
    data = str(folder / "perf.data")
    record = [
        "perf",
        "record",
        "-q",
        "-e",
        "cpu-clock",
        "-F",
        str(_HERTZ),
        "-g",
        "-o",
        data,
        *command,
    ]
    subprocess.run(record, check=True)
    listed = subprocess.run(
        ["perf", "script", "-i", data, "-F", "ip,sym,dso"],
        check=True,
        capture_output=True,
        text=True,
        errors="replace",
    ).stdout
    return Counter(map(kind, filter(None, (stack.strip() for stack in listed.split("\n\n")))))


def rows(folder: Path, size: int) -> Iterator[tuple[str, ...]]:
    """Yield a row for each case whose scene exists."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        place = Place(folder, None, Path(), {})
        for case in (case for case in CASES if case.name in _CASES):
            scene = scene_folder(folder, case.scene, size)
            if not scene.exists():
                continue
            bands = scene_bands(scene)
            task = Task(
                place,
                case.expression,
                {name: bands[name] for name in case.bands},
                str(Path(scratch) / "out.tif"),
                CODECS[case.codec],
            )
            counts = samples(list(engine_command(task)), Path(scratch))
            Path(task.output).unlink()
            seconds = [counts[column] / _HERTZ for column in _COLUMNS]
            yield (
                f"{case.name}. {case.title}",
                *(f"{number:.2f}" for number in (sum(seconds), *seconds)),
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=FULL, help="pixels a side; default %(default)s")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("build/bench"),
        help="where bench.py wrote its scenes; default %(default)s",
    )
    arguments = parser.parse_args()
    if not shutil.which("perf"):
        sys.exit("There is no perf here; Debian has it in the package linux-perf.")
    print(
        "| "
        + " | ".join(("case", "CPU s", *_COLUMNS))
        + " |\n| --- |"
        + " ---: |" * (len(_COLUMNS) + 1)
    )
    for row in rows(arguments.folder.resolve(), arguments.size):
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
