# SPDX-License-Identifier: GPL-2.0-or-later
"""How many cases each kind of stress has, a generator of random numbers for each case, and what was counted.

``BANDWISE_STRESS=full`` chooses the full counts (``make stress``), ``BANDWISE_SEED`` the seed, and
``BANDWISE_STRESS_REPORT`` the file that the counts are written to.
"""

from __future__ import annotations

import json
import os
import platform
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from children import Children
from scenarios import Scenarios
from stress_case import SEED, Case, Tally

HERE = Path(__file__).resolve().parent
FULL = os.environ.get("BANDWISE_STRESS", "short") == "full"

#: File, or file and function: cases of the short form, and of the full one.
COUNTS: dict[str, tuple[int, int]] = {
    "test_kill": (12, 100),
    "test_cancel": (14, 200),
    "test_limits": (18, 100),
    "test_processes": (2, 20),
    "test_chaos.test_chaos": (5, 30),
    "test_chaos.test_queue": (1, 1),
    "test_corrupt": (65, 1000),
    "test_jobs": (40, 500),
    "test_jobs.test_a_random_job_in_parts": (15, 300),
    "test_expressions": (60, 2000),
    "test_sources": (1, 6),
    "test_http": (1, 12),
    "test_second_reader": (30, 400),
    "test_metadata": (40, 600),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        file, test = metafunc.module.__name__.rpartition(".")[2], metafunc.function.__name__
        count = COUNTS[f"{file}.{test}" if f"{file}.{test}" in COUNTS else file][FULL]
        metafunc.parametrize(
            "case",
            [Case(f"{file}.{test}", number) for number in range(count)],
            ids=map(str, range(count)),
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.stress)


class _Counted:
    """What a file's tests did."""

    def __init__(self) -> None:
        self.passed = self.failed = 0
        self.seconds = 0.0
        self.outcomes: Counter[str] = Counter()


_COUNTED: dict[str, _Counted] = {}


def _of(path: str) -> _Counted:
    return _COUNTED.setdefault(Path(path).name, _Counted())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.failed and HERE in item.path.parents:
        variables = f"BANDWISE_SEED={SEED}{' BANDWISE_STRESS=full' if FULL else ''}"
        report.sections.append(("repeat alone", f"{variables} python -m pytest '{item.nodeid}'"))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    path = report.nodeid.partition("::")[0]
    if "stress/" not in path:
        return
    counted = _of(path)
    counted.seconds += report.duration
    counted.passed += report.when == "call" and report.passed
    counted.failed += report.failed


def pytest_sessionfinish() -> None:
    path = os.environ.get("BANDWISE_STRESS_REPORT")
    if not path:
        return
    import numpy as np
    import rasterio

    versions = {
        "Python": platform.python_version(),
        "numpy": np.__version__,
        "rasterio": rasterio.__version__,
        "GDAL": rasterio.__gdal_version__,
    }
    kinds = {
        file: {**vars(counted), "seconds": round(counted.seconds, 1)}
        for file, counted in sorted(_COUNTED.items())
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(
        json.dumps({"seed": SEED, "full": FULL, "versions": versions, "kinds": kinds}, indent=1),
        encoding="utf-8",
    )


@pytest.fixture
def full() -> bool:
    """Whether the full counts are wanted."""
    return FULL


@pytest.fixture
def seeded(request: pytest.FixtureRequest) -> Callable[[str], random.Random]:
    """A function from a name to a generator that follows from the seed, the test and that name."""
    return lambda name: random.Random(f"{SEED}/{request.node.name}/{name}")


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Count an outcome, for the table of ``docs/guarantees.md``."""

    def count(outcome: str, times: int = 1) -> None:
        _of(request.node.nodeid.partition("::")[0]).outcomes[outcome] += times

    return count


@pytest.fixture(scope="session")
def children(pytestconfig: pytest.Config) -> Iterator[Children]:
    """Forks processes that run a job."""
    import sys

    if not hasattr(os, "fork"):
        pytest.skip("needs a system that forks")
    root = Path(sys.modules["bandwise"].__path__[0])
    register = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('bandwise', {str(root / '__init__.py')!r}, "
        f"submodule_search_locations=[{str(root)!r}])\n"
        "sys.modules['bandwise'] = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(sys.modules['bandwise'])"
    )
    with Children(register) as started:
        yield started


@pytest.fixture(scope="session")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    """The kinds of run, over inputs made once."""
    with Scenarios(tmp_path_factory.mktemp("inputs")) as made:
        yield made
