# SPDX-License-Identifier: GPL-2.0-or-later
"""What the metadata of a Sentinel-2 product say of one of its band files.

ESA, Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), from baseline 04.00 with
``RADIO_ADD_OFFSET`` / ``BOA_ADD_OFFSET``.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from ..messages import translate
from .formats.metadata_file import (
    ProductFacts,
    check_scaling,
    number,
    twice,
    unusable,
    whole_number,
    xml_elements,
)

_LEVELS_UP = 5

#: By number from 0
_BANDS = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
_FILE = re.compile(r"(?:^|_)(B0[1-9]|B1[0-2]|B8A)(?:_[126]0m)?$")
_SCENE = re.compile(r"(?:^|_)(T\d\d[A-Z]{3})_(\d{8}T\d{6})_", re.ASCII)
_SUBDATASET = re.compile(r"^SENTINEL2_L(?:1C|2A):(?P<xml>.+\.xml):[^:]+:[^:]+$", re.IGNORECASE)
_METADATA = {
    "MTD_MSIL2A.xml": ("BOA_QUANTIFICATION_VALUE", "BOA_ADD_OFFSET"),
    "MTD_MSIL1C.xml": ("QUANTIFICATION_VALUE", "RADIO_ADD_OFFSET"),
}


class _Product(NamedTuple):
    """The facts of a Sentinel-2 product file; ``offsets`` by band number from 0."""

    quantification: float
    offsets: dict[int, float]
    special: dict[str, float]
    uri: str


def is_subdataset(path: str) -> bool:
    """Return whether a name is that of a subdataset of GDAL's Sentinel-2 driver."""
    return bool(_SUBDATASET.match(path))


class Sentinel2:
    """Finds the metadata of products, and reads each file once."""

    def __init__(self) -> None:
        self._products: dict[str, _Product] = {}

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
        return self._of(metadata, band_name) if os.path.basename(metadata) in _METADATA else None

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
        folder = os.path.dirname(os.path.abspath(path))
        for _ in range(_LEVELS_UP):
            for filename in _METADATA:
                metadata = os.path.join(folder, filename)
                if os.path.isfile(metadata):
                    return self._of(metadata, "B" + name[1:].lstrip("0"), scene)
            folder = os.path.dirname(folder)
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
        quantification_tag, offset_tag = _METADATA[filename]
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
    quantification_tag, offset_tag = _METADATA[os.path.basename(metadata)]
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
