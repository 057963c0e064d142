# SPDX-License-Identifier: GPL-2.0-or-later
"""Products with the names that agencies deliver them by, built small from the public format documents.

Sentinel-2: S2-PDGS-TAS-DI-PSD. Landsat: LSDS-1822, LSDS-1328, LSDS-1414, LSDS-1416. HLS: Product
User Guide 2.0. MODIS: MOD09 and MCD43 user guides. PlanetScope: Imagery Product Specification.
Each band is filled with one number of its own, by which a test tells it again.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from bandwise.engine.errors import BandwiseError
from bandwise.engine.scenes.opening import open_scene
from bandwise.engine.scenes.scene import Scene
from bench import Bench
from radiometry_cases import sentinel2

SAFE = "S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454"
GRANULE = "L2A_T29UNU_A038058_20221005T115407"
TILE = "T29UNU_20221005T115411"
SAFE_L1C = "S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234"
TILE_L1C = "T34UCF_20230823T095559"
#: What a Level-2A product holds in each resolution
LEVEL2A = {
    10: ("B02", "B03", "B04", "B08", "AOT", "WVP", "TCI"),
    20: (
        *("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B11", "B12"),
        *("AOT", "SCL", "TCI", "WVP"),
    ),
    60: (
        *("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B09", "B11", "B12"),
        *("AOT", "SCL", "TCI", "WVP"),
    ),
}
S2_BANDS = (
    *("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12"),
)
SHAPE = (6, 8)

LC08 = "LC08_L2SP_193026_20200701_20200913_02_T1"
LC08_L1 = "LC08_L1TP_193026_20200701_20200913_02_T1"
LE07 = "LE07_L2SP_193026_20050701_20200913_02_T1"
LE07_L1 = "LE07_L1TP_193026_20050701_20200913_02_T1"
LT05 = "LT05_L2SP_193026_19900701_20200913_02_T1"
LM04_L1 = "LM04_L1TP_193026_19830701_20200913_02_T2"
S30, L30 = "HLS.S30.T33UUP.2020183T101559.v2.0", "HLS.L30.T33UUP.2020183T100010.v2.0"
PLANET = "20220401_084707_44_2455"
MOD09GA = "MOD09GA.A2020183.h18v03.061.2020185032012"
MCD43A4 = "MCD43A4.A2020183.h18v03.061.2020192043207"


def number_of(name: str) -> int:
    """The stored value of a band's pixels: 1000 and more, another for each name."""
    return 1000 + sum(ord(letter) * 7**place for place, letter in enumerate(name)) % 5000


def touch(bench: Bench, *names: str) -> list[str]:
    """Files without content: for those whose names alone matter."""
    paths = [bench.path(name) for name in names]
    for path in paths:
        Path(path).write_bytes(b"")
    return paths


def safe(bench: Bench, folder: str = f"{SAFE}.SAFE", *, metadata: bool = True) -> str:
    """A Level-2A product, its folder called as told; files of bands are empty."""
    images = f"{folder}/GRANULE/{GRANULE}/IMG_DATA"
    touch(
        bench,
        *(
            f"{images}/R{m}m/{TILE}_{band}_{m}m.jp2"
            for m, bands in LEVEL2A.items()
            for band in bands
        ),
        f"{folder}/GRANULE/{GRANULE}/QI_DATA/MSK_QUALIT_B04.jp2",
        f"{folder}/GRANULE/{GRANULE}/MTD_TL.xml",
        f"{folder}/manifest.safe",
        f"{folder}/INSPIRE.xml",
    )
    if metadata:
        write_metadata(bench, folder)
    return str(bench.folder / folder)


def safe_l1c(bench: Bench, folder: str = f"{SAFE_L1C}.SAFE") -> str:
    """A Level-1C product; files of bands are empty."""
    images = f"{folder}/GRANULE/L1C_T34UCF_A033758_20230823T095956/IMG_DATA"
    touch(bench, *(f"{images}/{TILE_L1C}_{band}.jp2" for band in (*S2_BANDS, "TCI")))
    write_metadata(bench, folder, "L1C", SAFE_L1C)
    return str(bench.folder / folder)


def write_metadata(
    bench: Bench, folder: str, level: str = "L2A", uri: str = SAFE, offset: str = "-1000"
) -> str:
    offsets = {str(number): offset for number in range(13)}
    path = bench.path(f"{folder}/MTD_MSI{level}.xml")
    Path(path).write_text(sentinel2(level, offsets=offsets, uri=f"{uri}.SAFE"), "utf-8")
    return path


def landsat(bench: Bench, product: str, parts: Iterable[str], folder: str = "landsat") -> str:
    """A Landsat product; files of bands are empty, and its MTL holds nothing."""
    touch(bench, *(f"{folder}/{product}_{part}" for part in parts))
    touch(bench, *(f"{folder}/{product}_{part}" for part in ("MTL.txt", "MTL.json", "ANG.txt")))
    return str(bench.folder / folder)


def zipped(folder: str, archive: str, *, top: str = "") -> str:
    """A zip of the folder; its files lie in it below ``top``."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                file.write(path, f"{top}{path.relative_to(folder).as_posix()}")
    return archive


def tarred(folder: str, archive: str, form: int = tarfile.GNU_FORMAT) -> str:
    """A tar of the files of a folder, as the agency of Landsat delivers it; gzipped where its name says so."""
    with tarfile.open(archive, "w:gz" if archive.endswith("gz") else "w", format=form) as file:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                file.add(path, path.relative_to(folder).as_posix())
    return archive


def flat(bench: Bench, folder: str, into: str = "flat") -> str:
    """All files of a product in one folder."""
    Path(bench.path(f"{into}/x")).parent.mkdir(exist_ok=True)
    for path in Path(folder).rglob("*"):
        if path.is_file():
            shutil.copyfile(path, bench.path(f"{into}/{path.name}"))
    return str(bench.folder / into)


def no_parts(path: str) -> Sequence[str]:
    raise AssertionError(f"nobody asks for the parts of {path}")


def opened(path: str) -> Scene:
    """The scene of a path that has no containers."""
    return open_scene(str(path), no_parts)


def refusal(path: str) -> str:
    """The one sentence with which a path is refused."""
    try:
        scene = opened(path)
    except BandwiseError as error:
        sentence = str(error)
        assert "\n" not in sentence
        assert len(sentence) < 1500
        return sentence
    raise AssertionError(f"not refused: {scene}")


def roles(scene: Scene) -> dict[str, tuple[str, float]]:
    """By role the name of the file (with the folder's resolution told by it) and the resolution."""
    return {band.role: (band.name, band.resolution) for band in scene.bands if band.role}


def raster(bench: Bench, name: str, *, dtype: str = "uint16", bands: int = 1) -> str:
    """A raster whose band holds :func:`number_of` its name and, for more, of ``name:number``."""
    stem = Path(name).name
    values = [number_of(stem if bands == 1 else f"{stem}:{n}") for n in range(1, bands + 1)]
    return bench.save(name, np.stack([np.full(SHAPE, value, dtype) for value in values]))
