# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure the tools of a case in turn, round after round, and check the pixels of each once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .cases import CODECS, FULL, Case, scene_bands, scene_folder
from .contenders.task import Task
from .contenders.tools import TOOLS
from .environments import Absent, Place
from .meter import Usage, measure

_GIGABYTE = 1e9


#: Bytes a pixel that a case needs on disk at once: two inputs and a result, or six and several.
_BYTES_PER_PIXEL, _BYTES_PER_RESULT = 8, 4


class Bench:
    """One run of the benchmark: its folder, its size, and the tools that were asked for."""

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
        """Measure a case and return the measurements, ready for JSON."""
        size = self._size(case)
        entry: dict[str, Any] = {
            "name": case.name,
            "title": case.title,
            "size": size,
            "codec": case.codec,
            "tools": {},
        }
        pixel = _BYTES_PER_PIXEL + _BYTES_PER_RESULT * (len(case.bands) + len(case.indices))
        need = size * size * pixel * 1.1 + 1e9
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
            runner = Runner(name, self._task(case, scene, name))
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
        """Return the size of the case; its own size, if it has one, is scaled as that of the others."""
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
            case.indices,
        )

    def _turn(self, runner: Runner, scene: Path, case: Case, *, checking: bool) -> None:
        output = Path(runner.task.output)
        # QGIS writes statistics beside a raster that it loads for the first time: let each run be the first
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
            runner.facts["failed"] = _last_line(log)
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
            runner.facts.update(self._verified(expression, scene, output))

    def _verified(self, expression: str, scene: Path, output: Path) -> dict[str, Any]:
        """Return how the pixels of a result differ from float64 numpy, or why they cannot be compared."""
        if not output.exists():
            return {"failed": "it wrote nothing"}
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
            return {"failed": "its result cannot be read: " + done.stderr.strip().splitlines()[-1]}
        facts: dict[str, Any] = json.loads(done.stdout)
        return facts


class Runner:
    """A tool in a case: its ``command`` and its measurements, ``facts``.

    Of a tool that is absent ``command`` is empty, and ``facts`` say why.
    """

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
        """Add the measurements of a round."""
        for key in ("seconds", "cpu", "peak"):
            self.facts[key].append(round(getattr(usage, key), 4))


def _last_line(log: Path) -> str:
    lines = [
        line.strip()
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.strip()
    ]
    return lines[-1][:200] if lines else "it printed nothing"
