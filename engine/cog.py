# SPDX-License-Identifier: GPL-2.0-or-later
"""Lay out a GeoTIFF as a Cloud Optimized GeoTIFF by moving its blocks; nothing is decoded.

The directories come first, then the blocks of the smallest overview, and those of the raster itself last
(https://docs.ogc.org/is/21-026/21-026.html). The "ghost area" after the header tells GDAL so, and that each block has its
size in front of it and its last four bytes repeated behind it, so that a reader gets both in one request
(https://gdal.org/en/stable/drivers/raster/cog.html).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .block_file import BlockFile
from .tiff import INDEX_TAGS, BlockIndex, Field, Numbers, block_index, byte_order, directories, mapped

_LAYOUT = b"""LAYOUT=IFDS_BEFORE_DATA
BLOCK_ORDER=ROW_MAJOR
BLOCK_LEADER=SIZE_AS_UINT4
BLOCK_TRAILER=LAST_4_BYTES_REPEATED
KNOWN_INCOMPATIBLE_EDITION=NO
 """  #: the blank leaves room for YES
_GHOST_AREA = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(_LAYOUT) + _LAYOUT
_AROUND = 4  #: bytes of the size before a block, and of the trailer behind it
_LONG, _LONG8 = 4, 16
_MOST = {False: 2**32 - 1, True: 2**64 - 1}


class _Source(NamedTuple):
    """An image of the file that is laid out: its fields but for the index, and its blocks."""

    fields: list[tuple[Field, bytes]]
    block_index: BlockIndex
    offsets: Numbers
    byte_counts: Numbers


def write_cog(source: Path, target: Path, *, name: Path, large: bool, check: Callable[[], None]) -> None:
    """Write the new file ``target`` with the images of the tiled GeoTIFF ``source``, overviews included.

    ``check`` is called before each block and may raise. ``name`` is the file's name in messages. A ``large`` file is kept
    out of memory. Raises :class:`~engine.errors.OutputError` beyond 4 GB of a classic TIFF, ``ValueError`` for no TIFF.
    """
    with mapped(source) as data:
        order, big = byte_order(data)
        images = [_read(data, fields, number) for number, fields in enumerate(directories(data))]
    header_size = 16 if big else 8
    start = _even(header_size + len(_GHOST_AREA))
    sizes = [_directory_size(image, big=big) for image in images]
    places, end = _places(images, start + sum(sizes))
    pointer = f"{order}Q" if big else f"{order}I"
    version = struct.pack(f"{order}HHH", 43, 8, 0) if big else struct.pack(f"{order}H", 42)
    head = bytearray((b"II" if order == "<" else b"MM") + version + struct.pack(pointer, start) + _GHOST_AREA)
    head += bytes(start - len(head))
    for number, (image, offsets) in enumerate(zip(images, places)):
        follows = start + sum(sizes[: number + 1]) if number + 1 < len(images) else 0
        head += _directory(image, offsets, len(head), follows, order=order, big=big)
    target.touch(0o600, exist_ok=False)
    target.chmod(source.stat().st_mode & 0o777)
    file = BlockFile(target, name, end=0, most_bytes=_MOST[big], large=large)
    try:
        file.append(end)
        file.put(bytes(head), 0)
        with source.open("rb", buffering=0) as blocks:
            for image, offsets in reversed(list(zip(images, places))):
                for before, size, after in zip(image.offsets.tolist(), image.byte_counts.tolist(), offsets.tolist()):
                    if not size:  # left out of a sparse file
                        continue
                    check()
                    blocks.seek(before)
                    block = blocks.read(size)
                    if len(block) != size:
                        raise OSError(f"only {len(block)} of {size} bytes of a block could be read")
                    file.put(struct.pack("<I", size) + block + block[-_AROUND:], after - _AROUND)
        file.finish()
    finally:
        file.close()


def _read(data: memoryview, fields: Sequence[Field], number: int) -> _Source:
    index = block_index(data, number)
    kept = [field for field in fields if field.tag not in INDEX_TAGS]
    return _Source(
        [(field, bytes(data[field.position : field.position + field.size])) for field in kept], index, *index.read(data)
    )


def _places(images: Sequence[_Source], start: int) -> tuple[list[Numbers], int]:
    """Return the offsets of all images' blocks, those of the last image first in the file, and where they end."""
    places, end = [], start
    for image in reversed(images):
        steps = np.where(image.byte_counts > 0, image.byte_counts + np.uint64(2 * _AROUND), np.uint64(0))
        starts = np.uint64(end + _AROUND) + np.cumsum(steps) - steps
        places.append(np.where(image.byte_counts > 0, starts, np.uint64(0)))
        end += int(steps.sum())
    return places[::-1], end


def _index_kinds(*, big: bool) -> tuple[int, int]:
    """Return the TIFF types of offsets and of byte counts."""
    return (_LONG8 if big else _LONG), _LONG


def _directory_size(image: _Source, *, big: bool) -> int:
    """Return the bytes of a directory and of the values that it points to."""
    inside, entry, frame = (8, 20, 16) if big else (4, 12, 6)
    count = len(image.offsets)
    lengths = [len(value) for _, value in image.fields] + [count * (8 if big else 4), count * 4]
    return _even(frame + entry * len(lengths)) + sum(_even(length) for length in lengths if length > inside)


def _directory(image: _Source, offsets: Numbers, position: int, follows: int, *, order: str, big: bool) -> bytes:
    """Return a directory for the byte ``position``, with the values that it points to; the next one is at ``follows``."""
    (offset_tag, count_tag), kinds = image.block_index.tags, _index_kinds(big=big)
    count = len(offsets)
    entries = [(field.tag, field.kind, field.length, value) for field, value in image.fields]
    entries.append((offset_tag, kinds[0], count, offsets.astype(f"{order}u{8 if big else 4}").tobytes()))
    entries.append((count_tag, kinds[1], count, image.byte_counts.astype(f"{order}u4").tobytes()))
    inside, entry, frame = (8, 20, 16) if big else (4, 12, 6)
    pointer, number, head = (f"{order}{code}" for code in (("Q", "Q", "HHQ") if big else ("I", "H", "HHI")))
    values, place = bytearray(), position + _even(frame + entry * len(entries))
    directory = bytearray(struct.pack(number, len(entries)))
    for tag, kind, length, value in sorted(entries):
        directory += struct.pack(head, tag, kind, length)
        if len(value) <= inside:
            directory += value.ljust(inside, b"\0")
        else:
            directory += struct.pack(pointer, place + len(values))
            values += value.ljust(_even(len(value)), b"\0")
    directory += struct.pack(pointer, follows)
    return bytes(directory.ljust(place - position, b"\0") + values)


def _even(size: int) -> int:
    return size + size % 2
