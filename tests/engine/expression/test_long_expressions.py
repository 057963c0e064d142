# SPDX-License-Identifier: GPL-2.0-or-later
"""Long and deep expressions, and what a formula reads and computes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.compute.program import Load, Step
from bandwise.engine.errors import BandwiseError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.names import Raster, RasterBands
from bandwise.engine.expression.parser import parse
from bandwise.engine.planning.bandmath import bandmath_job
from bench import Bench
from language_cases import BANDWISE, QGIS, STORED
from serial_executor import Serial
from steps import steps


def truncated(bench: Bench, name: str) -> str:
    """Two bands of 512 x 512 noise, the second of which the file has no longer."""
    path = bench.save(
        name,
        np.random.default_rng(5).integers(1, 60000, (2, 512, 512), dtype=np.uint16),
        interleave="band",
        tiled=True,
        blockxsize=256,
        blockysize=256,
    )
    os.truncate(path, Path(path).stat().st_size - 400_000)
    return path


def test_only_bands_that_are_used_are_read(bench: Bench) -> None:
    broken = truncated(bench, "broken.tif")
    good = bench.save("good.tif", np.full((512, 512), 2, np.uint16))
    rasters = [("good", good), ("broken", broken)]
    run(bandmath_job(rasters, "A * 2 + im2b1 * 0", bench.path("out.tif"), radiometry=STORED))
    assert (bench.read(bench.path("out.tif")) == 4).all()
    with pytest.raises(BandwiseError, match="broken"):
        run(bandmath_job(rasters, "A + B@2", bench.path("bad.tif"), radiometry=STORED))
    job = bandmath_job(rasters, "A + 1", bench.path("out.tif"), radiometry=STORED)
    assert [band.path for band in job.bands] == [good]


def test_a_constant_reads_nothing(bench: Bench) -> None:
    """The grid is all that it needs of a raster whose pixels cannot be read."""
    path = bench.save(
        "noise.tif",
        np.random.default_rng(5).integers(1, 60000, (512, 512), dtype=np.uint16),
        tiled=True,
        blockxsize=256,
        blockysize=256,
    )
    os.truncate(path, Path(path).stat().st_size - 400_000)
    run(bandmath_job([("noise", path)], "42", bench.path("out.tif")))
    assert (bench.read(bench.path("out.tif")) == 42).all()


def test_an_unused_raster_may_lie_elsewhere(bench: Bench) -> None:
    small, large = (
        bench.save("s.tif", np.array([[1, 2]], np.uint8)),
        bench.save("l.tif", np.ones((3, 3), np.uint8)),
    )
    run(bandmath_job([("l", large), ("s", small)], "B + 1", bench.path("out.tif")))
    assert bench.read(bench.path("out.tif")).tolist() == [[2, 3]]


def program(text: str, dialect: DialectChoice = BANDWISE, bands: int = 3) -> Any:
    references = RasterBands([Raster(name, name, ("",)) for name in "abc"])
    return compile_formula(
        parse(text, DIALECTS[dialect], references), [BandValue(np.dtype("uint16"))] * bands
    )


def test_common_parts_are_computed_once() -> None:
    steps = [
        action
        for action in program("sqrt(A+B)/(A+B) + sqrt(A+B); x := sqrt(A+B); x*x").actions
        if isinstance(action, Step)
    ]
    assert sum(step.function == "sqrt" for step in steps) == 1
    assert sum(step.function == "add" for step in steps) == 2


def test_each_band_is_loaded_once_and_its_nodata_too() -> None:
    loads = [
        action
        for action in program("A + B + A@1 + im1b1 + where(A > B, a, b)").actions
        if isinstance(action, Load)
    ]
    assert len(loads) == len({(load.band, load.nodata) for load in loads}) == 4


LONG = {
    "sum": ("+".join(["A*B"] + [f"A*{number}" for number in range(10_000)]), BANDWISE),
    "conditions": ("+".join(f"where(A>{number},B,C)" for number in range(5_000)), BANDWISE),
    "choices": ("".join(f"A<{number}?{number}:" for number in range(900)) + "B", BANDWISE),
    "divisions": ("+".join(f"A/{number}" for number in range(1, 10_001)), QGIS),
    "powers": ("^".join(["A"] * 10_000), QGIS),
    "results": (";".join(f"A*{number}" for number in range(2_000)), BANDWISE),
    "maxima": ("max(" + ",".join(f"A-{number}" for number in range(10_000)) + ")", BANDWISE),
    "coalesced": ("coalesce(" + ",".join(f"A/{number}" for number in range(5_000)) + ")", BANDWISE),
}


COMPILE = """
import numpy as np
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.parser import parse
from bandwise.engine.expression.names import Raster, RasterBands
from steps import steps

def work():
    formula = parse(open("text").read(), DIALECTS[DialectChoice({dialect})],
                    RasterBands([Raster(name, name, ("",)) for name in "abc"]))
    compile_formula(formula, [BandValue(np.dtype("uint16"))] * 3)
    formula.understood(["A@1", "B@1", "C@1"])

count = steps(work)
peak = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
print(count, peak)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="needs Linux's peak of resident memory of a process",
)
@pytest.mark.parametrize("name", LONG)
def test_a_long_expression_is_compiled_in_bounded_time_and_memory(bench: Bench, name: str) -> None:
    """Up to 100,000 characters: calls for each of them, and 300 MB, of which Python and rasterio take 60."""
    text, dialect = LONG[name]
    Path(bench.path("text")).write_text(text)
    limit = (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (30, 30)); "
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
    )
    support = str(Path(__file__).resolve().parents[2] / "support")
    done = bench.python(
        limit + COMPILE.format(dialect=dialect.value), env={**os.environ, "PYTHONPATH": support}
    )
    assert done.returncode == 0, done.stderr[-300:]
    count, peak = map(float, done.stdout.split())
    assert count / len(text) < 250
    assert peak * 1024 < 300e6


DEEP = {
    "right-nested": "max(A+{n}," * 900 + "B" + ")" * 900,
    "parentheses": "(A+{n}*" * 300 + "B" + ")" * 300,
    "choices": "A<{n}?A*{n}:" * 900 + "B",
}


MEASURE = """
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.execution.pipeline import run
report = run(bandmath_job([("a", "a.tif"), ("b", "b.tif")], open("text").read(), "out.tif", workers={workers}))
peak = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
print(peak)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="needs Linux's peak of resident memory of a process",
)
@pytest.mark.parametrize("name", DEEP)
def test_a_deep_expression_runs_in_little_memory(bench: Bench, name: str) -> None:
    """Hundreds of levels, whose left sides must be kept until the innermost is known, on 500 x 400 pixels."""
    parts = DEEP[name].split("{n}")
    Path(bench.path("text")).write_text(
        "".join(f"{part}{number}" for number, part in enumerate(parts[:-1])) + parts[-1]
    )
    values = np.arange(200_000, dtype=np.uint16).reshape(400, 500) % 1000
    bench.save("a.tif", values)
    bench.save("b.tif", values[::-1])
    done = bench.python(MEASURE.format(workers=2))
    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stdout) * 1024 < 250e6
    if name == "right-nested":
        np.testing.assert_array_equal(
            bench.read(bench.path("out.tif")), np.maximum(values + 899.0, values[::-1])
        )


def test_a_sum_of_10_000_terms_is_right_in_few_steps(bench: Bench) -> None:
    """A * (0 + 1 + ... + 9999) on 100,000 pixels; 10,000 products and sums."""
    values = np.arange(100_000, dtype=np.uint32).reshape(200, 500)
    path = bench.save("a.tif", values)
    text = "+".join(f"A*{number}" for number in range(10_000))
    count = steps(
        lambda: run(
            bandmath_job([("a", path)], text, bench.path("out.tif"), workers=1), executor=Serial()
        )
    )
    assert count / 10_000 < 1500
    np.testing.assert_array_equal(
        bench.read(bench.path("out.tif")), (values * 49_995_000.0).astype(np.float32)
    )
