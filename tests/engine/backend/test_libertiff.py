# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads share LIBERTIFF's reader where it reads the same pixels as GTiff, else GTiff's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.backend.choice import backend
from bandwise.engine.grids.grid import Window
from bench import Bench

needs_it = pytest.mark.skipif(not backend().thread_safe, reason="GDAL before 3.11 has no LIBERTIFF")
TILED = {"tiled": True, "blockxsize": 64, "blockysize": 64}


def ramp(dtype: str = "int16") -> Any:
    """Two bands of 90 rows and 130 columns, which end in zeros."""
    values = np.arange(2 * 90 * 130).reshape(2, 90, 130).astype(dtype)
    values[:, -20:] = 0
    return values


@needs_it
@pytest.mark.parametrize(
    ("options", "driver"),
    [
        ({}, "LIBERTIFF"),
        ({"blockysize": 8}, "LIBERTIFF"),  # the last strip of zeros is stored whole
        ({**TILED, "compress": "deflate", "predictor": 2}, "LIBERTIFF"),
        ({"nodata": -1, "sparse_ok": True}, "LIBERTIFF"),
        ({"scales": (0.1, 0.2), "offsets": (1.0, 2.0)}, "LIBERTIFF"),
        ({"mask": np.eye(90, 130)}, "GTiff"),
        ({"mask": np.zeros((90, 130))}, "GTiff"),
        ({"alpha": 2}, "GTiff"),
    ],
)
def test_both_readers_give_the_same(
    bench: Bench, options: dict[str, Any], driver: str | None
) -> None:
    path = bench.save("a.tif", ramp(), **options)
    plain, shared = backend().open(path), backend().open(path, thread_safe=True)
    assert shared.driver == (driver or shared.driver)
    whole = Window(0, 0, 130, 90)
    np.testing.assert_array_equal(shared.read([1, 2], whole), plain.read([1, 2], whole))
    for band in (1, 2):
        np.testing.assert_array_equal(shared.read_mask(band, whole), plain.read_mask(band, whole))


@needs_it
def test_a_nodata_value_that_libertiff_misses_keeps_gtiff(bench: Bench) -> None:
    """In a BigTIFF of few characters; its missing blocks would be filled with 0."""
    with_holes: dict[str, Any] = {"nodata": -9999, "sparse_ok": True, "bigtiff": "YES", **TILED}
    path = bench.save("a.tif", np.full((90, 130), -9999, np.int16), **with_holes)
    shared = backend().open(path, thread_safe=True)
    assert (shared.read(1, Window(0, 0, 130, 90)) == -9999).all()
    assert shared.nodata(1) == -9999


@needs_it
def test_a_sidecar_keeps_gtiff(bench: Bench) -> None:
    """LIBERTIFF reads no ``.aux.xml``, where a nodata value may stand."""
    path = bench.save("a.tif", ramp())
    sidecar = '<PAMDataset><PAMRasterBand band="1"><NoDataValue>5</NoDataValue></PAMRasterBand></PAMDataset>'
    Path(f"{path}.aux.xml").write_text(sidecar, encoding="utf-8")
    shared = backend().open(path, thread_safe=True)
    assert (shared.driver, shared.nodata(1)) == ("GTiff", 5)


def test_the_report_names_the_driver(bench: Bench) -> None:
    values = np.full((90, 130), 1, np.int16)
    paths = [bench.save("nir.tif", values), bench.save("red.jp2", values.astype(np.uint16))]
    _, report = bench.run(bench.job(*paths))
    drivers = json.loads(report.estimate)["drivers"]
    assert drivers == {
        paths[0]: "LIBERTIFF" if backend().thread_safe else "GTiff",
        paths[1]: "JP2OpenJPEG",
    }
