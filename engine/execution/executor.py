# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads that a run starts, and may leave behind where a server keeps them waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import TypeVar

from ..errors import Cancelled, ResourceError
from ..messages import translate

POLL_SECONDS = 0.05
_GRACE = 1.0  #: seconds that what was cancelled has for coming to an end

Result = TypeVar("Result")


def start(work: Callable[[], Result], name: str) -> Future[Result]:
    """Do ``work`` in a thread that the end of the process does not wait for; the future has what it returns or raises.

    Raises :class:`ResourceError` where the system gives no more threads.
    """
    future: Future[Result] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except (RuntimeError, MemoryError) as error:  # "can't start new thread"
        text = translate(
            "Bandwise",
            "The system lets this program start no more threads; choose fewer Workers (WORKERS), "
            "or close other programs.",
        )
        raise ResourceError(text.format()) from error
    return future


def finish(
    futures: set[Future[Result]], may_be_left: Callable[[Future[Result]], bool]
) -> set[Future[Result]]:
    """Wait for threads that were told to stop; back come those that are left behind, for they wait
    for a server longer than a second.
    """
    deadline = time.monotonic() + _GRACE
    while futures:
        futures = wait(futures, POLL_SECONDS).not_done
        if time.monotonic() > deadline and all(map(may_be_left, futures)):
            break
    return futures


def attended(
    work: Callable[[Callable[[], bool]], Result], cancelled: Callable[[], bool], *, remote: bool
) -> Result:
    """What ``work`` returns; it is told how to know that nobody waits for it any more, which a
    cancel brings about at once.

    Local files are read in this thread: a new one needs ten milliseconds, for PROJ.
    """
    if not remote:
        return work(lambda: False)
    left = threading.Event()
    future = start(lambda: work(left.is_set), "bandwise planning")
    try:
        while not future.done():
            if cancelled():
                raise cancelled_run()
            wait([future], POLL_SECONDS, FIRST_EXCEPTION)
    finally:
        left.set()
    return future.result()


def cancelled_run() -> Cancelled:
    return Cancelled(translate("Bandwise", "The run was cancelled; nothing was written.").format())
