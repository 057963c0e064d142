# SPDX-License-Identifier: GPL-2.0-or-later
"""Files in zip and tar archives: which there are, and what is in the small ones.

Archives are read in place, as GDAL reads them (``/vsizip/``, ``/vsitar/``); nothing is unpacked to
the disk. What a hostile archive could cost is bounded: the number of files, the bytes that are read
of headers, and how much of a compressed tar is gone through.
"""

from __future__ import annotations

import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Callable, NamedTuple

from ...errors import MetadataError
from ...messages import Text, translate
from .limits import MOST_FILES, Member
from .tar_files import is_gzipped, tar_content, tar_members
from .zip_files import zip_content, zip_members

_DAMAGE = (
    *(OSError, EOFError, ValueError, RuntimeError, struct.error, zlib.error),
    *(tarfile.TarError, zipfile.BadZipFile),
)


class Inside(NamedTuple):
    """A file, or a folder, in an archive; ``name`` is empty for the archive itself."""

    archive: str
    name: str


def split(path: str) -> Inside | None:
    """Return a name of GDAL's for a file in a local archive; None for all other names."""
    path = path.replace(os.sep, "/")
    if not path.startswith(("/vsizip/", "/vsitar/")):
        return None
    rest = path[len("/vsizip/") :]
    if rest.startswith("{"):
        archive, brace, name = rest[1:].partition("}")
        return Inside(archive, name.strip("/")) if brace and os.path.isfile(archive) else None
    end = len(rest)
    while end > 0:
        if os.path.isfile(rest[:end]):
            return Inside(rest[:end], rest[end:].strip("/"))
        end = rest.rfind("/", 0, end)
    return None


def joined(archive: str, name: str) -> str:
    """Return the name by which GDAL reads a file in an archive."""
    door = "/vsizip/" if kind_of(archive) is _ZIP else "/vsitar/"
    plain = archive.lower().endswith((".zip", ".tar", ".tgz", ".tar.gz")) and "{" not in archive
    return f"{door}{archive}/{name}" if plain else f"{door}{{{archive}}}/{name}"


def is_archive(path: str) -> bool:
    """Return whether a local file is an archive that GDAL reads, by its first bytes."""
    return kind_of(path) is not None


def members(archive: str) -> tuple[str, ...]:
    """Return the names of the files in an archive. Raises :class:`MetadataError`.

    Names that leave the archive, or that stand for anything but a file, are left out.
    """
    return tuple(_places(archive))


def place_in(inside: Inside) -> str:
    """Return how GDAL opens a file that it does not find by its name, as long ones of a tar; empty for others.

    Raises :class:`MetadataError`.
    """
    place = _places(inside.archive).get(inside.name, "")
    if not place:
        return ""
    packed = is_gzipped(inside.archive)
    return f"/vsisubfile/{place},{'/vsigzip/' if packed else ''}{inside.archive}"


def _places(archive: str) -> dict[str, str]:
    try:
        status = os.stat(archive)
    except (OSError, ValueError) as error:
        raise _unusable(archive, _text(error)) from error
    return _members(archive, status.st_mtime_ns, status.st_size)


def content(inside: Inside, most: int) -> bytes:
    """Return the first ``most`` bytes of a file in an archive. Raises :class:`MetadataError`."""
    status = os.stat(inside.archive)
    return _content(inside, most, status.st_mtime_ns, status.st_size)


def is_file(path: str) -> bool:
    """Return whether a local file exists, be it in an archive; one that cannot be looked into has none."""
    inside = split(path)
    if inside is None:
        return not path.startswith("/vsi") and os.path.isfile(path)
    try:
        return inside.name in members(inside.archive)
    except MetadataError:
        return False


def beside(path: str) -> list[str]:
    """Return the files in the folder of a file, be it in an archive."""
    folder = os.path.dirname(path)
    inside = split(path)
    try:
        if inside is None:
            return [entry.path for _, entry in zip(range(MOST_FILES), os.scandir(folder or "."))]
        start = inside.name.rpartition("/")[0]
        names = [name for name in members(inside.archive) if name.rpartition("/")[0] == start]
        return [joined(inside.archive, name) for name in names]
    except (OSError, ValueError, MetadataError):
        return []


@lru_cache(maxsize=16)
def _members(archive: str, *_: int) -> dict[str, str]:
    """Return by name the place of each file, empty where GDAL finds it by its name."""
    kind = kind_of(archive)
    if kind is None:
        raise _unusable(archive, translate("Bandwise", "it is no zip or tar archive").format())
    with _clear(archive):
        found = [member for member in kind.members(archive) if _is_plain(member.name)]
    names = dict(found)
    if len(names) < len(found):
        raise _unusable(archive, translate("Bandwise", "two files in it have one name").format())
    return names


@lru_cache(maxsize=2)
def _content(inside: Inside, most: int, *_: int) -> bytes:
    kind = kind_of(inside.archive)
    if kind is None or inside.name not in members(inside.archive):
        text = translate("Bandwise", "{name} is not in it").format(name=inside.name)
        raise _unusable(inside.archive, text)
    with _clear(inside.archive):
        return kind.content(inside.archive, inside.name, most)


def _is_plain(name: str) -> bool:
    """Return whether a name is one of a file below the archive."""
    parts = name.split("/")
    return (
        name.isprintable()
        and not {"", ".", ".."} & set(parts)
        and not any(character in name for character in "\\:{}")
    )


#: Of a file, or of the end of an empty archive
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


class _Kind(NamedTuple):
    members: Callable[[str], Iterator[Member]]
    content: Callable[[str, str, int], bytes]


def kind_of(path: str) -> _Kind | None:
    try:
        with Path(path).open("rb") as file:
            start = file.read(263)
        if start.startswith(b"\x1f\x8b") and os.path.isfile(path):
            return _TAR
        if start[257:262] == b"ustar":
            return _TAR
        # not is_zipfile, which is stricter from Python 3.14 on: what is damaged is to be said
        return _ZIP if start.startswith(_ZIP_STARTS) else None
    except (OSError, ValueError):
        return None


@contextmanager
def _clear(archive: str) -> Iterator[None]:
    """Turn whatever is wrong with an archive into one sentence."""
    try:
        yield
    except MetadataError:
        raise
    except _DAMAGE as error:
        raise _unusable(archive, _text(error)) from error


def _text(error: Exception) -> Text:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return translate("Bandwise", "{reason}").format(reason=reason)


def _unusable(archive: str, reason: Text) -> MetadataError:
    return MetadataError(
        translate(
            "Bandwise",
            "The archive {file} cannot be looked into ({reason}); unpack it and choose its folder.",
        ).format(file=archive, reason=reason)
    )


_ZIP, _TAR = _Kind(zip_members, zip_content), _Kind(tar_members, tar_content)
