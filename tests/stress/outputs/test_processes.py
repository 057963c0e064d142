# SPDX-License-Identifier: GPL-2.0-or-later
"""Ten processes write one output at once: it is the whole result of one of them, and nothing else is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from children import Children, Order
from scenarios import Scenarios
from second_reader import assert_read_alike
from stress_case import Case, Tally

PROCESSES = 10


def test_ten_processes_with_one_output(
    case: Case, scenarios: Scenarios, children: Children, tmp_path: Path, tally: Tally
) -> None:
    """Each adds a number of its own to NDVI, so that a mixture of two would show."""
    from bandwise.engine.planning.bandmath import bandmath_job

    output = tmp_path / "out.tif"
    if case.number % 2:
        output.write_bytes(b"the former result")
    whose = [case.random.choice(("plain", "overviews", "cog")) for _ in range(PROCESSES)]
    orders = []
    for number, kind in enumerate(whose):
        job = scenarios.job(kind, str(output))
        inputs = [(name, scenarios.path(name)) for name in ("nir.tif", "red.tif")]
        formula = bandmath_job(
            inputs, f"(A - B) / (A + B) + {10 * (number + 1)}", str(output)
        ).formula
        orders.append(Order(job._replace(formula=formula)))
    outcomes = children.run(*orders)
    assert not any(outcome.signal or not outcome.expected for outcome in outcomes), outcomes
    succeeded = [number for number, outcome in enumerate(outcomes) if not outcome.error]
    tally("processes that wrote", len(succeeded))
    tally("processes that were refused", PROCESSES - len(succeeded))
    assert succeeded, outcomes
    (pixels,) = _read(output)
    right = scenarios.values()
    number = round(float(pixels[pixels != -9999].mean())) // 10 - 1
    assert number in succeeded
    expected = np.where(np.isfinite(right), right + 10 * (number + 1), -9999)
    np.testing.assert_allclose(pixels, expected, rtol=1e-6)
    assert_read_alike(str(output))
    assert [path.name for path in tmp_path.iterdir()] == ["out.tif"]


def _read(path: Path) -> Any:
    import rasterio

    with rasterio.open(path) as dataset:
        return dataset.read()
