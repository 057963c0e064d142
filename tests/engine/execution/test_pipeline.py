# SPDX-License-Identifier: GPL-2.0-or-later
"""The pool: the same pixels however many work, progress, cancel, and the first error."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.backend.choice import backend
from bandwise.engine.errors import Cancelled, ReadError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.grids.grid import Window
from bandwise.engine.reading.reader import Pixels, Reader
from bench import Bench
from pipeline_cases import HEIGHT, LAYOUTS, SLOW, TILED, WIDTH, expected, large, ramps, scene  # noqa: F401  fixtures


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pixels_do_not_depend_on_workers_or_memory(
    bench: Bench, scene: Callable[..., list[str]], layout: str
) -> None:
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
def test_pixels_do_not_depend_on_the_results_blocks(
    bench: Bench, scene: Callable[..., list[str]], block: int
) -> None:
    paths = scene("tiled")
    options = f"BLOCKXSIZE={block}|BLOCKYSIZE={block}|COMPRESS=NONE"
    assert (
        bench.ndvi(*paths, creation_options=options, workers=2).tobytes()
        == expected(*ramps()).tobytes()
    )


def test_statistics_do_not_depend_on_workers(bench: Bench, scene: Callable[..., list[str]]) -> None:
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
    bench: Bench, large: list[str], workers: int
) -> None:
    """By version: rasterio >= 1.5 on GDAL >= 3.11 has one handle a file, older one a file and worker."""
    report = bench.run(bench.job(*large, workers=workers))[1]
    assert report.workers == workers
    assert report.thread_safe is backend().thread_safe
    assert report.handles == (2 if backend().thread_safe else 2 * workers)


def test_bands_of_one_file_share_a_handle(bench: Bench) -> None:
    stack = bench.save("stack.tif", np.stack(ramps()), **TILED)
    assert bench.run(bench.job((stack, 1), (stack, 2), workers=1))[1].handles == 1


@pytest.mark.parametrize("workers", [1, 3])
def test_progress_rises_to_one_in_the_callers_thread(
    bench: Bench, large: list[str], workers: int
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
        f"{report.windows} of {report.windows} windows" in line
        and "MB/s" in line
        and "s left" in line
        for line in lines
    )
    assert any(
        line.startswith("nir: band 1 of") and "nodata none (not declared)" in line for line in lines
    )


@pytest.mark.parametrize("calls", [0, 1, 5])
def test_cancel_leaves_nothing(bench: Bench, large: list[str], calls: int) -> None:
    before = bench.listing()
    count = itertools.count()
    with pytest.raises(Cancelled):
        run(
            bench.job(*large, memory=24, creation_options=SLOW),
            cancelled=lambda: next(count) >= calls,
        )
    assert bench.listing() == before


def test_cancel_keeps_the_former_result(bench: Bench, scene: Callable[..., list[str]]) -> None:
    paths = scene("tiled")
    Path(bench.path("ndvi.tif")).write_bytes(b"former result")
    Path(bench.path("ndvi.tif.aux.xml")).write_bytes(b"its sidecar")
    before = bench.listing()
    with pytest.raises(Cancelled):
        run(bench.job(*paths, memory=24), cancelled=lambda: True)
    assert bench.listing() == before


def test_cancel_takes_effect_within_a_few_windows(
    bench: Bench, large: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker finishes at most the window that it has, counted where windows are read."""
    job = bench.job(*large, workers=2, memory=24, creation_options=SLOW)
    read: list[bool] = []
    pressed = False
    original = Reader.read

    def counted(self: Reader, window: Window, part: int = 0) -> Pixels:
        read.append(pressed)
        return original(self, window, part)

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
    bench: Bench, large: list[str], error: type[BaseException], calls: int
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
    bench: Bench, large: list[str], workers: int
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
