# SPDX-License-Identifier: GPL-2.0-or-later
"""From rasters and names of indices to a job."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...credentials import file_name
from ...errors import ExpressionError, InputError, OptionError
from ...expression.dialects import DIALECTS, DialectChoice
from ...expression.formula import Band, Formula
from ...expression.names import Raster, RasterBands, letter_of
from ...expression.parser import parse
from ...indices.bands import GivenBand, recognise
from ...indices.catalogue import load_catalogue
from ...indices.selection import (
    Chosen,
    check_bands,
    chosen_indices,
    role_of,
    with_constants,
)
from ...job import BandRef, Job, Note
from ...messages import Field, Text, join, shown, translate
from ...radiometry.band_names import BandName, name_of_band, short_name, wavelength_of
from ...radiometry.products import Products
from ...reading.bands import descriptions_of

_LANGUAGE = DIALECTS[DialectChoice.BANDWISE]


def spectralindices_job(
    rasters: Sequence[tuple[str, str]],
    indices: str,
    output: str,
    *,
    constants: str = "",
    bands: str = "",
    own_indices: str = "",
    **options: Any,
) -> Job:
    """A job for ``indices``, such as ``NDVI;EVI``, of ``rasters``, (layer name, path) each.

    Parameters
    ----------
    constants, bands
        ``L=0.5; g=2.5``, and ``nir=A@2; red=B`` for bands that are not to be recognised.
    own_indices
        The file of the user's own indices, which need not exist.
    options
        :class:`Job`'s.

    Raises
    ------
    InputError
        For a raster that cannot be opened.
    OptionError
        For an index that does not exist or that the bands do not allow, and for what is no
        constant or band.
    """
    if not rasters:
        raise InputError(
            translate("Bandwise", "No raster is given; choose those of the bands.").format()
        )
    catalogue = load_catalogue(own_indices)
    wanted = chosen_indices(catalogue, indices)
    given, inputs = _given_bands(rasters)
    recognised = recognise(given)
    by_role = {**recognised.bands, **_named_bands(bands, inputs, given)}
    check_bands(
        wanted, by_role, {role: _listed(each) for role, each in recognised.candidates.items()}
    )
    wavelengths = {
        role: wavelength_of(band.name) if band.name else None for role, band in by_role.items()
    }
    chosen = with_constants(wanted, constants, wavelengths)
    references = _Roles(by_role)
    formula = _formula(chosen, references)
    notes = [Note(text, warning=True) for text in catalogue.warnings]
    notes += [*_band_notes(references, by_role), *_index_notes(chosen), *_unused(given, references)]
    return Job(
        bands=tuple(BandRef(role, band.path, band.number) for role, band in references.used),
        formula=formula,
        output=output,
        notes=tuple(notes),
        listed=tuple(path for _, path in rasters),
        **options,
    )


def recognised_roles(rasters: Sequence[tuple[str, str]], bands: str = "") -> list[str]:
    """The roles of the bands of ``rasters``, with those that ``bands`` names; what cannot be read has none."""
    given, inputs = _given_bands(rasters)
    return [*{**recognise(given).bands, **_named_bands(bands, inputs, given)}]


class _Roles:
    """The bands by role as an expression names them; ``used`` are those that were asked for, each once."""

    def __init__(self, bands: Mapping[str, GivenBand]) -> None:
        self._bands = bands
        self.used: list[tuple[str, GivenBand]] = []

    def band(self, name: str, band: int | str | None, *, layer: bool) -> int:
        if name not in self._bands or band is not None:
            raise LookupError(
                translate("Bandwise", "there is no band {name}").format(name=shown(name))
            )
        wanted = self._bands[name]
        places = [(each.path, each.number) for _, each in self.used]
        if (wanted.path, wanted.number) not in places:
            self.used.append((name, wanted))
            return len(self.used) - 1
        return places.index((wanted.path, wanted.number))

    def names(self) -> Sequence[str]:
        return list(self._bands)


def _given_bands(rasters: Sequence[tuple[str, str]]) -> tuple[list[GivenBand], list[Raster]]:
    """Every band of the rasters with what it is known as, and the rasters for expressions."""
    products, given, inputs = Products(), list[GivenBand](), list[Raster]()
    for position, (name, path) in enumerate(rasters):
        descriptions = descriptions_of(path)
        single = len(descriptions) == 1
        names = [
            products.band_name(path, number, text, single=single)
            or (_by_word(name, path) if single else None)
            for number, text in enumerate(descriptions, start=1)
        ]
        given += [
            GivenBand(position, number, path, band) for number, band in enumerate(names, start=1)
        ]
        short = tuple(short_name(band.name) if band else "" for band in names)
        inputs.append(Raster(name, path, descriptions, short))
    return given, inputs


def _by_word(name: str, path: str) -> BandName | None:
    """What the name of a file or layer says where it is a word such as red."""
    return name_of_band(Path(file_name(path)).stem) or name_of_band(name)


def _named_bands(
    text: str, inputs: Sequence[Raster], given: Sequence[GivenBand]
) -> dict[str, GivenBand]:
    """The bands that the user names by role."""
    named = {}
    for part in filter(None, map(str.strip, re.split(r"[;\n]", text))):
        word, _, reference = part.partition("=")
        role, references = role_of(word), RasterBands(inputs)
        try:
            formula = parse(reference, _LANGUAGE, references) if role else None
        except ExpressionError as error:
            message = error.args[0]
            reason = message.values.get("message", message)
            sentence = translate("Bandwise", "{bands}, {part}: {reason}")
            raise OptionError(
                sentence.format(bands=Field.BANDS, part=shown(part), reason=reason)
            ) from None
        if formula is None or not isinstance(formula.nodes[formula.results[0].node], Band):
            sentence = translate(
                "Bandwise", "{bands}: {part} is not understood; write nir=A@2; red=B."
            )
            raise OptionError(sentence.format(bands=Field.BANDS, part=shown(part)))
        place = references.bands[0]
        named[role] = next(band for band in given if (band.raster, band.number) == place)
    return named


def _formula(chosen: Sequence[Chosen], references: _Roles) -> Formula:
    """One formula for all indices, so that what they have in common is computed once."""
    # names of their own, for that of an index may mean something else: PI
    text = ";".join(f"i{number} := {each.expression}" for number, each in enumerate(chosen))
    formula = parse(text, _LANGUAGE, references)
    results = tuple(
        result._replace(name=each.index.name, valid_range=each.valid_range, tags=_tags(each))
        for result, each in zip(formula.results, chosen)
    )
    typed = "; ".join(f"{each.index.name} := {each.expression}" for each in chosen)
    return formula._replace(results=results, text=typed)


def _tags(chosen: Chosen) -> tuple[tuple[str, str], ...]:
    """What a result's band says of its index."""
    index = chosen.index
    tags = {
        "BANDWISE_INDEX": index.name,
        "BANDWISE_LONG_NAME": index.long_name,
        "BANDWISE_FORMULA": index.formula,
        "BANDWISE_CONSTANTS": json.dumps(chosen.constants) if chosen.constants else "",
        "BANDWISE_KERNEL": index.kernel,
        "BANDWISE_SOURCE": index.source,
        "BANDWISE_DOI": index.doi,
    }
    return tuple((name, value) for name, value in tags.items() if value)


def _place(band: GivenBand) -> Text:
    """A band as a reference and by what it is known as."""
    reference = letter_of(band.raster) + (f"@{band.number}" if band.number > 1 else "")
    facts = {"reference": reference, "file": file_name(band.path)}
    if band.name is None:
        return translate("Bandwise", "{reference} of {file}").format(**facts)
    if band.name.sensor:
        text = translate("Bandwise", "{reference} of {file}, {name} of {sensor}")
        return text.format(**facts, name=band.name.name, sensor=band.name.sensor)
    return translate("Bandwise", "{reference} of {file}, {name}").format(
        **facts, name=band.name.name
    )


def _listed(bands: Sequence[GivenBand]) -> Text:
    return join([_place(band) for band in bands[:5]])


def _band_notes(references: _Roles, by_role: Mapping[str, GivenBand]) -> list[Note]:
    """Which band has which role."""
    used = [band for _, band in references.used]
    text = translate("Bandwise", "{role} = {band}")
    return [
        Note(text.format(role=role, band=_place(band)))
        for role, band in by_role.items()
        if band in used
    ]


def _index_notes(chosen: Sequence[Chosen]) -> list[Note]:
    """What is computed, and how it differs from the list or its source."""
    notes = []
    for each in chosen:
        text = translate("Bandwise", "{name} = {expression}")
        notes.append(Note(text.format(name=each.index.name, expression=each.expression)))
        for remark in filter(None, (each.index.kernel, each.index.note)):
            text = translate("Bandwise", "{name}: {remark}")
            notes.append(Note(text.format(name=each.index.name, remark=remark)))
    return notes


def _unused(given: Sequence[GivenBand], references: _Roles) -> list[Note]:
    """Which rasters no index uses, if any."""
    used = {band.raster for _, band in references.used}
    names = {
        band.raster: translate("Bandwise", "{name} = {file}").format(
            name=letter_of(band.raster), file=file_name(band.path)
        )
        for band in given
        if band.raster not in used
    }
    text = translate(
        "Bandwise", "Not used by the indices, so without influence on the grid: {rasters}"
    )
    return [Note(text.format(rasters=join(list(names.values()))))] if names else []
