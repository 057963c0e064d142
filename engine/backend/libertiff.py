# SPDX-License-Identifier: GPL-2.0-or-later
"""GDAL's second reader of GeoTIFFs, which threads share without a lock of libtiff's.

GDAL 3.11 brought LIBERTIFF. It reads compressed files in less time than GTiff, but not every file:
it knows no sidecar files, and GDAL 3.12 misses some nodata values of BigTIFFs, so that it fills
blocks that are not there with 0. Both are asked, and it is taken where nothing about pixels differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .api import Dataset
from .failures import RasterFailure

LIBERTIFF = "LIBERTIFF"


def shared_reader(dataset: Dataset, by_libertiff: Callable[[], Dataset]) -> Dataset:
    """Return the one of two readers of a file that threads should share; the other is closed.

    Parameters
    ----------
    dataset
        The file as GDAL opens it by itself.
    by_libertiff
        Open the same file by LIBERTIFF; raises :class:`RasterFailure` where that cannot.
    """
    if dataset.driver != "GTiff":
        return dataset
    try:
        other = by_libertiff()
    except RasterFailure:
        return dataset
    try:
        alike = _pixels(dataset) == _pixels(other)
    except (OSError, ValueError):
        alike = False
    taken, left = (other, dataset) if alike else (dataset, other)
    left.close()
    return taken


def _pixels(dataset: Dataset) -> tuple[object, ...]:
    """What says how stored values are read, and which of them are none."""
    bands = range(1, len(dataset.dtypes) + 1)
    nodata = [dataset.nodata(band) for band in bands]
    return (
        (dataset.width, dataset.height, dataset.pixel_interleaved),
        list(dataset.dtypes),
        list(dataset.colors),
        ["nan" if value is not None and math.isnan(value) else value for value in nodata],
        [(dataset.mask_flags(band), dataset.block(band)) for band in bands],
    )
