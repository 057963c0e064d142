# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts and moments of a result band, merged block by block."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray


class Statistics(NamedTuple):
    """Pixel counts of a band, and the moments of its valid values.

    Attributes
    ----------
    valid, nodata, saturated, masked, outside, not_finite
        Numbers of valid pixels, and of others by cause; the user's mask and area leave out the
        masked and the outside ones.
    beyond, clamped, moved
        Numbers of valid values outside of the result's expected range, clamped to the range of the
        type or the user, and moved as GDAL would take them for nodata.
    minimum, maximum, mean
        NaN while ``valid`` is 0.
    squares
        Sum of squared deviations from the mean.
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
        """Number of pixels that are nodata in the result, for any cause."""
        return self.nodata + self.saturated + self.masked + self.outside + self.not_finite

    @property
    def standard_deviation(self) -> float:
        """Population standard deviation, as GDAL's ``STATISTICS_STDDEV``; NaN while ``valid`` is 0."""
        return math.sqrt(self.squares / self.valid) if self.valid else math.nan

    def rounded(self) -> Statistics:
        """Return moments of 12 digits, which do not depend on the order of the sums."""
        return self._replace(mean=float(f"{self.mean:.12g}"), squares=float(f"{self.squares:.12g}"))

    def merged(self, other: Statistics) -> Statistics:
        """Return the statistics of both; Chan, Golub and LeVeque (1983), doi:10.1080/00031305.1983.10483115."""
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
    """Compute moments in float64, in one pass.

    Values are summed as differences from the middle of their range (from 0 if the range contains
    it), so that a mean that is large compared to the deviations costs no digits.

    Parameters
    ----------
    values
        Of shape (n,), finite.
    minimum, maximum
        Their range.
    scratch
        Overwritten; of shape (n,) at least.
    invalid
        Values that do not count, of shape (n,); not all of them.

    Returns
    -------
    tuple of int, float and float
        Count, mean and sum of squared deviations from the mean.
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
