# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the metadata of satellite products for a raster's band, also through VRTs."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..errors import MetadataError
from ..messages import Template, translate
from .band_names import BandName, name_of_band, name_of_file
from .formats.metadata_file import ProductFacts
from .formats.vrt import VrtBand, VrtSource, is_vrt, vrt_bands
from .sensors.registry import SENSORS, owner
from .sensors.sentinel2 import is_subdataset

_DEEPEST_VRT = 10  #: nested VRTs
_MOST_SOURCES = 1000  #: of a band of a VRT


class Products:
    """Finds metadata of products, and reads each file once; one object serves a run."""

    def __init__(self, known: Mapping[tuple[str, int], ProductFacts] | None = None) -> None:
        """``known`` are facts of bands by path and number that a scene tells, such as a STAC item."""
        self._known = dict(known or {})
        self._sensors = {sensor: sensor() for sensor in SENSORS}
        self._vrts: dict[str, tuple[VrtBand, ...]] = {}
        self._facts: dict[tuple[str, int, str, str], ProductFacts | None] = {}

    def facts(
        self, path: str, dtype: str, band_name: str = "", band: int = 1
    ) -> ProductFacts | None:
        """Return the facts of band number ``band`` of the raster ``path`` in its product's metadata.

        Parameters
        ----------
        dtype
            Type of the stored values.
        band_name
            Name of the band in the raster driver, if it has one.

        Returns
        -------
        ProductFacts or None
            None unless the file has a name and type that the agencies deliver, or is a VRT of such.

        Raises
        ------
        MetadataError
            If the metadata exist and cannot be used.
        """
        if (path, band) in self._known:
            return self._known[path, band]
        if not is_vrt(path):
            return self._of_file(path, dtype, band_name, band)
        facts = self._of_vrt(path, band, dtype, 0)
        return self._of_file(path, dtype, band_name, band) if facts is None else facts

    def band_name(
        self,
        path: str,
        band: int,
        description: str = "",
        driver_name: str = "",
        *,
        single: bool = True,
    ) -> BandName | None:
        """Recognise the band of a sensor, by driver, name of the file, sources of a VRT, or description.

        The name of a file is only used if it has a ``single`` band.
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
        """Return the band if all sources of a VRT's band are the same one, even if the VRT changes values."""
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
        """Return a band of a VRT file; None if the VRT cannot be read, or has no such band."""
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
        """Return the facts that all sources of a VRT's band have in common."""
        band = self.vrt_band(path, number)
        if band is None or depth > _DEEPEST_VRT:
            return _mixed(
                path, translate("Bandwise", "{file} is a VRT whose sources cannot be determined")
            )
        sources = list(dict.fromkeys(band.sources))
        facts_of_sources = [
            self._of_source(source, dtype, band.name or band.description, depth + 1)
            for source in sources[:_MOST_SOURCES]
        ]
        facts = next(filter(None, facts_of_sources), None)
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
            None in facts_of_sources
            or len(
                {
                    (each.scale, each.offset, each.nodata, each.saturated, each.missing)
                    for each in facts_of_sources
                    if each
                }
            )
            > 1
        ):
            nodata = {each.nodata if each else None for each in facts_of_sources}
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
            elif is_subdataset(path) and not band_name:
                facts = _mixed(
                    path, translate("Bandwise", "the VRT does not name the bands of {file}")
                )
            else:
                facts = self._of_file(path, dtype, band_name, number)
            self._facts[key] = facts
        return self._facts[key]

    def _of_file(self, path: str, dtype: str, band_name: str, band: int) -> ProductFacts | None:
        return self._sensors[owner(path)].facts(path, dtype, band_name, band)


def product_facts(path: str, dtype: str, band_name: str = "", band: int = 1) -> ProductFacts | None:
    """Return :meth:`Products.facts` for one band."""
    return Products().facts(path, dtype, band_name, band)


def _mixed(path: str, text: Template) -> ProductFacts:
    return ProductFacts(source=text.format(file=os.path.basename(path)), missing=True, mixed=True)
