# SPDX-License-Identifier: GPL-2.0-or-later
"""Zip archives: a directory, which is read whole, and files that are read as far as is asked."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

from .limits import MOST_BYTES_OF_HEADERS, MOST_FILES, Member, too_many

_END_OF_ZIP = 22 + 65535  #: bytes: the last record and its comment


def zip_members(path: str) -> Iterator[Member]:
    """Yield the files of a zip."""
    _check_directory(path)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len(entries) > MOST_FILES:
            raise too_many()
        yield from (Member(entry.filename) for entry in entries if not entry.is_dir())


def zip_content(path: str, name: str, most: int) -> bytes:
    """Return the first ``most`` bytes of a file of a zip."""
    _check_directory(path)
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(name)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("compressed in a way that GDAL cannot read")
        with archive.open(entry) as file:
            return file.read(most)


def _check_directory(path: str) -> None:
    """Refuse a directory of a zip that is too large to be read: its size, and that of Zip64."""
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_OF_ZIP - 76))
        tail = file.read()
    record = tail.rfind(b"PK\x05\x06")
    large = tail.rfind(b"PK\x06\x06")
    sizes = [struct.unpack_from("<I", tail, record + 12)[0]] if record >= 0 else []
    if sizes == [0xFFFFFFFF]:
        sizes = [struct.unpack_from("<Q", tail, large + 40)[0]] if large >= 0 else sizes
    if any(size > MOST_BYTES_OF_HEADERS for size in sizes):
        raise too_many()
