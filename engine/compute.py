# SPDX-License-Identifier: GPL-2.0-or-later
"""One window from stored values to result: what is valid, what it amounts to, and what it adds up to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .arrays import NDArray
from .program import Evaluator, Program
from .radiometry import Stack, mark
from .statistics import Statistics, moments
from .storage import Storage

#: Pixels computed at a time, at most: few enough for the registers to stay in the processor's cache, enough to outweigh the calls.
CHUNK = 208 * 1024
_ALIGNED = 64  #: pixels, of which a chunk has a multiple, so that it starts where SIMD likes it
#: Bytes that a thread's registers may take together, however many a program has; more of them are shorter.
MOST_REGISTER_BYTES = 14 * 1024 * 1024

Numbers = NDArray[np.floating[Any]]
Truths = NDArray[np.bool_]


class Excluded(NamedTuple):
    """Pixels that are left out on the user's word, of shape (n,): ``outside`` the area, and ``masked``; None for no such word."""

    outside: Truths | None = None
    masked: Truths | None = None

    def part(self, part: slice) -> Excluded:
        return Excluded(*(None if truths is None else truths[part] for truths in self))


_NOTHING = Excluded()


class Recipe(NamedTuple):
    """All that computing needs to know, the same for every window; ``ranges`` are those that results should keep within.

    ``clean`` gives the same values as ``program`` where no band has nodata. ``stacks`` are the bands that are read, as their values come.
    """

    program: Program
    clean: Program
    ranges: tuple[tuple[float, float] | None, ...]
    stacks: tuple[Stack, ...]
    storage: Storage

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
        """Types of the registers that either program finds room in."""
        programs = (self.program.registers, self.clean.registers)
        return tuple(kind for kind in dict.fromkeys(sum(programs, ())) for _ in range(max(program.count(kind) for program in programs)))

    @property
    def _bytes_per_pixel(self) -> int:
        numbers = 8 * len(self.ranges) if self.storage.whole else 0
        truths = 2 + 2 * sum(len(stack.bands) for stack in self.stacks)
        return sum(dtype.itemsize for dtype in self.registers) + truths + 8 + numbers


class Calculator:
    """Computes windows in chunks; owns the arrays it works in, so each thread has its own."""

    def __init__(self, recipe: Recipe) -> None:
        self._most = recipe.chunk
        self._whole = _Chunk(recipe, _Arrays.of(recipe))
        self._chunks = {self._most: self._whole}

    def compute(
        self,
        stored: Sequence[NDArray[Any]],
        masks: Sequence[Sequence[NDArray[Any]]],
        out: NDArray[Any],
        excluded: Excluded = _NOTHING,
    ) -> tuple[Statistics, ...]:
        """Fill ``out``, of shape (results, n), from the stacks' values, of shape (bands, n), and the bands' mask planes, of shape (n,)."""
        totals = [Statistics() for _ in out]
        with np.errstate(all="ignore"):
            size = self._chunk_size(out.shape[1])
            for start in range(0, out.shape[1], size):
                part = slice(start, min(start + size, out.shape[1]))
                chunk = self._chunk_of(part.stop - start)
                planes = [[mask[part] for mask in band] for band in masks]
                statistics = chunk.compute([values[:, part] for values in stored], planes, out[:, part], excluded.part(part))
                totals = [total.merged(more) for total, more in zip(totals, statistics)]
        return tuple(totals)

    def _chunk_size(self, pixels: int) -> int:
        """So many that no chunk of a window is much smaller than the others: each costs the same calls."""
        count = -(-pixels // self._most)
        return min(self._most, -(-pixels // (count * _ALIGNED)) * _ALIGNED)

    def _chunk_of(self, size: int) -> _Chunk:
        """The windows of a run leave few sizes of a last chunk."""
        if size not in self._chunks:
            self._chunks[size] = self._whole.cut(size)
        return self._chunks[size]


class _Arrays(NamedTuple):
    """What a thread computes in: registers and others of shape (n,), for each stack where its bands are nodata and where saturated, of shape
    (bands, n), and of shape (results, n) the ``numbers`` that become integers.
    """

    registers: list[NDArray[Any]]
    gaps: list[Truths]
    saturations: list[Truths]
    invalid: Truths
    flags: Truths
    wide: NDArray[np.float64]
    numbers: NDArray[np.float64]

    @classmethod
    def of(cls, recipe: Recipe) -> _Arrays:
        size = recipe.chunk
        gaps, saturations = ([np.zeros((len(stack.bands), size), np.bool_) for stack in recipe.stacks] for _ in range(2))
        registers = [np.empty(size, dtype) for dtype in recipe.registers]
        numbers = np.empty((len(recipe.ranges) if recipe.storage.whole else 0, size))
        return cls(registers, gaps, saturations, np.empty(size, np.bool_), np.empty(size, np.bool_), np.empty(size, np.float64), numbers)

    def cut(self, size: int) -> _Arrays:
        registers, gaps, saturations = ([_cut(array, size) for array in arrays] for arrays in self[:3])
        return _Arrays(registers, gaps, saturations, *(_cut(array, size) for array in self[3:]))


class _Chunk:
    """So many pixels at a time: the arrays, and both programs bound to them."""

    def __init__(self, recipe: Recipe, arrays: _Arrays) -> None:
        self.recipe, self._arrays = recipe, arrays
        storage = recipe.storage
        self._stored_nodata = storage.dtype.type(storage.nodata)
        self._beside_nodata = None if storage.whole else np.nextafter(self._stored_nodata, storage.dtype.type(0))
        self._gaps = self._by_band(arrays.gaps)
        self._evaluator, self._clean = (Evaluator(program, arrays.registers) for program in (recipe.program, recipe.clean))

    def cut(self, size: int) -> _Chunk:
        """The same for fewer pixels, in the same memory."""
        return _Chunk(self.recipe, self._arrays.cut(size))

    def compute(
        self, stored: Sequence[NDArray[Any]], masks: Sequence[Sequence[NDArray[Any]]], out: NDArray[Any], excluded: Excluded
    ) -> list[Statistics]:
        """Fill ``out``, of shape (results, n), from values of shape (bands, n) and mask planes of shape (n,)."""
        program = self._evaluator if self._find_gaps(stored, masks) else self._clean
        numbers = self._arrays.numbers if self.recipe.storage.whole else out
        missing = program.evaluate(self._by_band(stored), self._gaps, numbers)
        excluded = Excluded(*(truths if truths is not None and truths.any() else None for truths in excluded))
        return [self._result(*result, excluded) for result in zip(numbers, out, missing, self.recipe.ranges)]

    def _by_band(self, stacks: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
        return {band: row for stack, rows in zip(self.recipe.stacks, stacks) for band, row in zip(stack.bands, rows)}

    def _find_gaps(self, stored: Sequence[NDArray[Any]], masks: Sequence[Sequence[NDArray[Any]]]) -> bool:
        """Mark where bands are nodata or saturated, and tell whether any is anywhere."""
        flags, found = self._arrays.flags, False
        for stack, values, gaps, saturations in zip(self.recipe.stacks, stored, self._arrays.gaps, self._arrays.saturations):
            planes = [(row, mask) for row, band in enumerate(stack.bands) for mask in masks[band]]
            if stack.nodata is stack.saturated is None and not planes:
                continue
            mark(values, stack.nodata, gaps)
            for row, mask in planes:
                mark(mask, np.uint8(0), flags)
                np.logical_or(gaps[row], flags, out=gaps[row])
            if stack.saturated is not None:
                mark(values, stack.saturated, saturations)
                np.greater(saturations, gaps, out=saturations)
                np.logical_or(gaps, saturations, out=gaps)
            found = bool(np.count_nonzero(gaps)) or found
        return found

    def _result(
        self, values: Numbers, out: NDArray[Any], missing: Truths | None, valid_range: tuple[float, float] | None, excluded: Excluded
    ) -> Statistics:
        """Store ``values``, which floating-point types have in ``out`` already, and nodata where they are missing, excluded or not finite."""
        absent = 0 if missing is None else int(np.count_nonzero(missing))
        if not absent:
            missing = None
        if all(truths is None for truths in excluded) and absent < values.size:
            limits = self._limits(values, missing)
            if math.isfinite(sum(limits)) and not limits[0] <= self.recipe.storage.nodata <= limits[1]:
                statistics = self._stored(values, out, valid_range, limits, missing)
                if missing is None:
                    return statistics
                np.copyto(out, self._stored_nodata, where=missing)
                saturated = self._count_saturated(missing)
                return statistics._replace(nodata=absent - saturated, saturated=saturated)
        counts, invalid = self._invalid(values, missing, excluded)
        if counts.invalid == values.size:
            out[:] = self._stored_nodata
            return counts
        statistics = self._stored(values, out, valid_range, self._limits(values, invalid), invalid)
        np.copyto(out, self._stored_nodata, where=invalid)
        return counts.merged(statistics)

    def _limits(self, values: Numbers, invalid: Truths | None) -> tuple[float, float]:
        """The least and the largest of the values that are not invalid, of which one stands in for these from now on."""
        if invalid is not None:
            np.copyto(values, values[np.argmin(invalid)], where=invalid)
        return float(np.minimum.reduce(values)), float(np.maximum.reduce(values))

    def _invalid(self, values: Numbers, missing: Truths | None, excluded: Excluded) -> tuple[Statistics, Truths]:
        """Where values are to be nodata, and how many of them for which cause; each pixel counts for the first that fits."""
        invalid, outside = self._arrays.invalid, 0
        masked, saturated, nodata = 0, 0, 0
        if excluded.outside is not None:
            outside = int(np.count_nonzero(excluded.outside))
            missing = None if missing is None else missing & ~excluded.outside
        if missing is not None:
            saturated = self._count_saturated(missing)
            nodata = int(np.count_nonzero(missing)) - saturated
        np.isfinite(values, out=invalid)
        np.logical_not(invalid, out=invalid)
        for truths in (missing, excluded.outside):
            if truths is not None:
                np.logical_or(invalid, truths, out=invalid)
        if excluded.masked is not None:
            known = [truths for truths in (missing, excluded.outside) if truths is not None]
            only = excluded.masked & ~np.logical_or.reduce(known) if known else excluded.masked
            masked = int(np.count_nonzero(only))
            np.logical_or(invalid, only, out=invalid)
        rest = int(np.count_nonzero(invalid)) - outside - nodata - saturated - masked
        return Statistics(nodata=nodata, saturated=saturated, masked=masked, outside=outside, not_finite=rest), invalid

    def _stored(
        self,
        values: Numbers,
        out: NDArray[Any],
        valid_range: tuple[float, float] | None,
        limits: tuple[float, float],
        invalid: Truths | None = None,
    ) -> Statistics:
        """Put finite values, of which ``limits`` are the least and the largest, into ``out`` as they are stored; floating-point
        ones lie there already. What is ``invalid`` does not count.
        """
        storage = self.recipe.storage
        minimum, maximum = limits
        low, high = valid_range or limits
        beyond = 0 if low <= minimum and maximum <= high else _count_beyond(values, low, high, invalid)
        low, high = storage.clamp
        clamped = 0
        if minimum < low or maximum > high:
            clamped = _count_beyond(values, low, high, invalid)
            np.clip(values, low, high, out=values)
            minimum, maximum = max(minimum, low), min(maximum, high)
        if storage.whole:
            np.add(values, storage.shift, out=values)
            np.multiply(values, storage.factor, out=values)
            np.rint(values, out=values)
            clamped += _count_beyond(values, storage.low, storage.high, invalid)
            np.clip(values, storage.low, storage.high, out=values)
            minimum, maximum = float(values.min()), float(values.max())
            np.copyto(out, values, casting="unsafe")
        elif self._beside_nodata is not None and minimum <= storage.nodata <= maximum:
            np.copyto(values, self._beside_nodata, where=values == self._stored_nodata)
            minimum, maximum = float(values.min()), float(values.max())
        valid, mean, squares = moments(values, minimum, maximum, self._arrays.wide, invalid)
        return Statistics(valid=valid, beyond=beyond, clamped=clamped, minimum=minimum, maximum=maximum, mean=mean, squares=squares)

    def _count_saturated(self, missing: Truths) -> int:
        """Pixels that are nodata and saturated in some band that is not nodata there."""
        if all(stack.saturated is None for stack in self.recipe.stacks):
            return 0
        union, flags = self._arrays.invalid, self._arrays.flags
        union[:] = False
        for saturations in self._arrays.saturations:
            np.logical_or(union, saturations.any(axis=0), out=union)
        for gaps, saturations in zip(self._arrays.gaps, self._arrays.saturations):
            for row, saturated in zip(gaps, saturations):
                np.greater(row, saturated, out=flags)
                np.greater(union, flags, out=union)
        np.logical_and(union, missing, out=union)
        return int(np.count_nonzero(union))


def _cut(array: NDArray[Any], size: int) -> NDArray[Any]:
    """The first of an array's memory, for ``size`` pixels instead of those of its last dimension."""
    shape = (*array.shape[:-1], size)
    return array.reshape(-1)[: math.prod(shape)].reshape(shape)


def _count_beyond(values: Numbers, low: float, high: float, invalid: Truths | None) -> int:
    beyond = (values < low) | (values > high)
    return int(np.count_nonzero(beyond if invalid is None else beyond > invalid))
