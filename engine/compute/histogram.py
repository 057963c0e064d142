# SPDX-License-Identifier: GPL-2.0-or-later
"""The histogram of a result, collected window by window from pixels at regular steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import NDArray
from ..grids.grid import Grid, Window

_LARGEST_STEP = 16
#: Samples of windows that are counted together, as an array of counts is larger than a sample
_MOST_WAITING = 16
_ENOUGH = 500  #: pixels along rows and columns
BUCKETS = 256
#: Values of the upper half of a float32: sign, exponent and seven bits, a relative precision of 1/128
_CODES = 2**16


def sampling_step(grid: Grid) -> int:
    """Return the step between sampled pixels along rows and columns.

    Pixels are counted from the raster's first one, so that the sample does not depend on windows.
    """
    return max(1, min(_LARGEST_STEP, math.isqrt(grid.width * grid.height) // _ENOUGH))


class Histogram:
    """Counts values by the upper half of their float32, as their range is unknown; for one thread."""

    def __init__(self, results: int, step: int) -> None:
        self._step = step
        self._counts = np.zeros((results, _CODES), np.int64)
        self._waiting: list[tuple[int, NDArray[np.uint16]]] = []

    def add(self, window: Window, values: NDArray[Any], nodata: float) -> None:
        """Count the valid ``values``, of shape (results, window.height, window.width)."""
        for result, plane in enumerate(values):
            sample = plane[
                -window.row % self._step :: self._step, -window.column % self._step :: self._step
            ]
            with np.errstate(
                over="ignore"
            ):  # a too large float64 becomes infinite, in the last bin
                sample = sample[sample != nodata].astype(np.float32)
            self._waiting.append((result, (sample.view(np.uint32) >> 16).astype(np.uint16)))
        if len(self._waiting) >= _MOST_WAITING:
            self._count()

    def counts(self) -> NDArray[np.int64]:
        """Return the counts of all windows, of shape (results, 65536)."""
        self._count()
        return self._counts

    def _count(self) -> None:
        for result in range(len(self._counts)):
            codes = [codes for number, codes in self._waiting if number == result]
            if codes:
                self._counts[result] += np.bincount(np.concatenate(codes), minlength=_CODES)
        self._waiting.clear()


def percentiles(
    counts: NDArray[np.int64], shares: Sequence[float], minimum: float, maximum: float
) -> tuple[float, ...]:
    """Return the values below which these ``shares`` of the sampled pixels lie; NaN for no pixels.

    ``counts`` are of shape (65536,). Within a code, 1/128 of its values, pixels count as evenly spread.
    """
    codes = np.flatnonzero(counts)
    if not codes.size or not math.isfinite(maximum - minimum):
        return (math.nan,) * len(shares)
    bits = codes.astype(np.uint32) << 16
    with np.errstate(invalid="ignore"):
        edges = np.nan_to_num(
            np.array([bits, bits | 0xFFFF], np.uint32).view(np.float32).astype(np.float64)
        )
    order = np.argsort(edges[0])
    low, high = np.clip(np.sort(edges[:, order], axis=0), minimum, maximum)
    weights = counts[codes[order]]
    below = np.concatenate([[0], np.cumsum(weights)])
    values = []
    for share in shares:
        wanted = share * below[-1]
        at = min(int(np.searchsorted(below[1:], wanted)), codes.size - 1)
        part = (wanted - below[at]) / weights[at]
        values.append(float(low[at] + part * (high[at] - low[at])))
    return tuple(values)


def bins(counts: NDArray[np.int64], minimum: float, maximum: float) -> list[int]:
    """Return ``counts``, of shape (65536,), in 256 bins of equal width from ``minimum`` to ``maximum``."""
    codes = np.flatnonzero(counts)
    with np.errstate(invalid="ignore"):
        # infinity becomes the largest float32
        middles = np.nan_to_num(
            ((codes.astype(np.uint32) << 16) | 0x8000).view(np.float32).astype(np.float64)
        )
    width = maximum - minimum
    bin_numbers = (
        np.zeros(codes.size)
        if not 0 < width < math.inf
        else (np.clip(middles, minimum, maximum) - minimum) / width * BUCKETS
    )
    binned = np.bincount(
        np.minimum(bin_numbers, BUCKETS - 1).astype(np.int64), counts[codes], BUCKETS
    )
    return [int(count) for count in binned]
