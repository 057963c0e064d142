# SPDX-License-Identifier: GPL-2.0-or-later
"""GDAL's settings, what it raises, and what it says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.env import get_gdal_config, set_gdal_config
from rasterio.errors import RasterioError

_PATIENCE = {"GDAL_HTTP_CONNECTTIMEOUT": "10", "GDAL_HTTP_LOW_SPEED_LIMIT": "1", "GDAL_HTTP_LOW_SPEED_TIME": "30"}  #: seconds, bytes a second

#: What rasterio raises, by version, where GDAL fails.
RASTER_FAILURES = (RasterioError, CPLE_BaseError, OSError)


def reason_of(error: BaseException, path: str = "") -> str:
    """GDAL's own words: rasterio >= 1.4 keeps them in the cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    words = str(getattr(error, "errmsg", error)).strip().rstrip(".")
    for prefix in ("Read or write failed. ", f"{path}: ", f"{path}, "):
        words = words[len(prefix) :] if prefix and words.startswith(prefix) else words
    return words


def patient() -> Any:
    """GDAL's settings where a server may keep it waiting; entering an environment of rasterio's costs half a millisecond, so none where they hold."""
    missing = _patience()
    return rasterio.Env(**missing) if missing else nullcontext()


def worker_settings() -> Any:
    """GDAL's settings where workers' datasets are opened and read: the pool owns the cores, so GDAL starts no readers of its own.

    Datasets of our memory are opened too, which GDAL >= 3.10 does only where it is told so.
    """
    return rasterio.Env(GDAL_NUM_THREADS="1", GDAL_MEM_ENABLE_OPEN="YES", **_patience())


def enter_worker_thread() -> None:
    """Those settings for this thread, until it ends."""
    worker_settings().__enter__()


def within_settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of rasterio's for threads that have such settings, without the environment that it enters for every call, at half a millisecond."""
    return getattr(function, "__wrapped__", function)


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
    return _version(rasterio.__version__) >= (1, 5) and _version(rasterio.__gdal_version__) >= (3, 11)


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int("".join(filter(str.isdigit, minor)) or 0)
