# SPDX-License-Identifier: GPL-2.0-or-later
"""The file of a part: a GeoTIFF, and behind it what the whole result needs of the part.

Behind the TIFF, where its readers do not look, lie the pixels of the first overview that is not
whole within the part (``above``), the record of the part as JSON, and a footer: the place of the
blocks, the sizes of the two, and a SHA-256 of all bytes before. So a file that is cut off or
changed anywhere is recognised, and one renaming gives all of it its name.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_FOOTER = struct.Struct("<8s4Q32s")
_MAGIC = b"BWPART01"
_PIECE = 2**22  #: bytes that are read at a time


class Layout(NamedTuple):
    """Where things lie in a part's file: the blocks from ``start`` to ``end``, which is the end of
    the TIFF, then ``above`` bytes of pixels, and ``record`` bytes of JSON.
    """

    start: int
    end: int
    above: int
    record: int

    @property
    def size(self) -> int:
        """Bytes of the blocks."""
        return self.end - self.start


def finish(path: Path, start: int, above: bytes, record: bytes) -> str:
    """Append what lies behind the TIFF, write all of it to the disk, and return the digest."""
    layout = Layout(start, path.stat().st_size, len(above), len(record))
    with path.open("r+b") as file:
        file.seek(layout.end)
        head = _FOOTER.pack(_MAGIC, *layout, bytes(32))[:-32]
        file.write(above + record + head)
        file.flush()
        file.seek(0)
        digest = hashlib.sha256()
        for piece in _pieces(file.fileno(), file.seek(0, os.SEEK_END)):
            digest.update(piece)
        file.seek(0, os.SEEK_END)
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def layout_of(path: Path) -> Layout | None:
    """Return the layout that a file's footer tells; None for a file that has none."""
    try:
        with path.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(max(0, length - _FOOTER.size))
            magic, *numbers, _ = _FOOTER.unpack(file.read(_FOOTER.size))
    except (OSError, struct.error):
        return None
    layout = Layout(*numbers)
    whole = layout.end + layout.above + layout.record + _FOOTER.size
    return layout if magic == _MAGIC and whole == length and layout.start <= layout.end else None


def digest_of(path: Path) -> str:
    """Return the digest of a part's file that is whole, and an empty text for any other."""
    try:
        with path.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            if length < _FOOTER.size:
                return ""
            digest = hashlib.sha256()
            for piece in _pieces(file.fileno(), length - 32):
                digest.update(piece)
            file.seek(length - 32)
            whole = file.read() == digest.digest() and layout_of(path) is not None
    except OSError:
        return ""
    return digest.hexdigest() if whole else ""


def behind(path: Path, layout: Layout) -> tuple[bytes, bytes]:
    """Return the pixels above and the record of a file that is whole."""
    with path.open("rb") as file:
        file.seek(layout.end)
        return file.read(layout.above), file.read(layout.record)


def copy_blocks(path: Path, target: Path, segments: list[tuple[int, int, int]]) -> bool:
    """Copy ``segments`` of a part's file, each (from, to, bytes), into ``target``, which has room for
    them; return whether the part's file is whole. If it is not, what was copied means nothing.

    It may be done twice, and by several processes at once: the bytes are the same.
    """
    source = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        with target.open("r+b", buffering=0) as file:
            length = os.fstat(source).st_size
            if length < _FOOTER.size:
                return False
            digest, position = hashlib.sha256(), 0
            waiting = sorted(segments)
            for piece in _pieces(source, length - 32):
                digest.update(piece)
                for start, to, size in waiting:
                    first = max(start, position)
                    last = min(start + size, position + len(piece))
                    if first < last:
                        file.seek(to + first - start)
                        _write(file.fileno(), piece[first - position : last - position])
                position += len(piece)
                waiting = [segment for segment in waiting if segment[0] + segment[2] > position]
            os.lseek(source, length - 32, os.SEEK_SET)
            return os.read(source, 32) == digest.digest()
    finally:
        os.close(source)


def _write(file: int, data: memoryview) -> None:
    done = 0
    while done < len(data):
        done += os.write(file, data[done:])


def _pieces(file: int, length: int) -> Iterator[memoryview]:
    """Yield the first ``length`` bytes of an open file, or as many as there are."""
    os.lseek(file, 0, os.SEEK_SET)
    while length > 0:
        piece = os.read(file, min(_PIECE, length))
        if not piece:
            return
        length -= len(piece)
        yield memoryview(piece)
