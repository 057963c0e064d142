# SPDX-License-Identifier: GPL-2.0-or-later
"""Run jobs in processes that are killed, limited or many: forked in milliseconds from one that has imported the engine and used nothing of it."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).resolve()


class Order(NamedTuple):
    """What a child does.

    It is killed ``after`` seconds, or just before the file operation of number ``operation`` (from 0) that the engine's Python
    asks for: opening, renaming, removing, truncating. ``largest`` bounds the files it writes, in bytes; ``user`` is whom it becomes.
    """

    job: Any
    after: float | None = None
    operation: int | None = None
    largest: int | None = None
    user: int | None = None
    environment: tuple[tuple[str, str], ...] = ()


class Outcome(NamedTuple):
    """How a child ended: ``signal`` 0 unless one killed it; ``error`` is the class of what was raised, empty where nothing was."""

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
        script = f"{self._register}\nimport sys\nsys.path.insert(0, {str(_HERE.parent)!r})\nimport children\nchildren.serve()"
        self._nursery = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
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
    import bandwise.engine.pipeline  # noqa: F401
    import numpy  # noqa: F401
    import rasterio  # noqa: F401

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
    import signal
    import time

    child, reading, after = started
    if after is not None:
        time.sleep(after)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as told:
        outcome = _receive(told)
    status = os.waitpid(child, 0)[1]
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if outcome is None or number:
        return Outcome(number, "" if number else "nothing was told")
    return outcome


def _obey(order: Order, told: int) -> None:
    import resource
    import signal
    import time

    from bandwise.engine.errors import BandwiseError
    from bandwise.engine.pipeline import run

    os.environ.update(order.environment)
    if order.user is not None:
        os.setgid(order.user)
        os.setuid(order.user)
    if order.largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest, order.largest))
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

        error, text, expected = type(raised).__name__, str(raised), isinstance(raised, BandwiseError)
        if not expected:
            text = "".join(traceback.format_exception(type(raised), raised, raised.__traceback__))
    watching = False
    with os.fdopen(told, "wb") as stream:
        _send(stream, Outcome(0, error, text, expected, time.monotonic() - started, operations))


_OPERATIONS = frozenset(
    ("open", "os.rename", "os.remove", "os.truncate", "os.link", "os.chmod", "os.chown", "os.mkdir", "os.setxattr", "fcntl.flock", "fcntl.lockf")
)


def _send(stream: Any, value: Any) -> None:
    data = pickle.dumps(value)
    stream.write(struct.pack("<Q", len(data)) + data)
    stream.flush()


def _receive(stream: Any) -> Any:
    head = stream.read(8)
    return pickle.loads(stream.read(struct.unpack("<Q", head)[0])) if len(head) == 8 else None
