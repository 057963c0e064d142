# SPDX-License-Identifier: GPL-2.0-or-later
"""What looks like a mistake is said before the run, in the log and in its report; what does not, is not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from bandwise.engine.execution.pipeline import dry_run, run
from bandwise.engine.expression.names import named_formula
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.planning.checks import wants_reflectance
from bandwise.engine.planning.plan import prepare
from bench import Bench


@pytest.mark.parametrize(
    ("text", "wants"),
    [
        ("2.5 * (n - r) / (n + 6 * r - 7.5 * b + 1)", True),
        ("1.5 * (n - r) / (n + r + 0.5)", True),
        ("(n - r) / (r + 1)", True),
        ("(n - r) / (1 + r + n)", True),
        ("(n - r) / (n + r)", False),
        (
            "2.5 * (n / 10000 - r / 10000) / (n / 10000 + 6 * r / 10000 - 7.5 * b / 10000 + 1)",
            False,
        ),
        ("2.5 * (n - r) / (n + 6 * r - 7.5 * b + 10000)", False),
        ("n + 1", False),
        ("n / 3", False),
        ("(n + 1) / 2", False),
    ],
)
def test_an_index_of_reflectance_on_stored_values(text: str, wants: bool) -> None:
    formula = named_formula(f"x := {text}", "nrb")
    assert wants_reflectance(formula, [True] * 3) is wants
    assert not wants_reflectance(formula, [False] * 3)


def job_warnings(bench: Bench, *paths: str, text: str = "A + B", **options: Any) -> list[str]:
    job = bandmath_job(
        [(f"r{number}", path) for number, path in enumerate(paths)],
        text,
        bench.path("out.tif"),
        **options,
    )
    found = [str(note.text) for note in prepare(job).notes if note.warning]
    assert json.loads(dry_run(job))["warnings"] == found
    return found


def test_zeros_and_no_nodata(bench: Bench) -> None:
    collar = np.full((300, 300), 5, np.uint16)
    collar[-70:, -70:] = 0
    plain = bench.save("plain.tif", np.full((300, 300), 5, np.uint16))
    (warning,) = job_warnings(bench, bench.save("collar.tif", collar), plain)
    assert "A@1" in warning and "collar.tif" in warning and "set nodata to 0" in warning
    assert not job_warnings(bench, bench.save("declared.tif", collar, nodata=0), plain)
    assert not job_warnings(bench, plain, bench.save("other.tif", collar + 1))


def test_one_file_twice(bench: Bench) -> None:
    path = bench.save("a.tif", np.ones((30, 30), np.uint16))
    (warning,) = job_warnings(bench, path, path)
    assert "same band" in warning and "A@1" in warning and "B@1" in warning


def test_evi_of_stored_values(bench: Bench) -> None:
    paths = [bench.save(f"{name}.tif", np.full((30, 30), 3000, np.uint16)) for name in "abc"]
    (warning,) = job_warnings(bench, *paths, text="2.5 * (A - B) / (A + 6 * B - 7.5 * C + 1)")
    assert "set scaling to custom" in warning
    scaled = [bench.save(f"s{name}.tif", np.full((30, 30), 0.3, np.float32)) for name in "abc"]
    assert not job_warnings(bench, *scaled, text="2.5 * (A - B) / (A + 6 * B - 7.5 * C + 1)")


def test_a_dry_run_writes_nothing_and_tells_what_a_run_does(bench: Bench) -> None:
    fine = bench.save(
        "fine.tif",
        np.ones((600, 700), np.uint16),
        nodata=0,
        transform=(10, 0, 500000, 0, -10, 5000000),
    )
    coarse = bench.save(
        "coarse.tif",
        np.ones((300, 300), np.uint16),
        nodata=0,
        transform=(20, 0, 500000, 0, -20, 5000000),
    )
    job = bandmath_job([("fine", fine), ("coarse", coarse)], "A + B", bench.path("out.tif"))
    before = bench.listing()
    report = json.loads(dry_run(job))
    assert bench.listing() == before
    assert (report["output"]["width"], report["output"]["height"], report["output"]["bytes"]) == (
        600,
        600,
        600 * 600 * 4,
    )
    assert (
        "resampled (bilinear)" in report["inputs"]["B@1"]["placement"]
        and "already" in report["inputs"]["A@1"]["placement"]
    )
    done = run(job)
    told = json.loads(done.estimate)
    told_driver = "LIBERTIFF" if done.thread_safe else "GTiff"
    assert told.pop("drivers") == {fine: told_driver, coarse: told_driver}
    assert {**told, "free_bytes": 0} == {**report, "free_bytes": 0}
    assert (done.windows, list(done.window_size), done.workers) == (
        report["windows"],
        report["window_size"],
        report["workers"],
    )
