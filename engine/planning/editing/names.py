# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything that can be named in an expression, for completion, highlighting and the tree of names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from ...expression.dialects import BANDWISE
from ...expression.editing.completion import Candidate, spelled, unique
from ...expression.editing.function_help import FUNCTION_HELP
from ...expression.editing.parts import Part, Vocabulary, parts
from ...expression.names import letter_of
from ...indices.bands import GivenBand, recognise
from ...indices.catalogue import Index
from ...messages import Text
from ...radiometry.band_names import short_name
from ...radiometry.roles import role_text
from ..jobs.named_bands import NamedBand
from .described import DescribedBand, DescribedRaster, Nameable

_CONSTANTS = ("pi", "e", "nan", "true", "false")


def band_words(band: DescribedBand) -> str:
    """Return what a band is: its description, its name in the product, its role in words."""
    words = [band.description]
    if band.name and band.name.name.lower() not in band.description.lower():
        words.append(band.name.name)
    if band.name and len(band.name.roles) == 1:
        words.append(str(role_text(next(iter(band.name.roles)))))
    return ", ".join(dict.fromkeys(filter(None, words)))


def role_words(band: NamedBand) -> str:
    """Return what a band is that is named by its role: the role in words, the band and its file."""
    words = [str(role_text(band.name)), str(band)]
    return ", ".join(word for word in words if word != band.name)


def names_of(position: int, raster: DescribedRaster) -> tuple[tuple[str, ...], ...]:
    """Return how each band of a raster can be written, the shortest first: ``A``, ``A@1``, ``A@B04``, ``"layer@1"``."""
    letter = letter_of(position)
    descriptions = [band.description for band in raster.bands]
    short = [band.name.name if band.name else "" for band in raster.bands]
    known, known_short = unique(descriptions), unique(short)
    names = []
    for number, (description, name) in enumerate(zip(descriptions, short), start=1):
        own = [letter] if len(raster.bands) == 1 else []
        own.append(spelled(letter, number))
        if description in known:
            own.append(spelled(letter, description))
        elif name in known_short:
            own.append(spelled(letter, name))
        if raster.name and '"' not in raster.name:
            own.append(f'"{raster.name}@{number}"')
        names.append(tuple(own))
    return tuple(names)


def candidates(nameable: Nameable, say: Callable[[Text], str] = str) -> list[Candidate]:
    """Return what can be completed: bands by all of their names, functions and constants.

    ``say`` turns the help of functions into the user's language.
    """
    constants = (Candidate(name, Part.NUMBER) for name in _CONSTANTS)
    return [*_bands(nameable), *_functions(say), *constants]


def _bands(nameable: Nameable) -> Iterator[Candidate]:
    for named in _roles(nameable):
        yield Candidate(named.name, Part.BAND, role_words(named))
    for name, band in product_names(nameable).items():
        yield Candidate(name, Part.BAND, band_words(band))
    for position, raster in enumerate(nameable.rasters):
        if not raster.bands:
            yield Candidate(letter_of(position), Part.BAND, raster.name)
        for band, names in zip(raster.bands, names_of(position, raster)):
            detail = ", ".join(filter(None, [raster.name, band_words(band)]))
            for name in names:
                part = Part.LAYER if name.startswith('"') else Part.BAND
                yield Candidate(name, part, band_words(band) if part is Part.LAYER else detail)


def _functions(say: Callable[[Text], str]) -> Iterator[Candidate]:
    for entries in FUNCTION_HELP.values():
        for entry in entries:
            words = f"({entry.arguments}) {say(entry.help)}"
            for name in (entry.name, *entry.aliases):
                yield Candidate(name, Part.FUNCTION, words)


def _roles(nameable: Nameable) -> list[NamedBand]:
    """Return the bands by role, except those whose name a layer has."""
    layers = {raster.name for raster in nameable.rasters}
    return [band for band in nameable.roles.bands() if band.name not in layers]


def product_names(nameable: Nameable) -> dict[str, DescribedBand]:
    """Return the bands that can be called by the name in their product (B8A), beside their roles."""
    taken = {raster.name for raster in nameable.rasters}
    taken |= {band.name for band in nameable.roles.bands() if nameable.by_role.get(band.place)}
    names = {band.name.name: band for band in nameable.by_role.values() if band.name}
    return {
        name: band
        for name, band in names.items()
        if name not in taken and nameable.roles.known(name) is not None
    }


def vocabulary(nameable: Nameable, results: Collection[str] = ()) -> Vocabulary:
    """Return the names that highlighting knows."""
    return Vocabulary(
        frozenset(raster.name for raster in nameable.rasters),
        frozenset(
            name.lower()
            for band in (*product_names(nameable), *(role.name for role in _roles(nameable)))
            for name in (band, short_name(band))
        ),
        frozenset(results),
        BANDWISE,
    )


def bands_by_role(nameable: Nameable) -> Mapping[str, str]:
    """Return how the band of each role is written: by its role where that is sure, else by a letter."""
    given = [
        GivenBand(position, band.number, raster.path, band.name)
        for position, raster in enumerate(nameable.rasters)
        for band in raster.bands
    ]
    found = dict(recognise(given).bands)
    # of two rasters that both have the band the first one is taken
    for position in range(len(nameable.rasters)):
        own = recognise([band for band in given if band.raster == position]).bands
        found = {**own, **found}
    written = {role: spelled(letter_of(band.raster), band.number) for role, band in found.items()}
    # by its role a band is reflectance, as indices want it
    return {**written, **{band.name: band.name for band in _roles(nameable)}}


def index_text(index: Index, bands: Mapping[str, str]) -> str:
    """Return an index as an expression over ``bands`` by role; empty where that is not possible.

    Its constants have their defaults.
    """
    numbers = {name: f"{value:g}" for name, value in index.constants.items() if _is_number(value)}
    words = {**bands, **numbers}
    if index.kernel or not {*index.bands, *index.constants} <= set(words):
        return ""
    text, at = "", 0
    known = Vocabulary(bands=frozenset(name.lower() for name in words))
    for span in parts(index.formula, known):
        word = index.formula[span.start : span.end]
        text += index.formula[at : span.start] + words.get(word, word)
        at = span.end
    return text


def _is_number(value: object) -> bool:
    return type(value) in (int, float)
