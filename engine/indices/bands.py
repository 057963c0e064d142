# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of the given bands has which role."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from ..radiometry.band_names import BandName, completed, is_numbered, short_name
from ..radiometry.roles import bands_of_role


class GivenBand(NamedTuple):
    """Band ``number`` of the raster at position ``raster`` of a list; ``name`` is what it is known as, if anything."""

    raster: int
    number: int
    path: str
    name: BandName | None = None


class Recognised(NamedTuple):
    """Bands by role; ``candidates`` of a role are several that may have it, none of which is sure."""

    bands: dict[str, GivenBand]
    candidates: dict[str, list[GivenBand]]


def recognise(given: Sequence[GivenBand]) -> Recognised:
    """Find the band of each role. B08 goes before B8A; two that are alike are for the user to choose from."""
    sure: dict[str, list[GivenBand]] = {}
    unsure: dict[str, list[GivenBand]] = {}
    for band in _completed(given):
        if band.name and not band.name.classes:
            certain = band.name.sensor or len(band.name.roles) == 1 or not is_numbered(band.name)
            for role in band.name.roles:
                (sure if certain else unsure).setdefault(role, []).append(band)
    found = Recognised({}, {})
    for role, bands in sure.items():
        best = min(_rank(band, role) for band in bands)
        usual = [band for band in bands if _rank(band, role) == best]
        if len({(band.path, band.number) for band in usual}) == 1:
            found.bands[role] = usual[0]
        else:
            found.candidates[role] = usual
    for role, bands in unsure.items():
        if role not in sure:
            found.candidates[role] = bands
    return found


def _completed(given: Sequence[GivenBand]) -> list[GivenBand]:
    """The bands with what those of one raster, and the single bands of one folder, tell together."""
    counts = [sum(other.raster == band.raster for other in given) for band in given]
    groups: dict[object, list[int]] = {}
    for position, band in enumerate(given):
        group = band.raster if counts[position] > 1 else os.path.dirname(band.path)
        groups.setdefault(group, []).append(position)
    bands = list(given)
    for positions in groups.values():
        names = completed([given[position].name for position in positions])
        for position, name in zip(positions, names):
            bands[position] = given[position]._replace(name=name)
    return bands


def _rank(band: GivenBand, role: str) -> int:
    """The place of a band among those of its sensor with that role."""
    if band.name is None:
        return 0
    usual = [short_name(name) for name in bands_of_role(band.name.sensor, role)]
    own = short_name(band.name.name)
    return usual.index(own) if own in usual else 0
