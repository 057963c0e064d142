# SPDX-License-Identifier: GPL-2.0-or-later
"""One window from stored values to result: what is valid, what it amounts to, and what it adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .program import Program
from .radiometry import Radiometry, as_stored
from .statistics import Statistics, moments

#: Pixels computed at a time: few enough for the registers to stay in the processor's cache, enough to outweigh the calls.
CHUNK = 64 * 1024
#: Bytes that a thread's registers may take together, however many a program has; more of them are shorter.
MOST_REGISTER_BYTES = 8 * 1024 * 1024
#: Nodata of a Float32 result; a computed value that is equal to it moves by one step.
NODATA = -9999.0

_BESIDE_NODATA = np.nextafter(np.float32(NODATA), np.float32(0))

Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Recipe:
    """All that computing needs to know, the same for every window; ``ranges`` are those that results should keep within."""

    program: Program
    ranges: tuple[tuple[float, float] | None, ...]
    radiometries: tuple[Radiometry, ...]
    dtypes: tuple[np.dtype[Any], ...]

    @property
    def chunk(self) -> int:
        """Pixels that are computed at a time."""
        return max(1024, min(CHUNK, MOST_REGISTER_BYTES // self._bytes_per_pixel))

    @property
    def scratch_bytes(self) -> int:
        """Bytes of a :class:`Calculator`'s own arrays."""
        return self.chunk * self._bytes_per_pixel

    @property
    def _bytes_per_pixel(self) -> int:
        return sum(dtype.itemsize for dtype in self.program.registers) + 2 * len(self.dtypes) + 8 + 2


class Calculator:
    """Computes windows in chunks; owns the arrays it works in, so each thread has its own."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        size = self._size = recipe.chunk
        self._registers = [np.empty(size, dtype) for dtype in recipe.program.registers]
        self._gaps = [np.empty(size, np.bool_) for _ in recipe.dtypes]
        self._saturations = [np.empty(size, np.bool_) for _ in recipe.dtypes]
        self._invalid, self._flags = np.empty(size, np.bool_), np.empty(size, np.bool_)
        self._deviations = np.empty(size, np.float64)
        pairs = list(zip(recipe.radiometries, recipe.dtypes))
        self._nodata = [as_stored(radiometry.nodata, dtype) for radiometry, dtype in pairs]
        self._saturated = [as_stored(radiometry.saturated, dtype) for radiometry, dtype in pairs]

    def compute(
        self, stored: Sequence[npt.NDArray[Any]], masks: Sequence[Sequence[npt.NDArray[np.uint8]]], out: npt.NDArray[np.float32]
    ) -> tuple[Statistics, ...]:
        """Fill ``out``, of shape (results, n), from stored values and mask planes, each of shape (n,)."""
        totals = [Statistics() for _ in out]
        with np.errstate(all="ignore"):
            for start in range(0, out.shape[1], self._size):
                part = slice(start, min(start + self._size, out.shape[1]))
                values = [band[part] for band in stored]
                planes = [[mask[part] for mask in band] for band in masks]
                for index, statistics in enumerate(self._chunk(values, planes, out[:, part])):
                    totals[index] = totals[index].merged(statistics)
        return tuple(totals)

    def _chunk(
        self, stored: Sequence[npt.NDArray[Any]], masks: Sequence[Sequence[npt.NDArray[np.uint8]]], out: npt.NDArray[np.float32]
    ) -> list[Statistics]:
        size = out.shape[1]
        gaps = [found[:size] for found in self._gaps]
        saturations = [found[:size] for found in self._saturations]
        flags = self._flags[:size]
        for band, values in enumerate(stored):
            if not values.size:  # a band that no result needs is not read
                gaps[band][:] = saturations[band][:] = False
                continue
            _mark(values, self._nodata[band], gaps[band])
            for mask in masks[band]:
                _mark(mask, np.uint8(0), flags)
                np.logical_or(gaps[band], flags, out=gaps[band])
            if self._saturated[band] is not None:
                _mark(values, self._saturated[band], saturations[band])
                np.greater(saturations[band], gaps[band], out=saturations[band])
                np.logical_or(gaps[band], saturations[band], out=gaps[band])
        computed = self.recipe.program.evaluate(stored, gaps, [register[:size] for register in self._registers])
        return [
            self._result(values, missing, saturations, target, valid_range)
            for (values, missing), target, valid_range in zip(computed, out, self.recipe.ranges)
        ]

    def _result(
        self,
        values: npt.NDArray[np.floating[Any]],
        missing: Truths | None,
        saturations: Sequence[Truths],
        out: npt.NDArray[np.float32],
        valid_range: tuple[float, float] | None,
    ) -> Statistics:
        invalid, flags = self._invalid[: out.size], self._flags[: out.size]
        nodata = saturated = 0
        if missing is not None:
            nodata = int(np.count_nonzero(missing))
            saturated = self._count_saturated(missing, saturations, invalid, flags) if nodata else 0
        np.copyto(out, values, casting="same_kind")
        np.isfinite(out, out=invalid)
        np.logical_not(invalid, out=invalid)
        if missing is not None:
            np.logical_or(invalid, missing, out=invalid)
        lost = int(np.count_nonzero(invalid))
        counts = Statistics(nodata=nodata - saturated, saturated=saturated, not_finite=lost - nodata)
        if lost == out.size:
            out[:] = NODATA
            return counts
        valid = out[~invalid] if lost else out
        minimum, maximum, mean, squares = moments(valid, self._deviations)
        if minimum <= NODATA <= maximum:
            for found in (out, valid):
                found[found == NODATA] = _BESIDE_NODATA
            minimum, maximum, mean, squares = moments(valid, self._deviations)
        low, high = valid_range or (minimum, maximum)
        outside = 0 if low <= minimum and maximum <= high else int(np.count_nonzero(valid < low) + np.count_nonzero(valid > high))
        if lost:
            np.copyto(out, NODATA, where=invalid)
        moved = Statistics(valid=valid.size, outside=outside, minimum=minimum, maximum=maximum, mean=mean, squares=squares)
        return counts.merged(moved)

    def _count_saturated(self, missing: Truths, saturations: Sequence[Truths], union: Truths, flags: Truths) -> int:
        """Pixels that are nodata and saturated in some band that is not nodata there."""
        union[:] = False
        for band, found in enumerate(saturations):
            if self._saturated[band] is not None:
                np.logical_or(union, found, out=union)
        for band in range(len(saturations)):
            gaps = (
                np.greater(self._gaps[band][: union.size], saturations[band], out=flags)
                if self._saturated[band] is not None
                else self._gaps[band][: union.size]
            )
            np.greater(union, gaps, out=union)
        np.logical_and(union, missing, out=union)
        return int(np.count_nonzero(union))


def _mark(values: npt.NDArray[Any], marker: np.generic | None, found: Truths) -> None:
    """Set ``found`` where ``values`` equal ``marker``; NaN equals NaN, None equals nothing."""
    if marker is None:
        found[:] = False
    elif np.isnan(marker):
        np.isnan(values, out=found)
    else:
        np.equal(values, marker, out=found)
