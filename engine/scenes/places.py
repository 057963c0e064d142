# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the files of a scene lie: a folder and those below it, or an archive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import InputError
from ..messages import translate
from ..radiometry.archives import files as archives

_DEEPEST = 6  #: folders below the one that is chosen; a SAFE has four
_MOST_FILES = 100_000


class Place(NamedTuple):
    """A folder, or an ``archive`` and a folder in it (empty: all of it), and those so many levels ``below``."""

    folder: str
    archive: str = ""
    below: int = _DEEPEST

    def __str__(self) -> str:
        return f"{self.archive}/{self.folder}".rstrip("/") if self.archive else self.folder

    def files(self) -> list[str]:
        """Return the files, by the names that GDAL reads them by.

        Raises
        ------
        InputError
            Where there are more than any scene has.
        MetadataError
            For an archive that cannot be looked into.
        """
        if not self.archive:
            return sorted(_walk(self.folder, self.below))
        start = self.folder + "/" if self.folder else ""
        names = [name for name in archives.members(self.archive) if name.startswith(start)]
        return [archives.joined(self.archive, name) for name in sorted(names)]


def place_of(path: str) -> Place | None:
    """Return the place that a name is itself; None where it is a file, or nothing."""
    if os.path.isdir(path):
        return Place(os.path.abspath(path))
    inside = archives.split(path)
    if inside is None:
        return (
            Place("", os.path.abspath(path))
            if os.path.isfile(path) and archives.is_archive(path)
            else None
        )
    if inside.name in archives.members(inside.archive):
        return None
    return Place(inside.name, inside.archive)


def folder_of(path: str) -> Place:
    """Return the place that a file lies in."""
    inside = archives.split(path)
    if inside is None:
        return Place(os.path.dirname(os.path.abspath(path)))
    return Place(inside.name.rpartition("/")[0], inside.archive)


def _walk(folder: str, below: int) -> Iterator[str]:
    """Yield the files of a folder and of those below it; a link to a folder is not followed."""
    count = 0
    for directory, folders, names in os.walk(folder):
        depth = os.path.relpath(os.path.join(directory, "x"), folder).count(os.sep)
        if depth >= below:
            folders.clear()
        count += len(names) + len(folders)
        if count > _MOST_FILES:
            text = translate(
                "Bandwise",
                "{folder} holds more files than a scene has; choose the folder of one scene.",
            )
            raise InputError(text.format(folder=folder))
        yield from (os.path.join(directory, name) for name in names)
