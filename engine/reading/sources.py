# SPDX-License-Identifier: GPL-2.0-or-later
"""The open rasters of a run."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Protocol

from ..backend.api import Dataset
from ..backend.choice import backend
from ..files.disk import open_files
from .inputs import ReadPlan
from .opening import opened
from .reader import Reader
from .stored import SharedBlocks

#: Datasets that a run keeps open, at most, and their part of the files that a program may have open
_MOST_OPEN, _PART_OPEN = 1000, 0.5
#: Memory of datasets that a worker keeps open where it reads plans in turn: one takes about a block
#: for its decoder, and opening it takes a millisecond
HELD_BYTES = 32 * 10**6


class Opening(Protocol):
    """Opens a raster for reading; :func:`opened` does."""

    def __call__(self, path: str, *, thread_safe: bool) -> Dataset: ...


class _OnDemand(Mapping[str, Dataset]):
    """Datasets that are opened when they are first read; those beyond the first ``most`` are closed
    for the next one.
    """

    def __init__(
        self, paths: Sequence[str], most: int, handles: ExitStack, opening: Opening
    ) -> None:
        self._paths, self._opening = paths, opening
        self._most, self._handles = most, handles
        self._kept: dict[str, Dataset] = {}
        self._last: tuple[str, Dataset] | None = None
        handles.callback(self._close_last)

    def __getitem__(self, path: str) -> Dataset:
        if path in self._kept:
            return self._kept[path]
        if self._last and self._last[0] == path:
            return self._last[1]
        self._close_last()
        dataset = self._opening(path, thread_safe=False)
        if len(self._kept) < self._most - 1:
            self._kept[path] = self._handles.enter_context(closing(dataset))
        else:
            self._last = path, dataset
        return dataset

    def _close_last(self) -> None:
        last, self._last = self._last, None
        if last:
            last[1].close()

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


class _Datasets:
    """Datasets by path, what closes them, and how many readers use them."""

    def __init__(self, by_path: Mapping[str, Dataset], handles: ExitStack) -> None:
        self.by_path, self.handles, self.readers = by_path, handles, 0


class Sources:
    """The rasters of one run, opened once per worker, or once for all where datasets are thread-safe.

    If they are too many for the system or its memory, each worker opens them when it reads them. ``handles``
    counts the datasets that were opened; ``drivers`` has GDAL's name of what reads each path. The
    thread that opens them opens all: the first of a thread takes ten milliseconds more, for PROJ.

    Blocks of bands that are resampled take up to ``block_bytes``.
    """

    def __init__(
        self,
        plans: Sequence[ReadPlan],
        workers: int,
        block_bytes: int = 0,
        opening: Opening = opened,
    ) -> None:
        self._plans, self._blocks, self._opening = plans, SharedBlocks(block_bytes), opening
        self.shared = backend().thread_safe
        self.handles = 0
        self.drivers: dict[str, str] = {}
        self._workers = workers
        self._sets: list[_Datasets] = []
        self._lock = threading.Lock()
        self._closed = False

    def open(self) -> None:
        """Open every raster that is read. Raises :class:`InputError`."""
        paths = sorted({path for plan in self._plans for path in plan.paths})
        times = 1 if self.shared else self._workers
        if len(paths) > self._most(times):
            self._open_on_demand(paths)
            return
        with backend().worker_settings(), ExitStack() as opening:
            for _ in range(times):
                handles = opening.enter_context(ExitStack())
                by_path = {
                    path: handles.enter_context(
                        closing(self._opening(path, thread_safe=self.shared))
                    )
                    for path in paths
                }
                self._sets.append(_Datasets(by_path, handles))
            opening.pop_all()
        self.handles = times * len(paths)
        self.drivers = {path: dataset.driver for path, dataset in self._sets[0].by_path.items()}

    def _most(self, times: int) -> int:
        """Return how many datasets may be kept open, ``times`` each."""
        most = int(min(_MOST_OPEN, open_files() * _PART_OPEN)) // times
        if len(self._plans) > 1:
            blocks = [each.band.decoded for plan in self._plans for each in plan.all_inputs]
            most = min(most, HELD_BYTES * len(blocks) // sum(blocks))
        return max(1, most)

    def _open_on_demand(self, paths: Sequence[str]) -> None:
        self.shared = False
        most = self._most(self._workers)
        for _ in range(self._workers):
            handles = ExitStack()
            self._sets.append(_Datasets(_OnDemand(paths, most, handles, self._opening), handles))
        self.handles = self._workers * min(most, len(paths))

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
        halo = max(plan.halo for plan in self._plans)
        pixels = (width + 2 * halo) * (rows + 2 * halo)
        with self._lock:
            datasets = min(self._sets, key=lambda datasets: datasets.readers)
            datasets.readers += 1
        try:
            release = partial(self._release, datasets)
            return Reader(self._plans, datasets.by_path, pixels, self._blocks, release)
        except BaseException:
            self._release(datasets)
            raise

    def _release(self, datasets: _Datasets) -> None:
        """A thread that was left behind while it read closes its datasets itself, when it wakes."""
        with self._lock:
            datasets.readers -= 1
            if self._closed and not datasets.readers:
                datasets.handles.close()
