# SPDX-License-Identifier: GPL-2.0-or-later
"""The raster library of this process: which it is, what it says, how much it caches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .api import Backend
from .captured import GdalMessages, collecting

_lock = threading.Lock()
_chosen: list[Backend] = []
_cache_before: dict[Backend, list[int]] = {}


def backend() -> Backend:
    """Return the backend of this process; it is chosen, and its library imported, at the first call."""
    if not _chosen:
        from .rasterio_ import RasterioBackend  # noqa: PLC0415  a fifth of a second

        with _lock:
            if not _chosen:
                _chosen.append(RasterioBackend())
    return _chosen[-1]


@contextmanager
def using(other: Backend) -> Iterator[None]:
    """Have all threads use another backend for a while."""
    _chosen.append(other)
    try:
        yield
    finally:
        _chosen.remove(other)


@contextmanager
def listening(messages: GdalMessages) -> Iterator[None]:
    """Collect what the library says in this thread, whatever the host's logging is set to."""
    with collecting(messages), backend().captured():
        yield


@contextmanager
def block_cache(size: int) -> Iterator[None]:
    """Bound the library's cache of blocks, which the whole process shares, to ``size`` bytes for a while.

    Runs may overlap; the last to leave restores what the first found.
    """
    library = backend()
    with _lock:
        before = _cache_before.setdefault(library, [])
        before.append(library.cache_size())
        library.set_cache_size(size)
    try:
        yield
    finally:
        with _lock:
            size_before = before.pop()
            if not before:
                library.set_cache_size(size_before)
                del _cache_before[library]
