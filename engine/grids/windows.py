# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows of a raster: the plan of their size, and the generator that yields them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .grid import Grid, Window

#: Pixels of a window if blocks and memory allow it: smaller windows cost more calls, larger ones more memory.
TARGET_PIXELS = 1024 * 1024
#: Least size of GDAL's block cache, in bytes; a larger one made no run faster.
LEAST_CACHE = 8 * 1024 * 1024


class Cost(NamedTuple):
    """Bytes of memory that a run needs.

    Attributes
    ----------
    per_pixel, per_read, fixed
        Of each worker: for each pixel of its window, for each pixel that it reads at a time, and
        for windows of any size.
    per_blocks
        Of each worker: blocks of sources and result in GDAL's cache, so that none is decoded twice.
    shared
        Of the whole run, for windows of any size.
    """

    per_pixel: int
    per_read: int
    fixed: int
    per_blocks: int
    shared: int = 0


class WindowPlan(NamedTuple):
    """Windows of ``width`` x ``height`` pixels (smaller at the right and lower edge), read ``rows``
    at a time, for ``workers`` threads.

    ``memory`` is an upper bound, in bytes, of buffers, GDAL's cache, which has ``cache`` bytes, and
    of ``blocks`` of resampled bands.
    """

    width: int
    height: int
    rows: int
    workers: int
    cache: int
    memory: int
    blocks: int = 0

    def count(self, grid: Grid) -> int:
        """Return the number of windows of a grid."""
        return math.ceil(grid.width / self.width) * math.ceil(grid.height / self.height)


def plan_windows(
    grid: Grid,
    *,
    result_block: tuple[int, int],
    source_blocks: Sequence[tuple[int, int]],
    cost: Cost,
    workers: int,
    memory: int,
    pixels: int = TARGET_PIXELS,
) -> WindowPlan:
    """Choose the windows, of whole result blocks, and the number of workers that are fastest.

    Windows of whole source blocks decode each block once; others decode a strip or a JPEG 2000 tile
    once for each window that touches it, which can pay if it allows more workers.

    Parameters
    ----------
    result_block, source_blocks
        (width, height) of the blocks of the result and of each source.
    cost, memory
        The memory that windows need, and the limit in bytes. The smallest plan is returned even if
        it does not fit.
    workers
        The largest number of workers.
    pixels
        Size of a window if blocks and memory allow it; larger windows are read in parts of this
        size, in whole source blocks.
    """
    best, most = None, 0.0
    # smaller windows need no less shared memory
    budget = max(memory - cost.shared, memory // 2)
    for width, height in _shapes(grid, result_block, source_blocks, pixels):
        decodes = max(
            _touches(width, block[0], grid.width) * _touches(height, block[1], grid.height)
            for block in source_blocks
        )
        step = math.lcm(*(min(block[1], height) for block in source_blocks))
        rows = max(step, pixels // width // step * step) if width * height > 2 * pixels else height
        single = _planned(width, height, rows, 1, cost)
        held = single.memory - single.cache - cost.shared
        count = min(
            workers,
            single.count(grid),
            (budget - LEAST_CACHE) // held,
            budget // (held + cost.per_blocks),
        )
        if count > 0 and count / decodes > most * 1.01:
            best, most = _planned(width, height, rows, count, cost), count / decodes
    return best or _planned(*result_block, result_block[1], 1, cost)


def _planned(width: int, height: int, rows: int, workers: int, cost: Cost) -> WindowPlan:
    cache = max(LEAST_CACHE, workers * cost.per_blocks)
    held = width * height * cost.per_pixel + width * rows * cost.per_read + cost.fixed
    return WindowPlan(width, height, rows, workers, cache, workers * held + cache + cost.shared)


def _touches(window: int, block: int, length: int) -> float:
    """Return how many windows touch a source block along one axis, on average."""
    if window >= length or window % block == 0:
        return 1.0
    return block / window if block % window == 0 else (block - 1) / window + 1


def _shapes(
    grid: Grid, result_block: tuple[int, int], source_blocks: Sequence[tuple[int, int]], pixels: int
) -> Iterator[tuple[int, int]]:
    """Yield the sizes of windows to choose from; the first of equal ones is taken."""
    width, height = (
        _common(result_block[axis], [block[axis] for block in source_blocks], length)
        for axis, length in enumerate((grid.width, grid.height))
    )
    yield _grown(grid, width, height, pixels, down=True)
    yield width, height
    yield _grown(grid, width, result_block[1], pixels)
    yield width, result_block[1]
    yield _grown(grid, *result_block, pixels)
    yield result_block


def _common(result: int, sources: Sequence[int], length: int) -> int:
    """Return the least common length of all blocks; at most that of the raster in result blocks."""
    raster_length = math.ceil(length / result) * result
    return min(
        math.lcm(result, *(source for source in sources if source < length))
        if max(sources) < length
        else raster_length,
        raster_length,
    )


def _grown(
    grid: Grid, width: int, height: int, pixels: int, *, down: bool = False
) -> tuple[int, int]:
    """Repeat a unit until it has the target size or spans the raster: in both directions, or first
    ``down``, as the pixels of a block one unit wide are contiguous.
    """
    columns = rows = 1
    while columns * width * rows * height < pixels:
        wider, higher = columns * width < grid.width, rows * height < grid.height
        if wider and not (higher and (down or columns * width > rows * height)):
            columns += 1
        elif higher:
            rows += 1
        else:
            break
    return columns * width, rows * height


def windows(grid: Grid, plan: WindowPlan) -> Iterator[Window]:
    """Yield the plan's windows, row by row, clipped at the raster's edge."""
    for row in range(0, grid.height, plan.height):
        for column in range(0, grid.width, plan.width):
            yield Window(
                column,
                row,
                min(plan.width, grid.width - column),
                min(plan.height, grid.height - row),
            )


def parts(window: Window, rows: int) -> Iterator[Window]:
    """Yield the parts of a window that are read at a time, from top to bottom."""
    for row in range(window.row, window.row + window.height, rows):
        yield Window(window.column, row, window.width, min(rows, window.row + window.height - row))
