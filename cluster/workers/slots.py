# SPDX-License-Identifier: GPL-2.0-or-later
"""Whoever does the work: the seam between a run and processes, or a cluster of dask."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple, Protocol

from .tasks import answer


class Done(NamedTuple):
    """A request and its answer."""

    request: dict[str, Any]
    answer: dict[str, Any]


class Slots(Protocol):
    """Workers that answer requests, see :mod:`.tasks`; a worker may die, its request is then done by another."""

    @property
    def count(self) -> int:
        """How many requests are done at once."""

    def everywhere(self, request: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Return the answer of each worker, by its name."""

    def answers(self, requests: Iterable[dict[str, Any]]) -> Iterator[Done]:
        """Yield requests with their answers, in any order; few are taken in advance."""


class Threads:
    """Threads of this process, for work that is mostly the disk's."""

    def __init__(self, count: int) -> None:
        self.count = count

    def everywhere(self, request: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """See :class:`Slots`."""
        return {"this machine": json.loads(answer(encoded(request)))}

    def answers(self, requests: Iterable[dict[str, Any]]) -> Iterator[Done]:
        """See :class:`Slots`."""
        with ThreadPoolExecutor(self.count, "bandwise cluster") as pool:
            yield from in_flight(pool, self.count, requests, _answered)


def _answered(request: dict[str, Any]) -> Done:
    return Done(request, json.loads(answer(encoded(request))))


def in_flight(
    pool: ThreadPoolExecutor,
    count: int,
    requests: Iterable[dict[str, Any]],
    work: Callable[[dict[str, Any]], Done],
) -> Iterator[Done]:
    """Yield what ``work`` returns for each request, of which ``count`` are taken at a time."""
    upcoming = iter(requests)
    busy: set[Future[Done]] = set()
    while True:
        while len(busy) < count and (request := next(upcoming, None)) is not None:
            busy.add(pool.submit(work, request))
        if not busy:
            return
        done, busy = wait(busy, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


def serve() -> None:
    """Answer requests of standard input, a line each, until it ends; an interrupt is the client's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for line in sys.stdin:
            sys.stdout.write(answer(line) + "\n")
            sys.stdout.flush()
    except BrokenPipeError:  # the client is gone; what was computed is on the disk
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def encoded(request: dict[str, Any]) -> str:
    """Return a request as it travels."""
    return json.dumps(request)
