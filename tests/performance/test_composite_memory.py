# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory of a composite: within the plan's bound, and flat whatever the number of scenes where totals are enough."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import Bench

SIZE = 1536
SUPPORT = Path(__file__).parents[1] / "support"
MEASURE = """
import json, re
sys.path += {paths!r}
from pathlib import Path
from bench import Bench
from composite_cases import job
from bandwise.engine.compute.composite.statistic import Statistic
from bandwise.engine.execution.pipeline import run

def memory(which):
    return int(re.search(which + r":\\s*(\\d+)", open("/proc/self/status").read()).group(1)) * 1024

bench, scenes = Bench(Path(".")), {scenes!r}
run(job(bench, scenes[:2], output="warm.tif"))
open("/proc/self/clear_refs", "w").write("5")
before = memory("VmRSS")
report = run(job(bench, scenes, statistics=[Statistic.{statistic}], workers=2, memory={memory}))
print(json.dumps([memory("VmHWM") - before, json.loads(report.estimate)["memory_bytes"]]))
"""


@pytest.fixture
def scenes(bench: Bench) -> list[str]:
    """48 items of a catalogue, of different dates, that share their bands, two of noise in DEFLATE tiles."""
    numbers = np.random.default_rng(1)
    tiles: dict[str, Any] = {
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "compress": "DEFLATE",
    }
    paths = []
    for band in ("red", "nir"):
        values = numbers.integers(1000, 1060, (SIZE, SIZE), np.uint16)
        bench.save(f"{band}.tif", values + (500 if band == "nir" else 0), nodata=0, **tiles)
    for number in range(48):
        assets = {}
        for name in ("red", "nir"):
            path = Path(bench.path(f"{number}_{name}.tif"))
            path.hardlink_to(bench.path(f"{name}.tif"))
            bands = [{"name": name, "common_name": name}]
            assets[name] = {"href": str(path), "eo:bands": bands}
        item = {"type": "Feature", "stac_version": "1.0.0", "id": f"scene {number}", "links": []}
        properties = {"datetime": f"2022-{1 + number // 28:02d}-{1 + number % 28:02d}T00:00:00Z"}
        path = Path(bench.path(f"{number}.json"))
        path.write_text(json.dumps({**item, "assets": assets, "properties": properties}))
        paths.append(str(path))
    return paths


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(),
    reason="needs Linux's peak of resident memory of a process",
)
def test_memory_is_bounded_and_flat(bench: Bench, scenes: list[str]) -> None:
    paths = [str(SUPPORT), *(str(path) for path in SUPPORT.iterdir() if path.is_dir())]
    bounds = {}
    for statistic, memory in (("MEAN", 512), ("MEDIAN", 512), ("MEDIAN", 128)):
        for count in (32, 48):
            script = MEASURE.format(
                paths=paths, scenes=scenes[:count], statistic=statistic, memory=memory
            )
            result = bench.python(script)
            assert result.returncode == 0, result.stderr
            took, told = json.loads(result.stdout)
            assert took < told <= memory * 10**6, (statistic, memory, count, took, told)
            bounds[statistic, memory, count] = told
    assert bounds["MEAN", 512, 48] == bounds["MEAN", 512, 32]
    assert bounds["MEDIAN", 512, 48] < bounds["MEDIAN", 512, 32] * 1.5
