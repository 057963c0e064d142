# SPDX-License-Identifier: GPL-2.0-or-later
"""Landsat, HLS, MODIS and PlanetScope: folders with files named as they are delivered.

Those of HLS, MODIS and PlanetScope are built from the public format documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from bandwise.engine.errors import InputError
from bandwise.engine.radiometry.band_names import name_of_file
from bandwise.engine.radiometry.masks import MaskRule
from bandwise.engine.scenes.opening import open_scene
from bandwise.engine.scenes.scene import SceneMask
from bench import Bench
from scene_cases import (
    L30,
    LC08,
    LC08_L1,
    LE07,
    LE07_L1,
    LM04_L1,
    LT05,
    MCD43A4,
    MOD09GA,
    PLANET,
    S30,
    landsat,
    opened,
    refusal,
    roles,
    tarred,
    touch,
    zipped,
)

OLI = {"coastal": "B1", "blue": "B2", "green": "B3", "red": "B4", "nir": "B5", "swir1": "B6"}
OLI = {**OLI, "swir2": "B7", "nir2": "B5"}
TM = {"blue": "B1", "green": "B2", "red": "B3", "nir": "B4", "swir1": "B5", "swir2": "B7"}
LANDSATS = {
    LC08: ("Landsat 8", {**OLI, "thermal1": "B10"}),
    LC08.replace("LC08", "LC09"): ("Landsat 9", {**OLI, "thermal1": "B10"}),
    LE07: ("Landsat 7", {**TM, "thermal": "B6"}),
    LT05: ("Landsat 5", {**TM, "thermal": "B6"}),
    LT05.replace("LT05", "LT04"): ("Landsat 4", {**TM, "thermal": "B6"}),
}


def level2(product: str) -> list[str]:
    """The parts of a Level-2 product with pixels."""
    bands = LANDSATS[product][1]
    parts = [f"{'ST' if role[:3] == 'the' else 'SR'}_{band}.TIF" for role, band in bands.items()]
    return [*parts, "QA_PIXEL.TIF", "QA_RADSAT.TIF", "ST_QA.TIF", "ST_EMIS.TIF"]


@pytest.mark.parametrize("packed", ["folder", "tar", "tar.gz", "zip"])
@pytest.mark.parametrize("product", LANDSATS)
def test_landsat_level_2(bench: Bench, product: str, packed: str) -> None:
    folder = landsat(bench, product, level2(product))
    path = {
        "folder": lambda: folder,
        "tar": lambda: tarred(folder, bench.path(f"{product}.tar")),
        "tar.gz": lambda: tarred(folder, bench.path(f"{product}.tar.gz")),
        "zip": lambda: zipped(folder, bench.path("a.zip"), top="x/y/"),
    }[packed]()
    scene = opened(path)
    sensor, bands = LANDSATS[product]
    assert {band.role: band.name[3:] for band in scene.bands} == bands
    assert (scene.name, scene.sensor, scene.level) == (product, sensor, "L2SP")
    assert scene.date == f"{product[17:21]}-07-01"
    assert scene.tile == "193026"
    assert scene.mask is not None
    assert scene.mask.rule is MaskRule.QA_PIXEL
    assert scene.mask.path.endswith("_QA_PIXEL.TIF")
    assert scene.band("B4") is scene.band("SR_B4")
    for part in ("MTL.txt", "MTL.json", "SR_B4.TIF", "QA_PIXEL.TIF", "ANG.txt"):
        prefix = {"folder": path, "zip": f"/vsizip/{path}/x/y"}.get(packed, f"/vsitar/{path}")
        assert opened(f"{prefix}/{product}_{part}") == scene


def test_landsat_level_1(bench: Bench) -> None:
    parts = [f"B{n}.TIF" for n in range(1, 12)]
    scene = opened(landsat(bench, LC08_L1, [*parts, "QA_PIXEL.TIF"]))
    expected = {**OLI, "pan": "B8", "cirrus": "B9", "thermal1": "B10", "thermal2": "B11"}
    assert {band.role: band.name for band in scene.bands} == expected
    assert scene.band("pan").resolution == 15
    assert scene.level == "L1TP"


def test_two_gains_are_ambiguous(bench: Bench) -> None:
    """ETM+ delivers its thermal band twice, with a low and a high gain."""
    parts = [f"B{n}.TIF" for n in (1, 2, 3, 4, 5, "6_VCID_1", "6_VCID_2", 7, 8)]
    scene = opened(landsat(bench, LE07_L1, parts))
    with pytest.raises(InputError) as error:
        scene.band("thermal")
    said = str(error.value)
    assert "2 bands of thermal" in said
    assert f"B6_VCID_1 ({LE07_L1}_B6_VCID_1.TIF), B6_VCID_2 ({LE07_L1}_B6_VCID_2.TIF)" in said
    assert scene.band("B6_VCID_2").path.endswith("VCID_2.TIF")


def test_the_multispectral_scanner_has_two_near_infrareds(bench: Bench) -> None:
    scene = opened(landsat(bench, LM04_L1, [f"B{n}.TIF" for n in range(1, 5)]))
    assert scene.sensor == "Landsat 4 MSS"
    assert scene.band("red").name == "B2"
    with pytest.raises(InputError, match=r"2 bands of nir.*B3.*B4"):
        scene.band("nir")


def test_two_landsat_scenes_in_a_folder(bench: Bench) -> None:
    landsat(bench, LC08, level2(LC08))
    folder = landsat(bench, LC08_L1, ["B4.TIF", "B5.TIF"])
    said = refusal(folder)
    assert f"{LC08_L1} of 2020-07-01; {LC08} of 2020-07-01" in said
    for product in (LC08, LC08_L1):
        assert opened(f"{folder}/{product}_MTL.txt").name == product


def test_a_band_is_of_its_own_folder(bench: Bench) -> None:
    """What lies below is not looked at: the folder of downloads may hold anything."""
    folder = landsat(bench, LC08, ["SR_B4.TIF"])
    landsat(bench, LC08, level2(LC08), "landsat/older")
    assert [band.name for band in opened(f"{folder}/{LC08}_SR_B4.TIF").bands] == ["SR_B4"]
    with pytest.raises(InputError, match="2 bands of red"):
        opened(folder).band("red")


@pytest.mark.parametrize(
    ("name", "sensor", "roles_of"),
    [
        (f"{S30}.B8A.tif", "HLS S30", {"nir", "nir2"}),
        (f"{S30}.B05.tif", "HLS S30", {"rededge1"}),
        (f"{L30}.B05.tif", "HLS L30", {"nir", "nir2"}),
        (f"{L30}.B04.tif", "HLS L30", {"red"}),
        (f'HDF4_EOS:EOS_GRID:"/a/{MOD09GA}.hdf":g:sur_refl_b02_1', "MODIS", {"nir", "nir2"}),
    ],
)
def test_bands_are_told_by_name(name: str, sensor: str, roles_of: set[str]) -> None:
    band = name_of_file(name)
    assert band is not None
    assert (band.sensor, set(band.roles)) == (sensor, roles_of)


def test_metadata_alone_are_no_scene(bench: Bench) -> None:
    folder = landsat(bench, LC08, [])
    assert f"holds no band of {LC08}" in refusal(f"{folder}/{LC08}_MTL.txt")


HLS = {
    S30: {
        **{"coastal": "B01", "blue": "B02", "green": "B03", "red": "B04", "rededge1": "B05"},
        **{"rededge2": "B06", "rededge3": "B07", "nir": "B8A", "nir2": "B8A"},
        **{"watervapour": "B09", "cirrus": "B10", "swir1": "B11", "swir2": "B12", "": "B08"},
    },
    L30: {
        **{"coastal": "B01", "blue": "B02", "green": "B03", "red": "B04", "nir": "B05"},
        **{"nir2": "B05", "swir1": "B06", "swir2": "B07", "cirrus": "B09"},
        **{"thermal1": "B10", "thermal2": "B11"},
    },
}


@pytest.mark.parametrize("product", HLS)
def test_hls(bench: Bench, product: str) -> None:
    names = [*HLS[product].values(), "Fmask", "SAA", "SZA", "VAA", "VZA"]
    paths = touch(bench, *(f"h/{product}.{name}.tif" for name in names), f"h/{product}.cmr.xml")
    scene = opened(str(bench.folder / "h"))
    assert {band.role: band.name for band in scene.bands} == HLS[product]
    assert {band.resolution for band in scene.bands} == {30.0}
    assert (scene.name, scene.date, scene.tile) == (product, "2020-07-01", "33UUP")
    mask = str(bench.folder / f"h/{product}.Fmask.tif")
    assert scene.mask == SceneMask(mask, 1, MaskRule.FMASK)
    assert all(opened(path) == scene for path in paths)


def test_the_near_infrared_of_s30_is_that_of_l30_where_it_can_be(bench: Bench) -> None:
    """The narrow one is adjusted to Landsat's; the broad one stands in where it is alone."""
    touch(bench, f"{S30}.B04.tif", f"{S30}.B08.tif")
    assert opened(str(bench.folder)).band("nir").name == "B08"


MODIS = {
    MOD09GA: (
        [f"MODIS_Grid_500m_2D:sur_refl_b0{n}_1" for n in range(1, 8)],
        [
            *("MODIS_Grid_1km_2D:num_observations_1km", "MODIS_Grid_1km_2D:state_1km_1"),
            *("MODIS_Grid_1km_2D:SensorZenith_1", "MODIS_Grid_500m_2D:QC_500m_1"),
        ],
    ),
    MCD43A4: (
        [f"MOD_Grid_BRDF:Nadir_Reflectance_Band{n}" for n in range(1, 8)],
        [f"MOD_Grid_BRDF:BRDF_Albedo_Band_Mandatory_Quality_Band{n}" for n in range(1, 8)],
    ),
}


def parts_of(path: str) -> Sequence[str]:
    """What GDAL's driver HDF4 names in a file of its name, as its documentation shows them."""
    product = next((each for each in MODIS if each in path), MOD09GA)
    return [f'HDF4_EOS:EOS_GRID:"{path}":{part}' for parts in MODIS[product] for part in parts]


@pytest.mark.parametrize("product", MODIS)
def test_modis(bench: Bench, product: str) -> None:
    path = touch(bench, f"m/{product}.hdf")[0]
    scene = open_scene(path, parts_of)
    assert {band.role: band.name for band in scene.bands} == {
        **{"red": "B1", "nir": "B2", "nir2": "B2", "blue": "B3", "green": "B4", "": "B5"},
        **{"swir1": "B6", "swir2": "B7"},
    }
    assert scene.band("red").path == f'HDF4_EOS:EOS_GRID:"{path}":{MODIS[product][0][0]}'
    assert (scene.sensor, scene.date, scene.tile) == ("MODIS", "2020-07-01", "h18v03")
    state = f'HDF4_EOS:EOS_GRID:"{path}":MODIS_Grid_1km_2D:state_1km_1'
    expected = SceneMask(state, 1, MaskRule.MODIS_STATE) if product == MOD09GA else None
    assert scene.mask == expected
    for part in (str(bench.folder / "m"), *parts_of(path)):
        assert open_scene(part, parts_of) == scene


def test_modis_by_the_names_of_its_layers(bench: Bench) -> None:
    scene = open_scene(touch(bench, "renamed.hdf")[0], parts_of)
    assert scene.name == "renamed"
    assert scene.band("nir").name == "B2"
    assert scene.date == ""


def test_a_library_without_hdf4(bench: Bench) -> None:
    with pytest.raises(InputError, match="its driver HDF4 may be missing"):
        open_scene(touch(bench, f"{MOD09GA}.hdf")[0], lambda _: ())


EIGHT = ("coastal", "blue", "green1", "green", "yellow", "red", "rededge1", "nir")
PLANETS = {
    "_3B_AnalyticMS_SR": ("blue", "green", "red", "nir"),
    "_3B_AnalyticMS_SR_clip": ("blue", "green", "red", "nir"),
    "_3B_AnalyticMS_SR_harmonized_clip": ("blue", "green", "red", "nir"),
    "_3B_AnalyticMS_SR_8b": EIGHT,
    "_3B_AnalyticMS_SR_8b_harmonized_clip": EIGHT,
}


@pytest.mark.parametrize("name", PLANETS)
def test_planet(bench: Bench, name: str) -> None:
    image, mask, xml = touch(
        bench,
        f"p/{PLANET}{name}.tif",
        f"p/{PLANET}_3B_udm2{'_clip' if 'clip' in name else ''}.tif",
        f"p/{PLANET}_3B_AnalyticMS{'_8b' if '8b' in name else ''}_metadata.xml",
    )
    touch(bench, f"p/{PLANET}_3B_AnalyticMS_DN_udm.tif", f"p/{PLANET}_metadata.json")
    scene = opened(str(bench.folder / "p"))
    assert tuple(band.role for band in scene.bands) == (*PLANETS[name], "nir2")
    assert [(band.path, band.number) for band in scene.bands[:-1]] == [
        (image, n) for n in range(1, len(PLANETS[name]) + 1)
    ]
    assert scene.band("nir2").number == scene.band("nir").number
    assert (scene.name, scene.level, scene.date) == (PLANET, "SR", "2022-04-01")
    assert scene.mask == SceneMask(mask, 1, MaskRule.KEEP_NONZERO)
    assert opened(image) == opened(mask) == opened(xml) == scene


def test_planet_in_radiance_and_in_reflectance(bench: Bench) -> None:
    paths = touch(bench, f"{PLANET}_3B_AnalyticMS.tif", f"{PLANET}_3B_AnalyticMS_SR.tif")
    assert f"{PLANET} SR of 2022-04-01; {PLANET} TOA of 2022-04-01" in refusal(str(bench.folder))
    assert [opened(path).level for path in paths] == ["TOA", "SR"]


def test_real_landsat(shared: Any) -> None:
    for folder in sorted(shared("landsat8_c2l2_stactools").glob("LC*2")) + sorted(
        shared("landsat8_c2l2_stactools").glob("LC*1")
    ):
        scene = opened(folder)
        assert scene.name == folder.name
        assert {"red": "SR_B4", "nir": "SR_B5"}.items() <= {
            band.role: band.name for band in scene.bands
        }.items()
        assert scene.mask is not None
        for form in ("txt", "json", "xml"):
            assert opened(folder / f"{folder.name}_MTL.{form}") == scene
    assert "holds 3 scenes" in refusal(shared("landsat8_c2l2_stactools"))
    level1 = opened(shared("landsat8_l1_satellite_r"))
    assert {band.role for band in level1.bands} >= {*OLI, "pan"}
    old = opened(shared("landsat5_tm_rstoolbox"))
    assert {band.role: band.name for band in old.bands} == {**TM, "thermal": "B6"}
    assert (old.date, old.sensor) == ("1988-08-14", "Landsat 5")
    assert opened(shared("landsat5_tm_rstoolbox", "LT52240631988227CUB02_MTL.txt")) == old
    assert roles(old)["nir"] == ("B4", 30.0)
    assert Path(old.band("red").path).name == "LT52240631988227CUB02_B3.TIF"
