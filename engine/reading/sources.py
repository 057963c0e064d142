# SPDX-License-Identifier: GPL-2.0-or-later
"""The open rasters of a run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack, closing
from functools import partial

from ..backend.api import Dataset
from ..backend.choice import backend
from .inputs import ReadPlan
from .opening import opened
from .reader import Reader


class _Datasets:
    """Datasets by path, what closes them, and how many readers use them."""

    def __init__(self, by_path: Mapping[str, Dataset], handles: ExitStack) -> None:
        self.by_path, self.handles, self.readers = by_path, handles, 0


class Sources:
    """The rasters of one run, opened once per worker, or once for all where datasets are thread-safe.

    ``handles`` counts the datasets that were opened; ``drivers`` has GDAL's name of what reads each
    path. The thread that opens them opens all: the first of a thread takes ten milliseconds more,
    for PROJ.
    """

    def __init__(self, plan: ReadPlan, workers: int) -> None:
        self._plan = plan
        self.shared = backend().thread_safe
        self.handles = 0
        self.drivers: dict[str, str] = {}
        self._workers = workers
        self._sets: list[_Datasets] = []
        self._lock = threading.Lock()
        self._closed = False

    def open(self) -> None:
        """Open every raster that is read. Raises :class:`InputError`."""
        paths = self._plan.paths
        times = 1 if self.shared else self._workers
        with backend().worker_settings(), ExitStack() as opening:
            for _ in range(times):
                handles = opening.enter_context(ExitStack())
                by_path = {
                    path: handles.enter_context(closing(opened(path, thread_safe=self.shared)))
                    for path in paths
                }
                self._sets.append(_Datasets(by_path, handles))
            opening.pop_all()
        self.handles = times * len(paths)
        self.drivers = {path: dataset.driver for path, dataset in self._sets[0].by_path.items()}

    def close(self) -> None:
        """Close the rasters, but for those that a thread still reads: it closes them when it wakes."""
        with self._lock:
            self._closed = True
            for datasets in self._sets:
                if not datasets.readers:
                    datasets.handles.close()

    def reader(self, width: int, rows: int) -> Reader:
        """Return a reader for one of the workers, until it is closed.

        It reads windows of up to ``width`` x ``rows`` pixels.
        """
        pixels = (width + 2 * self._plan.halo) * (rows + 2 * self._plan.halo)
        with self._lock:
            datasets = min(self._sets, key=lambda datasets: datasets.readers)
            datasets.readers += 1
        try:
            return Reader(self._plan, datasets.by_path, pixels, partial(self._release, datasets))
        except BaseException:
            self._release(datasets)
            raise

    def _release(self, datasets: _Datasets) -> None:
        """A thread that was left behind while it read closes its datasets itself, when it wakes."""
        with self._lock:
            datasets.readers -= 1
            if self._closed and not datasets.readers:
                datasets.handles.close()
