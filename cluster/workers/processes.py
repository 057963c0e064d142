# SPDX-License-Identifier: GPL-2.0-or-later
"""Workers as plain processes of this machine, which read requests and write answers, a line each."""

from __future__ import annotations

import json
import subprocess  # nosec B404
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ...engine.errors import ResourceError
from ...engine.messages import translate
from .slots import Done, encoded, in_flight

_MOST_DEATHS = 20  #: of workers, one after the other, without an answer between them


class Processes:
    """``count`` processes; one that dies is replaced, and its request done again."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._deaths, self._closed = 0, False
        self._all: list[subprocess.Popen[str]] = []
        self._free: deque[subprocess.Popen[str]] = deque()
        self._threads = ThreadPoolExecutor(count, "bandwise cluster")

    def __enter__(self) -> Processes:
        self._free.extend(self._started() for _ in range(self.count))
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._all:
            process.kill()
        for process in self._all:
            process.wait()

    def everywhere(self, request: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """See :class:`~.slots.Slots`."""
        answers = [done.answer for done in self.answers([request] * self.count)]
        return {answer["on"]: answer for answer in answers}

    def answers(self, requests: Iterable[dict[str, Any]]) -> Iterator[Done]:
        """See :class:`~.slots.Slots`."""
        yield from in_flight(self._threads, self.count, requests, self._answer)

    def _answer(self, request: dict[str, Any]) -> Done:
        while self._deaths <= _MOST_DEATHS and not self._closed:
            process = self._taken()
            line = _asked(process, encoded(request))
            if line.endswith("\n"):
                self._free.append(process)
                self._deaths = 0
                return Done(request, json.loads(line))
            process.kill()
            process.wait()
            self._deaths += 1
        text = translate(
            "Bandwise", "{count} workers died one after the other; see the memory of this machine."
        )
        raise ResourceError(text.format(count=self._deaths))

    def _taken(self) -> subprocess.Popen[str]:
        try:
            return self._free.popleft()
        except IndexError:  # one died
            return self._started()

    def _started(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603  # nosec B603
            [*command(), "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._all.append(process)
        return process


def _asked(process: subprocess.Popen[str], request: str) -> str:
    """Return the line that a process answers, or an empty text if it dies."""
    if process.stdin is None or process.stdout is None:
        return ""
    try:
        process.stdin.write(f"{request}\n")
        process.stdin.flush()
        return process.stdout.readline()
    except OSError:
        return ""


def command() -> list[str]:
    """Return what starts the command line in a process of its own."""
    package = __name__.rpartition(".workers.")[0]
    path = Path(__file__).parents[1] / "__main__.py"
    return [sys.executable, str(path)] if path.exists() else [sys.executable, "-m", package]
