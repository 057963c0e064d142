# SPDX-License-Identifier: GPL-2.0-or-later
"""Rasters and scenes as an editor shows them: each file is described once, until it changes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Optional

from ...errors import BandwiseError, InputError, MetadataError
from ...expression.names import Raster
from ...messages import Text
from ...radiometry.band_names import BandName, short_name
from ...radiometry.products import Products
from ...radiometry.scaling import Radiometry, RadiometryChoice, Scaling, resolve
from ...reading.bands import BandFacts, describe_all
from ...reading.opening import subdatasets_of
from ...scenes.opening import open_scene
from ...scenes.scene import Scene

_Key = tuple[str, Optional[tuple[int, int]]]


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

    @property
    def raster(self) -> Raster:
        """The raster as expressions name it."""
        names = tuple(short_name(band.name.name) if band.name else "" for band in self.bands)
        return Raster(self.name, self.path, tuple(band.description for band in self.bands), names)


@dataclass(frozen=True)
class Nameable:
    """What an expression can name: ``rasters`` by letters, and bands that have a name (``red``).

    ``later`` tells that rasters are known when a model runs, and ``problem`` why there are none.
    """

    rasters: tuple[DescribedRaster, ...] = ()
    named: Mapping[str, DescribedBand] = field(default_factory=dict)
    problem: Text | None = None
    later: bool = False


class Describer:
    """Describes files and keeps that until a file changes, by its time and size."""

    def __init__(self) -> None:
        self._bands: dict[_Key, tuple[DescribedBand, ...] | Text] = {}
        self._scenes: dict[_Key, Mapping[str, DescribedBand] | Text] = {}

    def raster(self, name: str, path: str) -> DescribedRaster:
        """Return the raster ``path`` with its bands, or with the sentence that says why it has none."""
        key = _key(path)
        if key not in self._bands:
            try:
                self._bands[key] = _bands(path)
            except BandwiseError as error:
                self._bands[key] = error.args[0]
        found = self._bands[key]
        if isinstance(found, Text):
            return DescribedRaster(name, path, problem=found)
        return DescribedRaster(name, path, found)

    def scene(self, path: str) -> Nameable:
        """Return the bands of the scene at ``path``, each called by its role."""
        key = _key(path)
        if key not in self._scenes:
            try:
                self._scenes[key] = self._roles(open_scene(path, subdatasets_of))
            except BandwiseError as error:
                self._scenes[key] = error.args[0]
        found = self._scenes[key]
        return Nameable(problem=found) if isinstance(found, Text) else Nameable(named=found)

    def _roles(self, scene: Scene) -> Mapping[str, DescribedBand]:
        products, named = Products(scene.facts()), dict[str, DescribedBand]()
        described: dict[str, list[BandFacts | InputError]] = {}
        for role in dict.fromkeys(band.role for band in scene.bands if band.role):
            with suppress(InputError):  # several bands have it: none is called by it
                band = scene.band(role)
                if band.path not in described:
                    described[band.path] = describe_all(band.path)
                facts = described[band.path][band.number - 1]
                name = BandName(band.name, scene.sensor, frozenset({role}))
                named[role] = _band(band.number, facts, name, products)
        return named


def _key(path: str) -> _Key:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return path, None
    return path, (status.st_mtime_ns, status.st_size)


def _bands(path: str) -> tuple[DescribedBand, ...]:
    products, described = Products(), describe_all(path)
    bands = []
    for number, facts in enumerate(described, start=1):
        description = facts.declared.description if isinstance(facts, BandFacts) else ""
        name = products.band_name(path, number, description, single=len(described) == 1)
        bands.append(_band(number, facts, name, products))
    return tuple(bands)


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
