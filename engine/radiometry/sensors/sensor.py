# SPDX-License-Identifier: GPL-2.0-or-later
"""What every sensor has: the names of its files, and what is known of their values. Its bands are in :mod:`..roles`."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Callable, NamedTuple, Protocol

from ..formats.metadata_file import ProductFacts
from ..masks import MaskRule
from ..roles import SENSORS
from ..wavelengths import Spectrum

RASTERS = (".tif", ".tiff", ".jp2")  #: what names of files with pixels end in


class FileBand(NamedTuple):
    """A band by ``name``: what it measures, as a ``role`` of formulas (empty: none of them), and metres a pixel.

    ``stands_for`` are roles that it takes where the scene has no other band of them. ``spectrum`` is
    what a STAC item tells of its wavelengths.
    """

    name: str
    role: str = ""
    resolution: float = 0.0
    stands_for: tuple[str, ...] = ()
    spectrum: Spectrum | None = None


class SceneFile(NamedTuple):
    """What the name of a file of a product tells.

    Files of one scene have one ``product`` and, where it is given, one ``level``; ``date`` is ISO.
    ``bands`` are those of the file by number from 1, none of metadata and masks; ``mask`` is how band 1 is
    read as a mask, where it is one, of ``resolution`` metres.
    """

    sensor: str
    product: str
    level: str = ""
    date: str = ""
    tile: str = ""
    bands: tuple[FileBand, ...] = ()
    mask: MaskRule | None = None
    resolution: float = 0.0


class Sensor(Protocol):
    """A family of products. One of these serves a run, and reads each metadata file once."""

    @staticmethod
    def scene_file(path: str) -> SceneFile | None:
        """Return what the name of a file, or of a subdataset, tells; None where it is of another family."""
        ...

    def facts(self, path: str, dtype: str, band_name: str, band: int) -> ProductFacts | None:
        """Return scale, offset and nodata of a band of a file of this family.

        Raises :class:`~engine.errors.MetadataError` where the metadata are there and cannot be used.
        """
        ...


def bands_of(sensor: str, metres: Callable[[str], float]) -> dict[str, FileBand]:
    """Return the bands of a sensor, by name; ``metres`` tells how large the pixels of a name are."""
    return {
        row.name: FileBand(
            row.name, row.roles[0] if row.roles else "", metres(row.name), row.roles[1:]
        )
        for row in SENSORS[sensor]
    }


def split_name(path: str) -> tuple[str, bool]:
    """Return the name of a file without its suffix, and whether that is one of files with pixels."""
    stem, suffix = os.path.splitext(os.path.basename(path.replace("\\", "/")))
    return stem, suffix.lower() in RASTERS


def iso_date(digits: str) -> str:
    """Return ``20221005`` or ``2022278`` (day of the year) as a date; empty where it is none."""
    try:
        if len(digits) == 7:
            start = datetime(int(digits[:4]), 1, 1)
            return (start + timedelta(days=int(digits[4:]) - 1)).date().isoformat()
        return datetime.strptime(digits[:8], "%Y%m%d").date().isoformat()
    except (ValueError, OverflowError):
        return ""
