# SPDX-License-Identifier: GPL-2.0-or-later
"""One text on real products of two sensors, by role: held to numpy in float64, and to bandwise:ndvi's formula."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import Job
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.planning.jobs.scenes import bands_of
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from real_data_cases import LANDSAT, R60M, SAFE
from scene_cases import opened

#: An additive constant tells reflectance from stored values
TEXT = "(nir - red) / (nir + red); savi := 1.5 * (nir - red) / (nir + red + 0.5); A"
STORED = RadiometryChoice(Scaling.STORED)


def of_sentinel2(shared: Callable[..., Path], product: str) -> tuple[Path, list[str]]:
    del product
    return Path(shared(SAFE)), [str(shared(f"{R60M}_{band}_60m.jp2")) for band in ("B04", "B8A")]


def of_landsat(shared: Callable[..., Path], product: str) -> tuple[Path, list[str]]:
    folder = Path(shared("landsat8_c2l2_stactools", product))
    return folder, [str(folder / f"{product}_SR_{band}.TIF") for band in ("B4", "B5")]


@pytest.mark.parametrize(
    ("find", "product", "scale", "offset"),
    [
        (of_sentinel2, "N0400", 1 / 10000, -1000),
        *((of_landsat, product, 2.75e-05, -0.2 / 2.75e-05) for product in LANDSAT),
    ],
)
def test_one_text_on_two_sensors(
    bench: Bench, shared: Callable[..., Path], find: Any, product: str, scale: float, offset: float
) -> None:
    folder, paths = find(shared, product)
    stored = [bench.read(path).astype(np.float64) for path in paths]
    invalid = np.logical_or.reduce([(band == 0) | (band == 65535) for band in stored])
    red, nir = ((band + offset) * scale for band in stored)
    with np.errstate(all="ignore"):
        ndvi = (nir - red) / (nir + red)
        savi = 1.5 * (nir - red) / (nir + red + 0.5)
    for rasters, scene in (
        ([("x", paths[0])], opened(str(folder))),
        ([("", path) for path in paths], None),
    ):
        job = bandmath_job(
            rasters,
            TEXT,
            bench.path("out.tif"),
            scene=scene,
            radiometry=STORED,
            data_type=DataType.FLOAT64,
        )
        bench.run(job)
        found = bench.read(job.output, None)
        for pixels, expected in zip(found, (ndvi, savi)):
            valid = ~invalid & np.isfinite(expected)
            assert valid.any()
            np.testing.assert_array_equal(pixels[~valid], -9999)
            np.testing.assert_allclose(pixels[valid], expected[valid], rtol=1e-9, atol=1e-11)
        np.testing.assert_array_equal(found[2][~invalid], stored[0][~invalid])


@pytest.mark.parametrize(("find", "product"), [(of_sentinel2, "N0400"), (of_landsat, LANDSAT[1])])
def test_the_pixels_are_those_of_ndvi(
    bench: Bench, shared: Callable[..., Path], find: Any, product: str
) -> None:
    scene = opened(str(find(shared, product)[0]))
    text = "(nir - red) / (nir + red)"
    math = bandmath_job([], text, bench.path("math.tif"), scene=scene, radiometry=STORED)
    bands = bands_of(scene, ("red", "nir"))
    ndvi = Job(bands, named_formula(f"NDVI := {text}", ("red", "nir")), bench.path("ndvi.tif"))
    np.testing.assert_array_equal(bench.run(math)[0], bench.run(ndvi)[0])
