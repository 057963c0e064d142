# SPDX-License-Identifier: GPL-2.0-or-later
"""The one loop that does all the work: windows through a pool of workers, each read, computed and written."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import Any, Optional

import numpy as np

from .account import MEGABYTE, band_tags, closing_notes, run_tags, shape_notes, size_note, stated
from .arrays import NDArray
from .compute import Calculator
from .creation import result_block
from .environment import block_cache, enter_worker_thread, patient
from .errors import Cancelled
from .forecast import forecast
from .geotiff import GeoTiffSink
from .grid import Window
from .histogram import Histogram, step_of
from .job import Job, Note, Report
from .masks import masked
from .messages import translate
from .plan import Plan, prepare
from .radiometry import mark
from .sources import Sources
from .statistics import Statistics
from .validity import Excluded
from .windows import WindowPlan, parts, windows

#: Told how far the run is (0 to 1, never less than before) and, now and then, something for the log.
Progress = Callable[[float, Optional[Note]], None]
Cancel = Callable[[], bool]

_POLL_SECONDS = 0.05
_SECONDS_BETWEEN_LINES = 5.0


def run(job: Job, *, progress: Progress = lambda fraction, note: None, cancelled: Cancel = lambda: False) -> Report:
    """Do the job: check it, compute it window by window, and put the finished file under its name.

    ``progress`` and ``cancelled`` are called from this thread only. Memory stays within the plan's bound
    whatever the raster's size. Raises a leaf of :class:`~engine.errors.BandwiseError`; the first error of
    any worker stops the run and is the one raised. After an error or a cancel nothing new is on disk, and
    what stood under the output's name is as it was.
    """
    started = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(patient())
        plan = prepare(job)
        for note in plan.notes:
            progress(0.0, note)
        names = [result.name for result in job.formula.results]
        sink = stack.enter_context(
            GeoTiffSink(
                job.output, plan.grid, names, storage=plan.recipe.storage, profile=plan.profile, overviews=plan.overviews, cog=plan.cog
            )
        )
        shape = plan.windows(sink.block)
        facts = forecast(plan, shape)
        for note in _before(plan, shape, facts):
            progress(0.0, note)
        stack.enter_context(block_cache(shape.cache))
        sources = stack.enter_context(Sources(plan.inputs, plan.stacks, shape.workers))
        totals, histograms = _Run(plan, shape, sources, sink).results(progress, cancelled)
        statistics = tuple(band.rounded() for band in totals)
        tags = [band_tags(band, counts, step_of(plan.grid)) for band, counts in zip(statistics, histograms)]
        sink.commit(run_tags(job, plan.inputs, plan.radiometries, plan.mask_rule, plan.grid), tags)
    report = Report(
        output=job.output,
        statistics=tuple(stated(band, plan.recipe.storage) for band in statistics),
        windows=shape.count(plan.grid),
        window_size=(shape.width, shape.height),
        workers=shape.workers,
        seconds=time.monotonic() - started,
        handles=sources.handles,
        thread_safe=sources.shared,
        forecast=json.dumps(facts, ensure_ascii=False),
    )
    for note in closing_notes(job, report):
        progress(1.0, note)
    return report


def dry_run(job: Job, *, progress: Progress = lambda fraction, note: None) -> str:
    """Check the job, tell what it would do, and write nothing; the forecast comes back as JSON.

    Raises what :func:`run` would before its first window.
    """
    plan = prepare(job)
    shape = plan.windows(result_block(plan.grid, len(job.formula.results), plan.recipe.storage, plan.profile))
    facts = forecast(plan, shape)
    for note in (*plan.notes, *_before(plan, shape, facts)):
        progress(0.0, note)
    return json.dumps(facts, ensure_ascii=False)


def _before(plan: Plan, shape: WindowPlan, facts: dict[str, Any]) -> list[Note]:
    """The forecast's lines for the log."""
    output = facts["output"]
    lines = shape_notes(plan.job, plan.grid, shape, plan.recipe.program.dtype.name)
    return [*lines, size_note(output["bytes"], facts["free_bytes"], big=output["bigtiff"])]


class _Run:
    """The state that the caller's thread and the workers share while windows pass."""

    def __init__(self, plan: Plan, shape: WindowPlan, sources: Sources, sink: GeoTiffSink) -> None:
        self.plan, self.shape = plan, shape
        self.sources, self.sink = sources, sink
        self.stop = threading.Event()
        self._count = shape.count(plan.grid)
        self._upcoming = enumerate(windows(plan.grid, shape))
        self._found: dict[int, tuple[Statistics, ...]] = {}
        self._error: BaseException | None = None
        self._lock = threading.Lock()

    def results(self, progress: Progress, cancelled: Cancel) -> tuple[tuple[Statistics, ...], NDArray[np.int64]]:
        """Statistics of all result bands, merged in the order of the windows, and counts as :class:`Histogram` has them.

        The caller's thread looks now and then how far the workers are: woken for each window, it would take their time.
        """
        pool = ThreadPoolExecutor(self.shape.workers, thread_name_prefix="bandwise", initializer=enter_worker_thread)
        pace = _Pace(self._count, self.plan.grid.width * self.plan.grid.height * self.plan.stored_bytes_per_pixel)
        totals, done = (Statistics(),) * len(self.plan.job.formula.results), 0
        try:
            turns = [pool.submit(self._work) for _ in range(self.shape.workers)]
            busy = set(turns)
            while busy:
                if cancelled():
                    raise Cancelled(translate("Bandwise", "The run was cancelled; nothing was written.").format())
                busy = wait(busy, _POLL_SECONDS, FIRST_EXCEPTION).not_done
                if self._error is not None:
                    raise self._error
                before = done
                while done in self._found:
                    totals = tuple(total.merged(more) for total, more in zip(totals, self._found.pop(done)))
                    done += 1
                if done > before:
                    progress(done / self._count, pace.line(done))
        finally:
            self.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
        return totals, np.sum([turn.result().counts() for turn in turns], axis=0)

    def _work(self) -> Histogram:
        """A worker's turn, until no window is left; the first error of any is kept and stops the others at their next step."""
        try:
            worker = _Worker(self)
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

    def leave_if_stopped(self) -> None:
        if self.stop.is_set():
            raise Cancelled(translate("Bandwise", "The run was cancelled; nothing was written.").format())


class _Worker:
    """What one thread works with, made once: room for a window's values and results."""

    def __init__(self, run: _Run) -> None:
        self.run, self.plan, self._rows = run, run.plan, run.shape.rows
        self._results = len(self.plan.job.formula.results)
        self._reader = run.sources.reader(run.shape.width * run.shape.rows)
        self._out = np.empty(self._results * run.shape.width * run.shape.height, self.plan.recipe.storage.dtype)
        self._calculator = Calculator(self.plan.recipe)
        self.histogram = Histogram(self._results, step_of(self.plan.grid))

    def process(self, window: Window) -> tuple[Statistics, ...]:
        """Read, compute and write a window."""
        out = self._out[: self._results * window.pixels].reshape(self._results, window.pixels)
        totals = (Statistics(),) * self._results
        for part in parts(window, self._rows):
            start = (part.row - window.row) * window.width
            found = self._compute(part, out[:, start : start + part.pixels])
            totals = tuple(total.merged(more) for total, more in zip(totals, found))
        self.run.leave_if_stopped()
        pixels = out.reshape(-1, window.height, window.width)
        self.histogram.add(window, pixels, self.plan.recipe.storage.nodata)
        self.run.sink.write(window, pixels)
        return totals

    def _compute(self, window: Window, out: NDArray[Any]) -> tuple[Statistics, ...]:
        """Fill ``out``, of shape (results, window.pixels)."""
        plan = self.plan
        self.run.leave_if_stopped()
        outside = plan.area.outside(window).reshape(-1) if plan.area else None
        if outside is not None and outside.all():
            out[...] = plan.recipe.storage.nodata
            return (Statistics(outside=window.pixels),) * len(out)
        values, planes = self._reader.read(window)
        self.run.leave_if_stopped()
        hidden = None
        if plan.mask_rule is not None and plan.job.mask is not None:
            (classes,) = values.pop()
            hidden = masked(classes, plan.mask_rule, plan.job.mask)
            unknown = np.empty_like(hidden)
            mark(classes, plan.inputs[-1].markers[0], unknown)
            hidden |= unknown
            for plane in planes[-1]:
                hidden |= plane == 0
        return self._calculator.compute(values, planes, out, Excluded(outside, hidden))


class _Pace:
    """Says now and then how far the run is, how fast, and how long it will take."""

    def __init__(self, count: int, size: int) -> None:
        self.count, self.size = count, size
        self.started = self.last = time.monotonic()

    def line(self, done: int) -> Note | None:
        now = time.monotonic()
        if done < self.count and now - self.last < _SECONDS_BETWEEN_LINES:
            return None
        self.last = now
        elapsed = max(now - self.started, 1e-9)
        return Note(
            translate("Bandwise", "{done} of {count} blocks, {speed:.0f} MB/s read, {left:.0f} s left").format(
                done=done,
                count=self.count,
                speed=self.size * done / self.count / MEGABYTE / elapsed,
                left=elapsed / done * (self.count - done),
            )
        )
