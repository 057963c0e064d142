# SPDX-License-Identifier: GPL-2.0-or-later
"""Names, folders and disks that cannot hold the result."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from bad_input_cases import (
    good,  # noqa: F401  fixtures
    refused,
    simple_vrt,
)
from bandwise.engine.errors import (
    BandwiseError,
    GridError,
    InputError,
    OptionError,
    OutputError,
    ReadError,
    SpaceError,
)
from bandwise.engine.execution.pipeline import run
from bench import Bench

TILED = {"tiled": True, "blockxsize": 256, "blockysize": 256}


def test_the_output_is_an_input(bench: Bench, good: str) -> None:
    refused(
        bench,
        bench.job((good, 1), (good, 2), output="good.tif"),
        OutputError,
        "good.tif",
        "is an input",
    )


@pytest.mark.parametrize(
    "kind",
    [
        "symbolic link to the input",
        "hard link to the input",
        "input is a symbolic link",
        "other spelling",
        "linked folder",
    ],
)
def test_the_output_is_an_input_by_another_name(bench: Bench, good: str, kind: str) -> None:
    target, source = "other.tif", good
    if kind == "symbolic link to the input":
        os.symlink(good, bench.path(target))
    elif kind == "hard link to the input":
        os.link(good, bench.path(target))
    elif kind == "input is a symbolic link":
        os.symlink(good, bench.path("link.tif"))
        source, target = bench.path("link.tif"), "good.tif"
    elif kind == "linked folder":
        os.symlink(bench.folder, bench.path("again"))
        target = "again/good.tif"
    else:
        os.mkdir(bench.path("sub"))
        target = "sub/../good.tif"
    refused(
        bench,
        bench.job((source, 1), (source, 2), output=target),
        OutputError,
        Path(target).name,
        "is an input",
    )


def test_the_output_is_a_source_of_an_input(bench: Bench) -> None:
    """red.tif inside red.vrt, and the same once more removed."""
    inner = bench.save("red.tif", np.ones((4, 4), np.uint16))
    outer = simple_vrt(bench, "red.vrt", inner)
    refused(bench, bench.job(outer, outer, output="red.tif"), OutputError, "red.tif", "is an input")
    nested = simple_vrt(bench, "outer.vrt", outer)
    refused(
        bench, bench.job(nested, nested, output="red.tif"), OutputError, "red.tif", "is an input"
    )


def test_the_output_is_an_input_of_a_zip_or_a_subdataset(bench: Bench, good: str) -> None:
    address = f"GTIFF_DIR:1:{good}"
    refused(
        bench,
        bench.job((address, 1), (address, 2), output="good.tif"),
        OutputError,
        "good.tif",
        "is an input",
    )


def test_the_outputs_folder_is_missing(bench: Bench, good: str) -> None:
    job = bench.job((good, 1), (good, 2), output="x.tif")
    for folder in ("nowhere", "good.tif", "nowhere/deeper"):
        job = type(job)(job.bands, job.formula, str(bench.folder / folder / "ndvi.tif"))
        refused(bench, job, OutputError, str(bench.folder / folder), "does not exist", "create it")


def test_the_output_is_a_folder(bench: Bench, good: str) -> None:
    os.mkdir(bench.path("result.tif"))
    refused(
        bench,
        bench.job((good, 1), (good, 2), output="result.tif"),
        OutputError,
        "result.tif",
        "is a folder",
    )


@pytest.mark.parametrize("name", ["ndvi", "ndvi.jp2", "ndvi.tif.zip", "ndvi.vrt", "ndvi.tif "])
def test_an_output_that_is_not_named_as_a_geotiff(bench: Bench, good: str, name: str) -> None:
    refused(bench, bench.job((good, 1), (good, 2), output=name), OutputError, name, ".tif")


@pytest.mark.parametrize("name", ["n" * 300 + ".tif", "nul\0.tif"])
def test_an_output_name_that_no_disk_takes(bench: Bench, good: str, name: str) -> None:
    refused(bench, bench.job((good, 1), (good, 2), output=name), OutputError)


@pytest.mark.posix
def test_a_folder_that_may_not_be_written_to(bench: Bench, good: str) -> None:
    """In a process without root's rights, whoever runs the tests."""
    os.mkdir(bench.path("locked"), 0o755)
    os.chmod(bench.folder, 0o755)
    os.chmod(bench.path("locked"), 0o555)
    result = bench.python(
        """
import os
from bandwise.engine.errors import OutputError
from bandwise.engine.job import BandRef, Job
from bandwise.engine.expression.names import named_formula
from bandwise.engine.execution.pipeline import run
def job(folder):
    return Job((BandRef("a", "good.tif"),), named_formula("a", "a"), folder + "/out.tif")
os.mkdir("warm")
run(job("warm"))
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
try:
    run(job("locked"))
except OutputError as error:
    print(error)
"""
    )
    assert result.returncode == 0, result.stderr
    assert (
        "locked" in result.stdout
        and "cannot be written to" in result.stdout
        and result.stdout.count("\n") == 1
    )
    assert not os.listdir(bench.path("locked"))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("NONSENSE=1", "NONSENSE"),
        ("COMPRES=ZSTD", "COMPRES"),
        ("COMPRESS=ZIP2000", "ZIP2000"),
        ("BLOCKXSIZE=100", "creation options"),
        ("BLOCKXSIZE=many", "BLOCKXSIZE"),
        ("PREDICTOR=9", "9"),
        ("ZLEVEL=99", "99"),
        ("INTERLEAVE=LINES", "LINES"),
        ("BIGTIFF=MAYBE", "MAYBE"),
        ("COMPRESS=JPEG", "JPEG"),
        ("COMPRESS=CCITTFAX4", "CCITT"),
        ("COMPRESS", "COMPRESS"),
        ("COMPRESS=", "COMPRESS="),
        ("=ZSTD", "=ZSTD"),
        ("COMPRESS=ZSTD|compress=LZW", "compress=LZW"),
        ("COMPRESS=ZSTD TILED=YES", "ZSTD TILED=YES"),
        ("DTYPE=uint8", "DTYPE"),
        ("driver=PNG", "driver=PNG"),
        ("nodata=0", "nodata=0"),
        ("count=3", "count=3"),
        ("crs=EPSG:4326", "crs"),
        ("transform=1", "transform"),
    ],
)
def test_creation_options_that_mean_nothing(
    bench: Bench, good: str, options: str, word: str
) -> None:
    Path(bench.path("ndvi.tif")).write_bytes(b"former result")
    refused(bench, bench.job((good, 1), (good, 2), creation_options=options), OptionError, word)


@pytest.mark.parametrize(("workers", "memory"), [(-1, 512), (1, 0), (1, -5)])
def test_numbers_of_workers_and_megabytes_that_mean_nothing(
    bench: Bench, good: str, workers: int, memory: int
) -> None:
    refused(
        bench,
        bench.job((good, 1), (good, 2), workers=workers, memory=memory),
        OptionError,
        str(workers),
        str(memory),
    )


@pytest.mark.parametrize("options", ["", "COMPRESS=NONE"])
def test_not_enough_room_is_seen_before_the_run(bench: Bench, options: str) -> None:
    """2,000,000 x 2,000,000 pixels of 4 bytes: 16 TB, 8 TB at best compressed, and a third of it for overviews."""
    inner = bench.save("red.tif", np.ones((4, 4), np.uint16))
    path = simple_vrt(bench, "world.vrt", inner, width=2_000_000, height=2_000_000)
    megabytes = "21333333" if options else "10666666"
    refused(
        bench,
        bench.job(path, path, creation_options=options),
        SpaceError,
        "ndvi.tif",
        f"{megabytes} MB",
        "free",
        "make room",
    )


@pytest.mark.parametrize("name", ["nir.jp2", "nir.tif", "striped.tif"])
def test_a_truncated_file_is_found_halfway(bench: Bench, name: str) -> None:
    """Half of the bytes of a raster of 25 windows: the sentence names file, band and window; the
    former result stays.
    """
    values = np.random.default_rng(3).integers(0, 10000, (1280, 1280), dtype=np.uint16)
    profile = {
        "nir.jp2": {"BLOCKXSIZE": "256", "BLOCKYSIZE": "256"},
        "nir.tif": {**TILED, "compress": "DEFLATE"},
        "striped.tif": {},
    }[name]
    path, other = bench.save(name, values, **profile), bench.save("red.tif", values, **TILED)  # type: ignore[arg-type]
    os.truncate(path, os.path.getsize(path) // 2)
    Path(bench.path("ndvi.tif")).write_bytes(b"former result")
    heard: list[float] = []
    before = bench.listing()
    job = bench.job(
        path, other, memory=24, workers=2, creation_options="BLOCKXSIZE=256|BLOCKYSIZE=256"
    )
    with pytest.raises(ReadError) as caught:
        run(job, progress=lambda fraction, note: heard.append(fraction))
    sentence = caught.value.args[0]
    assert path in sentence and "band 1" in sentence
    place = re.search(r"column (\d+), row (\d+) \((\d+) x (\d+) pixels\)", sentence)
    assert place and int(place[2]) + int(place[4]) > 512, "the upper half was there"
    assert "copy or download it again" in sentence and "\n" not in sentence
    assert bench.listing() == before


@pytest.mark.parametrize(
    "options",
    ["", "COMPRESS=NONE", "SPARSE_OK=YES", "COMPRESS=NONE|TILED=NO", "COMPRESS=ZSTD|BIGTIFF=YES"],
)
def test_a_disk_that_runs_full_leaves_nothing(bench: Bench, options: str) -> None:
    """A limit on the size of a file stands for the full disk: from no byte at all to a few short of
    what the result takes.
    """
    values = np.random.default_rng(4).integers(1, 10000, (700, 900), dtype=np.uint16)
    values[:300] = 0
    near, visible = (
        bench.save("nir.tif", values, nodata=0, **TILED),
        bench.save("red.tif", values[:, ::-1], nodata=0, **TILED),
    )
    run(bench.job(near, visible, output="whole.tif", creation_options=options, workers=2))
    size = os.path.getsize(bench.path("whole.tif"))
    Path(bench.path("ndvi.tif")).write_bytes(b"former result")
    before = bench.listing()
    limits = [1, 200, 5000, size // 2, size - 5000, size - 300, size - 1]
    result = bench.python(
        f"""
import resource
from bandwise.engine.errors import OutputError
from bandwise.engine.job import BandRef, Job
from bandwise.engine.expression.names import named_formula
from bandwise.engine.execution.pipeline import run
bands = (BandRef("nir", {near!r}), BandRef("red", {visible!r}))
job = Job(bands, named_formula("NDVI := (nir - red) / (nir + red)", ("nir", "red"), valid_range=(-1.0, 1.0)),
          {bench.path("ndvi.tif")!r}, creation_options={options!r}, workers=2)
for limit in {limits}:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        run(job)
        print(limit, "no error")
    except OutputError as error:
        print(limit, type(error).__name__, str(error))
"""
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == len(limits), result.stdout
    for limit, line in zip(limits, lines):
        assert line.startswith(f"{limit} OutputError") and "ndvi.tif" in line, line
    assert bench.listing() == before


def test_the_wrong_grid_is_also_an_input_error() -> None:
    """Whoever catches InputError or ValueError catches GridError; all are BandwiseErrors."""
    assert issubclass(GridError, InputError) and issubclass(InputError, (BandwiseError, ValueError))
    assert (
        issubclass(SpaceError, OutputError)
        and issubclass(OutputError, OSError)
        and issubclass(ReadError, OSError)
    )
