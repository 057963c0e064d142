# SPDX-License-Identifier: GPL-2.0-or-later
"""MODIS surface reflectance: MOD09GA and MYD09GA, and MCD43A4, by the names of GDAL's subdatasets.

MODIS Surface Reflectance User's Guide, Collection 6.1 (MOD09); MODIS BRDF/Albedo User Guide, V006
(MCD43): names of layers, scale factor and fill. Some MODIS files declare the number that stored
values are divided by, 10000, as their scale factor, and GDAL hands it on as one.
"""

from __future__ import annotations

import re

from ...messages import translate
from ..formats.metadata_file import ProductFacts
from ..masks import MaskRule
from .sensor import SceneFile, bands_of, iso_date, split_name

_CONTAINER = re.compile(
    r"^(?P<product>(?P<kind>M[OY]D09GA|MCD43A4)\.A(?P<date>\d{7})\.(?P<tile>h\d\dv\d\d)\.\d{3})",
    re.ASCII,
)
_SUBDATASET = re.compile(
    r'^HDF4_EOS:EOS_GRID:"?(?P<file>.+?)"?:(?P<grid>\w+):(?P<layer>\w+)$', re.ASCII
)
_LAYER = re.compile(
    r"^(?:sur_refl_b0(?P<daily>[1-7])_1|Nadir_Reflectance_Band(?P<nadir>[1-7]))$", re.ASCII
)
_BANDS = bands_of("MODIS", lambda _: 500.0)
_SCALE = 0.0001
_FILL = {"daily": -28672.0, "nadir": 32767.0}


def subdataset_file(name: str) -> str:
    """Return the file that a subdataset is in; empty for another name."""
    match = _SUBDATASET.match(name)
    return match["file"] if match else ""


def is_container(path: str) -> bool:
    """Return whether a file's bands are its subdatasets."""
    return path.lower().endswith(".hdf")


class Modis:
    """MODIS on Terra and Aqua."""

    @staticmethod
    def scene_file(path: str) -> SceneFile | None:
        subdataset = _SUBDATASET.match(path)
        stem, _ = split_name(subdataset["file"] if subdataset else path)
        name = _CONTAINER.match(stem)
        layer = _LAYER.match(subdataset["layer"]) if subdataset else None
        state = bool(subdataset and subdataset["layer"] == "state_1km_1")
        if not (name or layer or state):
            return None
        return SceneFile(
            sensor="MODIS",
            product=name["product"] if name else stem,
            level="",
            date=iso_date(name["date"]) if name else "",
            tile=name["tile"] if name else "",
            bands=(_BANDS[f"B{layer['daily'] or layer['nadir']}"],) if layer else (),
            mask=MaskRule.MODIS_STATE if state else None,
        )

    def facts(self, path: str, dtype: str, band_name: str, band: int) -> ProductFacts | None:
        subdataset = _SUBDATASET.match(path)
        layer = _LAYER.match(subdataset["layer"]) if subdataset else None
        if not layer or dtype != "int16":
            return None
        return ProductFacts(
            source=translate("Bandwise", "MODIS user guide: scale {scale:g}, offset 0").format(
                scale=_SCALE
            ),
            scale=_SCALE,
            nodata=_FILL["daily" if layer["daily"] else "nadir"],
            origin=translate("Bandwise", "MODIS user guide").format(),
            tag_divides=True,
        )
