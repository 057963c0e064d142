# SPDX-License-Identifier: GPL-2.0-or-later
"""Encoded blocks are whole, whatever other threads do to the block cache that GDAL shares among all of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from bandwise.engine.backend.choice import backend, block_cache
from bandwise.engine.grids.windows import LEAST_CACHE
from bandwise.engine.radiometry.storage import DataType, storage_of
from bandwise.engine.writing.codec import Encoder
from bandwise.engine.writing.creation import creation_profile

FLOAT32 = storage_of(DataType.FLOAT32)
SIDE, BLOCK, BANDS = 1024, 512, 4
THREADS, TIMES = 4, 6


@pytest.mark.parametrize(
    "options",
    [
        "COMPRESS=NONE",
        "COMPRESS=NONE|DISCARD_LSB=0",
        "COMPRESS=PACKBITS",
        "COMPRESS=LERC|MAX_Z_ERROR=0",
        "",
    ],
)
def test_blocks_of_several_bands_are_whole(options: str) -> None:
    """Threads that push each other's blocks out of the cache get the same bytes; those not
    compressed are the numbers, pixel by pixel.
    """
    values = np.random.default_rng(1).random((BANDS, SIDE, SIDE)).astype(np.float32) + 1
    encoder = Encoder(
        creation_profile(options, FLOAT32.dtype), FLOAT32, (BLOCK, BLOCK), separate=False
    )
    with block_cache(LEAST_CACHE), backend().worker_settings():
        known = [bytes(block) for block in encoder.blocks(values)]

        def wrong(_: int) -> int:
            return sum(
                bytes(block) != before for block, before in zip(encoder.blocks(values), known)
            )

        with ThreadPoolExecutor(THREADS, initializer=backend().enter_worker_thread) as pool:
            assert sum(pool.map(wrong, range(THREADS * TIMES))) == 0
    if "NONE" in options:
        corners = [(row, column) for row in (0, BLOCK) for column in (0, BLOCK)]
        for block, (row, column) in zip(known, corners):
            expected = values[:, row : row + BLOCK, column : column + BLOCK].transpose(1, 2, 0)
            np.testing.assert_array_equal(
                np.frombuffer(block, "<f4").reshape(BLOCK, BLOCK, BANDS), expected
            )
