# SPDX-License-Identifier: GPL-2.0-or-later
"""STAC items: bands, scale and offset by their JSON, pixels in the assets that they link to.

STAC specification 1.0 with the extensions ``eo`` 1.1 and ``raster`` 1.1 (``eo:bands``,
``raster:bands``), and 1.1 with its common ``bands`` and versions 2.0 of the extensions.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import InputError
from ..messages import shown, translate
from ..radiometry.band_names import short_name
from ..radiometry.masks import recognised
from ..radiometry.roles import ROLES, SENSORS
from ..radiometry.sensors.registry import scene_file
from ..radiometry.sensors.sensor import FileBand, SceneFile
from ..radiometry.wavelengths import Spectrum, roles_by_wavelength
from .gathering import with_substitutes
from .hrefs import gdal_name, plain_path
from .scene import Scene, SceneBand, SceneMask
from .stac_json import (
    Asset,
    as_dict,
    as_text,
    bands_of,
    either,
    is_jp2,
    resolution_of,
    spectrum_of,
)
from .stac_scaling import band_facts

#: Common names of the ``eo`` extension that are called otherwise here
_COMMON_NAMES = {
    **{"green05": "green1", "rededge": "rededge1", "rededge071": "rededge1"},
    **{"rededge075": "rededge2", "rededge078": "rededge3", "nir09": "watervapour"},
    **{"swir16": "swir1", "swir22": "swir2", "coastal_blue": "coastal", "green_i": "green1"},
    **{"lwir": "thermal", "lwir11": "thermal1", "lwir12": "thermal2"},
}
_ANY_RED_EDGE = "rededge"  #: which of them, wavelengths tell
_NARROW = "nir08"  #: the only near infrared of some sensors, the second one of others
#: Assets, by their roles or the start of their keys, that are pictures of other assets
_PICTURES = ("visual", "overview", "thumbnail", "preview", "rendered_preview", "tilejson", "tci")


def scene_of_item(path: str, item: Mapping[str, Any]) -> Scene:
    """Return the scene of an item.

    Raises
    ------
    InputError
        Where no asset is a band.
    MetadataError
        For numbers or links that cannot be.
    """
    properties = as_dict(item.get("properties"))
    assets = list(_assets(path, item))
    pairs = [pair for asset in assets for pair in _bands(path, asset, properties)]
    best = _best(_with_roles_by_wavelength(pairs))
    if not any(band.role for band, _ in best):
        text = translate(
            "Bandwise", "{file} links to no band whose role its eo:bands or bands tell: {assets}."
        )
        names = ", ".join(shown(asset.key) for asset in assets[:20])
        raise InputError(text.format(file=path, assets=names or "-"))
    files = [file for asset in assets if (file := scene_file(plain_path(asset.path)))]
    return Scene(
        name=as_text(item.get("id")) or os.path.basename(path),
        sensor=files[0].sensor if files else _sensor(properties),
        level=as_text(properties.get("processing:level")) or (files[0].level if files else ""),
        date=as_text(properties.get("datetime") or properties.get("start_datetime"))[:10],
        tile=_tile(properties, files),
        bands=with_substitutes(best),
        mask=_mask(assets),
    )


def _assets(path: str, item: Mapping[str, Any]) -> Iterator[Asset]:
    """Yield the assets with pixels, but for pictures."""
    for key, value in as_dict(item.get("assets")).items():
        asset = as_dict(value)
        href, roles = asset.get("href"), asset.get("roles")
        names = [key, *(roles if isinstance(roles, list) else ())]
        picture = any(as_text(name).lower().startswith(_PICTURES) for name in names)
        if isinstance(href, str) and not picture:
            name = gdal_name(path, href)
            if name:
                yield Asset(str(key), asset, name)


def _bands(
    path: str, asset: Asset, properties: Mapping[str, Any]
) -> Iterator[tuple[SceneBand, FileBand]]:
    """Yield the bands of an asset, by the product's own names, else by those of the item."""
    described = bands_of(asset.json, properties)
    file = scene_file(plain_path(asset.path))
    number_of_bands = len(file.bands) if file and file.bands else len(described)
    if (file and file.mask) or recognised(plain_path(asset.path), asset.key):
        return
    for index in range(max(number_of_bands, 1)):
        band = described[index] if index < len(described) else {}
        if file and index < len(file.bands):
            known: FileBand | None = file.bands[index]
        else:
            key = asset.key if number_of_bands < 2 else ""
            known = _known(key, band, properties)
            if known is None and spectrum_of(band):
                known = FileBand(key or f"{asset.key}_B{index + 1}")
        if known is None:
            continue
        known = known._replace(spectrum=spectrum_of(band))
        yield (
            SceneBand(
                role=known.role,
                name=known.name,
                path=asset.path,
                number=index + 1,
                resolution=resolution_of(band, asset.json) or known.resolution,
                source=translate("Bandwise", "asset {key} of the STAC item").format(
                    key=shown(asset.key)
                ),
                facts=band_facts(path, asset, band, properties),
                wavelength=known.spectrum.wavelength if known.spectrum else 0.0,
            ),
            known,
        )


def _known(key: str, band: Mapping[str, Any], properties: Mapping[str, Any]) -> FileBand | None:
    """Return the band of a sensor that names of the item stand for; without a role where only a name is given."""
    common = as_text(either(band, "common_name", "eo:common_name")).lower()
    name = as_text(band.get("name"))
    key = key.removesuffix("-jp2").removesuffix("_jp2")
    words = [word for word in (name, key, common) if word]
    table = {short_name(each.name): each for each in SENSORS.get(_sensor(properties), ())}
    for word in words:
        row = table.get(short_name(word))
        if row:
            return FileBand(row.name, row.roles[0] if row.roles else "", stands_for=row.roles[1:])
    for word in map(str.lower, words):
        if word == _NARROW:
            return FileBand(name or word, "nir2", stands_for=("nir",))
        if word == _ANY_RED_EDGE and spectrum_of(band):
            return FileBand(name or word, stands_for=("rededge1",))
        role = _COMMON_NAMES.get(word, word)
        if role in ROLES:
            return FileBand(name or word, role)
    return FileBand(name) if name else None


def _with_roles_by_wavelength(
    pairs: Sequence[tuple[SceneBand, FileBand]],
) -> list[tuple[SceneBand, FileBand]]:
    """Return the bands, of which those without a role have what their wavelengths tell and no name does."""
    named = {band.role for band, _ in pairs}
    spectra = [known.spectrum if not band.role else None for band, known in pairs]
    found = roles_by_wavelength([spectrum or Spectrum(0.0) for spectrum in spectra])
    result = []
    for (band, known), roles in zip(pairs, found):
        role, *others = [role for role in roles if role not in named] or [band.role]
        source = band.source
        if role != band.role:
            text = translate("Bandwise", "{source}, by its central wavelength of {nanometres:g} nm")
            source = text.format(source=band.source, nanometres=band.wavelength)
        stands_for = tuple(dict.fromkeys((*others, *known.stands_for)))
        result.append(
            (
                replace(band, role=role, source=source),
                known._replace(role=role, stands_for=stands_for),
            )
        )
    return result


def _best(
    pairs: Sequence[tuple[SceneBand, FileBand]],
) -> list[tuple[SceneBand, FileBand]]:
    """Return of each band the finest assets, and of these the one that is decoded fastest."""
    ranks: dict[str, tuple[float, bool]] = {}
    for band, _ in pairs:
        ranks[band.name] = min(ranks.get(band.name, _rank(band)), _rank(band))
    return [pair for pair in pairs if _rank(pair[0]) == ranks[pair[0].name]]


def _rank(band: SceneBand) -> tuple[float, bool]:
    return band.resolution or math.inf, is_jp2(band.path)


def _mask(assets: Sequence[Asset]) -> SceneMask | None:
    """Return the mask of the item; a copy that is decoded faster before another."""
    found = []
    for asset in assets:
        path = plain_path(asset.path)
        file = scene_file(path)
        rule = (file.mask if file else None) or recognised(path, asset.key.removesuffix("-jp2"))
        if rule:
            metres = (file.resolution if file else 0.0) or resolution_of({}, asset.json) or math.inf
            found.append(((metres, is_jp2(path), asset.path), SceneMask(asset.path, 1, rule)))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _sensor(properties: Mapping[str, Any]) -> str:
    """Return the sensor as tables call it, as far as the item tells; else what the item calls it."""
    platform = as_text(properties.get("platform")).lower()
    constellation = as_text(properties.get("constellation")).lower()
    if "sentinel-2" in (constellation, platform[:10]):
        return "Sentinel-2"
    if platform.startswith("landsat-"):
        return f"Landsat {platform[8:]}"
    return shown(platform or constellation)


def _tile(properties: Mapping[str, Any], files: Sequence[SceneFile]) -> str:
    if files and files[0].tile:
        return files[0].tile
    tile = as_text(either(properties, "s2:mgrs_tile", "grid:code"))
    return tile.removeprefix("MGRS-").removeprefix("T") if tile.startswith("MGRS-") else tile
