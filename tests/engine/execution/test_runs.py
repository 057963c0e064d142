# SPDX-License-Identifier: GPL-2.0-or-later
"""What one run leaves to the next: workers that go on, the block cache, jobs in other processes."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.backend.choice import backend
from bandwise.engine.errors import BandwiseError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
from bench import Bench
from pipeline_cases import HEIGHT, SLOW, TILED, WIDTH, expected, large, ramps, scene  # noqa: F401  fixtures
from rasterio.env import get_gdal_config


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="needs Linux's count of bytes read")
def test_workers_go_on_while_the_caller_is_busy(bench: Bench, large: list[str]) -> None:
    """A caller that does not come back until all is read, by the kernel's count of bytes; each
    worker holds one window all the while.
    """
    size, late = sum(map(os.path.getsize, large)), time.monotonic() + 60

    def bytes_read() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    def progress(fraction: float, note: Any) -> None:
        while fraction and bytes_read() - before < size:
            time.sleep(0.01)
            assert time.monotonic() < late

    before = bytes_read()
    run(bench.job(*large, workers=2, memory=24, creation_options=SLOW), progress=progress)


def cache_bytes() -> Any:
    """The size of the block cache of the backend's GDAL; a wheel of rasterio may have another."""
    if backend().name == "osgeo":
        from osgeo import gdal

        return gdal.GetCacheMax()
    return get_gdal_config("GDAL_CACHEMAX")


@pytest.mark.parametrize("spoil", [None, "cancel", "truncate", "option"])
def test_gdals_block_cache_is_as_it_was(bench: Bench, large: list[str], spoil: str | None) -> None:
    before = cache_bytes()
    during: list[Any] = []
    if spoil == "truncate":
        os.truncate(large[0], 10000)
    job = bench.job(*large, creation_options="COMPRESS=NOTHING" if spoil == "option" else "")
    try:
        run(
            job,
            progress=lambda fraction, note: during.append(cache_bytes()) if fraction else None,
            cancelled=lambda: spoil == "cancel" and bool(during),
        )
        assert spoil is None
    except BandwiseError:
        assert spoil is not None
    assert cache_bytes() == before
    if spoil is None:
        assert during[0] != before, "it was bounded meanwhile"


def test_runs_may_overlap(bench: Bench, scene: Callable[..., list[str]]) -> None:
    """Two runs in two threads: both right, and GDAL's cache as it was."""
    paths, before = scene("tiled"), cache_bytes()
    jobs = [
        bench.job(*paths, output=f"{name}.tif", workers=2, memory=60)
        for name in ("first", "second", "third")
    ]
    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for job in jobs:
        assert bench.read(job.output).tobytes() == expected(*ramps()).tobytes()
    assert cache_bytes() == before


@pytest.mark.parametrize("interleave", ["PIXEL", "BAND"])
def test_several_result_bands(bench: Bench, interleave: str) -> None:
    """NDVI, the difference and NIR itself; red alone is nodata in its stripe only, NIR in its own."""
    near, visible = ramps()
    visible[100:120] = 0
    paths = [
        bench.save("nir.tif", near, nodata=0, **TILED),
        bench.save("red.tif", visible, nodata=0, **TILED),
    ]
    formula = named_formula("NDVI := (a - b) / (a + b); difference := a - b; near := a", "ab")
    job = Job(
        (BandRef("nir", paths[0]), BandRef("red", paths[1])),
        formula,
        bench.path("out.tif"),
        creation_options=f"INTERLEAVE={interleave}",
        memory=60,
    )
    report = bench.run(job)[1]
    got = bench.read(job.output, None)
    one, both = near == 0, (near == 0) | (visible == 0)
    np.testing.assert_array_equal(
        got[0], np.where(both, np.float32(-9999), expected(near, visible))
    )
    np.testing.assert_array_equal(got[1], np.where(both, -9999, near.astype(np.float32) - visible))
    np.testing.assert_array_equal(got[2], np.where(one, -9999, near.astype(np.float32)))
    assert [band.valid for band in report.statistics] == [
        np.count_nonzero(~both),
        np.count_nonzero(~both),
        np.count_nonzero(~one),
    ]
    with rasterio.open(job.output) as dataset:
        assert dataset.descriptions == ("NDVI", "difference", "near")
        assert dataset.tags()["BANDWISE_FORMULA_1"] == "NDVI = (nir - red) / (nir + red)"
        assert dataset.tags()["BANDWISE_FORMULA_3"] == "near = nir"
        assert float(dataset.tags(3)["STATISTICS_MAXIMUM"]) == near.max()
        assert dataset.interleaving.name.lower() == interleave.lower()


def test_an_unpickled_job_gives_the_same_pixels(
    bench: Bench, scene: Callable[..., list[str]]
) -> None:
    job = bench.job(*scene("tiled"))
    first = bench.run(job)[0].tobytes()
    again = pickle.loads(pickle.dumps(job))
    assert again == job and again is not job
    os.remove(job.output)
    assert bench.run(again)[0].tobytes() == first


def test_a_job_travels_to_another_process(bench: Bench, scene: Callable[..., list[str]]) -> None:
    job = bench.job(*scene("tiled"))
    Path(bench.path("job.pickle")).write_bytes(pickle.dumps(job))
    result = bench.python(
        "import pickle\nfrom bandwise.engine.execution.pipeline import "
        "run\nprint(run(pickle.load(open('job.pickle', 'rb'))).statistics[0].valid)"
    )
    assert result.returncode == 0, result.stderr
    pixels = bench.read(job.output)
    assert pixels.tobytes() == expected(*ramps()).tobytes()
    assert int(result.stdout) == np.count_nonzero(pixels != -9999)


def test_a_vrt_over_a_mosaic(bench: Bench) -> None:
    """Two tiles side by side in a VRT, read by three workers: the same as the whole."""
    near, visible = ramps()
    red = bench.save("red.tif", visible, **TILED)
    left, right = (
        bench.save("left.tif", near[:, :700], **TILED),
        bench.save("right.tif", near[:, 700:], **TILED),
    )
    sources = "".join(
        f'<SimpleSource><SourceFilename relativeToVRT="1">{Path(path).name}</SourceFilename><SourceBand>1</SourceBand>'
        f'<SrcRect xOff="0" yOff="0" xSize="{width}" ySize="{HEIGHT}"/>'
        f'<DstRect xOff="{start}" yOff="0" xSize="{width}" ySize="{HEIGHT}"/></SimpleSource>'
        for path, start, width in ((left, 0, 700), (right, 700, WIDTH - 700))
    )
    Path(bench.path("mosaic.vrt")).write_text(
        f'<VRTDataset rasterXSize="{WIDTH}" '
        f'rasterYSize="{HEIGHT}"><SRS>EPSG:32633</SRS><GeoTransform>300000, 10, 0, 5000040, 0, -10</GeoTransform>'
        f'<VRTRasterBand dataType="UInt16" band="1"><NoDataValue>0</NoDataValue>{sources}</VRTRasterBand></VRTDataset>'
    )
    assert (
        bench.ndvi(bench.path("mosaic.vrt"), red, workers=3, memory=60).tobytes()
        == expected(near, visible).tobytes()
    )
