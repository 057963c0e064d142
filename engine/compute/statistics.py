# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts and moments of a result band, merged from blocks while they pass."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray


class Statistics(NamedTuple):
    """What is known of a band: pixel counts by fate, and the moments of the valid values.

    ``minimum``, ``maximum`` and ``mean`` are NaN while ``valid`` is 0. ``squares`` is the sum of
    squared deviations from the mean. ``beyond`` counts valid values beyond the result's range,
    ``clamped`` those that were held within the type's or the user's, ``moved`` those that GDAL
    would have taken for nodata. ``masked`` and ``outside`` are pixels that the user's mask and area
    leave out.
    """

    valid: int = 0
    nodata: int = 0
    saturated: int = 0
    masked: int = 0
    outside: int = 0
    not_finite: int = 0
    beyond: int = 0
    clamped: int = 0
    moved: int = 0
    minimum: float = math.nan
    maximum: float = math.nan
    mean: float = math.nan
    squares: float = 0.0

    @property
    def invalid(self) -> int:
        """Pixels that are nodata in the result, for whatever cause."""
        return self.nodata + self.saturated + self.masked + self.outside + self.not_finite

    @property
    def standard_deviation(self) -> float:
        """Population standard deviation, as GDAL's ``STATISTICS_STDDEV``; NaN while ``valid`` is 0."""
        return math.sqrt(self.squares / self.valid) if self.valid else math.nan

    def rounded(self) -> Statistics:
        """With the moments in 12 digits, which do not depend on the order of the sums."""
        return self._replace(mean=float(f"{self.mean:.12g}"), squares=float(f"{self.squares:.12g}"))

    def merged(self, other: Statistics) -> Statistics:
        """Both together; moments by Chan, Golub and LeVeque (1983), doi:10.1080/00031305.1983.10483115."""
        if not self.valid or not other.valid:
            valid_part = self if self.valid else other
            minimum, maximum, mean, squares = (
                valid_part.minimum,
                valid_part.maximum,
                valid_part.mean,
                valid_part.squares,
            )
        else:
            total = self.valid + other.valid
            delta = other.mean - self.mean
            minimum, maximum = min(self.minimum, other.minimum), max(self.maximum, other.maximum)
            mean = self.mean + delta * other.valid / total
            squares = (
                self.squares + other.squares + delta * delta * self.valid * other.valid / total
            )
        return Statistics(
            valid=self.valid + other.valid,
            nodata=self.nodata + other.nodata,
            saturated=self.saturated + other.saturated,
            masked=self.masked + other.masked,
            outside=self.outside + other.outside,
            not_finite=self.not_finite + other.not_finite,
            beyond=self.beyond + other.beyond,
            clamped=self.clamped + other.clamped,
            moved=self.moved + other.moved,
            minimum=minimum,
            maximum=maximum,
            mean=mean,
            squares=squares,
        )


def moments(
    values: NDArray[np.floating[Any]],
    minimum: float,
    maximum: float,
    scratch: NDArray[np.float64],
    invalid: NDArray[np.bool_] | None = None,
) -> tuple[int, float, float]:
    """Count, mean and sum of squared deviations of the values, finite and not all ``invalid``, in
    float64 and in one pass.

    ``values`` and ``invalid`` have shape (n,), ``scratch`` at least (n,) and is overwritten. Sums
    of what values differ from the middle of their range by lose no digits to a mean that is large
    beside the deviations; where 0 lies in the range, it does instead.
    """
    size = values.size
    differences = scratch[:size]
    np.copyto(differences, values)
    middle = 0.0 if minimum <= 0 <= maximum else (minimum + maximum) / 2
    if middle:
        np.subtract(differences, middle, out=differences)
    if invalid is not None:
        np.copyto(differences, 0.0, where=invalid)
        size -= int(np.count_nonzero(invalid))
    mean = float(np.einsum("i->", differences)) / size
    return (
        size,
        middle + mean,
        max(0.0, float(np.einsum("i,i->", differences, differences)) - mean * mean * size),
    )
