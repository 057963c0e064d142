# SPDX-License-Identifier: GPL-2.0-or-later
"""The bands of a scene are reflectance, wherever they lie, and its mask hides what its flags say.

HLS, PlanetScope and MODIS files are built from the public format documents.
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.errors import MetadataError
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.formats.metadata_file import ProductFacts
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bandwise.engine.radiometry.products import Products
from bandwise.engine.radiometry.scaling import Declared, RadiometryChoice, Scaling, resolve
from bandwise.engine.radiometry.storage import DataType
from bandwise.engine.scenes.scene import Scene
from bench import Bench
from scene_cases import (
    GRANULE,
    L30,
    LC08,
    MCD43A4,
    MOD09GA,
    PLANET,
    S30,
    SAFE,
    TILE,
    number_of,
    opened,
    raster,
    tarred,
    write_metadata,
    zipped,
)

MTL = """GROUP = LANDSAT_METADATA_FILE
  GROUP = LEVEL1_RADIOMETRIC_RESCALING
    REFLECTANCE_MULT_BAND_4 = 2.0000E-05
    REFLECTANCE_ADD_BAND_4 = -0.100000
  END_GROUP = LEVEL1_RADIOMETRIC_RESCALING
  GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
    REFLECTANCE_MULT_BAND_4 = 2.75e-05
    REFLECTANCE_ADD_BAND_4 = -0.2
  END_GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
END_GROUP = LANDSAT_METADATA_FILE
"""


def planet_xml(bands: int, scale: float = 2e-5) -> str:
    """As Planet writes it, cut to what matters: a coefficient that grows with the band's number."""
    each = "".join(
        f"<ps:bandSpecificMetadata><ps:bandNumber>{n}</ps:bandNumber><ps:radiometricScaleFactor>0.01"
        f"</ps:radiometricScaleFactor><ps:reflectanceCoefficient>{scale * n}</ps:reflectanceCoefficient>"
        "</ps:bandSpecificMetadata>"
        for n in range(1, bands + 1)
    )
    return f'<?xml version="1.0"?><ps:EarthObservation xmlns:ps="x">{each}</ps:EarthObservation>'


def pixels(bench: Bench, scene: Scene, role: str, **options: Any) -> Any:
    """The values of a band as a job computes with them."""
    band = scene.band(role)
    job = Job(
        (BandRef("x", band.path, band.number, band.facts),),
        named_formula("y := x", ("x",)),
        bench.path("out.tif"),
        data_type=DataType.FLOAT64,
        **options,
    )
    return bench.run(job)[0]


def sentinel2_folder(bench: Bench) -> str:
    raster(bench, f"in/{SAFE}.SAFE/GRANULE/{GRANULE}/IMG_DATA/R10m/{TILE}_B04_10m.jp2")
    write_metadata(bench, f"in/{SAFE}.SAFE")
    return str(bench.folder / "in")


def landsat_folder(bench: Bench) -> str:
    raster(bench, f"in/{LC08}_SR_B4.TIF")
    Path(bench.path(f"in/{LC08}_MTL.txt")).write_text(MTL, "utf-8")
    return str(bench.folder / "in")


@pytest.mark.parametrize(
    "packed", ["folder", "zip", "tar", "tar.gz", "pax", "pax.tgz", "no suffix"]
)
@pytest.mark.parametrize("sensor", ["Sentinel-2", "Landsat"])
def test_metadata_in_archives_count(bench: Bench, sensor: str, packed: str) -> None:
    folder = sentinel2_folder(bench) if sensor == "Sentinel-2" else landsat_folder(bench)
    path = {
        "folder": lambda: folder,
        "zip": lambda: zipped(folder, bench.path("a.zip")),
        "tar": lambda: tarred(folder, bench.path("a.tar")),
        "tar.gz": lambda: tarred(folder, bench.path("a.tar.gz")),
        "pax": lambda: tarred(folder, bench.path("a.tar"), tarfile.PAX_FORMAT),
        "pax.tgz": lambda: tarred(folder, bench.path("a.tgz"), tarfile.PAX_FORMAT),
        "no suffix": lambda: zipped(folder, bench.path("scene")),
    }[packed]()
    scene = opened(path)
    name = f"{TILE}_B04_10m.jp2" if sensor == "Sentinel-2" else f"{LC08}_SR_B4.TIF"
    assert name in "".join(scene.listing())
    stored = number_of(name)
    expected = (stored - 1000) / 10000 if sensor == "Sentinel-2" else stored * 2.75e-05 - 0.2
    np.testing.assert_allclose(pixels(bench, scene, "red"), expected, rtol=1e-12)
    np.testing.assert_array_equal(
        pixels(bench, scene, "red", radiometry=RadiometryChoice(Scaling.STORED)), stored
    )


@pytest.mark.parametrize(
    ("product", "band", "scale"),
    [(S30, "B04", 1e-4), (L30, "B05", 1e-4), (L30, "B10", 0.01)],
)
def test_hls(bench: Bench, product: str, band: str, scale: float) -> None:
    values = np.array([[-9999, 2500], [0, -12]], np.int16)
    bench.save(f"{product}.{band}.tif", values)
    got = pixels(bench, opened(str(bench.folder)), band)
    assert got[0, 0] == -9999
    np.testing.assert_allclose(got[values != -9999], [2500 * scale, 0, -12 * scale], rtol=1e-12)


def test_surface_reflectance_of_planet_ignores_the_coefficients_of_radiance(bench: Bench) -> None:
    raster(bench, f"{PLANET}_3B_AnalyticMS_SR.tif", bands=4)
    Path(bench.path(f"{PLANET}_3B_AnalyticMS_metadata.xml")).write_text(planet_xml(4), "utf-8")
    stored = number_of(f"{PLANET}_3B_AnalyticMS_SR.tif:3")
    got = pixels(bench, opened(str(bench.folder)), "red")
    np.testing.assert_allclose(got, stored / 10000, rtol=1e-12)


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("eight", [False, True])
def test_radiance_of_planet_becomes_reflectance(bench: Bench, archive: bool, eight: bool) -> None:
    suffix, number = ("_8b", 6) if eight else ("", 3)
    name = f"{PLANET}_3B_AnalyticMS{suffix}_clip.tif"
    raster(bench, f"p/{name}", bands=8 if eight else 4)
    for other, scale in (("_8b", 2e-5), ("", 3e-5)):
        Path(bench.path(f"p/{PLANET}_3B_AnalyticMS{other}_metadata.xml")).write_text(
            planet_xml(8, scale), "utf-8"
        )
    folder = str(bench.folder / "p")
    scene = opened(zipped(folder, bench.path("a.zip")) if archive else folder)
    expected = number_of(f"{name}:{number}") * (2e-5 if eight else 3e-5) * number
    np.testing.assert_allclose(pixels(bench, scene, "red"), expected, rtol=1e-12)


def test_radiance_of_planet_without_its_metadata(bench: Bench) -> None:
    path = raster(bench, f"{PLANET}_3B_AnalyticMS.tif", bands=4)
    facts = Products().facts(path, "uint16", band=3)
    assert facts is not None
    assert facts.missing
    Path(bench.path(f"{PLANET}_3B_AnalyticMS_metadata.xml")).write_text(planet_xml(2), "utf-8")
    with pytest.raises(MetadataError, match="no reflectanceCoefficient for band 3"):
        Products().facts(path, "uint16", band=3)


@pytest.mark.parametrize(
    ("product", "layer", "nodata"),
    [
        (MOD09GA, "MODIS_Grid_500m_2D:sur_refl_b01_1", -28672),
        (MCD43A4, "MOD_Grid_BRDF:Nadir_Reflectance_Band1", 32767),
    ],
)
@pytest.mark.parametrize("declared", [1.0, 0.0001, 10000.0])
def test_modis_whatever_its_files_declare(
    product: str, layer: str, nodata: float, declared: float
) -> None:
    """GDAL gives 10000 as the scale of files that mean a divisor."""
    name = f'HDF4_EOS:EOS_GRID:"/a/{product}.hdf":{layer}'
    radiometry = resolve(name, Declared("int16", scale=declared), RadiometryChoice())
    assert (radiometry.scale, radiometry.offset, radiometry.nodata) == (0.0001, 0, nodata)
    assert Products().facts(name, "uint16") is None


def test_a_scene_tells_what_no_file_does(bench: Bench) -> None:
    path = raster(bench, "plain.tif")
    facts = ProductFacts(Products().facts.__doc__ or "", scale=0.5, offset=2.0)  # type: ignore[arg-type]
    job = Job(
        (BandRef("x", path, 1, facts),), named_formula("y := x", ("x",)), bench.path("out.tif")
    )
    np.testing.assert_allclose(bench.run(job)[0], number_of("plain.tif") * 0.5 + 2)


def test_the_mask_of_a_scene_hides_clouds(bench: Bench) -> None:
    values = np.full((2, 4), 2500, np.int16)
    bench.save(f"{L30}.B04.tif", values)
    flags = np.array([[64, 2, 4, 8], [16, 32, 255, 0]], np.uint8)
    bench.save(f"{L30}.Fmask.tif", flags)
    scene = opened(str(bench.folder))
    assert scene.mask is not None
    got = pixels(
        bench, scene, "red", mask=MaskChoice(scene.mask.path, scene.mask.number, scene.mask.rule)
    )
    clear = np.array([[True, False, False, False], [True, True, False, True]])
    np.testing.assert_array_equal(got != -9999, clear)


def test_the_clear_pixels_of_planet(bench: Bench) -> None:
    raster(bench, f"{PLANET}_3B_AnalyticMS_SR_8b.tif", bands=8)
    bands = np.zeros((8, 6, 8), np.uint8)
    bands[0, :, :3] = 1
    bench.save(f"{PLANET}_3B_udm2.tif", bands)
    scene = opened(str(bench.folder))
    assert scene.mask is not None
    assert scene.mask.rule is MaskRule.KEEP_NONZERO
    got = pixels(
        bench, scene, "nir", mask=MaskChoice(scene.mask.path, scene.mask.number, scene.mask.rule)
    )
    np.testing.assert_array_equal(got != -9999, bands[0] == 1)


def test_the_same_index_on_two_real_sensors(bench: Bench, shared: Any) -> None:
    """NDVI by roles, against numpy on the stored pixels with the numbers of each product's metadata."""
    landsat = shared("landsat8_c2l2_stactools", "LC08_L2SP_008059_20191201_20200825_02_T1")
    safe = next(shared("sentinel2_safe_N0214_downsampled_jp2").glob("*.SAFE"))
    for place, scale, offset in ((landsat, 2.75e-05, -0.2), (safe, 1e-4, 0.0)):
        scene = opened(place)
        bands = [scene.band(role) for role in ("red", "nir")]
        job = Job(
            tuple(BandRef(band.role, band.path, band.number, band.facts) for band in bands),
            named_formula("ndvi := (nir - red) / (nir + red)", ("red", "nir")),
            bench.path("out.tif"),
            data_type=DataType.FLOAT64,
        )
        got = bench.run(job)[0]
        stored = [bench.read(band.path).astype(np.float64) for band in bands]
        red, nir = (values * scale + offset for values in stored)
        valid = (stored[0] != 0) & (stored[1] != 0) & (nir + red != 0)
        assert valid.sum() > 5000
        red, nir = red[valid], nir[valid]
        np.testing.assert_allclose(got[valid], (nir - red) / (nir + red), rtol=1e-9)
        assert (got[~valid] == -9999).all()
