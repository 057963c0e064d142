# SPDX-License-Identifier: GPL-2.0-or-later
"""Small files about runs: each appears whole or not at all, and replaces only one of its own kind."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

from ..errors import OptionError, OutputError
from ..messages import Field, translate
from .temporaries import Temporaries

_MOST_NAMES = 100
_LARGEST_REPORT = 10**7  #: bytes of a file that may be a former report
_OF_A_REPORT = {"output", "backend", "windows"}  #: some of its facts


def check_report(path: str) -> None:
    """Raise :class:`OptionError` for a name that a report cannot have.

    It ends in .json, its folder exists, and it is free or that of a former report: a STAC item or
    a product's metadata, which may be inputs, have such names, too.
    """
    text = None
    if not path.lower().endswith(".json"):
        text = translate("Bandwise", "{report}: give {file} a name that ends in .json.")
    elif not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        text = translate("Bandwise", "{report}: the folder of {file} does not exist; create it.")
    elif os.path.lexists(path) and not _is_report(path):
        text = translate(
            "Bandwise", "{report}: {file} exists and is no report; choose another name."
        )
    if text:
        raise OptionError(text.format(report=Field.REPORT_FILE, file=path))


def _is_report(path: str) -> bool:
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST_REPORT:
            return False
        facts = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(facts, dict) and set(facts) >= _OF_A_REPORT


def write_report(text: str, path: str) -> str:
    """Write the report of a run, JSON, indented for readers; see :func:`write_whole`."""
    return write_whole(
        json.dumps(json.loads(text), ensure_ascii=False, indent=1).encode("utf-8"), path
    )


def write_whole(data: bytes, path: str) -> str:
    """Write a file, whole or not at all, and return its path.

    Where it cannot be replaced, as while a spreadsheet has it open, it gets a free name beside it.

    Raises
    ------
    OutputError
        Where it cannot be written.
    """
    target = Path(path)
    try:
        temporaries = Temporaries(target.parent)
        try:
            temporaries.path(target.suffix).write_bytes(data)
            return str(_placed(temporaries.path(target.suffix), target))
        finally:
            temporaries.remove()
    except OSError as error:
        sentence = translate("Bandwise", "The file {file} cannot be written ({reason}).")
        reason = error.strerror or str(error)
        raise OutputError(sentence.format(file=path, reason=reason)) from error


def _placed(written: Path, target: Path) -> Path:
    for number in itertools.count():
        place = target
        if number:
            place = target.with_name(f"{target.stem}_{number}{target.suffix}")
        try:
            if not number or not os.path.lexists(place):
                os.replace(written, place)
                return place
        except OSError:
            if number >= _MOST_NAMES:
                raise
    return target
