# SPDX-License-Identifier: GPL-2.0-or-later
"""The interface between the pipeline and the threads that do the work."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import Protocol, TypeVar

from ..errors import Cancelled, ResourceError
from ..messages import Field, translate

POLL_SECONDS = 0.05
_GRACE = 1.0  #: seconds that cancelled work has to end

#: Seconds that the end of the process waits for what was left behind. A thread that comes back from
#: osgeo, which is C++, while Python shuts down ends the process with an abort.
_GRACE_AT_EXIT = 5.0

Result = TypeVar("Result")


class Executor(Protocol):
    """Runs the work of a run, in threads or elsewhere."""

    def start(self, work: Callable[[], Result], name: str) -> Future[Result]:
        """Start ``work``, and return a future of what it returns or raises.

        Raises
        ------
        ResourceError
            If the system cannot start it.
        """

    def finish(
        self, futures: set[Future[Result]], may_be_left: Callable[[Future[Result]], bool]
    ) -> set[Future[Result]]:
        """Wait for work that was told to stop, and return the futures that are not done.

        After a second it does not wait any longer if ``may_be_left`` allows it for all of them,
        such as for work that waits for a server.
        """


class Threads:
    """Threads that the end of the process waits for some seconds at most."""

    def start(self, work: Callable[[], Result], name: str) -> Future[Result]:
        """See :meth:`Executor.start`."""
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
                "The system lets this program start no more threads; choose fewer {workers}, or close "
                "other programs.",
            )
            raise ResourceError(text.format(workers=Field.WORKERS)) from error
        return future

    def finish(
        self, futures: set[Future[Result]], may_be_left: Callable[[Future[Result]], bool]
    ) -> set[Future[Result]]:
        """See :meth:`Executor.finish`."""
        deadline = time.monotonic() + _GRACE
        while futures:
            futures = wait(futures, POLL_SECONDS).not_done
            if time.monotonic() > deadline and all(map(may_be_left, futures)):
                break
        if futures:
            atexit.register(wait, futures, _GRACE_AT_EXIT)
        return futures


def attended(
    work: Callable[[Callable[[], bool]], Result],
    cancelled: Callable[[], bool],
    executor: Executor,
    *,
    remote: bool,
) -> Result:
    """Return what ``work`` returns; if the run is cancelled, do not wait for it.

    Parameters
    ----------
    work
        Called with a function that returns whether nobody waits for it any more.
    cancelled
        Returns whether the run is cancelled.
    executor
        Runs the work.
    remote
        Whether the work may wait for a server. Other work is done in this thread, as a new one
        needs ten milliseconds to initialise PROJ.

    Raises
    ------
    Cancelled
        If the run is cancelled.
    """
    if not remote:
        return work(lambda: False)
    left = threading.Event()
    future = executor.start(lambda: work(left.is_set), "bandwise planning")
    try:
        while not future.done():
            if cancelled():
                raise cancelled_run()
            wait([future], POLL_SECONDS, FIRST_EXCEPTION)
    finally:
        left.set()
        if not future.done():
            atexit.register(wait, {future}, _GRACE_AT_EXIT)
    return future.result()


def cancelled_run() -> Cancelled:
    """Return the error of a run that was cancelled."""
    return Cancelled(translate("Bandwise", "The run was cancelled; nothing was written.").format())
