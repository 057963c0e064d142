# SPDX-License-Identifier: GPL-2.0-or-later
"""The local files of rasters: behind links, archives, parts of files, subdatasets and VRTs."""

from __future__ import annotations

import html
import mmap
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

#: Possible starts and ends of a path in a name that is no path, such as ``/vsizip/{a.zip}/b.tif``.
_STARTS = re.compile(
    r"""^|(?<=/vsi)(?!mem|curl|s3|gs|az|adls|oss|swift|webhdfs|hdfs|std)[a-z0-9_]+/|[:"'{,?!=&|]"""
    "|(?<=:)//|(?<=://)/"  # vrt://C:/a.tif, file:///C:/a.tif
)
_ENDS = re.compile(r"""[:"'},?!&|/\\]|$""")
_LONGEST = 4096  #: characters of a name that may contain a path
_HEADER = 1024  #: bytes in which GDAL looks for a VRT's root element
_VRT_SOURCE = re.compile(rb"<(SourceFilename|SourceDataset)\b([^>]*)>([^<]*)<")
_RELATIVE = re.compile(rb"""relativeToVRT\s*=\s*["']1["']""", re.IGNORECASE)


class InputFiles:
    """The local files of rasters with these ``names`` and, recursively, of the sources of VRTs.

    ``path in files`` compares device and inode, so that links count as the file they lead to, and
    any spelling where the file system ignores case; names alone where there are no inodes.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._paths: set[str] = set()
        self._spellings: set[str] = set()
        self._identities: set[tuple[int, int]] = set()
        waiting = [(name, "") for name in names]
        seen = set(waiting)
        while waiting:
            name, base = waiting.pop()
            for path in _local_paths(name, base):
                self._add(path)
                new = [source for source in _vrt_sources(path) if source not in seen]
                seen.update(new)
                waiting.extend(new)

    def _add(self, path: str) -> None:
        with suppress(OSError, ValueError):
            self._paths.add(os.path.realpath(path))
            self._spellings.add(_spelling(path))
            self._identities.update(_identity(path))

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __contains__(self, path: object) -> bool:
        name = os.fspath(path) if isinstance(path, (str, os.PathLike)) else ""
        identity: list[tuple[int, int]] = []
        # it may not exist, and so do inputs that will be complained of elsewhere
        with suppress(OSError, ValueError):
            identity = _identity(name)
        if identity:
            return identity[0] in self._identities
        return _spelling(name) in self._spellings


def _identity(path: str) -> list[tuple[int, int]]:
    """Device and inode; nothing where the file system has none, as some network drives of Windows."""
    status = os.stat(path)
    return [(status.st_dev, status.st_ino)] if status.st_ino else []


def _spelling(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))


def _local_paths(name: str, base: str) -> Iterator[str]:
    """Yield the files that a name may mean: itself, and if it is no file, each part of it that is one."""
    name = name.strip()
    path = os.path.join(base, name)
    try:
        if os.path.lexists(path) or len(name) > _LONGEST:
            yield path
            return
    except ValueError:  # a null character
        return
    yield path
    for start in {match.end() for match in _STARTS.finditer(name)}:
        for end in {match.start() for match in _ENDS.finditer(name, start)}:
            piece = os.path.join(base, name[start:end])
            if end > start and os.path.isfile(piece):
                yield piece


def _vrt_sources(path: str) -> list[tuple[str, str]]:
    """Return the names of a VRT's sources, each with the folder that it is relative to; none for other files."""
    if not os.path.isfile(path):  # reading a pipe would never end
        return []
    try:
        with Path(path).open("rb") as file:
            if b"<VRTDataset" not in file.read(_HEADER):
                return []
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                sources = [match.group(2, 3) for match in _VRT_SOURCE.finditer(data)]
    except (OSError, ValueError):
        return []
    names = [
        (html.unescape(name.decode("utf-8", "surrogateescape")), bool(_RELATIVE.search(attributes)))
        for attributes, name in sources
    ]
    folders = {os.path.dirname(path), os.path.dirname(os.path.realpath(path))}
    return [
        (name, folder) for name, relative in names for folder in (folders if relative else {""})
    ]
