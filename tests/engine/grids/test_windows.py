# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows cover every pixel once, in whole blocks; the plan keeps to the memory it is given."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from bandwise.engine.grids.grid import Grid, Window
from bandwise.engine.grids.windows import Cost, WindowPlan, parts, plan_windows, windows

MB = 10**6
COST = Cost(per_pixel=4, per_read=4, fixed=64 * 1024 * 18, per_blocks=2 * 512 * 512 * 8)
SIZES = [(1, 1), (257, 511), (1, 3000), (3000, 1), (512, 512), (513, 1024), (1025, 2047)]


def grid(width: int, height: int) -> Grid:
    return Grid("", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), width, height)


def plan(
    width: int = 10980,
    height: int = 10980,
    *,
    result: tuple[int, int] = (512, 512),
    sources: list[tuple[int, int]] | None = None,
    cost: Cost = COST,
    workers: int = 2,
    memory: int = 512 * MB,
) -> WindowPlan:
    return plan_windows(
        grid(width, height),
        result_block=result,
        source_blocks=sources or [(512, 512)],
        cost=cost,
        workers=workers,
        memory=memory,
    )


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("shape", [(512, 512), (1024, 512), (4096, 256), (16, 16)])
def test_every_pixel_is_in_exactly_one_window(
    width: int, height: int, shape: tuple[int, int]
) -> None:
    chosen = WindowPlan(*shape, rows=shape[1], workers=2, cache=0, memory=0)
    seen = np.zeros((height, width), np.uint8)
    count = 0
    for window in windows(grid(width, height), chosen):
        assert window.column + window.width <= width and window.row + window.height <= height, (
            "clipped at the edge"
        )
        assert window.width > 0 and window.height > 0
        assert window.column % shape[0] == 0 and window.row % shape[1] == 0, "starts on a block"
        seen[
            window.row : window.row + window.height, window.column : window.column + window.width
        ] += 1
        count += 1
    assert (seen == 1).all()
    assert count == chosen.count(grid(width, height))


def test_windows_come_one_at_a_time() -> None:
    """A raster of 10**12 windows: a list of them would not fit any machine."""
    endless = windows(grid(512 * 10**6, 512 * 10**6), WindowPlan(512, 512, 512, 1, 0, 0))
    assert list(itertools.islice(endless, 2)) == [Window(0, 0, 512, 512), Window(512, 0, 512, 512)]


def test_windows_plans_and_grids_are_values() -> None:
    window, chosen = Window(0, 0, 3, 4), plan()
    assert window.pixels == 12
    assert hash(window) == hash(Window(0, 0, 3, 4))
    for value, field in ((window, "width"), (chosen, "workers"), (grid(1, 1), "crs")):
        with pytest.raises(AttributeError):
            setattr(value, field, 1)


@pytest.mark.parametrize(
    ("result", "sources"),
    [
        ((512, 512), [(512, 512)]),
        ((512, 512), [(256, 256), (512, 512)]),
        ((512, 512), [(10980, 1)]),
        ((512, 512), [(1024, 1024)]),
        ((512, 512), [(192, 192)]),
        ((256, 256), [(640, 640)]),
        ((10980, 4), [(10980, 8)]),
        ((10980, 1), [(512, 512)]),
    ],
)
@pytest.mark.parametrize("memory", [1 * MB, 40 * MB, 512 * MB, 2000 * MB])
@pytest.mark.parametrize("workers", [1, 2, 8])
def test_a_window_is_whole_result_blocks_within_the_memory(
    result: tuple[int, int], sources: list[tuple[int, int]], memory: int, workers: int
) -> None:
    chosen = plan(result=result, sources=sources, memory=memory, workers=workers)
    assert chosen.width % result[0] == 0 and chosen.height % result[1] == 0
    assert 1 <= chosen.workers <= workers

    def held(width: int, height: int, rows: int, count: int) -> int:
        buffers = width * (height * COST.per_pixel + rows * COST.per_read) + COST.fixed
        return count * buffers + max(8 * 1024 * 1024, count * COST.per_blocks)

    assert chosen.memory == held(*chosen[:4]), "what is promised is what buffers and cache take"
    assert chosen.cache == max(8 * 1024 * 1024, chosen.workers * COST.per_blocks)
    smallest = held(*result, result[1], 1)
    assert chosen.memory <= max(memory, smallest), "there is nothing smaller to offer"


def test_strips_get_windows_as_wide_as_the_raster() -> None:
    chosen = plan(sources=[(10980, 1)])
    assert chosen.width >= 10980
    assert chosen.height == 512


def test_jpeg2000_tiles_are_never_cut() -> None:
    for tile in (1024, 640, 192):
        chosen = plan(sources=[(tile, tile)], memory=2000 * MB)
        assert chosen.width % tile == 0 or chosen.width >= 10980
        assert chosen.height % tile == 0 or chosen.height >= 10980


def test_less_memory_costs_workers_rather_than_strips_decoded_many_times() -> None:
    """Windows of 1024 pixels in strips 10980 wide decode each strip eleven times, which eight
    workers do not outweigh.
    """
    ample, scarce, least = (
        plan(sources=[(10980, 1)], workers=8, memory=memory * MB) for memory in (2000, 200, 1)
    )
    assert ample.workers == 8 and ample.width >= 10980
    assert 1 < scarce.workers < 8 and scarce.width >= 10980 and scarce.memory <= 200 * MB
    assert least.workers == 1 and (least.width, least.height) == (512, 512)


def test_windows_that_cut_a_few_tiles_are_better_than_one_worker() -> None:
    """Blocks of 343 and 512 meet in 175616 pixels only: one window over the raster would leave one worker."""
    assert plan(sources=[(343, 343)], workers=2).workers == 2


def test_windows_aim_at_a_million_pixels() -> None:
    """One block wide, so that the pixels of a block lie together and are written as they are."""
    chosen = plan()
    assert (chosen.width, chosen.height) == (512, 2048)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_small_rasters_are_not_given_windows_of_many_empty_blocks(width: int, height: int) -> None:
    chosen = plan(width, height)
    assert chosen.width < width + 512
    assert chosen.height < height + 512


def test_a_large_window_is_read_a_million_pixels_at_a_time_in_whole_strips() -> None:
    chosen = plan(sources=[(10980, 8), (10980, 16)])
    assert (chosen.width, chosen.height, chosen.rows) == (11264, 512, 80)
    found = list(parts(Window(0, 512, 10980, 500), chosen.rows))
    assert [(part.row, part.height) for part in found] == [
        (512 + row, 80) for row in range(0, 480, 80)
    ] + [(992, 20)]
    assert {(part.column, part.width) for part in found} == {(0, 10980)}


def test_windows_of_a_result_that_is_written_in_parts_are_small() -> None:
    """64 rows of a block at least: so strips need no window of 5.6 million pixels."""
    chosen = plan(result=(512, 64), sources=[(10980, 1)])
    assert (chosen.width, chosen.height, chosen.rows) == (11264, 128, 128)
    assert plan(result=(512, 64), sources=[(512, 512)]) == plan()._replace(
        memory=plan(result=(512, 64)).memory
    )
