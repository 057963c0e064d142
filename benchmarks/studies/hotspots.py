# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the engine's CPU time goes, by library and by system call, as Linux's ``perf`` samples it.

Prints a table in Markdown: CPU seconds of a whole run, of all threads. The scenes are those of
``bench.py``, which has to have run.
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
from benchmarks.contenders import Task, engine_command
from benchmarks.environments import Place

_HERTZ = 2000
_CASES = ("1", "2a", "2b", "2c", "3", "4", "5", "6")
#: What a sample belongs to, by the library that it lies in; the first that fits.
_LIBRARIES = (
    ("codecs", r"libdeflate|libzstd|libz\.|libopenjp2"),
    ("libtiff", r"libtiff"),
    ("GDAL", r"libgdal|rasterio"),
    ("numpy", r"numpy|openblas"),
    ("Python", r"python3"),
)
#: In the kernel by the system call, or the fault, that it is there for.
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
    """The column of a sample, of which ``stack`` has a line for each frame, the innermost first."""
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
    """How many samples of a run of ``command`` lie where."""
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
    found = subprocess.run(
        ["perf", "script", "-i", data, "-F", "ip,sym,dso"],
        check=True,
        capture_output=True,
        text=True,
        errors="replace",
    ).stdout
    return Counter(map(kind, filter(None, (stack.strip() for stack in found.split("\n\n")))))


def rows(folder: Path, size: int) -> Iterator[tuple[str, ...]]:
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
            found = samples(list(engine_command(task)), Path(scratch))
            Path(task.output).unlink()
            seconds = [found[column] / _HERTZ for column in _COLUMNS]
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
