# SPDX-License-Identifier: GPL-2.0-or-later
"""GDAL's second reader of GeoTIFFs, which threads share without a lock of libtiff's.

GDAL 3.11 brought LIBERTIFF. It reads compressed files in less time than GTiff, but not every file:
it knows no sidecar files, and GDAL 3.12's misses some nodata values of BigTIFFs, so that it fills
blocks that are not there with 0, and reads neither some masks of bits nor a last strip that is
stored longer than the raster. Both are asked, and it is taken where there is no mask of a file and
nothing about pixels differs; GTiff stays open beside it, and reads what it cannot. A file on a
server is left to GTiff: LIBERTIFF never ends where it changes while it is read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

from ..arrays import NDArray
from ..files.locations import is_remote
from ..grids.grid import Window
from .api import Bands, Dataset
from .captured import forget_failures
from .failures import RasterFailure

LIBERTIFF = "LIBERTIFF"


def shared_reader(path: str, dataset: Dataset, by_libertiff: Callable[[], Dataset]) -> Dataset:
    """Return the reader of a file that threads should share.

    Parameters
    ----------
    path
        The name of the file.
    dataset
        The file as GDAL opens it by itself.
    by_libertiff
        Open the same file by LIBERTIFF; raises :class:`RasterFailure` where that cannot.
    """
    if dataset.driver != "GTiff" or is_remote(path):
        return dataset
    try:
        other = by_libertiff()
    except RasterFailure:
        return dataset
    try:
        alike = not _has_mask(dataset) and _pixels(dataset) == _pixels(other)
    except (OSError, ValueError):
        alike = False
    if alike:
        return cast(Dataset, _Pair(other, dataset))
    other.close()
    return dataset


class _Pair:
    """LIBERTIFF's reader of a file, and GTiff's for what that refuses."""

    def __init__(self, fast: Dataset, safe: Dataset) -> None:
        self._fast, self._safe = fast, safe

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fast, name)

    def read(self, bands: Bands, window: Window, out: NDArray[Any] | None = None) -> NDArray[Any]:
        try:
            return self._fast.read(bands, window, out)
        except RasterFailure:
            forget_failures()
            return self._safe.read(bands, window, out)

    def close(self) -> None:
        self._fast.close()
        self._safe.close()


def _has_mask(dataset: Dataset) -> bool:
    """Whether a mask lies in the file or beside it."""
    bands = range(1, len(dataset.dtypes) + 1)
    return any(dataset.mask_flags(band) >= {"per_dataset"} for band in bands)


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
