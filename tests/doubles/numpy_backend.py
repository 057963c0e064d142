# SPDX-License-Identifier: GPL-2.0-or-later
"""A second backend beside rasterio's: rasters in ``.npz`` files, read and written by numpy alone.

An archive holds ``values`` of shape (bands, rows, columns), the ``transform`` and the ``crs``; nothing
is resampled. Results are whatever the sink of a test makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np


class NumpyDataset:
    """See ``backend/api.py``."""

    driver = "NPZ"
    subdatasets: Sequence[str] = ()
    pixel_interleaved = False

    def __init__(self, path: str) -> None:
        with np.load(path) as archive:
            self._values = archive["values"]
            self.transform = tuple(archive["transform"].tolist())
            self.wkt = str(archive["crs"])
        _, self.height, self.width = self._values.shape
        self.dtypes = [self._values.dtype.name] * len(self._values)
        self.descriptions = [None] * len(self._values)
        self.colors = ["gray"] * len(self._values)
        self.files = [path]
        self.control_points: tuple[Any, ...] = ((), "")

    def tags(self, domain: str) -> Mapping[str, str]:
        return {}

    def band_tags(self, band: int) -> Mapping[str, str]:
        return {}

    def nodata(self, band: int) -> float | None:
        return 0.0

    def scaling(self, band: int) -> tuple[float, float]:
        return 1.0, 0.0

    def mask_flags(self, band: int) -> frozenset[str]:
        return frozenset({"nodata"})

    def block(self, band: int) -> tuple[int, int]:
        return 64, 32

    def overviews(self, band: int) -> Sequence[int]:
        return ()

    def read(self, bands: Any, window: Any, out: Any = None) -> Any:
        index = bands - 1 if isinstance(bands, int) else [band - 1 for band in bands]
        rows = slice(window.row, window.row + window.height)
        values = self._values[index, rows, window.column : window.column + window.width]
        if out is None:
            return values
        out[...] = values
        return out

    def read_mask(self, band: int, window: Any, out: Any = None) -> Any:
        return np.full((window.height, window.width), 255, np.uint8)

    def close(self) -> None:
        pass


class NumpyBackend:
    """See ``backend/api.py``; what it cannot do, it says by ``NotImplementedError``."""

    name, version, gdal_version, proj_version = "numpy", np.__version__, (0, 0), "0.0"
    thread_safe = True
    misread_types: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.cache = 0

    def open(self, path: str, *, thread_safe: bool = False) -> NumpyDataset:
        return NumpyDataset(path)

    def same_crs(self, wkt: str, other: str) -> bool:
        return wkt == other

    def create(self, spec: Any, path: str | None = None) -> Any:
        if path is not None:
            raise NotImplementedError
        from bandwise.engine.backend.api import Created

        return Created((64, 32), False)

    @contextmanager
    def captured(self) -> Iterator[None]:
        yield

    def http_timeouts(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def worker_settings(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def enter_worker_thread(self) -> None:
        pass

    def cache_size(self) -> int:
        return self.cache

    def set_cache_size(self, size: int) -> None:
        self.cache = size

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(name)
