# SPDX-License-Identifier: GPL-2.0-or-later
"""One window from stored values to result: what is valid, what it amounts to, and what it adds up to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .program import Evaluator, Program
from .radiometry import Radiometry, as_stored
from .statistics import Statistics, moments

#: Pixels computed at a time: few enough for the registers to stay in the processor's cache, enough to outweigh the calls.
CHUNK = 192 * 1024
#: Bytes that a thread's registers may take together, however many a program has; more of them are shorter.
MOST_REGISTER_BYTES = 8 * 1024 * 1024
#: Nodata of a Float32 result; a computed value that is equal to it moves by one step.
NODATA = -9999.0

_BESIDE_NODATA = np.nextafter(np.float32(NODATA), np.float32(0))

Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Recipe:
    """All that computing needs to know, the same for every window; ``ranges`` are those that results should keep within.

    ``clean`` gives the same values as ``program`` where no band has nodata.
    """

    program: Program
    clean: Program
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
    def registers(self) -> tuple[np.dtype[Any], ...]:
        """Types of the registers that either program finds room in: numbers first."""
        kinds = [[dtype for dtype in program.registers if dtype.kind == kind] for kind in "fb" for program in (self.program, self.clean)]
        return (*max(kinds[:2], key=len), *max(kinds[2:], key=len))

    @property
    def _bytes_per_pixel(self) -> int:
        return sum(dtype.itemsize for dtype in self.registers) + 2 * len(self.dtypes) + 8 + 2


class Calculator:
    """Computes windows in chunks; owns the arrays it works in, so each thread has its own."""

    def __init__(self, recipe: Recipe) -> None:
        self._most = recipe.chunk
        self._whole = _Chunk(recipe, _Arrays.of(recipe))
        self._chunks = {self._most: self._whole}

    def compute(
        self, stored: Sequence[npt.NDArray[Any]], masks: Sequence[Sequence[npt.NDArray[np.uint8]]], out: npt.NDArray[np.float32]
    ) -> tuple[Statistics, ...]:
        """Fill ``out``, of shape (results, n), from stored values and mask planes, each of shape (n,)."""
        totals = [Statistics() for _ in out]
        with np.errstate(all="ignore"):
            for start in range(0, out.shape[1], self._most):
                part = slice(start, min(start + self._most, out.shape[1]))
                chunk = self._chunk_of(part.stop - start)
                statistics = chunk.compute([band[part] for band in stored], [[mask[part] for mask in band] for band in masks], out[:, part])
                totals = [total.merged(more) for total, more in zip(totals, statistics)]
        return tuple(totals)

    def _chunk_of(self, size: int) -> _Chunk:
        """The windows of a run leave few sizes of a last chunk."""
        if size not in self._chunks:
            self._chunks[size] = self._whole.cut(size)
        return self._chunks[size]


class _Arrays(NamedTuple):
    """What a thread computes in, all of shape (n,): registers, and for each band where it is nodata and where saturated."""

    registers: list[npt.NDArray[Any]]
    gaps: list[Truths]
    saturations: list[Truths]
    invalid: Truths
    flags: Truths
    wide: npt.NDArray[np.float64]

    @classmethod
    def of(cls, recipe: Recipe) -> _Arrays:
        size, bands = recipe.chunk, range(len(recipe.dtypes))
        gaps, saturations = ([np.zeros(size, np.bool_) for _ in bands] for _ in range(2))
        registers = [np.empty(size, dtype) for dtype in recipe.registers]
        return cls(registers, gaps, saturations, np.empty(size, np.bool_), np.empty(size, np.bool_), np.empty(size, np.float64))

    def cut(self, size: int) -> _Arrays:
        registers, gaps, saturations = ([array[:size] for array in arrays] for arrays in (self.registers, self.gaps, self.saturations))
        return _Arrays(registers, gaps, saturations, self.invalid[:size], self.flags[:size], self.wide[:size])


class _Chunk:
    """So many pixels at a time: the arrays, and both programs bound to them."""

    def __init__(self, recipe: Recipe, arrays: _Arrays) -> None:
        self.recipe, self._arrays = recipe, arrays
        pairs = list(zip(recipe.radiometries, recipe.dtypes))
        self._nodata = [as_stored(radiometry.nodata, dtype) for radiometry, dtype in pairs]
        self._saturated = [as_stored(radiometry.saturated, dtype) for radiometry, dtype in pairs]
        self._evaluator, self._clean = (Evaluator(program, _placed(program, arrays.registers)) for program in (recipe.program, recipe.clean))

    def cut(self, size: int) -> _Chunk:
        """The same for fewer pixels, in the same memory."""
        return _Chunk(self.recipe, self._arrays.cut(size))

    def compute(
        self, stored: Sequence[npt.NDArray[Any]], masks: Sequence[Sequence[npt.NDArray[np.uint8]]], out: npt.NDArray[np.float32]
    ) -> list[Statistics]:
        """Fill ``out``, of shape (results, n), from values and mask planes of shape (n,)."""
        found = [self._find_gaps(band, values, masks[band]) for band, values in enumerate(stored)]
        missing = (self._evaluator if any(found) else self._clean).evaluate(stored, self._arrays.gaps, out)
        return [self._result(*result) for result in zip(out, missing, self.recipe.ranges)]

    def _find_gaps(self, band: int, values: npt.NDArray[Any], masks: Sequence[npt.NDArray[np.uint8]]) -> bool:
        """Mark where a band is nodata or saturated, and tell whether it is anywhere."""
        nodata, saturated = self._nodata[band], self._saturated[band]
        if not values.size or (nodata is saturated is None and not masks):  # a band that no result needs is not read
            return False
        gaps, saturations, flags = self._arrays.gaps[band], self._arrays.saturations[band], self._arrays.flags
        _mark(values, nodata, gaps)
        for mask in masks:
            _mark(mask, np.uint8(0), flags)
            np.logical_or(gaps, flags, out=gaps)
        if saturated is not None:
            _mark(values, saturated, saturations)
            np.greater(saturations, gaps, out=saturations)
            np.logical_or(gaps, saturations, out=gaps)
        return bool(np.count_nonzero(gaps))

    def _result(self, out: npt.NDArray[np.float32], missing: Truths | None, valid_range: tuple[float, float] | None) -> Statistics:
        """Put nodata where a value is ``missing`` or not finite."""
        nodata = int(np.count_nonzero(missing)) if missing is not None else 0
        if nodata == 0:
            minimum, maximum = float(out.min()), float(out.max())
            if math.isfinite(minimum + maximum) and not minimum <= NODATA <= maximum:
                return self._measured(out, minimum, maximum, valid_range)
        saturated = self._count_saturated(missing) if missing is not None and nodata else 0
        invalid, flags = self._arrays.invalid, self._arrays.flags
        np.isfinite(out, out=invalid)
        np.logical_not(invalid, out=invalid)
        if missing is not None:
            np.logical_or(invalid, missing, out=invalid)
        lost = int(np.count_nonzero(invalid))
        counts = Statistics(nodata=nodata - saturated, saturated=saturated, not_finite=lost - nodata)
        if lost == out.size:
            out[:] = NODATA
            return counts
        np.equal(out, NODATA, out=flags)
        np.copyto(out, _BESIDE_NODATA, where=flags)
        valid = out[~invalid] if lost else out
        np.copyto(out, NODATA, where=invalid)
        return counts.merged(self._measured(valid, float(valid.min()), float(valid.max()), valid_range))

    def _measured(
        self, valid: npt.NDArray[np.float32], minimum: float, maximum: float, valid_range: tuple[float, float] | None
    ) -> Statistics:
        mean, squares = moments(valid, (minimum + maximum) / 2, self._arrays.wide)
        low, high = valid_range or (minimum, maximum)
        outside = 0 if low <= minimum and maximum <= high else int(np.count_nonzero(valid < low) + np.count_nonzero(valid > high))
        return Statistics(valid=valid.size, outside=outside, minimum=minimum, maximum=maximum, mean=mean, squares=squares)

    def _count_saturated(self, missing: Truths) -> int:
        """Pixels that are nodata and saturated in some band that is not nodata there."""
        union, flags = self._arrays.invalid, self._arrays.flags
        union[:] = False
        for found in self._arrays.saturations:
            np.logical_or(union, found, out=union)
        for gaps, found in zip(self._arrays.gaps, self._arrays.saturations):
            np.greater(gaps, found, out=flags)
            np.greater(union, flags, out=union)
        np.logical_and(union, missing, out=union)
        return int(np.count_nonzero(union))


def _placed(program: Program, registers: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """An array for each of a program's registers, of its type."""
    free = {kind: iter([register for register in registers if register.dtype.kind == kind]) for kind in "fb"}
    return [next(free[dtype.kind]) for dtype in program.registers]


def _mark(values: npt.NDArray[Any], marker: np.generic | None, found: Truths) -> None:
    """Set ``found`` where ``values`` equal ``marker``; NaN equals NaN, None equals nothing."""
    if marker is None:
        found[:] = False
    elif np.isnan(marker):
        np.isnan(values, out=found)
    else:
        np.equal(values, marker, out=found)
