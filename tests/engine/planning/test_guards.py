# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers that promise the impossible, and machines without memory or threads: one sentence,
quickly, and never a traceback.
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.errors import BandwiseError, InputError
from bandwise.engine.execution.pipeline import dry_run, run
from bandwise.engine.grids.layout import Extent, Layout
from bandwise.engine.grids.windows import Cost, plan_windows
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.planning.memory import window_plan
from bandwise.engine.planning.plan import prepare
from bandwise.engine.reading.bands import describe, descriptions_of
from bench import Bench

TYPES = {2: "s", 3: "H", 4: "I", 12: "d"}
ENTRY = {
    256: 4,
    257: 4,
    258: 3,
    259: 3,
    262: 3,
    277: 3,
    278: 4,
    273: 4,
    279: 4,
    322: 4,
    323: 4,
    324: 4,
    325: 4,
}


def tiff(
    path: str,
    width: int,
    height: int,
    *,
    tile: int = 0,
    extra: tuple[tuple[int, int, Any], ...] = (),
) -> str:
    """A TIFF of uint16 by hand: a header that says anything, and 200 bytes of pixels."""
    blocks = {322: tile, 323: tile, 324: 8, 325: 200} if tile else {278: height, 273: 8, 279: 200}
    plain = {256: width, 257: height, 258: 16, 259: 1, 262: 1, 277: 1, **blocks}
    entries = [(tag, ENTRY[tag], 1, struct.pack("<I", value)) for tag, value in plain.items()]
    data = bytearray(b"\1\2" * 100)
    for tag, kind, values in extra:
        packed = (
            values + b"\0" if kind == 2 else struct.pack(f"<{len(values)}{TYPES[kind]}", *values)
        )
        count = len(packed) if kind == 2 else len(values)
        entries.append(
            (
                tag,
                kind,
                count,
                struct.pack("<I", 8 + len(data)) if len(packed) > 4 else packed.ljust(4, b"\0"),
            )
        )
        data += packed + b"\0" * (len(packed) % 2) if len(packed) > 4 else b""
    directory = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in sorted(entries))
    head = b"II*\0" + struct.pack("<I", 8 + len(data))
    Path(path).write_bytes(
        head + bytes(data) + struct.pack("<H", len(entries)) + directory + bytes(4)
    )
    return path


def georeferenced(
    width: float, height: float, x: float, y: float
) -> tuple[tuple[int, int, Any], ...]:
    keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633)
    return (
        (33550, 12, (width, height, 0.0)),
        (33922, 12, (0.0, 0.0, 0.0, x, y, 0.0)),
        (34735, 3, keys),
    )


def described(text: bytes) -> tuple[tuple[int, int, Any], ...]:
    return (
        (
            42112,
            2,
            b'<GDALMetadata><Item name="DESCRIPTION" sample="0" role="description">'
            + text
            + b"</Item></GDALMetadata>",
        ),
    )


LARGE = (1e300, 1e308, 1e200, 1e18, float("inf"), float("nan"), -1e300)
SMALL = (1e-300, 5e-324, 1e-18)
GEOTRANSFORMS = {
    **{f"pixels of {size}": (size, size, 0.0, 0.0) for size in LARGE + SMALL},
    **{f"columns of {size}": (size, 10.0, 0.0, 0.0) for size in LARGE + SMALL},
    **{f"at {place}": (10.0, 10.0, place, 0.0) for place in LARGE},
}


@pytest.mark.parametrize("name", GEOTRANSFORMS)
def test_a_geotransform_beyond_any_map(bench: Bench, name: str) -> None:
    """By itself, and with a sound raster, as the first and as the second: refused, or the numbers
    never come into play; JSON stays JSON.
    """
    odd = tiff(bench.path("odd.tif"), 10, 10, extra=georeferenced(*GEOTRANSFORMS[name]))
    sound = bench.save("sound.tif", np.full((10, 10), 7, np.uint16))
    for pair in ((odd, odd), (odd, sound), (sound, odd)):
        with pytest.raises(InputError) as caught:
            dry_run(bench.job(*pair))
        assert (
            odd in str(caught.value)
            and "geotransform is damaged" in str(caught.value)
            and "\n" not in str(caught.value)
        )


@pytest.mark.parametrize(
    "numbers", [(1e-9, 1e-9, 0.0, 0.0), (1e9, 1e9, 0.0, 0.0), (10.0, 10.0, 1e12, -1e12)]
)
def test_a_geotransform_of_an_unusual_map(bench: Bench, numbers: tuple[float, ...]) -> None:
    odd = tiff(bench.path("odd.tif"), 10, 10, extra=georeferenced(*numbers))
    report = json.loads(dry_run(bench.job(odd, odd)), parse_constant=pytest.fail)
    assert report["output"]["width"] == 10


@pytest.mark.parametrize(
    "extent",
    [
        (-1e300, -1e300, 1e300, 1e300),
        (-1.7e308, 0, 1.7e308, 1),
        (0, 0, 1e-300, 1e-300),
        (1e300, 1e300, 1.1e300, 1.1e300),
    ],
)
def test_an_extent_beyond_any_map(bench: Bench, extent: tuple[float, ...]) -> None:
    sound = bench.save("sound.tif", np.full((10, 10), 7, np.uint16))
    with np.errstate(all="ignore"), pytest.raises(BandwiseError) as caught:
        prepare(bench.job(sound, sound, layout=Layout(extent=Extent(*extent, ""))))  # type: ignore[arg-type, call-arg]
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("text", [b"\xff\xfe\xe9", b"NIR \xe9", b"\x80"])
def test_a_description_that_is_not_utf_8(bench: Bench, text: bytes) -> None:
    """Such a band has no name, and its pixels are as good as any."""
    path = tiff(bench.path("odd.tif"), 10, 10, extra=described(text))
    assert descriptions_of(path) == ("",) and describe(path, 1).declared.description == ""
    assert bandmath_job([("layer", path)], "A@1 + 1", bench.path("out.tif")).formula
    assert (bench.ndvi(path, path) == 0).all()


def test_a_crs_that_is_not_utf_8(bench: Bench) -> None:
    keys = (34735, 3, (1, 1, 0, 2, 1024, 0, 1, 1, 1026, 34737, 4, 0))
    path = tiff(
        bench.path("odd.tif"),
        10,
        10,
        extra=(*georeferenced(10.0, 10.0, 0.0, 0.0)[:2], keys, (34737, 2, b"\xff\xe9|")),
    )
    for call in (
        lambda: prepare(bench.job(path, path)),
        lambda: prepare(bandmath_job([("layer", path)], "A@1", bench.path("out.tif"))),
    ):
        with pytest.raises(InputError, match="is not UTF-8"):
            call()


@pytest.mark.parametrize(
    ("width", "height", "tile"),
    [
        *((size, size, 0) for size in (2 * 10**9, 10**6)),
        *((width, height, 0) for width, height in ((4 * 10**9, 1), (2**31 - 1, 2), (2, 2**31 - 1))),
        (2**31 - 1, 2**31 - 1, 256),
        (10, 10, 2**20),
    ],
)
def test_a_header_of_an_impossible_size(bench: Bench, width: int, height: int, tile: int) -> None:
    """In a process with 2 GB of address space: a sentence, and nothing that size is made."""
    path = tiff(
        bench.path("odd.tif"), width, height, tile=tile, extra=georeferenced(10.0, 10.0, 0.0, 0.0)
    )
    script = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from bandwise.engine.errors import BandwiseError
from bandwise.engine.job import BandRef, Job
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
for _ in range(2):
    try:
        run(Job((BandRef("a", {path!r}),), named_formula("x := a + 1", "a"), "out.tif", overviews=False),
            cancelled=lambda: True)
    except BandwiseError as error:
        print(type(error).__name__, error.args[0])
"""
    result = bench.python(script, timeout=60)
    assert result.returncode == 0 and "Traceback" not in result.stderr, result.stderr
    assert len(result.stdout.splitlines()) == 2 and set(bench.listing()) == {"odd.tif"}


@pytest.mark.parametrize("form", ["strip", "tiles", "VRT of a strip"])
def test_planning_reads_no_row_of_two_billion_pixels(bench: Bench, form: str) -> None:
    """By the kernel's high-water mark: what planning adds to a process that made the file."""
    script = f"""
import re, rasterio
from bandwise.engine.job import BandRef, Job
from bandwise.engine.planning.memory import window_plan
from bandwise.engine.planning.plan import prepare
from bandwise.engine.expression.names import named_formula
width = 2**31 - 1
options = dict(tiled=True, blockxsize=256, blockysize=256) if {form!r} == "tiles" else dict()
with rasterio.open("x.tif", "w", driver="GTiff", width=width, height=1, count=1, dtype="uint8",
                   SPARSE_OK=True, **options):
    pass
name = "x.tif"
if {form!r} == "VRT of a strip":
    name = "x.vrt"
    source = '<SimpleSource><SourceFilename relativeToVRT="1">x.tif</SourceFilename>' \\
        '<SourceBand>1</SourceBand></SimpleSource>'
    text = f'<VRTDataset rasterXSize="{{width}}" rasterYSize="1"><VRTRasterBand dataType="Byte" ' \\
        f'band="1">{{source}}</VRTRasterBand></VRTDataset>'
    open(name, "w").write(text)

def memory(which):
    return int(re.search(which + r":\\s*(\\d+)", open("/proc/self/status").read()).group(1)) // 1024

open("/proc/self/clear_refs", "w").write("5")
before = memory("VmRSS")
prepare(Job((BandRef("a", name),), named_formula("x := a + 1", "a"), "out.tif", overviews=False))
print(memory("VmHWM") - before)
"""
    result = bench.python(script)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < 400


def test_any_number_of_workers_is_planned_at_once(bench: Bench) -> None:
    """No more than windows, nor than the memory holds; a thousand million are tried no one by one."""
    sound = bench.save(
        "sound.tif", np.full((1000, 1500), 7, np.uint16), tiled=True, blockxsize=256, blockysize=256
    )
    shapes = [
        window_plan(prepare(bench.job(sound, sound, workers=workers, memory=10**6)), (256, 256))
        for workers in (1000, 10**9, 10**18)
    ]
    assert shapes[0] == shapes[1] == shapes[2]
    report = run(bench.job(sound, sound, workers=10**9, memory=10**6))
    assert 1 <= report.workers <= report.windows
    report = run(bench.job(sound, sound, workers=10**9, memory=40))
    assert report.workers < 10


def test_as_many_workers_as_the_memory_holds() -> None:
    """The highest number that fits, or one where none does, for budgets that end in either part of
    the cache's rule.
    """
    from bandwise.engine.grids.grid import Grid

    grid = Grid("", (1.0, 0.0, 0.0, 0.0, -1.0, 0.0), 5000, 5000)
    for memory in range(9_000_000, 400_000_000, 7_000_003):
        for per_blocks in (0, 1_000_000, 9_000_000):
            cost = Cost(per_pixel=8, per_read=4, fixed=100_000, per_blocks=per_blocks)
            plan = plan_windows(
                grid,
                result_block=(256, 256),
                source_blocks=[(256, 256)],
                cost=cost,
                workers=50,
                memory=memory,
            )

            def needed(workers: int, plan: Any = plan, cost: Cost = cost) -> int:
                held = (
                    plan.width * plan.height * cost.per_pixel
                    + plan.width * plan.rows * cost.per_read
                    + cost.fixed
                )
                return workers * held + max(8 * 1024 * 1024, workers * cost.per_blocks)

            assert needed(plan.workers) == plan.memory
            fitting = [count for count in range(1, 51) if needed(count) <= memory]
            assert plan.workers == min(plan.count(grid), max(fitting, default=1))


STARVED = """
import resource, sys, threading
from bandwise.engine.backend.choice import backend
from bandwise.engine.errors import BandwiseError, ResourceError
from bandwise.engine.job import BandRef, Job
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
backend()
what = {what!r}
job = Job((BandRef("a", "a.tif"),), named_formula("x := a + 1", "a"), "out.tif", workers=2, memory=4000,
          creation_options="TILED=NO|BLOCKYSIZE=6000" if what == "memory" else "")
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
for turn in range(2):
    if what == "threads":
        threading.stack_size(1 << 42)  # more than an address space holds
    else:
        resource.setrlimit(resource.RLIMIT_AS, (size + {room}, -1))
    try:
        run(job)
    except ResourceError as error:
        print(error.args[0])
    threading.stack_size(0)
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
print(run(job).statistics[0].valid)
"""


@pytest.mark.parametrize(
    ("what", "room"), [("threads", 0), ("memory", 150_000_000), ("GDAL's memory", 250_000_000)]
)
def test_a_machine_without_memory_or_threads(bench: Bench, what: str, room: int) -> None:
    """Twice a sentence and nothing on disk, then, with both back, the result: a strip of 144 MB is
    more than numpy gets, of 320 MB than GDAL.
    """
    import rasterio

    width, height = (20000, 8000) if what == "GDAL's memory" else (6000, 6000)
    form = {
        "driver": "GTiff",
        "count": 1,
        "dtype": "uint16",
        "blockysize": height,
        "SPARSE_OK": True,
        "width": width,
        "height": height,
    }
    rasterio.open(bench.path("a.tif"), "w", **form).close()
    before = set(bench.listing())
    result = bench.python(
        STARVED.format(what=what, room=room), env={**os.environ, "MALLOC_ARENA_MAX": "1"}
    )
    assert result.returncode == 0 and "Traceback" not in result.stderr, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 3 and lines[0] == lines[1], lines
    assert "no more threads" in lines[0] if what == "threads" else "not enough memory" in lines[0]
    assert lines[2] == str(width * height)
    assert set(bench.listing()) == before | {"out.tif"}
