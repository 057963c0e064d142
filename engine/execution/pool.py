# SPDX-License-Identifier: GPL-2.0-or-later
"""The pool of workers that processes the windows of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from contextlib import closing
from functools import partial

import numpy as np

from ..arrays import NDArray
from ..backend.captured import GdalMessages
from ..backend.choice import backend, listening
from ..compute.histogram import Histogram
from ..compute.statistics import Statistics
from ..grids.grid import Window
from ..grids.windows import WindowPlan, windows
from ..planning.log import message_notes
from ..planning.plan import Plan
from ..planning.resources import resources_named
from ..reading.sources import Sources
from ..writing.sink import WindowSink
from .executor import POLL_SECONDS, Executor, cancelled_run
from .progress import Cancel, Pace, Progress
from .worker import Turn, Worker


class Pool:
    """Distributes windows to workers; holds what these and the caller's thread share.

    With ``chosen`` these are the windows, in this order, and not all of the plan; ``merged`` is called
    with the statistics of each, in the same order.
    """

    def __init__(
        self,
        plan: Plan,
        shape: WindowPlan,
        sources: Sources,
        sink: WindowSink,
        messages: GdalMessages,
        executor: Executor,
        *,
        chosen: Sequence[Window] | None = None,
        merged: Callable[[tuple[Statistics, ...]], None] = lambda statistics: None,
    ) -> None:
        self.plan, self.shape = plan, shape
        self.sources, self.sink, self.messages = sources, sink, messages
        self._executor, self._merged = executor, merged
        self.stop = threading.Event()
        self._count = shape.count(plan.grid) if chosen is None else len(chosen)
        self._upcoming = enumerate(windows(plan.grid, shape) if chosen is None else chosen)
        self._statistics: dict[int, tuple[Statistics, ...]] = {}
        self._error: BaseException | None = None
        self._lock = threading.Lock()

    def results(
        self, progress: Progress, cancelled: Cancel
    ) -> tuple[tuple[Statistics, ...], NDArray[np.int64]]:
        """Process all windows.

        The caller's thread polls the progress, since waking it for each window would cost the
        workers time.

        Returns
        -------
        statistics
            Of each result band, merged in the order of the windows.
        counts
            As :meth:`Histogram.counts` returns them, of shape (results, 65536).
        """
        pace = Pace(
            self._count,
            self.plan.grid.width * self.plan.grid.height * self.plan.stored_bytes_per_pixel,
        )
        totals, done = (Statistics(),) * len(self.plan.job.formula.results), 0
        turns: dict[Future[Histogram], Turn] = {}
        try:
            for _ in range(self.shape.workers):
                turn = Turn()
                turns[self._executor.start(partial(self._work, turn), "bandwise")] = turn
            busy = set(turns)
            while busy:
                if cancelled():
                    raise cancelled_run()
                busy = wait(busy, POLL_SECONDS, FIRST_EXCEPTION).not_done
                if self._error is not None:
                    raise self._error
                before = done
                while done in self._statistics:
                    statistics = self._statistics.pop(done)
                    self._merged(statistics)
                    totals = tuple(total.merged(more) for total, more in zip(totals, statistics))
                    done += 1
                for note in message_notes(self.messages):
                    progress(done / self._count, note)
                if done > before:
                    progress(done / self._count, pace.line(done))
        finally:
            self.stop.set()
            unfinished = {future for future in turns if not future.done()}
            self._executor.finish(unfinished, lambda future: turns[future].reading)
        return totals, np.sum([future.result().counts() for future in turns], axis=0)

    def _work(self, turn: Turn) -> Histogram:
        """Process windows in one worker until none is left; keep the first error of any worker,
        which stops the others at their next step.
        """
        try:
            backend().enter_worker_thread()
            with (
                listening(self.messages),
                resources_named(),
                closing(self.sources.reader(self.shape.width, self.shape.rows)) as reader,
            ):
                worker = Worker(self.plan, self.shape, reader, self.sink, self.stop, turn)
                for number, window in self._taken():
                    self._statistics[number] = worker.process(window)
                return worker.histogram
        except BaseException as error:
            with self._lock:
                if self._error is None and not self.stop.is_set():
                    self._error = error
                    self.stop.set()
            raise

    def _taken(self) -> Iterator[tuple[int, Window]]:
        """Yield numbered windows for this thread; the lock is needed as a generator serves one thread at a time."""
        while not self.stop.is_set():
            with self._lock:
                turn = next(self._upcoming, None)
            if turn is None:
                return
            yield turn
