# SPDX-License-Identifier: GPL-2.0-or-later
"""Overviews, made of the windows while they pass: no pixel is read or decoded for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..arrays import NDArray
from ..grids.grid import Window
from ..radiometry.nodata import nodata_range
from ..radiometry.storage import Storage

Values = NDArray[Any]
_SMALLEST = 512  #: pixels of the longer side, at most, of the smallest overview


def overview_sizes(width: int, height: int, levels: int | None = None) -> list[tuple[int, int]]:
    """(width, height) of the overviews by 2, 4, 8 ..., until the longer side is at most 512 pixels,
    or of this many ``levels``.
    """
    sizes = [(width, height)]
    while (
        len(sizes) <= levels
        if levels is not None
        else len(sizes) == 1 or max(sizes[-1]) > _SMALLEST
    ):
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes[1:]


class Pyramid:
    """Gathers halves of windows, and halves of these, until blocks of the overviews are whole;
    threads may do so at once.

    With ``above`` there are this many ``levels``, and it gets the halves of the last one, with
    their window in the next.
    """

    def __init__(
        self,
        width: int,
        height: int,
        block: tuple[int, int],
        storage: Storage,
        *,
        levels: int | None = None,
        above: Callable[[Window, Values], None] | None = None,
    ) -> None:
        self.sizes = [(width, height), *overview_sizes(width, height, levels)]
        self._block, self._storage, self._above = block, storage, above
        self._lock = threading.Lock()
        self._unfinished: dict[tuple[int, Window], tuple[Values, list[int]]] = {}

    def add(
        self, window: Window, values: Values, level: int = 0
    ) -> Iterator[tuple[int, Window, Values]]:
        """Take ``values`` of a window of whole blocks, of shape (bands, height, width); the blocks
        come back that are whole by that.

        Each with its level, from 1, and its window there.
        """
        is_last = level + 1 == len(self.sizes)
        if is_last and self._above is None:
            return
        halves = downsample(values, self._storage)
        half = Window(window.column // 2, window.row // 2, halves.shape[2], halves.shape[1])
        if is_last and self._above is not None:
            self._above(half, halves)
            return
        yield from self.put(half, halves, level + 1)

    def put(self, half: Window, halves: Values, level: int) -> Iterator[tuple[int, Window, Values]]:
        """Take pixels of an overview, of any window; the blocks come back that are whole by that."""
        for block in self._blocks(half, level):
            part = block.intersection(half)
            if part is None:
                continue
            with self._lock:
                whole, left = self._unfinished.setdefault(
                    (level, block),
                    (
                        np.empty((len(halves), block.height, block.width), halves.dtype),
                        [block.pixels],
                    ),
                )
            whole[(slice(None), *part.slices_in(block))] = halves[
                (slice(None), *part.slices_in(half))
            ]
            with self._lock:
                left[0] -= part.pixels
                finished = not left[0]
                if finished:
                    del self._unfinished[level, block]
            if finished:
                yield level, block, whole
                yield from self.add(block, whole, level)

    def _blocks(self, window: Window, level: int) -> Iterator[Window]:
        (width, height), (across, down) = self.sizes[level], self._block
        for row in range(window.row // down * down, window.row + window.height, down):
            for column in range(
                window.column // across * across, window.column + window.width, across
            ):
                yield Window(column, row, min(across, width - column), min(down, height - row))


def downsample(values: Values, storage: Storage) -> Values:
    """The mean of the valid ones of four pixels each; of whole numbers that stand for themselves
    the first, for between classes lies none.

    ``values`` have the shape (bands, height, width); at an odd edge the last pixels are those of half as many.
    """
    if storage.integer and not storage.scaled:
        return values[:, ::2, ::2]
    odd = values.shape[1] % 2, values.shape[2] % 2
    wide = np.pad(values, ((0, 0), (0, odd[0]), (0, odd[1])), "edge") if any(odd) else values
    quarters = [wide[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]
    dtype = np.dtype(np.float64) if storage.integer else values.dtype
    low, high = (
        (storage.nodata, storage.nodata)
        if storage.integer
        else nodata_range(values.dtype.type(storage.nodata))
    )
    below = (
        np.count_nonzero(wide <= high)
        if not storage.integer
        else np.count_nonzero(wide == storage.nodata)
    )
    if not below:
        total = np.add(quarters[0], quarters[1], dtype=dtype)
        for quarter in quarters[2:]:
            total += quarter
        total *= 0.25
    else:
        invalid = [quarter == storage.nodata for quarter in quarters]
        total = np.zeros(quarters[0].shape, dtype)
        count = np.zeros(total.shape, np.uint8)
        for quarter, missing in zip(quarters, invalid):
            np.add(total, quarter, out=total, where=~missing)
            count += ~missing
        np.divide(total, count, out=total, where=count > 0)
        # a mean of valid values may be what GDAL takes for nodata
        if not storage.integer and below > sum(map(np.count_nonzero, invalid)):
            taken = (total >= low) & (total <= high) & (count > 0)
            np.copyto(total, np.nextafter(high, np.inf, dtype=total.dtype), where=taken)
        total[count == 0] = storage.nodata
    return np.rint(total).astype(values.dtype) if storage.integer else total
