# SPDX-License-Identifier: GPL-2.0-or-later
"""Killed runs: no old overview over new pixels, and the next run removes what they left, but no
file of a living run.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.backend.choice import backend
from bandwise.engine.errors import InputError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.files import temporaries
from bandwise.engine.files.temporaries import Temporaries, sweep
from bench import Bench
from other_systems import play
from register import REGISTER

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="kills as Linux and macOS do"
)
SIZE = 900


@pytest.fixture
def pair(bench: Bench) -> list[str]:
    values = np.random.default_rng(5).integers(1, 10000, (2, SIZE, SIZE), dtype=np.uint16)
    return [bench.save("nir.tif", values[0]), bench.save("red.tif", values[1])]


#: Reads a number of calls a line, and answers with how a copy of this process ended: a job that
#: kills itself, as kill -9 does, before that call of functions of ``os`` that change a folder. The
#: copies take milliseconds, as all is imported, and nothing of it was used.
KILLED = """
import os, posix, signal, sys, traceback
import {library}
from bandwise.engine.job import BandRef, Job
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
left = []
def counted(function):
    def call(*arguments, **options):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call
for line in sys.stdin:
    child = posix.fork()
    if not child:
        left.append(int(line))
        for name in ("replace", "unlink", "open", "chmod", "close"):
            setattr(os, name, counted(getattr(os, name)))
        bands = (BandRef("nir", "nir.tif"), BandRef("red", "red.tif"))
        try:
            run(Job(bands, named_formula("NDVI := (nir - red) / (nir + red)", ("nir", "red")), "ndvi.tif",
                    overviews={overviews!r}, cog={cog!r}, creation_options={options!r}))
        except BaseException:
            traceback.print_exc()
            posix._exit(1)
        posix._exit(0)
    print(os.waitstatus_to_exitcode(posix.waitpid(child, 0)[1]), flush=True)
"""


@contextmanager
def killed_at(bench: Bench, script: str) -> Iterator[Callable[[int], int]]:
    """A function from the number of a call to how the job that is killed before it ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", REGISTER + script],
        cwd=bench.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    asked, answers = process.stdin, process.stdout

    def end_of(calls: int) -> int:
        asked.write(f"{calls}\n")
        asked.flush()
        return int(answers.readline())

    with process:
        yield end_of


def former(bench: Bench) -> dict[str, bytes]:
    """A former result of other values, with everything that GDAL puts beside it: overviews, mask and statistics."""
    values = np.full((SIZE, SIZE), 7, np.float32)
    path = bench.save("ndvi.tif", values)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(np.tile([255, 0], (SIZE, SIZE // 2)).astype(np.uint8))
    with rasterio.open(path) as dataset, rasterio.Env(TIFF_USE_OVR=True):
        pass
    subprocess.run(["gdaladdo", "-q", "-ro", path, "2", "4"], check=True)
    subprocess.run(["gdalinfo", "-stats", path], check=True, stdout=subprocess.DEVNULL)
    names = [f"ndvi.tif{suffix}" for suffix in ("", ".ovr", ".msk", ".aux.xml")]
    return {name: Path(bench.path(name)).read_bytes() for name in names}


needs_gdal = pytest.mark.skipif(
    shutil.which("gdaladdo") is None, reason="needs GDAL's programs to make sidecars"
)


def state_after_kill(bench: Bench, folder: dict[str, bytes], right: np.ndarray) -> tuple[str, ...]:
    """Whether the result is the old or the new one, and what is beside it: nothing old beside a new one."""
    beside = {
        name[len("ndvi.tif") :] for name in os.listdir(bench.folder) if name.startswith("ndvi.tif.")
    }
    if Path(bench.path("ndvi.tif")).read_bytes() == folder["ndvi.tif"]:
        return "old", *sorted(beside)
    np.testing.assert_array_equal(bench.read(bench.path("ndvi.tif")), right)
    former_ones = {
        suffix
        for suffix in beside
        if Path(bench.path(f"ndvi.tif{suffix}")).read_bytes() == folder.get(f"ndvi.tif{suffix}")
    }
    assert not former_ones
    return "new", *sorted(beside)


@needs_gdal
@pytest.mark.parametrize(
    ("overviews", "cog", "options"),
    [(False, False, ""), (True, True, ""), (False, False, "PROFILE=BASELINE|TFW=YES")],
)
def test_a_kill_at_any_step_leaves_one_file_and_not_parts_of_two(
    bench: Bench, pair: list[str], overviews: bool, cog: bool, options: str
) -> None:
    """Killed before each call that changes the folder: old pixels, or new ones without an old sidecar."""
    run(bench.job(*pair, output="right.tif", overviews=overviews, cog=cog))
    right, states = bench.read(bench.path("right.tif")), set()
    folder = former(bench)
    kept = {
        **folder,
        **{
            name: Path(bench.path(name)).read_bytes()
            for name in ("nir.tif", "red.tif", "right.tif")
        },
    }
    library = type(backend()).__module__
    script = KILLED.format(library=library, overviews=overviews, cog=cog, options=options)
    with killed_at(bench, script) as end_of:
        for calls in range(200):
            for path in bench.folder.iterdir():
                path.unlink()
            for name, data in kept.items():
                Path(bench.path(name)).write_bytes(data)
            end = end_of(calls)
            if not end:
                break
            assert end == -signal.SIGKILL
            states.add(state_after_kill(bench, folder, right))
            assert all(
                Path(bench.path(name)).read_bytes() == kept[name] for name in ("nir.tif", "red.tif")
            )
            run(bench.job(*pair, output="next.tif"))
            assert not [name for name in os.listdir(bench.folder) if name.startswith(".")], (
                "the next run sweeps"
            )
        else:
            pytest.fail("the run never ended")
    assert ("old", ".aux.xml", ".msk", ".ovr") in states and any(
        state[0] == "new" for state in states
    )


@needs_gdal
@pytest.mark.parametrize("opened", ["ndvi.tif", "ndvi.tif.ovr", "ndvi.tif.msk"])
def test_sidecars_are_put_back_where_the_file_cannot_be_replaced(
    bench: Bench, pair: list[str], monkeypatch: pytest.MonkeyPatch, opened: str
) -> None:
    """As on Windows, where a program has it or one of them open."""
    former(bench)
    before = bench.listing()
    play("windows", monkeypatch.setattr, monkeypatch.delattr)
    with Path(bench.path(opened)).open("rb"):
        report = run(bench.job(*pair))
    after = bench.listing()
    assert report.output == bench.path("ndvi_1.tif")
    assert after.pop("ndvi_1.tif") and after == before


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"overviews": True},
        {"overviews": True, "cog": True},
        {"creation_options": "COMPRESS=NONE|TFW=YES"},
    ],
)
def test_a_run_that_is_killed_in_the_middle_is_swept_by_the_next(
    bench: Bench, pair: list[str], options: dict[str, Any]
) -> None:
    """By one into the same folder, whatever it makes; one into another folder leaves it alone."""
    script = f"""
import os, signal
from bandwise.engine.writing.geotiff import GeoTiffSink
from bandwise.engine.job import BandRef, Job
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
commit = GeoTiffSink.commit
def killed(*arguments, **more):
    os.kill(os.getpid(), signal.SIGKILL)
GeoTiffSink.commit = killed
bands = (BandRef("nir", "nir.tif"), BandRef("red", "red.tif"))
run(Job(bands, named_formula("NDVI := (nir - red) / (nir + red)", ("nir", "red")), "ndvi.tif", **{options!r}))
"""
    assert bench.python(script).returncode == -signal.SIGKILL
    left = [name for name in bench.listing() if name.startswith(".bandwise-")]
    assert left and "ndvi.tif" not in bench.listing()
    for suffix in (".ovr.tmp", ".tif.aux.xml", ".cog.tif", ".msk.ovr.tmp"):  # as GDAL leaves them
        Path(bench.path(left[0].split(".")[1].join([".", suffix]))).write_bytes(b"left")
    run(bench.job(*pair, output="elsewhere/a.tif"))
    assert set(left) <= set(bench.listing())
    run(bench.job(*pair, output="other.tif"))
    assert sorted(bench.listing()) == ["elsewhere/a.tif", "nir.tif", "other.tif", "red.tif"]


def test_only_what_is_dead_and_of_this_host_is_swept(bench: Bench) -> None:
    """Kept: files of living runs, even old ones, of other hosts, of disks without locks, of the user, and folders."""
    living = Temporaries(bench.folder)
    living.path(".tif").write_bytes(b"living")
    os.utime(living.path(".tif"), (0, 0))
    os.utime(living.path(".lock"), (0, 0))
    host = temporaries._host()
    other = "00000000" if host != "00000000" else "11111111"
    kept = [
        f".bandwise-{other}-0123456789ab.tif",
        ".bandwise-0123456789ab.tif",
        f"bandwise-{host}-0123456789ab.tif",
        f".bandwise-{host}.tif",
        "a.tif",
    ]
    gone = [
        f".bandwise-{host}-{'a' * 12}.tif",
        f".bandwise-{host}-{'a' * 12}.lock",
        f".bandwise-{host}-{'b' * 12}.cog.tif",
    ]
    for name in (*kept, *gone):
        Path(bench.path(name)).write_bytes(b"file")
    os.mkdir(bench.path(f".bandwise-{host}-{'c' * 12}.tif"))
    before = set(bench.listing())
    sweep(bench.folder)
    assert set(bench.listing()) == before - set(gone)
    assert os.path.isdir(bench.path(f".bandwise-{host}-{'c' * 12}.tif"))
    living.remove()
    assert set(bench.listing()) == set(kept)


def test_a_temporary_file_that_somebody_wants_to_rescue_is_not_removed(bench: Bench) -> None:
    """As an input it is refused, by a link too, until it has another name."""
    name = bench.save(
        f".bandwise-{temporaries._host()}-0123456789ab.tif", np.ones((4, 4), np.uint8)
    )
    os.symlink(name, bench.path("link.tif"))
    before = bench.listing()
    for path in (name, bench.path("link.tif"), f"GTIFF_DIR:1:{name}"):
        with pytest.raises(InputError, match="temporary file of a stopped run"):
            run(bench.job(path, path))
    assert bench.listing() == before
    os.rename(name, bench.path("rescued.tif"))
    run(bench.job(bench.path("rescued.tif"), bench.path("rescued.tif")))


@pytest.mark.posix
def test_a_lock_that_was_swept_before_it_was_locked_is_not_relied_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run may look between the making of the lock and its locking; then a new one is made."""
    swept: list[str] = []
    can_lock = temporaries._can_lock

    def late(file: int) -> bool | None:
        if not swept:
            swept.extend(os.listdir(bench.folder))
            for name in swept:
                os.unlink(bench.path(name))
        return can_lock(file)

    monkeypatch.setattr(temporaries, "_can_lock", late)
    mine = Temporaries(bench.folder)
    monkeypatch.undo()
    mine.path(".tif").write_bytes(b"living")
    assert len(swept) == 1 and swept[0] not in bench.listing() and len(bench.listing()) == 2
    sweep(bench.folder)
    assert len(bench.listing()) == 2
    mine.remove()
    assert bench.listing() == {}


def test_a_lock_that_a_sweeping_run_holds_just_then_is_made_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So what a run leaves that is killed later is swept, too."""
    held: list[int] = []
    can_lock = temporaries._can_lock

    def looked_at(file: int) -> bool | None:
        if not held:
            held.append(os.open(bench.path(next(iter(bench.listing()))), os.O_RDWR))
            assert can_lock(held[0])
        return can_lock(file)

    monkeypatch.setattr(temporaries, "_can_lock", looked_at)
    mine = Temporaries(bench.folder)
    monkeypatch.undo()
    os.close(held[0])
    mine.path(".tif").write_bytes(b"living")
    sweep(bench.folder)
    assert len(bench.listing()) == 2, "the living's file and lock; the other lock was nobody's"
    mine.remove()
    assert bench.listing() == {}


def test_where_the_disk_knows_no_locks_nothing_is_swept_and_all_works(
    bench: Bench, pair: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporaries, "_can_lock", lambda file: None)
    mine = Temporaries(bench.folder)
    mine.path(".tif").write_bytes(b"living")
    before = set(bench.listing())
    run(bench.job(*pair))
    assert set(bench.listing()) == before | {"ndvi.tif"}
    monkeypatch.undo()
    sweep(bench.folder)
    assert set(bench.listing()) == before | {"ndvi.tif"}


def test_without_fcntl_an_open_file_that_cannot_be_removed_is_the_lock(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""
    play("windows", monkeypatch.setattr, monkeypatch.delattr)
    mine = Temporaries(bench.folder)
    mine.path(".tif").write_bytes(b"living")
    sweep(bench.folder)
    assert len(bench.listing()) == 2
    assert mine._lock is not None
    os.close(mine._lock)  # as the system does when the process ends
    sweep(bench.folder)
    assert bench.listing() == {}


def test_runs_at_once_into_one_folder_and_one_output(bench: Bench, pair: list[str]) -> None:
    """Six processes, three of them killed: the others finish, the result is complete, and a last run sweeps all."""
    run(bench.job(*pair, output="right.tif", overviews=True))
    right = bench.read(bench.path("right.tif"))
    script = (
        REGISTER
        + """
from bandwise.engine.job import BandRef, Job
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
bands = (BandRef("nir", "nir.tif"), BandRef("red", "red.tif"))
for _ in range(5):
    formula = named_formula("NDVI := (nir - red) / (nir + red)", ("nir", "red"), valid_range=(-1.0, 1.0))
    run(Job(bands, formula, "ndvi.tif", overviews=True))
print("done")
"""
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=bench.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    time.sleep(1.5)
    for number, process in enumerate(runs[:3]):
        time.sleep(0.11 * (number + 1))
        process.kill()
    said = [process.communicate(timeout=120) for process in runs]
    for process, (out, error) in list(zip(runs, said))[3:]:
        assert process.returncode == 0 and out == "done\n", error
    np.testing.assert_array_equal(bench.read(bench.path("ndvi.tif")), right)
    run(bench.job(*pair, output="last.tif"))
    assert sorted(bench.listing()) == ["last.tif", "ndvi.tif", "nir.tif", "red.tif", "right.tif"]
