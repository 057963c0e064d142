# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks and files that are too small, for every way of writing: a whole file, or one sentence and
everything as it was.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bandwise.engine.radiometry.storage import DataType
from children import Children, Order
from scenarios import WRITERS, Scenarios
from stress_case import Case, Tally

OLD = b"the former result" * 1000
_NAMES = list(WRITERS)


@pytest.fixture(scope="module")
def full_size(
    scenarios: Scenarios, children: Children, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], int]:
    """A function from a way of writing to the size of its whole file."""
    folder, sizes = tmp_path_factory.mktemp("sizes"), {}

    def size(writer: str) -> int:
        if writer not in sizes:
            output = folder / "out.tif"
            (outcome,) = children.run(Order(scenarios.job("plain", str(output), **WRITERS[writer])))
            assert not outcome.error, outcome
            sizes[writer] = output.stat().st_size
        return sizes[writer]

    return size


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """A disk of its own in memory, where this user may mount one."""
    folder = tmp_path_factory.mktemp("disk")
    mounted = (
        hasattr(os, "geteuid")
        and os.geteuid() == 0
        and not _mount("-t", "tmpfs", "-o", "size=1m", "bandwise", str(folder))
    )
    yield folder if mounted else None
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode


@pytest.fixture
def chosen(case: Case, full_size: Callable[[str], int]) -> tuple[str, int]:
    """A way of writing, and fewer or a few more bytes than it needs: often just fewer, where only
    the last of it does not fit.
    """
    writer = _NAMES[case.number % len(_NAMES)]
    whole = full_size(writer)
    part = case.random.choice(
        (
            case.random.uniform(0, 1),
            case.random.uniform(0.6, 1),
            1 - case.random.uniform(0, 0.02),
            1.1,
        )
    )
    return writer, int(part * whole)


def _assert_whole_or_as_before(
    outcome: Any, output: Path, writer: str, scenarios: Scenarios, tally: Tally, what: str
) -> None:
    assert not outcome.signal and outcome.expected, f"{what}: {outcome}"
    if outcome.error:
        assert output.read_bytes() == OLD, f"{what}: the old file was lost for {outcome}"
        assert outcome.text and "\n" not in outcome.text, f"{what}: {outcome.text}"
        tally("refused, the old file as it was")
    else:
        data_type = WRITERS[writer].get("data_type", DataType.FLOAT32)
        counted = scenarios.assert_complete(str(output), data_type=data_type)
        tally("written whole")
        tally("blocks read by a second reader", counted.blocks)
    assert [path.name for path in output.parent.iterdir()] == ["out.tif"], f"{what}: {outcome}"


def test_a_limit_of_file_sizes(
    case: Case,
    chosen: tuple[str, int],
    scenarios: Scenarios,
    children: Children,
    tmp_path: Path,
    tally: Tally,
) -> None:
    writer, size = chosen
    output = tmp_path / "out.tif"
    output.write_bytes(OLD)
    (outcome,) = children.run(
        Order(scenarios.job("plain", str(output), **WRITERS[writer]), largest=size)
    )
    _assert_whole_or_as_before(
        outcome, output, writer, scenarios, tally, f"{writer}, files of at most {size} bytes"
    )


def test_a_small_disk(
    case: Case,
    chosen: tuple[str, int],
    scenarios: Scenarios,
    children: Children,
    small_disk: Path | None,
    tally: Tally,
) -> None:
    """Twice the file must fit for a COG, which is laid out beside the plain one."""
    if small_disk is None:
        tally("disks not tried, for want of the right to mount one")
        pytest.skip("needs the right to mount a disk")
    writer, size = chosen
    size = len(OLD) + int(size * (2.2 if WRITERS[writer].get("cog") else 1.1))
    for path in small_disk.iterdir():
        path.unlink()
    assert not _mount("-o", f"remount,size={-(-size // 4096) * 4}k", str(small_disk))
    output = small_disk / "out.tif"
    output.write_bytes(OLD)
    (outcome,) = children.run(Order(scenarios.job("plain", str(output), **WRITERS[writer])))
    _assert_whole_or_as_before(
        outcome, output, writer, scenarios, tally, f"{writer}, a disk of {size} bytes"
    )
