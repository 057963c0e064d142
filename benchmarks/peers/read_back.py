# SPDX-License-Identifier: GPL-2.0-or-later
"""Decode every block of rasters, discard the pixels, and print the seconds taken as JSON.

With all cores, no tool that reads the rasters can be faster.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import rasterio
from rasterio.windows import Window


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rasters", nargs="+")
    parser.add_argument(
        "--workers", type=int, default=0, help="threads; 0 (default) for as many as there are cores"
    )
    arguments = parser.parse_args()
    started = time.monotonic()
    local = threading.local()

    def decode(task: tuple[str, Window]) -> None:
        path, window = task
        if not hasattr(local, "handles"):
            local.handles = {name: rasterio.open(name) for name in arguments.rasters}
        with rasterio.Env(GDAL_NUM_THREADS="1"):
            local.handles[path].read(1, window=window)

    tasks = []
    for path in arguments.rasters:
        with rasterio.open(path) as dataset:
            tasks += [(path, window) for _, window in dataset.block_windows(1)]
    with ThreadPoolExecutor(arguments.workers or os.cpu_count()) as pool:
        for _ in pool.map(decode, tasks):
            pass
    print(json.dumps({"seconds": time.monotonic() - started}))


if __name__ == "__main__":
    main()
