# SPDX-License-Identifier: GPL-2.0-or-later
"""Inputs and outputs that fail for real in more than a dozen places: one sentence that names the
file, the old result as it was, nothing left.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.backend.choice import backend
from bandwise.engine.errors import BandwiseError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from children import UNTOLD, Children, Order
from stress_case import Case, Tally

WIDTH, HEIGHT = 900, 800
NOBODY = 65534
OLD = b"the former result"
SLOW = "COMPRESS=ZSTD|ZSTD_LEVEL=17|BLOCKXSIZE=128|BLOCKYSIZE=128"


class Place:
    """A folder that any user may enter, with NIR, red and a mask; ``job`` reads them all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)
        generator = np.random.default_rng(8)
        self.nir, self.red, self.mask = (
            generator.integers(1, 9000, (HEIGHT, WIDTH), dtype=np.uint16) for _ in range(3)
        )
        for name in ("nir", "red", "mask"):
            self.save(name, getattr(self, name))
        (folder / "results").mkdir()
        self.output = folder / "results" / "out.tif"

    def save(self, name: str, values: Any) -> None:
        profile = {
            "driver": "GTiff",
            "count": 1,
            "height": HEIGHT,
            "width": WIDTH,
            "dtype": "uint16",
            "tiled": True,
            "compress": "lzw",
        }
        transform = rasterio.Affine(10, 0, 300000, 0, -10, 5000040)
        with rasterio.open(
            self.path(name),
            "w",
            crs="EPSG:32633",
            transform=transform,
            blockxsize=128,
            blockysize=128,
            **profile,
        ) as dataset:
            dataset.write(values, 1)

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.tif"

    def job(self, **options: Any) -> Any:
        mask = MaskChoice(str(self.path("mask")), rule=MaskRule.KEEP_NONZERO)
        options = {"memory": 24, "workers": 2, "mask": mask, **options}
        radiometry = RadiometryChoice(scaling=Scaling.STORED)
        inputs = [(name, str(self.path(name))) for name in ("nir", "red")]
        return bandmath_job(
            inputs, "(A - B) / (A + B)", str(self.output), radiometry=radiometry, **options
        )

    def listing(self) -> dict[str, bytes]:
        return {
            path.name: path.read_bytes() for path in self.output.parent.iterdir() if path.is_file()
        }

    def assert_right(self, output: str = "") -> None:
        nir, red = self.nir.astype(float), self.red.astype(float)
        with rasterio.open(output or self.output) as dataset:
            np.testing.assert_allclose(dataset.read(1), (nir - red) / (nir + red), rtol=1e-6)


@pytest.fixture
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="stress-"))
    yield Place(folder)
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def _cut(path: Path, part: float) -> None:
    os.truncate(path, int(path.stat().st_size * part))


def _garbage(path: Path, random: Any) -> None:
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20000] = random.randbytes(20000)
    path.write_bytes(data)


# Before the run: name -> (what is done, the file that the sentence names). None stands for the result.
BEFORE: dict[str, tuple[Callable[[Place, Any], Any], str | None]] = {
    "open: deleted": (lambda place, random: place.path("nir").unlink(), "nir.tif"),
    "open: empty": (lambda place, random: os.truncate(place.path("red"), 0), "red.tif"),
    "open: text": (lambda place, random: place.path("nir").write_text("no raster"), "nir.tif"),
    "open: a folder": (
        lambda place, random: (place.path("red").unlink(), place.path("red").mkdir()),
        "red.tif",
    ),
    "open: no permission": (lambda place, random: place.path("nir").chmod(0), "nir.tif"),
    "open: a link to itself": (
        lambda place, random: (place.path("red").unlink(), place.path("red").symlink_to("red.tif")),
        "red.tif",
    ),
    "describe: header cut off": (
        lambda place, random: os.truncate(place.path("nir"), random.randint(8, 120)),
        "nir.tif",
    ),
    "read: cut off": (
        lambda place, random: _cut(place.path("red"), random.uniform(0.2, 0.95)),
        "red.tif",
    ),
    "read: garbage": (lambda place, random: _garbage(place.path("nir"), random), "nir.tif"),
    "mask: deleted": (lambda place, random: place.path("mask").unlink(), "mask.tif"),
    "mask: cut off": (
        lambda place, random: _cut(place.path("mask"), random.uniform(0.2, 0.95)),
        "mask.tif",
    ),
    "create: folder without permission": (
        lambda place, random: place.output.parent.chmod(0o555),
        None,
    ),
    "create: no folder": (lambda place, random: shutil.rmtree(place.output.parent), None),
    "rename: the result is a folder": (
        lambda place, random: (place.output.unlink(missing_ok=True), place.output.mkdir()),
        None,
    ),
    "rename: the result is a FIFO": (
        lambda place, random: (place.output.unlink(missing_ok=True), os.mkfifo(place.output)),
        None,
    ),
}

# While it runs, at a random part of the progress.
MIDWAY: dict[str, Callable[[Place, Any], Any]] = {
    "read: cut off midway": lambda place, random: _cut(place.path("red"), 0.02),
    "read: overwritten midway": lambda place, random: _garbage(place.path("nir"), random),
    "read: replaced midway": lambda place, random: (
        place.path("red.new").write_bytes(place.path("nir").read_bytes())
        and os.replace(place.path("red.new"), place.path("red"))
    ),
    "mask: cut off midway": lambda place, random: _cut(place.path("mask"), 0.02),
    "rename: the result became a folder": lambda place, random: (
        place.output.unlink(missing_ok=True),
        place.output.mkdir(),
    ),
    "write: the folder vanished": lambda place, random: shutil.rmtree(place.output.parent),
}


def _assert_sentence(text: str, named: str | None, what: str) -> None:
    assert text and "\n" not in text and "Traceback" not in text, f"{what}: {text}"
    assert ("results" if named is None else named) in text, f"{what}: {text}"


@pytest.mark.parametrize("fault", BEFORE)
def test_a_fault_that_is_there(
    case: Case, fault: str, place: Place, children: Children, tally: Tally
) -> None:
    """As a user who is not root; the old result is there in half of the cases."""
    job = place.job(workers=case.random.randint(1, 3))
    if case.random.random() < 0.5:
        place.output.write_bytes(OLD)
        place.output.chmod(0o666)
    place.output.parent.chmod(0o777)
    spoil, named = BEFORE[fault]
    spoil(place, case.random)
    before = place.listing() if place.output.parent.exists() else None
    (outcome,) = children.run(
        Order(job, user=NOBODY if hasattr(os, "geteuid") and os.geteuid() == 0 else None)
    )
    assert not outcome.signal and outcome.expected, f"{fault}: {outcome}"
    assert outcome.error, f"{fault}: was not noticed"
    _assert_sentence(outcome.text, named, fault)
    assert (place.listing() if place.output.parent.exists() else None) == before, fault
    if "FIFO" in fault:
        assert stat.S_ISFIFO(place.output.stat().st_mode)
    tally("refused in one sentence")


@pytest.mark.parametrize("fault", MIDWAY)
def test_a_fault_midway(case: Case, fault: str, place: Place, tally: Tally) -> None:
    at, done = case.random.uniform(0.02, 0.6), []
    place.output.write_bytes(OLD)
    before = place.listing()

    def progress(fraction: float, note: Any) -> None:
        if fraction >= at and not done:
            done.append(fraction)
            MIDWAY[fault](place, case.random)

    job = place.job(workers=case.random.randint(1, 3), creation_options=SLOW)
    try:
        report = run(job, progress=progress)
    except BandwiseError as error:
        _assert_sentence(
            str(error),
            None if ("result" in fault or "folder" in fault) else ".tif",
            f"{fault} at {done}",
        )
        tally("refused in one sentence")
        after = place.listing() if place.output.parent.exists() else {}
        assert after == ({} if "folder" in fault else before), f"{fault} at {done}: {list(after)}"
        return
    assert done, "the run was too fast for the fault"
    place.assert_right(report.output)  # whatever was read before the fault came
    assert (report.output != job.output) == ("result" in fault), "kept where there is room for it"
    tally("too late to matter, and right")


def test_an_input_that_is_a_fifo(place: Place, children: Children) -> None:
    """Opening one for reading blocks until somebody writes."""
    job = place.job()
    place.path("red").unlink()
    os.mkfifo(place.path("red"))
    (outcome,) = children.run(Order(job, after=10))
    assert outcome.signal == 0, "the run hung"
    assert outcome.error and outcome.expected, outcome
    _assert_sentence(outcome.text, "red.tif", "a FIFO")


@pytest.mark.parametrize("megabytes", [10, 30, 60, 100, 200])
def test_too_little_memory(place: Place, children: Children, megabytes: int, tally: Tally) -> None:
    """Address space for so much more than the process has: threads do not start, arrays are not made.

    The C and C++ libraries end a process where a thread's own variables, or an object of GDAL's,
    find no room: then nobody can say a sentence. Python's fault handler, which these children have,
    may find no room for its report of that either, and ends them by a signal of its own.
    """
    place.output.write_bytes(OLD)
    (outcome,) = children.run(Order(place.job(workers=8, memory=512), memory=megabytes * 10**6))
    ended = outcome.signal in (signal.SIGABRT, signal.SIGSEGV)
    assert outcome.error == UNTOLD or not outcome.signal or ended, outcome
    if outcome.error == UNTOLD or ended:
        assert place.output.read_bytes() == OLD
        tally("ended by the C or C++ library, the old file as it was")
        return
    if outcome.error:
        _assert_sentence(outcome.text, "", f"{megabytes} MB")
        assert place.listing() == {"out.tif": OLD}
        tally("refused in one sentence")
    else:
        place.assert_right()
        tally("enough memory, and right")


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_too_few_threads(place: Place, children: Children, threads: int, tally: Tally) -> None:
    if not (hasattr(os, "geteuid") and os.geteuid() == 0):
        tally("threads not limited, for want of a user who runs nothing else")
        pytest.skip("needs root, to become a user who runs nothing else")
    place.output.parent.chmod(0o777)
    (outcome,) = children.run(Order(place.job(workers=8), user=NOBODY, threads=threads))
    assert not outcome.signal and outcome.expected, outcome
    if outcome.error:
        _assert_sentence(outcome.text, "", f"{threads} threads")
        assert place.listing() == {}
        tally("refused in one sentence")
    else:
        place.assert_right()
        tally("enough threads, and right")


@pytest.mark.parametrize("more", [0, 1, 2, 3, 5, 8])
def test_too_few_file_descriptors(
    place: Place, children: Children, more: int, tally: Tally
) -> None:
    """GDAL 3.12 itself crashes where it has opened a file and finds no descriptor to open it again
    for a second thread.
    """
    place.output.write_bytes(OLD)
    (outcome,) = children.run(Order(place.job(workers=4), descriptors=more))
    if outcome.signal == signal.SIGSEGV and backend().thread_safe:
        assert place.output.read_bytes() == OLD
        tally("crash of GDAL, the old file as it was")
        return
    assert not outcome.signal and outcome.expected, outcome
    if outcome.error:
        _assert_sentence(outcome.text, "", f"{more} file descriptors")
        assert place.listing() == {"out.tif": OLD}
        tally("refused in one sentence")
    else:
        place.assert_right()
        tally("enough file descriptors, and right")
