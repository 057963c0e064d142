# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of tar archives whose names GDAL does not read: opened by their places, known by their names."""

from __future__ import annotations

from dataclasses import replace

from ..credentials import file_name
from ..messages import translate
from ..radiometry.archives import files as archives
from ..radiometry.formats.metadata_file import ProductFacts
from ..radiometry.products import Products
from .scene import Scene, SceneBand

_TYPES = ("uint16", "int16", "uint8")  #: of stored values, as agencies deliver them


def openable(scene: Scene) -> Scene:
    """Return the scene with paths that GDAL opens; a place has no name, so such bands bring their facts.

    Raises :class:`~engine.errors.MetadataError` where metadata in the archive cannot be used.
    """
    products = Products()
    bands = tuple(_openable(band, products) for band in scene.bands)
    mask = scene.mask and replace(scene.mask, path=_place(scene.mask.path) or scene.mask.path)
    return replace(scene, bands=bands, mask=mask)


def _openable(band: SceneBand, products: Products) -> SceneBand:
    place = _place(band.path)
    if not place:
        return band
    source = translate("Bandwise", "{source}, {file}")
    return replace(
        band,
        path=place,
        source=source.format(source=band.source, file=file_name(band.path)),
        facts=_facts(band, products),
    )


def _place(path: str) -> str:
    inside = archives.split(path)
    return archives.place_in(inside) if inside else ""


def _facts(band: SceneBand, products: Products) -> ProductFacts | None:
    found = (products.facts(band.path, dtype, band=band.number) for dtype in _TYPES)
    return next(filter(None, found), None)
