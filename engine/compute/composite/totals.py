# SPDX-License-Identifier: GPL-2.0-or-later
"""Statistics of each pixel that need one scene at a time: count, mean, extremes and their dates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...arrays import NDArray, Scratch
from .statistic import Reduction, Statistic


class Totals:
    """Counts and sums of n pixels; scenes are added in the order of their dates."""

    def __init__(self, reduction: Reduction, dtype: np.dtype[Any], scratch: Scratch) -> None:
        wanted = set(reduction.statistics)
        self._has_sum = Statistic.MEAN in wanted
        self._has_least = Statistic.MINIMUM in wanted
        self._has_day = Statistic.DATE_OF_MAXIMUM in wanted
        self._has_most = self._has_day or Statistic.MAXIMUM in wanted
        self._dtype, self._scratch = dtype, scratch

    def bytes_per_pixel(self) -> int:
        """Return the bytes of the arrays of a pixel."""
        numbers = self._has_least + self._has_most + self._has_day
        return 2 + 1 + 8 * self._has_sum + numbers * self._dtype.itemsize

    def start(self, pixels: int) -> None:
        """Forget all scenes."""
        array = self._scratch.array
        self.count = array("count", (pixels,), np.uint16)
        self._flags = array("flags", (pixels,), np.bool_)
        self.count[:] = 0
        if self._has_sum:
            self._sum = array("sum", (pixels,), np.float64)
            self._sum[:] = 0
        if self._has_least:
            self._least = array("least", (pixels,), self._dtype)
            self._least[:] = np.inf
        if self._has_most:
            self._most = array("most", (pixels,), self._dtype)
            self._most[:] = -np.inf
        if self._has_day:
            self._day = array("day", (pixels,), self._dtype)

    def add(self, values: NDArray[Any], day: int, part: slice = slice(None)) -> None:
        """Add a scene of a date to a ``part`` of the pixels; ``values`` are NaN where it is not valid."""
        flags = self._flags[part]
        np.equal(values, values, out=flags)  # not NaN
        self.count[part] += flags
        if self._has_sum:
            np.add(self._sum[part], values, out=self._sum[part], where=flags)
        if self._has_least:
            np.fmin(self._least[part], values, out=self._least[part])
        if self._has_day:  # of several that are equal the first stays
            np.greater(values, self._most[part], out=flags)
            np.copyto(self._day[part], self._dtype.type(day), where=flags)
        if self._has_most:
            np.fmax(self._most[part], values, out=self._most[part])

    def write(self, statistic: Statistic, out: NDArray[Any]) -> None:
        """Fill ``out``, of shape (n,), with a statistic; NaN where no scene is valid, but for the count."""
        writers: dict[Statistic, Callable[[], NDArray[Any]]] = {
            Statistic.COUNT: lambda: self.count,
            Statistic.MEAN: lambda: np.divide(self._sum, self.count, out=self._sum),
            Statistic.MINIMUM: lambda: self._least,
            Statistic.MAXIMUM: lambda: self._most,
            Statistic.DATE_OF_MAXIMUM: lambda: self._day,
        }
        with np.errstate(invalid="ignore", divide="ignore"):
            np.copyto(out, writers[statistic](), casting="same_kind")
        if statistic is not Statistic.COUNT:
            np.equal(self.count, 0, out=self._flags)
            np.copyto(out, np.nan, where=self._flags)
