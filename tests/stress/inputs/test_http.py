# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that fails in eleven ways, for some requests or for all that follow: right pixels, or
one sentence, and nothing left.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bandwise.engine.errors import BandwiseError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from children import Children, Order
from fault_server import FAULTS, FaultServer
from scenarios import EXPRESSION, Scenarios
from stress_case import Case, Tally

OLD = b"the former result"
#: GDAL neither looks beside a file nor waits long.
QUICK = (
    ("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR"),
    ("GDAL_HTTP_TIMEOUT", "2"),
    ("GDAL_HTTP_CONNECTTIMEOUT", "2"),
)
#: That no try gets over while they last.
FINAL = ("404", "403", "500", "503", "reset", "silence", "half", "wrong range", "garbage")
RETRY = (("GDAL_HTTP_MAX_RETRY", "3"), ("GDAL_HTTP_RETRY_DELAY", "0.05"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultServer]:
    with FaultServer(tmp_path_factory.mktemp("web")) as started:
        yield started


def remote_job(server: FaultServer, names: list[str], output: Path, **options: Any) -> Any:
    """By names of its own for each case, for GDAL remembers what it fetched. The inputs are not opened yet."""
    from bandwise.engine.expression.names import named_formula
    from bandwise.engine.job import BandRef, Job

    bands = tuple(BandRef(letter, server.address(name)) for letter, name in zip("ab", names))
    formula = named_formula("value := (a - b) / (a + b)", ("a", "b"))
    return Job(
        bands,
        formula,
        str(output),
        radiometry=RadiometryChoice(scaling=Scaling.STORED),
        memory=24,
        workers=2,
        **options,
    )


def served(server: FaultServer, scenarios: Scenarios, tag: str) -> list[str]:
    names = []
    for name in ("nir", "red"):
        names.append(f"{name}-{tag}.tif")
        shutil.copy(scenarios.folder / f"{name}.tif", server.folder / names[-1])
    return names


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_fails(
    case: Case,
    fault: str,
    server: FaultServer,
    scenarios: Scenarios,
    children: Children,
    tmp_path: Path,
    tally: Tally,
) -> None:
    names = served(server, scenarios, f"{fault.replace(' ', '-')}-{case.number}")
    output = tmp_path / "out.tif"
    output.write_bytes(OLD)
    first, count = case.random.randrange(12), case.random.choice((1, 2, 10**6))
    environment = QUICK + (RETRY if case.random.random() < 0.5 else ())
    server.plan(fault, first, count)
    (outcome,) = children.run(
        Order(remote_job(server, names, output), environment=environment, after=60)
    )
    came = server.heal()
    what = f"{fault} for {count} requests from {first} of {came}, {environment}: {outcome}"
    assert not outcome.signal and outcome.expected, what
    assert [path.name for path in tmp_path.iterdir()] == ["out.tif"], what
    faulty = came > first
    if outcome.error:
        assert faulty, what
        assert output.read_bytes() == OLD, what
        assert outcome.text and "\n" not in outcome.text and "127.0.0.1" in outcome.text, what
        tally("refused in one sentence")
    else:
        assert not (faulty and count > came and fault in FINAL), what
        scenarios.assert_complete(str(output))
        tally("right, after another try" if faulty else "right, as the fault came too late")
    for name in names:
        (server.folder / name).unlink()


def test_a_server_that_is_busy_once(
    server: FaultServer, scenarios: Scenarios, children: Children, tmp_path: Path, tally: Tally
) -> None:
    """503 for one request, and GDAL told to try again."""
    names = served(server, scenarios, "busy")
    server.plan("503", 3, 1)
    (outcome,) = children.run(
        Order(remote_job(server, names, tmp_path / "out.tif"), environment=QUICK + RETRY)
    )
    server.heal()
    assert not outcome.error, outcome
    scenarios.assert_complete(str(tmp_path / "out.tif"))
    tally("right, by another try")


def test_a_file_that_changes_on_the_server(
    case: Case,
    server: FaultServer,
    scenarios: Scenarios,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tally: Tally,
) -> None:
    """NIR becomes red at a random part of the progress: its ETag is another one, and so may its size be."""
    for name, value in QUICK:
        monkeypatch.setenv(name, value)
    names = served(server, scenarios, f"changes-{case.number}")
    at, done = case.random.uniform(0.01, 0.7), []

    def progress(fraction: float, note: Any) -> None:
        if fraction >= at and not done:
            done.append(fraction)
            shutil.copy(scenarios.folder / "red.tif", server.folder / "new")
            (server.folder / "new").replace(server.folder / names[0])

    inputs = [(name, server.address(name)) for name in names]
    job = bandmath_job(
        inputs, EXPRESSION, str(tmp_path / "out.tif"),
        radiometry=RadiometryChoice(scaling=Scaling.STORED), memory=24, workers=1,
        creation_options="COMPRESS=ZSTD|ZSTD_LEVEL=19|BLOCKXSIZE=128|BLOCKYSIZE=128",
    )  # fmt: skip
    try:
        run(job, progress=progress)
    except BandwiseError as error:
        assert "\n" not in str(error) and "127.0.0.1" in str(error)
        assert not list(tmp_path.iterdir())
        tally("refused in one sentence")
    else:
        scenarios.assert_complete(str(tmp_path / "out.tif"))
        tally("right, all was read before")
    assert done, "the run was too fast for the change"
