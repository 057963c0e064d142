# SPDX-License-Identifier: GPL-2.0-or-later
"""From the files of a product to its bands: the best resolution of each band, and who stands in for whom."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from ..errors import InputError
from ..messages import Text, join, translate
from ..radiometry.sensors.sensor import FileBand, SceneFile
from .scene import Scene, SceneBand, SceneMask

_MOST_SCENES = 10  #: that a sentence names


class Found(NamedTuple):
    """A file, or a subdataset, that belongs to a product."""

    path: str
    file: SceneFile


def scene_of(
    found: Sequence[Found], place: str, chosen: SceneFile | None = None, name: str = ""
) -> Scene:
    """Return the one scene among files; of several that of the file ``chosen``.

    Raises
    ------
    InputError
        Where there is none, or more than one and none is chosen.
    """
    files = _of_product(found, place, chosen)
    first = next((each.file for each in files if each.file.bands), None)
    if first is None:
        text = translate("Bandwise", "{place} holds no band of a scene of a sensor that is known.")
        if chosen and chosen.product:
            text = translate(
                "Bandwise", "{place} holds no band of {product}; choose the folder that does."
            )
        product = chosen.product if chosen else ""
        raise InputError(text.format(place=place, product=product))
    return Scene(
        name=name or first.product or os.path.basename(place),
        sensor=first.sensor,
        level=(chosen.level if chosen else "") or first.level,
        date=first.date,
        tile=first.tile,
        bands=_bands(files),
        mask=_mask(files),
    )


def _of_product(found: Sequence[Found], place: str, chosen: SceneFile | None) -> list[Found]:
    """Return the files of one product and level."""
    scenes = {(each.file.product, each.file.level): each.file for each in found if each.file.bands}
    keys = list(scenes)
    if chosen and chosen.product:
        keys = [key for key in keys if key[0] == chosen.product]
    if chosen and chosen.level:
        keys = [key for key in keys if key[1] == chosen.level] or keys
    if len(keys) > 1:
        text = translate(
            "Bandwise",
            "{place} holds {count} scenes, and which is meant cannot be told: {scenes}; choose the folder, "
            "the metadata file or a band of one of them.",
        )
        scenes_shown = join([_described(scenes[key]) for key in sorted(keys)[:_MOST_SCENES]])
        raise InputError(text.format(place=place, count=len(keys), scenes=scenes_shown))
    if not keys:
        return []
    product, level = keys[0]
    return [
        each for each in found if each.file.product == product and each.file.level in (level, "")
    ]


def _described(file: SceneFile) -> Text:
    level = f" {file.level}" if file.level and file.level not in file.product else ""
    text = translate("Bandwise", "{product}{level} of {date}")
    if not file.date:
        text = translate("Bandwise", "{product}{level}")
    return text.format(product=file.product, level=level, date=file.date)


def _bands(files: Iterable[Found]) -> tuple[SceneBand, ...]:
    """Return each band in its best resolution, in the order of its sensor, and those that stand in for others."""
    by_name: dict[str, list[tuple[SceneBand, FileBand]]] = {}
    for path, file in files:
        for number, band in enumerate(file.bands, start=1):
            source = translate("Bandwise", "name of a {sensor} file").format(sensor=file.sensor)
            there = SceneBand(band.role, band.name, path, number, band.resolution, source)
            by_name.setdefault(band.name, []).append((there, band))
    best = [
        pair
        for pairs in by_name.values()
        for pair in pairs
        if pair[0].resolution == min(other.resolution for other, _ in pairs)
    ]
    best.sort(key=lambda pair: _order(pair[0]))
    return with_substitutes(best)


def _order(band: SceneBand) -> tuple[int, str, str]:
    """Sort by the number in a band's name, else by its number in the file."""
    number = re.search(r"\d+", band.name)
    return int(number[0]) if number else band.number, band.name, band.path


def with_substitutes(
    pairs: Sequence[tuple[SceneBand, FileBand]],
) -> tuple[SceneBand, ...]:
    """Return bands, and for each role that none of them has one that stands in for it."""
    bands = [band for band, _ in pairs]
    roles = {band.role for band in bands}
    for band, sensor_band in pairs:
        for role in sensor_band.stands_for:
            if role not in roles:
                text = translate("Bandwise", "{name} stands in, as no other band is {role}")
                source = text.format(name=band.name, role=role)
                bands.append(replace(band, role=role, source=source))
    return tuple(bands)


def _mask(files: Iterable[Found]) -> SceneMask | None:
    """Return the mask of the best resolution."""
    masks = sorted(
        (each.file.resolution, each.path, each.file.mask) for each in files if each.file.mask
    )
    return SceneMask(masks[0][1], 1, masks[0][2]) if masks else None
