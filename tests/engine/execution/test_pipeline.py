# SPDX-License-Identifier: GPL-2.0-or-later
"""The pool: the same pixels however many work, progress, cancel, and the first error."""

from __future__ import annotations

import itertools
import os
import pickle
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.errors import BandwiseError, Cancelled, ReadError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.grid import Window
from bandwise.engine.job import BandRef, Job
from bandwise.engine.reading.reader import Pixels, Reader
from bench import Bench
from rasterio.env import get_gdal_config

HEIGHT, WIDTH = 1100, 1300
TILED = {"tiled": True, "blockxsize": 256, "blockysize": 256}
LAYOUTS = {
    "tiled": ("tif", {**TILED, "compress": "DEFLATE"}),
    "striped": ("tif", {"tiled": False, "blockysize": 3}),
    "jpeg2000": ("jp2", {"BLOCKXSIZE": "192", "BLOCKYSIZE": "192"}),
}
NEWEST = tuple(int(part) for part in rasterio.__version__.split(".")[:2]) >= (1, 5) and tuple(
    int(part) for part in rasterio.__gdal_version__.split(".")[:2]
) >= (3, 11)


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
def scene(bench: Bench) -> Any:
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
def large(bench: Bench) -> Any:
    """Paths of NIR and red, 4096 x 4096 random uint16 in 64 uncompressed tiles of 512: some seconds of work."""
    values = np.random.default_rng(1).integers(1, 65535, (4096, 4096), dtype=np.uint16)
    profile = {"tiled": True, "blockxsize": 512, "blockysize": 512}
    return [
        bench.save("nir.tif", values, **profile),
        bench.save("red.tif", values[::-1], **profile),
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pixels_do_not_depend_on_workers_or_memory(bench: Bench, scene: Any, layout: str) -> None:
    paths = scene(layout)
    truth = expected(*ramps()).tobytes()
    plans = set()
    for workers, memory in [
        (1, 512),
        (2, 512),
        (3, 512),
        (8, 512),
        (1, 1),
        (2, 1),
        (8, 20),
        (2, 45),
        (8, 60),
        (2, 200),
        (3, 2000),
        (8, 2000),
    ]:
        pixels, report = bench.run(bench.job(*paths, workers=workers, memory=memory))
        assert pixels.tobytes() == truth, (workers, memory)
        assert report.statistics[0].valid == np.count_nonzero(expected(*ramps()) != -9999)
        plans.add((report.window_size, report.workers))
    assert len(plans) > 4, "the budgets led to different windows"


@pytest.mark.parametrize("block", [16, 128, 256, 1024])
def test_pixels_do_not_depend_on_the_results_blocks(bench: Bench, scene: Any, block: int) -> None:
    paths = scene("tiled")
    options = f"BLOCKXSIZE={block}|BLOCKYSIZE={block}|COMPRESS=NONE"
    assert (
        bench.ndvi(*paths, creation_options=options, workers=2).tobytes()
        == expected(*ramps()).tobytes()
    )


def test_statistics_do_not_depend_on_workers(bench: Bench, scene: Any) -> None:
    """The same windows, merged in their order: the same bits, whichever worker was first."""
    paths = scene("tiled")
    statistics = {
        bench.run(bench.job(*paths, workers=workers, memory=600))[1].statistics
        for workers in (1, 2, 3, 8)
        for _ in range(2)
    }
    assert len(statistics) == 1


def test_masks_are_read_by_several_workers(bench: Bench) -> None:
    """A .msk with every third column masked; an alpha band with every fifth row transparent."""
    near, visible = ramps()
    row, column = np.mgrid[0:HEIGHT, 0:WIDTH]
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False):
        a = bench.save("nir.tif", near + 1, mask=column % 3 != 0, **TILED)
    alpha = np.where(row % 5 == 0, 0, 65535).astype(np.uint16)
    b = bench.save("red.tif", np.stack([visible, alpha]), alpha=2, **TILED)
    truth = np.where(
        (column % 3 == 0) | (row % 5 == 0), np.float32(-9999), expected(near + 1, visible)
    )
    for workers in (1, 8):
        np.testing.assert_array_equal(bench.ndvi(a, b, workers=workers, memory=60), truth)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_datasets_are_shared_where_they_are_thread_safe_and_owned_where_not(
    bench: Bench, large: Any, workers: int
) -> None:
    """By version: rasterio >= 1.5 on GDAL >= 3.11 has one handle a file, older one a file and worker."""
    report = bench.run(bench.job(*large, workers=workers))[1]
    assert report.workers == workers
    assert report.thread_safe is NEWEST
    assert report.handles == (2 if NEWEST else 2 * workers)


def test_bands_of_one_file_share_a_handle(bench: Bench) -> None:
    stack = bench.save("stack.tif", np.stack(ramps()), **TILED)
    assert bench.run(bench.job((stack, 1), (stack, 2), workers=1))[1].handles == 1


@pytest.mark.parametrize("workers", [1, 3])
def test_progress_rises_to_one_in_the_callers_thread(
    bench: Bench, large: Any, workers: int
) -> None:
    heard: list[tuple[float, int, Any]] = []
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(threading.get_ident())
        return False

    report = run(
        bench.job(*large, workers=workers, memory=24, creation_options=SLOW),
        progress=lambda fraction, note: heard.append((fraction, threading.get_ident(), note)),
        cancelled=cancelled,
    )
    fractions = [fraction for fraction, _, _ in heard]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0 and fractions[-1] == 1.0
    assert len(set(fractions)) > 8, "it is heard of now and then"
    assert {thread for _, thread, _ in heard} == {threading.get_ident()}
    assert set(asked) == {threading.get_ident()}
    lines = [str(note.text) for _, _, note in heard if note]
    assert any(
        f"{report.windows} of {report.windows} blocks" in line
        and "MB/s" in line
        and "s left" in line
        for line in lines
    )
    assert any(
        line.startswith("nir: band 1 of") and "nodata none (nothing declares one)" in line
        for line in lines
    )


@pytest.mark.parametrize("calls", [0, 1, 5])
def test_cancel_leaves_nothing(bench: Bench, large: Any, calls: int) -> None:
    before = bench.listing()
    count = itertools.count()
    with pytest.raises(Cancelled):
        run(
            bench.job(*large, memory=24, creation_options=SLOW),
            cancelled=lambda: next(count) >= calls,
        )
    assert bench.listing() == before


def test_cancel_keeps_the_former_result(bench: Bench, scene: Any) -> None:
    paths = scene("tiled")
    Path(bench.path("ndvi.tif")).write_bytes(b"former result")
    Path(bench.path("ndvi.tif.aux.xml")).write_bytes(b"its sidecar")
    before = bench.listing()
    with pytest.raises(Cancelled):
        run(bench.job(*paths, memory=24), cancelled=lambda: True)
    assert bench.listing() == before


def test_cancel_takes_effect_within_a_few_windows(
    bench: Bench, large: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker finishes at most the window that it has, counted where windows are read."""
    job = bench.job(*large, workers=2, memory=24, creation_options=SLOW)
    read: list[bool] = []
    pressed = False
    original = Reader.read

    def counted(self: Reader, window: Window) -> Pixels:
        read.append(pressed)
        return original(self, window)

    def cancelled() -> bool:
        nonlocal pressed
        pressed = pressed or len(read) > 20
        return pressed

    monkeypatch.setattr(Reader, "read", counted)
    with pytest.raises(Cancelled):
        run(job, cancelled=cancelled)
    assert len(read) > 20 and sum(read) <= 4


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("calls", [0, 3, 12])
def test_an_exception_in_the_callers_own_progress_leaves_nothing(
    bench: Bench, large: Any, error: type[BaseException], calls: int
) -> None:
    Path(bench.path("ndvi.tif")).write_bytes(b"former result")
    before, threads = bench.listing(), threading.active_count()
    count = itertools.count()

    def progress(fraction: float, note: Any) -> None:
        if next(count) == calls:
            raise error

    with pytest.raises(error):
        run(bench.job(*large, memory=24, workers=2, creation_options=SLOW), progress=progress)
    assert bench.listing() == before
    assert threading.active_count() == threads, "no worker lives on"


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_first_error_stops_the_run_and_is_the_one_raised(
    bench: Bench, large: Any, workers: int
) -> None:
    """The lower three quarters of NIR are cut off: what is raised is a worker's own error, not the
    stop that the others met.
    """
    size = os.path.getsize(large[0])
    os.truncate(large[0], size // 4)
    before, heard = bench.listing(), []
    with pytest.raises(ReadError) as caught:
        run(
            bench.job(*large, workers=workers, memory=24),
            progress=lambda fraction, note: heard.append(fraction),
        )
    assert large[0] in str(caught.value) and "row" in str(caught.value)
    assert max(heard) < 0.5, "nothing went on for long"
    assert bench.listing() == before


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="needs Linux's count of bytes read")
def test_workers_go_on_while_the_caller_is_busy(bench: Bench, large: Any) -> None:
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


@pytest.mark.parametrize("spoil", [None, "cancel", "truncate", "option"])
def test_gdals_block_cache_is_as_it_was(bench: Bench, large: Any, spoil: str | None) -> None:
    before = get_gdal_config("GDAL_CACHEMAX")
    during: list[Any] = []
    if spoil == "truncate":
        os.truncate(large[0], 10000)
    job = bench.job(*large, creation_options="COMPRESS=NOTHING" if spoil == "option" else "")
    try:
        run(
            job,
            progress=lambda fraction, note: (
                during.append(get_gdal_config("GDAL_CACHEMAX")) if fraction else None
            ),
            cancelled=lambda: spoil == "cancel" and bool(during),
        )
        assert spoil is None
    except BandwiseError:
        assert spoil is not None
    assert get_gdal_config("GDAL_CACHEMAX") == before
    if spoil is None:
        assert during[0] != before, "it was bounded meanwhile"


def test_runs_may_overlap(bench: Bench, scene: Any) -> None:
    """Two runs in two threads: both right, and GDAL's cache as it was."""
    paths, before = scene("tiled"), get_gdal_config("GDAL_CACHEMAX")
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
    assert get_gdal_config("GDAL_CACHEMAX") == before


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


def test_an_unpickled_job_gives_the_same_pixels(bench: Bench, scene: Any) -> None:
    job = bench.job(*scene("tiled"))
    first = bench.run(job)[0].tobytes()
    again = pickle.loads(pickle.dumps(job))
    assert again == job and again is not job
    os.remove(job.output)
    assert bench.run(again)[0].tobytes() == first


def test_a_job_travels_to_another_process(bench: Bench, scene: Any) -> None:
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
