# SPDX-License-Identifier: GPL-2.0-or-later
"""Tar archives, also gzipped: headers between the files, so that all of the archive is gone through."""

from __future__ import annotations

import gzip
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from .limits import MOST_BYTES_OF_HEADERS, MOST_FILES, Member, too_many

_MOST_UNPACKED = 8_000_000_000  #: bytes of a compressed tar that are gone through
_MOST_TIMES = 100  #: that a compressed tar may grow; imagery halves at best
_SMALL_ARCHIVE = 20_000_000  #: bytes, above which that counts


def is_gzipped(path: str) -> bool:
    """Return whether a file begins as one of gzip's."""
    with Path(path).open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def tar_members(path: str) -> Iterator[Member]:
    """Yield the files of a tar.

    GDAL reads long names in the formats ustar and GNU, not those of pax (POSIX.1-2001), which Python
    writes; it reads these files by their place.
    """
    with _tar(path) as archive:
        for entry in _entries(archive, path):
            place = f"{entry.offset_data}_{entry.size}" if "path" in entry.pax_headers else ""
            yield Member(entry.name.removeprefix("./"), place)


def tar_content(path: str, name: str, most: int) -> bytes:
    """Return the first ``most`` bytes of a file of a tar."""
    with _tar(path) as archive:
        for entry in _entries(archive, path):
            if entry.name.removeprefix("./") == name:
                file = archive.extractfile(entry)
                return file.read(most) if file else b""
    raise ValueError("it has changed")


def _entries(archive: tarfile.TarFile, path: str) -> Iterator[tarfile.TarInfo]:
    """Yield the regular files of a tar, up to what is reasonable."""
    size = os.path.getsize(path)
    most = min(_MOST_UNPACKED, _MOST_TIMES * max(size, _SMALL_ARCHIVE))
    offset = -1
    for _ in range(MOST_FILES):
        entry = archive.next()
        if entry is None:
            return
        if archive.offset <= offset or entry.size < 0:
            raise ValueError("an entry of it has no size")
        offset = archive.offset
        if isinstance(archive.fileobj, _Headers) and archive.fileobj.compressed and offset > most:
            raise ValueError("it unpacks to more than any product")
        if entry.isreg() and not entry.issparse():
            yield entry
    raise too_many()


class _Headers:
    """A file of which only so many bytes are read; what is skipped does not count."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile) -> None:
        self.file, self.left = file, MOST_BYTES_OF_HEADERS
        self.compressed = isinstance(file, gzip.GzipFile)

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self.left:
            raise ValueError("its headers are larger than any")
        self.left -= size
        return self.file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()


@contextmanager
def _tar(path: str) -> Iterator[tarfile.TarFile]:
    with Path(path).open("rb") as raw:
        file: Any = gzip.GzipFile(fileobj=raw) if is_gzipped(path) else raw
        with tarfile.TarFile(fileobj=_Headers(file)) as archive:  # type: ignore[arg-type]
            yield archive
