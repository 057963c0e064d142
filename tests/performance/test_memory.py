# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory stays flat whatever the raster's size, measured in a bare Python process of its own."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import numpy as np
import pytest
import rasterio
import rasterio.warp
from bench import Bench
from rasterio.windows import Window

SIZE = 20000
MEASURE = """
import resource
from bandwise.engine.job import BandRef, Job
from bandwise.engine.expression.names import named_formula
from bandwise.engine.execution.pipeline import run
bands = (BandRef("nir", "nir.tif"), BandRef("red", "red.tif"))
job = Job(bands, named_formula("NDVI := (a - b) / (a + b)", "ab", valid_range=(-1.0, 1.0)), "ndvi.tif", {options})
report = run(job)
peak = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
print(peak, report.statistics[0].valid)
"""


@pytest.fixture
def huge(bench: Bench) -> int:
    """20000 x 20000 uint16 in tiles of 512, all nodata 0 but for 16 x 16 tiles of NIR 3000, red
    1000: NDVI 0.5; how many pixels these are.
    """
    for name, value in (("nir.tif", 3000), ("red.tif", 1000)):
        with rasterio.open(
            bench.path(name),
            "w",
            driver="GTiff",
            width=SIZE,
            height=SIZE,
            count=1,
            dtype="uint16",
            nodata=0,
            crs="EPSG:32633",
            transform=rasterio.Affine(10, 0, 0, 0, -10, 0),
            tiled=True,
            blockxsize=512,
            blockysize=512,
            SPARSE_OK=True,
            compress="ZSTD",
        ) as dataset:
            for row in range(0, 16):
                for column in range(0, 16):
                    dataset.write(
                        np.full((512, 512), value, np.uint16),
                        1,
                        window=Window(column * 1024, row * 1024, 512, 512),
                    )
    return 256 * 512 * 512


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="needs Linux's peak of resident memory of a process",
)
@pytest.mark.parametrize(
    "options",
    ["", "creation_options='COMPRESS=NONE|SPARSE_OK=YES', workers=3"],
    ids=["default", "uncompressed"],
)
def test_400_million_pixels_take_less_than_350_mb(bench: Bench, huge: int, options: str) -> None:
    """The kernel's high-water mark of the process itself; ``ru_maxrss`` would count what its parent
    held before the start.
    """
    result = bench.python(MEASURE.format(options=options))
    assert result.returncode == 0, result.stderr
    peak, valid = map(int, result.stdout.split())
    assert peak * 1024 < 350e6
    assert valid == huge
    with rasterio.open(bench.path("ndvi.tif")) as dataset:
        assert dataset.shape == (SIZE, SIZE)
        assert (dataset.read(1, window=Window(15 * 1024, 15 * 1024, 512, 512)) == 0.5).all()
        assert (dataset.read(1, window=Window(SIZE - 100, SIZE - 100, 100, 100)) == -9999).all()


WARPED = """
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bandwise.engine.expression.names import named_formula
from bandwise.engine.execution.pipeline import run
bands = (BandRef("a", "fine.tif"), BandRef("b", "coarse.tif"), BandRef("c", "other.tif"))
mask = MaskChoice("coarse.tif", rule=MaskRule.KEEP_NONZERO)
job = Job(bands, named_formula("x := a + b + c", "abc"), "out.tif", mask=mask, workers=2, overviews=True)
report = run(job)
peak = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
print(peak, report.statistics[0].valid)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="needs Linux's peak of resident memory of a process",
)
def test_memory_is_flat_with_resampled_inputs_a_mask_and_overviews(bench: Bench) -> None:
    """10 m, 20 m and the next UTM zone, 8000 pixels wide, 4000 and 8000 high: the same peak but for
    noise, as what is large in both threads at a time differs from run to run. Both are large enough
    for GDAL's cache, the heap and the overviews that wait for a row of windows to be as full as
    they get (16 million pixels are not: 15 MB less).
    """
    width, peaks = 8000, []
    for height in (4000, 8000):
        at = (10, 0, 500000, 0, -10, 5000000)
        left, top = rasterio.warp.transform("EPSG:32633", "EPSG:32632", [500000], [5000000])
        for name, across, down, crs, transform in (
            ("fine.tif", width, height, "EPSG:32633", at),
            ("coarse.tif", width // 2, height // 2, "EPSG:32633", (20, 0, 500000, 0, -20, 5000000)),
            (
                "other.tif",
                width + 1000,
                height + 1000,
                "EPSG:32632",
                (10, 0, left[0] - 8000, 0, -10, top[0] + 8000),
            ),
        ):
            with rasterio.open(
                bench.path(name),
                "w",
                driver="GTiff",
                width=across,
                height=down,
                count=1,
                dtype="uint16",
                crs=crs,
                transform=rasterio.Affine(*transform),
                tiled=True,
                blockxsize=512,
                blockysize=512,
                compress="ZSTD",
            ) as dataset:
                for row in range(0, down, 512):
                    rows = min(512, down - row)
                    dataset.write(
                        np.full((rows, across), 7, np.uint16),
                        1,
                        window=Window(0, row, across, rows),
                    )
        found = []
        for _ in range(3):
            result = bench.python(WARPED)
            assert result.returncode == 0, result.stderr
            peak, valid = map(int, result.stdout.split())
            assert valid > width * height * 0.5
            found.append(peak * 1024)
        peaks.append(median(found))
    assert peaks[1] < peaks[0] + 20e6 and peaks[1] < 350e6, peaks
