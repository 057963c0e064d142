# SPDX-License-Identifier: GPL-2.0-or-later
"""Give a finished file its name, or a free one beside it where what has that name cannot be replaced."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterable
from pathlib import Path

from .sidecars import set_aside, sidecars
from .temporaries import Temporaries

#: Seconds between tries: on Windows a virus scanner may hold a new file open for a moment.
_PAUSES = (0.1, 0.4)
_LONG_NAME = 240  #: bytes of a name, near the 255 that disks take
_ENDING = 16  #: characters of a long name that make room for a number and the suffixes of sidecars


def place(
    finished: Path, target: Path, temporaries: Temporaries, written: Path, *, named: Path
) -> Path:
    """Give a finished file its name, and the world files that GDAL wrote beside it theirs.

    Where ``target`` cannot be replaced, as on Windows while a program has it open, it stays as it
    is, with its sidecars, and the finished file gets a free name beside it.

    Parameters
    ----------
    finished
        The file that replaces ``target``.
    temporaries
        The temporary files of the run.
    written
        The name under which GDAL wrote, by which world files are called.
    named
        The output's name as the user gave it, which may be a link to ``target``.

    Returns
    -------
    Path
        Where the file is.

    Raises
    ------
    OSError
        Where it can have no name at all in that folder.
    """
    endings = {
        path: path.name[len(written.stem) :].replace(".tif.", f"{target.suffix}.", 1)
        for path in temporaries.files()
        if path != finished
    }
    former = dict.fromkeys(
        [*sidecars(named), *sidecars(target), *_ending_in(endings.values(), target)]
    )
    placed = target
    try:
        with set_aside(former, temporaries.name):
            _replace(finished, target)
    except OSError as refusal:
        try:
            placed = _keep_beside(finished, target, endings.values())
        except OSError:
            raise refusal from None
    for path, ending in endings.items():
        os.replace(path, placed.with_name(placed.stem + ending))
    return placed


def _ending_in(endings: Iterable[str], path: Path) -> list[Path]:
    return [path.with_name(path.stem + ending) for ending in endings]


def _replace(source: Path, target: Path) -> None:
    for pause in _PAUSES:
        try:
            os.replace(source, target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(source, target)


def _keep_beside(finished: Path, target: Path, endings: Iterable[str]) -> Path:
    """Give ``finished`` a free name such as ``ndvi_1.tif`` for ``ndvi.tif``; no other file is replaced."""
    is_long = len(os.fsencode(target.name)) > _LONG_NAME
    stem = target.stem[:-_ENDING] if is_long else target.stem
    numbers = itertools.count(1)
    while True:
        free = target.with_name(f"{stem}_{next(numbers)}{target.suffix}")
        if any(map(os.path.lexists, (free, *sidecars(free), *_ending_in(endings, free)))):
            continue
        try:
            os.link(finished, free)  # unlike a renaming it never replaces; the other name is swept
        except FileExistsError:
            continue
        except OSError:  # a disk without links
            os.rename(finished, free)
        return free
