# SPDX-License-Identifier: GPL-2.0-or-later
"""All scenes in a folder: each product once, whatever way it lies there, as a name that opens to it alone."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from bandwise.engine.errors import InputError
from bandwise.engine.scenes.folder import scenes_in
from bandwise.engine.scenes.opening import open_scene
from bench import Bench
from scene_cases import (
    GRANULE,
    L30,
    LC08,
    LC08_L1,
    LT05,
    MOD09GA,
    PLANET,
    S30,
    SAFE,
    SAFE_L1C,
    TILE,
    TILE_L1C,
    flat,
    landsat,
    no_parts,
    opened,
    safe,
    safe_l1c,
    tarred,
    touch,
    write_metadata,
    zipped,
)

PARTS = ("SR_B4.TIF", "SR_B5.TIF", "QA_PIXEL.TIF")
HLS_BANDS = ("B04", "B8A", "Fmask")


def names(bench: Bench, folder: str = "") -> list[str]:
    """The scenes as paths below the folder."""
    top = str(bench.folder / folder)
    return [os.path.relpath(path, top) for path in scenes_in(top)]


def test_products_of_all_sensors(bench: Bench) -> None:
    safe(bench, f"s2/{SAFE}.SAFE")
    safe_l1c(bench, "s2/renamed")
    landsat(bench, LC08, PARTS, "landsat")
    landsat(bench, LT05, PARTS, "landsat")
    touch(bench, *(f"hls/{product}.{band}.tif" for product in (S30, L30) for band in HLS_BANDS))
    touch(bench, f"modis/{MOD09GA}.hdf", f"planet/{PLANET}_3B_AnalyticMS_SR.tif")
    touch(bench, f"planet/{PLANET}_3B_udm2.tif", "notes/readme.txt", "notes/dem.tif")
    parts = [f'HDF4_EOS:EOS_GRID:"{MOD09GA}.hdf":MODIS_Grid_500m_2D:sur_refl_b01_1']
    scenes = [open_scene(path, lambda _: parts) for path in scenes_in(str(bench.folder))]
    modis = MOD09GA.rpartition(".")[0]
    expected = sorted((SAFE, SAFE_L1C, LC08, LT05, S30, L30, modis, PLANET))
    assert sorted(scene.name for scene in scenes) == expected
    assert all(scene.bands for scene in scenes)


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz", "tgz"])
def test_archives_of_one_scene(bench: Bench, form: str) -> None:
    pack = zipped if form == "zip" else tarred
    folder = safe(bench, f"made/{SAFE}.SAFE")
    pack(str(bench.folder / "made"), bench.path(f"in/{SAFE}.{form}"))
    pack(landsat(bench, LC08, PARTS), bench.path(f"in/sub/{LC08}.{form}"))
    pack(folder, bench.path(f"in/download.{form}"))
    assert names(bench, "in") == [f"{SAFE}.{form}", f"download.{form}", f"sub/{LC08}.{form}"]
    found = [opened(path).name for path in scenes_in(str(bench.folder / "in"))]
    assert found == [SAFE, SAFE, LC08]


def test_an_archive_of_several_scenes(bench: Bench) -> None:
    landsat(bench, LC08, PARTS, "made")
    zipped(landsat(bench, LT05, PARTS, "made"), bench.path("in/order.zip"))
    scenes = scenes_in(str(bench.folder / "in"))
    assert [opened(path).name for path in scenes] == [LC08, LT05]
    assert all(path.startswith("/vsizip/") for path in scenes)


def test_archives_of_other_things_are_no_scenes(bench: Bench) -> None:
    touch(bench, "made/report.pdf", "made/dem.tif", f"made/{LC08}_ANG.txt")
    zipped(str(bench.folder / "made"), bench.path("in/papers.zip"))
    assert names(bench, "in") == []


def test_an_archive_that_cannot_be_looked_into_is_named(bench: Bench) -> None:
    touch(bench, "download.zip", f"{SAFE}.zip")
    assert names(bench) == [f"{SAFE}.zip", "download.zip"]


def test_a_product_and_its_archive_are_one_scene(bench: Bench) -> None:
    safe(bench, f"unpacked/{SAFE}.SAFE")
    zipped(safe_l1c(bench, "made"), bench.path(f"{SAFE_L1C}.zip"), top=f"{SAFE_L1C}.SAFE/")
    shutil.rmtree(bench.folder / "made")
    for name in (f"{SAFE}.zip", f"{SAFE}.SAFE.zip", f"{LC08}.tar"):
        touch(bench, f"packed/{name}")
    landsat(bench, LC08, PARTS, "landsat")
    expected = [f"{SAFE_L1C}.zip", f"landsat/{LC08}_MTL.txt", f"unpacked/{SAFE}.SAFE"]
    assert names(bench) == expected


def test_flat_files_of_several_dates(bench: Bench) -> None:
    bands = ("B04_10m", "B08_10m", "SCL_20m")
    tiles = (TILE, TILE.replace("20221005", "20221010"))
    touch(bench, *(f"in/{tile}_{band}.jp2" for tile in tiles for band in bands))
    found = [opened(path) for path in scenes_in(str(bench.folder / "in"))]
    assert [scene.date for scene in found] == ["2022-10-05", "2022-10-10"]
    assert all(len(scene.bands) == 2 for scene in found)


def test_a_flat_product_with_its_metadata(bench: Bench) -> None:
    flat(bench, safe(bench, "made"), "in")
    assert names(bench, "in") == ["MTD_MSIL2A.xml"]
    other = TILE.replace("20221005", "20221010")
    touch(bench, f"in/{other}_B04_10m.jp2")
    assert names(bench, "in") == ["MTD_MSIL2A.xml", f"{other}_B04_10m.jp2"]


def test_bands_without_a_scene_in_their_names(bench: Bench) -> None:
    touch(bench, "in/B04.jp2", "in/B08.jp2")
    assert names(bench, "in") == []
    write_metadata(bench, "in")
    assert names(bench, "in") == ["MTD_MSIL2A.xml"]


def test_levels_of_one_date_are_two_scenes(bench: Bench) -> None:
    touch(bench, f"in/{TILE}_B04.jp2", f"in/{TILE}_B04_10m.jp2")
    touch(bench, *(f"in/{product}_MTL.txt" for product in (LC08, LC08_L1)))
    found = names(bench, "in")
    assert len(found) == 4
    assert [opened(bench.path(f"in/{name}")).level for name in found if "B04" in name] == [
        "L1C",
        "L2A",
    ]


def test_folders_of_resolutions_are_one_scene(bench: Bench) -> None:
    for metres, band in ((10, "B04"), (20, "B05"), (60, "B09")):
        touch(bench, f"in/R{metres}m/{TILE}_{band}_{metres}m.jp2")
    (path,) = scenes_in(str(bench.folder / "in"))
    assert [band.name for band in opened(path).bands] == ["B04", "B05", "B09"]


@pytest.mark.parametrize("inside", ["", "GRANULE", f"GRANULE/{GRANULE}/IMG_DATA/R20m"])
def test_a_folder_that_is_a_scene_or_a_part_of_it(bench: Bench, inside: str) -> None:
    folder = safe(bench)
    (path,) = scenes_in(os.path.join(folder, inside))
    assert opened(path).name == SAFE


def test_results_beside_scenes_are_none(bench: Bench) -> None:
    landsat(bench, LC08, PARTS, "in")
    touch(bench, *(f"in/{name}_NDVI.tif" for name in (LC08, LT05, S30, MOD09GA, PLANET, TILE)))
    touch(bench, f"in/{TILE}_NBR.tif", "in/2022-10-05_T29UNU_NDVI.tif", f"in/._{TILE}_B04.jp2")
    assert names(bench, "in") == [f"{LC08}_MTL.txt"]


def _item(bench: Bench, name: str, **members: object) -> None:
    text = {"type": "Feature", "stac_version": "1.0.0", "id": "x", "assets": {}, **members}
    Path(bench.path(name)).write_text(json.dumps(text), "utf-8")


def test_stac_items(bench: Bench) -> None:
    remote = {"red": {"href": "https://example.com/B04.tif", "eo:bands": [{"common_name": "red"}]}}
    _item(bench, "items/a.json", assets=remote)
    _item(bench, "items/catalogue.json", type="Catalog")
    Path(bench.path("items/other.json")).write_text("{}", "utf-8")
    Path(bench.path("items/broken.json")).write_text('{"stac_version": "1.0.0", ', "utf-8")
    with Path(bench.path("items/fields.geojson")).open("wb") as file:
        file.write(b'{"stac_version": ')
        file.truncate(50_000_000)
    assert names(bench) == ["items/a.json", "items/broken.json"]


def test_an_item_beside_the_bands_that_it_links_to_is_the_same_scene(bench: Bench) -> None:
    landsat(bench, LC08, PARTS, "in")
    _item(bench, f"in/{LC08}_SR_stac.json", assets={"red": {"href": f"./{LC08}_SR_B4.TIF"}})
    assert names(bench, "in") == [f"{LC08}_MTL.txt"]


@pytest.mark.posix
def test_links(bench: Bench) -> None:
    safe(bench, f"disk/{SAFE}.SAFE")
    landsat(bench, LC08, PARTS, "in/a")
    (bench.folder / "in" / "b").symlink_to(bench.folder / "in" / "a")
    (bench.folder / "in" / "a" / "again").symlink_to(bench.folder / "in")
    (bench.folder / "in" / "disk").symlink_to(bench.folder / "disk")
    (bench.folder / "in" / "gone").symlink_to(bench.folder / "nowhere")
    assert names(bench, "in") == [f"a/{LC08}_MTL.txt", f"disk/{SAFE}.SAFE"]


def test_folders_are_gone_into_only_so_deep(bench: Bench) -> None:
    landsat(bench, LC08, PARTS, "1/2/3/4/5/6")
    landsat(bench, LT05, PARTS, "1/2/3/4/5/6/7")
    assert names(bench) == [f"1/2/3/4/5/6/{LC08}_MTL.txt"]


@pytest.mark.parametrize("name", ["", "  ", "nowhere", "file.txt", "/vsizip/x.zip"])
def test_what_is_no_folder(bench: Bench, name: str) -> None:
    touch(bench, "file.txt")
    with pytest.raises(InputError, match="no folder on this computer"):
        scenes_in(str(bench.folder / name) if name.strip() else name)


def test_an_empty_folder(bench: Bench) -> None:
    assert scenes_in(str(bench.folder)) == ()


def test_many_files_cost_little(bench: Bench) -> None:
    dates = [f"2022{month:02}{day:02}" for month in range(1, 13) for day in range(1, 26)]
    tiles = [TILE.replace("20221005", date) for date in dates]
    touch(bench, *(f"in/{tile}_{band}_10m.jp2" for tile in tiles for band in ("B02", "B04", "B08")))
    started = time.process_time()
    assert len(names(bench, "in")) == len(dates)
    assert time.process_time() - started < 1.0


def test_names_that_open(bench: Bench) -> None:
    """Of a flat folder of all products together, each name opens to its own scene."""
    landsat(bench, LC08, PARTS, "in")
    landsat(bench, LT05, PARTS, "in")
    touch(bench, *(f"in/{product}.{band}.tif" for product in (S30, L30) for band in HLS_BANDS))
    touch(bench, f"in/{PLANET}_3B_AnalyticMS_SR.tif", f"in/{PLANET}_3B_AnalyticMS.tif")
    touch(bench, f"in/{TILE_L1C}_B04.jp2", f"in/{TILE}_B04_10m.jp2", f"in/{TILE}_SCL_20m.jp2")
    scenes = [open_scene(path, no_parts) for path in scenes_in(str(bench.folder / "in"))]
    found = sorted((scene.name, scene.level) for scene in scenes)
    assert len(set(found)) == len(found) == 8
