# SPDX-License-Identifier: GPL-2.0-or-later
"""The one loop that does all the work: windows through a pool of workers, each read, computed and written."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

import numpy as np

from ..arrays import NDArray
from ..backend.captured import GdalMessages, leaving
from ..backend.choice import backend, block_cache, listening
from ..compute.histogram import Histogram, sampling_step
from ..compute.statistics import Statistics
from ..credentials import without_credentials
from ..files.changes import State, check_unchanged, states_of
from ..files.disk import memory_bytes
from ..files.locations import is_remote
from ..grids.grid import Window
from ..grids.windows import WindowPlan, windows
from ..job import Job, Note, Report
from ..planning.checks import may_be_negative
from ..planning.estimate import estimate
from ..planning.log import (
    closing_notes,
    message_notes,
    shape_notes,
    size_note,
)
from ..planning.memory import check_memory, window_plan
from ..planning.plan import Plan, prepare
from ..planning.resources import resources_named
from ..planning.tags import band_tags, in_physical_units, run_tags
from ..reading.sources import Sources
from ..writing.creation import ResultSpec, result_block
from ..writing.sink import Sink, sink_for
from .executor import POLL_SECONDS, attended, cancelled_run, finish, start
from .progress import Cancel, Pace, Progress
from .worker import Turn, Worker


def run(
    job: Job, *, progress: Progress = lambda fraction, note: None, cancelled: Cancel = lambda: False
) -> Report:
    """Do the job: check it, compute it window by window, and put the finished file under its name.

    ``progress`` and ``cancelled`` are called from this thread only. Memory stays within the plan's bound
    whatever the raster's size. Raises a leaf of :class:`~engine.errors.BandwiseError`; the first error of
    any worker stops the run and is the one raised. After an error or a cancel nothing new is on disk, and
    what stood under the output's name is as it was.
    """
    started = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(resources_named())
        stack.enter_context(backend().http_timeouts())
        messages = GdalMessages()
        remote = _waits(job)
        plan, states = attended(
            partial(_planned_with_states, job, messages), cancelled, remote=remote
        )
        for note in (*plan.notes, *message_notes(messages)):
            progress(0.0, note)
        names = [without_credentials(result.name) for result in job.formula.results]
        spec = ResultSpec(
            target=job.output,
            grid=plan.grid,
            names=tuple(names),
            storage=plan.kernel.storage,
            profile=plan.profile,
            overviews=plan.overviews,
            cog=job.cog,
        )
        sink = stack.enter_context(sink_for(spec))
        shape = window_plan(plan, sink.block)
        check_memory(shape, memory_bytes())
        facts = estimate(plan, shape)
        for note in _before(plan, shape, facts):
            progress(0.0, note)
        stack.enter_context(block_cache(shape.cache))
        opening = partial(_opened, Sources(plan.read, shape.workers), messages)
        sources = stack.enter_context(closing(attended(opening, cancelled, remote=remote)))
        totals, histograms = _Run(plan, shape, sources, sink, messages).results(progress, cancelled)
        attended(lambda left: check_unchanged(states), cancelled, remote=remote)
        statistics = tuple(band.rounded() for band in totals)
        tags = [
            band_tags(band, counts, sampling_step(plan.grid))
            for band, counts in zip(statistics, histograms)
        ]
        sink.commit(
            run_tags(plan),
            tags,
            cancelled,
        )
    report = Report(
        output=job.output,
        statistics=tuple(in_physical_units(band, plan.kernel.storage) for band in statistics),
        windows=shape.count(plan.grid),
        window_size=(shape.width, shape.height),
        workers=shape.workers,
        seconds=time.monotonic() - started,
        handles=sources.handles,
        thread_safe=sources.shared,
        estimate=json.dumps(facts, ensure_ascii=False),
    )
    negative = may_be_negative(plan.read.inputs, plan.radiometries, plan.names)
    for note in (
        *message_notes(messages, last=True),
        *closing_notes(job, report, negative=negative),
    ):
        progress(1.0, note)
    return report


def dry_run(job: Job, *, progress: Progress = lambda fraction, note: None) -> str:
    """Check the job, tell what it would do, and write nothing; the estimate comes back as JSON.

    Raises what :func:`run` would before its first window.
    """
    with resources_named(), backend().http_timeouts():
        messages = GdalMessages()
        plan = _planned(job, messages, lambda: False)
    shape = window_plan(
        plan, result_block(plan.grid, len(job.formula.results), plan.kernel.storage, plan.profile)
    )
    check_memory(shape, memory_bytes())
    facts = estimate(plan, shape)
    for note in (*plan.notes, *message_notes(messages), *_before(plan, shape, facts)):
        progress(0.0, note)
    return json.dumps(facts, ensure_ascii=False)


def _waits(job: Job) -> bool:
    """Whether a server may keep the run waiting; a VRT does not tell by its name."""
    paths = [
        *(band.path for band in job.bands),
        *([job.mask.path] if job.mask else []),
        job.layout.reference,
    ]
    return any(is_remote(path) or path.lower().endswith(".vrt") for path in paths if path)


def _planned(job: Job, messages: GdalMessages, left: Cancel) -> Plan:
    with backend().http_timeouts(), listening(messages), leaving(left):
        return prepare(job)


def _planned_with_states(
    job: Job, messages: GdalMessages, left: Cancel
) -> tuple[Plan, dict[str, State]]:
    plan = _planned(job, messages, left)
    return plan, states_of(
        file for band_input in plan.read.all_inputs for file in band_input.band.files
    )


def _opened(sources: Sources, messages: GdalMessages, left: Cancel) -> Sources:
    with listening(messages), leaving(left):
        sources.open()
    if left():
        sources.close()
    return sources


def _before(plan: Plan, shape: WindowPlan, facts: dict[str, Any]) -> list[Note]:
    """The estimate's lines for the log."""
    output = facts["output"]
    lines = shape_notes(plan.job, plan.grid, shape, plan.kernel.operation.dtype.name)
    return [*lines, size_note(output["bytes"], facts["free_bytes"], big=output["bigtiff"])]


class _Run:
    """The state that the caller's thread and the workers share while windows pass."""

    def __init__(
        self,
        plan: Plan,
        shape: WindowPlan,
        sources: Sources,
        sink: Sink,
        messages: GdalMessages,
    ) -> None:
        self.plan, self.shape = plan, shape
        self.sources, self.sink, self.messages = sources, sink, messages
        self.stop = threading.Event()
        self._count = shape.count(plan.grid)
        self._upcoming = enumerate(windows(plan.grid, shape))
        self._found: dict[int, tuple[Statistics, ...]] = {}
        self._error: BaseException | None = None
        self._lock = threading.Lock()

    def results(
        self, progress: Progress, cancelled: Cancel
    ) -> tuple[tuple[Statistics, ...], NDArray[np.int64]]:
        """Statistics of all result bands, merged in the order of the windows, and counts as
        :class:`Histogram` has them.

        The caller's thread looks now and then how far the workers are: woken for each window, it would take their time.
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
                turns[start(partial(self._work, turn), "bandwise")] = turn
            busy = set(turns)
            while busy:
                if cancelled():
                    raise cancelled_run()
                busy = wait(busy, POLL_SECONDS, FIRST_EXCEPTION).not_done
                if self._error is not None:
                    raise self._error
                before = done
                while done in self._found:
                    totals = tuple(
                        total.merged(more) for total, more in zip(totals, self._found.pop(done))
                    )
                    done += 1
                for note in message_notes(self.messages):
                    progress(done / self._count, note)
                if done > before:
                    progress(done / self._count, pace.line(done))
        finally:
            self.stop.set()
            finish({turn for turn in turns if not turn.done()}, lambda turn: turns[turn].reading)
        return totals, np.sum([turn.result().counts() for turn in turns], axis=0)

    def _work(self, turn: Turn) -> Histogram:
        """A worker's turn, until no window is left; the first error of any is kept and stops the
        others at their next step.
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
                    self._found[number] = worker.process(window)
                return worker.histogram
        except BaseException as error:
            with self._lock:
                if self._error is None and not self.stop.is_set():
                    self._error = error
                    self.stop.set()
            raise

    def _taken(self) -> Iterator[tuple[int, Window]]:
        """The windows that are this thread's, each with its number: a generator yields to one at a time."""
        while not self.stop.is_set():
            with self._lock:
                turn = next(self._upcoming, None)
            if turn is None:
                return
            yield turn
