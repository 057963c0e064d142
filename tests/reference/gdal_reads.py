# SPDX-License-Identifier: GPL-2.0-or-later
"""What GDAL's own Python says of files: run by the system's Python as a process, which reads paths
from standard input and answers each.

An answer is a line of JSON: what GDAL reported while it opened and while it read, as (class,
message), and where the pixels and the mask of band 1 were put (none where it could not be read).
Class 2 is a warning, 3 and 4 are errors.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    import numpy as np
    from osgeo import gdal

    heard: list[tuple[int, str]] = []
    gdal.PushErrorHandler(lambda kind, number, message: heard.append((kind, message)))
    gdal.DontUseExceptions()
    for number, line in enumerate(sys.stdin):
        path = line.rstrip("\n")
        answer: dict[str, Any] = {"opening": [], "reading": [], "pixels": ""}
        heard.clear()
        dataset = gdal.OpenEx(path, gdal.OF_RASTER)
        if dataset is not None:
            # which the GTiff driver reads when it is asked
            dataset.GetProjection(), dataset.GetGeoTransform(), dataset.GetMetadata()
        answer["opening"] = heard[:]
        heard.clear()
        if (
            dataset is not None
            and dataset.RasterCount
            and dataset.RasterXSize * dataset.RasterYSize <= 4_000_000
        ):
            band = dataset.GetRasterBand(1)
            pixels = band.ReadAsArray()
            mask = band.GetMaskBand().ReadAsArray() if pixels is not None else None
            if pixels is not None and mask is not None:
                answer["pixels"] = f"{path}.{number}.npz"
                np.savez(answer["pixels"], pixels=pixels, mask=mask)
        answer["reading"] = heard[:]
        dataset = None
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
