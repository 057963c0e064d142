# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts of a raster, and reading its windows; with ``geotiff`` the only file that calls rasterio."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags, WktVersion
from rasterio.env import get_gdal_config, set_gdal_config
from rasterio.errors import RasterioError
from rasterio.windows import Window as RasterioWindow

from .errors import InputError, ReadError
from .grid import Grid, Window
from .messages import translate
from .radiometry import Declared


#: What rasterio raises, by version, where GDAL fails.
RASTER_FAILURES = (RasterioError, CPLE_BaseError, OSError)


@dataclass(frozen=True)
class BandFacts:
    """A band of a raster file, as the file's own driver tells.

    ``masks`` are the planes in which 0 marks a pixel of the band as nodata: a band number stands for an
    alpha band, 0 for the band's mask (``.msk`` file, internal mask, per-dataset nodata). ``block`` is the
    source block's (width, height) in pixels.
    """

    path: str
    number: int
    grid: Grid
    declared: Declared
    masks: tuple[int, ...]
    block: tuple[int, int]
    files: tuple[str, ...]

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.declared.dtype)


def describe(path: str, number: int) -> BandFacts:
    """Open the raster ``path`` and tell what it says of its band ``number`` (from 1).

    Raises :class:`InputError` for a file that is missing, not a raster, or has no such band.
    """
    with _opened(path) as dataset:
        if not dataset.count:
            raise InputError(
                translate("Bandwise", "{file} holds no bands of its own but subdatasets; choose one of them, such as {example}.").format(
                    file=path, example=dataset.subdatasets[0] if dataset.subdatasets else "-"
                )
            )
        if not 1 <= number <= dataset.count:
            raise InputError(
                translate("Bandwise", "{file} has no band {band}; its bands are 1 to {count}.").format(file=path, band=number, count=dataset.count)
            )
        dtype = dataset.dtypes[number - 1]
        if dtype.startswith("complex"):
            raise InputError(
                translate("Bandwise", "Band {band} of {file} holds complex numbers; convert it to real numbers first.").format(band=number, file=path)
            )
        transform = dataset.transform
        if transform.is_degenerate:
            raise InputError(translate("Bandwise", "{file} has pixels without an area; its geotransform is damaged.").format(file=path))
        block_height, block_width = dataset.block_shapes[number - 1]
        return BandFacts(
            path=path,
            number=number,
            grid=Grid(
                crs=dataset.crs.to_wkt(version=WktVersion.WKT2_2019) if dataset.crs else "",
                transform=tuple(transform[:6]),
                width=dataset.width,
                height=dataset.height,
            ),
            declared=Declared(
                dtype=dtype,
                nodata=dataset.nodatavals[number - 1],
                scale=dataset.scales[number - 1],
                offset=dataset.offsets[number - 1],
                name=dataset.tags(number).get("BANDNAME", ""),
            ),
            masks=_masks(dataset, number),
            block=(block_width, block_height),
            files=tuple(dataset.files),
        )


def _masks(dataset: Any, number: int) -> tuple[int, ...]:
    """GDAL's mask hides an alpha band behind a nodata value, so alpha is looked for by itself."""
    colours = dataset.colorinterp
    if colours[number - 1] is ColorInterp.alpha:
        return ()
    masks = [colours.index(ColorInterp.alpha) + 1] if ColorInterp.alpha in colours else []
    flags = dataset.mask_flag_enums[number - 1]
    if MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags:
        masks.append(0)
    return tuple(masks)


def same_crs(wkt: str, other: str) -> bool:
    """Whether two CRS, given as WKT (empty for none), are the same place for place."""
    if wkt == other or not (wkt and other):
        return wkt == other
    return bool(CRS.from_wkt(wkt) == CRS.from_wkt(other))


def thread_safe_datasets() -> bool:
    """Whether one dataset may be read by several threads: rasterio >= 1.5 on GDAL >= 3.11.

    Older rasterio accepts ``thread_safe=True`` and ignores it, so this is told by version.
    """
    return _version(rasterio.__version__) >= (1, 5) and _version(rasterio.__gdal_version__) >= (3, 11)


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int("".join(filter(str.isdigit, minor)) or 0)


def _opened(path: str, **options: Any) -> Any:
    if not path:
        raise InputError(translate("Bandwise", "An input raster is missing; choose a file.").format())
    try:
        return rasterio.open(path, sharing=False, **options)
    except RASTER_FAILURES as error:
        local = (os.path.isabs(path) or ":" not in path) and not path.startswith("/vsi")
        if local and not os.path.exists(path):
            raise InputError(translate("Bandwise", "{file} does not exist; check the path.").format(file=path)) from error
        raise InputError(
            translate("Bandwise", "{file} cannot be opened as a raster ({reason}); choose a file that GDAL can read.").format(
                file=path, reason=reason_of(error, path)
            )
        ) from error


def reason_of(error: BaseException, path: str = "") -> str:
    """GDAL's own words: rasterio >= 1.4 keeps them in the cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    words = str(getattr(error, "errmsg", error)).strip().rstrip(".")
    for prefix in ("Read or write failed. ", f"{path}: ", f"{path}, "):
        words = words[len(prefix) :] if prefix and words.startswith(prefix) else words
    return words


class Sources:
    """The inputs of one run, opened once per thread, or once for all where datasets are thread-safe.

    ``handles`` counts the datasets that were opened.
    """

    def __init__(self, bands: Sequence[BandFacts]) -> None:
        self.bands = tuple(bands)
        self.shared = thread_safe_datasets()
        self.handles = 0
        self._paths = sorted({band.path for band in self.bands})
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._local = threading.local()
        self._everyones: dict[str, Any] = {}

    def __enter__(self) -> Sources:
        if self.shared:
            self._everyones = self._open_all(thread_safe=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open_all(self, **options: Any) -> dict[str, Any]:
        datasets = {}
        for path in self._paths:
            dataset = _opened(path, **options)
            datasets[path] = dataset
            with self._lock:
                self._stack.enter_context(dataset)
                self.handles += 1
        return datasets

    def _datasets(self) -> dict[str, Any]:
        if self.shared:
            return self._everyones
        if not hasattr(self._local, "datasets"):
            self._local.datasets = self._open_all()
        datasets: dict[str, Any] = self._local.datasets
        return datasets

    def read(self, window: Window, buffers: Buffers) -> tuple[list[npt.NDArray[Any]], list[list[npt.NDArray[np.uint8]]]]:
        """Stored values of every band, and its mask planes, each of shape (window.pixels,), in ``buffers``.

        Raises :class:`ReadError` with file, band and window.
        """
        datasets = self._datasets()
        place = RasterioWindow(window.column, window.row, window.width, window.height)
        stored: list[npt.NDArray[Any]] = [np.empty(0)] * len(self.bands)
        for group, buffer in zip(buffers.groups, buffers.stored):
            path = self.bands[group[0]].path
            numbers = [self.bands[index].number for index in group]
            values = buffer[: len(group) * window.pixels].reshape(len(group), window.height, window.width)
            with _reading(path, numbers, window):
                datasets[path].read(numbers, window=place, out=values)
            for index, plane in zip(group, values):
                stored[index] = plane.reshape(-1)
        masks: list[list[npt.NDArray[np.uint8]]] = []
        for band, planes in zip(self.bands, buffers.masks):
            masks.append([])
            for number, buffer in zip(band.masks, planes):
                plane = buffer[: window.pixels].reshape(window.height, window.width)
                with _reading(band.path, [band.number], window):
                    if number:
                        datasets[band.path].read(number, window=place, out=plane)
                    else:
                        datasets[band.path].read_masks(band.number, window=place, out=plane)
                masks[-1].append(plane.reshape(-1))
        return stored, masks


class Buffers:
    """What one thread reads into, made once for windows of up to ``pixels`` pixels.

    Bands of one file and type are read in one call into one buffer, so that a block that holds several
    bands is decoded once; ``groups`` has their positions.
    """

    def __init__(self, bands: Sequence[BandFacts], pixels: int) -> None:
        by_file: dict[tuple[str, np.dtype], list[int]] = {}
        for index, band in enumerate(bands):
            by_file.setdefault((band.path, band.dtype), []).append(index)
        self.groups = list(by_file.values())
        self.stored = [np.empty(len(group) * pixels, dtype) for (_, dtype), group in by_file.items()]
        self.masks = [[np.empty(pixels, np.uint8) for _ in band.masks] for band in bands]


@contextmanager
def _reading(path: str, numbers: Sequence[int], window: Window) -> Iterator[None]:
    try:
        yield
    except RASTER_FAILURES as error:
        raise ReadError(
            translate(
                "Bandwise",
                "{file}: band {bands} cannot be read at column {column}, row {row} ({width} x {height} pixels): {reason}."
                " The file looks damaged or incomplete; copy or download it again.",
            ).format(
                file=path,
                bands=", ".join(map(str, numbers)),
                column=window.column,
                row=window.row,
                width=window.width,
                height=window.height,
                reason=reason_of(error, path),
            )
        ) from error


@contextmanager
def worker_environment() -> Iterator[None]:
    """GDAL's settings for one thread: the pool owns the cores, so GDAL starts no readers of its own."""
    with rasterio.Env(GDAL_NUM_THREADS="1"):
        yield


_cache_lock = threading.Lock()
_cache_before: list[int] = []


@contextmanager
def block_cache(size: int) -> Iterator[None]:
    """Bound GDAL's block cache, which the whole process shares, to ``size`` bytes for a while.

    Runs may overlap; the last to leave restores what the first found.
    """
    with _cache_lock:
        _cache_before.append(get_gdal_config("GDAL_CACHEMAX"))
        set_gdal_config("GDAL_CACHEMAX", size)
    try:
        yield
    finally:
        with _cache_lock:
            before = _cache_before.pop()
            if not _cache_before:
                set_gdal_config("GDAL_CACHEMAX", before)
