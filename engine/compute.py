# SPDX-License-Identifier: GPL-2.0-or-later
"""One window from stored values to result: what is valid, what it amounts to, and what it adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .program import Program
from .radiometry import Radiometry, as_stored
from .statistics import Statistics, moments

#: Pixels computed at a time: few enough for the registers to stay in the processor's cache, enough to outweigh the calls.
CHUNK = 64 * 1024
#: Nodata of a Float32 result; a computed value that is equal to it moves by one step.
NODATA = -9999.0

_BESIDE_NODATA = np.nextafter(np.float32(NODATA), np.float32(0))


@dataclass(frozen=True)
class ResultBand:
    """A result: the bands it is computed from (positions), and the range its values should have, if any."""

    name: str
    bands: tuple[int, ...]
    valid_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Recipe:
    """All that computing needs to know, the same for every window."""

    program: Program
    results: tuple[ResultBand, ...]
    radiometries: tuple[Radiometry, ...]
    dtypes: tuple[np.dtype, ...]

    @property
    def scratch_bytes(self) -> int:
        """Bytes of a :class:`Calculator`'s own arrays."""
        return CHUNK * (self.program.registers * self.program.dtype.itemsize + 8 + 2)


class Calculator:
    """Computes windows in chunks; owns the arrays it works in, so each thread has its own."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._registers = [np.empty(CHUNK, recipe.program.dtype) for _ in range(recipe.program.registers)]
        self._invalid = np.empty(CHUNK, np.bool_)
        self._flags = np.empty(CHUNK, np.bool_)
        self._deviations = np.empty(CHUNK, np.float64)
        pairs = list(zip(recipe.radiometries, recipe.dtypes))
        self._nodata = [as_stored(radiometry.nodata, dtype) for radiometry, dtype in pairs]
        self._saturated = [as_stored(radiometry.saturated, dtype) for radiometry, dtype in pairs]

    def compute(
        self, stored: Sequence[npt.NDArray], masks: Sequence[Sequence[npt.NDArray[np.uint8]]], out: npt.NDArray[np.float32]
    ) -> tuple[Statistics, ...]:
        """Fill ``out``, of shape (results, n), from stored values and mask planes, each of shape (n,)."""
        totals = [Statistics() for _ in self.recipe.results]
        with np.errstate(all="ignore"):
            for start in range(0, out.shape[1], CHUNK):
                part = slice(start, min(start + CHUNK, out.shape[1]))
                values = [band[part] for band in stored]
                planes = [[mask[part] for mask in band] for band in masks]
                for index, statistics in enumerate(self._chunk(values, planes, out[:, part])):
                    totals[index] = totals[index].merged(statistics)
        return tuple(totals)

    def _chunk(
        self, stored: Sequence[npt.NDArray], masks: Sequence[Sequence[npt.NDArray[np.uint8]]], out: npt.NDArray[np.float32]
    ) -> list[Statistics]:
        computed = self.recipe.program.evaluate(stored, [register[: out.shape[1]] for register in self._registers])
        return [
            self._result(result, stored, masks, values, target) for result, values, target in zip(self.recipe.results, computed, out)
        ]

    def _result(
        self,
        result: ResultBand,
        stored: Sequence[npt.NDArray],
        masks: Sequence[Sequence[npt.NDArray[np.uint8]]],
        values: npt.NDArray[np.floating],
        out: npt.NDArray[np.float32],
    ) -> Statistics:
        invalid, flags = self._invalid[: out.size], self._flags[: out.size]
        invalid[:] = False
        for band in result.bands:
            _mark(stored[band], self._nodata[band], invalid, flags)
            for mask in masks[band]:
                _mark(mask, np.uint8(0), invalid, flags)
        nodata = int(np.count_nonzero(invalid))
        for band in result.bands:
            _mark(stored[band], self._saturated[band], invalid, flags)
        saturated = int(np.count_nonzero(invalid)) - nodata
        np.copyto(out, values, casting="same_kind")
        np.isfinite(out, out=flags)
        np.logical_not(flags, out=flags)
        np.logical_or(invalid, flags, out=invalid)
        lost = int(np.count_nonzero(invalid))
        counts = Statistics(nodata=nodata, saturated=saturated, not_finite=lost - nodata - saturated)
        if lost == out.size:
            out[:] = NODATA
            return counts
        valid = out[~invalid] if lost else out
        minimum, maximum, mean, squares = moments(valid, self._deviations)
        if minimum <= NODATA <= maximum:
            np.equal(out, NODATA, out=flags)
            np.copyto(out, _BESIDE_NODATA, where=flags)
        if lost:
            np.copyto(out, NODATA, where=invalid)
        low, high = result.valid_range or (minimum, maximum)
        outside = 0 if low <= minimum and maximum <= high else int(np.count_nonzero(valid < low) + np.count_nonzero(valid > high))
        moved = Statistics(valid=valid.size, outside=outside, minimum=minimum, maximum=maximum, mean=mean, squares=squares)
        return counts.merged(moved)


def _mark(values: npt.NDArray, marker: np.generic | None, invalid: npt.NDArray[np.bool_], flags: npt.NDArray[np.bool_]) -> None:
    """Add to ``invalid`` the pixels of ``values`` that equal ``marker``; NaN equals NaN, None equals nothing."""
    if marker is None:
        return
    if marker != marker:
        np.isnan(values, out=flags)
    else:
        np.equal(values, marker, out=flags)
    np.logical_or(invalid, flags, out=invalid)
