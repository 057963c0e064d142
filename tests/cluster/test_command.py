# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: parts of a queue, what is missing or damaged, and exit codes."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from bandwise.cluster.command import main
from bandwise.engine.execution.saving import save_job
from bench import Bench
from cluster_cases import Work, command, parts_in, started, work  # noqa: F401
from parts_cases import contents

SIDE = ("--side", "128")


def test_parts_of_a_queue_then_assembly(work: Work, capsys: Any) -> None:
    """The way of a batch queue: chunks in any order, twice, some of them never; then the rest."""
    assert main(["plan", work.file, *SIDE]) == 0
    assert "20 parts" in capsys.readouterr().out
    for chunk in ("3/5", "1/5", "3/5", "4/5"):
        assert main(["part", work.file, "--chunk", chunk]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("was there" in line for line in lines) == 4
    assert main(["assemble", work.file]) == 1
    refusal = capsys.readouterr().err
    assert refusal.startswith("8 of 20 parts are missing (row,column): 0,1, 0,4, 1,1, ")
    assert refusal.count("\n") == 1 and not work.output.exists()
    assert main(["status", work.file, "--verify"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "0,1",
        "0,4",
        "1,1",
        "1,4",
        "2,1",
        "2,4",
        "3,1",
        "3,4",
    ]
    assert main(["part", work.file, "--part", "0,1", "--part", "1,0"]) == 0
    assert main(["part", work.file, "--chunk", "1/1"]) == 0
    assert main(["assemble", work.file]) == 0
    work.assert_done()


def test_nothing_is_computed_twice(work: Work) -> None:
    main(["plan", work.file, *SIDE])
    main(["part", work.file, "--chunk", "1/2"])
    log = work.folder / "computed.log"
    assert log.read_bytes().count(b"\n") == 10
    kept = {name: (work.folder / name).stat().st_mtime_ns for name in parts_in(work.folder)}
    main(["part", work.file, "--chunk", "1/1"])
    assert log.read_bytes().count(b"\n") == 20
    for name, modified in kept.items():
        assert (work.folder / name).stat().st_mtime_ns == modified


@pytest.mark.parametrize("kind", ["cut", "flipped", "empty", "of another place"])
def test_a_damaged_part(bench: Bench, kind: str, capsys: Any) -> None:
    """``assemble`` names it, ``run`` computes it again; an old result stays until the new one is whole."""
    uncompressed = kind == "flipped"
    options = {"creation_options": "COMPRESS=NONE|BLOCKXSIZE=64|BLOCKYSIZE=64"}
    work = Work(bench, **(options if uncompressed else {}))
    work.output.write_bytes(b"old")
    main(["part", work.file, *SIDE])
    path = work.folder / "r1c2.tif"
    data = bytearray(path.read_bytes())
    if kind == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif kind == "flipped":
        data[random.Random(4).randrange(len(data))] ^= 4
        path.write_bytes(data)
    else:
        path.write_bytes(b"" if kind == "empty" else (work.folder / "r1c1.tif").read_bytes())
    assert main(["assemble", work.file]) == 1
    assert "1,2" in capsys.readouterr().err
    assert work.output.read_bytes() == b"old"
    assert main(["run", work.file, "--processes", "1"]) == 0
    work.assert_done()


def test_an_interrupted_run_goes_on(work: Work) -> None:
    work.output.write_bytes(b"old")
    process = started("run", work.file, "--processes", "2", *SIDE)
    # on a busy machine, too, this test has its turn before all parts are there
    os.setpriority(os.PRIO_PROCESS, process.pid, 19)
    while not work.folder.exists() or not parts_in(work.folder):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "the same command goes on" in errors and work.output.read_bytes() == b"old"
    before = len(parts_in(work.folder))
    done = command("run", work.file, "--processes", "2")
    assert done.returncode == 0 and "20 of 20" in done.stderr, done.stderr
    assert before >= 1
    work.assert_done()


def test_a_batch_of_scenes(bench: Bench) -> None:
    work = Work(bench)
    other = work.job._replace(output=bench.path("out/other.tif"))
    save_job(other, bench.path("other.json"))
    done = command("run", work.file, bench.path("other.json"), "--processes", "2")
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    for path in (work.job.output, other.output):
        assert contents(path) == work.single
    assert sorted(path.name for path in work.output.parent.iterdir()) == ["other.tif", "out.tif"]


def test_clean_removes_the_parts_alone(work: Work, capsys: Any) -> None:
    main(["part", work.file, *SIDE, "--part", "0,0"])
    assert main(["clean", work.file]) == 0
    assert list(work.output.parent.iterdir()) == []
    assert main(["clean", work.file]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "There are no parts of this job."


def test_another_job_for_the_same_result_is_refused(work: Work, bench: Bench, capsys: Any) -> None:
    main(["part", work.file, *SIDE, "--part", "0,0"])
    save_job(work.job._replace(clamp=(0.0, None)), bench.path("other.json"))
    assert main(["run", bench.path("other.json")]) == 1
    assert "holds parts of another job" in capsys.readouterr().err


def test_an_input_that_changed_is_refused(work: Work, capsys: Any) -> None:
    main(["part", work.file, *SIDE, "--part", "0,0"])
    red = Path(work.job.bands[1].path)
    red.write_bytes(red.read_bytes() + b"more")
    for arguments in (["part", work.file], ["assemble", work.file], ["run", work.file]):
        assert main(arguments) == 1
        sentence = capsys.readouterr().err
        assert "red.tif is not the file that the job was written for" in sentence
    red.unlink()
    assert main(["part", work.file]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_paths_of_another_system(work: Work, bench: Bench, capsys: Any) -> None:
    """A job that Windows wrote, on the machine that has its drive in another place."""
    text = Path(work.file).read_text("utf-8")
    here = str(bench.folder)
    moved = text.replace(f"{here}/", "Z:\\\\data\\\\").replace("in/", "in\\\\")
    Path(work.file).write_text(moved, "utf-8")
    assert main(["run", work.file, *SIDE]) == 1
    assert "\n" in capsys.readouterr().err
    done = command("run", work.file, *SIDE, "--processes", "1", "--path-map", f"z:/data={here}")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in work.output.parent.iterdir()] == ["out.tif"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("part", "JOB", "--part", "../../x"),
        ("part", "JOB", "--part", "/etc/passwd"),
        ("part", "JOB", "--part", "-1,0"),
        ("part", "JOB", "--chunk", "5/4"),
        ("part", "JOB", "--chunk", "0/4"),
        ("run", "JOB", "--processes", "0"),
        ("run", "JOB", "--local", "2", "--scheduler", "x"),
        ("run", "JOB", "--path-map", "nothing"),
        ("fly", "JOB"),
    ],
)
def test_arguments_that_mean_nothing(work: Work, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main([work.file if word == "JOB" else word for word in arguments])
    assert refusal.value.code == 2
    assert list(work.output.parent.iterdir()) == []


def test_a_part_that_is_not_there(work: Work, capsys: Any) -> None:
    assert main(["part", work.file, *SIDE, "--part", "4,0"]) == 1
    assert "There is no part 4,0: rows are 0 to 3 and columns 0 to 4." in capsys.readouterr().err
