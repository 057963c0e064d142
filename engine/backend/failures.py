# SPDX-License-Identifier: GPL-2.0-or-later
"""What a backend raises, and what can be read from it.

Two exceptions only: :class:`RasterFailure`, an ``OSError`` as a failed system call is, and Python's
``MemoryError``. Whatever the library itself raised is kept as their cause.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])


class RasterFailure(OSError):
    """The raster library could not do what it was asked."""


class ReportedFailure(RasterFailure):
    """The raster library reported a failure and went on as if it had none."""


def raised_by(
    failures: Callable[[], AbstractContextManager[Any]],
) -> Callable[[_Function], _Function]:
    """Return a decorator of functions that call the library within ``failures()``."""

    def decorate(function: _Function) -> _Function:
        @wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            with failures():
                return function(*arguments, **named)

        return call  # type: ignore[return-value]

    return decorate


def reason_of(error: BaseException, path: str = "") -> str:
    """Return the library's own words, without the name of the file that the caller knows."""
    while error.__cause__ is not None:
        error = error.__cause__
    words = " ".join(str(getattr(error, "errmsg", error)).split()).rstrip(".")
    for prefix in ("Read or write failed. ", f"{path}: ", f"{path}, "):
        words = words[len(prefix) :] if prefix and words.startswith(prefix) else words
    return words


def ran_out_of_memory(error: BaseException | None) -> bool:
    """Return whether an error is, or was caused by, a lack of memory in Python or in the library."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False
