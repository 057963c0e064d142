# SPDX-License-Identifier: GPL-2.0-or-later
"""A TIFF that is being written: places for its blocks, and the bytes that threads put there."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray
from ..errors import OutputError
from ..grids.grid import Window
from ..messages import translate
from .tiff import BlockIndex, Numbers

#: Blocks start where a page of memory does: so threads never share a page of an uncompressed file.
_PAGE = 4096
_CLOSED = -1
_BEHIND = 64  #: blocks that the disk may be behind


class Part(NamedTuple):
    """The part of a window in one block: the block's ``number`` in the index, the first ``row`` within the block, and
    ``pixels`` of shape (bands stored together, height, width).
    """

    number: int
    row: int
    pixels: NDArray[Any]


class Image:
    """The raster itself, or an overview: its size, the (width, height) of its ``block``, and the places of its blocks.

    ``separate`` means that each band has blocks of its own.
    """

    def __init__(
        self, size: tuple[int, int], block: tuple[int, int], index: BlockIndex, *, separate: bool
    ) -> None:
        (self.width, self.height), self.block, self.index, self.separate = (
            size,
            block,
            index,
            separate,
        )
        self.offsets, self.byte_counts = np.zeros((2, len(index)), np.uint64)

    def parts(self, window: Window, values: NDArray[Any]) -> Iterator[Part]:
        """Yield the part of a window in each block that it touches, in the order of the index."""
        width, height = self.block
        columns, rows = -(-self.width // width), -(-self.height // height)
        bottom = window.row + window.height
        for plane, pixels in enumerate(
            values[:, np.newaxis] if self.separate else values[np.newaxis]
        ):
            for block_row in range(window.row // height, -(-bottom // height)):
                first, last = (
                    max(block_row * height, window.row),
                    min((block_row + 1) * height, bottom),
                )
                for column in range(0, window.width, width):
                    number = (plane * rows + block_row) * columns + (
                        window.column + column
                    ) // width
                    part = pixels[
                        :, first - window.row : last - window.row, column : column + width
                    ]
                    yield Part(number, first - block_row * height, part)

    def reserve(self, file: BlockFile, bands: int, itemsize: int) -> None:
        """Give every block its place, one after the other; only the last strips are smaller."""
        planes, together = (bands, 1) if self.separate else (1, bands)
        row, blocks = self.block[0] * together * itemsize, len(self.index) // planes
        sizes = np.full((planes, blocks), row * self.block[1], np.uint64)
        if not self.index.tiled:
            sizes[:, -1] = row * (self.height - (blocks - 1) * self.block[1])
        self.byte_counts = sizes.reshape(-1)
        self.offsets = (
            np.uint64(file.append(int(sizes.sum())))
            + np.cumsum(self.byte_counts)
            - self.byte_counts
        )

    def is_kept(self, offsets: Numbers, byte_counts: Numbers) -> bool:
        """Return whether a file's index has these blocks. GDAL splits a single uncompressed strip."""
        if len(self.offsets) == 1 < len(offsets):
            together = np.array_equal(offsets[1:], (offsets + byte_counts)[:-1])
            return bool(
                together
                and offsets[0] == self.offsets[0]
                and byte_counts.sum() == self.byte_counts[0]
            )
        return np.array_equal(offsets, self.offsets) and np.array_equal(
            byte_counts, self.byte_counts
        )


class BlockFile:
    """The file ``path``, open for writing by several threads. ``target`` is its name in messages.

    Blocks are appended from the byte ``end`` on, up to ``most_bytes``. A ``large`` file is kept out of memory,
    where the system can be told to forget pages of a file (macOS and Windows cannot).
    """

    def __init__(self, path: Path, target: Path, *, end: int, most_bytes: int, large: bool) -> None:
        self._target, self._most_bytes = target, most_bytes
        self._end = -(-end // _PAGE) * _PAGE
        self._lock = threading.Lock()
        self._behind: deque[tuple[int, int]] | None = None
        if large and hasattr(os, "posix_fadvise"):
            self._behind = deque()
        self._file = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))

    def append(self, size: int) -> int:
        """Reserve ``size`` bytes at the end of the file and return their offset; the lock is held for the sum alone."""
        with self._lock:
            offset = self._end
            self._end += size + size % 2
        if self._end > self._most_bytes:
            raise OutputError(
                translate(
                    "Bandwise",
                    "{file} grows past the 4 GB of a classic TIFF; set the creation option BIGTIFF=YES.",
                ).format(file=self._target)
            )
        return offset

    def put(self, data: memoryview | bytes, offset: int) -> None:
        """Write ``data`` at ``offset``, while other threads write; on Windows, without ``pwrite``, threads take turns.

        Pages of a large file are written out at once and dropped later: otherwise dirty pages fill the page cache and
        writers block on write-back.
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

    def finish(self) -> None:
        """Give the file its length, for tiles reach beyond the raster, where nothing is written, and close it."""
        os.ftruncate(self._file, max(self._end, os.fstat(self._file).st_size))
        self.close()

    def close(self) -> None:
        file, self._file = self._file, _CLOSED
        if file != _CLOSED:
            os.close(file)
