# SPDX-License-Identifier: GPL-2.0-or-later
"""Cancelled at any moment, seven kinds of run leave nothing and the old file as it was, and the
next run in the same process is right.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from bandwise.engine.errors import Cancelled
from bandwise.engine.execution.pipeline import run
from scenarios import KINDS, Scenarios
from stress_case import Case, Tally


@pytest.fixture(scope="module")
def undisturbed(
    scenarios: Scenarios, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[int, float]]:
    """Kind -> calls of ``cancelled`` and seconds of a run that nobody cancels."""
    found = {}
    for kind in KINDS:
        calls = itertools.count()
        started = time.monotonic()
        run(
            scenarios.job(kind, str(tmp_path_factory.mktemp("timing") / "out.tif")),
            cancelled=lambda calls=calls: next(calls) < 0,
        )
        found[kind] = (next(calls), time.monotonic() - started)
    return found


class _Button:
    """Pressed at a call, at a part of the progress, or after some seconds; whatever comes first of what was chosen."""

    def __init__(self, case: Case, calls: int, seconds: float) -> None:
        self.manner = case.random.choice(("call", "progress", "time"))
        self.at = {
            "call": case.random.randrange(calls + 1),
            "progress": case.random.random(),
            "time": case.random.uniform(0, 1.1 * seconds),
        }
        self.pressed, self._calls, self._started = False, 0, time.monotonic()

    def __str__(self) -> str:
        return f"cancelled by {self.manner} at {self.at[self.manner]}"

    def cancelled(self) -> bool:
        due = {
            "call": self._calls >= self.at["call"],
            "progress": self.pressed,
            "time": time.monotonic() - self._started >= self.at["time"],
        }
        self._calls += 1
        self.pressed = self.pressed or due[self.manner]
        return self.pressed

    def progress(self, fraction: float, note: Any) -> None:
        if self.manner == "progress" and fraction >= self.at["progress"]:
            self.pressed = True


def workers() -> int:
    """How many threads of the engine live."""
    return sum(thread.name.startswith("bandwise") for thread in threading.enumerate())


def listing(folder: Path) -> dict[str, str]:
    """Every file of a folder with a digest of its bytes."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def test_cancel(
    case: Case,
    scenarios: Scenarios,
    undisturbed: dict[str, tuple[int, float]],
    tmp_path: Path,
    tally: Tally,
) -> None:
    kind = list(KINDS)[case.number % len(KINDS)]
    output = tmp_path / "out.tif"
    if case.random.random() < 0.5:
        output.write_bytes(b"the former result")
        (tmp_path / "out.tif.aux.xml").write_bytes(b"and what lies beside it")
    before, threads = listing(tmp_path), workers()
    job = scenarios.job(kind, str(output), workers=case.random.choice((1, 2, 4)))
    button = _Button(case, *undisturbed[kind])
    try:
        run(job, progress=button.progress, cancelled=button.cancelled)
    except Cancelled as stopped:
        assert "nothing was written" in str(stopped), button
        assert listing(tmp_path) == before, f"{kind}, {button}"
        tally("cancelled")
    else:
        scenarios.assert_complete(str(output), kind)
        tally("finished before it was noticed")
    run(job)
    scenarios.assert_complete(str(output), kind)
    late = time.monotonic() + 60
    while workers() > threads:  # one that waited for a server ends when that answers
        assert time.monotonic() < late, f"{kind}, {button}: a thread lives on"
        time.sleep(0.01)
    assert list(listing(tmp_path)) == ["out.tif"], f"{kind}, {button}"
