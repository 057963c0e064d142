# SPDX-License-Identifier: GPL-2.0-or-later
"""Run jobs in processes that are killed, limited or many: forked in milliseconds from one that has
imported the engine and used nothing of it.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

UNTOLD = "nothing was told"  #: the error of a child that ended without a signal and without a word
_HERE = Path(__file__).resolve()


class Order(NamedTuple):
    """What a child does.

    It is killed ``after`` seconds, or just before the file operation of number ``operation`` (from
    0) that the engine's Python asks for: opening, renaming, removing, truncating. ``largest``
    bounds the files it writes, in bytes; ``user`` is whom it becomes; ``memory`` is how many bytes
    of address space, ``descriptors`` how many open files and ``threads`` how many threads it may
    have more than it has; the last needs a user who runs nothing else.
    """

    job: Any
    after: float | None = None
    operation: int | None = None
    largest: int | None = None
    user: int | None = None
    memory: int | None = None
    descriptors: int | None = None
    threads: int | None = None
    environment: tuple[tuple[str, str], ...] = ()


class Outcome(NamedTuple):
    """How a child ended: ``signal`` 0 unless one killed it; ``error`` is the class of what was
    raised, empty where nothing was.
    """

    signal: int
    error: str = ""
    text: str = ""
    expected: bool = True
    seconds: float = 0.0
    operations: int = 0


class Children:
    """Forks children; a context."""

    def __init__(self, register: str) -> None:
        self._register = register

    def __enter__(self) -> Children:
        self._nursery = subprocess.Popen(
            [sys.executable, "-c", f"{self._register}\nimport children\nchildren.serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(_HERE.parent)},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._nursery.communicate()
        self._nursery.wait(30)

    def run(self, *orders: Order) -> list[Outcome]:
        """Fork a child an order, all at once, and wait for all."""
        assert self._nursery.stdin is not None and self._nursery.stdout is not None
        _send(self._nursery.stdin, orders)
        outcomes = _receive(self._nursery.stdout)
        assert outcomes is not None, "the process that forks children died"
        return outcomes


def serve() -> None:
    """Be the process that forks: until its standard input ends."""
    import bandwise.engine.execution.pipeline  # noqa: F401
    import numpy  # noqa: F401
    import rasterio  # noqa: F401
    from bandwise.engine.backend.choice import backend

    backend()
    faulthandler.enable()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (orders := _receive(sys.stdin.buffer)) is not None:
        _send(answers, list(map(_ended, [_forked(order) for order in orders])))


def _forked(order: Order) -> tuple[int, int, float | None]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(reading)
            _obey(order, writing)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    return child, reading, order.after


def _ended(started: tuple[int, int, float | None]) -> Outcome:
    import contextlib
    import select
    import signal

    child, reading, after = started
    # else it has told how it ended
    if after is not None and not select.select([reading], [], [], after)[0]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as told:
        outcome = _receive(told)
    status = os.waitpid(child, 0)[1]
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if outcome is None or number:
        return Outcome(number, "" if number else UNTOLD)
    return outcome


def _limit(order: Order) -> None:
    """Become the order's user, and take its limits."""
    import resource

    if order.user is not None:
        os.setgid(order.user)
        os.setuid(order.user)
    if order.largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest, order.largest))
    if order.memory is not None:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + order.memory, used + order.memory))
    if order.descriptors is not None:
        most = max(map(int, os.listdir("/proc/self/fd"))) + order.descriptors
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if order.threads is not None:
        resource.setrlimit(resource.RLIMIT_NPROC, (1 + order.threads, 1 + order.threads))


def _obey(order: Order, told: int) -> None:
    import signal
    import time

    from bandwise.engine.errors import BandwiseError
    from bandwise.engine.execution.pipeline import run

    os.environ.update(order.environment)
    _limit(order)
    operations = 0

    def audit(event: str, arguments: Any) -> None:
        nonlocal operations
        if event in _OPERATIONS and watching:
            if operations == order.operation:
                os.kill(os.getpid(), signal.SIGKILL)
            operations += 1

    watching = False
    sys.addaudithook(audit)
    started, error, text, expected = time.monotonic(), "", "", True
    watching = True
    try:
        run(order.job)
    except BaseException as raised:
        import traceback

        error, text, expected = (
            type(raised).__name__,
            str(raised),
            isinstance(raised, BandwiseError),
        )
        if not expected:
            text = "".join(traceback.format_exception(type(raised), raised, raised.__traceback__))
    watching = False
    with os.fdopen(told, "wb") as stream:
        _send(stream, Outcome(0, error, text, expected, time.monotonic() - started, operations))


_OPERATIONS = frozenset(
    (
        "open",
        "os.rename",
        "os.remove",
        "os.truncate",
        "os.link",
        "os.chmod",
        "os.chown",
        "os.mkdir",
        "os.setxattr",
        "fcntl.flock",
        "fcntl.lockf",
    )
)


def _send(stream: Any, value: Any) -> None:
    data = pickle.dumps(value)
    stream.write(struct.pack("<Q", len(data)) + data)
    stream.flush()


def _receive(stream: Any) -> Any:
    head = stream.read(8)
    return pickle.loads(stream.read(struct.unpack("<Q", head)[0])) if len(head) == 8 else None
