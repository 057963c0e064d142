# SPDX-License-Identifier: GPL-2.0-or-later
"""The pipeline knows its output by ``writing/sink.py`` alone: another format takes the GeoTIFF's place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bandwise.engine.errors import Cancelled, OutputError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.writing.sink import SINKS
from bench import Bench
from npy_sink import NpySink

VALUES = np.random.default_rng(7).integers(1, 3000, (2, 333, 257)).astype(np.uint16)


def test_another_format_has_the_same_pixels(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SINKS, ".npy", NpySink)
    nir, red = (bench.save(f"{name}.tif", band) for name, band in zip(("nir", "red"), VALUES))
    pixels, tiff = bench.run(bench.job(nir, red, workers=3, memory=1))
    report = run(bench.job(nir, red, output="ndvi.npy", workers=3, memory=1))
    np.testing.assert_array_equal(np.load(bench.path("ndvi.npy"))[0], pixels)
    assert report.statistics == tiff.statistics and report.windows > 1
    tags, (band,) = json.loads(Path(bench.path("ndvi.json")).read_text())
    assert "BANDWISE_VERSION" in tags and band["BANDWISE_VALID_PIXELS"] == str(pixels.size)


def test_nothing_is_left_of_what_was_cancelled(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SINKS, ".npy", NpySink)
    path = bench.save("nir.tif", VALUES[0])
    before = bench.listing()
    with pytest.raises(Cancelled):
        run(bench.job(path, path, output="ndvi.npy"), cancelled=lambda: True)
    assert bench.listing() == before


def test_a_suffix_without_a_format_is_refused(bench: Bench) -> None:
    path = bench.save("nir.tif", VALUES[0])
    with pytest.raises(OutputError, match=r"ndvi\.npy a name that ends in \.tif"):
        run(bench.job(path, path, output="ndvi.npy"))
