# SPDX-License-Identifier: GPL-2.0-or-later
"""Store computed values in the type of the result: clamp, scale, round, and avoid the nodata value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import NDArray, and_not
from ..radiometry.nodata import nodata_range
from ..radiometry.storage import Storage
from .statistics import Statistics, moments

Numbers = NDArray["np.floating[Any]"]
Booleans = NDArray[np.bool_]
Limits = tuple[float, float]


class Quantiser:
    """Stores values in one type; ``wide`` is working memory, float64 of shape (n,)."""

    def __init__(self, storage: Storage, wide: NDArray[np.float64]) -> None:
        self._storage, self._wide = storage, wide
        self.nodata = storage.dtype.type(storage.nodata)
        self._clamp = storage.clamp
        if not storage.integer:
            with np.errstate(over="ignore"):
                self._clamp = (
                    float(storage.dtype.type(storage.clamp[0])),
                    float(storage.dtype.type(storage.clamp[1])),
                )
            self._least_taken, self._most_taken = nodata_range(self.nodata)
            self._below = np.nextafter(self._least_taken, -storage.dtype.type(np.inf))
            self._above = np.nextafter(self._most_taken, storage.dtype.type(np.inf))

    def narrow(self, numbers: NDArray[np.float64], out: Numbers) -> None:
        """Cast float64 ``numbers`` to the float32 of ``out``, of the same shape.

        A finite number that is too large becomes the largest float32 if it is clamped afterwards,
        else infinite. An infinite number, such as 1/0, stays infinite.
        """
        np.copyto(out, numbers, casting="same_kind")
        lost = np.isinf(out)
        if not lost.any():
            return
        lost &= np.isfinite(numbers)
        largest = np.finfo(out.dtype).max
        if math.isfinite(self._clamp[0]):
            np.copyto(out, -largest, where=lost & (numbers < 0))
        if math.isfinite(self._clamp[1]):
            np.copyto(out, largest, where=lost & (numbers > 0))

    def store(
        self,
        values: Numbers,
        out: NDArray[Any],
        valid_range: Limits | None,
        limits: Limits,
        invalid: Booleans | None = None,
    ) -> Statistics:
        """Store finite ``values`` in ``out``, and return their statistics.

        Parameters
        ----------
        values
            Of shape (n,); overwritten. Those that are ``invalid`` must be copies of a valid one.
        out
            Of shape (n,) and the type of the result; the same array as ``values`` for floating point.
        valid_range
            The expected range of the result, if any.
        limits
            The least and the largest of ``values``.
        invalid
            Pixels that are not counted, of shape (n,).
        """
        minimum, maximum = limits
        low, high = valid_range or limits
        beyond = (
            0 if low <= minimum and maximum <= high else _count_beyond(values, low, high, invalid)
        )
        low, high = self._clamp
        clamped = moved = 0
        if minimum < low or maximum > high:
            clamped = _count_beyond(values, low, high, invalid)
            np.clip(values, low, high, out=values)
            minimum, maximum = (min(max(limit, low), high) for limit in limits)
        if self._storage.integer:
            clamped += self._round(values, out, invalid)
            minimum, maximum = float(values.min()), float(values.max())
        elif minimum <= self._most_taken and self._least_taken <= maximum:
            moved, (minimum, maximum) = self._move(values, invalid, (minimum, maximum))
        valid, mean, squares = moments(values, minimum, maximum, self._wide, invalid)
        return Statistics(
            valid=valid,
            beyond=beyond,
            clamped=clamped,
            moved=moved,
            minimum=minimum,
            maximum=maximum,
            mean=mean,
            squares=squares,
        )

    def _round(self, values: Numbers, out: NDArray[Any], invalid: Booleans | None) -> int:
        """Convert ``values`` to integers, clamped to the type, and return how many were clamped."""
        storage = self._storage
        np.add(values, storage.shift, out=values)
        np.multiply(values, storage.factor, out=values)
        np.rint(values, out=values)
        clamped = _count_beyond(values, storage.low, storage.high, invalid)
        np.clip(values, storage.low, storage.high, out=values)
        np.copyto(out, values, casting="unsafe")
        return clamped

    def _move(
        self, values: Numbers, invalid: Booleans | None, limits: Limits
    ) -> tuple[int, Limits]:
        """Move values that GDAL would take for nodata to the nearest other one; return how many
        were moved, and the new limits.
        """
        taken = values <= self._most_taken
        np.logical_and(taken, values >= self._least_taken, out=taken)
        if not taken.any():
            return 0, limits
        upper = taken & (values >= self.nodata)
        np.copyto(values, self._below, where=and_not(taken, upper))
        np.copyto(values, self._above, where=upper)
        moved = int(np.count_nonzero(taken if invalid is None else and_not(taken, invalid)))
        return moved, (float(values.min()), float(values.max()))


def fill_invalid(values: Numbers, invalid: Booleans | None) -> None:
    """Replace ``invalid`` values by a valid one (there must be one), which does not change the limits."""
    if invalid is not None:
        np.copyto(values, values[np.argmin(invalid)], where=invalid)


def limits_of(values: Numbers) -> Limits:
    """Return the least and the largest value."""
    return float(np.minimum.reduce(values)), float(np.maximum.reduce(values))


def _count_beyond(values: Numbers, low: float, high: float, invalid: Booleans | None) -> int:
    beyond = (values < low) | (values > high)
    return int(np.count_nonzero(beyond if invalid is None else and_not(beyond, invalid)))
