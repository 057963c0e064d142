# SPDX-License-Identifier: GPL-2.0-or-later
"""Writing the result: a GeoTIFF that appears complete or not at all; with ``rasters`` and ``sources`` the only file that calls rasterio."""

from __future__ import annotations

import itertools
import logging
import os
import re
import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.crs import CRS
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from rasterio.windows import Window as RasterioWindow

from .errors import OptionError, OutputError
from .grid import Grid, Window
from .messages import translate
from .rasters import RASTER_FAILURES, reason_of

_NO_TRANSFORM = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


class GeoTiffSink:
    """A Float32 GeoTIFF that appears under its name complete, or not at all.

    It is written beside ``target`` under a temporary name; :meth:`commit` closes, checks and renames it,
    leaving the context without that removes it. ``block`` is the (width, height) of its blocks.
    """

    def __init__(self, target: str, grid: Grid, names: Sequence[str], *, nodata: float, profile: Mapping[str, str]) -> None:
        self.target = Path(target)
        self.temporary = self.target.with_name(f".bandwise-{uuid.uuid4().hex[:12]}.tif")
        self._lock = threading.Lock()
        self._sparse = profile.get("SPARSE_OK", "NO").upper() in ("YES", "TRUE", "ON")
        self._nodata, self._blocks_with_data = nodata, 0
        self._arguments = _creation_arguments(grid, len(names), nodata, profile)
        self._names = tuple(names)
        self._dataset: Any = None

    def __enter__(self) -> GeoTiffSink:
        with self._writing():
            self._dataset = rasterio.open(self.temporary, "w", **self._arguments)
            self._dataset.descriptions = self._names
        height, width = self._dataset.block_shapes[0]
        self.block = (width, height)
        separate = self._dataset.interleaving is not None and self._dataset.interleaving.name == "band"
        self._block_bands = tuple(self._dataset.indexes) if separate else (1,)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._dataset is not None:
            with suppress(*RASTER_FAILURES):
                self._dataset.close()
        for leftover in self._leftovers():
            leftover.unlink(missing_ok=True)

    def _leftovers(self) -> list[Path]:
        """The temporary file and what GDAL wrote beside it."""
        return sorted(self.target.parent.glob(self.temporary.stem + ".*"))

    def write(self, window: Window, values: npt.NDArray[np.float32]) -> None:
        """Write ``values`` of shape (bands, window.height, window.width); one thread at a time gets in."""
        place = RasterioWindow(window.column, window.row, window.width, window.height)
        with self._lock, self._writing():
            if self._sparse:
                self._blocks_with_data += self._count_data(values)
            self._dataset.write(values, window=place)

    def _count_data(self, values: npt.NDArray[np.float32]) -> int:
        """Blocks that are not nodata all over; GDAL leaves the others out of a sparse file."""
        width, height = self.block
        data = values != self._nodata
        planes = data if len(self._block_bands) == len(data) else data.any(axis=0, keepdims=True)
        return sum(
            bool(plane[row : row + height, column : column + width].any())
            for plane in planes
            for row in range(0, plane.shape[0], height)
            for column in range(0, plane.shape[1], width)
        )

    def commit(self, tags: Mapping[str, str], band_tags: Sequence[Mapping[str, str]]) -> None:
        """Tag, close, check that every block is on disk, and give the file its name."""
        with self._writing():
            self._dataset.update_tags(**tags)
            for number, items in enumerate(band_tags, start=1):
                self._dataset.update_tags(number, **items)
            self._dataset.close()
            complete = self._complete()
        if not complete:
            raise OutputError(
                translate(
                    "Bandwise", "{file} could not be written whole; make room on the disk ({free} MB are free) or choose another folder."
                ).format(file=self.target, free=free_bytes(self.target.parent) // 10**6)
            )
        with self._writing():
            os.replace(self.temporary, self.target)
            for suffix in (".aux.xml", ".ovr", ".msk"):  # what the former result of this name left would falsify the new one
                self.target.with_name(self.target.name + suffix).unlink(missing_ok=True)
            for sidecar in self._leftovers():
                suffix = sidecar.name[len(self.temporary.stem) :].replace(".tif.", f"{self.target.suffix}.", 1)
                os.replace(sidecar, self.target.with_name(self.target.stem + suffix))

    def _complete(self) -> bool:
        """Whether all blocks lie inside the file: closing does not tell of a disk that ran full (GDAL < 3.7)."""
        size = self.temporary.stat().st_size
        with rasterio.open(self.temporary) as dataset:
            columns, rows = -(-dataset.width // self.block[0]), -(-dataset.height // self.block[1])
            present = 0
            for number, row, column in itertools.product(self._block_bands, range(rows), range(columns)):
                start = dataset.get_tag_item(f"BLOCK_OFFSET_{column}_{row}", "TIFF", bidx=number)
                length = dataset.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=number)
                if start is not None and length is not None:
                    present += 1
                    if int(start) + int(length) > size:
                        return False
        return present >= (self._blocks_with_data if self._sparse else len(self._block_bands) * rows * columns)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except RASTER_FAILURES as error:
            raise OutputError(
                translate(
                    "Bandwise", "{file} cannot be written ({reason}); check the folder, its free space, and that no program has the file open."
                ).format(file=self.target, reason=reason_of(error, str(self.temporary)))
            ) from error


def _creation_arguments(grid: Grid, count: int, nodata: float, profile: Mapping[str, str]) -> dict[str, Any]:
    return {
        "driver": "GTiff",
        "width": grid.width,
        "height": grid.height,
        "count": count,
        "dtype": "float32",
        "nodata": nodata,
        "crs": CRS.from_wkt(grid.crs) if grid.crs else None,
        "transform": None if grid.transform == _NO_TRANSFORM else Affine(*grid.transform),
        **profile,
    }


def check_profile(profile: Mapping[str, str]) -> None:
    """Let GDAL judge creation options on a small file in memory; raise :class:`OptionError` with its words."""
    grid = Grid(crs="", transform=(2.0, 0.0, 0.0, 0.0, -2.0, 0.0), width=16, height=16)
    complaints: list[str] = []
    with _overheard(complaints):
        try:
            with MemoryFile() as memory, memory.open(**_creation_arguments(grid, 1, 0.0, {**profile, "SPARSE_OK": "YES"})):
                pass
        except (*RASTER_FAILURES, ValueError) as error:
            complaints.append(reason_of(error))
    if complaints:
        words = [re.sub(r"^CPLE_\w+ in |/vsimem/\S+: ", "", complaint) for complaint in complaints]
        raise OptionError(
            translate("Bandwise", "GDAL does not take the creation options: {reason}; see the GTiff driver's list of creation options.").format(
                reason="; ".join(words)
            )
        )


_overhearing = threading.Lock()  #: the logger is the whole process's


@contextmanager
def _overheard(messages: list[str]) -> Iterator[None]:
    """Collect the warnings that GDAL gives in this thread; rasterio passes them to ``logging``."""

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == threading.get_ident():
                messages.append(record.getMessage().rstrip("."))

    listener, logger = Listener(logging.WARNING), logging.getLogger("rasterio._env")
    with _overhearing:
        level, propagate = logger.level, logger.propagate
        logger.addHandler(listener)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(listener)
            logger.setLevel(level)
            logger.propagate = propagate


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write to the disk of ``folder``."""
    return shutil.disk_usage(folder).free
