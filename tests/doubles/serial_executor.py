# SPDX-License-Identifier: GPL-2.0-or-later
"""A second executor beside the threads: one turn after the other, in the caller's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Serial:
    """Does work at once, and notes what it was called."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def start(self, work: Callable[[], Any], name: str) -> Future[Any]:
        self.names.append(name)
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
        return future

    def finish(self, futures: set[Future[Any]], may_be_left: Any) -> set[Future[Any]]:
        return set()
