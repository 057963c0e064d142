# SPDX-License-Identifier: GPL-2.0-or-later
"""A run in parts: each computed by itself, anywhere, and one file made of all of them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import NDArray
from ..backend.captured import GdalMessages, leaving
from ..backend.choice import backend, block_cache, listening
from ..compute.statistics import Statistics
from ..errors import BandwiseError, OutputError
from ..files.changes import State, check_unchanged, states_of
from ..grids.grid import Window
from ..grids.parts import SIDE, Tiling, tiling, windows_of
from ..grids.windows import WindowPlan
from ..job import Job
from ..messages import translate
from ..planning.memory import window_plan, with_workers
from ..planning.plan import Plan, prepare
from ..planning.resources import resources_named
from ..planning.tags import result_spec, result_tags, run_tags
from ..reading.sources import Sources
from ..writing.blocks import overview_side
from ..writing.creation import result_block
from ..writing.overviews import overview_sizes
from ..writing.parts.assembly import AssembledGeoTiff, PlacedPart
from ..writing.parts.part_file import behind
from ..writing.parts.part_sink import PartSink
from .executor import Executor, Threads
from .pool import Pool
from .progress import Cancel

_THREADS = Threads()
_CODES = 2**16


@dataclass(frozen=True)
class PartedRun:
    """A plan, its windows, the parts that these belong to, and the states of the files that it reads."""

    plan: Plan
    shape: WindowPlan
    tiling: Tiling
    states: dict[str, State]

    @property
    def levels(self) -> int:
        """Number of overviews beyond those that are whole in a part."""
        grid = self.plan.grid
        count = len(overview_sizes(grid.width, grid.height)) if self.plan.overviews else 0
        return count - self.tiling.levels

    def parts(self) -> Iterator[tuple[int, int]]:
        """Yield row and column of each part."""
        return self.tiling.parts(self.plan.grid)

    def window(self, row: int, column: int) -> Window:
        """Return the pixels of a part."""
        return self.tiling.window(self.plan.grid, row, column)


def parted(
    job: Job, *, side: int = SIDE, shape: WindowPlan | None = None, tiles: Tiling | None = None
) -> PartedRun:
    """Check a job as :func:`~.pipeline.run` does, and divide it into parts.

    Parameters
    ----------
    side
        Pixels of a part's side, about.
    shape, tiles
        Windows and parts that were decided on another machine, whose number of cores they depend on.

    Raises
    ------
    BandwiseError
        As :func:`~.pipeline.run` before its first window.
    """
    with resources_named(), backend().http_timeouts():
        messages = GdalMessages()
        with listening(messages), leaving(lambda: False):
            plan = prepare(job)
        states = states_of(file for each in plan.all_inputs for file in each.band.files)
    if shape is not None and tiles is not None:
        return PartedRun(plan, shape, tiles, states)
    grid = plan.grid
    block = result_block(grid, len(job.formula.results), plan.kernel.storage, plan.profile)
    shape = window_plan(plan, block)
    overviews = None
    if plan.overviews:
        count = len(overview_sizes(grid.width, grid.height))
        overviews = count, overview_side(plan.profile, block)
    return PartedRun(plan, shape, tiling(grid, shape, block, overviews, side), states)


def compute_part(
    run: PartedRun,
    row: int,
    column: int,
    path: Path,
    *,
    facts: dict[str, Any],
    workers: int = 0,
    memory: int = 0,
    cancelled: Cancel = lambda: False,
    executor: Executor = _THREADS,
) -> str:
    """Compute a part, write it to the new file ``path``, and return the file's digest.

    The file's bytes depend on nothing but the run, the part and the libraries.

    Parameters
    ----------
    facts
        What else the part's record holds.
    workers, memory
        The largest number of threads, and bytes of memory; 0 for what the plan has.

    Raises
    ------
    BandwiseError
        As :func:`~.pipeline.run`; ``path`` may then be there.
    """
    plan, part = run.plan, run.window(row, column)
    shape = run.shape
    if workers or memory:
        limit = memory or plan.job.memory * 10**6
        shape = with_workers(shape, workers or shape.workers, limit)
    windows = windows_of(plan.grid, shape, part)
    each: list[tuple[Statistics, ...]] = []
    messages = GdalMessages()
    with ExitStack() as stack:
        stack.enter_context(resources_named())
        stack.enter_context(backend().http_timeouts())
        levels = run.tiling.levels
        spec = result_spec(plan)
        try:
            sink = PartSink(spec, part, windows, path, levels=levels, above=run.levels > 0)
            stack.enter_context(closing(sink))
            stack.enter_context(block_cache(shape.cache))
            sources = Sources(plan.reads, shape.workers, shape.blocks)
            stack.enter_context(closing(sources))
            with listening(messages), leaving(lambda: False):
                sources.open()
            pool = Pool(
                plan,
                shape._replace(workers=min(shape.workers, len(windows))),
                sources,
                sink,
                messages,
                executor,
                chosen=windows,
                merged=each.append,
            )
            _, counts = pool.results(lambda fraction, note: None, cancelled)
            check_unchanged(run.states)
            record = {**facts, "statistics": each, "histogram": [_sparse(band) for band in counts]}
            return sink.finish(json.dumps(record).encode("ascii"))
        except OSError as error:
            raise _not_written(path, error) from error


def assemble(
    run: PartedRun,
    sink: AssembledGeoTiff,
    parts: Sequence[PlacedPart],
    cancelled: Cancel = lambda: False,
) -> tuple[str, tuple[Statistics, ...]]:
    """Make the result of parts whose blocks were copied; return its name and its statistics.

    ``parts`` are all of the run's, in order. Statistics are merged window by window in the order of
    the single run, so that they are the same to the last digit.
    """
    results = len(run.plan.job.formula.results)
    totals, counts = (Statistics(),) * results, np.zeros((results, _CODES), np.int64)
    for _, row in groupby(parts, key=lambda part: part.window.row):
        statistics: list[list[list[tuple[Statistics, ...]]]] = []
        for part in row:
            above, record = behind(part.path, part.layout)
            facts = json.loads(record)
            for band, sparse in zip(counts, facts["histogram"]):
                codes, numbers = np.array(sparse, np.int64)
                band[codes] += numbers
            across = math.ceil(part.window.width / run.shape.width)
            statistics.append(_rows(facts["statistics"], across))
            with (
                backend().worker_settings()
            ):  # as a worker's thread has them, for it encodes overviews
                sink.adopt(part, run.tiling.levels, above)
        for window in _in_order(statistics):
            totals = tuple(total.merged(more) for total, more in zip(totals, window))
    check_unchanged(run.states)
    rounded = tuple(band.rounded() for band in totals)
    tags = result_tags(run.plan, rounded, counts)
    return sink.commit(run_tags(run.plan), tags, cancelled), rounded


def identity(text: str) -> str:
    """Return a short name for the contents of a file of a job."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]


def _sparse(counts: NDArray[np.int64]) -> list[list[int]]:
    codes = np.flatnonzero(counts)
    return [codes.tolist(), counts[codes].tolist()]


def _rows(listed: list[Any], across: int) -> list[list[tuple[Statistics, ...]]]:
    """Return the statistics of a part's windows, row by row."""
    windows = [tuple(Statistics(*band) for band in window) for window in listed]
    return [windows[start : start + across] for start in range(0, len(windows), across)]


def _in_order(
    parts: list[list[list[tuple[Statistics, ...]]]],
) -> Iterable[tuple[Statistics, ...]]:
    """Yield the windows of parts that lie side by side, in the order of the plan."""
    for rows in zip(*parts):
        for row in rows:
            yield from row


def _not_written(path: Path, error: OSError) -> OSError:
    """Return an error of the system as a sentence; one of the engine says by itself what is wrong."""
    if isinstance(error, BandwiseError):
        return error
    text = translate(
        "Bandwise",
        "{file} cannot be written ({reason}); check the folder of the parts and its free space.",
    )
    return OutputError(text.format(file=str(path), reason=error.strerror or str(error)))
