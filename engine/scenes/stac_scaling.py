# SPDX-License-Identifier: GPL-2.0-or-later
"""Scale, offset and nodata of a band, as a STAC item gives them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..messages import shown, translate
from ..radiometry.formats.metadata_file import ProductFacts, check_scaling, unusable
from .stac_json import Asset, either, is_jp2, is_number


def band_facts(
    path: str, asset: Asset, band: Mapping[str, Any], properties: Mapping[str, Any]
) -> ProductFacts | None:
    """Return scale, offset and nodata that the item gives; None where it gives neither scale nor offset."""
    shared = {name: value for name, value in properties.items() if name.startswith("raster:")}
    holders = band, asset.json, shared
    values = {
        name: _number(path, asset.key, name, _given(holders, name)) for name in ("scale", "offset")
    }
    if values == {"scale": None, "offset": None}:
        return None
    scale, offset = values["scale"], values["offset"] or 0.0
    scale = 1.0 if scale is None else scale
    if _is_offset_applied(asset, properties):
        offset = 0.0
    check_scaling(path, scale, offset)
    nodata = _given(holders, "nodata")
    text = translate("Bandwise", "{file}, asset {key}: scale {scale:g}, offset {offset:g}")
    file = os.path.basename(path)
    return ProductFacts(
        source=text.format(file=file, key=shown(asset.key), scale=scale, offset=offset),
        scale=scale,
        offset=offset,
        nodata=float(nodata) if nodata is not None and is_number(nodata) else None,
        origin=translate("Bandwise", "{file}").format(file=file),
    )


def _is_offset_applied(asset: Asset, properties: Mapping[str, Any]) -> bool:
    """Return whether pixels already have Sentinel-2's offset, though ``raster:bands`` give it.

    So do the cloud-optimised copies of Earth Search, unlike the JPEG 2000 files of the same item
    (github.com/Element84/earth-search, issue 66).
    """
    flags = ("earthsearch:boa_offset_applied", "sentinel:boa_offset_applied")
    return any(properties.get(flag) is True for flag in flags) and not is_jp2(asset.path)


def _given(holders: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Return what the first of the band, its asset and the item's properties gives."""
    for holder in holders:
        value = either(holder, f"raster:{name}", name)
        if value is not None:
            return value
    return None


def _number(path: str, key: str, name: str, value: Any) -> float | None:
    if value is None:
        return None
    if not is_number(value):
        text = translate("Bandwise", "{name} of its asset {key} is not a number: {text}")
        raise unusable(path, text.format(name=name, key=shown(key), text=shown(str(value)[:60])))
    return float(value)
