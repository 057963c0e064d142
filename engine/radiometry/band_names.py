# SPDX-License-Identifier: GPL-2.0-or-later
"""Which band of a sensor a raster's band is, by the names of files that the agencies deliver, of
drivers and of descriptions. The bands of each sensor are in :mod:`.roles`.

Sentinel-2: ESA, Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD). Landsat 1 to 9:
USGS, Landsat Collection 2 Data Format Control Books (LSDS-1822, LSDS-1328, LSDS-1414, LSDS-1416).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from .roles import SENSORS, bands_of_role
from .sensors.registry import scene_file

RED, NEAR_INFRARED = "red", "nir"  #: as formulas call them
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
_HLS_FILE = re.compile(
    r"^HLS\.(?P<sensor>[SL]30)\.T\d\d[A-Z]{3}\.\d{7}T\d{6}\.v\d\.\d\.(?P<band>B\d\d|B8A|Fmask)$",
    re.ASCII,
)
_SENTINEL1_FILE = re.compile(r"^s1[a-d]-\w+-\w+-(?P<band>vv|vh|hh|hv)-", re.IGNORECASE)
_RADAR_BAND = re.compile(
    r"^(?:(?:sigma|gamma|beta)(?:0|_?nought)_)?(?P<band>VV|VH|HH|HV)(?:_db)?$", re.IGNORECASE
)
_MODIS_BAND = re.compile(r"(?:sur_refl_b0?|Nadir_Reflectance_Band)(?P<band>1?\d)(?:_1)?$", re.ASCII)
_FLAGS = re.compile(r"(?:^|_)(?:SCL|B?QA|FMASK)(?:_|$)")

#: What bands may be of whose sensor nothing else tells: by names of two digits those of Sentinel-2
#: and the harmonised products, by others those of Landsat too.
_TWO_DIGITS = (_SENTINEL2, "HLS L30")
_ONE_DIGIT = (_SENTINEL2, "Landsat 8", "Landsat 7", "Landsat 5")
_WORDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("coastal", "coastal blue", "coastal aerosol"), ("coastal",)),
    **{word: (word,) for word in ("blue", "green", "yellow", "red", "pan", "cirrus")},
    "green i": ("green1",),
    **dict.fromkeys(("red edge", "rededge", "red edge 1", "rededge1"), ("rededge1",)),
    **dict.fromkeys(("red edge 2", "rededge2"), ("rededge2",)),
    **dict.fromkeys(("red edge 3", "rededge3"), ("rededge3",)),
    **{f"rededge07{digit}": (f"rededge{place}",) for place, digit in enumerate("158", start=1)},
    **dict.fromkeys(("nir", "near infrared", "near-infrared"), (NEAR_INFRARED,)),
    "nir08": ("nir2", NEAR_INFRARED),
    "nir2": ("nir2",),
    **dict.fromkeys(("nir09", "water vapour", "water vapor"), ("watervapour",)),
    "swir": (),
    **dict.fromkeys(("swir1", "swir16"), ("swir1",)),
    **dict.fromkeys(("swir2", "swir22"), ("swir2",)),
    **dict.fromkeys(("thermal", "lwir"), ("thermal",)),
    **dict.fromkeys(("thermal1", "lwir11"), ("thermal1",)),
    **dict.fromkeys(("thermal2", "lwir12"), ("thermal2",)),
}


class BandName(NamedTuple):
    """A band by ``name``, of ``sensor`` (empty if unknown).

    ``roles`` are those that it may have: of a known sensor, and by a word, those that it has.
    ``expected`` names the bands of a role. ``classes`` tells that its values are classes or flags.
    ``wavelength`` is its central one in nm where a scene tells it, else 0.
    """

    name: str
    sensor: str = ""
    roles: frozenset[str] = frozenset()
    classes: bool = False
    wavelength: float = 0.0

    def expected(self, role: str) -> tuple[str, ...]:
        return bands_of_role(self.sensor, role)


def name_of_file(path: str) -> BandName | None:
    """Return the band of a file by the file's name; None if it is not recognised."""
    stem = os.path.splitext(os.path.basename(path))[0]
    if match := _LANDSAT_FILE.match(stem):
        thermal_alone = match["sensor"] == "T" and match["number"] in "89"
        sensor = f"Landsat {match['number']}" + (" MSS" if match["sensor"] == "M" else "")
        return BandName(match["band"], sensor) if thermal_alone else _named(match["band"], sensor)
    if match := _SENTINEL2_SCENE.search(stem):
        return _named(match["band"], _SENTINEL2)
    if match := _HLS_FILE.match(stem):
        return _named(match["band"], f"HLS {match['sensor']}")
    if match := _SENTINEL1_FILE.match(stem):
        return _named(match["band"].upper(), "Sentinel-1")
    file = scene_file(path)
    if file and len(file.bands) == 1:
        return _named(file.bands[0].name, file.sensor)
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
    if match := _MODIS_BAND.search(description.strip()):
        return _named(f"B{int(match['band'])}", "MODIS")
    if match := _RADAR_BAND.match(description.strip()):
        return _named(match["band"].upper(), "Sentinel-1")
    word = description.strip().lower().replace("_", " ")
    return BandName(description.strip(), roles=frozenset(_WORDS[word])) if word in _WORDS else None


def _named(name: str, sensor: str = "") -> BandName:
    sensors = (sensor,) if sensor in SENSORS else _possible_sensors(name)
    sensor = _SENTINEL2 if name == "B8A" and not sensor else sensor
    roles = frozenset[str]().union(*(_roles(name, possible) for possible in sensors))
    return BandName(name, sensor, roles, classes=bool(_FLAGS.search(name.upper())))


def _possible_sensors(name: str) -> tuple[str, ...]:
    """The sensors that a band may be of by the form of its name."""
    two_digits = re.fullmatch(r"B\d\d|B8A", name, re.ASCII)
    sensors = _TWO_DIGITS if two_digits else _ONE_DIGIT
    return sensors[1:] if name.startswith(("SR_", "ST_")) else sensors


def _roles(name: str, sensor: str) -> frozenset[str]:
    """The roles of a sensor's band; of one of temperature only the thermal ones."""
    key = short_name(name)
    roles = frozenset(
        role for band in SENSORS[sensor] if short_name(band.name) == key for role in band.roles
    )
    return (
        frozenset(role for role in roles if role.startswith("thermal"))
        if name.startswith("ST_")
        else roles
    )


def wavelength_of(band: BandName) -> float | None:
    """The central wavelength of a band in nm, where its sensor is known or its scene tells it."""
    key = short_name(band.name)
    return next(
        (
            each.wavelength
            for each in SENSORS.get(band.sensor, ())
            if short_name(each.name) == key and each.wavelength
        ),
        band.wavelength or None,
    )


def completed(names: Sequence[BandName | None]) -> list[BandName | None]:
    """The bands of one product, of which some tell no sensor, with what all of them tell together.

    B3 is red in Landsat 7 and green in Sentinel-2: B8A beside it decides.
    """
    unknown = [band for band in names if band and not band.sensor and is_numbered(band)]
    sensors = {band.sensor for band in names if band and band.sensor in SENSORS}
    if not sensors:
        sensors = set(_ONE_DIGIT + _TWO_DIGITS)
    fitting = [
        sensor
        for sensor in dict.fromkeys(_ONE_DIGIT + _TWO_DIGITS + tuple(sorted(sensors)))
        if sensor in sensors and all(_is_of(band, sensor) for band in unknown)
    ]
    if not fitting:
        return list(names)
    sensor = fitting[0] if len(fitting) == 1 else ""
    return [
        band._replace(
            sensor=sensor,
            roles=frozenset[str]().union(*(_roles(band.name, each) for each in fitting)),
        )
        if band in unknown and band
        else band
        for band in names
    ]


def is_numbered(band: BandName) -> bool:
    """Whether a band is called by a number, which is another band in each sensor."""
    return re.fullmatch(r"B\d{1,2}A?", short_name(band.name), re.ASCII) is not None


def _is_of(band: BandName, sensor: str) -> bool:
    """Whether a sensor has a band of that name, with a role that its form allows."""
    return sensor in _possible_sensors(band.name) and bool(_roles(band.name, sensor))


def short_name(name: str) -> str:
    """Return the name of a band in a form for comparison: B4 for B04, b4 and SR_B4."""
    return re.sub(
        r"^B0+(?=\d)",
        "B",
        re.sub(r"^S[RT]_(?=B)", "", re.sub(r"_[126]0M$", "", name.strip().upper())),
    )
