# SPDX-License-Identifier: GPL-2.0-or-later
"""How a raster is cut into windows: the plan, and the generator that follows it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .grid import Grid, Window

#: Pixels of a window where blocks and memory leave the choice: smaller costs calls, larger costs memory.
TARGET_PIXELS = 1024 * 1024
#: Least size of GDAL's block cache, in bytes; more made no run faster.
LEAST_CACHE = 8 * 1024 * 1024


class Cost(NamedTuple):
    """Bytes that a worker holds: for each pixel of its window, for each that it reads at a time,
    and whatever the window.

    ``per_blocks`` is what GDAL must keep of the sources' and the result's blocks, so that none is decoded twice,
    ``shared`` what a run holds once, whatever its windows.
    """

    per_pixel: int
    per_read: int
    fixed: int
    per_blocks: int
    shared: int = 0


class WindowPlan(NamedTuple):
    """Windows of ``width`` x ``height`` pixels (less at the right and lower edge), read ``rows`` at
    a time, for ``workers`` threads.

    ``memory`` bounds, in bytes, what buffers and GDAL's cache of ``cache`` bytes hold together.
    """

    width: int
    height: int
    rows: int
    workers: int
    cache: int
    memory: int

    def count(self, grid: Grid) -> int:
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
    """Choose windows of whole result blocks, and workers, that fit ``memory`` bytes and get most done.

    Blocks are (width, height). Windows of whole source blocks decode each once; others decode a
    strip or a JPEG 2000 tile as often as windows touch it, which more workers can outweigh or not.
    The smallest plan is returned even where it does not fit, for there is none smaller. ``pixels``
    is a window's size where blocks and memory leave the choice; of a larger one so many are read at
    a time, in whole source blocks.
    """
    best, most = None, 0.0
    # smaller windows would not lessen what is shared
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
    """How many windows touch a source block along one axis, on average."""
    if window >= length or window % block == 0:
        return 1.0
    return block / window if block % window == 0 else (block - 1) / window + 1


def _shapes(
    grid: Grid, result_block: tuple[int, int], source_blocks: Sequence[tuple[int, int]], pixels: int
) -> Iterator[tuple[int, int]]:
    """Window shapes to choose from; of equals the first is taken."""
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
    """Least length that is whole in blocks of all, or the whole raster's in result blocks."""
    whole = math.ceil(length / result) * result
    return min(
        math.lcm(result, *(source for source in sources if source < length))
        if max(sources) < length
        else whole,
        whole,
    )


def _grown(
    grid: Grid, width: int, height: int, pixels: int, *, down: bool = False
) -> tuple[int, int]:
    """The unit repeated until it has the target size or spans the raster: evenly both ways, or first ``down``, where
    the pixels of a block one unit wide lie together.
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
    """The plan's windows one at a time, row by row, clipped at the raster's edge."""
    for row in range(0, grid.height, plan.height):
        for column in range(0, grid.width, plan.width):
            yield Window(
                column,
                row,
                min(plan.width, grid.width - column),
                min(plan.height, grid.height - row),
            )


def parts(window: Window, rows: int) -> Iterator[Window]:
    """What of a window is read at a time, from top to bottom."""
    for row in range(window.row, window.row + window.height, rows):
        yield Window(window.column, row, window.width, min(rows, window.row + window.height - row))
