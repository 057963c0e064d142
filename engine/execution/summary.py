# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of what became of many scenes, as CSV."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable
from typing import Any, NamedTuple, Union

from ..credentials import without_credentials
from ..errors import Cancelled, OptionError, OutputError
from ..files.text_files import write_whole
from ..messages import Field, translate
from .batch import Row, Status

COLUMNS = (
    *("scene", "date", "tile", "sensor", "level", "index", "file", "status"),
    *("valid_pixels", "nodata_pixels", "minimum", "maximum", "mean", "standard_deviation"),
    *("seconds", "message", "source"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  #: what spreadsheets take for the start of a formula

Cell = Union[str, int, float, None]


class Table(NamedTuple):
    """What became of the tasks: ``path`` is that of the table, empty where there is none.

    ``cancelled`` tells that not all were done, ``fault`` why there is no table.
    """

    rows: tuple[Row, ...]
    path: str
    cancelled: bool = False
    fault: OutputError | None = None


def tabulated(rows: Iterable[Row], path: str) -> Table:
    """Take all rows, and write the table of those that there are, also after a cancel."""
    done, cancelled = list[Row](), False
    try:
        done.extend(rows)
    except Cancelled:
        cancelled = True
    try:
        written = write_summary(done, path) if done and path else ""
    except OutputError as error:
        return Table(tuple(done), "", cancelled, error)
    return Table(tuple(done), written, cancelled)


def check_summary(path: str) -> None:
    """Raise :class:`OptionError` for a name that is not of a CSV file in a folder that exists."""
    if not path.lower().endswith(".csv"):
        text = translate("Bandwise", "{summary}: give {file} a name that ends in .csv.")
        raise OptionError(text.format(summary=Field.SUMMARY, file=path))
    if not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        text = translate("Bandwise", "{summary}: the folder of {file} does not exist; create it.")
        raise OptionError(text.format(summary=Field.SUMMARY, file=path))


def write_summary(rows: Iterable[Row], path: str) -> str:
    """Write the table, whole or not at all, and return its path.

    The text is UTF-8, with a byte order mark where it has other characters than ASCII, by which
    spreadsheets recognise it. Numbers have a point. Where the file cannot be replaced, as while a
    spreadsheet has it open, the table gets a free name beside it.

    Raises
    ------
    OutputError
        Where it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_guarded(cell) for cell in _cells(row)] for row in rows)
    content = text.getvalue()
    data = content.encode("utf-8" if content.isascii() else "utf-8-sig", "backslashreplace")
    return write_whole(data, path)


def _cells(row: Row) -> list[Any]:
    scene, statistics = row.candidate.scene, row.statistics
    failed = row.status is Status.FAILED
    return [
        scene.name if scene else os.path.basename(row.candidate.source),
        *((scene.date, scene.tile, scene.sensor, scene.level) if scene else ("",) * 4),
        row.index,
        "" if failed else os.path.basename(row.file),
        row.status.value,
        *((statistics.valid, statistics.invalid) if statistics else (None, None)),
        *(
            (statistics.minimum, statistics.maximum, statistics.mean, statistics.standard_deviation)
            if statistics
            else (None,) * 4
        ),
        round(row.seconds, 3) if row.status is Status.DONE else None,
        row.message,
        without_credentials(row.candidate.source),
    ]


def _guarded(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula; NaN and None are empty."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell
