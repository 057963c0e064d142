# SPDX-License-Identifier: GPL-2.0-or-later
"""Rasters and scenes as an editor shows them: each file is described once, until it changes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional

from ...errors import BandwiseError, InputError, MetadataError
from ...expression.names import Raster
from ...indices.bands import GivenBand
from ...messages import Text
from ...radiometry.band_names import BandName
from ...radiometry.products import Products
from ...radiometry.scaling import Radiometry, RadiometryChoice, Scaling, resolve
from ...reading.bands import BandFacts, describe_all
from ...reading.opening import subdatasets_of
from ...scenes.opening import open_scene
from ...scenes.scene import Scene
from ..jobs.index_bands import given_bands
from ..jobs.named_bands import BandRoles, roles_of_rasters, roles_of_scene

_Key = tuple[str, Optional[tuple[int, int]]]
_Place = tuple[str, int]


@dataclass(frozen=True)
class DescribedBand:
    """A band of a file; ``facts`` is None where it cannot be used, and ``problem`` says why.

    ``automatic`` is how it is read with automatic scaling, None where its metadata cannot be used;
    ``stored`` how it is read as it is stored.
    """

    number: int
    facts: BandFacts | None = None
    name: BandName | None = None
    automatic: Radiometry | None = None
    stored: Radiometry | None = None
    problem: Text | None = None

    @property
    def description(self) -> str:
        return self.facts.declared.description if self.facts else ""

    def radiometry(self, choice: RadiometryChoice) -> Radiometry | None:
        """Return how the band is read by a choice; None where that is not possible."""
        if choice.scaling is Scaling.AUTOMATIC:
            radiometry = self.automatic
        elif choice.scaling is Scaling.STORED or self.stored is None:
            radiometry = self.stored
        else:
            radiometry = self.stored._replace(scale=choice.scale, offset=choice.offset, unused=None)
        if radiometry is None or choice.nodata is None:
            return radiometry
        return radiometry._replace(nodata=choice.nodata)


@dataclass(frozen=True)
class DescribedRaster:
    """A raster of the list; ``known`` is False for one that exists only when a model runs."""

    name: str
    path: str = ""
    bands: tuple[DescribedBand, ...] = ()
    problem: Text | None = None
    known: bool = True
    short_names: tuple[str, ...] = ()

    @property
    def raster(self) -> Raster:
        """The raster as expressions name it."""
        descriptions = tuple(band.description for band in self.bands)
        return Raster(self.name, self.path, descriptions, self.short_names)


@dataclass(frozen=True)
class Nameable:
    """What an expression can name: ``rasters`` by letters, and bands by their ``roles``.

    ``by_role`` describes the latter by path and number. ``later`` tells that rasters are known when a
    model runs, and ``problem`` why there are none.
    """

    rasters: tuple[DescribedRaster, ...] = ()
    roles: BandRoles = BandRoles({}, {}, ())  # noqa: RUF009
    by_role: Mapping[_Place, DescribedBand] = field(default_factory=dict)
    problem: Text | None = None
    later: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is given."""
        return not self.rasters and self.roles.scene is None


class Describer:
    """Describes files and keeps that until a file changes, by its time and size."""

    def __init__(self) -> None:
        self._rasters: dict[tuple[str, _Key], DescribedRaster] = {}
        self._scenes: dict[_Key, tuple[Scene, dict[_Place, DescribedBand]] | Text] = {}

    def nameable(self, rasters: Sequence[tuple[str, str]], scene: str = "") -> Nameable:
        """Return what can be named of rasters, (layer name, path) each, and of a scene's path."""
        described = tuple(self.raster(name, path) for name, path in rasters)
        found = self._scene(scene) if scene else None
        if isinstance(found, Text):
            return Nameable(described, problem=found)
        if found is not None:
            return Nameable(described, roles_of_scene(found[0]), found[1])
        given = [
            GivenBand(position, band.number, raster.path, band.name)
            for position, raster in enumerate(described)
            for band in raster.bands
        ]
        places = {(raster.path, band.number): band for raster in described for band in raster.bands}
        return Nameable(described, roles_of_rasters(given), places)

    def raster(self, name: str, path: str) -> DescribedRaster:
        """Return the raster ``path`` with its bands, or with the sentence that says why it has none."""
        key = name, _key(path)
        if key not in self._rasters:
            try:
                self._rasters[key] = _raster(name, path)
            except BandwiseError as error:
                self._rasters[key] = DescribedRaster(name, path, problem=error.args[0])
        return self._rasters[key]

    def _scene(self, path: str) -> tuple[Scene, dict[_Place, DescribedBand]] | Text:
        key = _key(path)
        if key not in self._scenes:
            try:
                scene = open_scene(path, subdatasets_of)
                self._scenes[key] = scene, _bands_of(scene)
            except BandwiseError as error:
                self._scenes[key] = error.args[0]
        return self._scenes[key]


def _key(path: str) -> _Key:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return path, None
    return path, (status.st_mtime_ns, status.st_size)


def _raster(name: str, path: str) -> DescribedRaster:
    described, products = describe_all(path), Products()
    given, (raster,) = given_bands([(name, path)])
    bands = tuple(
        _band(number, facts, band.name, products)
        for number, (facts, band) in enumerate(zip(described, given), start=1)
    )
    return DescribedRaster(name, path, bands, short_names=raster.band_names)


def _bands_of(scene: Scene) -> dict[_Place, DescribedBand]:
    """Describe the bands of a scene by path and number; a file that cannot be opened has none."""
    products, files = Products(scene.facts()), dict[str, list[BandFacts | InputError]]()
    bands = {}
    for band in scene.bands:
        if band.path not in files:
            try:
                files[band.path] = describe_all(band.path)
            except InputError as error:
                files[band.path] = [error] * band.number
        facts = files[band.path][min(band.number, len(files[band.path])) - 1]
        name = BandName(band.name, scene.sensor, frozenset(filter(None, [band.role])))
        bands[band.path, band.number] = _band(band.number, facts, name, products)
    return bands


def _band(
    number: int, facts: BandFacts | InputError, name: BandName | None, products: Products
) -> DescribedBand:
    if isinstance(facts, InputError):
        return DescribedBand(number, name=name, problem=facts.args[0])

    def resolved(scaling: Scaling) -> Radiometry:
        choice = RadiometryChoice(scaling)
        return resolve(facts.path, facts.declared, choice, band=number, products=products)

    stored = resolved(Scaling.STORED)
    try:
        return DescribedBand(number, facts, name, resolved(Scaling.AUTOMATIC), stored)
    except MetadataError as error:
        return DescribedBand(number, facts, name, None, stored, error.args[0])
