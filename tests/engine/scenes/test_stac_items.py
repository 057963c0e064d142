# SPDX-License-Identifier: GPL-2.0-or-later
"""STAC items, built from the specification and its extensions: bands by their names, scale and offset by the item."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.errors import InputError
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.masks import MaskRule
from bandwise.engine.radiometry.storage import DataType
from bandwise.engine.scenes.scene import Scene
from bench import Bench
from range_server import Server
from scene_cases import L30, LC08, S30, TILE, number_of, opened, raster, refusal

SENTINEL2 = {"constellation": "sentinel-2", "platform": "sentinel-2b"}
HOST = "https://example.com"


def item(bench: Bench, assets: dict[str, Any], **properties: Any) -> str:
    """An item of STAC 1.0; an asset is its JSON, or its link alone."""
    path = Path(bench.path("item.json"))
    each = {key: {"href": a} if isinstance(a, str) else a for key, a in assets.items()}
    text = {
        **{"type": "Feature", "stac_version": "1.0.0", "id": "a-scene", "links": []},
        **{"properties": {"datetime": "2022-10-05T11:54:11Z", **properties}, "assets": each},
    }
    path.write_text(json.dumps(text), "utf-8")
    return str(path)


def asset(href: str, name: str, common: str = "", **raster_band: Any) -> dict[str, Any]:
    band = {"name": name, **({"common_name": common} if common else {})}
    more = {"raster:bands": [raster_band]} if raster_band else {}
    return {"href": href, "eo:bands": [band], "roles": ["data", "reflectance"], **more}


def reflectance(bench: Bench, scene: Scene, role: str) -> Any:
    band = scene.band(role)
    refs = (BandRef("x", band.path, band.number, band.facts),)
    job = Job(
        refs, named_formula("y := x", ("x",)), bench.path("out.tif"), data_type=DataType.FLOAT64
    )
    return bench.run(job)[0]


def earth_search(bench: Bench, **properties: Any) -> str:
    """As Earth Search describes a Sentinel-2 scene: a COG and a JPEG 2000 of each band, and pictures."""
    bands = {
        **{"coastal": ("coastal", 60), "blue": ("blue", 10), "green": ("green", 10)},
        **{"red": ("red", 10), "rededge1": ("rededge", 20), "rededge2": ("rededge", 20)},
        **{"rededge3": ("rededge", 20), "nir": ("nir", 10), "nir08": ("nir08", 20)},
        **{"nir09": ("nir09", 60), "swir16": ("swir16", 20), "swir22": ("swir22", 20)},
    }
    assets: dict[str, Any] = {}
    for name, (common, metres) in bands.items():
        cog = asset(f"{HOST}/{name}.tif", name, common, scale=1e-4, offset=-0.1, nodata=0)
        assets[name] = {**cog, "gsd": metres}
        assets[f"{name}-jp2"] = {**cog, "gsd": metres, "href": f"s3://bucket/{name}.jp2"}
    picture = [{"name": name} for name in ("red", "green", "blue")]
    assets["visual"] = {"href": f"{HOST}/TCI.tif", "eo:bands": picture, "roles": ["visual"]}
    assets["thumbnail"] = {"href": f"{HOST}/preview.jpg", "roles": ["thumbnail"]}
    assets["scl-jp2"] = {"href": "s3://bucket/SCL.jp2", "roles": ["data"]}
    assets["scl"] = {"href": f"{HOST}/SCL.tif", "roles": ["data"]}
    return item(bench, assets, **SENTINEL2, **properties)


def test_earth_search(bench: Bench) -> None:
    scene = opened(earth_search(bench))
    assert {band.role: band.path for band in scene.bands} == {
        role: f"/vsicurl/{HOST}/{name}.tif"
        for role, name in (
            *((same, same) for same in ("coastal", "blue", "green", "red", "nir")),
            *((f"rededge{n}", f"rededge{n}") for n in (1, 2, 3)),
            *(
                ("nir2", "nir08"),
                ("watervapour", "nir09"),
                ("swir1", "swir16"),
                ("swir2", "swir22"),
            ),
        )
    }
    assert scene.band("swir1").resolution == 20
    assert (scene.name, scene.sensor, scene.date) == ("a-scene", "Sentinel-2", "2022-10-05")
    assert scene.mask is not None
    assert (scene.mask.path, scene.mask.rule) == (f"/vsicurl/{HOST}/SCL.tif", MaskRule.SCL)
    facts = scene.band("red").facts
    assert facts is not None
    assert (facts.scale, facts.offset, facts.nodata) == (1e-4, -0.1, 0)
    assert "item.json, asset red: scale 0.0001, offset -0.1" in facts.source


def test_an_offset_that_the_pixels_already_have(bench: Bench) -> None:
    """Earth Search says so beside the scale and offset of the product."""
    scene = opened(earth_search(bench, **{"earthsearch:boa_offset_applied": True}))
    assert {band.facts.offset for band in scene.bands if band.facts} == {0.0}
    original = asset("./B04.jp2", "B04", scale=1e-4, offset=-0.1)
    path = item(bench, {"B04": original}, **SENTINEL2, **{"earthsearch:boa_offset_applied": True})
    facts = opened(path).band("red").facts
    assert facts is not None
    assert facts.offset == -0.1, "it is not in the original file"


def test_names_of_the_product_tell_more_than_those_of_the_item(bench: Bench) -> None:
    """As Planetary Computer and the Copernicus Data Space link to the agencies' files."""
    assets = {
        "B04": asset(f"{HOST}/{TILE}_B04_10m.tif?sig=a%2Fb", "B04", "red"),
        "B04_20m": asset(f"s3://eodata/S2/{TILE}_B04_20m.jp2", "B04", "red"),
        "B8A": asset(f"{HOST}/{TILE}_B8A_20m.tif", "B8A", "rededge"),
        "SCL": f"{HOST}/{TILE}_SCL_20m.tif",
        "visual": asset(f"{HOST}/{TILE}_TCI_10m.tif", "B04", "red"),
    }
    scene = opened(item(bench, assets, platform="Sentinel-2A"))
    assert {band.role: (band.name, band.resolution) for band in scene.bands} == {
        **{"red": ("B04", 10.0), "nir2": ("B8A", 20.0), "nir": ("B8A", 20.0)}
    }
    assert scene.band("red").path == f"/vsicurl/{HOST}/{TILE}_B04_10m.tif?sig=a%2Fb"
    assert "a%2Fb" not in "".join(scene.listing())
    assert (scene.level, scene.tile) == ("L2A", "29UNU")
    assert scene.mask is not None


def test_landsat_and_hls(bench: Bench) -> None:
    assets = {
        "red": asset(f"{HOST}/{LC08}_SR_B4.TIF", "OLI_B4", "red", scale=2.75e-05, offset=-0.2),
        "nir08": asset(f"{HOST}/{LC08}_SR_B5.TIF", "OLI_B5", "nir08"),
        "qa_pixel": f"{HOST}/{LC08}_QA_PIXEL.TIF",
        "mtl.txt": f"{HOST}/{LC08}_MTL.txt",
    }
    scene = opened(item(bench, assets, platform="landsat-8"))
    assert scene.band("red").name == "SR_B4"
    assert scene.band("nir").name == scene.band("nir2").name == "SR_B5"
    assert scene.mask is not None
    assert scene.mask.rule is MaskRule.QA_PIXEL
    for product, nir in ((L30, "B05"), (S30, "B8A")):
        assets = {band: f"{HOST}/{product}.{band}.tif" for band in ("B04", nir, "Fmask")}
        scene = opened(item(bench, assets, platform="sentinel-2a"))
        assert scene.band("nir").name == nir
        assert scene.mask is not None
        assert scene.mask.rule is MaskRule.FMASK


def test_common_bands_of_stac_1_1(bench: Bench) -> None:
    """One list of bands, whose fields may be given once for the asset; several bands of one file."""
    bands = [
        {"name": "a", "eo:common_name": "green", "raster:scale": 0.5},
        {"name": "b", "eo:common_name": "nir08"},
        {"name": "c", "eo:common_name": "lwir11", "raster:offset": 3},
        {"name": "quality"},
    ]
    shared = {"raster:scale": 0.25, "gsd": 30, "nodata": -1}
    scene = opened(item(bench, {"all": {"href": "all.tif", "bands": bands, **shared}}))
    assert [(band.role, band.name, band.number) for band in scene.bands] == [
        *(("green", "a", 1), ("nir2", "b", 2), ("thermal1", "c", 3), ("", "quality", 4)),
        ("nir", "b", 2),
    ]
    assert [band.facts and (band.facts.scale, band.facts.offset) for band in scene.bands[:3]] == [
        *((0.5, 0.0), (0.25, 0.0), (0.25, 3.0))
    ]
    assert {band.facts.nodata for band in scene.bands if band.facts} == {-1}
    assert {band.resolution for band in scene.bands} == {30.0}


@pytest.mark.parametrize("link", ["red.tif", "./deep/../red.tif", "absolute", "file"])
def test_local_assets_are_reflectance(bench: Bench, link: str) -> None:
    path = raster(bench, "red.tif")
    (bench.folder / "deep").mkdir()
    href = {"absolute": path, "file": Path(path).as_uri()}.get(link, link)
    scene = opened(item(bench, {"red": asset(href, "red", scale=0.002, offset=-3, nodata=7)}))
    expected = number_of("red.tif") * 0.002 - 3
    np.testing.assert_allclose(reflectance(bench, scene, "red"), expected, rtol=1e-12)


def test_remote_assets_are_reflectance(
    bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR")
    path = raster(bench, "web/red.tif")
    href = server.address(path).removeprefix("/vsicurl/")
    scene = opened(item(bench, {"r": asset(href, "B04", "red", scale=1e-4, offset=-0.1)}))
    expected = number_of("red.tif") * 1e-4 - 0.1
    np.testing.assert_allclose(reflectance(bench, scene, "red"), expected, rtol=1e-12)


def test_two_bands_of_one_role(bench: Bench) -> None:
    assets = {"a": asset("a.tif", "one", "red"), "b": asset("b.tif", "two", "red")}
    with pytest.raises(InputError, match=r"2 bands of red.*one \(a.tif\), two \(b.tif\)"):
        opened(item(bench, assets)).band("red")


def test_what_has_no_bands(bench: Bench) -> None:
    path = item(bench, {"data": "data.tif", "meta": "x.xml"})
    assert "no band whose role its eo:bands or bands tell: data" in refusal(path)
    Path(path).write_text('{"type": "Catalog", "stac_version": "1.0.0"}', "utf-8")
    assert "is STAC, but no item" in refusal(path)
    Path(path).write_text('{"type": "Feature"}', "utf-8")
    assert "belongs to no scene" in refusal(path)
