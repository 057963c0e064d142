# SPDX-License-Identifier: GPL-2.0-or-later
"""GDAL's settings, what it raises, and what it says."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import rasterio
from rasterio._err import CPLE_BaseError, CPLE_OutOfMemoryError
from rasterio.env import get_gdal_config, hasenv, set_gdal_config
from rasterio.errors import RasterioError

#: Seconds, bytes a second
_PATIENCE = {
    "GDAL_HTTP_CONNECTTIMEOUT": "10",
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1",
    "GDAL_HTTP_LOW_SPEED_TIME": "30",
}

_MOST_MESSAGES = 10  #: of GDAL, that are kept: a damaged file may give one a row
_OUT_OF_MEMORY = 2  #: GDAL's number of such failures
#: Of libtiff, without that number
_NO_MEMORY = re.compile(r"out of memory|cannot allocate|no space for \w+ buffer", re.IGNORECASE)
_PREFIX = re.compile(r"^CPLE_\w+( in |:)")  #: of a warning, by rasterio 1.3 and by 1.5

#: What rasterio raises, by version, where GDAL fails.
RASTER_FAILURES = (RasterioError, CPLE_BaseError, OSError)


def reason_of(error: BaseException, path: str = "") -> str:
    """GDAL's own words: rasterio >= 1.4 keeps them in the cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    words = " ".join(str(getattr(error, "errmsg", error)).split()).rstrip(".")
    for prefix in ("Read or write failed. ", f"{path}: ", f"{path}, "):
        words = words[len(prefix) :] if prefix and words.startswith(prefix) else words
    return words


def ran_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error is, or was caused by, a lack of memory in Python or in GDAL."""
    while error is not None:
        if isinstance(error, (MemoryError, CPLE_OutOfMemoryError)) or (
            isinstance(error, CPLE_BaseError) and _NO_MEMORY.search(str(error))
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def http_timeouts() -> Any:
    """GDAL's settings where a server may keep it waiting; entering an environment of rasterio's
    costs half a millisecond, so none where they hold and this thread has one, which passes on what
    GDAL says.
    """
    missing = _patience()
    return rasterio.Env(**missing) if missing or not hasenv() else nullcontext()


def worker_settings() -> Any:
    """GDAL's settings where workers' datasets are opened and read: the pool owns the cores, so GDAL
    starts no readers of its own.

    Datasets of our memory are opened too, which GDAL >= 3.10 does only where it is told so.
    """
    return rasterio.Env(GDAL_NUM_THREADS="1", GDAL_MEM_ENABLE_OPEN="YES", **_patience())


def enter_worker_thread() -> None:
    """Those settings for this thread, until it ends."""
    worker_settings().__enter__()


def within_settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of rasterio's for threads that have such settings, without the environment that it
    enters for every call, at half a millisecond.
    """
    return getattr(function, "__wrapped__", function)


class ReportedFailure(OSError):
    """GDAL reported a failure and went on as if it had none."""


class GdalMessages:
    """The warnings that GDAL gives in the threads of one run, each once and at most ten of them;
    ``more`` counts what is not kept.
    """

    def __init__(self) -> None:
        self.warnings: dict[str, None] = {}
        self.more = 0
        self._told = 0

    def add(self, words: str) -> None:
        if words not in self.warnings:
            if len(self.warnings) < _MOST_MESSAGES:
                self.warnings[words] = None
            else:
                self.more += 1

    def news(self) -> list[str]:
        """The warnings since the last call."""
        words = list(self.warnings)[self._told :]
        self._told += len(words)
        return words


class _Thread(threading.local):
    """What one thread hears: where its warnings go, and the failures that GDAL reported in it."""

    def __init__(self) -> None:
        self.messages: GdalMessages | None = None
        self.failures: list[tuple[object, ...]] = []
        self.left: Callable[[], bool] = lambda: False


_thread = _Thread()
#: To which rasterio 1.3 and 1.5 pass what GDAL says
_loggers = [logging.getLogger(name) for name in ("rasterio._env", "rasterio._err")]
_listeners_lock = threading.Lock()
_listeners = [0]  #: threads that listen


@contextmanager
def listening(messages: GdalMessages) -> Iterator[None]:
    """Collect what GDAL says in this thread, whatever the host's logging is set to; it is not logged a second time.

    rasterio passes messages to ``logging``: warnings as such, failures as information, for some are
    no failures of the call. As loggers belong to the whole process, their settings stay as they
    are, and other threads notice nothing: only what decides whether a record is made, and where it
    goes, is asked here first. GDAL calls its error handler in the thread that it works in.
    """
    with _listeners_lock:
        _listeners[0] += 1
        for logger in _loggers:
            vars(logger).update(isEnabledFor=_enabled(logger), handle=_handle(logger))
    before, _thread.messages = _thread.messages, messages
    try:
        yield
    finally:
        _thread.messages = before
        _thread.failures.clear()
        with _listeners_lock:
            _listeners[0] -= 1
            for logger in _loggers if not _listeners[0] else ():
                vars(logger).pop("isEnabledFor", None)
                vars(logger).pop("handle", None)


def _enabled(logger: logging.Logger) -> Callable[[int], bool]:
    def enabled(level: int) -> bool:
        return (_thread.messages is not None and level >= logging.INFO) or type(
            logger
        ).isEnabledFor(logger, level)

    return enabled


def _handle(logger: logging.Logger) -> Callable[[logging.LogRecord], None]:
    def handle(record: logging.LogRecord) -> None:
        if _thread.messages is None or record.levelno < logging.INFO:
            type(logger).handle(logger, record)
        elif record.levelno >= logging.WARNING:
            _thread.messages.add(_PREFIX.sub("", record.getMessage()).strip().rstrip("."))
        elif isinstance(record.args, tuple) and len(_thread.failures) < _MOST_MESSAGES:
            _thread.failures.append(record.args)  # (number, words), or the number of an unknown one

    return handle


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
    if _thread.left():
        raise LeftError


@contextmanager
def failures_raised() -> Iterator[None]:
    """Raise :class:`ReportedFailure` where GDAL reports a failure in this thread, which listens,
    though it calls the read a success.

    What rasterio raises may be the last of several failures; a lack of memory among them is raised as such.
    """
    _thread.failures.clear()
    try:
        yield
    except RASTER_FAILURES as error:
        if any(failure[0] == _OUT_OF_MEMORY for failure in _thread.failures):
            raise MemoryError from error
        raise
    if _thread.failures:
        raise ReportedFailure(_thread.failures[0][-1])


def _patience() -> dict[str, str]:
    """How long GDAL waits for a server, where the user has not said: for ever is its own default."""
    return {name: seconds for name, seconds in _PATIENCE.items() if get_gdal_config(name) is None}


_cache_lock = threading.Lock()
_cache_before: list[int] = []


@contextmanager
def block_cache(size: int) -> Iterator[None]:
    """Bound GDAL's block cache, which the whole process shares, to ``size`` bytes for a while.

    Runs may overlap; the last to leave restores what the first found.
    """
    with _cache_lock:
        _cache_before.append(get_gdal_config("GDAL_CACHEMAX"))
        set_gdal_config("GDAL_CACHEMAX", size)
    try:
        yield
    finally:
        with _cache_lock:
            before = _cache_before.pop()
            if not _cache_before:
                set_gdal_config("GDAL_CACHEMAX", before)


def thread_safe_datasets() -> bool:
    """Whether one dataset may be read by several threads: rasterio >= 1.5 on GDAL >= 3.11.

    Older rasterio accepts ``thread_safe=True`` and ignores it, so this is told by version.
    """
    return _version(rasterio.__version__) >= (1, 5) and gdal_version() >= (3, 11)


def gdal_version() -> tuple[int, int]:
    """The GDAL that rasterio calls."""
    return _version(rasterio.__gdal_version__)


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int("".join(filter(str.isdigit, minor)) or 0)
