# SPDX-License-Identifier: GPL-2.0-or-later
"""Compute one window: find invalid pixels, evaluate the operation, store the result, collect statistics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray
from ..radiometry.nodata import Stack
from ..radiometry.storage import Storage
from .operation import Operation, Shape
from .quantise import Quantiser, fill_invalid, limits_of
from .statistics import Statistics
from .validity import NOTHING, Excluded, Validity

#: Pixels computed at a time, at most: few enough for the registers to stay in the processor's
#: cache, enough to outweigh the calls.
CHUNK = 208 * 1024
_ALIGNED = 64  #: pixels, of which a chunk has a multiple, so that it starts where SIMD likes it
#: Bytes that a thread's registers may take together, however many a program has; more of them are shorter.
MOST_REGISTER_BYTES = 14 * 1024 * 1024

Numbers = NDArray[np.floating[Any]]
Booleans = NDArray[np.bool_]
Range = tuple[float, float]


@dataclass(frozen=True)
class KernelSpec:
    """All that computing needs to know, the same for every window.

    ``ranges`` are those that results should keep within; ``stacks`` are the bands that are read, as
    their values come.
    """

    operation: Operation
    ranges: tuple[Range | None, ...]
    stacks: tuple[Stack, ...]
    storage: Storage

    @property
    def wide(self) -> bool:
        """Whether results are float64 first: those that become integers, and those that a clamp may
        bring back into float32.
        """
        narrower = self.operation.dtype.itemsize > self.storage.dtype.itemsize
        return self.storage.integer or (narrower and self.storage.clamp != (-math.inf, math.inf))

    @property
    def chunk(self) -> int:
        """Pixels that are computed at a time."""
        return max(1024, min(CHUNK, MOST_REGISTER_BYTES // self._bytes_per_pixel))

    def scratch_bytes(self, width: int = 0) -> int:
        """Return the bytes of a :class:`Kernel`'s own arrays, for windows that are ``width`` wide."""
        halo = self.operation.halo
        least = (2 * halo + 1) * (width + 2 * halo) if halo else 0  # a row, and those beside it
        return (max(self.chunk, least) + 2 * halo * (width + 2 * halo)) * self._bytes_per_pixel

    @property
    def _bytes_per_pixel(self) -> int:
        numbers = 8 * len(self.ranges) if self.wide else 0
        masks = 2 + 2 * sum(len(stack.bands) for stack in self.stacks)
        scratch = sum(dtype.itemsize for dtype in self.operation.scratch)
        return scratch + masks + 8 + numbers


class Kernel:
    """Computes windows in chunks; owns the arrays it works in, so each thread has its own."""

    def __init__(self, spec: KernelSpec) -> None:
        self._spec = spec
        self._most = spec.chunk
        self._largest: _Arrays | None = None
        self._chunks: dict[Shape, _Chunk] = {}

    def compute(
        self,
        values: Sequence[NDArray[Any]],
        planes: Sequence[Sequence[NDArray[Any]]],
        out: NDArray[Any],
        excluded: Excluded = NOTHING,
        width: int | None = None,
    ) -> tuple[Statistics, ...]:
        """Compute a window.

        Parameters
        ----------
        values
            For each stack its stored values, of shape (bands, pixels): those of the window in row
            order, with the operation's halo around them.
        planes
            For each band its mask planes, of shape (pixels,), in which 0 marks nodata.
        out
            Of shape (results, n) and the type of the result, to be filled.
        excluded
            What the user leaves out, of shape (n,).
        width
            Columns of the window, which an operation with a halo needs.

        Returns
        -------
        tuple of Statistics
            Of each result.
        """
        totals = [Statistics() for _ in out]
        nothing = excluded.outside is None and excluded.masked is None
        with np.errstate(all="ignore"):
            for read, written, shape in self._parts(out.shape[1], width):
                chunk = self._chunk(shape)
                statistics = chunk.compute(
                    [stack[:, read] for stack in values],
                    [[plane[read] for plane in band] for band in planes],
                    out[:, written],
                    NOTHING if nothing else excluded.part(written),
                )
                totals = [total.merged(more) for total, more in zip(totals, statistics)]
        return tuple(totals)

    def _parts(self, pixels: int, width: int | None) -> Iterator[tuple[slice, slice, Shape]]:
        """What is read and written of a window for each chunk of it, and its shape.

        No chunk is much smaller than the others, since each costs the same calls.
        """
        halo = self._spec.operation.halo
        if not halo or width is None:
            count = -(-pixels // self._most)
            size = min(self._most, -(-pixels // (count * _ALIGNED)) * _ALIGNED)
            for start in range(0, pixels, size):
                part = slice(start, min(start + size, pixels))
                yield part, part, Shape(1, part.stop - part.start)
            return
        height, across = pixels // width, width + 2 * halo
        rows = max(1, min(height, self._most // width))
        for row in range(0, height, rows):
            end = min(row + rows, height)
            read = slice(row * across, (end + 2 * halo) * across)
            yield read, slice(row * width, end * width), Shape(end - row, width, halo)

    def _chunk(self, shape: Shape) -> _Chunk:
        """The chunk of a shape; the windows of a run leave few shapes of a last one."""
        if shape not in self._chunks:
            pixels = max(shape.pixels, math.prod(shape.read))
            if self._largest is None or self._largest.invalid.size < pixels:
                self._largest = _Arrays.of(self._spec, max(pixels, self._most))
            self._chunks[shape] = _Chunk(self._spec, self._largest, shape)
        return self._chunks[shape]


class _Arrays(NamedTuple):
    """What a thread computes in: an operation's ``scratch`` of shape (n,); for each stack where its
    bands are nodata and where saturated, of shape (bands, n); two masks and a float64 array of shape
    (n,); and of shape (results, n) the ``numbers`` that become integers or float32.
    """

    scratch: list[NDArray[Any]]
    nodata: list[Booleans]
    saturated: list[Booleans]
    invalid: Booleans
    flags: Booleans
    wide: NDArray[np.float64]
    numbers: NDArray[np.float64]

    @classmethod
    def of(cls, spec: KernelSpec, size: int) -> _Arrays:
        """Make arrays for ``size`` pixels."""
        nodata, saturated = (
            [np.zeros((len(stack.bands), size), np.bool_) for stack in spec.stacks]
            for _ in range(2)
        )
        return cls(
            scratch=[np.empty(size, dtype) for dtype in spec.operation.scratch],
            nodata=nodata,
            saturated=saturated,
            invalid=np.empty(size, np.bool_),
            flags=np.empty(size, np.bool_),
            wide=np.empty(size, np.float64),
            numbers=np.empty((len(spec.ranges) if spec.wide else 0, size)),
        )


class _Chunk:
    """A part of a window of one shape: memory for it, and the operation bound to that."""

    def __init__(self, spec: KernelSpec, arrays: _Arrays, shape: Shape) -> None:
        self._spec, self._shape, self._wide = spec, shape, spec.wide
        self._narrows = spec.wide and not spec.storage.integer
        read, pixels = math.prod(shape.read), shape.pixels
        nodata, saturated = (
            [_first(array, read) for array in masks] for masks in (arrays.nodata, arrays.saturated)
        )
        self._numbers = _first(arrays.numbers, pixels)
        self._quantiser = Quantiser(spec.storage, _first(arrays.wide, pixels))
        masks = _first(arrays.invalid, read), _first(arrays.flags, read)
        self._validity = Validity(spec.stacks, nodata, saturated, *masks, shape.read, shape.halo)
        self._invalid = self._by_band(nodata)
        self._evaluate = spec.operation.bind([_first(array, pixels) for array in arrays.scratch])

    def compute(
        self,
        values: Sequence[NDArray[Any]],
        planes: Sequence[Sequence[NDArray[Any]]],
        out: NDArray[Any],
        excluded: Excluded,
    ) -> list[Statistics]:
        """Fill ``out``, of shape (results, n); see :meth:`Kernel.compute`."""
        invalid = self._invalid if self._validity.find(values, planes) else None
        numbers: NDArray[Any] = self._numbers if self._wide else out
        if self._shape.halo:
            missing = self._evaluate_rows(values, invalid, numbers)
        else:
            missing = self._evaluate(self._by_band(values), invalid, numbers)
        if self._narrows:
            self._quantiser.narrow(numbers, out)
            numbers = out
        return [
            self._store(*result, excluded)
            for result in zip(numbers, out, missing, self._spec.ranges)
        ]

    def _evaluate_rows(
        self,
        values: Sequence[NDArray[Any]],
        invalid: Mapping[int, Booleans] | None,
        numbers: NDArray[Any],
    ) -> Sequence[Booleans | None]:
        """Evaluate an operation that needs neighbours: it sees rows and columns."""
        shape, read = self._shape, self._shape.read
        stored = {band: row.reshape(read) for band, row in self._by_band(values).items()}
        masks = invalid and {band: mask.reshape(read) for band, mask in invalid.items()}
        results = numbers.reshape(len(numbers), shape.height, shape.width)
        missing = self._evaluate(stored, masks, results)
        return [None if mask is None else mask.reshape(-1) for mask in missing]

    def _by_band(self, stacks: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
        return {
            band: row
            for stack, rows in zip(self._spec.stacks, stacks)
            for band, row in zip(stack.bands, rows)
        }

    def _store(
        self,
        values: Numbers,
        out: NDArray[Any],
        missing: Booleans | None,
        valid_range: Range | None,
        excluded: Excluded,
    ) -> Statistics:
        """Store ``values``, which floating-point types have in ``out`` already, and nodata where
        they are missing, excluded or not finite.
        """
        quantiser = self._quantiser
        absent = 0 if missing is None else int(np.count_nonzero(missing))
        if not absent:
            missing = None
        if excluded is NOTHING and absent < values.size:
            fill_invalid(values, missing)
            limits = limits_of(values)
            if math.isfinite(sum(limits)):
                statistics = quantiser.store(values, out, valid_range, limits, missing)
                if missing is None:
                    return statistics
                np.copyto(out, quantiser.nodata, where=missing)
                saturated = self._validity.count_saturated(missing)
                return statistics._replace(nodata=absent - saturated, saturated=saturated)
        counts, invalid = self._validity.invalid(values, missing, excluded)
        if counts.invalid == values.size:
            out[:] = quantiser.nodata
            return counts
        fill_invalid(values, invalid)
        statistics = quantiser.store(values, out, valid_range, limits_of(values), invalid)
        np.copyto(out, quantiser.nodata, where=invalid)
        return counts.merged(statistics)


def _first(array: NDArray[Any], size: int) -> NDArray[Any]:
    """The first of an array's memory, for ``size`` pixels instead of those of its last dimension."""
    shape = (*array.shape[:-1], size)
    return array.reshape(-1)[: math.prod(shape)].reshape(shape)
