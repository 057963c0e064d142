# SPDX-License-Identifier: GPL-2.0-or-later
"""Lay out a GeoTIFF as a Cloud Optimized GeoTIFF by moving its blocks; nothing is decoded.

The directories come first, then the blocks of the smallest overview, and those of the raster itself last
(https://docs.ogc.org/is/21-026/21-026.html). The "ghost area" after the header tells GDAL so, and that the size of each
block stands before it and its last four bytes again behind it, so that a reader gets size and block in one request
(https://gdal.org/en/stable/drivers/raster/cog.html).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .block_file import BlockFile
from .tiff import (
    INDEX_TAGS,
    BlockIndex,
    Field,
    Numbers,
    block_index,
    byte_order,
    data_of,
    directories,
    memory_mapped,
)
from .tiff_writing import Value, directory, directory_size, even, index_values

_LAYOUT = b"""LAYOUT=IFDS_BEFORE_DATA
BLOCK_ORDER=ROW_MAJOR
BLOCK_LEADER=SIZE_AS_UINT4
BLOCK_TRAILER=LAST_4_BYTES_REPEATED
KNOWN_INCOMPATIBLE_EDITION=NO
 """  #: the blank leaves room for YES
_GHOST_AREA = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(_LAYOUT) + _LAYOUT
_AROUND = 4  #: bytes of the size before a block, and of the trailer behind it
_MOST = {False: 2**32 - 1, True: 2**64 - 1}


class _Source(NamedTuple):
    """An image of the file that is laid out: its fields without the index, and its blocks."""

    fields: list[Value]
    block_index: BlockIndex
    offsets: Numbers
    byte_counts: Numbers


def write_cog(
    source: Path, target: Path, *, name: Path, large: bool, check: Callable[[], None]
) -> None:
    """Write the new file ``target`` with the images of the tiled GeoTIFF ``source``, overviews included.

    ``check`` is called before each block and may raise. ``name`` is the file's name in messages; a ``large`` file is
    kept out of memory. Raises :class:`~engine.errors.OutputError` beyond 4 GB of a classic TIFF, ``ValueError`` if
    ``source`` is no TIFF.
    """
    with memory_mapped(source) as data:
        order, big = byte_order(data)
        images = [_read(data, fields, number) for number, fields in enumerate(directories(data))]
    header_size = 16 if big else 8
    start = even(header_size + len(_GHOST_AREA))
    sizes = [
        directory_size(_values(image, image.offsets, order=order, big=big), big=big)
        for image in images
    ]
    block_offsets, end = _places(images, start + sum(sizes))
    pointer = f"{order}Q" if big else f"{order}I"
    version = struct.pack(f"{order}HHH", 43, 8, 0) if big else struct.pack(f"{order}H", 42)
    head = bytearray(
        (b"II" if order == "<" else b"MM") + version + struct.pack(pointer, start) + _GHOST_AREA
    )
    head += bytes(start - len(head))
    for number, (image, offsets) in enumerate(zip(images, block_offsets)):
        follows = start + sum(sizes[: number + 1]) if number + 1 < len(images) else 0
        head += directory(
            _values(image, offsets, order=order, big=big), len(head), follows, order=order, big=big
        )
    target.touch(0o600, exist_ok=False)
    target.chmod(source.stat().st_mode & 0o777)
    file = BlockFile(target, name, end=0, most_bytes=_MOST[big], large=large)
    try:
        file.append(end)
        file.put(bytes(head), 0)
        with source.open("rb", buffering=0) as blocks:
            for image, offsets in reversed(list(zip(images, block_offsets))):
                for before, size, after in zip(
                    image.offsets.tolist(), image.byte_counts.tolist(), offsets.tolist()
                ):
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
    kept = [
        Value(field.tag, field.kind, field.length, data_of(data, field))
        for field in fields
        if field.tag not in INDEX_TAGS
    ]
    return _Source(kept, index, *index.read(data))


def _values(image: _Source, offsets: Numbers, *, order: str, big: bool) -> list[Value]:
    """Return the fields of an image whose blocks are at ``offsets``."""
    block_offsets = offsets.astype(f"{order}u{8 if big else 4}").tobytes()
    byte_counts = image.byte_counts.astype(f"{order}u4").tobytes()
    return [
        *image.fields,
        *index_values(image.block_index.tags, block_offsets, byte_counts, big=big),
    ]


def _places(images: Sequence[_Source], start: int) -> tuple[list[Numbers], int]:
    """Return the offsets of all images' blocks, those of the last image first in the file, and where they end."""
    block_offsets, end = [], start
    for image in reversed(images):
        steps = np.where(
            image.byte_counts > 0, image.byte_counts + np.uint64(2 * _AROUND), np.uint64(0)
        )
        starts = np.uint64(end + _AROUND) + np.cumsum(steps) - steps
        block_offsets.append(np.where(image.byte_counts > 0, starts, np.uint64(0)))
        end += int(steps.sum())
    return block_offsets[::-1], end
