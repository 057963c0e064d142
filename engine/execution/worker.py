# SPDX-License-Identifier: GPL-2.0-or-later
"""A worker: one thread that reads, computes and writes windows."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from ..arrays import NDArray
from ..compute.histogram import Histogram, sampling_step
from ..compute.kernel import Kernel
from ..compute.statistics import Statistics
from ..compute.validity import Excluded
from ..grids.grid import Window
from ..grids.windows import WindowPlan, parts
from ..planning.plan import Plan
from ..reading.reader import Pixels, Reader
from ..writing.sink import WindowSink
from .composer import Composer
from .executor import cancelled_run


class Turn:
    """The state of a worker for other threads; while ``reading``, it uses only its own memory, the
    datasets of its reader, and blocks that readers share.
    """

    reading = False


class Worker:
    """Processes windows in one thread, with memory for the values and results of a window.

    It checks ``stop`` after each read: so nobody has to wait for it while it reads, and it never
    writes for a run that has ended.
    """

    def __init__(
        self,
        plan: Plan,
        shape: WindowPlan,
        reader: Reader,
        sink: WindowSink,
        stop: threading.Event,
        turn: Turn,
    ) -> None:
        self.plan, self._rows = plan, shape.rows
        self._reader, self._sink, self._stop, self._turn = reader, sink, stop, turn
        self._results = len(plan.job.formula.results)
        self._out = np.empty(self._results * shape.width * shape.height, plan.kernel.storage.dtype)
        self._kernel = Kernel(plan.kernel)
        self._composer = (
            Composer(plan.composite, self._read, mask=plan.mask is not None)
            if plan.composite
            else None
        )
        self.histogram = Histogram(self._results, sampling_step(plan.grid))

    def process(self, window: Window) -> tuple[Statistics, ...]:
        """Read, compute and write a window, and return the statistics of each result."""
        out = self._out[: self._results * window.pixels].reshape(self._results, window.pixels)
        totals = (Statistics(),) * self._results
        for part in parts(window, self._rows):
            start = (part.row - window.row) * window.width
            statistics = self._compute(part, out[:, start : start + part.pixels])
            totals = tuple(total.merged(more) for total, more in zip(totals, statistics))
        self._leave_if_stopped()
        pixels = out.reshape(-1, window.height, window.width)
        self.histogram.add(window, pixels, self.plan.kernel.storage.nodata)
        self._sink.write(window, pixels)
        return totals

    def _compute(self, window: Window, out: NDArray[Any]) -> tuple[Statistics, ...]:
        """Fill ``out``, of shape (results, window.pixels)."""
        plan = self.plan
        outside = plan.area.outside(window).reshape(-1) if plan.area else None
        if outside is not None and outside.all():
            out[...] = plan.kernel.storage.nodata
            return (Statistics(outside=window.pixels),) * len(out)
        pixels = self._composer.compute(window) if self._composer else self._read(window)
        hidden = None
        if plan.mask is not None and pixels.mask is not None:
            hidden = plan.mask.hidden(pixels.mask, pixels.mask_planes)
        excluded = Excluded(outside, hidden)
        return self._kernel.compute(pixels.values, pixels.planes, out, excluded, window.width)

    def _read(self, window: Window, part: int = 0) -> Pixels:
        """Read one part of the plan."""
        self._leave_if_stopped()
        self._turn.reading = True
        pixels = self._reader.read(window, part)
        self._turn.reading = False
        self._leave_if_stopped()
        return pixels

    def _leave_if_stopped(self) -> None:
        if self._stop.is_set():
            raise cancelled_run()
