# SPDX-License-Identifier: GPL-2.0-or-later
"""Landsat 1 to 9: bands, and what the ``MTL`` file of a Collection 2 product says of one of its band files.

USGS, Landsat Collection 2 Data Format Control Books (LSDS-1822, LSDS-1328, LSDS-1414, LSDS-1416).
"""

from __future__ import annotations

import os
import re

from ...messages import translate
from ..archives.files import is_file
from ..formats.metadata_file import (
    MTL_READERS,
    ProductFacts,
    check_scaling,
    mtl_values,
    number,
    unusable,
)
from ..masks import MaskRule
from ..roles import SENSORS
from .sensor import FileBand, SceneFile, bands_of, iso_date, split_name

_FILE = re.compile(
    r"^(?P<product>L[A-Z]\d\d_(?P<level>L[12])\w\w_\d{6}_\d{8}_\d{8}_02_(?:T1|T2|RT|A1|A2))_(?P<kind>SR_|ST_|)B(?P<band>\d+)$",
    re.ASCII,
)
_TYPES = {"L1": ("uint8", "uint16"), "L2": ("uint16",)}
_GROUPS = {
    ("L2", "SR_"): ("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", "REFLECTANCE_{}_BAND_{}"),
    ("L2", "ST_"): ("LEVEL2_SURFACE_TEMPERATURE_PARAMETERS", "TEMPERATURE_{}_BAND_ST_B{}"),
    ("L1", ""): ("LEVEL1_RADIOMETRIC_RESCALING", "REFLECTANCE_{}_BAND_{}"),
}


_SCENE = re.compile(
    r"^(?P<product>L(?P<sensor>[COTEM])0(?P<number>[1-9])_(?P<level>L\w{3})_(?P<tile>\d{6})_(?P<date>\d{8})_\d{8}"
    r"_\d\d_(?:T1|T2|RT|A1|A2))_(?P<part>\w+)$",
    re.ASCII,
)
#: Before collections
_OLD_SCENE = re.compile(
    r"^(?P<product>L(?P<sensor>[COTEM])(?P<number>[1-9])(?P<tile>\d{6})(?P<date>\d{7})\w{5})_(?P<part>\w+)$",
    re.ASCII,
)
_BAND = re.compile(r"^(?:SR_|ST_)?(?P<band>B\d{1,2})(?:_VCID_[12])?$", re.ASCII)
_THERMAL_ONLY = "T"  #: of Landsat 8 and 9, whose imager was off
_FINE = {"Landsat 7": "B8", "Landsat 8": "B8", "Landsat 9": "B8"}  #: panchromatic, of 15 m
_TABLES = {
    sensor: bands_of(
        sensor,
        lambda name, sensor=sensor: (  # type: ignore[misc]
            60.0 if "MSS" in sensor else 15.0 if _FINE.get(sensor) == name else 30.0
        ),
    )
    for sensor in SENSORS
    if sensor.startswith("Landsat")
}


class Landsat:
    """Landsat scenes."""

    @staticmethod
    def scene_file(path: str) -> SceneFile | None:
        stem, raster = split_name(path)
        name = _SCENE.match(stem) or _OLD_SCENE.match(stem)
        if not name:
            return None
        sensor = f"Landsat {name['number']}" + (" MSS" if name["sensor"] == "M" else "")
        parts = name.groupdict()
        return SceneFile(
            sensor=sensor,
            product=name["product"],
            level=parts.get("level", "L1"),
            date=iso_date(name["date"]),
            tile=name["tile"],
            bands=_bands(sensor, name) if raster else (),
            mask=MaskRule.QA_PIXEL if raster and name["part"] == "QA_PIXEL" else None,
        )

    def facts(self, path: str, dtype: str, band_name: str, band: int) -> ProductFacts | None:
        name = _FILE.match(os.path.splitext(os.path.basename(path))[0])
        if name is None or (name["level"], name["kind"]) not in _GROUPS:
            return None
        return _of(os.path.dirname(path), name) if dtype in _TYPES[name["level"]] else None


def _bands(sensor: str, name: re.Match[str]) -> tuple[FileBand, ...]:
    band = _BAND.match(name["part"])
    known = _TABLES.get(sensor, {}).get(band["band"]) if band else None
    thermal_only = name["sensor"] == _THERMAL_ONLY and name["number"] in "89"
    if not known or (thermal_only and not known.role.startswith("thermal")):
        return ()
    return (known._replace(name=name["part"]),)


def _of(folder: str, name: re.Match[str]) -> ProductFacts:
    beside = [
        os.path.join(folder, f"{name['product']}_MTL{extension}") for extension in MTL_READERS
    ]
    metadata = next(filter(is_file, beside), "")
    if not metadata:
        return ProductFacts(
            source=translate(
                "Bandwise", "no {name}_MTL file beside this Landsat Collection 2 band"
            ).format(name=name["product"]),
            nodata=0.0,
            missing=True,
        )
    group, key = _GROUPS[name["level"], name["kind"]]
    items = [key.format(operation, name["band"]) for operation in ("MULT", "ADD")]
    values = mtl_values(metadata, group, items)
    for item in items:
        if item not in values:
            raise unusable(
                metadata,
                translate("Bandwise", "its group {group} has no {name}").format(
                    group=group, name=item
                ),
            )
    scale, offset = (number(metadata, item, values[item]) for item in items)
    if scale == 0:
        raise unusable(metadata, translate("Bandwise", "its scale is 0").format())
    check_scaling(metadata, scale, offset)
    filename = os.path.basename(metadata)
    return ProductFacts(
        source=translate(
            "Bandwise", "{file}, group {group}: scale {scale:g}, offset {offset:g}"
        ).format(file=filename, group=group, scale=scale, offset=offset),
        scale=scale,
        offset=offset,
        nodata=0.0,
        origin=translate("Bandwise", "{file}").format(file=filename),
    )
