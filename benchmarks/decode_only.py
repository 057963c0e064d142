# SPDX-License-Identifier: GPL-2.0-or-later
"""Decodes rasters with all cores and throws the pixels away: no tool that reads them can be faster."""

from __future__ import annotations

import argparse
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import rasterio
from rasterio.windows import Window


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rasters", nargs="+")
    arguments = parser.parse_args()
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
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(decode, tasks):
            pass


if __name__ == "__main__":
    main()
