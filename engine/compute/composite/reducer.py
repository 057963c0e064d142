# SPDX-License-Identifier: GPL-2.0-or-later
"""From the index of each scene to statistics of each pixel, in memory of one thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import NDArray, Scratch
from .ranks import Ranks
from .statistic import Reduction, Statistic
from .totals import Totals

_PART_BYTES = (
    1536 * 1024
)  #: of all scenes' values that are reduced at a time, to fit the processor's cache
_LEAST_PART, _MOST_PART = 2048, 64 * 1024  #: pixels


class Reducer:
    """Reduces windows: :meth:`row` for each scene in turn, filled, then :meth:`results`.

    Where a median or percentile is wanted, the values of all scenes are kept until then, else only
    totals, so that memory does not depend on the number of scenes.
    """

    def __init__(self, reduction: Reduction, dtype: np.dtype[Any]) -> None:
        self._reduction, self._dtype = reduction, dtype
        self._memory = Scratch(spare=0)
        self._small = Scratch()
        count = len(reduction.days)
        self._part = max(_LEAST_PART, min(_MOST_PART, _PART_BYTES // (count + 1) // dtype.itemsize))
        self._totals = Totals(
            reduction, dtype, self._memory if reduction.is_running else self._small
        )
        percentiles = {Statistic.MEDIAN: 50.0, Statistic.PERCENTILE: reduction.percentile}
        wanted = [percentiles[each] for each in reduction.statistics if each.is_of_ranks]
        self._ranks = Ranks(count, wanted, self._small) if wanted else None

    @staticmethod
    def bytes_per_pixel(reduction: Reduction, dtype: np.dtype[Any]) -> int:
        """Return the bytes that a pixel of a window takes, beside some megabytes."""
        results = len(reduction.statistics) * dtype.itemsize
        if reduction.is_running:
            return results + dtype.itemsize + Totals(reduction, dtype, Scratch()).bytes_per_pixel()
        return results + len(reduction.days) * dtype.itemsize

    @staticmethod
    def fixed_bytes(reduction: Reduction, dtype: np.dtype[Any]) -> int:
        """Return the bytes that are needed for windows of any size."""
        count = len(reduction.days) + 1
        part = max(_PART_BYTES, _LEAST_PART * count * dtype.itemsize)
        return part + _MOST_PART * 8 * 8

    def start(self, pixels: int) -> None:
        """Begin a window of n pixels."""
        rows = 1 if self._reduction.is_running else len(self._reduction.days)
        self._rows = self._memory.array("rows", (rows, pixels), self._dtype)
        self._results = self._memory.array(
            "results", (len(self._reduction.statistics), pixels), self._dtype
        )
        if self._reduction.is_running:
            self._totals.start(pixels)

    def row(self, scene: int) -> NDArray[Any]:
        """Return where the values of a scene go, of shape (1, n); :meth:`add` follows."""
        row = 0 if self._reduction.is_running else scene
        return self._rows[row : row + 1]

    def add(self, scene: int) -> None:
        """Take the values of a scene, NaN where it is not valid; scenes come in the order of their dates."""
        if self._reduction.is_running:
            (values,), day = self._rows, self._reduction.days[scene]
            for start in range(0, values.size, self._part):
                part = slice(start, start + self._part)
                self._totals.add(values[part], day, part)

    def results(self) -> NDArray[Any]:
        """Return the statistics of the window, of shape (statistics, n); NaN where no scene is valid."""
        if self._reduction.is_running:
            self._write_totals(self._results)
            return self._results
        pixels = self._rows.shape[1]
        for start in range(0, pixels, self._part):
            part = slice(start, min(start + self._part, pixels))
            self._reduce(self._rows[:, part], self._results[:, part])
        return self._results

    def _reduce(self, values: NDArray[Any], out: NDArray[Any]) -> None:
        """Fill ``out``, of shape (statistics, n), from the values of all scenes, of shape (scenes, n)."""
        self._totals.start(values.shape[1])
        for row, day in zip(values, self._reduction.days):
            self._totals.add(row, day)
        statistics = self._reduction.statistics
        if self._ranks:
            ranked = [row for row, each in zip(out, statistics) if each.is_of_ranks]
            self._ranks.compute(values, self._totals.count, ranked)
        self._write_totals(out)

    def _write_totals(self, out: NDArray[Any]) -> None:
        for row, statistic in zip(out, self._reduction.statistics):
            if not statistic.is_of_ranks:
                self._totals.write(statistic, row)
