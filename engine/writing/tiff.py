# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a TIFF keeps its blocks: the offsets and byte counts in its directories (TIFF 6.0, and BigTIFF)."""

from __future__ import annotations

import itertools
import mmap
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray

#: Tags; offsets come first
_STRIP_OFFSETS, _STRIP_BYTE_COUNTS, TILE_OFFSETS, TILE_BYTE_COUNTS = 273, 279, 324, 325
INDEX_TAGS = (_STRIP_OFFSETS, _STRIP_BYTE_COUNTS, TILE_OFFSETS, TILE_BYTE_COUNTS)
#: Fields that change: the index, rows per strip (GDAL splits single strips), and texts that GDAL writes for tags.
_VARIABLE = {*INDEX_TAGS, 278, *range(269, 273), 285, 300, 305, 306, 315, 316, 33432, 42112}
_TYPES = {3: "u2", 4: "u4", 16: "u8"}
#: Bytes of a value, by the number of its type.
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}

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
            raise OverflowError(
                f"{numbers.size} numbers up to {numbers.max(initial=0)} do not fit {self.length} of {self.dtype}"
            )
        return numbers.astype(self.dtype).tobytes()


@dataclass(frozen=True)
class BlockIndex:
    """The two arrays that say where each block lies, by row and column and, where bands lie apart,
    by band before these.

    ``order`` is the file's byte order as numpy writes it, < or >; ``tiled`` says that blocks are tiles, not strips.
    """

    order: str
    tiled: bool
    _offsets: _Array
    _byte_counts: _Array

    def __len__(self) -> int:
        return self._offsets.length

    @property
    def tags(self) -> tuple[int, int]:
        """The numbers of the two fields, offsets first."""
        return (
            (TILE_OFFSETS, TILE_BYTE_COUNTS) if self.tiled else (_STRIP_OFFSETS, _STRIP_BYTE_COUNTS)
        )

    @property
    def most_bytes(self) -> int:
        """How long the file may grow."""
        return int(np.iinfo(self._offsets.dtype).max)

    def read(self, data: bytes | memoryview) -> tuple[Numbers, Numbers]:
        """Offsets and byte counts of all blocks, both 0 for one that the file leaves out."""
        return self._offsets.read(data), self._byte_counts.read(data)

    def patches(self, offsets: Numbers, byte_counts: Numbers) -> list[tuple[int, bytes]]:
        """What has to stand where in the file for it to have these blocks; ``OverflowError`` past a
        classic TIFF's 4 GB.
        """
        return [
            (array.position, array.stored(numbers))
            for array, numbers in ((self._offsets, offsets), (self._byte_counts, byte_counts))
        ]


class Field(NamedTuple):
    """An entry of a directory: ``length`` values of the TIFF type ``kind``, from the file's byte ``position``."""

    tag: int
    kind: int
    length: int
    position: int

    @property
    def size(self) -> int:
        """Bytes of the values. Raises ``ValueError`` for a type that no TIFF has."""
        if self.kind not in _SIZES:
            raise ValueError(f"the TIFF has a field of type {self.kind}")
        return self.length * _SIZES[self.kind]


def directories(data: bytes | memoryview) -> Iterator[list[Field]]:
    """Yield the fields of each image of the TIFF that starts with ``data``: the raster itself, its overviews and masks.

    Raises ``ValueError`` if it is no TIFF or is cut off.
    """
    order, big = byte_order(data)
    pointer, count, head = (
        f"{order}{code}" for code in (("Q", "Q", "HHQ") if big else ("I", "H", "HHI"))
    )
    pointer_size, count_size, head_size = map(struct.calcsize, (pointer, count, head))
    seen: set[int] = set()
    try:
        directory = struct.unpack_from(pointer, data, pointer_size if big else 4)[0]
        while directory and directory not in seen:
            seen.add(directory)
            entries, first = struct.unpack_from(count, data, directory)[0], directory + count_size
            after = first + entries * (head_size + pointer_size)
            fields = []
            for position in range(first, after, head_size + pointer_size):
                tag, kind, length = struct.unpack_from(head, data, position)
                inside = length * _SIZES.get(kind, 1) <= pointer_size
                located = (
                    position + head_size
                    if inside
                    else struct.unpack_from(pointer, data, position + head_size)[0]
                )
                fields.append(Field(tag, kind, length, located))
            yield fields
            directory = struct.unpack_from(pointer, data, after)[0]
    except struct.error as error:
        raise ValueError("the TIFF is cut off") from error


def byte_order(data: bytes | memoryview) -> tuple[str, bool]:
    """Return a TIFF's byte order as numpy writes it, < or >, and whether it is a BigTIFF. Raises ``ValueError``."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
    version = struct.unpack_from(f"{order}H", data, 2)[0] if len(data) >= 4 else 0
    if not order or version not in (42, 43):
        raise ValueError("this is no TIFF")
    return order, version == 43


def block_index(data: bytes | memoryview, image: int = 0) -> BlockIndex:
    """Return the index of an ``image`` of the TIFF that starts with ``data``.

    Raises ``ValueError`` if there is none.
    """
    fields = next(itertools.islice(directories(data), image, None), None)
    if fields is None:
        raise ValueError("the TIFF has fewer images")
    return _index_of(fields, byte_order(data)[0])


def _index_of(fields: Sequence[Field], order: str) -> BlockIndex:
    arrays = {
        field.tag: _Array(field.position, field.length, np.dtype(order + _TYPES[field.kind]))
        for field in fields
        if field.tag in INDEX_TAGS and field.kind in _TYPES
    }
    if len(arrays) != 2:
        raise ValueError("the TIFF does not tell where its blocks lie")
    return BlockIndex(
        order, TILE_OFFSETS in arrays, *(array for _, array in sorted(arrays.items()))
    )


def fixed_fields(data: bytes | memoryview) -> list[dict[int, bytes]]:
    """Return the fields of each image, by tag, that do not change while a file gets its blocks and its tags."""
    return [
        {field.tag: data_of(data, field) for field in fields if field.tag not in _VARIABLE}
        for fields in directories(data)
    ]


def data_of(data: bytes | memoryview, field: Field) -> bytes:
    """Return the bytes of a field's values."""
    return bytes(data[field.position : field.position + field.size])


def pack_block(part: NDArray[Any], width: int, order: str) -> memoryview:
    """Rows of a block ``width`` pixels wide as they lie in an uncompressed file; ``part``, of shape
    (bands, height, at most width), is filled up.
    """
    bands, rows, columns = part.shape
    dtype = np.dtype(order + part.dtype.str[1:])
    if bands == 1 and width == columns and part.flags.c_contiguous and part.dtype == dtype:
        return part.data
    block = (np.empty if width == columns else np.zeros)((rows, width, bands), dtype)
    for number, pixels in enumerate(part):  # up to four times as fast as all at once
        block[:, :columns, number] = pixels
    return block.data


@contextmanager
def memory_mapped(path: Path) -> Iterator[memoryview]:
    """The bytes of a file, read as they are looked at. Raises ``ValueError`` for an empty one."""
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        memoryview(data) as view,
    ):
        yield view


def is_complete(
    data: bytes | memoryview, *, images: int | None = None, sparse: bool = False
) -> bool:
    """Return whether every block of every image of a TIFF lies within the file, and it has as many ``images`` as given.

    Overviews and masks count as images. Only in a ``sparse`` file a block may be missing (offset and byte count 0).
    """
    image_count, length = 0, np.uint64(len(data))
    try:
        order = byte_order(data)[0]
        for fields in directories(data):
            offsets, byte_counts = _index_of(fields, order).read(data)
            left_out = (offsets == 0) & (byte_counts == 0) & sparse
            within = (
                (offsets > 0)
                & (byte_counts > 0)
                & (byte_counts <= length)
                & (offsets <= length - byte_counts)
            )
            if not (within | left_out).all():
                return False
            image_count += 1
    except ValueError:
        return False
    return image_count == images if images is not None else image_count > 0
