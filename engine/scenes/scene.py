# SPDX-License-Identifier: GPL-2.0-or-later
"""A scene: the bands of one product by role, and its own mask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..credentials import file_name
from ..errors import InputError
from ..messages import Text, shown, translate
from ..radiometry.band_names import short_name
from ..radiometry.formats.metadata_file import ProductFacts
from ..radiometry.masks import MaskRule
from ..radiometry.roles import bands_of_role

_BY_NAME = translate("Bandwise", "name of the file").format()
_SENTINEL2 = re.compile("S2[A-Z](?=_)")
_MGRS = re.compile("[0-9]{2}[A-Z]{3}")  #: a tile of the Military Grid Reference System
_MOST_NAMES = 30  #: in one sentence


@dataclass(frozen=True)
class SceneBand:
    """Band ``number`` of the raster ``path``, by ``role`` (empty: no formula asks for it) and ``name``.

    ``resolution`` is in metres, 0 where it is not known; ``source`` tells how the band was
    recognised. ``wavelength`` is the central one in nm where the scene tells it, else 0. ``facts``
    are scale, offset and nodata where the scene itself tells them; those of other bands are found
    beside their files.
    """

    role: str
    name: str
    path: str
    number: int = 1
    resolution: float = 0.0
    source: Text = _BY_NAME
    facts: ProductFacts | None = None
    wavelength: float = 0.0

    def __str__(self) -> str:
        return f"{self.name} ({file_name(self.path)})"


@dataclass(frozen=True)
class SceneMask:
    """Band ``number`` of the raster ``path``, that tells clouds, and how its values are read."""

    path: str
    number: int
    rule: MaskRule


@dataclass(frozen=True)
class Scene:
    """A product; ``date`` is ISO, and empty as ``level`` and ``tile`` where it is not known."""

    name: str
    sensor: str
    level: str
    date: str
    tile: str
    bands: tuple[SceneBand, ...]
    mask: SceneMask | None = None

    @property
    def label(self) -> str:
        """A short name: satellite, date and tile, as far as they are known."""
        satellite = _SENTINEL2.match(self.name)
        tile = f"T{self.tile}" if _MGRS.fullmatch(self.tile) else self.tile
        known = (satellite[0] if satellite else self.sensor, self.date, tile)
        return " ".join(filter(None, known)) or self.name

    def band(self, role: str) -> SceneBand:
        """Return the band of a role, or by its name (``B04``).

        Raises
        ------
        InputError
            Where no band, or more than one, has it; the sentence names those that there are.
        """
        found = [band for band in self.bands if band.role and band.role == role.strip().lower()]
        found = found or [
            band
            for band in {(band.path, band.number): band for band in self.bands}.values()
            if short_name(band.name) == short_name(role)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            text = translate(
                "Bandwise",
                "The scene {scene} has {count} bands of {role}, and which is meant cannot be told: "
                "{bands}; name one of them.",
            )
            bands = ", ".join(map(str, found[:_MOST_NAMES]))
            raise InputError(
                text.format(scene=self.name, count=len(found), role=shown(role), bands=bands)
            )
        raise self._missing(role)

    def facts(self) -> Mapping[tuple[str, int], ProductFacts]:
        """Return what the scene itself tells of its bands, for :class:`~engine.radiometry.products.Products`."""
        return {(band.path, band.number): band.facts for band in self.bands if band.facts}

    def listing(self) -> tuple[Text, ...]:
        """Return lines for the log: each role with its file, resolution and how it was recognised."""
        line = translate("Bandwise", "{role} = {band}, {file}, {resolution} ({source})")
        known = translate("Bandwise", "{metres:g} m")
        unknown = translate("Bandwise", "resolution not known").format()
        return tuple(
            line.format(
                role=band.role or band.name,
                band=_named(band),
                file=file_name(band.path),
                resolution=known.format(metres=band.resolution) if band.resolution else unknown,
                source=band.source,
            )
            for band in self.bands
        )

    def _missing(self, role: str) -> InputError:
        expected = bands_of_role(self.sensor, role.strip().lower())
        there = ", ".join(
            f"{band.role} = {band.name}" if band.role else band.name
            for band in self.bands[:_MOST_NAMES]
        )
        if expected:
            text = translate(
                "Bandwise",
                "The scene {scene} has no file of {role}, which is {expected} of {sensor}; it has {bands}.",
            )
            return InputError(
                text.format(
                    scene=self.name,
                    role=shown(role),
                    expected=" / ".join(expected),
                    sensor=self.sensor,
                    bands=there,
                )
            )
        text = translate(
            "Bandwise", "The scene {scene} ({sensor}) has no band {role}; it has {bands}."
        )
        return InputError(
            text.format(scene=self.name, sensor=self.sensor, role=shown(role), bands=there)
        )


def _named(band: SceneBand) -> Text:
    text = translate("Bandwise", "band {number} ({name})")
    return (
        text.format(number=band.number, name=band.name)
        if band.number > 1
        else translate("Bandwise", "{name}").format(name=band.name)
    )
