# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of resampling have in common: rasters, tables and fixtures."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.layout import ExtentRule, GridRule, Layout, Resampling
from bandwise.engine.job import BandRef, Job
from bench import Bench

UTM = "EPSG:32633"
#: As gdalwarp calls them.
METHODS = {
    Resampling.NEAREST: "near",
    Resampling.BILINEAR: "bilinear",
    Resampling.CUBIC: "cubic",
    Resampling.AVERAGE: "average",
    Resampling.CUBIC_SPLINE: "cubicspline",
    Resampling.LANCZOS: "lanczos",
}
needs_gdalwarp = pytest.mark.skipif(not shutil.which("gdalwarp"), reason="needs gdalwarp")

#: CRS, geotransform, (height, width).
Target = tuple[str, tuple[float, ...], tuple[int, int]]
#: All show some of the same place.
GRIDS: dict[str, Target] = {
    "10 m": (UTM, (10, 0, 500000, 0, -10, 5000000), (700, 600)),
    "20 m": (UTM, (20, 0, 500000, 0, -20, 5000000), (350, 300)),
    "60 m, wider": (UTM, (60, 0, 499400, 0, -60, 5000600), (150, 150)),
    "half a pixel off": (UTM, (10, 0, 500005, 0, -10, 5000005), (700, 600)),
    "15 m": (UTM, (15, 0, 499991, 0, -15, 5000008), (460, 400)),
    "south-up": (UTM, (20, 0, 500000, 0, 20, 4993000), (350, 300)),
    "turned": (UTM, (12, 9, 499000, 9, -12, 5000000), (500, 500)),
    "next zone": ("EPSG:32632", (10, 0, 970000, 0, -10, 5017000), (1400, 1400)),
    "degrees": ("EPSG:4326", (0.00013, 0, 15.0, 0, -0.00009, 45.154), (720, 650)),
    "a CRS without a code": (
        "+proj=laea +lat_0=45 +lon_0=15 +x_0=0 +y_0=0 +datum=WGS84 +units=m",
        (11, 0, 0, 0, -11, 17000),
        (640, 560),
    ),
}


@pytest.fixture
def saved(bench: Bench) -> Callable[..., str]:
    """A function from the name of a grid to a raster on it: smooth hills with noise, uint16, a
    stripe and a corner of nodata 0.
    """

    def save(grid: str, name: str, **options: Any) -> str:
        crs, transform, (height, width) = GRIDS[grid]
        rows, columns = np.mgrid[:height, :width]
        values = (
            3000
            + 2000 * np.sin(columns / 40) * np.cos(rows / 60)
            + np.random.default_rng(7).integers(0, 300, (height, width))
        )
        values[height // 3 : height // 3 + 5] = 0
        values[:20, :30] = 0
        return bench.save(
            name, values.astype(np.uint16), crs=crs, transform=transform, **{"nodata": 0, **options}
        )

    return save


def one_band(
    bench: Bench, paths: list[str], expression: str, layout: Layout, **options: Any
) -> Job:
    names = ("a", "b", "c")[: len(paths)]
    bands = tuple(BandRef(name, path) for name, path in zip(names, paths))
    options = {"creation_options": "COMPRESS=NONE", **options}
    return Job(
        bands,
        named_formula(f"x := {expression}", names),
        bench.path("out.tif"),
        layout=layout,
        **options,
    )


def resample(
    bench: Bench, source: str, target: Target, method: Resampling, **options: Any
) -> np.ndarray:
    """The source on a grid, by a run of the engine: float32, NaN where there is no value."""
    crs, transform, shape = target
    path = bench.save("target.tif", np.ones(shape, np.uint8), crs=crs, transform=transform)
    layout = Layout(rule=GridRule.FIRST, extent_rule=ExtentRule.GRID, resampling=method)
    got, _ = bench.run(one_band(bench, [path, source], "b", layout, **options))
    return np.where(got == -9999, np.nan, got)


def gdalwarp(
    bench: Bench,
    source: str,
    box: Sequence[float],
    shape: tuple[int, ...],
    method: Resampling,
    *more: str,
) -> np.ndarray:
    """The source within a box, in ``shape`` pixels, as Float32, NaN where it has no value."""
    out = bench.path("warped.tif")
    Path(out).unlink(missing_ok=True)
    fixed = "gdalwarp -q -et 0 -ovr NONE -ot Float32 -wt Float32 -dstnodata nan"
    size = ("-te", *map(str, box), "-ts", str(shape[1]), str(shape[0]))
    subprocess.run([*fixed.split(), "-r", METHODS[method], *size, *more, source, out], check=True)
    return bench.read(out)
