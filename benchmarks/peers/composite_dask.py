# SPDX-License-Identifier: GPL-2.0-or-later
"""Compute the median NDVI of the scenes in a folder with xarray and dask: ``FOLDER OUTPUT CHUNK``.

As their documentation shows: open each band in chunks, stack by time, mask, and reduce with the
time in one chunk.
"""

from __future__ import annotations

import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rioxarray
import xarray

CLEAR = (4, 5, 6, 7, 11)


def main() -> None:
    warnings.simplefilter("ignore")
    folder, output, chunk = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

    def season(band: str) -> Any:
        paths = sorted(folder.glob(f"*/*_{band}_20m.tif"))
        chunks = {"x": chunk, "y": chunk}
        rasters = [
            rioxarray.open_rasterio(path, chunks=chunks, lock=False).sel(band=1, drop=True)
            for path in paths
        ]
        return xarray.concat(rasters, "time")

    red, nir, scl = (season(band) for band in ("B04", "B8A", "SCL"))
    valid = (red != 0) & (nir != 0) & scl.isin(CLEAR)
    r, n = ((band.astype("float32") - 1000) / 10000 for band in (red, nir))
    ndvi = ((n - r) / (n + r)).where(valid)
    median = ndvi.chunk(time=-1).median("time").astype("float32")
    median.attrs.clear()
    median.encoding.clear()
    median = median.rio.write_crs("EPSG:32632").rio.write_nodata(np.nan)
    options = {"compress": "deflate", "zlevel": 1, "predictor": 3}
    median.rio.to_raster(
        output,
        driver="GTiff",
        windowed=True,
        lock=threading.Lock(),
        **{"tiled": True, "blockxsize": 512, "blockysize": 512, **options},
    )


if __name__ == "__main__":
    main()
