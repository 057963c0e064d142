# SPDX-License-Identifier: GPL-2.0-or-later
"""Nodata values: how a band stores one, and which values GDAL takes for it."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray

#: GDAL compares with the precision of float32, whatever the type: ``ARE_REAL_EQUAL`` in gdal_priv.h.
_EPSILON = 2.0**-23
_UNITS = 2


class Stack(NamedTuple):
    """Bands of one type with the same ``nodata`` and ``saturated`` (stored values), read into one array.

    ``bands`` are their positions among a run's inputs, one for each row of the array.
    """

    bands: tuple[int, ...]
    dtype: np.dtype[Any]
    nodata: np.generic | None = None
    saturated: np.generic | None = None


@lru_cache(maxsize=1024, typed=True)
def nodata_range(nodata: np.floating[Any]) -> tuple[np.floating[Any], np.floating[Any]]:
    """Return the least and the largest value of ``nodata``'s type that GDAL takes for it.

    GDAL masks more than the exact value, in its mask band, in statistics and when it resamples: for
    -9999 in float32 also the four next values on either side. Measured with GDAL 3.6.2 and 3.12.2,
    float32 and float64.
    """
    if not math.isfinite(nodata) or nodata.dtype.itemsize < 4:  # float16 is compared exactly
        return nodata, nodata
    twice = math.copysign(min(abs(float(nodata)) * 2, _largest(nodata)), nodata)
    with np.errstate(over="ignore"):
        low, high = sorted(_farthest(nodata, nodata.dtype.type(end)) for end in (0.0, twice))
    return low, high


def mark_range(values: NDArray[Any], nodata: np.floating[Any], marked: NDArray[np.bool_]) -> None:
    """Set ``marked`` where GDAL takes ``values``, of the same shape, for ``nodata``, which is not NaN.

    The first comparison excludes most values; the second is left out if no value remains.
    """
    low, high = nodata_range(nodata)
    with np.errstate(invalid="ignore", over="ignore"):
        if low == high:
            np.equal(values, nodata, out=marked)
        elif abs(nodata) <= _largest(nodata) / 2 and math.isinf(
            nodata + np.copysign(nodata.dtype.type(_largest(nodata)), nodata)
        ):
            # GDAL also masks very large numbers, which are no part of the range
            np.copyto(marked, _is_taken(values, nodata))
        else:
            first, second = (
                (np.less_equal, np.greater_equal)
                if nodata < 0
                else (np.greater_equal, np.less_equal)
            )
            first(values, high if nodata < 0 else low, out=marked)
            if marked.any():
                np.logical_and(marked, second(values, low if nodata < 0 else high), out=marked)


def _farthest(nodata: np.floating[Any], end: np.floating[Any]) -> np.floating[Any]:
    """Return the last value from ``nodata`` towards ``end`` that GDAL takes for ``nodata``."""
    if _is_taken(end, nodata):
        return end
    # of the same type, as numpy < 2 computes float32 and a Python number in float64
    inside, outside, half = nodata, end, nodata.dtype.type(0.5)
    while True:
        middle = inside * half + outside * half
        if middle in (inside, outside):
            return inside
        inside, outside = (middle, outside) if _is_taken(middle, nodata) else (inside, middle)


def _is_taken(values: Any, nodata: np.floating[Any]) -> Any:
    """Compare as GDAL does, in the type's own arithmetic: if the sum overflows, every value that
    differs by less than infinity is nodata.
    """
    kind = nodata.dtype.type
    return (values == nodata) | (
        abs(values - nodata) < kind(_EPSILON) * abs(values + nodata) * kind(_UNITS)
    )


def _largest(nodata: np.floating[Any]) -> float:
    """Return the largest number of the type."""
    return float(np.finfo(nodata.dtype).max)


def as_stored(value: float | None, dtype: np.dtype[Any]) -> np.generic | None:
    """Return ``value`` in the type of a band; None if no pixel of that type can be equal to it.

    NaN is returned for floating-point types; compare with ``isnan`` then.
    """
    if value is None:
        return None
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            stored = dtype.type(value)
        if dtype.itemsize < 4 and math.isfinite(value) and float(stored) != value:
            return None  # GDAL compares float16 with the value itself
        return None if np.isinf(stored) and math.isfinite(value) else stored
    if not math.isfinite(value) or value != int(value):
        return None
    limits = np.iinfo(dtype)
    return dtype.type(int(value)) if limits.min <= int(value) <= limits.max else None


def mark(values: NDArray[Any], marker: np.generic | None, marked: NDArray[np.bool_]) -> None:
    """Set ``marked`` where ``values``, of the same shape, equal ``marker``; NaN equals NaN, None equals nothing.

    Floating-point values are compared as GDAL does.
    """
    if marker is None:
        marked[...] = False
    elif np.isnan(marker):
        np.isnan(values, out=marked)
    elif isinstance(marker, np.floating):
        mark_range(values, marker, marked)
    else:
        np.equal(values, marker, out=marked)
