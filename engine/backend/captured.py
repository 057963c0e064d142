# SPDX-License-Identifier: GPL-2.0-or-later
"""What the raster library says in each thread: warnings for the log, failures to be raised."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .failures import RasterFailure, ReportedFailure

_MOST_MESSAGES = 10  #: that are kept: a damaged file may give one a row
_OUT_OF_MEMORY = 2  #: GDAL's number of such failures


class GdalMessages:
    """The warnings that GDAL gives in the threads of one run, each once and at most ten of them.

    ``more`` counts those that are not kept.
    """

    def __init__(self) -> None:
        self.warnings: dict[str, None] = {}
        self.more = 0
        self._reported = 0

    def add(self, words: str) -> None:
        """Keep a warning, unless it is known or there are ten."""
        if words not in self.warnings:
            if len(self.warnings) < _MOST_MESSAGES:
                self.warnings[words] = None
            else:
                self.more += 1

    def news(self) -> list[str]:
        """Return the warnings since the last call."""
        words = list(self.warnings)[self._reported :]
        self._reported += len(words)
        return words


class _Thread(threading.local):
    """One thread's state: where its warnings go, the failures reported in it, whether it was left."""

    def __init__(self) -> None:
        self.messages: GdalMessages | None = None
        self.failures: list[tuple[object, ...]] = []
        self.left: Callable[[], bool] = lambda: False


_thread = _Thread()


def is_listening() -> bool:
    """Return whether this thread wants to know what the library says."""
    return _thread.messages is not None


def warned(words: str) -> None:
    """Take a warning of the library in this thread, for a backend."""
    if _thread.messages is not None:
        _thread.messages.add(words)


def failed(*failure: object) -> None:
    """Take a failure that the library reports in this thread, for a backend.

    Parameters
    ----------
    failure
        GDAL's number and words of the failure, or the number alone of an unknown one.
    """
    if len(_thread.failures) < _MOST_MESSAGES:
        _thread.failures.append(failure)


def forget_failures() -> None:
    """Forget what the library reported in this thread, where something else is tried in its place."""
    _thread.failures.clear()


@contextmanager
def collecting(messages: GdalMessages) -> Iterator[None]:
    """Put what is said in this thread into ``messages``."""
    before, _thread.messages = _thread.messages, messages
    try:
        yield
    finally:
        _thread.messages = before
        _thread.failures.clear()


@contextmanager
def failures_raised() -> Iterator[None]:
    """Raise :class:`ReportedFailure` where GDAL reports a failure, though it calls the read a success.

    The thread has to be listening. What a backend raises may be the last of several failures; a lack
    of memory among them is raised as such.
    """
    _thread.failures.clear()
    try:
        yield
    except RasterFailure as error:
        if any(failure[0] == _OUT_OF_MEMORY for failure in _thread.failures):
            raise MemoryError from error
        raise
    if _thread.failures:
        raise ReportedFailure(_thread.failures[0][-1])


class LeftError(Exception):
    """Nobody waits any more for what this thread does; nobody sees this either."""


@contextmanager
def leaving(left: Callable[[], bool]) -> Iterator[None]:
    """Have :func:`leave_if_left` of this thread ask ``left``."""
    before, _thread.left = _thread.left, left
    try:
        yield
    finally:
        _thread.left = before


def leave_if_left() -> None:
    """Raise :class:`LeftError` where nobody waits for this thread any more."""
    if _thread.left():
        raise LeftError
