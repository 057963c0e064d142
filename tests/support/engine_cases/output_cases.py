# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of output have in common: rasters, tables and fixtures."""

from __future__ import annotations

import numpy as np
import pytest
from bench import Bench

TILED = {"tiled": True, "blockxsize": 256, "blockysize": 256}


@pytest.fixture
def pair(bench: Bench) -> list[str]:
    """NIR and red of random uint16, 700 x 900; nodata 0 in the upper left 100 x 100 of NIR."""
    values = np.random.default_rng(5).integers(1, 10000, (2, 700, 900), dtype=np.uint16)
    values[0, :100, :100] = 0
    return [
        bench.save("nir.tif", values[0], nodata=0, **TILED),
        bench.save("red.tif", values[1], nodata=0, **TILED),
    ]
