# SPDX-License-Identifier: GPL-2.0-or-later
"""How much work a run does, counted and not timed: a change that doubles it fails here, on any
machine, however busy.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import Bench

WIDTH, HEIGHT = 2600, 2100
FORMS: dict[str, dict[str, Any]] = {
    "tiles": {"tiled": True, "blockxsize": 512, "blockysize": 512},
    "small tiles": {"tiled": True, "blockxsize": 128, "blockysize": 256},
    "odd tiles": {"tiled": True, "blockxsize": 400, "blockysize": 656},
    "tiles, DEFLATE": {
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "compress": "DEFLATE",
        "predictor": 2,
    },
    "rows": {"blockysize": 1},
    "strips": {"blockysize": 100},
    "strips, DEFLATE": {"blockysize": 100, "compress": "DEFLATE"},
    "one strip, DEFLATE": {"blockysize": HEIGHT, "compress": "DEFLATE"},
}
#: Blocks that do not fill the result's: several workers get more done where some are read twice.
UNEVEN = ("odd tiles", "strips", "strips, DEFLATE")

#: Counts of one run: bytes that system calls read and wrote, calls of Python and C functions, and
#: Python's allocated memory.
COUNT = """
import json, sys, threading, tracemalloc
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula

job = Job({bands}, named_formula({expression!r}, {names}), "out.tif", mask={mask}, **{options})
run(job)  # what is done once a process is not counted
told = []
calls = [0]

def counted(frame, event, argument):
    if event in ("call", "c_call"):
        calls[0] += 1

def io():
    return {{key: int(value) for key, value in (line.split(": ") for line in open("/proc/self/io"))}}

before = io()
if {what!r} == "calls":
    threading.setprofile(counted)
if {what!r} == "memory":
    tracemalloc.start()
report = run(job)
peak = tracemalloc.get_traced_memory()[1] if {what!r} == "memory" else 0
threading.setprofile(None)
after = io()
print(json.dumps(dict(read=after["rchar"] - before["rchar"], written=after["wchar"] - before["wchar"],
                      calls=calls[0], peak=peak,
                      windows=report.windows, workers=report.workers, handles=report.handles)))
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/io").exists(),
    reason="needs Linux's count of bytes that a process reads and writes",
)


def count(
    bench: Bench,
    what: str,
    bands: dict[str, tuple[str, int]],
    expression: str = "(a - b) / (a + b)",
    mask: str = "None",
    **options: Any,
) -> dict[str, int]:
    """What a second run in a process takes."""
    references = ", ".join(
        f"BandRef({name!r}, {path!r}, {number})" for name, (path, number) in bands.items()
    )
    result = bench.python(
        COUNT.format(
            bands=f"({references},)",
            names=list(bands),
            expression=f"x := {expression}",
            what=what,
            mask=mask,
            options={"creation_options": "COMPRESS=NONE", "overviews": False, **options},
        )
    )
    assert result.returncode == 0, result.stderr
    found: dict[str, int] = json.loads(result.stdout)
    return found


Save = Callable[..., dict[str, tuple[str, int]]]


def stored(bands: int = 2, height: int = HEIGHT, width: int = WIDTH) -> Any:
    return np.random.default_rng(8).integers(1, 10000, (bands, height, width), dtype=np.uint16)


@pytest.fixture
def pair(bench: Bench) -> Save:
    def made(
        form: dict[str, Any], height: int = HEIGHT, width: int = WIDTH
    ) -> dict[str, tuple[str, int]]:
        values = stored(2, height, width)
        return {
            name: (bench.save(f"{name}.tif", plane, nodata=0, **form), 1)
            for name, plane in zip("ab", values)
        }

    return made


@pytest.mark.parametrize(
    ("form", "workers"),
    [*((form, 1) for form in FORMS), *((form, 3) for form in FORMS if form not in UNEVEN)],
)
def test_every_block_is_read_once_and_every_pixel_written_once(
    bench: Bench, pair: Save, form: str, workers: int
) -> None:
    """System calls read the inputs' bytes and write the result's, and hardly more: 5 % for headers
    and what lies beside a block.
    """
    bands = pair(FORMS[form])
    found = count(bench, "bytes", bands, workers=workers)
    size = sum(Path(path).stat().st_size for path, _ in bands.values())
    assert size * 0.99 < found["read"] < size * 1.05 + 100_000
    result = Path(bench.path("out.tif")).stat().st_size
    assert 4 * WIDTH * HEIGHT < result < 4 * 3072 * 2560 * 1.01
    # what tiles have beyond the raster is not written
    assert 4 * WIDTH * HEIGHT < found["written"] < result * 1.01 + 10_000


def test_bands_of_one_file_are_read_together(bench: Bench) -> None:
    """Four bands interleaved by pixel: each block is read once for all of them."""
    path = bench.save("stack.tif", stored(4), nodata=0, interleave="pixel", **FORMS["tiles"])
    found = count(
        bench,
        "bytes",
        {name: (path, number) for number, name in enumerate("abcd", start=1)},
        "a + b + c + d",
    )
    assert found["read"] < Path(path).stat().st_size * 1.05 + 100_000


def test_a_mask_among_the_bands_is_read_with_them(bench: Bench) -> None:
    """Ten bands interleaved by pixel, the fifth a mask: a window's blocks do not stay in GDAL's
    cache until they are asked for again.
    """
    values = stored(10)
    values[4] %= 2
    path = bench.save("stack.tif", values, nodata=0, interleave="pixel", **FORMS["tiles, DEFLATE"])
    other = bench.save("other.tif", values[0], nodata=0, **FORMS["tiles"])
    bands = {"a": (path, 1), "b": (other, 1), "c": (path, 9)}
    found = count(
        bench, "bytes", bands, "a + b + c", mask=f"MaskChoice({path!r}, 5, MaskRule.KEEP_NONZERO)"
    )
    size = sum(Path(name).stat().st_size for name in (path, other))
    assert found["read"] < size * 1.05 + 100_000


def test_a_jpeg_2000_is_decoded_once(bench: Bench) -> None:
    values = stored(2, 2200, 2300) // 16
    bands = {
        name: (bench.save(f"{name}.jp2", plane, BLOCKXSIZE=1024, BLOCKYSIZE=1024), 1)
        for name, plane in zip("ab", values)
    }
    found = count(bench, "bytes", bands)
    assert (
        found["read"] < sum(Path(path).stat().st_size for path, _ in bands.values()) * 1.1 + 200_000
    )


def test_a_compressed_result_is_written_once(bench: Bench, pair: Save) -> None:
    found = count(bench, "bytes", pair(FORMS["tiles"]), creation_options="")
    result = Path(bench.path("out.tif")).stat().st_size
    assert result * 0.99 < found["written"] < result * 1.01 + 10_000


@pytest.mark.parametrize(
    ("expression", "most"),
    [
        ("(a - b) / (a + b)", 103),
        ("2.5 * (a/10000 - b/10000) / (a/10000 + 6 * b/10000 + 1)", 107),
        ("where(a > b, a, b)", 113),
    ],
)
def test_a_chunk_takes_few_calls(bench: Bench, pair: Save, expression: str, most: int) -> None:
    """Between two calls of numpy a thread holds the interpreter, so calls are what other threads wait for.

    Python 3.11 makes 101, 105 and 111 for each 128 Ki pixels of these, the windows' own included; 3.12 a seventh less.
    """
    found = count(bench, "calls", pair(FORMS["tiles"], 4096, 4096), expression, workers=1)
    assert found["windows"] == 16
    assert 60 < found["calls"] / (4096 * 4096 / (128 * 1024)) < most


def test_overviews_read_nothing_and_write_a_third(bench: Bench, pair: Save) -> None:
    """The overviews are written in whole blocks of 512 across, and as far down as they reach."""
    bands = pair(FORMS["tiles"], 4600, 4600)
    without, with_them = (
        count(bench, "bytes", bands, overviews=overviews) for overviews in (False, True)
    )
    assert with_them["read"] - without["read"] < 1_000_000
    size = sum(side * -(-side // 512) * 512 * 4 for side in (2300, 1150, 575, 288))
    assert 0 <= with_them["written"] - without["written"] - size < 100_000


def test_memory_is_taken_once_and_not_for_each_window(bench: Bench, pair: Save) -> None:
    """Python's peak is that of the buffers of one window, and of samples that are counted together,
    whatever the number of windows.
    """
    peaks = []
    for side in (2048, 6144):
        found = count(bench, "memory", pair(FORMS["tiles"], side, side), workers=1)
        peaks.append(found["peak"])
    assert peaks[1] < peaks[0] * 1.02 + 1_000_000
    window, chunk = 1024 * 1024 * (2 + 2 + 4), 208 * 1024 * (4 * 4 + 8 + 8) + 4 * 512 * 512
    assert peaks[0] < window + chunk + 2_000_000


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("end", "form"),
    [
        ("jp2", {"BLOCKXSIZE": 320, "BLOCKYSIZE": 320}),
        ("tif", {"tiled": True, "blockxsize": 320, "blockysize": 160, "compress": "DEFLATE"}),
    ],
)
def test_a_resampled_band_is_decoded_once(
    bench: Bench, end: str, form: dict[str, Any], workers: int
) -> None:
    """Windows are no whole blocks of a band with pixels of another size, and each thread opens the
    file: still no block is decoded twice. (Corners are, before the run, to see whether they are
    empty; without what threads share 2.3 times the bytes are read.)
    """
    coarse = stored(1, 1100, 1150)[0] // 16
    twice = (20.0, 0.0, 300000.0, 0.0, -20.0, 5000040.0)
    bands = {
        "a": (bench.save("a.tif", np.ones((2200, 2300), np.uint8), **FORMS["tiles, DEFLATE"]), 1),
        "b": (bench.save(f"b.{end}", coarse, transform=twice, **form), 1),
    }
    found = count(bench, "bytes", bands, workers=workers)
    assert found["workers"] == workers
    size = sum(Path(path).stat().st_size for path, _ in bands.values())
    assert size * 0.9 < found["read"] < size * 1.4
