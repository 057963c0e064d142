# SPDX-License-Identifier: GPL-2.0-or-later
"""Write a product as ESA distributes Sentinel-2 Level-2A: two 10 m bands as JPEG 2000, and their metadata.

Stored value = reflectance * 10000 + 1000, and 0 where the swath ends. Nothing but ``MTD_MSIL2A.xml`` tells
so, as in the real products since processing baseline 04.00. Whatever the size, only a row of windows is in
memory at a time.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.shutil
from rasterio.transform import from_origin
from rasterio.windows import Window

from scripts.console import show_every_name

from .landscape import reflectance

LARGEST = 10980
QUANTIFICATION = 10000
ADD_OFFSET = -1000
#: Bytes of GDAL's block cache; its default is a share of the machine's memory.
CACHE = 64 * 2**20
NODATA = 0
SATURATED = 65535

PRODUCT = "S2A_MSIL2A_20230615T101601_N0510_R065_T32TNS_20230615T162854.SAFE"
_IMAGES = "GRANULE/L2A_T32TNS_A041675_20230615T101555/IMG_DATA"
_IMAGE = "T32TNS_20230615T101601"
_CRS = "EPSG:32632"
_PIXEL = 10.0
_WEST, _NORTH = 499980.0, 5200020.0
JPEG2000 = {"REVERSIBLE": "YES", "QUALITY": "100", "BLOCKXSIZE": "1024", "BLOCKYSIZE": "1024"}
_BLOCK = 512

Stored = npt.NDArray[np.uint16]

_METADATA = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
    <n1:General_Info>
        <Product_Info>
            <PRODUCT_START_TIME>2023-06-15T10:16:01.024Z</PRODUCT_START_TIME>
            <PRODUCT_STOP_TIME>2023-06-15T10:16:01.024Z</PRODUCT_STOP_TIME>
            <PRODUCT_URI>{product}</PRODUCT_URI>
            <PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL>
            <PRODUCT_TYPE>S2MSI2A</PRODUCT_TYPE>
            <PROCESSING_BASELINE>05.10</PROCESSING_BASELINE>
            <GENERATION_TIME>2023-06-15T16:28:54.000000Z</GENERATION_TIME>
            <Product_Organisation>
                <Granule_List>
                    <Granule imageFormat="JPEG2000">
                        <IMAGE_FILE>{red}</IMAGE_FILE>
                        <IMAGE_FILE>{nir}</IMAGE_FILE>
                    </Granule>
                </Granule_List>
            </Product_Organisation>
        </Product_Info>
        <Product_Image_Characteristics>
            <Special_Values>
                <SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
                <SPECIAL_VALUE_INDEX>{nodata}</SPECIAL_VALUE_INDEX>
            </Special_Values>
            <Special_Values>
                <SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT>
                <SPECIAL_VALUE_INDEX>{saturated}</SPECIAL_VALUE_INDEX>
            </Special_Values>
            <QUANTIFICATION_VALUES_LIST>
                <BOA_QUANTIFICATION_VALUE unit="none">{quantification}</BOA_QUANTIFICATION_VALUE>
            </QUANTIFICATION_VALUES_LIST>
            <BOA_ADD_OFFSET_VALUES_LIST>
{offsets}
            </BOA_ADD_OFFSET_VALUES_LIST>
        </Product_Image_Characteristics>
    </n1:General_Info>
</n1:Level-2A_User_Product>
"""


class Product(NamedTuple):
    """The files of a product: its folder, its metadata, and its red (B04) and near-infrared (B08) band."""

    folder: Path
    metadata: Path
    red: Path
    nir: Path


def image_path(band: str, metres: int = 10) -> str:
    """Return the file of a band, such as B04, within the product."""
    return f"{_IMAGES}/R{metres}m/{_IMAGE}_{band}_{metres}m.jp2"


def write_product(folder: Path, size: int) -> Product:
    """Write the product, ``size`` pixels of 10 m a side, into ``folder``; an older one there is replaced."""
    if not 1 <= size <= LARGEST:
        raise ValueError(f"a Sentinel-2 tile has 1 to {LARGEST} pixels a side, not {size}")
    root = folder / PRODUCT
    if root.exists():
        shutil.rmtree(root)
    product = Product(
        root,
        root / "MTD_MSIL2A.xml",
        *(root / image_path(band) for band in ("B04", "B08")),
    )
    product.red.parent.mkdir(parents=True)
    product.metadata.write_text(metadata(), encoding="utf-8")
    plain = [path.with_suffix(".tif") for path in (product.red, product.nir)]
    with rasterio.Env(GDAL_CACHEMAX=CACHE):
        write_plain(plain[0], plain[1], size)
        for source, target in zip(plain, (product.red, product.nir)):
            rasterio.shutil.copy(source, target, driver="JP2OpenJPEG", **JPEG2000)
            source.unlink()
    return product


def write_plain(red: Path, nir: Path, size: int) -> None:
    """Write the stored values of the two bands as uncompressed tiled GeoTIFFs, window by window."""
    profile = {
        "driver": "GTiff",
        "dtype": "uint16",
        "count": 1,
        "width": size,
        "height": size,
        "crs": _CRS,
        "transform": from_origin(_WEST, _NORTH, _PIXEL, _PIXEL),
        "tiled": True,
        "blockxsize": _BLOCK,
        "blockysize": _BLOCK,
    }
    with (
        rasterio.open(red, "w", **profile) as red_file,
        rasterio.open(nir, "w", **profile) as nir_file,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for windows in rows_of_windows(size):
            for window, (red_values, nir_values) in zip(
                windows, pool.map(lambda window: stored(window, size), windows)
            ):
                red_file.write(red_values, 1, window=window)
                nir_file.write(nir_values, 1, window=window)


def rows_of_windows(size: int) -> Iterator[list[Window]]:
    """The windows of a scene, a row of them at a time."""
    starts = range(0, size, _BLOCK)
    for top in starts:
        yield [
            Window(left, top, min(_BLOCK, size - left), min(_BLOCK, size - top)) for left in starts
        ]


def stored(window: Window, size: int) -> tuple[Stored, Stored]:
    """Stored values of red and near infrared, each of the window's shape, in a scene of ``size`` pixels a side."""
    column = np.arange(window.col_off, window.col_off + window.width) + 0.5
    row = np.arange(window.row_off, window.row_off + window.height) + 0.5
    red, nir = (
        np.clip(np.rint(band * QUANTIFICATION - ADD_OFFSET), NODATA + 1, SATURATED - 1).astype(
            np.uint16
        )
        for band in reflectance((column - size / 2) * _PIXEL, (row - size / 2) * _PIXEL)
    )
    outside = column[np.newaxis, :] + 0.21 * row[:, np.newaxis] > 1.04 * size
    red[outside] = nir[outside] = NODATA
    return red, nir


def metadata() -> str:
    """The text of ``MTD_MSIL2A.xml``."""
    images = {
        name: image_path(band).removesuffix(".jp2")
        for name, band in (("red", "B04"), ("nir", "B08"))
    }
    return _METADATA.format(
        product=PRODUCT,
        nodata=NODATA,
        saturated=SATURATED,
        quantification=QUANTIFICATION,
        offsets="\n".join(
            f'                <BOA_ADD_OFFSET band_id="{band}">{ADD_OFFSET}</BOA_ADD_OFFSET>'
            for band in range(13)
        ),
        **images,
    )


def main() -> None:
    show_every_name()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the product's folder is written")
    parser.add_argument(
        "--size", type=int, default=LARGEST, help="pixels a side, at most %(default)s"
    )
    arguments = parser.parse_args()
    print(write_product(arguments.folder, arguments.size).folder)


if __name__ == "__main__":
    main()
