# SPDX-License-Identifier: GPL-2.0-or-later
"""Run one command and measure wall time, CPU time and the peak memory of its process tree.

Linux counts the memory that the parent held at the fork in the child's peak, so the measuring
process has to stay small: no numpy here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY_SECONDS = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """``seconds`` of wall time, ``cpu`` seconds of all processes together, ``peak`` bytes, and the exit ``status``."""

    seconds: float
    cpu: float
    peak: int
    status: int


def measure(
    command: Sequence[str], environment: Mapping[str, str], log: Path, *, timeout: float = 3600
) -> Usage:
    """Run ``command`` to its end, with its output in the file ``log``.

    It is killed after ``timeout`` seconds, or if this process is interrupted.
    """
    over = threading.Event()
    with log.open("wb") as output:
        os.sync()
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        sampler = _Sampler(process.pid, over, started + timeout)
        sampler.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - started
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            over.set()
            sampler.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Usage(
        seconds,
        usage.ru_utime + usage.ru_stime,
        max(sampler.peak, usage.ru_maxrss * 1024),
        process.returncode,
    )


class _Sampler(threading.Thread):
    """Samples the tree of a process; ``peak`` is the largest sum of resident bytes seen."""

    def __init__(self, process: int, over: threading.Event, deadline: float) -> None:
        super().__init__(daemon=True)
        self.process, self.over, self.deadline = process, over, deadline
        self.peak = 0

    def run(self) -> None:
        while not self.over.wait(_EVERY_SECONDS):
            self.peak = max(self.peak, sum(map(_resident, _tree(self.process))))
            if time.monotonic() > self.deadline:
                os.killpg(self.process, signal.SIGKILL)
                return


def _tree(process: int) -> Iterator[int]:
    """Yield the process and all its descendants."""
    yield process
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            for child in (thread / "children").read_text(encoding="ascii").split():
                yield from _tree(int(child))
    except OSError:
        return


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
