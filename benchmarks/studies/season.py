# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the scenes of a season, or check a median NDVI of them: ``season.py FOLDER COUNT SIZE``,
``season.py FOLDER --check RESULT``.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from .composite import scene_files

CLEAR = (4, 5, 6, 7, 11)
_TILES = {"driver": "GTiff", "tiled": True, "blockxsize": 512, "blockysize": 512}
_DEFLATE = {"compress": "DEFLATE", "zlevel": 6}
_PATCH = 90  #: pixels of a field, and of a cloud
#: What of a product's metadata tells scale, offset, nodata and saturation
METADATA = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
<PRODUCT_URI></PRODUCT_URI>
<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
<Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>
<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
{offsets}
</n1:Level-2A_User_Product>
""".format(
    offsets="".join(
        f'<BOA_ADD_OFFSET band_id="{band}">-1000</BOA_ADD_OFFSET>' for band in range(13)
    )
)
_ROWS = 512  #: that are checked at a time, of eight times as many


def write(folder: Path, count: int, size: int) -> None:
    """Write the scenes that are not there yet."""
    random = np.random.default_rng(1)
    noise = random.integers(0, 90, (size, size), np.uint16)
    fields = random.random((size // _PATCH + 1,) * 2)

    def scene(number: int) -> None:
        place, name = scene_files(folder, number)
        if (place / "MTD_MSIL2A.xml").exists():
            return
        place.mkdir(parents=True, exist_ok=True)
        own = np.random.default_rng(number)
        season = np.sin(np.pi * number / count)
        shifted = np.roll(noise, (number * 37, number * 59), (0, 1))
        red = _blown(1400 + 1500 * fields, size) + shifted
        nir = _blown(2600 + 2600 * season * (1 - fields), size) + shifted[::-1]
        red[:, : 40 * (number % 5)] = nir[:, : 40 * (number % 5)] = 0
        scl = own.choice(
            np.array([4, 5, 8, 9, 3], np.uint8), fields.shape, p=(0.4, 0.27, 0.15, 0.1, 0.08)
        )
        for band, values in (("B04", red), ("B8A", nir), ("SCL", _blown(scl, size, np.uint8))):
            profile = {**_TILES, **_DEFLATE, "predictor": 1 if band == "SCL" else 2, "count": 1}
            profile |= {"width": size, "height": size, "dtype": values.dtype.name}
            with rasterio.open(
                place / f"{name}_{band}_20m.tif",
                "w",
                crs="EPSG:32632",
                transform=from_origin(499980.0, 5200020.0, 20.0, 20.0),
                **profile,
            ) as dataset:
                dataset.write(values, 1)
        (place / "MTD_MSIL2A.xml").write_text(METADATA, "utf-8")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(scene, range(count)))


def _blown(values: Any, size: int, dtype: Any = np.uint16) -> Any:
    """Return a small array with each value as a square patch."""
    rows = np.repeat(values.astype(dtype), _PATCH, axis=0)[:size]
    return np.repeat(rows, _PATCH, axis=1)[:, :size]


def check(folder: Path, result: Path) -> str:
    """Return the largest difference from numpy's median in float64, of every eighth strip of tiles."""
    places = sorted(path for path in folder.iterdir() if path.is_dir())
    worst, wrong = 0.0, 0
    with rasterio.open(result) as dataset:
        for row in range(0, dataset.height, 8 * _ROWS):
            window = Window(0, row, dataset.width, min(_ROWS, dataset.height - row))
            found = dataset.read(1, window=window).astype(np.float64)
            found[found == -9999] = np.nan
            right = np.nanmedian(np.stack([_ndvi(place, window) for place in places]), axis=0)
            wrong += int((np.isnan(found) != np.isnan(right)).sum())
            worst = max(worst, float(np.nanmax(np.abs(found - right))))
    return f"{worst:.1e}" + (f", {wrong} pixels valid in one alone" if wrong else "")


def _ndvi(place: Path, window: Window) -> Any:
    bands = []
    for band in ("B04", "B8A", "SCL"):
        (path,) = place.glob(f"*_{band}_20m.tif")
        with rasterio.open(path) as dataset:
            bands.append(dataset.read(1, window=window))
    red, nir = ((values.astype(np.float64) - 1000) / 10000 for values in bands[:2])
    hidden = (bands[0] == 0) | (bands[1] == 0) | ~np.isin(bands[2], CLEAR)
    return np.where(hidden, np.nan, (nir - red) / (nir + red))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int, nargs="?", default=24)
    parser.add_argument("size", type=int, nargs="?", default=5490)
    parser.add_argument("--check", type=Path)
    arguments = parser.parse_args()
    if arguments.check:
        print(check(arguments.folder, arguments.check))
    else:
        write(arguments.folder, arguments.count, arguments.size)


if __name__ == "__main__":
    main()
