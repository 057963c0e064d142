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

#: Largest number of pixels that are computed at a time: registers fit the processor's cache, and
#: calls take a small part of the time.
CHUNK = 208 * 1024
_ALIGNED = 64  #: pixels; chunks have a multiple of it, so that they are aligned for SIMD
#: Largest size of a thread's registers together: the more a program has, the shorter they are.
MOST_REGISTER_BYTES = 14 * 1024 * 1024

Numbers = NDArray["np.floating[Any]"]
Booleans = NDArray[np.bool_]
Range = tuple[float, float]


@dataclass(frozen=True)
class KernelSpec:
    """The parameters of computing, the same for every window.

    ``ranges`` are the expected ranges of the results; ``stacks`` are the bands as they are read.
    """

    operation: Operation
    ranges: tuple[Range | None, ...]
    stacks: tuple[Stack, ...]
    storage: Storage

    @property
    def wide(self) -> bool:
        """Whether results are computed in float64 and converted: to integers, or to float32 after a
        clamp.
        """
        narrower = self.operation.dtype.itemsize > self.storage.dtype.itemsize
        return self.storage.integer or (narrower and self.storage.clamp != (-math.inf, math.inf))

    @property
    def chunk(self) -> int:
        """Pixels that are computed at a time."""
        return max(1024, min(CHUNK, MOST_REGISTER_BYTES // self._bytes_per_pixel))

    def scratch_bytes(self, width: int = 0) -> int:
        """Return the bytes of a :class:`Kernel`'s own arrays for windows of ``width`` columns."""
        halo = self.operation.halo
        least = (2 * halo + 1) * (width + 2 * halo) if halo else 0  # a row and its halo
        return (max(self.chunk, least) + 2 * halo * (width + 2 * halo)) * self._bytes_per_pixel

    @property
    def _bytes_per_pixel(self) -> int:
        numbers = 8 * len(self.ranges) if self.wide else 0
        masks = 2 + 2 * sum(len(stack.bands) for stack in self.stacks)
        scratch = sum(dtype.itemsize for dtype in self.operation.scratch)
        return scratch + masks + 8 + numbers


class Kernel:
    """Computes windows in chunks, in arrays of its own; for one thread."""

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
            For each stack its stored values, of shape (bands, pixels): the window and the
            operation's halo around it, in row order.
        planes
            For each band its mask planes, of shape (pixels,), in which 0 marks nodata.
        out
            Filled; of shape (results, n) and the type of the result.
        excluded
            Pixels that the user leaves out, of shape (n,).
        width
            Columns of the window; needed by an operation with a halo.

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
        """Yield the pixels to read, the pixels to write, and the shape of each chunk of a window.

        Chunks have similar sizes, since each takes the same number of calls.
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
        """Return the chunk of a shape; the windows of a run have few different ones."""
        if shape not in self._chunks:
            pixels = max(shape.pixels, math.prod(shape.read))
            if self._largest is None or self._largest.invalid.size < pixels:
                self._largest = _Arrays.of(self._spec, max(pixels, self._most))
            self._chunks[shape] = _Chunk(self._spec, self._largest, shape)
        return self._chunks[shape]


class _Arrays(NamedTuple):
    """Working memory of a thread for n pixels.

    Attributes
    ----------
    scratch
        Registers of the operation, of shape (n,).
    nodata, saturated
        For each stack a mask of its bands, of shape (bands, n).
    invalid, flags, wide
        Two masks and a float64 array, of shape (n,).
    numbers
        Results that are converted to integers or float32, of shape (results, n).
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
    """Computes parts of windows of one shape, with the operation bound to memory for it."""

    def __init__(self, spec: KernelSpec, arrays: _Arrays, shape: Shape) -> None:
        self._spec, self._shape, self._wide = spec, shape, spec.wide
        self._narrows = spec.wide and not spec.storage.integer
        read, pixels = math.prod(shape.read), shape.pixels
        nodata, saturated = (
            [_first(array, read) for array in masks] for masks in (arrays.nodata, arrays.saturated)
        )
        self._numbers = _first(arrays.numbers, pixels)
        self._quantiser = Quantiser(spec.storage, _first(arrays.wide, pixels))
        self._counts = not math.isnan(spec.storage.nodata)
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
        """Evaluate an operation with a halo, on arrays of rows and columns."""
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
        """Store ``values``, and nodata where they are missing, excluded or not finite.

        Floating-point values are in ``out`` already.
        """
        quantiser = self._quantiser
        if not self._counts:
            return self._validity.without_counts(values, missing, excluded)
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
    """Return an array of ``size`` pixels, in place of the last dimension, in the memory of ``array``."""
    shape = (*array.shape[:-1], size)
    return array.reshape(-1)[: math.prod(shape)].reshape(shape)
