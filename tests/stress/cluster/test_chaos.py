# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs on several workers while things die: the single run's file, or a sentence and the old one."""

from __future__ import annotations

import importlib.util
import os
import resource
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from bandwise.engine.execution.saving import save_job
from bench import Bench
from cluster_cases import ROOT, Work, command, parts_in, started, workers_of
from parts_cases import contents
from stress_case import Case, Tally

PARTS = 20
SIDE = ("--side", "128")
HAS_DASK = importlib.util.find_spec("distributed") is not None
TROUBLES = (
    "workers are killed",
    "the client is killed",
    "a worker sleeps and wakes",
    "parts are damaged between",
    "the scheduler is killed",
    "the disk of a worker is full",
)
#: A worker that does not beat for this long is given up.
TTL = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "4s"}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    return Work(Bench(tmp_path_factory.mktemp("work")))


class Scene:
    """A run whose result goes to a folder of its own, over an old file or none."""

    def __init__(self, work: Work, folder: Path, *, old: bool) -> None:
        self.single = work.single
        (folder / "out").mkdir()
        self.output = folder / "out" / "out.tif"
        self.parts = folder / "out" / "out.tif.parts"
        self.file = str(folder / "job.json")
        self.log = folder / "computed.log"
        save_job(work.job._replace(output=str(self.output)), self.file)
        self.old = b"old" if old else None
        if self.old:
            self.output.write_bytes(self.old)
        self.sizes: set[int] = set()

    def wait_for(self, count: int, process: subprocess.Popen[str]) -> bool:
        """Wait for so many parts; False if the run ended before, or takes long."""
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            self.keep_log()
            with suppress(OSError):
                if len(parts_in(self.parts)) >= count:
                    return True
            time.sleep(0.002)
        return False

    def keep_log(self) -> None:
        """Keep the log of computations by a second name, as the folder goes with success."""
        with suppress(OSError):
            os.link(self.parts / "computed.log", self.log)

    def assert_untouched(self) -> None:
        now = self.output.read_bytes() if self.output.exists() else None
        assert now == self.old
        assert {path.name for path in self.output.parent.iterdir()} <= {"out.tif", "out.tif.parts"}

    def assert_done(self, in_flight: int) -> None:
        assert contents(str(self.output)) == self.single
        assert [path.name for path in self.output.parent.iterdir()] == ["out.tif"]
        assert self.sizes <= {len(self.old or b""), self.output.stat().st_size}
        computed = self.log.read_bytes().count(b"\n")
        assert PARTS <= computed <= PARTS + in_flight

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at the result all the time, as a reader that polls it."""
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.002):
                self.keep_log()
                with suppress(OSError):
                    self.sizes.add(self.output.stat().st_size)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def test_chaos(case: Case, work: Work, tmp_path: Path, tally: Tally, monkeypatch: Any) -> None:
    trouble = TROUBLES[case.number % len(TROUBLES)]
    for name, value in TTL.items():
        monkeypatch.setenv(name, value)
    scene = Scene(work, tmp_path, old=case.random.random() < 0.5)
    with_dask = HAS_DASK and (case.number % 2 == 0 or case.random.random() < 0.5)
    where = ("--local", "2") if with_dask else ("--processes", "2")
    with scene.watched():
        if trouble == "the scheduler is killed":
            if not HAS_DASK:
                pytest.skip("needs dask.distributed")
            code, in_flight = _without_scheduler(case, scene)
        else:
            process = started("run", scene.file, *where, *SIDE)
            scene.wait_for(case.random.randint(1, PARTS - 6), process)
            in_flight = ACTS[trouble](case, scene, process)
            _, errors = process.communicate(timeout=120)
            code = process.returncode
            assert "Traceback" not in errors.partition("distributed.")[0], errors
        scene.keep_log()
        if code == 0:
            tally("the same file at once")
        else:
            assert code in (1, -signal.SIGKILL), (trouble, code)
            tally("a run again")
            _assert_left(scene)
            if trouble == "parts are damaged between":
                in_flight += _damage(case, scene)
            done = command("run", scene.file, *where)
            assert done.returncode == 0, (trouble, done.stderr)
    scene.assert_done(in_flight)


def _assert_left(scene: Scene) -> None:
    """A run that did not end left the old file, and at most temporaries that the next one sweeps."""
    now = scene.output.read_bytes() if scene.output.exists() else None
    assert now == scene.old


def _kill_workers(case: Case, scene: Scene, process: Any) -> int:
    killed = 0
    for _ in range(case.random.randint(1, 3)):
        workers = workers_of(process.pid)
        if workers:
            with suppress(ProcessLookupError):
                os.kill(case.random.choice(workers), signal.SIGKILL)
                killed += 1
        time.sleep(case.random.uniform(0, 0.5))
    return killed


def _kill_client(case: Case, scene: Scene, process: Any) -> int:
    workers = workers_of(process.pid)
    process.kill()
    # they end by themselves, as nobody asks any more; until then they compute
    late = time.monotonic() + 60
    while any(map(_lives, workers)):
        assert time.monotonic() < late, "workers go on without a client"
        time.sleep(0.01)
    return 2


def _lives(worker: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{worker}/stat").read_text("ascii")
    except OSError:
        return False


def _stop_worker(case: Case, scene: Scene, process: Any) -> int:
    workers = workers_of(process.pid)
    if not workers:
        return 0
    sleeper = case.random.choice(workers)
    with suppress(ProcessLookupError):
        os.kill(sleeper, signal.SIGSTOP)
        time.sleep(6)
        os.kill(sleeper, signal.SIGCONT)
    return 2


def _fill_disk(case: Case, scene: Scene, process: Any) -> int:
    workers = workers_of(process.pid)
    if workers:
        with suppress(ProcessLookupError, PermissionError):
            resource.prlimit(workers[0], resource.RLIMIT_FSIZE, (20_000, 20_000))
    return 1000  # parts that begin, and cannot be written, count as computed


def _damage(case: Case, scene: Scene) -> int:
    """Cut off and change parts while nobody is at work."""
    chosen = case.random.sample(parts_in(scene.parts), min(2, len(parts_in(scene.parts))))
    for name in chosen:
        path = scene.parts / name
        data = bytearray(path.read_bytes())
        if case.random.random() < 0.5:
            data = data[: case.random.randrange(len(data))]
        else:
            data[case.random.randrange(len(data))] ^= 1 << case.random.randrange(8)
        path.write_bytes(data)
    return len(chosen)


ACTS = {
    "workers are killed": _kill_workers,
    "the client is killed": _kill_client,
    "a worker sleeps and wakes": _stop_worker,
    "parts are damaged between": _kill_client,
    "the disk of a worker is full": _fill_disk,
}


def _without_scheduler(case: Case, scene: Scene) -> tuple[int, int]:
    """A run on a scheduler and a worker of their own, of which the scheduler is killed."""
    address = scene.file + ".scheduler"
    plugin = Path(scene.file).parent / "plugin"
    plugin.mkdir()
    (plugin / "bandwise").symlink_to(ROOT)
    environment = {**os.environ, "PYTHONPATH": str(plugin)}
    python = [sys.executable, "-m", "distributed.cli"]
    quiet: dict[str, Any] = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "env": environment,
        "cwd": plugin,
    }
    scheduler = subprocess.Popen(
        [*python[:2], "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
         "--no-dashboard", "--scheduler-file", address], **quiet,
    )  # fmt: skip
    worker = subprocess.Popen(
        [*python[:2], "distributed.cli.dask_worker", "--scheduler-file", address, "--no-dashboard",
         "--nthreads", "2", "--no-nanny", "--death-timeout", "10"], **quiet,
    )  # fmt: skip
    try:
        for _ in range(1000):
            if Path(address).exists():
                break
            time.sleep(0.02)
        process = started("run", scene.file, "--scheduler", address, *SIDE)
        scene.wait_for(case.random.randint(1, PARTS - 6), process)
        scheduler.kill()
        _, errors = process.communicate(timeout=120)
        if process.returncode:
            assert "does not answer; what was computed is kept" in errors, errors
        return process.returncode, 6
    finally:
        for each in (scheduler, worker):
            each.kill()
            each.wait()


def test_queue(case: Case, work: Work, tmp_path: Path, full: bool) -> None:
    """Processes of a batch queue by ``xargs``, shuffled, a tenth of them killed; then the rest."""
    scene, count = Scene(work, tmp_path, old=True), 100 if full else 10
    assert command("plan", scene.file, *SIDE).returncode == 0
    numbers = case.random.sample(range(1, count + 1), count)
    killed = set(numbers[:: 10 if full else 4])
    script = (
        f"cd {shlex.quote(str(ROOT))}; if [ $2 = yes ]; then\n"
        f"timeout -s KILL 0.$((1 + $1 % 9)) {sys.executable} -m cluster part {shlex.quote(scene.file)} "
        f"--chunk $1/{count}; exit 0; fi\n"
        f"{sys.executable} -m cluster part {shlex.quote(scene.file)} --chunk $1/{count}"
    )
    lines = "\n".join(f"{number} {'yes' if number in killed else 'no'}" for number in numbers)
    words = ["xargs", "-P2", "-n2", "sh", "-c", script, "sh"]
    done = subprocess.run(words, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    refused = command("assemble", scene.file)
    assert refused.returncode in (0, 1)
    if refused.returncode:
        assert "parts are missing" in refused.stderr
        scene.assert_untouched()
        assert command("part", scene.file).returncode == 0
        assert command("assemble", scene.file).returncode == 0
    assert contents(str(scene.output)) == scene.single
    assert [path.name for path in scene.output.parent.iterdir()] == ["out.tif"]
