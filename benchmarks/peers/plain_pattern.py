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
from rasterio.windows import Window


def main() -> None:
    arguments = command(__doc__).parse_args()
    code = compile(arguments.expression, "expression", "eval")
    names = [band.name for band in arguments.band]
    sources = {path: rasterio.open(path) for _, path, _ in arguments.band}
    profile = next(iter(sources.values())).profile
    profile.update(driver="GTiff", dtype="float32", count=1, nodata=np.nan)
    profile.update(option.lower().split("=") for option in arguments.options.split("|"))
    reading, writing = threading.Lock(), threading.Lock()
    with rasterio.open(arguments.output, "w", **profile) as target:

        def process(window: Window) -> None:
            with reading:
                stored = [
                    sources[path].read(number, window=window) for _, path, number in arguments.band
                ]
            with np.errstate(all="ignore"):
                result = eval(
                    code,
                    {"__builtins__": {}},
                    dict(zip(names, (values.astype(np.float64) for values in stored))),
                )
            with writing:
                target.write(result.astype(np.float32), 1, window=window)

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as executor:
            for _ in executor.map(process, [window for _, window in target.block_windows(1)]):
                pass


if __name__ == "__main__":
    main()
