# SPDX-License-Identifier: GPL-2.0-or-later
"""PlanetScope: ``AnalyticMS_SR`` (surface reflectance) and ``AnalyticMS`` (radiance).

Planet, Planet Imagery Product Specification: surface reflectance is stored times 10000, 0 is
nodata; radiance becomes reflectance at the top of the atmosphere by the ``reflectanceCoefficient``
of each band in the ``metadata.xml``. Coefficients of an XML that is named after a file of surface
reflectance are that file's; those of the radiance's XML never apply to it.
"""

from __future__ import annotations

import os
import re

from ...messages import translate
from ..archives.files import beside, is_file
from ..formats.metadata_file import (
    ProductFacts,
    check_scaling,
    number,
    twice,
    unusable,
    whole_number,
    xml_elements,
)
from ..masks import MaskRule
from .sensor import SceneFile, bands_of, iso_date, split_name

_NAME = re.compile(
    r"^(?P<product>(?P<date>\d{8})_\d{6}(?:_\w+?)?)_(?:1B|3A|3B)_(?P<kind>\w+)$",
    re.ASCII,
)
_IMAGE = re.compile(
    r"^AnalyticMS(?P<sr>_SR)?(?P<eight>_8b)?(?:_harmonized)?(?:_clip|_bandmath|_file_format)*$"
)
_METADATA = re.compile(
    r"^AnalyticMS(?P<sr>_SR)?(?P<eight>_8b)?(?:_harmonized)?_metadata(?:_clip)?$"
)
_EIGHT = tuple(bands_of("PlanetScope", lambda _: 3.0).values())
_FOUR = tuple(band for band in _EIGHT if band.name in ("blue", "green", "red", "nir"))
_SCALE = 0.0001


class Planet:
    """PlanetScope scenes; the coefficients of each XML are read once."""

    def __init__(self) -> None:
        self._coefficients: dict[str, dict[int, float]] = {}

    @staticmethod
    def scene_file(path: str) -> SceneFile | None:
        stem, raster = split_name(path)
        name = _NAME.match(stem)
        if not name:
            return None
        image = _IMAGE.match(name["kind"]) if raster else None
        mask = raster and bool(re.match(r"udm2(_clip)?$", name["kind"]))
        return SceneFile(
            sensor="PlanetScope",
            product=name["product"],
            level=("SR" if image["sr"] else "TOA") if image else "",
            date=iso_date(name["date"]),
            bands=(_EIGHT if image["eight"] else _FOUR) if image else (),
            mask=MaskRule.KEEP_NONZERO if mask else None,  # band 1 is "clear"
        )

    def facts(self, path: str, dtype: str, band_name: str, band: int) -> ProductFacts | None:
        stem, raster = split_name(path)
        name = _NAME.match(stem)
        image = _IMAGE.match(name["kind"]) if name and raster else None
        if not name or not image or dtype != "uint16":
            return None
        metadata = _metadata_of(path, name["product"], image)
        if not metadata and image["sr"]:
            text = translate("Bandwise", "Planet's specification: scale {scale:g}, offset 0")
            origin = translate("Bandwise", "Planet's specification").format()
            return ProductFacts(text.format(scale=_SCALE), _SCALE, nodata=0.0, origin=origin)
        if not metadata:
            text = translate("Bandwise", "no AnalyticMS_metadata.xml beside this PlanetScope file")
            return ProductFacts(source=text.format(), nodata=0.0, missing=True)
        scale = self._coefficient(metadata, band)
        check_scaling(metadata, scale, 0.0)
        file = os.path.basename(metadata)
        text = translate("Bandwise", "{file}, band {band}: reflectance coefficient {scale:g}")
        return ProductFacts(
            source=text.format(file=file, band=band, scale=scale),
            scale=scale,
            nodata=0.0,
            origin=translate("Bandwise", "{file}").format(file=file),
        )

    def _coefficient(self, metadata: str, band: int) -> float:
        if metadata not in self._coefficients:
            self._coefficients[metadata] = _coefficients(metadata)
        scale = self._coefficients[metadata].get(band)
        if not scale:
            text = translate("Bandwise", "it has no {name} for band {band}")
            raise unusable(metadata, text.format(name="reflectanceCoefficient", band=band))
        return scale


def _metadata_of(path: str, product: str, image: re.Match[str]) -> str:
    """Return the XML beside an image that has its coefficients; empty where there is none."""
    found = []
    for other in beside(path):
        stem, suffix = os.path.splitext(os.path.basename(other))
        name = _NAME.match(stem) if suffix.lower() == ".xml" else None
        metadata = _METADATA.match(name["kind"]) if name and name["product"] == product else None
        if metadata and metadata.group("sr", "eight") == image.group("sr", "eight"):
            found.append(other)
    return min(filter(is_file, found), key=len, default="")


def _coefficients(metadata: str) -> dict[int, float]:
    """Return the reflectance coefficients by number of the band."""
    found: dict[int, float] = {}
    band = 0
    for element in xml_elements(metadata, ("ps:bandNumber", "ps:reflectanceCoefficient")):
        if element.tags[-1] == "ps:bandNumber":
            band = whole_number(metadata, "bandNumber", element.text)
        else:
            scale = number(metadata, "reflectanceCoefficient", element.text)
            if found.setdefault(band, scale) != scale:
                raise twice(metadata, "reflectanceCoefficient")
    return found
