# SPDX-License-Identifier: GPL-2.0-or-later
"""Rasters that are no plain files, by the names that GDAL gives them, and the help as a terminal
and the dialog show it.
"""

from __future__ import annotations

import os
import re
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from qgis.core import QgsApplication
from qgis.PyQt.QtGui import QTextDocument

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = ROOT.parent / "shared" / "data"


@pytest.fixture
def named(scene, tmp_path, request):
    """Names of red and near infrared, of the kind that the test asks for."""
    folder = tmp_path / "inputs"
    if request.param == "vsizip":
        with zipfile.ZipFile(folder / "both.zip", "w") as archive:
            for path in (scene.red, scene.nir):
                archive.write(path, Path(path).name)
        yield [f"/vsizip/{folder}/both.zip/{name}.tif" for name in ("red", "nir")]
    elif request.param == "vsicurl":
        server = request.getfixturevalue("server")
        server.folder = folder
        yield [server.address(path) for path in (scene.red, scene.nir)]
    else:
        driver = request.param
        script = f"from osgeo import gdal; assert gdal.GetDriverByName('netCDF') and gdal.GetDriverByName('{driver}')"
        for name in ("red", "nir"):
            files = f"r'{folder}/{name}.nc', r'{folder}/{name}.tif'"
            options = "format='netCDF', creationOptions=['FORMAT=NC4']"
            script += f"; assert gdal.Translate({files}, {options})"
        if subprocess.run(
            ["/usr/bin/python3", "-c", script], capture_output=True, check=False
        ).returncode:
            pytest.skip(f"this GDAL has no driver {driver}")
        yield [
            f'NETCDF:"{folder}/{name}.nc":Band1'
            if driver == "netCDF"
            else f'HDF5:"{folder}/{name}.nc"://Band1'
            for name in ("red", "nir")
        ]


@pytest.mark.parametrize("named", ["vsizip", "vsicurl", "netCDF", "HDF5"], indirect=True)
def test_names_of_gdal_in_every_raster_parameter(qgis_process, scene, tmp_path, named):
    red, nir = named
    out = tmp_path / "out.tif"
    everywhere = ("--", f"MASK={red}", "MASK_RULE=1", "GRID=3", f"REFERENCE={nir}", f"OUTPUT={out}")
    # HDF5 gives the rows of a netCDF upside down
    local = (red, nir) if "HDF5" in red else (scene.red, scene.nir)
    with rasterio.open(local[0]) as first, rasterio.open(local[1]) as second:
        stored = first.read(1).astype(float), second.read(1).astype(float)
    for algorithm, inputs in (
        ("ndvi", (f"RED={red}", f"NIR={nir}")),
        ("bandmath", (f"LAYERS={red}", f"LAYERS={nir}", "EXPRESSION=(B - A) / (B + A)")),
    ):
        ended = qgis_process("run", f"bandwise:{algorithm}", *everywhere, *inputs)
        assert ended.returncode == 0, ended.stderr
        with rasterio.open(out) as dataset:
            values = dataset.read(1)
        valid = stored[0] > 0
        expected = ((stored[1] - stored[0]) / np.where(valid, stored[1] + stored[0], 1)).astype(
            np.float32
        )
        np.testing.assert_array_equal(values, np.where(valid, expected, np.float32(-9999)))
        os.remove(out)


def test_subdatasets_of_a_sentinel_2_product(qgis_process, tmp_path):
    found = sorted(PRODUCTS.glob("sentinel2_safe_N0400_original_jp2/*.SAFE/MTD_MSIL2A.xml"))
    if not found:
        pytest.skip("no real data beside the repository")
    with rasterio.open(found[0]) as container:
        (name,) = [name for name in container.subdatasets if ":60m:" in name]
    planes = []
    for band in ("B01", "B09"):
        (path,) = found[0].parent.glob(f"GRANULE/*/IMG_DATA/R60m/*_{band}_60m.jp2")
        with rasterio.open(path) as dataset:
            planes.append(dataset.read(1).astype(float))
    out = tmp_path / "out.tif"
    ended = qgis_process(
        "run", "bandwise:bandmath", "--", f"LAYERS={name}", "EXPRESSION=A@2 - A@1", f"OUTPUT={out}"
    )
    assert ended.returncode == 0, ended.stderr
    with rasterio.open(out) as dataset:
        values = dataset.read(1)
    valid = values != -9999
    assert valid.mean() > 0.5
    np.testing.assert_array_equal(values[valid], (planes[1] - planes[0])[valid])


@pytest.mark.one_backend
@pytest.mark.parametrize(
    "algorithm", ["ndvi", "bandmath", "spectralindices", "scenes", "composite"]
)
def test_the_help_reads_well_in_a_terminal_and_in_the_dialog(qgis_process, provider, algorithm):
    ended = qgis_process("help", f"bandwise:{algorithm}")
    assert ended.returncode == 0
    assert "SOURCE_NODATA" in ended.stdout
    assert not re.search(r"</?[a-z]+>|&[a-z]+;", ended.stdout), "no HTML"
    text = (
        QgsApplication.processingRegistry()
        .createAlgorithmById(f"bandwise:{algorithm}")
        .shortHelpString()
    )
    shown = QTextDocument()
    # as QGIS's dialog does
    shown.setHtml("".join(f"<p>{paragraph}</p>" for paragraph in text.split("\n")))
    lines = [line for line in shown.toPlainText().split("\n") if line]
    assert lines == [line for line in text.split("\n") if line], (
        "the dialog shows what the terminal does"
    )
    assert any(
        line in lines
        for line in (
            "NDVI = (NIR - red) / (NIR + red)",
            "(A & 8) > 0",
            "NDVI;EVI;NBR",
            "median of NDVI from May to September",
        )
    )
