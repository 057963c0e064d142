# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of pipeline have in common: rasters, tables and fixtures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import Bench

HEIGHT, WIDTH = 1100, 1300


TILED = {"tiled": True, "blockxsize": 256, "blockysize": 256}


LAYOUTS = {
    "tiled": ("tif", {**TILED, "compress": "DEFLATE"}),
    "striped": ("tif", {"tiled": False, "blockysize": 3}),
    "jpeg2000": ("jp2", {"BLOCKXSIZE": "192", "BLOCKYSIZE": "192"}),
}


def ramps(height: int = HEIGHT, width: int = WIDTH) -> tuple[np.ndarray, np.ndarray]:
    """NIR = 7 * column + 3 * row + 1, red = 11 * row + 2 * column + 5, modulo 60000; a stripe of
    nodata 0 in NIR, rows 500 to 519.
    """
    row, column = np.mgrid[0:height, 0:width]
    near, visible = (7 * column + 3 * row + 1) % 60000, (11 * row + 2 * column + 5) % 60000
    near[500:520] = 0
    return near.astype(np.uint16), visible.astype(np.uint16)


def expected(near: np.ndarray, visible: np.ndarray) -> np.ndarray:
    a, b = near.astype(np.float64), visible.astype(np.float64)
    with np.errstate(all="ignore"):
        ndvi = ((a - b) / (a + b)).astype(np.float32)
    return np.where((near == 0) | ~np.isfinite(ndvi), np.float32(-9999), ndvi)


@pytest.fixture
def scene(bench: Bench) -> Callable[..., list[str]]:
    """A function from a layout's name to the paths of NIR and red (see :func:`ramps`), nodata 0 given by a sidecar."""

    def save(layout: str, **profile: Any) -> list[str]:
        extension, options = LAYOUTS[layout]
        paths = []
        for name, values in zip(("nir", "red"), ramps()):
            paths.append(bench.save(f"{name}_{layout}.{extension}", values, **options, **profile))  # type: ignore[arg-type]
        declared = '<PAMDataset><PAMRasterBand band="1"><NoDataValue>0</NoDataValue></PAMRasterBand></PAMDataset>'
        Path(paths[0] + ".aux.xml").write_text(declared)
        return paths

    return save


#: Creation options that take their time, so that a run can be met halfway.
SLOW = "COMPRESS=DEFLATE|ZLEVEL=9"


@pytest.fixture
def large(bench: Bench) -> list[str]:
    """Paths of NIR and red, 4096 x 4096 random uint16 in 64 uncompressed tiles of 512: some seconds of work."""
    values = np.random.default_rng(1).integers(1, 65535, (4096, 4096), dtype=np.uint16)
    profile = {"tiled": True, "blockxsize": 512, "blockysize": 512}
    return [
        bench.save("nir.tif", values, **profile),
        bench.save("red.tif", values[::-1], **profile),
    ]
