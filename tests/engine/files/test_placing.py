# SPDX-License-Identifier: GPL-2.0-or-later
"""A result that cannot be placed under its name, as on Windows while a program has the old one open, is kept."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bad_input_cases import simple_vrt
from bandwise.engine.errors import OutputError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.files import placing
from bandwise.engine.job import Note
from bench import Bench
from other_systems import play

KINDS: dict[str, dict[str, Any]] = {
    "tiles": {},
    "overviews": {"overviews": True},
    "cog": {"overviews": True, "cog": True},
    "world file": {"creation_options": "PROFILE=BASELINE|TFW=YES|COMPRESS=NONE"},
}


@pytest.fixture
def pair(bench: Bench) -> list[str]:
    values = np.random.default_rng(5).integers(1, 10000, (2, 300, 200), dtype=np.uint16)
    return [bench.save("nir.tif", values[0]), bench.save("red.tif", values[1])]


@pytest.fixture
def windows() -> Iterator[pytest.MonkeyPatch]:
    """Windows, as far as Linux can play it, and no waiting for virus scanners."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(placing, "_PAUSES", ())
        play("windows", patch.setattr, patch.delattr)
        yield patch


def told(job: Any) -> tuple[Any, list[str], list[str]]:
    """Run a job: (report, lines, warnings)."""
    notes: list[Note] = []
    report = run(job, progress=lambda fraction, note: notes.append(note) if note else None)
    lines, warnings = (
        [str(note.text) for note in notes if note.warning is kind] for kind in (False, True)
    )
    return report, lines, warnings


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["ndvi.tif", "Ergebnis «植生» & Co.TIFF"])
def test_the_result_is_kept_under_a_free_name(
    bench: Bench, pair: list[str], windows: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    """Beside the file that is open, which stays as it is; one sentence says so, and the next run does it again."""
    run(bench.job(*pair, output=name, **KINDS[kind]))
    right, before = bench.read(bench.path(name)), bench.listing()
    stem, suffix = Path(name).stem, Path(name).suffix
    with rasterio.open(bench.path(name)) as layer:
        for number in (1, 2):
            kept = bench.path(f"{stem}_{number}{suffix}")
            report, lines, warnings = told(bench.job(*pair, output=name, **KINDS[kind]))
            assert report.output == kept
            sentence = [line for line in warnings if "cannot be replaced" in line]
            assert len(sentence) == 1 and "\n" not in sentence[0]
            assert bench.path(name) in sentence[0] and kept in sentence[0]
            assert lines[-1].startswith("Done in ") and lines[-1].endswith(kept)
            np.testing.assert_array_equal(bench.read(kept), right)
        np.testing.assert_array_equal(layer.read(1), right)
    after = bench.listing()
    new = {f"{stem}_{number}{suffix}" for number in (1, 2)}
    if kind == "world file":
        new |= {
            f"{stem}_{number}{more}" for number in (1, 2) for more in (".tfw", f"{suffix}.aux.xml")
        }
    assert set(after) == set(before) | new
    assert {name: after[name] for name in before} == before
    report, _, warnings = told(bench.job(*pair, output=name, **KINDS[kind]))
    assert report.output == bench.path(name) and not any("replaced" in line for line in warnings)


def test_a_world_file_that_is_open_keeps_file_and_world_file_together(
    bench: Bench, pair: list[str], windows: pytest.MonkeyPatch
) -> None:
    run(bench.job(*pair, **KINDS["world file"]))
    before = bench.listing()
    with Path(bench.path("ndvi.tfw")).open("rb"):
        report = run(bench.job(*pair, **KINDS["world file"]))
    assert report.output == bench.path("ndvi_1.tif")
    after = bench.listing()
    assert after["ndvi_1.tfw"] == before["ndvi.tfw"]
    assert {name: after[name] for name in before} == before


def test_a_name_is_free_only_with_those_of_its_sidecars(
    bench: Bench, pair: list[str], windows: pytest.MonkeyPatch
) -> None:
    """An old overview would be read as the result's."""
    run(bench.job(*pair))
    Path(bench.path("ndvi_1.tif.ovr")).write_bytes(b"somebody's")
    Path(bench.path("ndvi_2.tif")).write_bytes(b"somebody's")
    before = bench.listing()
    with rasterio.open(bench.path("ndvi.tif")):
        assert run(bench.job(*pair)).output == bench.path("ndvi_3.tif")
    after = bench.listing()
    assert after.pop("ndvi_3.tif") == before["ndvi.tif"] and after == before


def test_beside_the_file_that_a_link_leads_to(
    bench: Bench, pair: list[str], windows: pytest.MonkeyPatch
) -> None:
    former = bench.path("results/former.tif")
    os.symlink(former, bench.path("ndvi.tif"))
    run(bench.job(*pair))
    with rasterio.open(former):
        assert run(bench.job(*pair)).output == bench.path("results/former_1.tif")
    assert os.readlink(bench.path("ndvi.tif")) == former


def test_another_process_has_it_open(
    bench: Bench, pair: list[str], windows: pytest.MonkeyPatch
) -> None:
    run(bench.job(*pair))
    with Path(bench.path("ndvi.tif")).open("rb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[file.fileno()]
        )
    try:
        assert run(bench.job(*pair)).output == bench.path("ndvi_1.tif")
    finally:
        process.communicate(b"\n")
    assert run(bench.job(*pair)).output == bench.path("ndvi.tif")


def test_a_disk_without_links(bench: Bench, pair: list[str], windows: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    run(bench.job(*pair))
    right = bench.listing()["ndvi.tif"]
    windows.setattr(os, "link", none)
    with rasterio.open(bench.path("ndvi.tif")):
        assert run(bench.job(*pair)).output == bench.path("ndvi_1.tif")
    assert bench.listing()["ndvi_1.tif"] == right


def test_two_runs_never_take_the_same_free_name(
    bench: Bench, pair: list[str], windows: pytest.MonkeyPatch
) -> None:
    """The other takes it after this one has looked."""
    link = os.link

    def late(source: Any, free: Any) -> None:
        if Path(free).name == "ndvi_1.tif":
            Path(free).write_bytes(b"the other's")
        link(source, free)

    run(bench.job(*pair))
    windows.setattr(os, "link", late)
    with rasterio.open(bench.path("ndvi.tif")):
        assert run(bench.job(*pair)).output == bench.path("ndvi_2.tif")
    assert Path(bench.path("ndvi_1.tif")).read_bytes() == b"the other's"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_while_it_is_kept_leaves_all_of_it_or_nothing(
    bench: Bench, pair: list[str], when: str
) -> None:
    """And the next run removes its other name."""
    run(bench.job(*pair))
    right = bench.listing()["ndvi.tif"]
    script = f"""
import os, pickle, signal
from pathlib import Path
from bandwise.engine.execution.pipeline import run
link, replace = os.link, os.replace
def killed(source, free):
    if {when!r} == "after":
        link(source, free)
    os.kill(os.getpid(), signal.SIGKILL)
def refused(source, target):
    raise PermissionError(13, "Access is denied")
os.link, os.replace = killed, refused
run(pickle.loads(Path("job.pickle").read_bytes()))
"""
    Path(bench.path("job.pickle")).write_bytes(pickle.dumps(bench.job(*pair)))
    assert bench.python(script).returncode == -signal.SIGKILL
    names = ["job.pickle", "ndvi.tif", "nir.tif", "other.tif", "red.tif"]
    names += ["ndvi_1.tif"] if when == "after" else []
    run(bench.job(*pair, output="other.tif"))
    files = bench.listing()
    assert sorted(files) == sorted(names)
    assert {files[name] for name in names if name.startswith("ndvi")} == {right}


def test_a_file_that_is_held_for_a_moment_is_waited_for(
    bench: Bench, pair: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a virus scanner does with a new file."""
    refusals, replace = [1, 1], os.replace

    def held(source: Any, target: Any) -> None:
        if Path(target).name == "ndvi.tif" and refusals:
            raise PermissionError(13, "Access is denied", refusals.pop())
        replace(source, target)

    monkeypatch.setattr(os, "replace", held)
    assert run(bench.job(*pair)).output == bench.path("ndvi.tif")
    assert not refusals


def test_one_sentence_where_the_folder_takes_no_name_at_all(
    bench: Bench, pair: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(bench.path("ndvi.tif")).write_bytes(b"former")
    before = bench.listing()

    def refused(*names: Any) -> None:
        raise PermissionError(13, "Access is denied", *names[:1])

    for name in ("replace", "rename", "link"):
        monkeypatch.setattr(os, name, refused)
    monkeypatch.setattr(placing, "_PAUSES", ())
    with pytest.raises(
        OutputError, match=r"ndvi\.tif cannot be written .*Access is denied"
    ) as caught:
        run(bench.job(*pair))
    assert "\n" not in str(caught.value)
    assert bench.listing() == before


def test_nothing_is_left_of_a_file_that_would_be_too_large(
    bench: Bench, windows: pytest.MonkeyPatch
) -> None:
    """3.6 GB without its overviews, which make it larger than a classic TIFF."""
    source = bench.save("a.tif", np.ones((4, 4), np.uint16))
    wide = simple_vrt(bench, "wide.vrt", source, width=30_000, height=30_000)
    job = bench.job(wide, wide, overviews=True, creation_options="COMPRESS=NONE|BIGTIFF=NO")
    before = bench.listing()
    with pytest.raises(OutputError, match="grows past the 4 GB"):
        run(job)
    assert bench.listing() == before


@pytest.mark.parametrize("length", [240, 241, 247, 251, 255])
def test_names_as_long_as_the_disk_takes_them(
    bench: Bench, pair: list[str], windows: pytest.MonkeyPatch, length: int
) -> None:
    """Those of sidecars and the free one would be longer."""
    name = "n" * (length - len(".tif")) + ".tif"
    run(bench.job(*pair, output=name, creation_options="TFW=YES"))
    right = bench.listing()[name]
    with rasterio.open(bench.path(name)):
        report = run(bench.job(*pair, output=name, creation_options="TFW=YES"))
    kept = Path(report.output).name
    assert kept != name and len(kept) <= 255 and bench.listing()[kept] == right
    assert Path(report.output).with_suffix(".tfw").exists()


@pytest.mark.parametrize("length", [270, 1500])
def test_a_long_path(bench: Bench, pair: list[str], length: int) -> None:
    """Windows takes 260 characters where it is not told otherwise, Linux 4096."""
    folder = bench.folder
    while len(str(folder)) < length:
        folder /= "f" * 100
    folder.mkdir(parents=True)
    job = bench.job(*pair, output=f"{folder.relative_to(bench.folder)}/ndvi.tif", cog=True)
    report = run(job)
    assert report.output == str(folder / "ndvi.tif") and len(report.output) > length
    np.testing.assert_array_equal(bench.read(report.output), bench.ndvi(*pair))
    assert [path.name for path in folder.iterdir()] == ["ndvi.tif"]


def test_one_sentence_where_the_path_is_too_long(bench: Bench, pair: list[str]) -> None:
    job = bench.job(*pair)._replace(output=f"{bench.folder}/{'f/' * 2100}ndvi.tif")
    before = bench.listing()
    with pytest.raises(OutputError, match="cannot be the name of a file") as caught:
        run(job)
    assert "\n" not in str(caught.value) and bench.listing() == before
