# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading windows of the inputs; with ``rasters`` and ``geotiff`` the only file that calls rasterio."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from rasterio.windows import Window as RasterioWindow

from .errors import ReadError
from .grid import Window
from .messages import translate
from .rasters import RASTER_FAILURES, BandFacts, opened, reason_of, thread_safe_datasets


class Sources:
    """The inputs of one run, opened once per thread, or once for all where datasets are thread-safe.

    ``needed`` are the positions of the bands that are read, the others stand for their grid; ``handles`` counts the
    datasets that were opened.
    """

    def __init__(self, bands: Sequence[BandFacts], needed: Sequence[int]) -> None:
        self.bands = tuple(bands)
        self.needed = frozenset(needed)
        self.shared = thread_safe_datasets()
        self.handles = 0
        self._paths = sorted({self.bands[index].path for index in self.needed})
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._local = threading.local()
        self._everyones: dict[str, Any] = {}

    def __enter__(self) -> Sources:
        if self.shared:
            try:
                self._everyones = self._open_all(thread_safe=True)
            except BaseException:
                self._stack.close()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open_all(self, **options: Any) -> dict[str, Any]:
        datasets = {}
        for path in self._paths:
            dataset = opened(path, **options)
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

    def read(self, window: Window, buffers: Buffers) -> tuple[list[npt.NDArray[Any]], list[list[npt.NDArray[Any]]]]:
        """Stored values of every band that is needed, and its mask planes, each of shape (window.pixels,), in ``buffers``.

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
        masks: list[list[npt.NDArray[Any]]] = []
        for index, (band, planes) in enumerate(zip(self.bands, buffers.masks)):
            masks.append([])
            if index not in self.needed:
                continue
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

    def __init__(self, bands: Sequence[BandFacts], needed: Sequence[int], pixels: int) -> None:
        by_file: dict[tuple[str, np.dtype[Any]], list[int]] = {}
        for index in needed:
            band = bands[index]
            by_file.setdefault((band.path, band.dtype), []).append(index)
        self.groups = list(by_file.values())
        self.stored = [np.empty(len(group) * pixels, dtype) for (_, dtype), group in by_file.items()]
        self.masks = [[np.empty(pixels, _mask_type(number, band)) for number in band.masks] for band in bands]


def _mask_type(number: int, band: BandFacts) -> type[np.generic]:
    """Masks are bytes; an alpha band of fractions keeps them, so that 0.3 is not 0."""
    return np.float32 if number and band.dtype.kind == "f" else np.uint8


@contextmanager
def _reading(path: str, numbers: Sequence[int], window: Window) -> Iterator[None]:
    try:
        yield
    except RASTER_FAILURES as error:
        raise ReadError(
            translate(
                "Bandwise",
                "{file}: band {bands} cannot be read at column {column}, row {row} ({width} x {height} pixels): {reason}; "
                "the file looks damaged or incomplete, so copy or download it again."
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
