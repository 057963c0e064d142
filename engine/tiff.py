# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a TIFF keeps its blocks: the offsets and byte counts in its first directory (TIFF 6.0, and BigTIFF)."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .arrays import NDArray

_STRIP_OFFSETS, _STRIP_BYTE_COUNTS, _TILE_OFFSETS, _TILE_BYTE_COUNTS = 273, 279, 324, 325  #: tags; offsets come before byte counts
_TYPES = {3: "u2", 4: "u4", 16: "u8"}

Numbers = NDArray[np.uint64]


class _Array(NamedTuple):
    """``length`` integers at the file's byte ``position``."""

    position: int
    length: int
    dtype: np.dtype[Any]

    def read(self, data: bytes | memoryview) -> Numbers:
        return np.frombuffer(data, self.dtype, self.length, self.position).astype(np.uint64)

    def stored(self, numbers: Numbers) -> bytes:
        """Raises ``OverflowError`` for a number that the file has no room for."""
        if numbers.size != self.length or int(numbers.max(initial=0)) > np.iinfo(self.dtype).max:
            raise OverflowError(f"{numbers.size} numbers up to {numbers.max(initial=0)} do not fit {self.length} of {self.dtype}")
        return numbers.astype(self.dtype).tobytes()


@dataclass(frozen=True)
class BlockIndex:
    """The two arrays that say where each block lies, by row and column and, where bands lie apart, by band before these.

    ``order`` is the file's byte order as numpy writes it, < or >; ``tiled`` says that blocks are tiles, not strips.
    """

    order: str
    tiled: bool
    _offsets: _Array
    _byte_counts: _Array

    def __len__(self) -> int:
        return self._offsets.length

    @property
    def most_bytes(self) -> int:
        """How long the file may grow."""
        return int(np.iinfo(self._offsets.dtype).max)

    def read(self, data: bytes | memoryview) -> tuple[Numbers, Numbers]:
        """Offsets and byte counts of all blocks, both 0 for one that the file leaves out."""
        return self._offsets.read(data), self._byte_counts.read(data)

    def patches(self, offsets: Numbers, byte_counts: Numbers) -> list[tuple[int, bytes]]:
        """What has to stand where in the file for it to have these blocks; ``OverflowError`` past a classic TIFF's 4 GB."""
        return [(array.position, array.stored(numbers)) for array, numbers in ((self._offsets, offsets), (self._byte_counts, byte_counts))]


def block_index(data: bytes | memoryview, image: int = 0) -> BlockIndex:
    """Find the index of the TIFF that ``data`` starts or is, or of a later ``image`` in it. Raises ``ValueError`` where there is none."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
    try:
        version = struct.unpack_from(f"{order}H", data, 2)[0]
        arrays = dict(_arrays(data, order, image, big=version == 43))
    except struct.error as error:
        raise ValueError("the TIFF is cut off") from error
    if not order or version not in (42, 43) or len(arrays) != 2:
        raise ValueError("this is no TIFF, or it does not tell where its blocks lie")
    return BlockIndex(order, _TILE_OFFSETS in arrays, *(array for _, array in sorted(arrays.items())))


def _arrays(data: bytes | memoryview, order: str, image: int, *, big: bool) -> Iterator[tuple[int, _Array]]:
    """The arrays that an image's directory points to, or holds itself where they are as short as a pointer."""
    pointer, count, head = ("Q", "Q", "HHQ") if big else ("I", "H", "HHI")
    pointer_size, count_size, head_size = (struct.calcsize(f"<{code}") for code in (pointer, count, head))
    directory = struct.unpack_from(order + pointer, data, pointer_size if big else 4)[0]
    for _ in range(image):
        entries = struct.unpack_from(order + count, data, directory)[0]
        directory = struct.unpack_from(order + pointer, data, directory + count_size + entries * (head_size + pointer_size))[0]
        if not directory:
            raise ValueError("the TIFF has fewer images")
    for number in range(struct.unpack_from(order + count, data, directory)[0]):
        position = directory + count_size + number * (head_size + pointer_size)
        tag, kind, length = struct.unpack_from(order + head, data, position)
        if tag in (_STRIP_OFFSETS, _STRIP_BYTE_COUNTS, _TILE_OFFSETS, _TILE_BYTE_COUNTS) and kind in _TYPES:
            dtype = np.dtype(order + _TYPES[kind])
            inside = length * dtype.itemsize <= pointer_size
            place = position + head_size if inside else struct.unpack_from(order + pointer, data, position + head_size)[0]
            yield tag, _Array(place, length, dtype)


def plain_rows(part: NDArray[Any], width: int, order: str) -> memoryview:
    """Rows of a block ``width`` pixels wide as they lie in an uncompressed file; ``part``, of shape (bands, height, at most width), is filled up."""
    bands, rows, columns = part.shape
    dtype = np.dtype(order + part.dtype.str[1:])
    if bands == 1 and width == columns and part.flags.c_contiguous and part.dtype == dtype:
        return part.data
    block = (np.empty if width == columns else np.zeros)((rows, width, bands), dtype)
    block[:, :columns] = part.transpose(1, 2, 0)
    return block.data


@contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """The bytes of a file, read as they are looked at. Raises ``ValueError`` for an empty one."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data, memoryview(data) as view:
        yield view


def fits(path: Path) -> bool:
    """Whether a TIFF is as long as the index of its first image says."""
    try:
        with mapped(path) as data:
            offsets, byte_counts = block_index(data).read(data)
            return int((offsets + byte_counts).max()) <= len(data)
    except ValueError:
        return False
