# SPDX-License-Identifier: GPL-2.0-or-later
"""STAC items of sensors that no table knows: roles by common names, by names, and by wavelengths.

Built from the public extensions ``eo`` 1.1 and 2.0 and ``raster`` 1.1 and 2.0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from bandwise.engine.errors import InputError, OptionError
from bandwise.engine.planning.jobs.spectralindices import spectralindices_job
from bandwise.engine.radiometry.roles import SENSORS
from bandwise.engine.radiometry.storage import DataType
from bandwise.engine.radiometry.wavelengths import Spectrum, roles_by_wavelength
from bench import Bench
from range_server import Server
from scene_cases import number_of, opened, raster

#: Band -> (common name, wavelength and width in micrometres, scale)
BANDS = {
    "blue": ("blue", 0.485, 0.07, 1e-4),
    "green": ("green", 0.56, 0.08, 2e-4),
    "red": ("red", 0.655, 0.06, 1e-4),
    "nir": ("nir", 0.83, 0.12, 2e-4),
}
OFFSET = -0.05
Item = dict[str, Any]


def fields(name: str, naming: str, number: int, prefix: str) -> Item:
    """What tells a band's role: its common name, its own name, or its wavelengths."""
    common, centre, width, _ = BANDS[name]
    choices: dict[str, Item] = {
        "common names": {f"{prefix}common_name": common},
        "names": {"name": common},
        "wavelengths": {
            f"{prefix}center_wavelength": centre,
            f"{prefix}full_width_half_max": width,
        },
    }
    return {"name": f"band{number}", **choices[naming]}


def version_1(naming: str, hrefs: dict[str, str]) -> Item:
    """``eo:bands`` and ``raster:bands`` of each asset."""
    assets = {
        f"data{number}": {
            "href": hrefs[name],
            "roles": ["data"],
            "eo:bands": [fields(name, naming, number, "")],
            "raster:bands": [{"scale": BANDS[name][3], "offset": OFFSET, "nodata": 0}],
        }
        for number, name in enumerate(BANDS, start=1)
    }
    return {"stac_version": "1.0.0", "assets": assets}


def version_2(naming: str, hrefs: dict[str, str]) -> Item:
    """``bands`` of each asset; the offset once for the item."""
    assets = {
        f"data{number}": {
            "href": hrefs[name],
            "roles": ["data"],
            "raster:nodata": 0,
            "bands": [
                {**fields(name, naming, number, "eo:"), "raster:scale": BANDS[name][3]},
            ],
        }
        for number, name in enumerate(BANDS, start=1)
    }
    return {"stac_version": "1.1.0", "assets": assets, "properties": {"raster:offset": OFFSET}}


def version_2_of_assets(naming: str, hrefs: dict[str, str]) -> Item:
    """The fields of a single band are those of its asset."""
    assets = {}
    for number, name in enumerate(BANDS, start=1):
        told = fields(name, naming, number, "eo:")
        key = told.pop("name")
        scaling = {"raster:scale": BANDS[name][3], "raster:offset": OFFSET, "nodata": 0}
        assets[key] = {"href": hrefs[name], "roles": ["data"], **told, **scaling}
    return {"stac_version": "1.1.0", "assets": assets}


FORMS: dict[str, Callable[[str, dict[str, str]], Item]] = {
    "eo 1, raster 1": version_1,
    "eo 2, raster 2": version_2,
    "eo 2 of assets": version_2_of_assets,
}


def saved(bench: Bench, item: Item) -> str:
    """The item of a sensor of no table."""
    path = Path(bench.path("item.json"))
    properties = {"datetime": "2024-05-01T10:00:00Z", "platform": "vision-1"}
    whole = {
        **{"type": "Feature", "id": "a-scene", "links": [], "geometry": None},
        **item,
        "properties": {**properties, **item.get("properties", {})},
    }
    path.write_text(json.dumps(whole), "utf-8")
    return str(path)


@pytest.mark.parametrize("place", ["local", "remote"])
@pytest.mark.parametrize("naming", ["common names", "names", "wavelengths"])
@pytest.mark.parametrize("form", FORMS)
def test_indices_of_an_unknown_sensor(
    bench: Bench,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    naming: str,
    place: str,
) -> None:
    """EVI and SAVI from local files, and from a server."""
    monkeypatch.setenv("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR")
    paths = {name: raster(bench, f"web/{name}-x.tif") for name in BANDS}
    hrefs = {
        name: f"./web/{name}-x.tif"
        if place == "local"
        else server.address(path).removeprefix("/vsicurl/")
        for name, path in paths.items()
    }
    scene = opened(saved(bench, FORMS[form](naming, hrefs)))
    assert {band.role for band in scene.bands} >= set(BANDS)
    assert scene.sensor == "vision-1"
    facts = scene.band("green").facts
    assert facts is not None and facts.nodata == 0
    out = bench.path("out.tif")
    job = spectralindices_job([], "EVI;GNDVI", out, scene=scene, data_type=DataType.FLOAT64)
    bench.run(job)
    blue, green, red, nir = (
        number_of(f"{name}-x.tif") * scale + OFFSET for name, (*_, scale) in BANDS.items()
    )
    expected = 2.5 * (nir - red) / (nir + 6 * red - 7.5 * blue + 1), (nir - green) / (nir + green)
    for number, value in enumerate(expected, start=1):
        np.testing.assert_allclose(bench.read(out, number), value, rtol=1e-12)


def one_asset(bench: Bench, *bands: Item, **properties: Any) -> str:
    assets = {"all": {"href": "all.tif", "bands": list(bands)}}
    return saved(bench, {"stac_version": "1.1.0", "assets": assets, "properties": dict(properties)})


def by_wavelength(*pairs: tuple[float, float], name: str = "") -> list[Item]:
    return [
        {"eo:center_wavelength": centre, "eo:full_width_half_max": width}
        | ({"name": f"{name}{number}"} if name else {})
        for number, (centre, width) in enumerate(pairs, start=1)
    ]


def test_bands_of_the_item_are_those_of_its_assets(bench: Bench) -> None:
    """As STAC 1.1 has it; but not of a picture, nor of an asset without data."""
    bands = [{"name": "b1", "eo:common_name": "red"}, {"name": "b2", "eo:common_name": "nir"}]
    assets = {
        "image": {"href": "image.tif", "roles": ["data"]},
        "quality": {"href": "quality.tif", "roles": ["metadata"]},
        "overview": {"href": "overview.tif", "roles": ["data", "overview"]},
    }
    item = {"stac_version": "1.1.0", "assets": assets, "properties": {"bands": bands}}
    scene = opened(saved(bench, item))
    assert [(band.role, band.number, Path(band.path).name) for band in scene.bands] == [
        *(("red", 1, "image.tif"), ("nir", 2, "image.tif")),
    ]


def test_many_narrow_bands(bench: Bench) -> None:
    """Of an imaging spectrometer: the band nearest to that which indices were made for, and its wavelength."""
    pairs = [(0.4 + 0.0065 * step, 0.0065) for step in range(322)]
    scene = opened(one_asset(bench, *by_wavelength(*pairs, name="B")))
    assert round(scene.band("red").wavelength, 1) == 660
    assert abs(scene.band("rededge2").wavelength - 740) < 3.3
    assert scene.band("nir").number != scene.band("nir2").number
    roles = {band.role for band in scene.bands if band.role}
    assert roles >= {"coastal", "blue", "green1", "green", "watervapour", "cirrus", "swir2"}
    assert not roles & {"pan", "thermal", "vv"}
    assert "by its central wavelength of 660 nm" in "".join(scene.listing())
    job = spectralindices_job([], "DVIplus", "o.tif", scene=scene)
    wavelengths = [scene.band(role).wavelength for role in ("nir", "red", "green")]
    (constants,) = (dict(result.tags)["BANDWISE_CONSTANTS"] for result in job.formula.results)
    assert json.loads(constants) == dict(
        zip(("lambdaN", "lambdaR", "lambdaG"), map(pytest.approx, wavelengths))
    )


def test_names_go_before_wavelengths(bench: Bench) -> None:
    """A role that a name has told is not given again; a pair as near as each other is not guessed."""
    named = {"name": "a", "eo:common_name": "red", "eo:center_wavelength": 0.63}
    scene = opened(one_asset(bench, named, *by_wavelength((0.66, 0.03), (0.84, 0.1), name="b")))
    assert scene.band("red").name == "a"
    assert [band.role for band in scene.bands] == ["red", "", "nir"]
    scene = opened(one_asset(bench, *by_wavelength((0.655, 0.03), (0.665, 0.03), (0.84, 0.1))))
    with pytest.raises(InputError, match=r"2 bands of red.*all_B1.*all_B2"):
        scene.band("red")
    with pytest.raises(OptionError, match="NDVI needs the band red"):
        spectralindices_job([], "NDVI", "o.tif", scene=scene)


def test_red_edges_of_one_common_name(bench: Bench) -> None:
    """Wavelengths tell them apart, and a single one serves as the first."""
    bands = [
        {"name": f"e{number}", "common_name": "rededge", "center_wavelength": centre}
        for number, centre in enumerate((0.704, 0.741, 0.783))
    ]
    assets = {"all": {"href": "all.tif", "eo:bands": bands}}
    scene = opened(saved(bench, {"stac_version": "1.0.0", "assets": assets}))
    assert [scene.band(f"rededge{number}").name for number in (1, 2, 3)] == ["e0", "e1", "e2"]
    assets["all"]["eo:bands"] = [{**bands[0], "center_wavelength": 0.727}]
    scene = opened(saved(bench, {"stac_version": "1.0.0", "assets": assets}))
    assert scene.band("rededge1").name == scene.band("rededge2").name == "e0"


@pytest.mark.parametrize("sensor", ["Sentinel-2", "Landsat 8", "Landsat 5", "MODIS", "PlanetScope"])
def test_wavelengths_of_known_sensors_tell_their_roles(sensor: str) -> None:
    """As their tables do, but for what has a width of its own or is told by no wavelength."""
    table = [band for band in SENSORS[sensor] if "pan" not in band.roles]
    widths = {"green1": 20.0, "green_i": 36.0}
    found = roles_by_wavelength(
        [
            Spectrum(band.wavelength, widths.get(band.roles[0] if band.roles else "", 0))
            for band in table
        ]
    )
    for band, roles in zip(table, found):
        primary = set(band.roles[:1])
        assert primary <= set(roles), (band, roles)


@pytest.mark.parametrize(
    "value", [None, "0.66", True, [], {}, -1, 0, 1e400, float("nan"), 10**400, 1e9], ids=str
)
def test_wavelengths_that_are_none(bench: Bench, value: Any) -> None:
    """Ignored, as a width is: the band keeps its name and has no role."""
    bands = [{"name": "x", "eo:center_wavelength": value}, {"name": "nir"}]
    scene = opened(one_asset(bench, *bands))
    assert [(band.name, band.role) for band in scene.bands] == [("x", ""), ("nir", "nir")]
    good = {"eo:center_wavelength": 655, "eo:full_width_half_max": value}
    scene = opened(one_asset(bench, good))
    assert scene.band("red").wavelength == 655, "in nanometres, as some items have it"
