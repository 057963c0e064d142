# SPDX-License-Identifier: GPL-2.0-or-later
"""Sentinel-2: whatever part of a product is pointed at, the scene is the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Callable

import pytest
from bandwise.engine.errors import InputError
from bandwise.engine.radiometry.masks import MaskRule
from bench import Bench
from scene_cases import (
    GRANULE,
    SAFE,
    SAFE_L1C,
    TILE,
    TILE_L1C,
    flat,
    opened,
    refusal,
    roles,
    safe,
    safe_l1c,
    tarred,
    touch,
    write_metadata,
    zipped,
)

BEST = {
    **{"coastal": ("B01", 20), "blue": ("B02", 10), "green": ("B03", 10), "red": ("B04", 10)},
    **{"rededge1": ("B05", 20), "rededge2": ("B06", 20), "rededge3": ("B07", 20)},
    **{"nir": ("B08", 10), "nir2": ("B8A", 20), "watervapour": ("B09", 60)},
    **{"swir1": ("B11", 20), "swir2": ("B12", 20)},
}
IMAGES = f"GRANULE/{GRANULE}/IMG_DATA"


def safe_in(archive: str) -> Callable[[Bench], str]:
    def made(bench: Bench) -> str:
        folder = safe(bench, f"inside/{SAFE}.SAFE")
        return (tarred if ".t" in archive else zipped)(
            str(Path(folder).parent), bench.path(archive)
        )

    return made


WAYS: dict[str, Callable[[Bench], str]] = {
    "folder": safe,
    "folder with a slash": lambda bench: safe(bench) + "/",
    "folder without its suffix": lambda bench: safe(bench, SAFE),
    "folder of another name": lambda bench: safe(bench, "my scene (1)"),
    "folder around it": lambda bench: str(Path(safe(bench)).parent),
    "product file": lambda bench: safe(bench) + "/MTD_MSIL2A.xml",
    "tile's metadata": lambda bench: f"{safe(bench)}/GRANULE/{GRANULE}/MTD_TL.xml",
    "manifest": lambda bench: safe(bench) + "/manifest.safe",
    "a band of 10 m": lambda bench: f"{safe(bench)}/{IMAGES}/R10m/{TILE}_B04_10m.jp2",
    "a band of 60 m": lambda bench: f"{safe(bench)}/{IMAGES}/R60m/{TILE}_B04_60m.jp2",
    "its mask": lambda bench: f"{safe(bench)}/{IMAGES}/R20m/{TILE}_SCL_20m.jp2",
    "its picture": lambda bench: f"{safe(bench)}/{IMAGES}/R20m/{TILE}_TCI_20m.jp2",
    "flat": lambda bench: flat(bench, safe(bench)),
    "flat by its product file": lambda bench: flat(bench, safe(bench)) + "/MTD_MSIL2A.xml",
    "flat by a band": lambda bench: f"{flat(bench, safe(bench))}/{TILE}_B11_20m.jp2",
    "subdataset": lambda bench: f"SENTINEL2_L2A:{safe(bench)}/MTD_MSIL2A.xml:10m:EPSG_32629",
    "zip": safe_in(f"{SAFE}.zip"),
    "zip of ESA's name": safe_in(f"{SAFE}.SAFE.zip"),
    "zip without a suffix": safe_in("download"),
    "tar": safe_in("a.tar"),
    "tar.gz": safe_in("a.tar.gz"),
    "folder with a zip": lambda bench: str(Path(safe_in("only/a.zip")(bench)).parent),
    "folder in a zip": lambda bench: f"/vsizip/{safe_in('a.zip')(bench)}/{SAFE}.SAFE",
    "product file in a zip": lambda bench: (
        f"/vsizip/{safe_in('a.zip')(bench)}/{SAFE}.SAFE/MTD_MSIL2A.xml"
    ),
    "a band in a zip": lambda bench: (
        f"/vsizip/{safe_in('a.zip')(bench)}/{SAFE}.SAFE/{IMAGES}/R20m/{TILE}_B05_20m.jp2"
    ),
    "a band in braces": lambda bench: (
        f"/vsizip/{{{safe_in('download')(bench)}}}/{SAFE}.SAFE/{IMAGES}/R20m/{TILE}_B05_20m.jp2"
    ),
    "subdataset in a zip": lambda bench: (
        f"SENTINEL2_L2A:/vsizip/{safe_in('a.zip')(bench)}/{SAFE}.SAFE/MTD_MSIL2A.xml:20m:EPSG_32629"
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_part_of_a_product_is_its_scene(bench: Bench, way: str) -> None:
    scene = opened(WAYS[way](bench))
    assert roles(scene) == BEST
    assert (scene.name, scene.sensor, scene.level) == (SAFE, "Sentinel-2", "L2A")
    assert (scene.date, scene.tile) == ("2022-10-05", "29UNU")
    assert scene.mask is not None
    assert scene.mask.rule is MaskRule.SCL
    assert scene.mask.path.endswith(f"{TILE}_SCL_20m.jp2")
    for band in scene.bands:
        assert band.path.endswith(f"{TILE}_{band.name}_{band.resolution:g}m.jp2")
        assert band.path.startswith(("/vsizip/", "/vsitar/")) or Path(band.path).is_file()


def test_one_resolution_where_its_folder_is_chosen(bench: Bench) -> None:
    scene = opened(f"{safe(bench)}/{IMAGES}/R60m")
    assert {resolution for _, resolution in roles(scene).values()} == {60.0}
    assert roles(scene)["nir"] == roles(scene)["nir2"] == ("B8A", 60.0)
    assert "stands in" in scene.band("nir").source
    assert scene.mask is not None
    assert scene.mask.path.endswith("SCL_60m.jp2")


def test_level_1c(bench: Bench) -> None:
    scene = opened(safe_l1c(bench))
    assert roles(scene) == {
        **{"coastal": ("B01", 60), "cirrus": ("B10", 60)},
        **{role: band for role, band in BEST.items() if role != "coastal"},
    }
    assert (scene.name, scene.level, scene.date) == (SAFE_L1C, "L1C", "2023-08-23")
    assert scene.mask is None


def test_without_metadata_the_names_of_files_are_enough(bench: Bench) -> None:
    folder = safe(bench, "x", metadata=False)
    scene = opened(folder)
    assert roles(scene) == BEST
    assert (scene.name, scene.level) == (TILE, "L2A")
    assert opened(f"{folder}/{IMAGES}/R60m/{TILE}_B09_60m.jp2") == opened(f"{folder}/{IMAGES}")


def test_metadata_of_another_product_do_not_rename_a_scene(bench: Bench) -> None:
    folder = safe(bench, "x", metadata=False)
    write_metadata(bench, "x", uri=SAFE.replace("T29UNU", "T29UPU"))
    assert opened(folder).name == TILE
    said = refusal(f"{folder}/MTD_MSIL2A.xml")
    assert "holds no band of T29UPU_20221005T115411" in said


def test_names_that_only_their_folder_assigns(bench: Bench) -> None:
    """As the public buckets lay a product out: ``R10m/B04.jp2`` beside its metadata."""
    write_metadata(bench, "p")
    names = [
        f"p/R{m}m/B{n:02}.jp2" for m, bands in ((10, (2, 3, 4, 8)), (20, (4, 11))) for n in bands
    ]
    touch(bench, *names, "p/R20m/SCL.jp2", "p/qi/MSK_QUALIT_B04.jp2")
    scene = opened(str(bench.folder / "p"))
    assert roles(scene) == {role: BEST[role] for role in ("blue", "green", "red", "nir", "swir1")}
    assert scene.mask is not None
    assert scene == opened(bench.path("p/R20m/B11.jp2"))


def test_a_missing_band_names_what_is_expected(bench: Bench) -> None:
    folder = safe(bench)
    for path in Path(folder).rglob("*_B0[4]_*"):
        path.unlink()
    with pytest.raises(InputError) as error:
        opened(folder).band("red")
    said = str(error.value)
    assert SAFE in said
    assert "no file of red, which is B04 of Sentinel-2" in said
    assert "green = B03" in said
    assert opened(folder).band("B8A").role == "nir2"
    with pytest.raises(InputError, match="has no band thermal; it has"):
        opened(folder).band("thermal")


def test_bands_by_role_and_by_name(bench: Bench) -> None:
    scene = opened(safe(bench))
    assert scene.band("red") is scene.band("B04") is scene.band("b4") is scene.band(" Red ")
    assert scene.band("nir").name == "B08"
    assert len(scene.listing()) == 12
    assert scene.listing()[3] == (
        f"red = B04, {TILE}_B04_10m.jp2, 10 m (name of a Sentinel-2 file)"
    )


def test_two_dates_in_one_folder(bench: Bench) -> None:
    folder = flat(bench, safe(bench))
    other = TILE.replace("20221005", "20221010")
    touch(bench, f"flat/{other}_B04_10m.jp2", f"flat/{other}_B08_10m.jp2")
    said = refusal(folder)
    assert "holds 2 scenes" in said
    assert f"{TILE} L2A of 2022-10-05; {other} L2A of 2022-10-10" in said
    assert roles(opened(f"{folder}/{other}_B04_10m.jp2")) == {
        "red": ("B04", 10.0),
        "nir": ("B08", 10.0),
    }
    assert roles(opened(f"{folder}/MTD_MSIL2A.xml")) == BEST


def test_both_levels_in_one_folder(bench: Bench) -> None:
    folder = flat(bench, safe(bench))
    touch(bench, *(f"flat/{TILE}_{band}.jp2" for band in ("B04", "B08")))
    assert f"{TILE} L1C of 2022-10-05; {TILE} L2A of 2022-10-05" in refusal(folder)
    assert opened(f"{folder}/{TILE}_B04.jp2").level == "L1C"
    assert opened(f"{folder}/{TILE}_B04_10m.jp2").level == "L2A"


def test_two_products_of_one_date_are_ambiguous_band_by_band(bench: Bench) -> None:
    safe(bench, f"both/{SAFE}.SAFE")
    safe(bench, f"both/{SAFE.replace('N0400', 'N0500')}.SAFE")
    with pytest.raises(InputError, match="2 bands of red, and which is meant cannot be told"):
        opened(str(bench.folder / "both")).band("red")


@pytest.mark.parametrize("kind", ["bands", "subdataset", "vrt of a vrt"])
def test_vrts_are_the_scene_of_their_sources(bench: Bench, kind: str) -> None:
    folder = safe(bench)
    source = f"{folder}/{IMAGES}/R10m/{TILE}_B04_10m.jp2"
    if kind == "subdataset":
        source = f"SENTINEL2_L2A:{folder}/MTD_MSIL2A.xml:10m:EPSG_32629"
    path = vrt(bench, "a.vrt", source, f"{folder}/{IMAGES}/R10m/{TILE}_B08_10m.jp2")
    if kind == "vrt of a vrt":
        path = vrt(bench, "b.vrt", path)
    assert opened(path) == opened(folder)


def test_a_vrt_of_two_scenes_is_none(bench: Bench) -> None:
    first, second = safe(bench), safe_l1c(bench)
    images = next(Path(second).rglob("*_B04.jp2"))
    said = refusal(vrt(bench, "a.vrt", f"{first}/{IMAGES}/R10m/{TILE}_B04_10m.jp2", str(images)))
    assert "mixes 2 scenes" in said
    assert SAFE in said
    assert SAFE_L1C in said


def vrt(bench: Bench, name: str, *sources: str) -> str:
    """A VRT as GDAL writes it, a band a source; its sources need not be rasters."""
    bands = "".join(
        f'<VRTRasterBand dataType="UInt16" band="{n}"><SimpleSource><SourceFilename relativeToVRT="0">{source}'
        f"</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"
        for n, source in enumerate(sources, start=1)
    )
    path = Path(bench.path(name))
    path.write_text(f'<VRTDataset rasterXSize="2" rasterYSize="2">{bands}</VRTDataset>', "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("folder", "name", "expected"),
    [
        ("sentinel2_safe_N0214_downsampled_jp2", "S2B_MSIL2A_20210122T133229_N0214", BEST),
        ("sentinel2_safe_N0400_original_jp2", "S2A_MSIL2A_20221005T115411_N0400", None),
    ],
)
def test_real_products(shared: Any, folder: str, name: str, expected: Any) -> None:
    product = next(shared(folder).glob("*.SAFE"))
    scene = opened(product)
    assert scene.name.startswith(name)
    coarse = {role: (band, 60.0) for role, (band, _) in BEST.items()}
    # in 60 m, of which there is all that a product has, B8A is the near infrared
    expected = {**BEST, "coastal": ("B01", 60)} if expected else {**coarse, "nir": ("B8A", 60.0)}
    assert roles(scene) == expected
    assert all(Path(band.path).is_file() for band in scene.bands)
    for part in ("MTD_MSIL2A.xml", "manifest.safe"):
        assert opened(product / part) == scene
    for band in scene.bands:
        assert opened(band.path) == scene


def test_a_real_product_zipped_renamed_and_flat(bench: Bench, shared: Any) -> None:
    product = next(shared("sentinel2_safe_N0214_downsampled_jp2").glob("*.SAFE"))
    scene = opened(product)
    renamed = bench.path("a scene")
    shutil.copytree(product, renamed)
    for other in (
        renamed,
        flat(bench, renamed),
        zipped(renamed, bench.path("a.zip"), top="x/"),
        tarred(renamed, bench.path("a.tar")),
    ):
        assert roles(opened(other)) == roles(scene)
        assert opened(other).name == scene.name


def test_what_is_no_scene(bench: Bench) -> None:
    (bench.folder / "empty").mkdir()
    assert "holds no band of a scene" in refusal(str(bench.folder / "empty"))
    assert "There is no scene" in refusal(bench.path("absent"))
    assert "belongs to no scene of a sensor that is known" in refusal(touch(bench, "photo.tif")[0])
    assert "on a server" in refusal("/vsicurl/https://example.org/S2A.SAFE")
    write_metadata(bench, "meta")
    assert "holds no band of T29UNU" in refusal(str(bench.folder / "meta/MTD_MSIL2A.xml"))
    assert TILE_L1C not in refusal(str(bench.folder / "meta"))
