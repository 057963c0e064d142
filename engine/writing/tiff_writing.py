# SPDX-License-Identifier: GPL-2.0-or-later
"""TIFF directories as bytes: of a file that is laid out anew, and of overviews that have no blocks yet."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .tiff import INDEX_TAGS, TILE_BYTE_COUNTS, TILE_OFFSETS, byte_order, data_of, directories

_SUBFILE_TYPE, _WIDTH, _LENGTH, _TILE_WIDTH, _TILE_LENGTH, _PLANAR, _SAMPLES = (
    254,
    256,
    257,
    322,
    323,
    284,
    277,
)  #: tags
#: Fields that an overview has in common with the raster: bits, compression, photometric interpretation, bands, planar
#: configuration, predictor, extra bands, sample format, nodata, parameters of LERC.
_SHARED = (258, 259, 262, _SAMPLES, _PLANAR, 317, 338, 339, 42113, 50674)
_REDUCED = 1  #: the subfile type of an overview
_SEPARATE = 2  #: the planar configuration of bands with blocks of their own
_SHORT, _LONG, _LONG8 = 3, 4, 16  #: types


class Value(NamedTuple):
    """A field with its ``data``: ``length`` numbers, or characters, of the TIFF type ``kind``."""

    tag: int
    kind: int
    length: int
    data: bytes


def index_values(
    tags: tuple[int, int], offsets: bytes, byte_counts: bytes, *, big: bool
) -> list[Value]:
    """Return the fields of a block index; ``byte_counts`` are of 4 bytes each, ``offsets`` of 8 in a ``big`` file."""
    count = len(byte_counts) // 4
    return [
        Value(tags[0], _LONG8 if big else _LONG, count, offsets),
        Value(tags[1], _LONG, count, byte_counts),
    ]


def directory_size(values: Sequence[Value], *, big: bool) -> int:
    """Return the bytes of a directory and of the data that it points to."""
    inside, entry, frame = (8, 20, 16) if big else (4, 12, 6)
    return even(frame + entry * len(values)) + sum(
        even(len(value.data)) for value in values if len(value.data) > inside
    )


def directory(
    values: Sequence[Value], position: int, follows: int, *, order: str, big: bool
) -> bytes:
    """Return a directory for the byte ``position``, then the data that it points to; the next one is at ``follows``.

    As in GDAL's files the block index comes before other data.
    """
    inside = 8 if big else 4
    pointer, number, head = (
        f"{order}{code}" for code in (("Q", "Q", "HHQ") if big else ("I", "H", "HHI"))
    )
    beyond = [value for value in values if len(value.data) > inside]
    beyond.sort(
        key=lambda value: (
            value.tag not in INDEX_TAGS,
            -value.tag if value.tag in INDEX_TAGS else value.tag,
        )
    )
    data, positions = bytearray(), {}
    start = position + even((16 if big else 6) + (20 if big else 12) * len(values))
    for value in beyond:
        positions[value.tag] = start + len(data)
        data += value.data.ljust(even(len(value.data)), b"\0")
    entries = bytearray(struct.pack(number, len(values)))
    for value in sorted(values):
        entries += struct.pack(head, value.tag, value.kind, value.length)
        entries += (
            struct.pack(pointer, positions[value.tag])
            if value.tag in positions
            else value.data.ljust(inside, b"\0")
        )
    entries += struct.pack(pointer, follows)
    return bytes(entries.ljust(start - position, b"\0") + data)


def with_overviews(head: bytes, sizes: Sequence[tuple[int, int]], side: int) -> bytes:
    """Return the TIFF ``head``, of one image without blocks, with overviews of these (width, height) without blocks.

    Their tiles are ``side`` pixels wide and high. GDAL would read the whole raster to make them, and cannot be stopped.
    Raises ``ValueError`` for no TIFF.
    """
    order, big = byte_order(head)
    (fields,) = directories(head)
    shared = [
        Value(field.tag, field.kind, field.length, data_of(head, field))
        for field in fields
        if field.tag in _SHARED
    ]
    numbers = {
        value.tag: struct.unpack_from(f"{order}H", value.data)[0]
        for value in shared
        if value.kind == _SHORT
    }
    planes = numbers[_SAMPLES] if numbers[_PLANAR] == _SEPARATE else 1
    if numbers[_SAMPLES] == 1:  # as GDAL does: then both planar configurations mean the same
        shared = [
            _number(_PLANAR, _SHORT, 1, order) if value.tag == _PLANAR else value
            for value in shared
        ]
    pointer = f"{order}Q" if big else f"{order}I"
    file, link = bytearray(head.ljust(even(len(head)), b"\0")), _last_link(head, len(fields))
    for width, height in sizes:
        blocks = planes * -(-width // side) * -(-height // side)
        own = [
            (_SUBFILE_TYPE, _LONG, _REDUCED),
            (_WIDTH, _SHORT, width),
            (_LENGTH, _SHORT, height),
            (_TILE_WIDTH, _SHORT, side),
        ]
        values = [
            _number(tag, kind, number, order)
            for tag, kind, number in (*own, (_TILE_LENGTH, _SHORT, side))
        ]
        values += [
            *shared,
            *index_values(
                (TILE_OFFSETS, TILE_BYTE_COUNTS),
                bytes(blocks * (8 if big else 4)),
                bytes(blocks * 4),
                big=big,
            ),
        ]
        position = len(file)
        struct.pack_into(pointer, file, link, position)
        file += directory(values, position, 0, order=order, big=big)
        link = position + (8 + 20 * len(values) if big else 2 + 12 * len(values))
    return bytes(file)


def _number(tag: int, kind: int, number: int, order: str) -> Value:
    if number > np.iinfo(np.uint16).max:
        kind = _LONG
    return Value(tag, kind, 1, struct.pack(f"{order}{'H' if kind == _SHORT else 'I'}", number))


def _last_link(head: bytes, count: int) -> int:
    """Return where the only directory of a TIFF, of ``count`` fields, says where the next one is."""
    order, big = byte_order(head)
    start: int = struct.unpack_from(f"{order}{'Q' if big else 'I'}", head, 8 if big else 4)[0]
    return start + (8 + 20 * count if big else 2 + 12 * count)


def even(size: int) -> int:
    return size + size % 2
