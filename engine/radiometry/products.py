# SPDX-License-Identifier: GPL-2.0-or-later
"""What a satellite product's own metadata say of one of its band files.

Sentinel-2: ESA, Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), from baseline 04.00 with
``RADIO_ADD_OFFSET`` / ``BOA_ADD_OFFSET``. Landsat: USGS, Landsat 8-9 Collection 2 Data Format Control Books
(LSDS-1822, LSDS-1328), the ``MTL`` file.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from ..errors import MetadataError
from ..messages import Template, Text, translate
from .band_names import BandName, name_of_band, name_of_file
from .metadata_file import (
    MTL_READERS,
    check_scaling,
    mtl_values,
    number,
    twice,
    unusable,
    whole_number,
    xml_elements,
)
from .vrt import VrtBand, VrtSource, is_vrt, vrt_bands

_LEVELS_UP = 5
_DEEPEST_VRT = 10  #: VRTs in VRTs
_MOST_SOURCES = 1000  #: of a band of a VRT

_SENTINEL2_BANDS = (
    "B1",
    "B2",
    "B3",
    "B4",
    "B5",
    "B6",
    "B7",
    "B8",
    "B8A",
    "B9",
    "B10",
    "B11",
    "B12",
)
_SENTINEL2_FILE = re.compile(r"(?:^|_)(B0[1-9]|B1[0-2]|B8A)(?:_[126]0m)?$")
_SENTINEL2_SCENE = re.compile(r"(?:^|_)(T\d\d[A-Z]{3})_(\d{8}T\d{6})_", re.ASCII)
_SENTINEL2_SUBDATASET = re.compile(
    r"^SENTINEL2_L(?:1C|2A):(?P<xml>.+\.xml):[^:]+:[^:]+$", re.IGNORECASE
)
_SENTINEL2_METADATA = {
    "MTD_MSIL2A.xml": ("BOA_QUANTIFICATION_VALUE", "BOA_ADD_OFFSET"),
    "MTD_MSIL1C.xml": ("QUANTIFICATION_VALUE", "RADIO_ADD_OFFSET"),
}

_LANDSAT_FILE = re.compile(
    r"^(?P<product>L[A-Z]\d\d_(?P<level>L[12])\w\w_\d{6}_\d{8}_\d{8}_02_(?:T1|T2|RT|A1|A2))_(?P<kind>SR_|ST_|)B(?P<band>\d+)$",
    re.ASCII,
)
_LANDSAT_TYPES = {"L1": ("uint8", "uint16"), "L2": ("uint16",)}
_LANDSAT_GROUPS = {
    ("L2", "SR_"): ("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", "REFLECTANCE_{}_BAND_{}"),
    ("L2", "ST_"): ("LEVEL2_SURFACE_TEMPERATURE_PARAMETERS", "TEMPERATURE_{}_BAND_ST_B{}"),
    ("L1", ""): ("LEVEL1_RADIOMETRIC_RESCALING", "REFLECTANCE_{}_BAND_{}"),
}


class ProductFacts(NamedTuple):
    """Reflectance = stored value * ``scale`` + ``offset``; ``nodata`` and ``saturated`` are stored values.

    ``source`` names the file and the numbers read from it, ``origin`` the file alone. Where
    ``missing`` is given, the file's name promises metadata that are not there, and the other fields
    hold what no metadata mean; ``mixed`` tells of one that is missing because the sources of a VRT
    differ or are changed on the way.
    """

    source: Text
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    saturated: float | None = None
    missing: bool = False
    mixed: bool = False
    origin: Text = translate("Bandwise", "the product's metadata").format()


class _Sentinel2(NamedTuple):
    """What a Sentinel-2 product file says; ``offsets`` by band number from 0."""

    quantification: float
    offsets: dict[int, float]
    special: dict[str, float]
    uri: str


class Products:
    """Looks for the metadata of products, and reads each file once: one of these serves a run."""

    def __init__(self) -> None:
        self._sentinel2: dict[str, _Sentinel2] = {}
        self._vrts: dict[str, tuple[VrtBand, ...]] = {}
        self._facts: dict[tuple[str, int, str, str], ProductFacts | None] = {}

    def facts(
        self, path: str, dtype: str, band_name: str = "", band: int = 1
    ) -> ProductFacts | None:
        """What the metadata of the product say of band number ``band`` of the raster ``path``.

        ``dtype`` is the type of the stored values, ``band_name`` the name that the raster driver
        gives the band, where it gives one. Only files of the name and type that the agencies
        deliver are looked at, and VRTs of such files; None for all others. Raises
        :class:`MetadataError` where the metadata are there and cannot be used.
        """
        if not is_vrt(path):
            return self._of_file(path, dtype, band_name)
        facts = self._of_vrt(path, band, dtype, 0)
        return self._of_file(path, dtype, band_name) if facts is None else facts

    def band_name(
        self,
        path: str,
        band: int,
        description: str = "",
        driver_name: str = "",
        *,
        single: bool = True,
    ) -> BandName | None:
        """Which band of a sensor a raster's band is: by its driver, its file's name, the sources of
        a VRT, or its description.

        The name of a file is that of its first band where it has a ``single`` one.
        """
        named = name_of_band(description, driver_name)
        if driver_name and named:
            return named
        return (
            (name_of_file(path) if single and band == 1 else None)
            or self._name_through(path, band, 0)
            or named
        )

    def _name_through(self, path: str, number: int, depth: int) -> BandName | None:
        """The band that all sources of a VRT's band are, whether or not the VRT changes their values."""
        band = self.vrt_band(path, number) if depth <= _DEEPEST_VRT and is_vrt(path) else None
        if band is None:
            return None
        if named := name_of_band(band.description, band.name):
            return named
        names = set()
        for source in dict.fromkeys(band.sources[:_MOST_SOURCES]):
            names.add(
                (name_of_file(source.path) if source.number == 1 else None)
                or self._name_through(source.path, source.number, depth + 1)
            )
            if len(names) > 1:
                return None
        return names.pop() if names else None

    def vrt_band(self, path: str, band: int) -> VrtBand | None:
        """A band of a VRT file; None where the VRT cannot be looked through, or has no such band."""
        try:
            bands = (
                self._vrts[path]
                if path in self._vrts
                else self._vrts.setdefault(path, vrt_bands(path))
            )
        except MetadataError:
            bands = self._vrts[path] = ()
        return bands[band - 1] if 1 <= band <= len(bands) else None

    def _of_vrt(self, path: str, number: int, dtype: str, depth: int) -> ProductFacts | None:
        """What the sources of a VRT's band have in common."""
        band = self.vrt_band(path, number)
        if band is None or depth > _DEEPEST_VRT:
            return _mixed(
                path, translate("Bandwise", "{file} is a VRT that cannot be looked through")
            )
        sources = list(dict.fromkeys(band.sources))
        found = [
            self._of_source(source, dtype, band.name or band.description, depth + 1)
            for source in sources[:_MOST_SOURCES]
        ]
        facts = next(filter(None, found), None)
        if facts is None:
            return None
        if not band.plain or not all(source.number for source in sources):
            return _mixed(
                path,
                translate(
                    "Bandwise",
                    "the sources of {file} belong to a product, but the VRT changes their values",
                ),
            )
        if len(sources) > _MOST_SOURCES:
            return _mixed(
                path,
                translate(
                    "Bandwise",
                    "{file} has too many sources to look for the products that they belong to",
                ),
            )
        if (
            None in found
            or len(
                {
                    (one.scale, one.offset, one.nodata, one.saturated, one.missing)
                    for one in found
                    if one
                }
            )
            > 1
        ):
            nodata = {one.nodata if one else None for one in found}
            text = translate(
                "Bandwise",
                "the sources of {file} belong to products, but their scale, offset or nodata differ",
            )
            return _mixed(path, text)._replace(nodata=nodata.pop() if len(nodata) == 1 else None)
        if facts.mixed:
            return facts
        return facts._replace(
            source=translate("Bandwise", "{source}, through the VRT").format(source=facts.source)
        )

    def _of_source(
        self, source: VrtSource, dtype: str, band_name: str, depth: int
    ) -> ProductFacts | None:
        key = (source.path, source.number, source.dtype or dtype, band_name)
        if key not in self._facts:
            path, number, dtype, _ = key
            if is_vrt(path):
                facts = self._of_vrt(path, number, dtype, depth)
            elif _SENTINEL2_SUBDATASET.match(path) and not band_name:
                facts = _mixed(
                    path, translate("Bandwise", "the VRT does not name the bands of {file}")
                )
            else:
                facts = self._of_file(path, dtype, band_name)
            self._facts[key] = facts
        return self._facts[key]

    def _of_file(self, path: str, dtype: str, band_name: str) -> ProductFacts | None:
        subdataset = _SENTINEL2_SUBDATASET.match(path)
        if subdataset and band_name in _SENTINEL2_BANDS:
            metadata = subdataset["xml"]
            return (
                self._of_sentinel2(metadata, band_name)
                if os.path.basename(metadata) in _SENTINEL2_METADATA
                else None
            )
        stem = os.path.splitext(os.path.basename(path))[0]
        landsat = _LANDSAT_FILE.match(stem)
        if landsat:
            delivered = (
                landsat["level"],
                landsat["kind"],
            ) in _LANDSAT_GROUPS and dtype in _LANDSAT_TYPES[landsat["level"]]
            return _landsat(os.path.dirname(path), landsat) if delivered else None
        if dtype != "uint16":
            return None
        sentinel2 = _SENTINEL2_FILE.search(stem)
        return self._sentinel2_above(path, stem, sentinel2[1]) if sentinel2 else None

    def _sentinel2_above(self, path: str, stem: str, name: str) -> ProductFacts | None:
        """The product file found by walking up from the band file."""
        scene = _SENTINEL2_SCENE.search(stem)
        folder = os.path.dirname(os.path.abspath(path))
        for _ in range(_LEVELS_UP):
            for filename in _SENTINEL2_METADATA:
                metadata = os.path.join(folder, filename)
                if os.path.isfile(metadata):
                    return self._of_sentinel2(metadata, "B" + name[1:].lstrip("0"), scene)
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

    def _of_sentinel2(
        self, metadata: str, band: str, scene: re.Match[str] | None = None
    ) -> ProductFacts:
        if metadata not in self._sentinel2:
            self._sentinel2[metadata] = _read_sentinel2(metadata)
        product = self._sentinel2[metadata]
        filename = os.path.basename(metadata)
        quantification_tag, offset_tag = _SENTINEL2_METADATA[filename]
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
        offset = product.offsets.get(_SENTINEL2_BANDS.index(band), None if product.offsets else 0.0)
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


def product_facts(path: str, dtype: str, band_name: str = "", band: int = 1) -> ProductFacts | None:
    """:meth:`Products.facts` for one band."""
    return Products().facts(path, dtype, band_name, band)


def _mixed(path: str, text: Template) -> ProductFacts:
    return ProductFacts(source=text.format(file=os.path.basename(path)), missing=True, mixed=True)


def _read_sentinel2(metadata: str) -> _Sentinel2:
    """Read a product file; a number that it gives twice, and not alike, is an error."""
    quantification_tag, offset_tag = _SENTINEL2_METADATA[os.path.basename(metadata)]
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
    return _Sentinel2(quantifications[0] if quantifications else 0.0, offsets, special, uri)


def _landsat(folder: str, name: re.Match[str]) -> ProductFacts:
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
    group, key = _LANDSAT_GROUPS[name["level"], name["kind"]]
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
