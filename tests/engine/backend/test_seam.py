# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine knows its raster library by ``backend/api.py`` alone: another one takes its place."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from bandwise.engine.backend.choice import backend, block_cache, using
from bandwise.engine.backend.crs import same_crs
from bench import Bench
from numpy_backend import NumpyBackend
from rasterio.crs import CRS

#: A whole run in a process that can import neither rasterio nor GDAL.
RUN = """
import json, sys
for library in ("rasterio", "osgeo", "osgeo.gdal"):
    sys.modules[library] = None
from npy_sink import NpySink
from numpy_backend import NumpyBackend
from bandwise.engine.backend.choice import using
from bandwise.engine.execution.pipeline import dry_run, run
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bandwise.engine.writing.sink import SINKS
SINKS[".npy"] = NpySink
formula = named_formula("NDVI := (nir - red) / (nir + red)", ("nir", "red"))
job = Job((BandRef("nir", "nir.npz"), BandRef("red", "red.npz", 2)), formula, "out.npy",
          mask=MaskChoice("mask.npz", rule=MaskRule.KEEP_ZERO), workers=3, memory=1)
with using(NumpyBackend()) as library:
    planned = json.loads(dry_run(job))
    report = run(job)
print(json.dumps([planned["windows"], report.windows, report.statistics[0].valid, report.statistics[0].masked]))
"""


def save(path: str, values: Any, left: float = 0.0, top: float = 0.0) -> None:
    transform = (10.0, 0.0, left, 0.0, -10.0, top)
    np.savez(path, values=values, transform=transform, crs='LOCAL_CS["field"]')


def test_a_run_without_any_raster_library(bench: Bench) -> None:
    """Two bands on shifted grids and a mask: the pixels are numpy's, where all three are."""
    random = np.random.default_rng(3)
    nir = random.integers(0, 3000, (1, 200, 300)).astype(np.uint16)
    red = random.integers(0, 3000, (2, 190, 310)).astype(np.int32)
    mask = random.integers(0, 3, (1, 200, 300)).astype(np.uint8)
    save(bench.path("nir.npz"), nir)
    save(bench.path("red.npz"), red, left=-50.0, top=-40.0)  # 5 columns before, 4 rows below
    save(bench.path("mask.npz"), mask)
    doubles = str(Path(__file__).resolve().parents[2] / "doubles")
    result = bench.python(RUN, env={**os.environ, "PYTHONPATH": doubles})
    assert result.returncode == 0, result.stderr
    planned, windows, valid, masked = json.loads(result.stdout.splitlines()[-1])
    assert windows > 1 and planned > 0
    a, b = nir[0, 4:194].astype(np.float64), red[1, :, 5:305].astype(np.float64)
    hidden, nodata = mask[0, 4:194] != 0, (a == 0) | (b == 0)
    with np.errstate(all="ignore"):
        expected = np.where(hidden | nodata, -9999, (a - b) / (a + b)).astype(np.float32)
    np.testing.assert_array_equal(np.load(bench.path("out.npy"))[0], expected)
    assert (valid, masked) == ((~hidden & ~nodata).sum(), (hidden & ~nodata).sum())


def test_two_backends_know_nothing_of_each_other() -> None:
    """What one says of a CRS is not the other's word, and each gets its own bound of the cache back."""
    rasterio_backend, other = backend(), NumpyBackend()
    other.cache, before = 111, rasterio_backend.cache_size()
    crs, same = (
        CRS.from_epsg(32633).to_wkt(version=version) for version in ("WKT1_GDAL", "WKT2_2019")
    )
    with using(other):
        assert not same_crs(crs, same)
    assert same_crs(crs, same)
    with block_cache(8_000_000):
        with using(other), block_cache(5):
            assert (rasterio_backend.cache_size(), other.cache) == (8_000_000, 5)
        assert (rasterio_backend.cache_size(), other.cache) == (8_000_000, 111)
    assert rasterio_backend.cache_size() == before
