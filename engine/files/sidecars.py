# SPDX-License-Identifier: GPL-2.0-or-later
"""Files beside a GeoTIFF that GDAL reads or writes with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

#: Statistics, overviews, mask, and overviews of the mask: suffixes after the whole name, as GDAL looks for them.
_READ = (".aux.xml", ".ovr", ".OVR", ".msk", ".MSK", ".msk.ovr", ".msk.OVR")
#: Suffixes that replace the name's own, by creation option of GDAL.
_WORLD_FILES = {"TFW": ".tfw", "WORLDFILE": ".wld"}
_YES = ("YES", "TRUE", "ON")


def sidecars(target: Path) -> list[Path]:
    """Return the files that GDAL would read as parts of ``target``; the result has all of these inside."""
    return [target.with_name(target.name + suffix) for suffix in _READ]


def world_files(target: Path, profile: Mapping[str, str]) -> list[Path]:
    """Return the world files that GDAL writes beside ``target`` with these creation options."""
    return [
        target.with_suffix(suffix)
        for option, suffix in _WORLD_FILES.items()
        if profile.get(option, "NO").upper() in _YES
    ]


@contextmanager
def set_aside(paths: Iterable[Path], name: Callable[[str], str]) -> Iterator[None]:
    """Rename the sidecars ``paths`` while their file is replaced; then remove them, or restore them on failure.

    So there are never old overviews, masks or statistics beside new pixels. If the process is killed,
    the former file may be left without them. ``name`` returns a temporary name for a suffix.
    """
    moved: list[tuple[Path, Path]] = []
    try:
        for number, path in enumerate(paths):
            # too long a name is of no file
            if not os.path.lexists(path) or (path.is_dir() and not path.is_symlink()):
                continue
            aside = path.with_name(name(f".{number}.former"))
            with suppress(FileNotFoundError):
                os.replace(path, aside)
                moved.append((path, aside))
        yield
    except BaseException:
        for path, aside in reversed(moved):
            if not os.path.lexists(path):
                os.replace(aside, path)
        raise
    for _, aside in moved:
        with suppress(OSError):  # the file is replaced, and a later run removes this
            aside.unlink()
