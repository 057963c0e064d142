# SPDX-License-Identifier: GPL-2.0-or-later
"""Blocks of resampled bands are shared by threads and windows, within their memory, and change no pixel."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.grid import Window
from bandwise.engine.grids.layout import GridRule, Layout, Resampling
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bandwise.engine.reading.bands import describe
from bandwise.engine.reading.inputs import Input
from bandwise.engine.reading.stored import Block, SharedBlocks
from bench import TRANSFORM, Bench

SIDE, TILE = 300, 64
TWICE = (20.0, 0.0, TRANSFORM[2], 0.0, -20.0, TRANSFORM[5])


def tiled(bench: Bench, name: str, values: Any, **options: Any) -> str:
    return bench.save(
        name, values, tiled=True, blockxsize=TILE, blockysize=TILE, compress="DEFLATE", **options
    )


class Decoder:
    """Makes blocks of the numbers of their pixels, slowly, and counts them."""

    def __init__(self, fails: int = 0) -> None:
        self.count: Counter[Window] = Counter()
        self._fails, self._lock = fails, threading.Lock()

    def __call__(self, window: Window) -> Block:
        with self._lock:
            self.count[window] += 1
            if sum(self.count.values()) <= self._fails:
                raise OSError("damaged")
        time.sleep(0.002)
        return Block(window, numbers()[window.slices_in(Window(0, 0, SIDE, SIDE))], None)


def numbers() -> np.ndarray:
    return np.arange(SIDE * SIDE, dtype=np.uint32).reshape(SIDE, SIDE)


@pytest.fixture
def band(bench: Bench) -> Input:
    return Input(describe(tiled(bench, "numbers.tif", numbers()), 1))


WINDOWS = [
    Window(column, row, 100, 100) for row in range(0, SIDE, 100) for column in range(0, SIDE, 100)
]


def assembled(shared: SharedBlocks, band: Input, window: Window, decoder: Decoder) -> np.ndarray:
    out = np.zeros((window.height, window.width), np.uint32)
    for block in shared.touched(band, window, decoder):
        part = block.window.intersection(window)
        if part is not None:
            out[part.slices_in(window)] = block.values[part.slices_in(block.window)]
    return out


def test_threads_decode_each_block_once(band: Input) -> None:
    shared, decoder = SharedBlocks(10**6), Decoder()
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda window: assembled(shared, band, window, decoder), WINDOWS * 3))
    for window, part in zip(WINDOWS * 3, parts):
        assert np.array_equal(part, numbers()[window.slices_in(Window(0, 0, SIDE, SIDE))])
    assert len(decoder.count) == 5 * 5
    assert set(decoder.count.values()) == {1}


def test_blocks_that_were_used_last_are_kept(band: Input) -> None:
    """With room for two rows of blocks a walk row by row decodes each once, with less room more often."""
    for rows, once in ((3, True), (1, False)):
        shared, decoder = SharedBlocks(rows * 5 * TILE * TILE * 4), Decoder()
        for window in WINDOWS:
            assembled(shared, band, window, decoder)
        assert (set(decoder.count.values()) == {1}) is once
    assert shared._held <= 5 * TILE * TILE * 4


def test_a_block_that_could_not_be_decoded_is_tried_again(band: Input) -> None:
    shared, decoder = SharedBlocks(10**6), Decoder(fails=1)
    with pytest.raises(OSError, match="damaged"):
        assembled(shared, band, WINDOWS[0], decoder)
    assert assembled(shared, band, WINDOWS[0], decoder)[99, 99] == 99 * SIDE + 99


def test_bands_whose_nodata_differs_share_no_block(band: Input) -> None:
    shared, decoder = SharedBlocks(10**6), Decoder()
    for nodata in (None, np.uint32(7)):
        assembled(shared, band._replace(nodata=nodata), Window(0, 0, 9, 9), decoder)
    assert set(decoder.count.values()) == {2}


def test_strips_and_blocks_beyond_the_memory_are_not_kept(bench: Bench, band: Input) -> None:
    strips = describe(bench.save("strips.tif", numbers(), blockysize=16), 1)
    assert not SharedBlocks(10**6).takes(strips)
    assert SharedBlocks(4 * TILE * TILE * 4).takes(band.band)
    assert not SharedBlocks(4 * TILE * TILE * 4 - 1).takes(band.band)
    assert not SharedBlocks(0).takes(band.band)


def bilinear(coarse: np.ndarray) -> np.ndarray:
    """Twice as many rows and columns, by weights of 3/4 and 1/4 of valid pixels, where the pixel itself is valid."""
    valid = np.pad((coarse != 0).astype(np.float64), 1)
    values = valid * np.pad(coarse, 1)
    sums, weights = (doubled(doubled(each).T).T for each in (values, valid))
    itself = repeated(valid[1:-1, 1:-1])
    return np.where(itself == 0, np.nan, sums / np.where(weights == 0, 1, weights))


def doubled(rows: np.ndarray) -> np.ndarray:
    out = np.empty((2 * (len(rows) - 2), rows.shape[1]))
    out[::2], out[1::2] = (0.75 * rows[1:-1] + 0.25 * beside for beside in (rows[:-2], rows[2:]))
    return out


def repeated(values: np.ndarray) -> np.ndarray:
    return values.repeat(2, axis=0).repeat(2, axis=1)


@pytest.mark.parametrize("resampling", [Resampling.BILINEAR, Resampling.NEAREST])
@pytest.mark.parametrize(("workers", "memory"), [(1, 1), (1, 512), (3, 24), (3, 512)])
def test_pixels_are_those_of_numpy_whatever_the_memory(
    bench: Bench, resampling: Resampling, workers: int, memory: int
) -> None:
    """A band of 20 m on a grid of 10 m, twice in one session, with other values the second time."""
    random = np.random.default_rng(3)
    fine = random.integers(1, 9000, (2 * SIDE, 2 * SIDE), dtype=np.uint16)
    tiled(bench, "fine.tif", fine)
    for _ in range(2):
        coarse = random.integers(1, 9000, (SIDE, SIDE), dtype=np.uint16)
        coarse[200:, 100:210] = 0
        tiled(bench, "coarse.tif", coarse, nodata=0, transform=TWICE)
        job = Job(
            tuple(BandRef(name, bench.path(f"{name}.tif")) for name in ("fine", "coarse")),
            named_formula("x := coarse; y := fine + coarse", ("fine", "coarse")),
            bench.path("out.tif"),
            radiometry=RadiometryChoice(Scaling.STORED),
            layout=Layout(rule=GridRule.FINEST, resampling=resampling),
            workers=workers,
            memory=memory,
        )
        bench.run(job)
        nearest = np.where(coarse == 0, np.nan, coarse.astype(np.float64))
        expected = repeated(nearest) if resampling is Resampling.NEAREST else bilinear(coarse)
        for result, wanted in zip(bench.read(job.output, None), (expected, expected + fine)):
            missing = np.isnan(wanted)
            assert missing.any()
            assert np.array_equal(result == -9999, missing)
            assert np.allclose(result[~missing], wanted[~missing], rtol=1e-6, atol=0)
