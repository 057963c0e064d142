# SPDX-License-Identifier: GPL-2.0-or-later
"""Recognise the bands of sensors by names: of the agencies' files, of drivers and of descriptions.

Sentinel-2: ESA, Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD). Landsat 1 to 9:
USGS, Landsat Collection 2 Data Format Control Books (LSDS-1822, LSDS-1328, LSDS-1414, LSDS-1416).
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

RED, NEAR_INFRARED = "red", "nir"  #: their names in formulas
_SENTINEL2 = "Sentinel-2"

_SENTINEL2_FILE = re.compile(r"(?:^|_)(?P<band>B0[1-9]|B1[0-2]|B8A)(?:_[126]0m)?$")
_SENTINEL2_SCENE = re.compile(
    r"(?:^|_)T\d\d[A-Z]{3}_\d{8}T\d{6}_(?P<band>B0[1-9]|B1[0-2]|B8A|AOT|WVP|TCI|SCL)(?:_[126]0m)?$",
    re.ASCII,
)
_LANDSAT_FILE = re.compile(
    r"^L(?P<sensor>[COTEM])0?(?P<number>[1-9])(?:_|\d{13}).*?_(?P<band>(?:SR_|ST_)?B\d{1,2}|(?:SR_|ST_)?QA\w*|BQA)$",
    re.ASCII,
)
_CLASSES_FILE = re.compile(r"(?:^|_)(?P<band>SCL(?:_[126]0m)?|QA_PIXEL|BQA)$", re.IGNORECASE)
_DESCRIPTION = re.compile(
    r"^(?P<band>(?:SR_|ST_)?B\d{1,2}A?|SCL|QA_PIXEL)(?:$|[\s,:;(-])", re.IGNORECASE | re.ASCII
)
_FLAGS = re.compile(r"(?:^|_)(?:SCL|B?QA)(?:_|$)")

#: Red and near-infrared bands by sensor; in names of Landsat files it is C, O (OLI), T (TM), E (ETM+) or M (MSS).
_BANDS: dict[str, dict[str, tuple[str, ...]]] = {
    _SENTINEL2: {RED: ("B04",), NEAR_INFRARED: ("B08", "B8A")},
    **{f"Landsat {number}": {RED: ("B4",), NEAR_INFRARED: ("B5",)} for number in (8, 9)},
    **{f"Landsat {number}": {RED: ("B3",), NEAR_INFRARED: ("B4",)} for number in (4, 5, 7)},
    **{
        f"Landsat {number} MSS": {RED: ("B5",), NEAR_INFRARED: ("B6", "B7")} for number in (1, 2, 3)
    },
    **{f"Landsat {number} MSS": {RED: ("B2",), NEAR_INFRARED: ("B3", "B4")} for number in (4, 5)},
}
#: The same for unknown sensors: bands of Sentinel-2, Landsat 4 to 9 and harmonised products of both.
_ANY_SENSOR = {RED: ("B3", "B4"), NEAR_INFRARED: ("B4", "B5", "B8", "B8A")}
_TWO_DIGITS = {RED: ("B04",), NEAR_INFRARED: ("B05", "B08", "B8A")}
_WORDS = {
    **dict.fromkeys(("red",), frozenset({RED})),
    **dict.fromkeys(("nir", "nir08", "near infrared", "near-infrared"), frozenset({NEAR_INFRARED})),
    **dict.fromkeys(
        (
            "coastal",
            "blue",
            "green",
            "red edge",
            "rededge",
            "pan",
            "swir",
            "swir1",
            "swir2",
            "swir16",
            "swir22",
        ),
        frozenset[str](),
    ),
}


class BandName(NamedTuple):
    """A band by ``name``, of ``sensor`` (empty if unknown).

    ``roles`` are those of :data:`RED` and :data:`NEAR_INFRARED` that it may have. ``classes`` is
    set if its values are classes or flags.
    """

    name: str
    sensor: str = ""
    roles: frozenset[str] = frozenset()
    classes: bool = False

    def expected(self, role: str) -> tuple[str, ...]:
        """Return the bands of the sensor for a role; none for an unknown sensor."""
        return _BANDS[self.sensor][role] if self.sensor in _BANDS else ()


def name_of_file(path: str) -> BandName | None:
    """Return the band of a file by the file's name; None if it is not recognised."""
    stem = os.path.splitext(os.path.basename(path))[0]
    if match := _LANDSAT_FILE.match(stem):
        thermal_alone = match["sensor"] == "T" and match["number"] in "89"
        sensor = f"Landsat {match['number']}" + (" MSS" if match["sensor"] == "M" else "")
        return BandName(match["band"], sensor) if thermal_alone else _named(match["band"], sensor)
    if match := _SENTINEL2_SCENE.search(stem):
        return _named(match["band"], _SENTINEL2)
    if match := _SENTINEL2_FILE.search(stem) or _CLASSES_FILE.search(stem):
        return _named(match["band"])
    return None


def name_of_band(description: str, driver_name: str = "") -> BandName | None:
    """Return the band by its name in the driver or its description; None if it is not recognised."""
    # GDAL's driver of Sentinel-2
    if driver_name and re.fullmatch(r"B\d{1,2}A?", driver_name, re.ASCII):
        return _named(driver_name, _SENTINEL2)
    if match := _DESCRIPTION.match(description.strip()):
        return _named(
            match["band"].upper(), _SENTINEL2 if "central wavelength" in description else ""
        )
    word = description.strip().lower().replace("_", " ")
    return BandName(description.strip(), roles=_WORDS[word]) if word in _WORDS else None


def _named(name: str, sensor: str = "") -> BandName:
    tables = _BANDS.get(sensor)
    if tables is None:
        tables = _TWO_DIGITS if re.fullmatch(r"B\d\d|B8A", name, re.ASCII) else _ANY_SENSOR
        sensor = _SENTINEL2 if name == "B8A" else sensor
    key = short_name(name)
    roles = frozenset(
        role
        for role, bands in tables.items()
        if key in map(short_name, bands) and not name.startswith("ST_")
    )
    return BandName(name, sensor, roles, classes=bool(_FLAGS.search(name.upper())))


def short_name(name: str) -> str:
    """Return the name of a band in a form for comparison: B4 for B04, b4 and SR_B4."""
    return re.sub(
        r"^B0+(?=\d)",
        "B",
        re.sub(r"^S[RT]_(?=B)", "", re.sub(r"_[126]0M$", "", name.strip().upper())),
    )
