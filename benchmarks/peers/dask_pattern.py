# SPDX-License-Identifier: GPL-2.0-or-later
"""Compute with dask as rioxarray's documentation shows for large rasters: open in chunks with nodata
masked, compute, write with a lock.
"""

from __future__ import annotations

import threading

import numpy as np
import rioxarray
from command import command


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--chunk", type=int, default=2048)
    arguments = parser.parse_args()
    rasters, bands = {}, {}
    for name, path, number in arguments.band:
        if path not in rasters:
            chunks = {"x": arguments.chunk, "y": arguments.chunk}
            rasters[path] = rioxarray.open_rasterio(path, chunks=chunks, masked=True, lock=False)
        bands[name] = rasters[path].sel(band=number)
    result = eval(
        compile(arguments.expression, "expression", "eval"), {"__builtins__": {}}, bands
    ).astype("float32")
    result.attrs.clear()
    result.encoding.clear()
    result = result.rio.write_nodata(np.nan)
    options = dict(option.lower().split("=") for option in arguments.options.split("|"))
    result.rio.to_raster(
        arguments.output,
        driver="GTiff",
        dtype="float32",
        windowed=True,
        lock=threading.Lock(),
        **options,
    )


if __name__ == "__main__":
    main()
