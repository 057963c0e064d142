# SPDX-License-Identifier: GPL-2.0-or-later
"""Sentinel-2: bands, and what the metadata of a product say of one of its band files.

ESA, Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), from baseline 04.00 with
``RADIO_ADD_OFFSET`` / ``BOA_ADD_OFFSET``.
"""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from ...messages import translate
from ..archives.files import is_file
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

_LEVELS_UP = 5

#: By number from 0
_BANDS = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
_FILE = re.compile(r"(?:^|_)(B0[1-9]|B1[0-2]|B8A)(?:_[126]0m)?$")
_SCENE = re.compile(r"(?:^|_)(T\d\d[A-Z]{3})_(\d{8}T\d{6})_", re.ASCII)
_SUBDATASET = re.compile(r"^SENTINEL2_L(?:1C|2A):(?P<xml>.+\.xml):[^:]+:[^:]+$", re.IGNORECASE)
METADATA = {
    "MTD_MSIL2A.xml": ("BOA_QUANTIFICATION_VALUE", "BOA_ADD_OFFSET"),
    "MTD_MSIL1C.xml": ("QUANTIFICATION_VALUE", "RADIO_ADD_OFFSET"),
}


_METRES = {
    **dict.fromkeys(("B02", "B03", "B04", "B08"), 10.0),
    **dict.fromkeys(("B01", "B09", "B10"), 60.0),
}
_BY_NAME = bands_of("Sentinel-2", lambda name: _METRES.get(name, 20.0))
_OF_SCENE = re.compile(
    r"(?:^|_)T(?P<tile>\d\d[A-Z]{3})_(?P<time>(?P<date>\d{8})T\d{6})_(?P<part>[A-Z0-9]{3})(?:_(?P<metres>[126]0)m)?$",
    re.ASCII,
)
_OF_FOLDER = re.compile(r"^(?P<part>B0[1-9]|B1[0-2]|B8A|SCL)(?:_(?P<metres>[126]0)m)?$", re.ASCII)
_RESOLUTION = re.compile(r"[/\\]R(?P<metres>[126]0)m$")
_OTHER_METADATA = ("manifest.safe", "INSPIRE.xml", "MTD_TL.xml", "MTD_DS.xml")
_ONLY_LEVEL2 = ("SCL", "AOT", "WVP")
_URI = re.compile(
    r"S2[A-Z]_MSI(?P<level>L1C|L2A)_(?P<time>\d{8}T\d{6})_.*_(?P<tile>T\d\d[A-Z]{3})_", re.ASCII
)


class _Product(NamedTuple):
    """The facts of a Sentinel-2 product file; ``offsets`` by band number from 0."""

    quantification: float
    offsets: dict[int, float]
    special: dict[str, float]
    uri: str


def is_subdataset(path: str) -> bool:
    """Return whether a name is that of a subdataset of GDAL's Sentinel-2 driver."""
    return bool(_SUBDATASET.match(path))


def subdataset_file(name: str) -> str:
    """Return the product file of a subdataset; empty for another name."""
    match = _SUBDATASET.match(name)
    return match["xml"] if match else ""


def file_of_folder(path: str, product: SceneFile) -> SceneFile | None:
    """Return a band file that only its folder assigns to a product, such as ``B04_10m.jp2``."""
    stem, raster = split_name(path)
    name = _OF_FOLDER.search(stem) if raster else None
    if not name:
        return None
    folder = _RESOLUTION.search(os.path.dirname(path))
    metres = name["metres"] or (folder["metres"] if folder else None)
    return product._replace(**_part(name["part"], metres))


def is_part(path: str) -> bool:
    """Return whether a file without a scene in its name is one of a product's: a band or metadata."""
    stem, raster = split_name(path)
    return os.path.basename(path) in _OTHER_METADATA or bool(raster and _OF_FOLDER.search(stem))


def metadata_above(path: str) -> str:
    """Return the product file in the folder of a file, or in one above it; empty where there is none."""
    folder = os.path.dirname(path if path.startswith("/vsi") else os.path.abspath(path))
    for _ in range(_LEVELS_UP):
        for filename in METADATA:
            metadata = os.path.join(folder, filename)
            if is_file(metadata):
                return metadata
        folder = os.path.dirname(folder)
    return ""


def product_of_metadata(path: str) -> tuple[SceneFile, str]:
    """Return the product that a product file tells of, and its name. Raises :class:`MetadataError`."""
    uris = [element.text for element in xml_elements(path, ("PRODUCT_URI",))]
    level = os.path.basename(path)[7:10]
    name = os.path.splitext(os.path.basename(uris[0]))[0][:200] if uris else ""
    uri = _URI.match(name)
    if not uri:
        return SceneFile("Sentinel-2", "", level), name
    date = iso_date(uri["time"])
    product = f"{uri['tile']}_{uri['time']}"
    return SceneFile("Sentinel-2", product, uri["level"], date, uri["tile"][1:]), name


def _part(part: str, metres: str | None) -> dict[str, Any]:
    """Return the band or the mask of a file; a Level-2A product may hold a band in several resolutions."""
    band = _BY_NAME.get(part)
    if band and metres:
        band = band._replace(resolution=float(metres))
    mask = MaskRule.SCL if part == "SCL" else None
    return {
        "bands": (band,) if band else (),
        "mask": mask,
        "resolution": float(metres or 20) if mask else 0.0,
    }


class Sentinel2:
    """Sentinel-2 Level-1C and Level-2A; each product file is read once."""

    def __init__(self) -> None:
        self._products: dict[str, _Product] = {}

    @staticmethod
    def scene_file(path: str) -> SceneFile | None:
        stem, raster = split_name(path)
        name = _OF_SCENE.search(stem) if raster else None
        if not name:
            return None
        level2 = name["metres"] or name["part"] in _ONLY_LEVEL2
        return SceneFile(
            sensor="Sentinel-2",
            product=f"T{name['tile']}_{name['time']}",
            level="L2A" if level2 else "L1C",
            date=iso_date(name["date"]),
            tile=name["tile"],
            **_part(name["part"], name["metres"]),
        )

    def facts(self, path: str, dtype: str, band_name: str, band: int) -> ProductFacts | None:
        facts = self.of_subdataset(path, band_name)
        return facts or (self.of_file(path) if dtype == "uint16" else None)

    def of_subdataset(self, path: str, band_name: str) -> ProductFacts | None:
        """Return the facts of a subdataset's band, by its name in the driver; None for others.

        Raises
        ------
        MetadataError
            If the metadata exist and cannot be used.
        """
        subdataset = _SUBDATASET.match(path)
        if not subdataset or band_name not in _BANDS:
            return None
        metadata = subdataset["xml"]
        return self._of(metadata, band_name) if os.path.basename(metadata) in METADATA else None

    def of_file(self, path: str) -> ProductFacts | None:
        """Return the facts of a band file, by the product file in a folder above it; None for others.

        Raises
        ------
        MetadataError
            If the metadata exist and cannot be used.
        """
        stem = os.path.splitext(os.path.basename(path))[0]
        band = _FILE.search(stem)
        if not band:
            return None
        name = band[1]
        scene = _SCENE.search(stem)
        metadata = metadata_above(path)
        if metadata:
            return self._of(metadata, "B" + name[1:].lstrip("0"), scene)
        if not scene:
            return None
        return ProductFacts(
            source=translate(
                "Bandwise",
                "no MTD_MSIL1C.xml or MTD_MSIL2A.xml in the folders above this Sentinel-2 band",
            ).format(),
            missing=True,
        )

    def _of(self, metadata: str, band: str, scene: re.Match[str] | None = None) -> ProductFacts:
        if metadata not in self._products:
            self._products[metadata] = _read(metadata)
        product = self._products[metadata]
        filename = os.path.basename(metadata)
        quantification_tag, offset_tag = METADATA[filename]
        if scene and product.uri and not (scene[1] in product.uri and scene[2] in product.uri):
            text = translate(
                "Bandwise", "{file} above this band describes another product, {product}"
            )
            return ProductFacts(
                source=text.format(file=filename, product=product.uri[:200]), missing=True
            )
        if product.quantification <= 0:
            raise unusable(
                metadata, translate("Bandwise", "it has no {name}").format(name=quantification_tag)
            )
        offset = product.offsets.get(_BANDS.index(band), None if product.offsets else 0.0)
        if offset is None:
            raise unusable(
                metadata,
                translate("Bandwise", "it has no {name} for band {band}").format(
                    name=offset_tag, band=band
                ),
            )
        scale, offset_of_reflectance = 1 / product.quantification, offset / product.quantification
        check_scaling(metadata, scale, offset_of_reflectance)
        text = translate(
            "Bandwise", "{file}, band {band}: quantification {quantification:g}, offset {offset:g}"
        )
        return ProductFacts(
            source=text.format(
                file=filename, band=band, quantification=product.quantification, offset=offset
            ),
            scale=scale,
            offset=offset_of_reflectance,
            nodata=product.special.get("NODATA"),
            saturated=product.special.get("SATURATED"),
            origin=translate("Bandwise", "{file}").format(file=filename),
        )


def _read(metadata: str) -> _Product:
    """Read a product file; raise :class:`MetadataError` if it has two different values for a number."""
    quantification_tag, offset_tag = METADATA[os.path.basename(metadata)]
    quantifications: list[float] = []
    offsets: dict[int, float] = {}
    special: dict[str, float] = {}
    special_name = uri = ""
    for element in xml_elements(
        metadata,
        (
            quantification_tag,
            offset_tag,
            "SPECIAL_VALUE_TEXT",
            "SPECIAL_VALUE_INDEX",
            "PRODUCT_URI",
        ),
    ):
        tag, text = element.tags[-1], element.text
        if tag == quantification_tag:
            quantifications.append(number(metadata, tag, text))
        elif tag == offset_tag:
            band = whole_number(metadata, "band_id", element.attributes.get("band_id", ""))
            offset = number(metadata, tag, text)
            if offsets.setdefault(band, offset) != offset:
                raise twice(metadata, tag)
        elif tag == "SPECIAL_VALUE_TEXT":
            special_name = text
        elif tag == "SPECIAL_VALUE_INDEX":
            special[special_name] = number(metadata, tag, text)
        elif tag == "PRODUCT_URI":
            uri = text
    if len(set(quantifications)) > 1:
        raise twice(metadata, quantification_tag)
    return _Product(quantifications[0] if quantifications else 0.0, offsets, special, uri)
