# SPDX-License-Identifier: GPL-2.0-or-later
"""The memory that a plan tells of bounds what a run takes beyond the process that it starts in, by
the kernel's high-water mark.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import Bench

MEASURE = """
import json, re
from bandwise.engine.job import BandRef, Job
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula

def memory(which):
    return int(re.search(which + r":\\s*(\\d+)", open("/proc/self/status").read()).group(1)) * 1024

run(Job(tuple(BandRef(name, f"small.{{end}}") for name, end in zip("ab", ("tif", "jp2"))),
        named_formula("x := a + b", "ab"), "warm.tif"))
open("/proc/self/clear_refs", "w").write("5")
before = memory("VmRSS")
names = [f"v{{number}}" for number in range({bands})]
bands = tuple(BandRef(name, {path!r}, number) for number, name in enumerate(names, start=1))
if {twice}:
    names.append("fine")
    bands += (BandRef("fine", "fine.tif"),)
formula = named_formula("x := " + " + ".join(names), names)
report = run(Job(bands, formula, "out.tif", workers=2, memory={memory}, creation_options={options!r}))
print(memory("VmHWM") - before, json.loads(report.estimate)["memory_bytes"])
"""
FORMS: dict[str, dict[str, Any]] = {
    "JPEG 2000": {"end": "jp2", "BLOCKXSIZE": 1024, "BLOCKYSIZE": 1024},
    "JPEG 2000 of four bands": {"end": "jp2", "bands": 4, "BLOCKXSIZE": 512, "BLOCKYSIZE": 512},
    "DEFLATE": {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "DEFLATE"},
    "40 bands by pixel": {
        "bands": 40,
        "interleave": "pixel",
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
    },
    "40 bands by band": {
        "bands": 40,
        "interleave": "band",
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
        "compress": "DEFLATE",
    },
    "one strip": {"blockysize": 1536, "compress": "DEFLATE"},
    "JPEG 2000 of pixels twice as large": {
        "end": "jp2",
        "BLOCKXSIZE": 640,
        "BLOCKYSIZE": 640,
        "transform": (20.0, 0.0, 300000.0, 0.0, -20.0, 5000040.0),
    },
}


MEMORIES = (24, 64, 512)
CODECS = {"compressed": "", "plain": "COMPRESS=NONE"}
#: Each form with each budget, and each of these with each codec.
CASES = [
    (form, memory, tuple(CODECS)[(row + column) % 2])
    for row, form in enumerate(FORMS)
    for column, memory in enumerate(MEMORIES)
]
Made = Callable[[str], tuple[Bench, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A function from a form to its raster, and the folder that this lies in with two small ones."""
    bench = Bench(tmp_path_factory.mktemp("forms"))

    @functools.cache
    def make(form: str) -> tuple[Bench, str]:
        how = dict(FORMS[form])
        bands, end = how.pop("bands", 1), how.pop("end", "tif")
        values = np.random.default_rng(4).integers(1, 60, (bands, 1536, 1536), dtype=np.uint16)
        values += (np.arange(1536, dtype=np.uint16) // 3)[np.newaxis, np.newaxis]  # type: ignore[arg-type]
        for small in ("tif", "jp2"):
            bench.save(f"small.{small}", values[0, :256, :256])
        if "transform" in how:
            fine = {"tiled": True, "blockxsize": 512, "blockysize": 512}
            bench.save("fine.tif", values[0].repeat(2, axis=0).repeat(2, axis=1), **fine)
        return bench, bench.save(f"{form}.{end}", values, **how)

    return make


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(),
    reason="needs Linux's peak of resident memory of a process",
)
@pytest.mark.parametrize(("form", "memory", "codec"), CASES)
def test_the_plans_memory_bounds_what_is_taken(
    made: Made, form: str, memory: int, codec: str
) -> None:
    """Where the budget is less than the least windows need the plan tells more, and that is the bound."""
    bench, path = made(form)
    bands, twice = FORMS[form].get("bands", 1), "transform" in FORMS[form]
    options = CODECS[codec]
    script = MEASURE.format(path=path, bands=bands, memory=memory, options=options, twice=twice)
    result = bench.python(script)
    assert result.returncode == 0, result.stderr
    taken, told = map(int, result.stdout.split())
    assert taken < told, (taken, told)
    if form != "one strip" and bands < 40 and memory >= 64:
        assert told <= memory * 10**6
