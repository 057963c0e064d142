# SPDX-License-Identifier: GPL-2.0-or-later
"""Real Sentinel-2 products by GDAL's own subdatasets and by VRTs: as a scene, and as layers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.errors import InputError
from bandwise.engine.planning.jobs.spectralindices import spectralindices_job
from bandwise.engine.radiometry.storage import DataType
from bandwise.engine.reading.opening import subdatasets_of
from bandwise.engine.scenes.opening import open_scene
from bench import Bench
from rasterio.shutil import copy as copy_raster
from real_data_cases import OLD, OLD_R10M, R60M, SAFE
from scene_cases import S2_BANDS, zipped

Shared = Callable[..., Path]
EPSG = {"N0214": "EPSG_32722", "N0400": "EPSG_32629", "L1C": "EPSG_32634"}
L1C = "GDALfake_S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234.SAFE"


def indices(bench: Bench, names: str, layers: list[str], scene: str = "", bands: str = "") -> Any:
    """Results in float64, NaN for nodata, of layers or of a scene."""
    job = spectralindices_job(
        [(f"layer {number}", path) for number, path in enumerate(layers)],
        names,
        bench.path("out.tif"),
        bands=bands,
        scene=open_scene(scene, subdatasets_of) if scene else None,
        data_type=DataType.FLOAT64,
    )
    bench.run(job)
    with rasterio.open(job.output) as result:
        pixels = result.read()
    return np.where(pixels == -9999, np.nan, pixels)


def subdataset(product: str, metres: int, place: str) -> str:
    level = "L1C" if place == "L1C" else "L2A"
    return f"SENTINEL2_{level}:{product}/MTD_MSI{level}.xml:{metres}m:{EPSG[place]}"


def vrt(bench: Bench, name: str, sources: list[str], band: int = 1) -> str:
    """A VRT of one band of each source, as ``gdalbuildvrt -separate`` writes it."""
    with rasterio.open(sources[0]) as first:
        width, height = first.width, first.height
        transform, crs = first.transform.to_gdal(), first.crs.to_wkt()
    each = "".join(
        f'<VRTRasterBand dataType="UInt16" band="{number}"><SimpleSource><SourceFilename relativeToVRT="0">'
        f"{source}</SourceFilename><SourceBand>{band}</SourceBand></SimpleSource></VRTRasterBand>"
        for number, source in enumerate(sources, start=1)
    )
    place = f"<SRS>{crs}</SRS><GeoTransform>{', '.join(map(str, transform))}</GeoTransform>"
    path = Path(bench.path(name))
    path.write_text(
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}">{place}{each}</VRTDataset>'
    )
    return str(path)


@pytest.fixture
def old(bench: Bench, shared: Shared) -> dict[str, str]:
    """The complete product of baseline 02.14, with the sizes that its pixels have: its folder, and a zip of it."""
    folder = bench.folder / Path(OLD).name
    shutil.copytree(shared(OLD), folder)
    (tile,) = folder.rglob("MTD_TL.xml")
    text = re.sub(r"(<(N(?:ROW|COL)S)>)\d+(</\2>)", r"\g<1>100\3", tile.read_text("utf-8"))
    tile.write_text(text, "utf-8")
    archive = zipped(str(folder), bench.path("old.zip"), top=f"{folder.name}/")
    return {"folder": str(folder), "zip": f"/vsizip/{archive}/{folder.name}"}


@pytest.mark.parametrize("packed", ["folder", "zip"])
def test_a_subdataset_is_its_scene_and_is_a_layer(
    bench: Bench, shared: Shared, old: dict[str, str], packed: str
) -> None:
    """NDVI of 10 m and NBR of 20 m bands are those of the JP2 files."""
    fine, coarse = (subdataset(old[packed], metres, "N0214") for metres in (10, 20))
    files = [str(shared(f"{OLD_R10M}_{band}_10m.jp2")) for band in ("B04", "B08")]
    expected = indices(bench, "NDVI", files)
    assert np.isfinite(expected).sum() > 9000
    np.testing.assert_array_equal(indices(bench, "NDVI", [fine]), expected)
    for name in (fine, coarse):
        assert open_scene(name, subdatasets_of).band("red").name == "B04"
        np.testing.assert_array_equal(indices(bench, "NDVI", [], name), expected)
    twenty = OLD_R10M.replace("R10m", "R20m")
    files = [str(shared(f"{twenty}_{band}_20m.jp2")) for band in ("B8A", "B12")]
    expected = indices(bench, "NBR", files)
    np.testing.assert_array_equal(indices(bench, "NBR", [coarse]), expected)
    assert np.isfinite(expected).any()


def test_a_vrt_of_bands_is_its_scene_and_is_a_layer(
    bench: Bench, shared: Shared, old: dict[str, str]
) -> None:
    """A VRT of files, of files in a zip, of subdatasets, and of a VRT."""
    files = [str(shared(f"{OLD_R10M}_{band}_10m.jp2")) for band in ("B04", "B08")]
    expected = indices(bench, "NDVI", files)
    plain = vrt(bench, "plain.vrt", files)
    inside = [old["zip"] + file.partition(".SAFE")[2] for file in files]
    of_a_vrt = vrt(
        bench, "outer.vrt", [vrt(bench, f"{n}.vrt", [file]) for n, file in enumerate(files)]
    )
    for path in (plain, vrt(bench, "zipped.vrt", inside), of_a_vrt):
        np.testing.assert_array_equal(indices(bench, "NDVI", [path]), expected)
        np.testing.assert_array_equal(indices(bench, "NDVI", [], path), expected)
        assert open_scene(path, subdatasets_of).name.startswith("S2B_MSIL2A_20210122T133229")
    copied = bench.path("copied.vrt")
    copy_raster(subdataset(old["folder"], 10, "N0214"), copied, driver="VRT")
    np.testing.assert_array_equal(indices(bench, "NDVI", [copied]), expected)
    np.testing.assert_array_equal(indices(bench, "NDVI", [], copied), expected)


def test_the_offset_reaches_a_subdataset_and_a_vrt(bench: Bench, shared: Shared) -> None:
    """Of baseline 04.00, which the driver tells of no offset: -1000 by the product's XML."""
    product = str(shared(SAFE))
    files = [str(shared(f"{R60M}_{band}_60m.jp2")) for band in ("B01", "B09")]
    a, b = (bench.read(file).astype(np.float64) for file in files)
    wrong = (a == 0) | (b == 0) | (a == 65535) | (b == 65535)
    with np.errstate(all="ignore"):
        expected = np.where(wrong, np.nan, (b - a) / (a + b - 2000))
    expected[~np.isfinite(expected)] = np.nan
    for layer in (subdataset(product, 60, "N0400"), vrt(bench, "a.vrt", files)):
        found = indices(bench, "NDVI", [layer], bands="red=A@1; nir=A@2")[0]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.fixture
def level1(bench: Bench, shared: Shared) -> tuple[str, dict[str, int]]:
    """A small product of Level 1C, with the metadata that GDAL's own tests have: (folder, value by band)."""
    folder = bench.folder / L1C.removeprefix("GDALfake_")
    xml = shared("sentinel2_metadata_xml", L1C, "MTD_MSIL1C_trimmed.xml").read_text("utf-8")
    granule = folder / "GRANULE" / "L1C_T34UCF_A033753_20230823T095553"
    values = {band: 1500 + 300 * number for number, band in enumerate(S2_BANDS)}
    metres = dict.fromkeys(S2_BANDS, 20) | dict.fromkeys(("B02", "B03", "B04", "B08"), 10)
    metres |= dict.fromkeys(("B01", "B09", "B10"), 60)
    for band, value in values.items():
        size, step = 1200 // metres[band], float(metres[band])
        name = f"{granule.relative_to(bench.folder)}/IMG_DATA/T34UCF_20230823T095559_{band}.jp2"
        bench.save(
            name,
            np.full((size, size), value, np.uint16),
            crs="EPSG:32634",
            transform=(step, 0.0, 300000.0, 0.0, -step, 5900000.0),
        )
    (folder / "MTD_MSIL1C.xml").write_text(xml, "utf-8")
    places = "".join(
        f'<Size resolution="{each}"><NROWS>{1200 // each}</NROWS><NCOLS>{1200 // each}</NCOLS></Size>'
        f'<Geoposition resolution="{each}"><ULX>300000</ULX><ULY>5900000</ULY><XDIM>{each}</XDIM>'
        f"<YDIM>-{each}</YDIM></Geoposition>"
        for each in (10, 20, 60)
    )
    (granule / "MTD_TL.xml").write_text(
        '<n1:Level-1C_Tile_ID xmlns:n1="x"><n1:Geometric_Info><Tile_Geocoding metadataLevel="Brief">'
        "<HORIZONTAL_CS_NAME>WGS84 / UTM zone 34N</HORIZONTAL_CS_NAME>"
        f"<HORIZONTAL_CS_CODE>EPSG:32634</HORIZONTAL_CS_CODE>{places}</Tile_Geocoding>"
        "</n1:Geometric_Info></n1:Level-1C_Tile_ID>",
        "utf-8",
    )
    return str(folder), values


@pytest.mark.parametrize("packed", ["folder", "zip"])
def test_level_1c(bench: Bench, level1: tuple[str, dict[str, int]], packed: str) -> None:
    """Its subdatasets too are the scene, and layers with the offset of RADIO_ADD_OFFSET."""
    folder, values = level1
    if packed == "zip":
        name = Path(folder).name
        folder = f"/vsizip/{zipped(folder, bench.path('a.zip'), top=name + '/')}/{name}"
    names = subdatasets_of(f"{folder}/MTD_MSIL1C.xml")
    assert {name.rpartition("m:")[0].rpartition(":")[2] for name in names if "m:" in name} == {
        *("10", "20", "60")
    }
    red, nir, swir = ((values[band] - 1000) / 10000 for band in ("B04", "B08", "B12"))
    fine, coarse = (subdataset(folder, metres, "L1C") for metres in (10, 20))
    scene = open_scene(fine, subdatasets_of)
    assert (scene.level, scene.name) == ("L1C", L1C[len("GDALfake_") : -len(".SAFE")])
    for given, scene_name in (([], fine), ([], coarse), ([fine, coarse], "")):
        found = indices(bench, "NDVI;NBR", given, scene_name)
        for pixels, other in zip(found, (red, swir)):
            np.testing.assert_allclose(pixels, (nir - other) / (nir + other), rtol=1e-12)


def test_what_a_subdataset_of_no_product_says(bench: Bench) -> None:
    name = f"SENTINEL2_L2A:{bench.path('none')}/MTD_MSIL2A.xml:10m:EPSG_32629"
    with pytest.raises(InputError, match="There is no scene"):
        open_scene(name, subdatasets_of)
    with pytest.raises(InputError, match="cannot be opened as a raster"):
        indices(bench, "NDVI", [name])
