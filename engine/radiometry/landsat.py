# SPDX-License-Identifier: GPL-2.0-or-later
"""Read scale and offset of a band file of a Landsat product from its ``MTL`` file.

USGS, Landsat 8-9 Collection 2 Data Format Control Books (LSDS-1822, LSDS-1328).
"""

from __future__ import annotations

import os
import re

from ..messages import translate
from .formats.metadata_file import (
    MTL_READERS,
    ProductFacts,
    check_scaling,
    mtl_values,
    number,
    unusable,
)

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


def is_band_file(path: str) -> bool:
    """Return whether a file has the name of a band of a Landsat Collection 2 product."""
    return bool(_FILE.match(os.path.splitext(os.path.basename(path))[0]))


def landsat_facts(path: str, dtype: str) -> ProductFacts | None:
    """Return the facts of a band file; None if it is not of a type that the agency delivers.

    Raises
    ------
    MetadataError
        If the metadata exist and cannot be used.
    """
    name = _FILE.match(os.path.splitext(os.path.basename(path))[0])
    if name is None or (name["level"], name["kind"]) not in _GROUPS:
        return None
    return _of(os.path.dirname(path), name) if dtype in _TYPES[name["level"]] else None


def _of(folder: str, name: re.Match[str]) -> ProductFacts:
    beside = [
        os.path.join(folder, f"{name['product']}_MTL{extension}") for extension in MTL_READERS
    ]
    metadata = next(filter(os.path.isfile, beside), "")
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
