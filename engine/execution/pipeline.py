# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a job: a pool of workers reads, computes and writes its windows."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

from ..backend.captured import GdalMessages, leaving
from ..backend.choice import backend, block_cache, listening
from ..credentials import without_credentials
from ..files.changes import State, check_unchanged, states_of
from ..files.disk import memory_bytes
from ..files.locations import is_remote
from ..grids.windows import WindowPlan
from ..job import Job, Note, Report
from ..planning.checks import may_be_negative
from ..planning.estimate import estimate
from ..planning.log import (
    closing_notes,
    kept_note,
    library_notes,
    message_notes,
    shape_notes,
    size_note,
)
from ..planning.memory import check_memory, window_plan
from ..planning.plan import Plan, prepare
from ..planning.resources import resources_named
from ..planning.tags import in_physical_units, result_spec, result_tags, run_tags, shown_range
from ..reading.sources import Sources
from ..writing.creation import result_block
from ..writing.sink import sink_for
from .executor import Executor, Threads, attended
from .pool import Pool
from .progress import Cancel, Progress

_THREADS = Threads()


def run(
    job: Job,
    *,
    progress: Progress = lambda fraction, note: None,
    cancelled: Cancel = lambda: False,
    executor: Executor = _THREADS,
) -> Report:
    """Do the job: check it, compute it window by window, and give the finished file its name.

    Memory stays within the plan's bound whatever the raster's size. After an error or a cancel
    nothing new is on disk, and what stood under the output's name is as it was. Where that cannot
    be replaced, the report's ``output`` is the free name that the result got.

    Parameters
    ----------
    progress, cancelled
        Called from this thread only.
    executor
        Runs the threads that process windows.

    Raises
    ------
    BandwiseError
        A subclass of it; the first error of any worker stops the run and is raised.
    """
    started = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(resources_named())
        stack.enter_context(backend().http_timeouts())
        messages = GdalMessages()
        remote = may_wait(job)
        plan, states = attended(
            partial(_planned_with_states, job, messages), cancelled, executor, remote=remote
        )
        for note in (*plan.notes, *message_notes(messages)):
            progress(0.0, note)
        sink = stack.enter_context(sink_for(result_spec(plan)))
        shape = window_plan(plan, sink.block)
        check_memory(shape, memory_bytes())
        facts = estimate(plan, shape)
        for note in _before(plan, shape, facts):
            progress(0.0, note)
        stack.enter_context(block_cache(shape.cache))
        opening = partial(open_all, Sources(plan.reads, shape.workers, shape.blocks), messages)
        sources = stack.enter_context(
            closing(attended(opening, cancelled, executor, remote=remote))
        )
        pool = Pool(plan, shape, sources, sink, messages, executor)
        totals, histograms = pool.results(progress, cancelled)
        attended(lambda left: check_unchanged(states), cancelled, executor, remote=remote)
        statistics = tuple(band.rounded() for band in totals)
        output = sink.commit(run_tags(plan), result_tags(plan, statistics, histograms), cancelled)
    facts["drivers"] = {without_credentials(path): name for path, name in sources.drivers.items()}
    report = Report(
        output=output,
        ranges=tuple(map(partial(shown_range, plan.kernel.storage), statistics, histograms)),
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
        *([kept_note(job.output, output)] if output != job.output else []),
        *closing_notes(job, report, negative=negative),
    ):
        progress(1.0, note)
    return report


def dry_run(job: Job, *, progress: Progress = lambda fraction, note: None) -> str:
    """Check the job, log what it would do, write nothing, and return the estimate as JSON.

    Raises
    ------
    BandwiseError
        As :func:`run` before its first window.
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


def may_wait(job: Job) -> bool:
    """Return whether the run may wait for a server; a VRT may have remote sources."""
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
    return plan, states_of(file for band_input in plan.all_inputs for file in band_input.band.files)


def open_all(sources: Sources, messages: GdalMessages, left: Cancel) -> Sources:
    """Open what a run reads, and close it at once if nobody waits for it any more."""
    with listening(messages), leaving(left):
        sources.open()
    if left():
        sources.close()
    return sources


def _before(plan: Plan, shape: WindowPlan, facts: dict[str, Any]) -> list[Note]:
    """Return the lines of the estimate for the log."""
    output = facts["output"]
    lines = shape_notes(plan.job, plan.grid, shape, plan.kernel.operation.dtype.name)
    return [
        *library_notes(),
        *lines,
        size_note(output["bytes"], facts["free_bytes"], big=output["bigtiff"]),
    ]
