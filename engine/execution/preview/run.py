# SPDX-License-Identifier: GPL-2.0-or-later
"""The result of a job at few pixels, computed in memory by the engine of the run."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...arrays import NDArray
from ...backend.api import Dataset
from ...backend.captured import GdalMessages, leaving
from ...backend.choice import backend, block_cache, listening
from ...compute.statistics import Statistics
from ...errors import OptionError
from ...grids.grid import Grid
from ...grids.layout import Extent
from ...grids.windows import WindowPlan
from ...job import Job, Note
from ...messages import Template, Text, translate
from ...planning.plan import Plan, View, prepare
from ...planning.resources import resources_named
from ...planning.tags import in_physical_units
from ...reading.bands import BandFacts
from ...reading.opening import opened
from ..executor import Executor, Threads, attended
from ..pipeline import may_wait, open_all
from ..pool import Pool
from ..progress import Cancel
from .memory import ArraySink, KeepingSources, KeptInputs
from .reduced import reduced, reduced_facts
from .region import Region, region_of

SIDE = 512  #: pixels of a side, at most
BINS = 256  #: of the histogram
_ROWS = 16  #: of cells that are read at a time, and after which a cancel is seen
_CACHE = 48_000_000  #: bytes of GDAL's blocks that are kept, at least
_MOST_CACHE = 400_000_000
_THREADS = Threads()


@dataclass(frozen=True)
class Preview:
    """Results at few pixels.

    Attributes
    ----------
    names, values
        Of each result; values of shape (results, rows, columns), NaN where they are nodata.
    statistics
        Of each result, over the pixels that are shown.
    input_names, inputs
        Of each band that is used, the values that are computed with, at the same pixels.
    region
        The part of the result that is shown, and by which pixels.
    notes
        Lines of the log of a run, before its first window.
    seconds
        Wall time.
    """

    job: Job
    names: tuple[str, ...]
    values: NDArray[np.float64]
    statistics: tuple[Statistics, ...]
    input_names: tuple[str, ...]
    inputs: NDArray[np.float64]
    region: Region
    notes: tuple[Note, ...]
    seconds: float

    @property
    def grid(self) -> Grid:
        """The grid of the pixels that are shown."""
        return self.region.grid

    def histogram(self, result: int) -> tuple[NDArray[np.int64], float, float]:
        """Return the counts of values in parts of a range, and its ends.

        These are the least and the largest value, but not far beyond the second and the 98th
        percentile, as a single value would leave one bar for all others: such values are counted in
        the outer parts.
        """
        values = self.values[result]
        valid = values[np.isfinite(values)]
        if not valid.size:
            return np.zeros(BINS, np.int64), np.nan, np.nan
        inner = np.percentile(valid, [2, 98])
        spread = inner[1] - inner[0] or np.inf
        low = max(float(valid.min()), float(inner[0] - spread))
        high = min(float(valid.max()), float(inner[1] + spread))
        if not 0 < high - low < np.inf:
            return np.bincount([BINS // 2] * valid.size, minlength=BINS), low, high
        numbers = np.clip((valid - low) / (high - low) * BINS, 0, BINS - 1)
        return np.bincount(numbers.astype(np.int64), minlength=BINS), low, high

    def stretch(self, result: int, low: float = 2, high: float = 98) -> tuple[float, float] | None:
        """Return two percentiles of the values, for a picture; None where there are no values."""
        values = self.values[result]
        valid = values[np.isfinite(values)]
        if not valid.size:
            return None
        black, white = np.percentile(valid, [low, high])
        return float(black), float(white)

    def nodata_share(self, result: int) -> float:
        """Return the part of the pixels that are nodata, 0 to 1."""
        return float(np.isnan(self.values[result]).mean())

    def summary(self) -> Text:
        """Say what is shown: all pixels, or which ones, of which part."""
        region = self.region
        grid, part = region.grid, region.window
        facts = {
            "width": grid.width,
            "height": grid.height,
            "full_width": part.width,
            "full_height": part.height,
            "across": grid.pixel_size[0],
            "down": grid.pixel_size[1],
            "step": region.step,
        }
        return _sentence(region).format(**facts)


def _sentence(region: Region) -> Template:
    if region.is_centre:
        return translate(
            "Bandwise",
            "Only the middle, {full_width} x {full_height} pixels, resampled to {width} x {height} "
            "(pixels of {across:.6g} x {down:.6g}, one of {step} x {step}): without overviews "
            "the rest would take long; build overviews, or choose the extent of the map.",
        )
    if region.step == 1:
        return translate(
            "Bandwise",
            "All {width} x {height} pixels, of {across:.6g} x {down:.6g}, as in the run.",
        )
    if region.levels:
        return translate(
            "Bandwise",
            "Resampled: {full_width} x {full_height} pixels as {width} x {height} of {across:.6g} "
            "x {down:.6g}, read from overviews; details and extremes of the run are not all in it.",
        )
    return translate(
        "Bandwise",
        "Resampled: {full_width} x {full_height} pixels as {width} x {height} of {across:.6g} x "
        "{down:.6g}, one pixel of {step} x {step}; extremes of the run are not all in it.",
    )


def preview(
    job: Job,
    extent: Extent | None = None,
    *,
    side: int = SIDE,
    cancelled: Cancel = lambda: False,
    executor: Executor = _THREADS,
) -> Preview:
    """Compute the results of a job at no more than ``side`` pixels a side; nothing is written.

    Rasters are read from overviews where there are any, else one pixel of some; what is between is
    not looked at. All else is as in :func:`~..pipeline.run`: grids, nodata, masks, types.

    Parameters
    ----------
    extent
        Where to look; None: all of the result.
    cancelled
        Asked from this thread.

    Raises
    ------
    BandwiseError
        As the run does; ``Cancelled`` where that was asked for.
    """
    started = time.monotonic()
    if job.composite:
        text = translate(
            "Bandwise", "A composite of many scenes has no preview; run it on a small extent."
        )
        raise OptionError(text.format())
    job = _in_memory(job)
    with ExitStack() as stack:
        stack.enter_context(resources_named())
        stack.enter_context(backend().http_timeouts())
        messages, remote = GdalMessages(), may_wait(job)
        planning = partial(_planned, job, extent, side, messages)
        plan, region = attended(planning, cancelled, executor, remote=remote)
        shape = _shape(plan)
        stack.enter_context(block_cache(shape.cache))
        sink = ArraySink(plan.grid, len(job.formula.results), plan.kernel.storage)
        kept = KeptInputs(plan)
        sources = KeepingSources(plan, shape.workers, partial(_open, region), kept)
        opening = partial(open_all, sources, messages)
        stack.enter_context(closing(attended(opening, cancelled, executor, remote=remote)))
        pool = Pool(plan, shape, sources, sink, messages, executor)
        totals, _ = pool.results(lambda fraction, note: None, cancelled)
    used = tuple(job.formula.bands() if job.operation is None else range(len(job.bands)))
    return Preview(
        job=job,
        names=tuple(result.name for result in job.formula.results),
        values=sink.values(),
        statistics=tuple(in_physical_units(band.rounded(), plan.kernel.storage) for band in totals),
        input_names=tuple(job.bands[band].name for band in used),
        inputs=kept.values(used),
        region=region,
        notes=plan.notes,
        seconds=time.monotonic() - started,
    )


def _in_memory(job: Job) -> Job:
    """Return the job without what is only of files."""
    name = os.path.join(tempfile.gettempdir(), "bandwise_preview.tif")
    return job._replace(output=name, creation_options="", overviews=False, cog=False)


def _planned(
    job: Job, extent: Extent | None, side: int, messages: GdalMessages, left: Cancel
) -> tuple[Plan, Region]:
    with backend().http_timeouts(), listening(messages), leaving(left):
        region = region_of(job, extent, side)
        return prepare(job, View(region.grid, partial(_described, region))), region


def _described(region: Region, path: str, number: int) -> BandFacts:
    return reduced_facts(region.facts[path, number], region.reductions[path])


def _open(region: Region, path: str, *, thread_safe: bool) -> Dataset:
    dataset = opened(path, thread_safe=thread_safe)
    return reduced(dataset, path, region.reductions, region.exact[path])


def _shape(plan: Plan) -> WindowPlan:
    """Return a window for each worker: so a block at the border of two is read twice, others once."""
    grid, inputs = plan.grid, plan.read.all_inputs
    tiles = [each.warp.tile for each in inputs if each.warp is not None]
    workers = max(1, min(plan.workers, grid.height // _ROWS))
    height = -(-grid.height // workers)
    if tiles:
        height = min(grid.height, max(tiles))
        workers = min(workers, -(-grid.height // height))
    rows = height if tiles else min(_ROWS, height)
    # a row of blocks of each raster, for each worker
    blocks = {each.band.path: each for each in inputs}.values()
    row = sum(each.band.decoded * _blocks_across(each.band) for each in blocks)
    cache = min(_MOST_CACHE, max(_CACHE, row * workers))
    return WindowPlan(grid.width, height, rows, workers, cache, cache)


def _blocks_across(band: BandFacts) -> int:
    """Return about how many blocks there are beside each other; those of overviews are fewer."""
    return -(-band.grid.width * 32 // band.block[0])
