# SPDX-License-Identifier: GPL-2.0-or-later
"""Compute one window: find invalid pixels, evaluate the program, store the result, collect statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray
from ..radiometry.scaling import Stack
from ..radiometry.storage import Storage
from .program import Evaluator, Program
from .quantise import Quantiser, limits_of
from .statistics import Statistics
from .validity import NOTHING, Excluded, Validity

#: Pixels computed at a time, at most: few enough for the registers to stay in the processor's
#: cache, enough to outweigh the calls.
CHUNK = 208 * 1024
_ALIGNED = 64  #: pixels, of which a chunk has a multiple, so that it starts where SIMD likes it
#: Bytes that a thread's registers may take together, however many a program has; more of them are shorter.
MOST_REGISTER_BYTES = 14 * 1024 * 1024

Numbers = NDArray[np.floating[Any]]
Truths = NDArray[np.bool_]


class KernelSpec(NamedTuple):
    """All that computing needs to know, the same for every window; ``ranges`` are those that
    results should keep within.

    ``clean`` gives the same values as ``program`` where no band has nodata. ``stacks`` are the
    bands that are read, as their values come.
    """

    program: Program
    clean: Program
    ranges: tuple[tuple[float, float] | None, ...]
    stacks: tuple[Stack, ...]
    storage: Storage

    @property
    def wide(self) -> bool:
        """Whether results are float64 first: those that become integers, and those that a clamp may
        bring back into float32.
        """
        narrower = self.program.dtype.itemsize > self.storage.dtype.itemsize
        return self.storage.whole or (narrower and self.storage.clamp != (-math.inf, math.inf))

    @property
    def chunk(self) -> int:
        """Pixels that are computed at a time."""
        return max(1024, min(CHUNK, MOST_REGISTER_BYTES // self._bytes_per_pixel))

    @property
    def scratch_bytes(self) -> int:
        """Bytes of a :class:`Kernel`'s own arrays."""
        return self.chunk * self._bytes_per_pixel

    @property
    def registers(self) -> tuple[np.dtype[Any], ...]:
        """Types of the registers that either program finds room in."""
        programs = (self.program.registers, self.clean.registers)
        return tuple(
            kind
            for kind in dict.fromkeys(sum(programs, ()))
            for _ in range(max(program.count(kind) for program in programs))
        )

    @property
    def _bytes_per_pixel(self) -> int:
        numbers = 8 * len(self.ranges) if self.wide else 0
        truths = 2 + 2 * sum(len(stack.bands) for stack in self.stacks)
        return sum(dtype.itemsize for dtype in self.registers) + truths + 8 + numbers


class Kernel:
    """Computes windows in chunks; owns the arrays it works in, so each thread has its own."""

    def __init__(self, recipe: KernelSpec) -> None:
        self._most = recipe.chunk
        self._whole = _Chunk(recipe, _Arrays.of(recipe))
        self._chunks = {self._most: self._whole}

    def compute(
        self,
        stored: Sequence[NDArray[Any]],
        masks: Sequence[Sequence[NDArray[Any]]],
        out: NDArray[Any],
        excluded: Excluded = NOTHING,
    ) -> tuple[Statistics, ...]:
        """Fill ``out``, of shape (results, n), from the stacks' values, of shape (bands, n), and
        the bands' mask planes, of shape (n,).
        """
        totals = [Statistics() for _ in out]
        whole = excluded.outside is None and excluded.masked is None
        with np.errstate(all="ignore"):
            size = self._chunk_size(out.shape[1])
            for start in range(0, out.shape[1], size):
                part = slice(start, min(start + size, out.shape[1]))
                chunk = self._chunk_of(part.stop - start)
                planes = [[mask[part] for mask in band] for band in masks]
                left_out = NOTHING if whole else excluded.part(part)
                statistics = chunk.compute(
                    [values[:, part] for values in stored], planes, out[:, part], left_out
                )
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
    """What a thread computes in: registers and others of shape (n,), for each stack where its bands
    are nodata and where saturated, of shape (bands, n), and of shape (results, n) the ``numbers``
    that become integers or float32.
    """

    registers: list[NDArray[Any]]
    gaps: list[Truths]
    saturations: list[Truths]
    invalid: Truths
    flags: Truths
    wide: NDArray[np.float64]
    numbers: NDArray[np.float64]

    @classmethod
    def of(cls, recipe: KernelSpec) -> _Arrays:
        size = recipe.chunk
        gaps, saturations = (
            [np.zeros((len(stack.bands), size), np.bool_) for stack in recipe.stacks]
            for _ in range(2)
        )
        registers = [np.empty(size, dtype) for dtype in recipe.registers]
        numbers = np.empty((len(recipe.ranges) if recipe.wide else 0, size))
        return cls(
            registers,
            gaps,
            saturations,
            np.empty(size, np.bool_),
            np.empty(size, np.bool_),
            np.empty(size, np.float64),
            numbers,
        )

    def cut(self, size: int) -> _Arrays:
        registers, gaps, saturations = (
            [_cut(array, size) for array in arrays] for arrays in self[:3]
        )
        return _Arrays(registers, gaps, saturations, *(_cut(array, size) for array in self[3:]))


class _Chunk:
    """So many pixels at a time: the arrays, and both programs bound to them."""

    def __init__(self, recipe: KernelSpec, arrays: _Arrays) -> None:
        self.recipe, self._arrays = recipe, arrays
        self._wide, self._whole = recipe.wide, recipe.storage.whole
        self._quantiser = Quantiser(recipe.storage, arrays.wide)
        self._validity = Validity(
            recipe.stacks, arrays.gaps, arrays.saturations, arrays.invalid, arrays.flags
        )
        self._gaps = self._by_band(arrays.gaps)
        self._evaluator, self._clean = (
            Evaluator(program, arrays.registers) for program in (recipe.program, recipe.clean)
        )

    def cut(self, size: int) -> _Chunk:
        """The same for fewer pixels, in the same memory."""
        return _Chunk(self.recipe, self._arrays.cut(size))

    def compute(
        self,
        stored: Sequence[NDArray[Any]],
        masks: Sequence[Sequence[NDArray[Any]]],
        out: NDArray[Any],
        excluded: Excluded,
    ) -> list[Statistics]:
        """Fill ``out``, of shape (results, n), from values of shape (bands, n) and mask planes of shape (n,)."""
        program = self._evaluator if self._validity.find(stored, masks) else self._clean
        numbers = self._arrays.numbers if self._wide else out
        missing = program.evaluate(self._by_band(stored), self._gaps, numbers)
        if self._wide and not self._whole:
            self._quantiser.narrow(numbers, out)
            numbers = out
        return [
            self._result(*result, excluded)
            for result in zip(numbers, out, missing, self.recipe.ranges)
        ]

    def _by_band(self, stacks: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
        return {
            band: row
            for stack, rows in zip(self.recipe.stacks, stacks)
            for band, row in zip(stack.bands, rows)
        }

    def _result(
        self,
        values: Numbers,
        out: NDArray[Any],
        missing: Truths | None,
        valid_range: tuple[float, float] | None,
        excluded: Excluded,
    ) -> Statistics:
        """Store ``values``, which floating-point types have in ``out`` already, and nodata where
        they are missing, excluded or not finite.
        """
        absent = 0 if missing is None else int(np.count_nonzero(missing))
        if not absent:
            missing = None
        if excluded is NOTHING and absent < values.size:
            limits = limits_of(values, missing)
            if math.isfinite(sum(limits)):
                statistics = self._quantiser.store(values, out, valid_range, limits, missing)
                if missing is None:
                    return statistics
                np.copyto(out, self._quantiser.nodata, where=missing)
                saturated = self._validity.count_saturated(missing)
                return statistics._replace(nodata=absent - saturated, saturated=saturated)
        counts, invalid = self._validity.invalid(values, missing, excluded)
        if counts.invalid == values.size:
            out[:] = self._quantiser.nodata
            return counts
        statistics = self._quantiser.store(
            values, out, valid_range, limits_of(values, invalid), invalid
        )
        np.copyto(out, self._quantiser.nodata, where=invalid)
        return counts.merged(statistics)


def _cut(array: NDArray[Any], size: int) -> NDArray[Any]:
    """The first of an array's memory, for ``size`` pixels instead of those of its last dimension."""
    shape = (*array.shape[:-1], size)
    return array.reshape(-1)[: math.prod(shape)].reshape(shape)
