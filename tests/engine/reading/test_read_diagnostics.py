# SPDX-License-Identifier: GPL-2.0-or-later
"""What GDAL says while it reads, and what happens to files meanwhile: no wrong pixel passes as a right one."""

from __future__ import annotations

import logging
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.errors
from bandwise.engine.backend.captured import GdalMessages
from bandwise.engine.backend.choice import backend, listening
from bandwise.engine.errors import InputError, ReadError
from bandwise.engine.execution.pipeline import run
from bench import Bench
from range_server import Server

SIDE = 300
VALUES = np.random.default_rng(1).integers(0, 3, (SIDE, SIDE)).astype(np.uint8)


def save_masked(bench: Bench, name: str) -> str:
    """A TIFF of two directories, the second of a mask that hides nothing: GDAL looks for it with the first read."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        return bench.save(name, VALUES, mask=np.ones((SIDE, SIDE), bool))


def end_the_directories_nowhere(path: str) -> None:
    """Let a TIFF's last directory name a next one where there is none: GDAL reports a failure when
    it looks for the mask, and returns pixels and mask.
    """
    data = bytearray(Path(path).read_bytes())
    place = 4
    while 0 < (following := struct.unpack("<I", data[place : place + 4])[0]) < len(data):
        (entries,) = struct.unpack("<H", data[following : following + 2])
        place = following + 2 + 12 * entries
    data[place : place + 4] = struct.pack("<I", len(data) + 1000)
    Path(path).write_bytes(data)


def run_and_spoil(bench: Bench, path: str, **options: Any) -> str:
    """The message of a run whose input is spoilt once it is planned."""
    save_masked(bench, Path(path).name)
    job = bench.job(path, path, **options)
    with pytest.raises(ReadError) as caught:
        run(
            job,
            progress=lambda fraction, note: None if fraction else end_the_directories_nowhere(path),
        )
    return str(caught.value)


@pytest.fixture
def warning(bench: Bench) -> str:
    """PackBits of 4000 rows whose runs reach beyond a row in many: GDAL cuts them off, warns, and
    calls it a success.
    """
    rows = np.tile(np.array([7], np.uint8), (4000, SIDE))
    path = Path(bench.save("warning.tif", rows, compress="PACKBITS", blockysize=1))
    data = bytearray(path.read_bytes())
    # A row is runs of 128, 128 and 44 equal bytes: 0x81 7 0x81 7 0xd5 7; every thousandth becomes
    # longer, each by another length.
    whole, at = bytes([0x81, 7, 0x81, 7, 0xD5, 7]), -1
    for number in range(4000):
        at = data.index(whole, at + 1)
        if number % 100 == 50:
            data[at + 4] = 0xD5 - 1 - number // 100
    path.write_bytes(data)
    return str(path)


@contextmanager
def logging_set_to(manner: str) -> Iterator[list[str]]:
    """The host's logging set up in one of several ways; what reaches its handler."""
    seen: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    logger, handler = logging.getLogger("rasterio"), Handler()
    logger.addHandler(handler)
    own = [logging.getLogger(name) for name in ("rasterio._env", "rasterio._err")]
    try:
        if manner == "disabled":
            logging.disable(logging.CRITICAL)
        for one in own:
            one.disabled = manner == "existing loggers disabled"
            one.setLevel(
                {"verbose": logging.DEBUG, "quiet": logging.CRITICAL}.get(manner, logging.NOTSET)
            )
        yield seen
    finally:
        logging.disable(logging.NOTSET)
        logger.removeHandler(handler)
        for one in own:
            one.disabled = False
            one.setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    "manner", ["plain", "verbose", "quiet", "disabled", "existing loggers disabled"]
)
def test_a_reported_failure_stops_the_run(bench: Bench, manner: str) -> None:
    """The library alone returns the pixels; whatever the host's logging is set to, a run does not, and
    the host sees none of GDAL's words.
    """
    path = save_masked(bench, "failing.tif")
    end_the_directories_nowhere(path)
    with rasterio.open(path) as dataset:
        assert (dataset.read(1) == VALUES).all(), "GDAL calls it a success"
    before = set(bench.listing())
    for _ in range(2):
        with logging_set_to(manner) as seen:
            words = run_and_spoil(bench, path)
        assert (
            path in words
            and "irectory" in words
            and "copy or download it again" in words
            and "\n" not in words
        )
        assert not [line for line in seen if "irectory" in line]
    assert set(bench.listing()) == before
    for name in ("rasterio._env", "rasterio._err"):
        assert not {"isEnabledFor", "handle"} & set(vars(logging.getLogger(name))), (
            "the host's loggers are as they were"
        )


@pytest.mark.parametrize("workers", [1, 3])
def test_warnings_are_shown_once_and_not_without_end(
    bench: Bench, warning: str, workers: int
) -> None:
    """40 rows are too long, each by another length: ten are told, and that there were thirty more."""
    lines: list[Any] = []
    job = bench.job(
        warning, bench.save("red.tif", np.full((4000, SIDE), 3, np.uint8)), workers=workers
    )
    for _ in range(2):
        lines.clear()
        report = run(job, progress=lambda fraction, note: lines.append(note) if note else None)
        warned = [
            str(note.text) for note in lines if note.warning and str(note.text).startswith("GDAL")
        ]
        assert (
            len([line for line in warned if "PackBitsDecode" in line]) == 10 == len(set(warned)) - 1
        )
        assert warned[-1] == "GDAL gave 30 more warnings, which are not shown"
        assert report.statistics[0].valid == 4000 * SIDE


def test_two_runs_at_once_hear_their_own(bench: Bench, warning: str) -> None:
    """One fails, one is warned of, one is quiet, all at a time and again and again."""
    quiet = bench.save("quiet.tif", VALUES)
    paths = {"failing": bench.path("failing.tif"), "warning": warning, "quiet": quiet}
    heard: dict[str, list[Any]] = {name: [] for name in paths}

    def keep(notes: list[str], fraction: float, note: Any) -> None:
        if note:
            notes.append(str(note.text))

    def work(name: str) -> None:
        path = paths[name]
        for _ in range(5):
            notes: list[Any] = []
            failures = []
            if name == "failing":
                failures.append(run_and_spoil(bench, path, output="failing_out.tif"))
            else:
                run(bench.job(path, path, output=f"{name}_out.tif"), progress=partial(keep, notes))
            heard[name].append([text for text in notes if text.startswith("GDAL")] + failures)

    threads = [threading.Thread(target=work, args=(name,)) for name in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard["quiet"] == [[]] * 5
    assert all(
        len(lines) == 1 and "irectory" in lines[0] and paths["failing"] in lines[0]
        for lines in heard["failing"]
    )
    assert all(len(lines) == 11 and "irectory" not in "".join(lines) for lines in heard["warning"])


@pytest.mark.skipif(backend().name != "rasterio", reason="rasterio alone has loggers")
def test_other_threads_keep_their_logging(bench: Bench) -> None:
    """While one thread listens another's messages go where its host sends them."""
    failing = bench.save("failing.tif", VALUES)
    end_the_directories_nowhere(failing)
    with logging_set_to("verbose") as seen, listening(GdalMessages()):

        def read() -> None:
            with backend().worker_settings(), rasterio.open(failing) as dataset:
                dataset.read(1)

        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
        assert [line for line in seen if "irectory" in line]


@pytest.mark.parametrize("form", ["ENVI", "VRT"])
def test_a_raw_file_that_was_cut_off(bench: Bench, form: str) -> None:
    """GDAL reads zeros beyond its end without a word, but for 3.13, which fails for a VRT."""
    values = np.full((SIDE, SIDE), 7, np.uint16)
    path = raw = bench.save("raw.img", values, driver="ENVI")
    if form == "VRT":
        path = bench.path("raw.vrt")
        Path(path).write_text(
            f'<VRTDataset rasterXSize="{SIDE}" '
            f'rasterYSize="{SIDE}"><SRS>EPSG:32633</SRS><GeoTransform>300000,10,0,5000040,0,-10</GeoTransform>'
            '<VRTRasterBand dataType="UInt16" band="1" subClass="VRTRawRasterBand"><SourceFilename '
            'relativetoVRT="1">raw.img</SourceFilename>'
            f"<ImageOffset>0</ImageOffset><PixelOffset>2</PixelOffset><LineOffset>{2 * SIDE}</LineOffset>"
            "<ByteOrder>LSB</ByteOrder>"
            "</VRTRasterBand></VRTDataset>"
        )
    assert (bench.ndvi(path, bench.save("red.tif", values)) == 0).all()
    os.truncate(raw, 2 * SIDE * SIDE - 2)
    with suppress(rasterio.errors.RasterioError), rasterio.open(path) as dataset:
        assert dataset.read(1)[-1, -1] != 7
    with pytest.raises(InputError, match="shorter than its header says"):
        bench.ndvi(path, bench.path("red.tif"))


def spoil_halfway(bench: Bench, spoil: Any, *bands: str) -> str:
    """The message of a run over whose inputs something comes once its first windows are done; nothing new is left."""
    job = bench.job(*bands, workers=1, memory=8, creation_options="COMPRESS=NONE")
    before = set(bench.listing())
    done: list[float] = []

    def progress(fraction: float, note: Any) -> None:
        if fraction and not done:
            done.append(fraction)
            spoil()

    with pytest.raises(ReadError) as caught:
        run(job, progress=progress)
    assert set(bench.listing()) == before
    return str(caught.value)


@pytest.mark.parametrize("change", ["pixels", "replaced", "grown"])
@pytest.mark.parametrize("form", ["plain", "raw", "vrt", "zip"])
def test_a_file_that_changes_midway(bench: Bench, form: str, change: str) -> None:
    """The size, the time or the file itself is another at the end; the message names the file."""
    values = np.full((3000, 1024), 5, np.uint16)
    red = bench.save("red.tif", values)
    changed = path = (
        bench.save("nir.img", values, driver="ENVI")
        if form == "raw"
        else bench.save("nir.tif", values)
    )
    if form == "vrt":
        import rasterio.shutil

        path = bench.path("nir.vrt")
        rasterio.shutil.copy(changed, path, driver="VRT")
    if form == "zip":
        import zipfile

        with zipfile.ZipFile(bench.path("nir.zip"), "w") as archive:
            archive.write(changed, "nir.tif")
        changed, path = bench.path("nir.zip"), f"/vsizip/{bench.path('nir.zip')}/nir.tif"

    def spoil() -> None:
        data = Path(changed).read_bytes()
        if change == "replaced":
            facts = os.stat(changed)
            Path(changed + ".new").write_bytes(data)
            os.utime(changed + ".new", ns=(facts.st_atime_ns, facts.st_mtime_ns))
            os.replace(changed + ".new", changed)
        else:
            with Path(changed).open("r+b") as file:
                file.seek(len(data) if change == "grown" else len(data) // 2)
                file.write(b"\1")

    assert (bench.ndvi(path, red, output="before.tif") == 0).all()
    words = spoil_halfway(bench, spoil, path, red)
    assert Path(changed).name in words and "was changed or removed while it was read" in words
    if change != "pixels" or form == "plain":
        assert (
            bench.ndvi(path, red, output="after.tif", creation_options="COMPRESS=NONE") <= 0.7
        ).all(), "and again, undisturbed"


@pytest.mark.parametrize("keeps", ["nothing", "size", "size and time"])
def test_a_remote_file_that_changes_midway(
    bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch, keeps: str
) -> None:
    monkeypatch.setenv("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR")
    values = np.full((3000, 1024), 5, np.uint16)
    name = f"{keeps.replace(' ', '_')}.tif"
    near, red = Path(bench.save(f"web/{name}", values)), bench.save("red.tif", values)

    def spoil() -> None:
        facts = near.stat()
        new = near.with_suffix(".new")
        new.write_bytes(near.read_bytes()[:-2] + (b"\1\1" if keeps != "nothing" else b"\1\1\1\1"))
        os.replace(new, near)  # all at once: a server that finds half a file gives another error
        os.utime(
            near, ns=(facts.st_atime_ns, facts.st_mtime_ns + (10**10 if keeps == "size" else 0))
        )

    words = spoil_halfway(bench, spoil, server.address(str(near)), red)
    assert name in words and "was changed or removed while it was read" in words


@pytest.mark.parametrize("tells", ["all", "nothing", "another tag each time", "no HEAD"])
def test_a_remote_file_that_stays(
    bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch, tells: str
) -> None:
    monkeypatch.setenv("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR")
    server.tells = tells
    values = np.full((1000, 1024), 5, np.uint16)
    near = bench.save(f"web/{tells.replace(' ', '_')}.tif", values)
    assert (bench.ndvi(server.address(near), bench.save("red.tif", values)) == 0).all()


def test_statistics_that_qgis_writes_beside_a_layer_change_nothing(bench: Bench) -> None:
    values = np.full((3000, 1024), 5, np.uint16)
    near, red = bench.save("nir.tif", values), bench.save("red.tif", values)
    sidecar = Path(near + ".aux.xml")
    sidecar.write_text("<PAMDataset></PAMDataset>")
    done: list[float] = []

    def progress(fraction: float, note: Any) -> None:
        if fraction and not done:
            done.append(fraction)
            sidecar.write_text('<PAMDataset><Metadata><MDI key="a">b</MDI></Metadata></PAMDataset>')

    run(bench.job(near, red, workers=1, memory=8), progress=progress)
    assert done
