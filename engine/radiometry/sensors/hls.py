# SPDX-License-Identifier: GPL-2.0-or-later
"""Harmonized Landsat Sentinel-2 (HLS), S30 and L30.

LP DAAC, Harmonized Landsat Sentinel-2 (HLS) Product User Guide, version 2.0: names of files,
scale factor and fill of each layer. The near infrared that both have in common, and that is
adjusted to one another, is the narrow one: B8A of S30 and B05 of L30.
"""

from __future__ import annotations

import re

from ...messages import translate
from ..formats.metadata_file import ProductFacts
from ..masks import MaskRule
from .sensor import FileBand, SceneFile, bands_of, iso_date, split_name

_NAME = re.compile(
    r"^(?P<product>HLS\.(?P<kind>[SL]30)\.T(?P<tile>\d\d[A-Z]{3})\.(?P<date>\d{7})T\d{6}\.v\d\.\d)(?:[._](?P<part>\w+))?",
    re.ASCII,
)
_TABLES = {kind: bands_of(f"HLS {kind}", lambda _: 30.0) for kind in ("S30", "L30")}
_TABLES["S30"]["B08"] = FileBand("B08", resolution=30.0, stands_for=("nir",))
_FILL = -9999.0
_REFLECTANCE, _DEGREES = 0.0001, 0.01  #: scale factors


class Hls:
    """HLS S30 and L30, version 2."""

    @staticmethod
    def scene_file(path: str) -> SceneFile | None:
        stem, raster = split_name(path)
        name = _NAME.match(stem)
        if not name:
            return None
        band = _TABLES[name["kind"]].get(name["part"] or "") if raster else None
        return SceneFile(
            sensor=f"HLS {name['kind']}",
            product=name["product"],
            level="",
            date=iso_date(name["date"]),
            tile=name["tile"],
            bands=(band,) if band else (),
            mask=MaskRule.FMASK if raster and name["part"] == "Fmask" else None,
        )

    def facts(self, path: str, dtype: str, band_name: str, band: int) -> ProductFacts | None:
        file = self.scene_file(path)
        if file is None or not file.bands or dtype != "int16":
            return None
        scale = _DEGREES if file.bands[0].role.startswith("thermal") else _REFLECTANCE
        return ProductFacts(
            source=translate(
                "Bandwise", "HLS User Guide, band {band}: scale {scale:g}, offset 0"
            ).format(band=file.bands[0].name, scale=scale),
            scale=scale,
            nodata=_FILL,
            origin=translate("Bandwise", "HLS User Guide").format(),
        )
