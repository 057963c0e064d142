# SPDX-License-Identifier: GPL-2.0-or-later
"""What is refused before any work: other versions, folders and inputs, schedulers that anybody could use."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bandwise.cluster.command import main
from bandwise.cluster.folder import planned
from bandwise.cluster.running import check_workers
from bandwise.cluster.versions import own_versions
from bandwise.cluster.workers.security import address_of
from bandwise.cluster.workers.slots import Threads
from bandwise.engine.errors import InputError, OptionError
from cluster_cases import ROOT, Work, command, work  # noqa: F401

SIDE = ("--side", "128")


class Elsewhere(Threads):
    """Threads that stand for workers of other machines: their answers are changed as these would be."""

    def __init__(self, change: Any) -> None:
        super().__init__(1)
        self._change = change

    def everywhere(self, request: dict[str, Any]) -> dict[str, dict[str, Any]]:
        (answer,) = super().everywhere(request).values()
        return {"tcp://node7:1234": self._change(request, answer)}


def other_numpy(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    if request["task"] == "facts":
        answer["done"]["versions"]["numpy"] = "0.9"
    return answer


def other_folder(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    if request["task"] == "facts":
        answer["done"]["read"] = ""
    return answer


def no_input(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    return (
        {"error": "red.tif does not exist.", "on": "x"} if request["task"] == "inputs" else answer
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_numpy, "tcp://node7:1234 has numpy 0.9 and this machine has numpy"),
        (other_folder, "tcp://node7:1234 does not see the folder"),
        (no_input, "tcp://node7:1234: red.tif does not exist."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_worker_that_differs_is_named(work: Work, change: Any, words: str) -> None:
    parts = planned(work.file, side=128)
    check_workers(Threads(1), parts, ())
    with pytest.raises(InputError, match=words) as refusal:
        check_workers(Elsewhere(change), parts, ())
    assert "\n" not in str(refusal.value)
    assert sorted(path.name for path in work.folder.iterdir()) == ["job.json"]


def changed(work: Work, **fields: Any) -> None:
    path = work.folder / "job.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **fields}), "utf-8")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"versions": {**own_versions(), "GDAL": "1.0"}}, "has GDAL 1.0 and this machine has GDAL"),
        ({"versions": "new"}, "use the same versions"),
        ({"engine": "9.9"}, "was written by Bandwise 9.9"),
        ({"windows": [64, 64]}, "windows is no list of 7"),
        ({"parts": [100, 128, 1]}, "no whole windows"),
        ({"parts": [-128, 128, 1]}, "no whole number"),
    ],
)
def test_a_plan_of_others_is_refused(work: Work, capsys: Any, fields: Any, words: str) -> None:
    assert main(["plan", work.file, *SIDE]) == 0
    changed(work, **fields)
    capsys.readouterr()
    for name in ("part", "assemble", "status"):
        assert main([name, work.file]) == 1
        sentence = capsys.readouterr().err
        assert words in sentence and sentence.count("\n") == 1
    assert main(["clean", work.file]) == 0


def test_a_hostile_job_is_refused_in_a_sentence(work: Work, tmp_path: Path) -> None:
    hostile = tmp_path / "job.json"
    hostile.write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")
    done = command("run", str(hostile))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "is no file of a Bandwise job" in done.stderr
    assert not (ROOT / "hacked").exists()


@pytest.mark.parametrize(
    "address",
    ["tcp://10.0.0.7:8786", "10.0.0.7:8786", "tcp://node7:8786", "ucx://10.0.0.7:1", "tcp://", "x"],
)
def test_schedulers_elsewhere_have_to_be_encrypted(address: str) -> None:
    with pytest.raises(OptionError, match="neither encrypted nor on this machine"):
        address_of(address, insecure=False)
    assert address_of(address, insecure=True) == address


@pytest.mark.parametrize(
    "address",
    ["tls://node7:8786", "tcp://127.0.0.1:8786", "localhost:8786", "tcp://[::1]:8786"],
)
def test_schedulers_that_are_talked_to(address: str) -> None:
    assert address_of(address, insecure=False) == address


def test_a_scheduler_file_is_held_to_the_same(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.json"
    path.write_text('{"address": "tls://node7:8786"}')
    assert address_of(str(path), insecure=False) == "tls://node7:8786"
    path.write_text('{"address": "tcp://node7:8786"}')
    with pytest.raises(OptionError):
        address_of(str(path), insecure=False)
    for text in ("{}", "[]", "no JSON"):
        path.write_text(text)
        with pytest.raises(InputError, match="no scheduler file"):
            address_of(str(path), insecure=False)


WITHOUT_DASK = """
import sys
sys.modules["distributed"] = None
sys.argv = ["cluster", "run", {job!r}, "--local", "2"]
import runpy
runpy.run_module("cluster", run_name="__main__")
"""


def test_without_dask_the_command_says_how_to_get_it(work: Work) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DASK.format(job=work.file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("dask.distributed is not installed; install it with pip install")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def full_disk(work: Work, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A limit of the size of files that a part is larger than, as far as a test can fill a disk."""
    import resource
    import signal

    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    planned(work.file, side=128)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, former[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, former)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.posix
def test_a_full_disk_is_a_sentence_and_leaves_the_old_file(
    work: Work, full_disk: None, capsys: Any
) -> None:
    work.output.write_bytes(b"old")
    assert main(["part", work.file]) == 1
    sentence = capsys.readouterr().err
    assert "cannot be written" in sentence and sentence.count("\n") == 1
    assert work.output.read_bytes() == b"old"
    assert sorted(path.name for path in work.folder.iterdir()) == ["computed.log", "job.json"]
