# SPDX-License-Identifier: GPL-2.0-or-later
"""Every layout that agencies deliver: packed, renamed, incomplete, two dates in one folder, without metadata.

Names are those of the public format documents; files have no pixels.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest
from bandwise.engine.errors import InputError
from bandwise.engine.scenes.opening import open_scene
from bandwise.engine.scenes.scene import Scene
from bench import Bench
from scene_cases import (
    L30,
    LC08,
    LC08_L1,
    LE07,
    LT05,
    MCD43A4,
    MOD09GA,
    PLANET,
    S30,
    landsat,
    safe,
    safe_l1c,
    tarred,
    touch,
    zipped,
)


@dataclass(frozen=True)
class Layout:
    """A product: how its folder is made, the ``red`` band's files and name, and its date as names have it."""

    make: Callable[[Bench, str], str]
    red: str
    band: str
    dated: str
    redated: str
    date: str
    metadata: tuple[str, ...] = ()
    packs: bool = True


def of_names(*names: str) -> Callable[[Bench, str], str]:
    def make(bench: Bench, folder: str) -> str:
        touch(bench, *(f"{folder}/{name}" for name in names))
        return str(bench.folder / folder)

    return make


def of_landsat(product: str, *bands: str) -> Callable[[Bench, str], str]:
    parts = [f"{band}.TIF" for band in (*bands, "QA_PIXEL")]
    return lambda bench, folder: landsat(bench, product, parts, folder)


def surface(*numbers: int) -> list[str]:
    return [f"SR_B{number}" for number in numbers]


MTL = ("*_MTL.txt", "*_MTL.json", "*_ANG.txt")
_DAY: dict[str, Any] = {
    "dated": "20200701",
    "redated": "20200717",
    "date": "2020-07-01",
    "metadata": MTL,
}
_JULIAN: dict[str, Any] = {"dated": "2020183", "redated": "2020190", "date": "2020-07-01"}
HLS = ("B02", "B03", "B04", "Fmask")
MODIS = {
    MOD09GA: ["MODIS_Grid_1km_2D:state_1km_1"]
    + [f"MODIS_Grid_500m_2D:sur_refl_b0{n}_1" for n in range(1, 8)],
    MCD43A4: [f"MOD_Grid_BRDF:Nadir_Reflectance_Band{n}" for n in range(1, 8)],
}
LAYOUTS = {
    "Sentinel-2 L2A": Layout(
        safe, "*_B04_*.jp2", "B04", "20221005", "20221010", "2022-10-05", ("*.xml", "*.safe")
    ),
    "Sentinel-2 L1C": Layout(
        safe_l1c, "*_B04.jp2", "B04", "20230823", "20230828", "2023-08-23", ("*.xml",)
    ),
    "Landsat 8 L2": Layout(of_landsat(LC08, *surface(*range(1, 8))), "*_B4.TIF", "B4", **_DAY),
    "Landsat 9 L2": Layout(
        of_landsat(LC08.replace("LC08", "LC09"), *surface(*range(1, 8))), "*_B4.TIF", "B4", **_DAY
    ),
    "Landsat 8 L1": Layout(
        of_landsat(LC08_L1, *(f"B{n}" for n in range(1, 12))), "*_B4.TIF", "B4", **_DAY
    ),
    "Landsat 7 L2": Layout(
        of_landsat(LE07, *surface(1, 2, 3, 4, 5, 7)),
        *("*_B3.TIF", "B3", "20050701", "20050717", "2005-07-01", MTL),
    ),
    "Landsat 5 L2": Layout(
        of_landsat(LT05, *surface(1, 2, 3, 4, 5, 7)),
        *("*_B3.TIF", "B3", "19900701", "19900717", "1990-07-01", MTL),
    ),
    "HLS S30": Layout(
        of_names(*(f"{S30}.{part}.tif" for part in (*HLS, "B8A")), f"{S30}.cmr.xml"),
        *("*.B04.tif", "B04"),
        **_JULIAN,
        metadata=("*.cmr.xml",),
    ),
    "HLS L30": Layout(
        of_names(*(f"{L30}.{part}.tif" for part in (*HLS, "B05"))), "*.B04.tif", "B04", **_JULIAN
    ),
    "MODIS MOD09GA": Layout(of_names(f"{MOD09GA}.hdf"), "", "B1", **_JULIAN, packs=False),
    "MODIS MCD43A4": Layout(of_names(f"{MCD43A4}.hdf"), "", "B1", **_JULIAN, packs=False),
    "PlanetScope": Layout(
        of_names(
            *(f"{PLANET}_3B_{part}" for part in ("AnalyticMS_SR_8b.tif", "udm2.tif")),
            f"{PLANET}_3B_AnalyticMS_8b_metadata.xml",
        ),
        *("", "red", "20220401", "20220408", "2022-04-01", ("*.xml",)),
    ),
}
PACKED = [name for name, layout in LAYOUTS.items() if layout.packs]
OF_FILES = [name for name, layout in LAYOUTS.items() if layout.red]


def parts_of(path: str) -> Sequence[str]:
    """What GDAL's driver HDF4 names in a file of MODIS."""
    kind = MOD09GA if "MOD09GA" in Path(path).name else MCD43A4
    return [f'HDF4_EOS:EOS_GRID:"{path}":{part}' for part in MODIS[kind]]


def opened(path: object) -> Scene:
    return open_scene(str(path), parts_of)


def told(scene: Scene) -> tuple[object, ...]:
    """What a scene tells but for where it lies."""
    bands = [(band.role, band.name, band.number, band.resolution) for band in scene.bands]
    mask = scene.mask and (Path(scene.mask.path).name, scene.mask.rule)
    return scene.sensor, scene.level, scene.date, scene.tile, bands, mask


@pytest.mark.parametrize("name", LAYOUTS)
def test_as_it_is_delivered(bench: Bench, name: str) -> None:
    scene = opened(LAYOUTS[name].make(bench, "p"))
    assert scene.sensor in name or scene.sensor == name[:3]
    assert (scene.date, scene.band("red").name.removeprefix("SR_")) == (
        LAYOUTS[name].date,
        LAYOUTS[name].band,
    )
    assert scene.band("nir").name and (scene.mask or name in ("Sentinel-2 L1C", "MODIS MCD43A4"))


@pytest.mark.parametrize(
    "packed", ["a.zip", "b.tar", "c.tar.gz", "no suffix", "only/in folder.zip"]
)
@pytest.mark.parametrize("name", PACKED)
def test_packed(bench: Bench, name: str, packed: str) -> None:
    """By an archive of any name, a folder that holds nothing else, and a folder in it."""
    folder = LAYOUTS[name].make(bench, "p")
    archive = bench.path(packed)
    (tarred if ".tar" in packed else zipped)(folder, archive)
    scene = opened(Path(archive).parent if packed.startswith("only/") else archive)
    assert told(scene) == told(opened(folder))
    assert all(band.path.startswith(("/vsizip/", "/vsitar/")) for band in scene.bands)


@pytest.mark.parametrize(
    "renamed", ["a scene (1)", "Ärger.SAFE", "2019/01/x", "S2A_MSIL1C_20190101T000000"]
)
@pytest.mark.parametrize("name", LAYOUTS)
def test_renamed(bench: Bench, name: str, renamed: str) -> None:
    """The names of the folder and of those above it tell nothing."""
    assert told(opened(LAYOUTS[name].make(bench, renamed))) == told(
        opened(LAYOUTS[name].make(bench, "p"))
    )


@pytest.mark.parametrize("name", OF_FILES)
def test_incomplete(bench: Bench, name: str) -> None:
    """Without its red band: the others are there, and the sentence names the file that is expected."""
    layout = LAYOUTS[name]
    folder = layout.make(bench, "p")
    whole = opened(folder)
    for path in list(Path(folder).rglob(layout.red)):
        path.unlink()
    scene = opened(folder)
    assert {band.role for band in whole.bands} - {band.role for band in scene.bands} == {"red"}
    with pytest.raises(InputError) as caught:
        scene.band("red")
    said = str(caught.value)
    assert f"has no file of red, which is {layout.band} of {scene.sensor}; it has " in said
    assert "nir = " in said and "\n" not in said


@pytest.mark.parametrize("name", LAYOUTS)
def test_two_dates_in_one_folder(bench: Bench, name: str) -> None:
    """One sentence with both; each by any of its files."""
    layout = LAYOUTS[name]
    folder = Path(layout.make(bench, "p"))
    first = told(opened(folder))
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        other = folder / str(path.relative_to(folder)).replace(layout.dated, layout.redated)
        if other != path and path.suffix not in (".safe", ".xml"):
            other.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, other)
    with pytest.raises(InputError) as caught:
        opened(folder)
    said = str(caught.value)
    assert "holds 2 scenes, and which is meant cannot be told" in said and "\n" not in said
    assert layout.date in said
    bands = [
        path for path in folder.rglob(layout.red or "*") if path.suffix not in (".xml", ".json")
    ]
    dates = {opened(path).date for path in bands}
    assert len(dates) == 2 and layout.date in dates
    chosen = next(path for path in bands if layout.dated in path.name)
    assert told(opened(chosen)) == first


@pytest.mark.parametrize("name", [name for name, layout in LAYOUTS.items() if layout.metadata])
def test_without_metadata(bench: Bench, name: str) -> None:
    """Names of files are enough for bands and mask."""
    layout = LAYOUTS[name]
    folder = Path(layout.make(bench, "p"))
    whole = told(opened(folder))
    gone = [path for pattern in layout.metadata for path in folder.rglob(pattern)]
    assert gone
    for path in gone:
        path.unlink()
    assert told(opened(folder)) == whole
