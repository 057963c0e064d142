# SPDX-License-Identifier: GPL-2.0-or-later
"""Writing the result: a GeoTIFF that appears complete or not at all."""

from __future__ import annotations

import math
import os
import shutil
import threading
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.enums import Resampling

from .arrays import NDArray
from .creation import creation_arguments, is_sparse, written_as_computed
from .encoding import Encoder
from .environment import RASTER_FAILURES, block_cache, reason_of
from .errors import OutputError
from .grid import Grid, Window
from .messages import translate
from .pyramid import Pyramid, overview_sizes
from .storage import Storage
from .tiff import BlockIndex, block_index, fits, mapped, plain_rows
from .windows import LEAST_CACHE

#: Blocks start where a page of memory does: so threads never share a page of an uncompressed file.
_PAGE = 4096
_CLOSED = -1
_LARGE = 0.1  #: of the memory: a result beyond is written out as it goes, not when the system needs the room
_BEHIND = 64  #: blocks that the disk may be behind
_OVERVIEW_BLOCKS = [2**power for power in range(6, 13)]  #: sides that GDAL gives to tiles of overviews


class _Image:
    """The raster itself, or an overview: its size, and where in the file its blocks lie."""

    def __init__(self, width: int, height: int, index: BlockIndex) -> None:
        self.width, self.height, self.index = width, height, index
        self.offsets, self.byte_counts = np.zeros((2, len(index)), np.uint64)


class GeoTiffSink:
    """A GeoTIFF that appears under its name complete, or not at all.

    GDAL makes it, empty, beside ``target`` under a temporary name. Threads encode the blocks of their windows and put each at a
    place of its own, so none waits for another. :meth:`commit` enters the places in the file's index, tags, checks and renames it;
    leaving the context without that removes it. ``block`` is the (width, height) of its blocks. With ``overviews`` smaller copies are
    made of the windows while they pass (where tiles are not square, at the end by GDAL), and with ``cog``, options of GDAL's COG driver, the
    file is laid out anew.
    """

    def __init__(
        self,
        target: str,
        grid: Grid,
        names: Sequence[str],
        *,
        storage: Storage,
        profile: Mapping[str, str],
        overviews: bool = False,
        cog: Mapping[str, str] | None = None,
    ) -> None:
        self.target = Path(target)
        self.temporary = self.target.with_name(f".bandwise-{uuid.uuid4().hex[:12]}.tif")
        self._as_computed = written_as_computed(profile)
        self._sparse = is_sparse(profile)
        self._grid, self._storage = grid, storage
        self._arguments = {**creation_arguments(grid, len(names), storage, profile), "SPARSE_OK": "YES"}
        self._profile = profile
        self._names, self._overviews, self._cog = tuple(names), overviews, cog
        self._lock = threading.Lock()
        self._file = _CLOSED
        size = grid.width * grid.height * len(names) * storage.dtype.itemsize
        self._behind: deque[tuple[int, int]] | None = deque() if size > _memory() * _LARGE else None
        self._pyramid: Pyramid | None = None

    def __enter__(self) -> GeoTiffSink:
        try:
            self._create()
        except BaseException:
            self._discard()
            raise
        return self

    def _create(self) -> None:
        with self._writing():
            with rasterio.open(self.temporary, "w", **self._arguments) as dataset:
                dataset.descriptions = self._names
                if self._storage.scaled:
                    dataset.scales = [self._storage.scale_tag] * dataset.count
                    dataset.offsets = [self._storage.offset_tag] * dataset.count
                height, width = dataset.block_shapes[0]
                self._separate = dataset.count > 1 and dataset.interleaving is not None and dataset.interleaving.name == "band"
                tiled = dataset.profile["tiled"]
            self._encoder = Encoder(self._profile, self._storage, (width, height), separate=self._separate)
            if self._overviews and tiled and width == height and width in _OVERVIEW_BLOCKS:
                self._pyramid = Pyramid(self._grid.width, self._grid.height, (width, height), self._storage)
                factors = [2**level for level in range(1, len(self._pyramid.sizes))]
                empty = rasterio.Env(SPARSE_OK_OVERVIEW="YES", GDAL_TIFF_OVR_BLOCKSIZE=str(width), GDAL_NUM_THREADS="ALL_CPUS")
                with block_cache(LEAST_CACHE), empty, rasterio.open(self.temporary, "r+") as dataset:
                    dataset.build_overviews(factors, Resampling.nearest)
            head = self.temporary.read_bytes()
            self._file = os.open(self.temporary, os.O_RDWR | getattr(os, "O_BINARY", 0))
        self.block = (width, height)
        sizes = self._pyramid.sizes if self._pyramid else [(self._grid.width, self._grid.height)]
        try:
            self._images = [_Image(*size, block_index(head, number)) for number, size in enumerate(sizes)]
        except ValueError as error:
            raise self._not_whole() from error
        self._end = -(-len(head) // _PAGE) * _PAGE
        for image in self._images if self._as_computed else ():
            self._reserve(image)

    def _reserve(self, image: _Image) -> None:
        """Give every block of an image its place: one after the other, of one size but for the strips that end with the raster."""
        planes, bands = (len(self._names), 1) if self._separate else (1, len(self._names))
        row, blocks = self.block[0] * bands * self._storage.dtype.itemsize, len(image.index) // planes
        sizes = np.full((planes, blocks), row * self.block[1], np.uint64)
        if not image.index.tiled:
            sizes[:, -1] = row * (image.height - (blocks - 1) * self.block[1])
        image.byte_counts = sizes.reshape(-1)
        image.offsets = np.uint64(self._append(int(sizes.sum()))) + np.cumsum(image.byte_counts) - image.byte_counts

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._discard()

    def _discard(self) -> None:
        self._close()
        for leftover in self._leftovers():
            leftover.unlink(missing_ok=True)

    def _close(self) -> None:
        file, self._file = self._file, _CLOSED
        if file != _CLOSED:
            os.close(file)

    def _leftovers(self) -> list[Path]:
        """The temporary file and what GDAL wrote beside it."""
        return sorted(self.target.parent.glob(self.temporary.stem + ".*"))

    def write(self, window: Window, values: NDArray[Any]) -> None:
        """Write ``values`` of shape (bands, window.height, window.width): whole blocks, or where they are written as they are computed an
        even number of rows of them; threads may do so at once.
        """
        with self._writing():
            self._write(self._images[0], window, values)
            for level, block, halves in self._pyramid.add(window, values) if self._pyramid else ():
                self._write(self._images[level], block, halves)

    def _write(self, image: _Image, window: Window, values: NDArray[Any]) -> None:
        if self._as_computed:
            for number, first, part in self._parts(image, window, values):
                rows = plain_rows(part, self.block[0], image.index.order)
                self._put(rows.cast("B"), int(image.offsets[number]) + first * rows.nbytes // part.shape[1])
            return
        parts = list(self._parts(image, window, values))
        for (number, _, part), block in zip(parts, self._encoder.blocks(values)):
            if not (self._sparse and (part == self._storage.nodata).all()):
                image.offsets[number] = self._append(block.nbytes)
                image.byte_counts[number] = block.nbytes
                self._put(block.cast("B"), int(image.offsets[number]))

    def _parts(self, image: _Image, window: Window, values: NDArray[Any]) -> Iterator[tuple[int, int, NDArray[Any]]]:
        """What of a window lies in one block, in the order of the index: the block's number there, the first row of it,
        and pixels of shape (bands that lie together, height, width).
        """
        width, height = self.block
        columns, rows = -(-image.width // width), -(-image.height // height)
        bottom = window.row + window.height
        for plane, pixels in enumerate(values[:, np.newaxis] if self._separate else values[np.newaxis]):
            for block_row in range(window.row // height, -(-bottom // height)):
                first, last = max(block_row * height, window.row), min((block_row + 1) * height, bottom)
                for column in range(0, window.width, width):
                    number = (plane * rows + block_row) * columns + (window.column + column) // width
                    yield number, first - block_row * height, pixels[:, first - window.row : last - window.row, column : column + width]

    def _append(self, size: int) -> int:
        """Take so many bytes at the file's end and tell where that was; the lock is held for the sum alone."""
        with self._lock:
            offset = self._end
            self._end += size + size % 2
        if self._end > self._images[0].index.most_bytes:
            raise OutputError(
                translate("Bandwise", "{file} grows past the 4 GB of a classic TIFF; set the creation option BIGTIFF=YES.").format(file=self.target)
            )
        return offset

    def _put(self, data: memoryview | bytes, offset: int) -> None:
        """Write at a place of the file, whatever other threads write; Windows knows no ``pwrite`` and takes turns.

        Of a large file the disk gets this at once, and the system forgets what it got before: else pages that nobody reads would fill the
        memory, at the cost of those that somebody does, until threads wait for the disk.
        """
        done = 0
        while done < len(data):
            if hasattr(os, "pwrite"):
                done += os.pwrite(self._file, data[done:], offset + done)
            else:
                with self._lock:
                    os.lseek(self._file, offset + done, os.SEEK_SET)
                    done += os.write(self._file, data[done:])
        if self._behind is not None:
            self._behind.append((offset, done))
            os.posix_fadvise(self._file, offset, done, os.POSIX_FADV_DONTNEED)
            if len(self._behind) > _BEHIND:
                os.posix_fadvise(self._file, *self._behind.popleft(), os.POSIX_FADV_DONTNEED)

    def commit(self, tags: Mapping[str, str], band_tags: Sequence[Mapping[str, str]]) -> None:
        """Enter the blocks in the index, tag, close, check that all is on disk, and give the file its name."""
        with self._writing():
            for image in self._images:
                for place, numbers in image.index.patches(image.offsets, image.byte_counts):
                    self._put(numbers, place)
            os.ftruncate(self._file, max(self._end, os.fstat(self._file).st_size))  # tiles reach beyond the raster, where nothing is written
            self._close()
            with rasterio.open(self.temporary, "r+") as dataset:
                dataset.update_tags(**tags)
                for number, items in enumerate(band_tags, start=1):
                    dataset.update_tags(number, **items)
            complete = self._complete(tags)
        if not complete:
            raise self._not_whole()
        with self._writing():
            finished = self._finished()
            os.replace(finished, self.target)
            for suffix in (".aux.xml", ".ovr", ".msk"):  # what the former result of this name left would falsify the new one
                self.target.with_name(self.target.name + suffix).unlink(missing_ok=True)
            for sidecar in self._leftovers():
                suffix = sidecar.name[len(self.temporary.stem) :].replace(".tif.", f"{self.target.suffix}.", 1)
                os.replace(sidecar, self.target.with_name(self.target.stem + suffix))

    def _finished(self) -> Path:
        """The file with overviews, or laid out for the cloud, if that is wanted; all cores work for it, for the workers are done."""
        method = Resampling.nearest if self._storage.whole and not self._storage.scaled else Resampling.average
        if self._cog is not None:
            laid_out = self.temporary.with_suffix(".cog.tif")
            options = {"OVERVIEWS": "AUTO" if self._overviews else "NONE", "OVERVIEW_RESAMPLING": method.name.upper(), **self._cog}
            with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS"):
                rasterio.shutil.copy(self.temporary, laid_out, driver="COG", **options)
            self.temporary.unlink()
            if not fits(laid_out):
                raise self._not_whole()
            for sidecar in sorted(laid_out.parent.glob(laid_out.name + ".*")):
                os.replace(sidecar, sidecar.with_name(sidecar.name.replace(laid_out.name, self.temporary.name, 1)))
            return laid_out
        if self._overviews and self._pyramid is None:
            factors = [2 ** (level + 1) for level, _ in enumerate(overview_sizes(self._grid.width, self._grid.height))]
            with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS"), rasterio.open(self.temporary, "r+") as dataset:
                dataset.build_overviews(factors, method)
            with rasterio.open(self.temporary, overview_level=len(factors) - 1) as dataset:
                dataset.read(1)  # the last to be written
        return self.temporary

    def _not_whole(self) -> OutputError:
        text = translate("Bandwise", "{file} could not be written whole; make room on the disk ({free} MB are free) or choose another folder.")
        return OutputError(text.format(file=self.target, free=free_bytes(self.target.parent) // 10**6))

    def _complete(self, tags: Mapping[str, str]) -> bool:
        """Whether the file holds every block and the tags: closing does not tell of a disk that ran full (GDAL < 3.7)."""
        try:
            with mapped(self.temporary) as data:
                for number, image in enumerate(self._images):
                    offsets, byte_counts = block_index(data, number).read(data)
                    kept = np.array_equal(offsets, image.offsets) and np.array_equal(byte_counts, image.byte_counts)
                    if not kept or int((offsets + byte_counts).max()) > len(data) or not (self._sparse or byte_counts.all()):
                        return False
        except ValueError:  # cut off, or empty
            return False
        with rasterio.open(self.temporary) as dataset:
            return set(tags) <= set(dataset.tags())

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


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write to the disk of ``folder``."""
    return shutil.disk_usage(folder).free


def _memory() -> float:
    """Bytes of memory that this machine has; infinite where the system cannot be told to forget pages of a file."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "posix_fadvise") else math.inf
