# SPDX-License-Identifier: GPL-2.0-or-later
"""Compute with rasterio as its documentation shows: block windows in a thread pool, a lock for
reading and a lock for writing.
"""

from __future__ import annotations

import concurrent.futures
import os
import threading

import numpy as np
import rasterio
from command import command
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window


def main() -> None:
    arguments = command(__doc__).parse_args()
    codes = [compile(text, "expression", "eval") for text in arguments.expression.split("; ")]
    names = [band.name for band in arguments.band]
    sources = {path: rasterio.open(path) for _, path, _ in arguments.band}
    finest = max(sources.values(), key=lambda source: source.width)
    profile = finest.profile
    profile.update(driver="GTiff", dtype="float32", count=len(codes), nodata=np.nan)
    grid = {name: profile[name] for name in ("crs", "transform", "width", "height")}
    for path, source in sources.items():
        if source.shape != finest.shape:
            sources[path] = WarpedVRT(
                source, resampling=Resampling.bilinear, dtype="float32", **grid
            )
    profile.update(option.lower().split("=") for option in arguments.options.split("|"))
    reading, writing = threading.Lock(), threading.Lock()
    with rasterio.open(arguments.output, "w", **profile) as target:

        def process(window: Window) -> None:
            with reading:
                stored = [
                    sources[path].read(number, window=window) for _, path, number in arguments.band
                ]
            values = dict(zip(names, (band.astype(np.float64) for band in stored)))
            with np.errstate(all="ignore"):
                results = [eval(code, {"__builtins__": {}}, values) for code in codes]
            with writing:
                target.write(np.asarray(results, np.float32), window=window)

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as executor:
            for _ in executor.map(process, [window for _, window in target.block_windows(1)]):
                pass


if __name__ == "__main__":
    main()
