# SPDX-License-Identifier: GPL-2.0-or-later
"""What a satellite product's own metadata say of one of its band files.

Sentinel-2: ESA, Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), from baseline 04.00 with
``RADIO_ADD_OFFSET`` / ``BOA_ADD_OFFSET``. Landsat: USGS, Landsat 8-9 Collection 2 Data Format Control Books
(LSDS-1822, LSDS-1328), the ``MTL`` file.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat  # nosec B407

from .errors import MetadataError
from .messages import Text, translate

_LARGEST_FILE = 32 * 1024 * 1024
_DEEPEST_XML = 100
_LEVELS_UP = 5

_SENTINEL2_BANDS = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
_SENTINEL2_FILE = re.compile(r"(?:^|_)(B0[1-9]|B1[0-2]|B8A)(?:_[126]0m)?$")
_SENTINEL2_SCENE = re.compile(r"(?:^|_)(T\d\d[A-Z]{3})_(\d{8}T\d{6})_")
_SENTINEL2_SUBDATASET = re.compile(r"^SENTINEL2_L(?:1C|2A):(?P<xml>.+\.xml):[^:]+:[^:]+$", re.IGNORECASE)
_SENTINEL2_METADATA = {
    "MTD_MSIL2A.xml": ("BOA_QUANTIFICATION_VALUE", "BOA_ADD_OFFSET"),
    "MTD_MSIL1C.xml": ("QUANTIFICATION_VALUE", "RADIO_ADD_OFFSET"),
}

_LANDSAT_FILE = re.compile(r"^(?P<product>L[A-Z]\d\d_(?P<level>L[12])\w\w_\d{6}_\d{8}_\d{8}_02_(?:T1|T2|RT|A1|A2))_(?P<kind>SR_|ST_|)B(?P<band>\d+)$")
_LANDSAT_TYPES = {"L1": ("uint8", "uint16"), "L2": ("uint16",)}
_LANDSAT_GROUPS = {
    ("L2", "SR_"): ("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", "REFLECTANCE_{}_BAND_{}"),
    ("L2", "ST_"): ("LEVEL2_SURFACE_TEMPERATURE_PARAMETERS", "TEMPERATURE_{}_BAND_ST_B{}"),
    ("L1", ""): ("LEVEL1_RADIOMETRIC_RESCALING", "REFLECTANCE_{}_BAND_{}"),
}


class ProductFacts(NamedTuple):
    """Reflectance = stored value * ``scale`` + ``offset``; ``nodata`` and ``saturated`` are stored values.

    ``source`` names the file and the numbers read from it, ``origin`` the file alone. Where ``missing`` is given, the file's name
    promises metadata that are not there, and the other fields hold what no metadata mean.
    """

    source: Text
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    saturated: float | None = None
    missing: bool = False
    origin: Text = translate("Bandwise", "the product's metadata").format()


def product_facts(path: str, dtype: str, band_name: str = "") -> ProductFacts | None:
    """Look for the metadata of the product that the band file ``path`` belongs to.

    ``dtype`` is the type of the stored values, ``band_name`` the name that the raster driver gives the band, where it
    gives one. Only files of the name and type that the agencies deliver are looked at; None for all others. Raises :class:`MetadataError` where the
    metadata are there and cannot be used.
    """
    subdataset = _SENTINEL2_SUBDATASET.match(path)
    if subdataset and band_name in _SENTINEL2_BANDS:
        metadata = subdataset["xml"]
        return _sentinel2(metadata, band_name) if os.path.basename(metadata) in _SENTINEL2_METADATA else None
    stem = os.path.splitext(os.path.basename(path))[0]
    landsat = _LANDSAT_FILE.match(stem)
    if landsat:
        delivered = (landsat["level"], landsat["kind"]) in _LANDSAT_GROUPS and dtype in _LANDSAT_TYPES[landsat["level"]]
        return _landsat(os.path.dirname(path), landsat) if delivered else None
    if dtype != "uint16":
        return None
    sentinel2 = _SENTINEL2_FILE.search(stem)
    return _sentinel2_above(path, stem, sentinel2[1]) if sentinel2 else None


def _sentinel2_above(path: str, stem: str, name: str) -> ProductFacts | None:
    """The product file found by walking up from the band file."""
    scene = _SENTINEL2_SCENE.search(stem)
    folder = os.path.dirname(os.path.abspath(path))
    for _ in range(_LEVELS_UP):
        for filename in _SENTINEL2_METADATA:
            metadata = os.path.join(folder, filename)
            if os.path.isfile(metadata):
                return _sentinel2(metadata, "B" + name[1:].lstrip("0"), scene)
        folder = os.path.dirname(folder)
    if not scene:
        return None
    return ProductFacts(
        source=translate("Bandwise", "no MTD_MSIL1C.xml or MTD_MSIL2A.xml in the folders above this Sentinel-2 band").format(),
        missing=True,
    )


def _sentinel2(metadata: str, band: str, scene: re.Match[str] | None = None) -> ProductFacts:
    quantification_tag, offset_tag = _SENTINEL2_METADATA[os.path.basename(metadata)]
    band_id = str(_SENTINEL2_BANDS.index(band))
    quantification, offset, uri = 0.0, 0.0, ""
    offsets, special, special_name = False, {}, ""
    for tags, attributes, text in _xml_elements(metadata):
        tag = tags[-1]
        if tag == quantification_tag:
            quantification = _number(metadata, tag, text)
        elif tag == offset_tag:
            offsets = True
            if attributes.get("band_id") == band_id:
                offset = _number(metadata, tag, text)
                band_id = ""
        elif tag == "SPECIAL_VALUE_TEXT":
            special_name = text
        elif tag == "SPECIAL_VALUE_INDEX":
            special[special_name] = _number(metadata, tag, text)
        elif tag == "PRODUCT_URI":
            uri = text
    filename = os.path.basename(metadata)
    if scene and uri and not (scene[1] in uri and scene[2] in uri):
        return ProductFacts(
            source=translate("Bandwise", "{file} above this band describes another product, {product}").format(file=filename, product=uri),
            missing=True,
        )
    if quantification <= 0:
        raise _unusable(metadata, translate("Bandwise", "it has no {name}").format(name=quantification_tag))
    if offsets and band_id:
        raise _unusable(metadata, translate("Bandwise", "it has no {name} for band {band}").format(name=offset_tag, band=band))
    return ProductFacts(
        source=translate("Bandwise", "{file}, band {band}: quantification {quantification:g}, offset {offset:g}").format(
            file=filename, band=band, quantification=quantification, offset=offset
        ),
        scale=1 / quantification,
        offset=offset / quantification,
        nodata=special.get("NODATA"),
        saturated=special.get("SATURATED"),
        origin=translate("Bandwise", "{file}").format(file=filename),
    )


def _landsat(folder: str, name: re.Match[str]) -> ProductFacts:
    beside = [os.path.join(folder, f"{name['product']}_MTL{extension}") for extension in _MTL_READERS]
    metadata = next(filter(os.path.isfile, beside), "")
    if not metadata:
        return ProductFacts(
            source=translate("Bandwise", "no {name}_MTL file beside this Landsat Collection 2 band").format(name=name["product"]),
            nodata=0.0,
            missing=True,
        )
    group, key = _LANDSAT_GROUPS[name["level"], name["kind"]]
    values = {item: value for owner, item, value in _MTL_READERS[os.path.splitext(metadata)[1]](metadata) if owner == group}
    numbers = []
    for item in (key.format("MULT", name["band"]), key.format("ADD", name["band"])):
        if item not in values:
            raise _unusable(metadata, translate("Bandwise", "its group {group} has no {name}").format(group=group, name=item))
        numbers.append(_number(metadata, item, values[item]))
    scale, offset = numbers
    if scale == 0:
        raise _unusable(metadata, translate("Bandwise", "its scale is 0").format())
    return ProductFacts(
        source=translate("Bandwise", "{file}, group {group}: scale {scale:g}, offset {offset:g}").format(
            file=os.path.basename(metadata), group=group, scale=scale, offset=offset
        ),
        scale=scale,
        offset=offset,
        nodata=0.0,
    )


def _mtl_text(path: str) -> Iterator[tuple[str, str, str]]:
    """(group, key, value) of an MTL file in Object Description Language."""
    groups: list[str] = []
    for line in _content(path).decode("utf-8", "replace").splitlines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            continue
        if key == "GROUP":
            groups.append(value)
        elif key == "END_GROUP" and groups:
            groups.pop()
        elif groups:
            yield groups[-1], key, value.strip('"')


def _mtl_json(path: str) -> Iterator[tuple[str, str, str]]:
    try:
        groups = json.loads(_content(path))["LANDSAT_METADATA_FILE"]
        for group, values in groups.items():
            for key, value in values.items():
                yield group, key, str(value)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unusable(path, translate("Bandwise", "it is not a Landsat MTL file in JSON").format()) from error


def _mtl_xml(path: str) -> Iterator[tuple[str, str, str]]:
    for tags, _, text in _xml_elements(path):
        if len(tags) > 1:
            yield tags[-2], tags[-1], text


_MTL_READERS = {".txt": _mtl_text, ".json": _mtl_json, ".xml": _mtl_xml}


def _xml_elements(path: str) -> list[tuple[tuple[str, ...], dict[str, str], str]]:
    """(tags from the root, attributes, text) of the elements of an XML file, in the order in which they end."""
    elements = _Elements(path)
    try:
        elements.parser.Parse(_content(path), True)
    except MetadataError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two for an encoding that Python does not have
        raise _unusable(path, translate("Bandwise", "it is not well-formed XML ({reason})").format(reason=error)) from error
    return elements.found


class _Elements:
    """Collects elements; a document type declaration, the door to every entity trick, is refused."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: list[tuple[tuple[str, ...], dict[str, str], str]] = []
        self.open: list[tuple[str, dict[str, str], list[str]]] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self.refuse
        self.parser.StartElementHandler = self.start
        self.parser.CharacterDataHandler = self.text
        self.parser.EndElementHandler = self.end

    def refuse(self, *_: object) -> None:
        raise _unusable(self.path, translate("Bandwise", "it declares a document type, which product metadata never do").format())

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self.open) > _DEEPEST_XML:
            raise _unusable(self.path, translate("Bandwise", "it is nested too deeply").format())
        self.open.append((tag, attributes, []))

    def text(self, text: str) -> None:
        self.open[-1][2].append(text)

    def end(self, _: str) -> None:
        tags = tuple(tag for tag, _, _ in self.open)
        _, attributes, texts = self.open.pop()
        self.found.append((tags, attributes, "".join(texts).strip()))


def _content(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise _unusable(path, translate("Bandwise", "it cannot be read ({reason})").format(reason=error.strerror)) from error
    if len(content) > _LARGEST_FILE:
        raise _unusable(path, translate("Bandwise", "it is larger than any product metadata").format())
    return content


def _number(path: str, name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _unusable(path, translate("Bandwise", "its {name} is not a number: {text}").format(name=name, text=text[:40]))
    return number


def _unusable(path: str, reason: Text) -> MetadataError:
    return MetadataError(
        translate(
            "Bandwise", "The product metadata {file} cannot be used: {reason}; mend the file, or choose stored values or a custom scale and offset."
        ).format(file=path, reason=reason)
    )
