# SPDX-License-Identifier: GPL-2.0-or-later
"""Damaged inputs of nine and more codecs: no crash, and pixels pass only where GDAL read them
without an error, as GDAL read them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from children import Children, Order
from second_reader import assert_read_alike
from stress_case import Case, Tally

WIDTH, HEIGHT = 150, 130
_SYSTEM = "/usr/bin/python3"
_READER = Path(__file__).resolve().parents[2] / "reference" / "gdal_reads.py"
_TILES = {"tiled": True, "blockxsize": 64, "blockysize": 64}

#: Name -> (suffix, dtype, profile); the suffix of the data where a header lies beside them.
FORMATS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "none": (".tif", "uint16", {**_TILES}),
    "packbits": (".tif", "uint16", {**_TILES, "compress": "packbits"}),
    "lzw": (".tif", "uint16", {**_TILES, "compress": "lzw", "predictor": 2}),
    "deflate": (".tif", "uint16", {**_TILES, "compress": "deflate"}),
    "zstd": (".tif", "uint16", {**_TILES, "compress": "zstd"}),
    "lzma": (".tif", "uint16", {**_TILES, "compress": "lzma"}),
    "jpeg": (".tif", "uint8", {**_TILES, "compress": "jpeg"}),
    "lerc": (".tif", "float32", {**_TILES, "compress": "lerc"}),
    "strips": (".tif", "uint16", {"compress": "deflate", "blockysize": 16}),
    "jp2": (
        ".jp2",
        "uint16",
        {
            "driver": "JP2OpenJPEG",
            "QUALITY": "100",
            "REVERSIBLE": "YES",
            "BLOCKXSIZE": "64",
            "BLOCKYSIZE": "64",
        },
    ),
    "envi": (".dat", "int16", {"driver": "ENVI"}),
    "ehdr": (".bil", "int16", {"driver": "EHdr"}),
    "hfa": (".img", "uint16", {"driver": "HFA", "COMPRESSED": "YES"}),
}


class Gdal:
    """A process of the system's Python with GDAL's own bindings."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [_SYSTEM, str(_READER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.version = subprocess.run(
            [_SYSTEM, "-c", "from osgeo import gdal; print(gdal.__version__)"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    def read(self, path: Path) -> dict[str, Any] | None:
        """What it says of a file; None where it crashed over it, as GDAL may: the next file has a new process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate()
            self.__init__()  # type: ignore[misc]
            return None
        return dict(json.loads(line))

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def gdal() -> Iterator[Gdal]:
    if subprocess.run(
        [_SYSTEM, "-c", "import osgeo.gdal, numpy"], capture_output=True, check=False
    ).returncode:
        pytest.skip("needs python3-gdal")
    started = Gdal()
    yield started
    started.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Format -> its files, the data first."""
    folder, made = tmp_path_factory.mktemp("sound"), {}
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    values = 5 * columns + 7 * rows + np.random.default_rng(3).integers(0, 90, (HEIGHT, WIDTH))
    for name, (suffix, dtype, profile) in FORMATS.items():
        place = folder / name
        place.mkdir()
        options = {
            "driver": "GTiff",
            "crs": "EPSG:32633",
            "transform": rasterio.Affine(10, 0, 300000, 0, -10, 5000040),
            "nodata": 0,
            **profile,
        }
        if name == "jp2":
            del options["nodata"]
        with rasterio.open(
            place / f"in{suffix}", "w", count=1, width=WIDTH, height=HEIGHT, dtype=dtype, **options
        ) as dataset:
            dataset.write((values % 251 if dtype == "uint8" else values).astype(dtype), 1)
        made[name] = sorted(place.iterdir(), key=lambda path, data=suffix: path.suffix != data)
    return made


def damaged(data: bytes, random: Any) -> tuple[bytes, str]:
    """A few bytes changed, near the start, near the end, where the index lies, or anywhere; or a
    part cut off, zeroed or doubled.
    """
    manner = random.choice(
        ("bytes", "bytes", "bits", "bits", "cut", "zeros", "doubled", "small number")
    )
    reach = random.choice((64, 600, len(data), len(data)))
    start = random.choice((0, 0, max(0, len(data) - reach)))
    places = [
        start + random.randrange(min(reach, len(data) - start))
        for _ in range(random.choice((1, 1, 2, 4, 16)))
    ]
    changed, first = bytearray(data), places[0]
    if manner == "cut":
        return data[
            : random.choice((first, len(data) - 1 - random.randrange(min(len(data), 300))))
        ], f"cut at {first}"
    if manner == "zeros":
        length = random.choice((4, 64, 1000))
        changed[first : first + length] = bytes(len(changed[first : first + length]))
    elif manner == "doubled":
        changed[first:first] = changed[first : first + random.choice((1, 8, 100))]
    elif manner == "small number":
        changed[first : first + 2] = random.choice((b"\0\0", b"\1\0", b"\xff\xff", b"\0\x80"))
    else:
        for place in places:
            changed[place] = (
                random.randrange(256)
                if manner == "bytes"
                else changed[place] ^ (1 << random.randrange(8))
            )
    return bytes(changed), f"{manner} at {places}"


def test_a_damaged_input(
    case: Case,
    sound: dict[str, list[Path]],
    gdal: Gdal,
    children: Children,
    tmp_path: Path,
    tally: Tally,
) -> None:
    name = list(FORMATS)[case.number % len(FORMATS)]
    files = [tmp_path / file.name for file in sound[name]]
    for source, copy in zip(sound[name], files):
        copy.write_bytes(source.read_bytes())
    victim = case.random.choice(files)
    spoilt, manner = damaged(victim.read_bytes(), case.random)
    victim.write_bytes(spoilt)
    what = f"{name}: {victim.name}, {manner}"
    answers = [gdal.read(files[0]) for _ in range(3)]
    before = sorted(path.name for path in tmp_path.iterdir())
    output = tmp_path / "result.tif"
    (outcome,) = children.run(Order(_job(files[0], output)))
    assert not outcome.signal, f"{what}: killed by signal {outcome.signal}; GDAL: {answers[0]}"
    assert outcome.expected, f"{what}: {outcome.text}"
    if outcome.error:
        assert len(outcome.text.splitlines()) == 1 and "in." in outcome.text, f"{what}: {outcome}"
        assert sorted(path.name for path in tmp_path.iterdir()) == before, what
        tally("refused in one sentence")
        return
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((*before, output.name)), what
    assert_read_alike(str(output))
    _assert_as_gdal_reads(files[0], output, answers, gdal.version, what, tally)


def _job(path: Path, output: Path) -> Any:
    """The band as it is stored, in Float64; a band that cannot be opened is met in the run, as QGIS would."""
    from bandwise.engine.expression.names import named_formula
    from bandwise.engine.job import BandRef, Job
    from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
    from bandwise.engine.radiometry.storage import DataType

    formula = named_formula("value := a", ("a",))
    radiometry = RadiometryChoice(scaling=Scaling.STORED)
    return Job(
        (BandRef("a", str(path)),),
        formula,
        str(output),
        radiometry=radiometry,
        data_type=DataType.FLOAT64,
        memory=64,
        workers=2,
    )


def _assert_as_gdal_reads(
    path: Path, output: Path, answers: list[Any], version: str, what: str, tally: Tally
) -> None:
    """As that very GDAL reads it, or where this rasterio has another one, whose codecs may differ
    over damage, as rasterio reads it at once.

    A deflated block that ends too early leaves pixels to chance in libtiff: those that GDAL itself
    reads in two ways are not compared.
    """
    same = version == rasterio.__gdal_version__
    # its driver reads beyond its memory now and then, so no pixels are certain
    if same and None in answers:
        tally("read, where GDAL itself crashes now and then")
        return
    if same:
        assert all(
            answer["pixels"] and not any(kind >= 3 for kind, _ in answer["reading"])
            for answer in answers
        ), f"{what}: {answers[0]}"
        reads = [_kept(answer["pixels"]) for answer in answers]
    else:
        reads = [_read_at_once(path) for _ in range(3)]
    pixels, mask = reads[0]
    certain = np.ones(pixels.shape, bool)
    for again, its_mask in reads[1:]:
        certain &= ((pixels == again) | ((pixels != pixels) & (again != again))) & (
            mask == its_mask
        )
    with rasterio.open(output) as dataset:
        got, nodata = dataset.read(1), dataset.nodata
    valid = got != nodata
    assert got.shape == pixels.shape, what
    np.testing.assert_array_equal(
        valid[certain], ((mask != 0) & np.isfinite(pixels))[certain], what
    )
    both = valid & (mask != 0) & certain
    np.testing.assert_array_equal(got[both], pixels[both].astype(np.float64), what)
    warned = answers[0] is None or answers[0]["reading"] or answers[0]["opening"]
    tally("read as GDAL reads it, with a warning" if warned else "read as GDAL reads it")


def _kept(path: str) -> tuple[Any, Any]:
    with np.load(path) as kept:
        return kept["pixels"], kept["mask"]


def _read_at_once(path: Path) -> tuple[Any, Any]:
    with rasterio.open(path) as dataset:
        return dataset.read(1), dataset.read_masks(1)
