# SPDX-License-Identifier: GPL-2.0-or-later
"""The bands that an expression may name: those of rasters by letter, recognised ones by role (nir, B08)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from ...credentials import file_name
from ...expression.names import Raster, is_letter, letter_of
from ...indices.bands import GivenBand, recognise
from ...messages import Text, shown, translate
from ...radiometry.band_names import BandName, short_name
from ...radiometry.formats.metadata_file import ProductFacts
from ...radiometry.roles import ROLES, bands_of_role, role_text
from ...scenes.scene import Scene
from .index_bands import given_bands

_MOST_NAMES = 30  #: in one sentence


class NamedBand(NamedTuple):
    """Band ``number`` of the raster ``path``, that expressions call ``name``: a letter or a role.

    ``layer`` is what its raster is called, and ``description`` what the band is known as (empty for
    nothing). ``facts`` are those that a scene tells.
    """

    name: str
    layer: str
    path: str
    number: int
    description: str = ""
    facts: ProductFacts | None = None

    @property
    def place(self) -> tuple[str, int]:
        """The raster's path and the number of the band."""
        return self.path, self.number

    def __str__(self) -> str:
        return f"{self.description or self.number} ({self.layer})"


class BandRoles:
    """Finds bands by role, or else by the ``names`` that their product gives them.

    Nothing tells which of the ``unsure`` bands has a role. All are those of ``scene``, if there is one.
    """

    def __init__(
        self,
        sure: Mapping[str, NamedBand],
        unsure: Mapping[str, Sequence[NamedBand]],
        names: Iterable[NamedBand],
        scene: Scene | None = None,
    ) -> None:
        self._sure, self._unsure, self.scene = sure, unsure, scene
        self._names: dict[str, dict[tuple[str, int], NamedBand]] = {}
        for band in names:
            self._names.setdefault(short_name(band.name), {})[band.place] = band

    def bands(self) -> list[NamedBand]:
        """Return the bands by role, then those without one by the name of their product."""
        places = {band.place for band in self._sure.values()}
        named = [next(iter(bands.values())) for bands in self._names.values() if len(bands) == 1]
        return [*self._sure.values(), *(band for band in named if band.place not in places)]

    def find(self, name: str) -> NamedBand | None:
        """Return the band of a role or name; None for what is neither.

        Raises
        ------
        LookupError
            With a :class:`Text`, for a role that no band has, and for several bands.
        """
        role = name.lower()
        if role in self._sure:
            return self._sure[role]
        named = list(self._names.get(short_name(name), {}).values())
        if len(named) == 1 and role not in self._unsure:
            return named[0]
        candidates = self._unsure.get(role, named)
        if candidates:
            text = translate(
                "Bandwise",
                "{name} may be {candidates}, and which is meant cannot be told; write the name of the "
                "band, or the letter of its raster in the list",
            )
            listed = ", ".join(map(str, candidates[:_MOST_NAMES]))
            raise LookupError(text.format(name=shown(name), candidates=listed))
        if role in ROLES:
            raise LookupError(self._missing(role))
        return None

    def finest(self) -> NamedBand | None:
        """Return the band of a scene with the smallest pixels."""
        if self.scene is None:
            return None
        finest = min(self.scene.bands, key=lambda band: band.resolution or math.inf)
        facts = (file_name(finest.path), finest.path, finest.number, finest.name, finest.facts)
        return NamedBand(finest.role or finest.name, *facts)

    def known(self, name: str) -> NamedBand | None:
        """Return the band of a role or name; None also where :meth:`find` raises."""
        with suppress(LookupError):
            return self.find(name)
        return None

    def unknown(self, name: str, scene: Scene) -> Text:
        """Return the sentence for a name that is no band of the scene, where no raster is given."""
        text = translate(
            "Bandwise", "{name} is no band, function or constant; the scene {scene} has {given}"
        )
        if is_letter(name):
            text = translate(
                "Bandwise",
                "there is no input {name}, as no raster is given; the bands of the scene {scene} are "
                "named by role: {given}",
            )
        return text.format(name=shown(name), scene=scene.name, given=self.listing())

    def _missing(self, role: str) -> Text:
        facts = {"role": role, "words": role_text(role), "given": self.listing()}
        if self.scene is None:
            text = translate(
                "Bandwise",
                "no raster is recognised as {role} ({words}); by role there is {given}; write the "
                "letter of its raster",
            )
            return text.format(**facts)
        expected = " / ".join(bands_of_role(self.scene.sensor, role))
        text = translate(
            "Bandwise", "the scene {scene} has no band {role} ({words}); it has {given}"
        )
        if expected:
            text = translate(
                "Bandwise",
                "the scene {scene} has no file of {role} ({words}), which is {expected} of {sensor}; it "
                "has {given}",
            )
        sensor = self.scene.sensor
        return text.format(**facts, scene=self.scene.name, sensor=sensor, expected=expected)

    def listing(self) -> str:
        """Return the bands that have a name, for a sentence; those of a scene without their files."""
        bands = self.bands()[:_MOST_NAMES]
        if not bands:
            return translate("Bandwise", "none").format()
        known = ((band.name, band.description if self.scene else band) for band in bands)
        return ", ".join(f"{name} = {band}" for name, band in known)


def roles_of_scene(scene: Scene) -> BandRoles:
    """Return the bands of a scene, each role as the scene has it."""
    roles, names = dict[str, list[NamedBand]](), list[NamedBand]()
    for band in scene.bands:
        facts = (file_name(band.path), band.path, band.number, band.name, band.facts)
        names.append(NamedBand(band.name, *facts))
        if band.role:
            roles.setdefault(band.role, []).append(NamedBand(band.role, *facts))
    sure = {role: bands[0] for role, bands in roles.items() if len(bands) == 1}
    unsure = {role: bands for role, bands in roles.items() if len(bands) > 1}
    return BandRoles(sure, unsure, names, scene)


def roles_of_rasters(given: Sequence[GivenBand]) -> BandRoles:
    """Return the bands of rasters that are recognised, as spectral indices recognise them."""
    found = recognise(given)
    sure = {role: _named(role, band) for role, band in found.bands.items()}
    unsure = {
        role: [_named(role, band) for band in bands] for role, bands in found.candidates.items()
    }
    return BandRoles(sure, unsure, [_named(band.name.name, band) for band in given if band.name])


def names_of(
    rasters: Sequence[tuple[str, str]], scene: Scene | None = None
) -> tuple[NamedBand, ...]:
    """Return every band that an expression may name, of rasters, (layer name, path) each, and of a scene.

    Letters come first. Without a scene the roles are those of the rasters; a layer's name hides them.

    Raises
    ------
    InputError
        For a raster that cannot be opened.
    """
    given, inputs = given_bands(rasters)
    letters = [_lettered(band, inputs) for band in given]
    roles = roles_of_scene(scene) if scene else roles_of_rasters(given)
    layers = {raster.name for raster in inputs}
    return (*letters, *(band for band in roles.bands() if band.name not in layers))


def _lettered(band: GivenBand, inputs: Sequence[Raster]) -> NamedBand:
    raster = inputs[band.raster]
    several = len(raster.descriptions) > 1
    name = letter_of(band.raster) + (f"@{band.number}" if several else "")
    described = raster.descriptions[band.number - 1] or _named("", band).description
    return NamedBand(name, raster.name, band.path, band.number, described)


def _named(name: str, band: GivenBand) -> NamedBand:
    known = band.name or BandName("")
    description = f"{known.sensor} {known.name}".strip()
    return NamedBand(name, file_name(band.path), band.path, band.number, description)
