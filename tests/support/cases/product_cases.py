# SPDX-License-Identifier: GPL-2.0-or-later
"""A Landsat product whose reflectance is known, folders of real products, and runs on them in QGIS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from qgis.core import QgsApplication
from rasterio.transform import Affine

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
#: Folders of real products, and the ends of the names of red, near infrared and mask in them
PRODUCTS = {
    "sentinel2_safe_N0400_original_jp2/*.SAFE": ("B04_60m.jp2", "B8A_60m.jp2", "SCL_20m.jp2"),
    "sentinel2_safe_N0214_downsampled_jp2/*.SAFE": ("B04_10m.jp2", "B08_10m.jp2", "SCL_20m.jp2"),
    "landsat8_c2l2_stactools/LC08*": ("SR_B4.TIF", "SR_B5.TIF", "QA_PIXEL.TIF"),
}

LC08 = "LC08_L2SP_193026_20200701_20200913_02_T1"
MTL = """GROUP = LANDSAT_METADATA_FILE
  GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
    REFLECTANCE_MULT_BAND_4 = 2.75e-05
    REFLECTANCE_MULT_BAND_5 = 2.75e-05
    REFLECTANCE_ADD_BAND_4 = -0.2
    REFLECTANCE_ADD_BAND_5 = -0.2
  END_GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
END_GROUP = LANDSAT_METADATA_FILE
"""
CLEAR, CLOUD, SNOW = 1 << 6, 1 << 3, 1 << 5


def algorithm(name="ndvi"):
    return QgsApplication.processingRegistry().createAlgorithmById(f"bandwise:{name}")


@pytest.fixture
def landsat(tmp_path):
    """A Landsat product of 5 rows and 7 columns: red rises by row and nir by column; the first row
    is cloud, the last one snow. With its reflectance: (folder, red, nir).
    """
    rows, columns = np.mgrid[0:5, 0:7]
    flags = np.where(rows == 0, CLOUD, np.where(rows == 4, SNOW, CLEAR))
    folder = tmp_path / "product"
    folder.mkdir()
    stored = {"SR_B4": 8000 + 900 * rows, "SR_B5": 15000 + 1100 * columns, "QA_PIXEL": flags}
    for part, values in stored.items():
        write(folder / f"{LC08}_{part}.TIF", values)
    (folder / f"{LC08}_MTL.txt").write_text(MTL, "utf-8")
    red, nir = (stored[part] * 2.75e-05 - 0.2 for part in ("SR_B4", "SR_B5"))
    return str(folder), red, nir


def write(path, values):
    height, width = values.shape
    facts = {"driver": "GTiff", "width": width, "height": height, "count": 1, "dtype": "uint16"}
    transform = Affine(30.0, 0.0, 600000.0, 0.0, -30.0, 5100000.0)
    with rasterio.open(path, "w", crs="EPSG:32632", transform=transform, **facts) as dataset:
        dataset.write(values.astype("uint16"), 1)


def pixels(path):
    with rasterio.open(path) as dataset:
        return dataset.read()


def ndvi_of(red, nir):
    return (nir - red) / (nir + red)


def run(name, parameters, output, context, log):
    result, fine = algorithm(name).run({**parameters, "OUTPUT": str(output)}, context, log)
    assert fine, log.info
    return result
