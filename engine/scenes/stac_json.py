# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON of a STAC item, whatever its values are of."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import InputError
from ..messages import shown, translate
from ..radiometry.formats.metadata_file import file_content, unusable
from ..radiometry.wavelengths import Spectrum
from .hrefs import plain_path

_MOST_ITEMS = 100_000  #: of the JSON; a large item has some thousands
_NANOMETRES = 100  #: from here on a wavelength is meant in nanometres
_LIKED_LEAST = ("jp2", "jpeg2000")  #: decoding takes longest


class Asset(NamedTuple):
    """An asset with pixels: its key, its JSON, and what GDAL opens."""

    key: str
    json: dict[str, Any]
    path: str


def item_at(path: str) -> dict[str, Any] | None:
    """Return the item that a file is; None for one that is none. Raises :class:`MetadataError` for a hostile one."""
    if not path.lower().endswith((".json", ".geojson")):
        return None
    content = file_content(path)
    if b"stac_version" not in content:
        return None
    try:
        if sum(map(content.count, (b",", b"[", b"{"))) > _MOST_ITEMS:
            raise ValueError("more items than a scene has")
        item = json.loads(content)
    except (ValueError, RecursionError) as error:
        text = translate("Bandwise", "it is not a STAC item in JSON ({reason})")
        raise unusable(path, text.format(reason=str(error)[:200])) from error
    if not isinstance(item, dict) or item.get("type") != "Feature":
        raise InputError(
            translate(
                "Bandwise", "{file} is STAC, but no item; choose the JSON file of one scene."
            ).format(file=path)
        )
    return item


def bands_of(asset: Mapping[str, Any], properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what an item says of each band of an asset: in ``eo:bands``, ``raster:bands`` and ``bands``.

    Since STAC 1.1 the fields of a single band may be those of the asset itself, and ``bands`` of the
    item's properties are those of each asset with data that has none.
    """
    lists = [_dicts(asset.get(name)) for name in ("raster:bands", "eo:bands", "bands")]
    bands = [
        {
            name: value
            for bands in lists
            if index < len(bands)
            for name, value in bands[index].items()
        }
        for index in range(max(map(len, lists)))
    ]
    roles = asset.get("roles")
    if not bands and (not isinstance(roles, list) or "data" in roles):
        bands = _dicts(properties.get("bands"))
    own = {name: value for name, value in asset.items() if name.startswith("eo:")}
    return bands or ([own] if own else [])


def spectrum_of(band: Mapping[str, Any]) -> Spectrum | None:
    """Return the wavelengths of a band, which items give in micrometres, and some in nanometres."""
    values = [
        float(value) * (1000 if value < _NANOMETRES else 1)
        if is_number(value) and 0 < value < 1e6
        else 0.0
        for value in (
            either(band, "eo:center_wavelength", "center_wavelength"),
            either(band, "eo:full_width_half_max", "full_width_half_max"),
        )
    ]
    return Spectrum(*values) if values[0] else None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [as_dict(each) for each in value] if isinstance(value, list) else []


def resolution_of(band: Mapping[str, Any], asset: Mapping[str, Any]) -> float:
    for value in (
        either(band, "spatial_resolution", "raster:spatial_resolution", "gsd"),
        either(asset, "raster:spatial_resolution", "gsd"),
    ):
        if is_number(value) and 0 < value < math.inf:
            return float(value)
    return 0.0


def is_jp2(path: str) -> bool:
    return plain_path(path).lower().endswith(_LIKED_LEAST)


def either(holder: Mapping[str, Any], *names: str) -> Any:
    return next((holder[name] for name in names if holder.get(name) is not None), None)


def is_number(value: Any) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:  # of a whole number that no float holds
        return False


def as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_text(value: Any) -> str:
    return shown(value) if isinstance(value, str) else ""
