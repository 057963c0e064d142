# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure Bandwise and its peers in turn, on the same rasters, and check every tool's pixels against float64 numpy.

Rounds go A B C ... A B C ..., so that a machine that drifts does so for all; ratios are medians of
the rounds' own. One round before them warms the page cache and is the one whose pixels are checked.
Nothing heavy is imported here: see ``meter.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.console import show_every_name
from scripts.qgis_profile import Profile

from .cases import CASES, CODECS, FULL, Case, scene_bands, scene_folder
from .contenders import ROOT, TOOLS, Task
from .environments import EMPTY_ALGORITHM, Absent, Place
from .meter import Usage, measure
from .report import markdown, text_table
from .targets import HEAD, LIMITS_HEAD, limits, rows

_GIGABYTE = 1e9
#: Bytes a pixel that a case needs on disk at once: two inputs and a result.
_BYTES_PER_PIXEL = 8
#: The page's tables stand below this line, and are written anew.
_BELOW = "<!-- Below: make bench BENCH=--publish -->"


class Bench:
    """One run of the benchmark: a place, its size, and the tools that were asked for."""

    def __init__(
        self,
        place: Place,
        size: int,
        rounds: int,
        wanted: Sequence[str],
        without: Sequence[str] = (),
    ) -> None:
        self.place, self.size, self.rounds, self.wanted, self.without = (
            place,
            size,
            rounds,
            wanted,
            without,
        )
        self.results = place.folder / "outputs"
        shutil.rmtree(self.results, ignore_errors=True)
        self.results.mkdir(parents=True)

    def run(self, case: Case) -> dict[str, Any]:
        """Measure a case; what was found, ready for JSON."""
        size = self._size(case)
        entry: dict[str, Any] = {
            "name": case.name,
            "title": case.title,
            "size": size,
            "codec": case.codec,
            "tools": {},
        }
        need = size * size * _BYTES_PER_PIXEL * 1.1 + 1e9
        free = shutil.disk_usage(self.place.folder).free
        if need > free:
            entry["skipped"] = (
                f"It needs {need / _GIGABYTE:.0f} GB of disk; {free / _GIGABYTE:.0f} GB are free."
            )
            return entry
        subprocess.run(
            [
                sys.executable,
                "-m",
                "benchmarks.scenes",
                str(self.place.folder),
                case.scene,
                str(size),
            ],
            check=True,
        )
        scene = scene_folder(self.place.folder, case.scene, size)
        runners = []
        for name in case.tools:
            if self.wanted and name not in self.wanted:
                continue
            if name in self.without:
                entry["tools"][name] = {
                    "title": TOOLS[name].title,
                    "absent": "left out of this run by --without",
                }
                continue
            runner = _Runner(name, self._task(case, scene, name))
            entry["tools"][name] = runner.facts
            if runner.command:
                runners.append(runner)
        for round_number in range(min(self.rounds, case.rounds) + 1):
            for runner in list(runners):
                self._turn(runner, scene, case, checking=round_number == 0)
                if "failed" in runner.facts:
                    runners.remove(runner)
        if case.scene == "repeated":
            shutil.rmtree(scene)
        return entry

    def _size(self, case: Case) -> int:
        """The case's own size, smaller in the proportion that the others are."""
        return case.size * self.size // FULL if case.size > 1000 else case.size or self.size

    def _task(self, case: Case, scene: Path, tool: str) -> Task:
        bands = scene_bands(scene)
        output = self.results / f"{tool}.tif"
        return Task(
            self.place,
            case.expression,
            {name: bands[name] for name in case.bands},
            str(output),
            CODECS[case.codec],
        )

    def _turn(self, runner: _Runner, scene: Path, case: Case, *, checking: bool) -> None:
        output = Path(runner.task.output)
        # QGIS writes statistics beside each raster that it loads for the first time: every run is the first.
        for old in [*self.results.iterdir(), *scene.rglob("*.aux.xml")]:
            old.unlink()
        log = self.place.folder / "log.txt"
        print(f"{case.name:>12}  {runner.name:<18}", end="", flush=True)
        usage = measure(runner.command, self.place.environment, log)
        print(
            f"{usage.seconds:9.2f} s {usage.peak / 1e6:7.0f} MB{'  (warm-up, checked)' if checking else ''}",
            flush=True,
        )
        if usage.status:
            runner.facts["failed"] = _last_words(log)
            print(f"{'':14}failed: {runner.facts['failed']}")
            return
        if output.exists():
            runner.facts["bytes"] = output.stat().st_size
        if not checking:
            runner.add(usage)
            if runner.task.profile.exists():
                runner.facts.setdefault("profile", []).append(
                    json.loads(runner.task.profile.read_text(encoding="utf-8"))
                )
            return
        expression = TOOLS[runner.name].computes(runner.task)
        if expression:
            if not output.exists():
                runner.facts["failed"] = "it wrote nothing"
                return
            command = [
                sys.executable,
                "-m",
                "benchmarks.verify",
                expression,
                str(scene),
                str(output),
            ]
            done = subprocess.run(
                command, env=self.place.environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                runner.facts["failed"] = (
                    "its result cannot be read: " + done.stderr.strip().splitlines()[-1]
                )
                return
            runner.facts.update(json.loads(done.stdout))


class _Runner:
    """A tool in a case: its ``command``, or none where ``facts`` say why it is absent; measurements go to ``facts``."""

    def __init__(self, name: str, task: Task) -> None:
        self.name, self.task = name, task
        self.facts: dict[str, Any] = {"title": TOOLS[name].title}
        self.command: Sequence[str] = ()
        try:
            self.facts["version"] = TOOLS[name].version(task.place)
            self.command = TOOLS[name].command(task)
            self.facts.update(seconds=[], cpu=[], peak=[])
        except Absent as error:
            self.facts["absent"] = str(error)

    def add(self, usage: Usage) -> None:
        for key in ("seconds", "cpu", "peak"):
            self.facts[key].append(round(getattr(usage, key), 4))


def _last_words(log: Path) -> str:
    lines = [
        line.strip()
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.strip()
    ]
    return lines[-1][:200] if lines else "it said nothing"


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    processor = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    system = [
        line.partition("=")[2].strip('"')
        for line in Path("/etc/os-release").read_text().splitlines()
        if line.startswith("PRETTY_NAME=")
    ]
    return {
        "processor": processor[0] if processor else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": round(memory / _GIGABYTE),
        "system": system[0] if system else platform.system(),
        "day": time.strftime("%Y-%m-%d"),
    }


def save(folder: Path, size: int, entries: Sequence[dict[str, Any]], *, publish: bool) -> None:
    """Write JSON and Markdown; cases that were measured before at the same size stay.

    ``publish`` puts the tables on the page in ``docs``.
    """
    path = folder / "performance.json"
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    cases = (
        {entry["name"]: entry for entry in known.get("cases", [])}
        if known.get("size") == size
        else {}
    )
    cases.update((entry["name"], entry) for entry in entries)
    ordered = [cases[case.name] for case in CASES if case.name in cases]
    data = {"machine": machine(), "size": size, "cases": ordered}
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    tables = markdown(data, [HEAD, *rows(data)], [LIMITS_HEAD, *limits(data)])
    (folder / "performance.md").write_text(tables, encoding="utf-8")
    page = ROOT / "docs" / "performance.md"
    if publish:
        page.write_text(
            page.read_text(encoding="utf-8").partition(_BELOW)[0] + f"{_BELOW}\n\n{tables}",
            encoding="utf-8",
        )


def main() -> None:
    show_every_name()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--case",
        action="append",
        choices=[case.name for case in CASES],
        help="only this case; may be repeated",
    )
    parser.add_argument(
        "--tool",
        action="append",
        choices=list(TOOLS),
        help="only this tool; may be repeated; the tables are printed, not saved",
    )
    parser.add_argument(
        "--without",
        action="append",
        choices=list(TOOLS),
        default=[],
        help="not this tool, and the table says so; may be repeated",
    )
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds; default %(default)s")
    parser.add_argument("--size", type=int, default=FULL, help="pixels a side; default %(default)s")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("build/bench"),
        help="where scenes and results are written; default %(default)s",
    )
    parser.add_argument(
        "--chroot",
        type=Path,
        default=os.environ.get("BENCH_CHROOT") or None,
        help="a Debian with newer tools; or $BENCH_CHROOT",
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="put tables and picture into docs/; with --rounds 0 those that are there already",
    )
    arguments = parser.parse_args()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit("ended")
    )  # so that what is being measured ends too
    folder: Path = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    profile = Profile(folder / "profile", ROOT)
    scripts = folder / "profile" / "profiles" / "default" / "processing" / "scripts"
    scripts.mkdir(parents=True, exist_ok=True)
    (scripts / "empty.py").write_text(EMPTY_ALGORITHM, encoding="utf-8")
    place = Place(
        folder,
        arguments.chroot and Path(arguments.chroot).resolve(),
        ROOT / ".venv-bench",
        profile.environment(),
    )
    bench = Bench(place, arguments.size, arguments.rounds, arguments.tool or (), arguments.without)
    cases = [
        case
        for case in CASES
        if (not arguments.case or case.name in arguments.case) and arguments.rounds
    ]
    for case in cases:
        if arguments.tool and not set(arguments.tool) & set(case.tools):
            continue
        entry = bench.run(case)
        if not arguments.tool:
            save(folder, arguments.size, [entry], publish=False)
        print(f"\n{text_table(entry)}\n", flush=True)
    if arguments.tool:
        return
    print(f"Tables: {folder / 'performance.md'}, {folder / 'performance.json'}")
    if arguments.publish:
        save(folder, arguments.size, [], publish=True)
    python = place.venv / "bin" / "python"
    if python.exists():
        picture = (
            ROOT / "docs" / "images" / "performance.png"
            if arguments.publish
            else folder / "performance.png"
        )
        subprocess.run(
            [str(python), "-m", "benchmarks.plot", str(folder / "performance.json"), str(picture)],
            check=True,
        )


if __name__ == "__main__":
    main()
