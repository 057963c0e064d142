# SPDX-License-Identifier: GPL-2.0-or-later
"""GDAL through rasterio."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
import rasterio.warp
from rasterio.crs import CRS
from rasterio.enums import Resampling as Method
from rasterio.features import rasterize
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from ...arrays import NDArray
from ...grids.grid import Grid, Window
from ...grids.layout import Resampling
from .. import captured
from ..api import Created, CreationSpec, Dataset, Numbers, Polygon, by_domain
from ..gdal_settings import (
    ANY_TRANSFORM,
    TIMEOUTS,
    WORKER_SETTINGS,
    memory_name,
    version_pair,
)
from ..libertiff import LIBERTIFF, shared_reader
from .creation import created, creation_arguments, crs_of
from .dataset import RasterioDataset, failures, raising, wkt_of
from .private import (
    LOGGERS,
    MESSAGE_PREFIX,
    gdal_type,
    get_gdal_config,
    hasenv,
    misread_types,
    open_raster,
    set_gdal_config,
    within_settings,
)

_METHODS = {
    Resampling.NEAREST: Method.nearest,
    Resampling.BILINEAR: Method.bilinear,
    Resampling.CUBIC: Method.cubic,
    Resampling.AVERAGE: Method.average,
    Resampling.CUBIC_SPLINE: Method.cubic_spline,
    Resampling.LANCZOS: Method.lanczos,
}
_copy = within_settings(rasterio.shutil.copy)


class RasterioBackend:
    """See :class:`~..api.Backend`."""

    name = "rasterio"
    version = rasterio.__version__
    gdal_version = version_pair(rasterio.__gdal_version__)
    proj_version = ".".join(rasterio.__proj_version__.split(".")[:2])
    misread_types = misread_types()

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners = 0

    @property
    def thread_safe(self) -> bool:
        """From rasterio 1.5 on GDAL 3.11 on; older rasterio accepts the option and ignores it."""
        return version_pair(self.version) >= (1, 5) and self.gdal_version >= (3, 11)

    def open(self, path: str, *, thread_safe: bool = False) -> Dataset:
        if not thread_safe:
            return _opened(path)
        shared = partial(_opened, path, thread_safe=True)
        return shared_reader(path, shared(), partial(shared, driver=LIBERTIFF))

    def wkt_of_code(self, code: int) -> str:
        return wkt_of(CRS.from_epsg(code))

    def same_crs(self, wkt: str, other: str) -> bool:
        return bool(crs_of(wkt) == crs_of(other))

    @raising
    def transform(self, xs: Numbers, ys: Numbers, wkt: str, other: str) -> tuple[Numbers, Numbers]:
        points: tuple[Numbers, Numbers] = rasterio.warp.transform(
            crs_of(wkt), crs_of(other), xs, ys
        )
        return points

    @raising
    def warp(
        self,
        values: NDArray[np.floating[Any]],
        source: Grid,
        target: Grid,
        resampling: Resampling,
        *,
        tolerance: float,
        scale: tuple[float, float],
    ) -> NDArray[np.floating[Any]]:
        with (
            open_raster(_name_of(values[np.newaxis], source.transform)) as dataset,
            WarpedVRT(
                dataset,
                src_crs=crs_of(source.crs),
                src_nodata=math.nan,
                crs=crs_of(target.crs),
                transform=Affine(*target.transform),
                width=target.width,
                height=target.height,
                resampling=_METHODS[resampling],
                nodata=math.nan,
                tolerance=tolerance,
                XSCALE=repr(scale[0]),
                YSCALE=repr(scale[1]),
            ) as warped,
        ):
            resampled: NDArray[np.floating[Any]] = warped.read(1)
        return resampled.astype(values.dtype, copy=False)  # rasterio 1.3 makes float64 of float32

    @raising
    def burn(self, polygons: Sequence[Polygon], window: Window, out: NDArray[np.uint8]) -> None:
        shapes = [{"type": "Polygon", "coordinates": rings} for rings in polygons]
        shift = Affine.translation(window.column, window.row)
        rasterize(shapes, out=out, transform=shift, default_value=0)

    @raising
    def create(self, spec: CreationSpec, path: str | None = None) -> Created:
        arguments = creation_arguments(spec)
        if path is None:
            with MemoryFile() as memory, memory.open(**arguments) as dataset:
                return created(dataset)
        with open_raster(path, "w", **arguments) as dataset:
            dataset.descriptions = spec.names
            if spec.scale is not None:
                dataset.scales = [spec.scale] * dataset.count
                dataset.offsets = [spec.offset or 0.0] * dataset.count
            return created(dataset)

    @raising
    def set_tags(
        self, path: str, tags: Mapping[str, str], band_tags: Sequence[Mapping[str, str]]
    ) -> None:
        with open_raster(path, "r+", driver="GTiff") as dataset:
            dataset.update_tags(**tags)
            for number, items in enumerate(band_tags, start=1):
                for domain, added in by_domain(items).items():
                    dataset.update_tags(number, ns=domain or None, **added)

    @raising
    def tags(self, path: str) -> Mapping[str, str]:
        with open_raster(path) as dataset:
            return dict(dataset.tags())

    @contextmanager
    def encode(
        self, values: NDArray[Any], options: Mapping[str, str], nodata: float | None = None
    ) -> Iterator[memoryview]:
        """Copy from memory to a file in memory.

        Where GDAL encodes what rasterio writes, at the latest when it closes, rasterio holds the
        interpreter and the other threads wait.
        """
        with MemoryFile() as encoded:
            with failures():
                if nodata is None:
                    _copy(_name_of(values), encoded.name, driver="GTiff", **options)
                else:
                    # As much at once as the window has: otherwise GDAL writes uncompressed blocks
                    # part by part, and one that another thread's reads push out of the block cache
                    # in between loses what was written before.
                    with (
                        rasterio.Env(GDAL_SWATH_SIZE=str(values.nbytes)),
                        open_raster(_name_of(values), "r+") as plain,
                    ):
                        plain.nodata = nodata
                        _copy(plain, encoded.name, driver="GTiff", **options)
            yield memoryview(encoded.getbuffer()).cast("B")

    def http_timeouts(self) -> AbstractContextManager[Any]:
        """Entering an environment costs half a millisecond: none where the timeouts hold and this
        thread has one, which passes on what GDAL says.
        """
        missing = _missing_timeouts()
        return rasterio.Env(**missing) if missing or not hasenv() else nullcontext()

    def worker_settings(self) -> AbstractContextManager[Any]:
        return rasterio.Env(**WORKER_SETTINGS, **_missing_timeouts())  # type: ignore[no-any-return]

    def enter_worker_thread(self) -> None:
        self.worker_settings().__enter__()

    @contextmanager
    def captured(self) -> Iterator[None]:
        """rasterio passes messages to ``logging``: warnings as such, failures as information, since
        some are no failures of the call.

        As loggers belong to the whole process, their settings stay as they are, and other threads
        notice nothing: only what decides whether a record is made, and where it goes, is asked here
        first. GDAL calls its error handler in the thread that it works in.
        """
        with self._lock:
            self._listeners += 1
            for logger in LOGGERS:
                vars(logger).update(isEnabledFor=_enabled(logger), handle=_handle(logger))
        try:
            yield
        finally:
            with self._lock:
                self._listeners -= 1
                for logger in LOGGERS if not self._listeners else ():
                    vars(logger).pop("isEnabledFor", None)
                    vars(logger).pop("handle", None)

    def cache_size(self) -> int:
        size: int = get_gdal_config("GDAL_CACHEMAX")
        return size

    def set_cache_size(self, size: int) -> None:
        set_gdal_config("GDAL_CACHEMAX", size)


@raising
def _opened(path: str, **options: Any) -> RasterioDataset:
    return RasterioDataset(open_raster(path, sharing=False, **options))


def _name_of(values: NDArray[Any], transform: Sequence[float] = ANY_TRANSFORM) -> str:
    return memory_name(values, gdal_type(values.dtype.name), transform)


def _missing_timeouts() -> dict[str, str]:
    """Those that the user has not set himself."""
    return {name: value for name, value in TIMEOUTS.items() if get_gdal_config(name) is None}


def _enabled(logger: logging.Logger) -> Callable[[int], bool]:
    def enabled(level: int) -> bool:
        wanted = captured.is_listening() and level >= logging.INFO
        return wanted or type(logger).isEnabledFor(logger, level)

    return enabled


def _handle(logger: logging.Logger) -> Callable[[logging.LogRecord], None]:
    def handle(record: logging.LogRecord) -> None:
        if not captured.is_listening() or record.levelno < logging.INFO:
            type(logger).handle(logger, record)
        elif record.levelno >= logging.WARNING:
            captured.warned(MESSAGE_PREFIX.sub("", record.getMessage()).strip().rstrip("."))
        elif isinstance(record.args, tuple):
            captured.failed(*record.args)

    return handle
