# SPDX-License-Identifier: GPL-2.0-or-later
"""From rasters, or a scene, and names of indices to a job."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...credentials import file_name
from ...errors import InputError, OptionError
from ...expression.dialects import DIALECTS, DialectChoice
from ...expression.formula import Formula
from ...expression.names import letter_of
from ...expression.parser import parse
from ...indices.bands import GivenBand, recognise
from ...indices.catalogue import Index, load_catalogue
from ...indices.selection import (
    Chosen,
    check_bands,
    chosen_indices,
    missing_role,
    with_constants,
)
from ...job import BandRef, Job, Note
from ...messages import Text, join, shown, translate
from ...radiometry.band_names import wavelength_of
from ...radiometry.roles import role_text
from ...scenes.scene import Scene
from .index_bands import bands_of_scene, given_bands, named_bands
from .scenes import files_of

_LANGUAGE = DIALECTS[DialectChoice.BANDWISE]


def spectralindices_job(
    rasters: Sequence[tuple[str, str]],
    indices: str,
    output: str,
    *,
    constants: str = "",
    bands: str = "",
    own_indices: str = "",
    scene: Scene | None = None,
    notes: Sequence[Note] = (),
    **options: Any,
) -> Job:
    """A job for ``indices``, such as ``NDVI;EVI``, of ``rasters``, (layer name, path) each.

    Parameters
    ----------
    constants, bands
        ``L=0.5; g=2.5``, and ``nir=A@2; red=B`` for bands that are not to be recognised.
    own_indices
        The file of the user's own indices, which need not exist.
    scene
        Given in place of ``rasters``.
    notes
        Lines before those on bands and indices in the log.
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
    if not rasters and not scene:
        raise InputError(
            translate("Bandwise", "No raster is given; choose those of the bands.").format()
        )
    catalogue = load_catalogue(own_indices)
    wanted = chosen_indices(catalogue, indices)
    given, inputs = bands_of_scene(scene) if scene else given_bands(rasters)
    recognised = recognise(given)
    by_role = {**recognised.bands, **named_bands(bands, inputs, given)}
    if scene:
        _check_scene(scene, wanted, [*by_role, *recognised.candidates])
    check_bands(
        wanted, by_role, {role: _listed(each) for role, each in recognised.candidates.items()}
    )
    wavelengths = {
        role: wavelength_of(band.name) if band.name else None for role, band in by_role.items()
    }
    chosen = with_constants(wanted, constants, wavelengths)
    references = _Roles(by_role)
    formula = _formula(chosen, references)
    notes = [*notes, *(Note(text, warning=True) for text in catalogue.warnings)]
    notes += [*_band_notes(references, by_role), *_index_notes(chosen)]
    notes += [] if scene else _unused(given, references)
    facts = scene.facts() if scene else {}
    return Job(
        bands=tuple(
            BandRef(role, band.path, band.number, facts.get((band.path, band.number)))
            for role, band in references.used
        ),
        formula=formula,
        output=output,
        notes=tuple(notes),
        listed=files_of(scene) if scene else tuple(path for _, path in rasters),
        **options,
    )


def recognised_roles(
    rasters: Sequence[tuple[str, str]], bands: str = "", scene: Scene | None = None
) -> list[str]:
    """The roles of the bands of ``rasters``, or of ``scene``, with those that ``bands`` names; what
    cannot be read has none.
    """
    given, inputs = bands_of_scene(scene) if scene else given_bands(rasters)
    return [*{**recognise(given).bands, **named_bands(bands, inputs, given)}]


def _check_scene(scene: Scene, indices: Sequence[Index], roles: Sequence[str]) -> None:
    """Raise :class:`OptionError` for an index that needs a band that the scene does not have."""
    for index in indices:
        role = missing_role(index, roles)
        if not role:
            continue
        try:
            scene.band(role)
        except InputError as error:
            text = translate("Bandwise", "{name} needs the band {role} ({words}): {reason}")
            raise OptionError(
                text.format(name=index.name, role=role, words=role_text(role), reason=error.args[0])
            ) from None


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


def _formula(chosen: Sequence[Chosen], references: _Roles) -> Formula:
    """One formula for all indices, so that what they have in common is computed once."""
    # names of their own, for that of an index may mean something else: PI
    text = ";".join(f"i{number} := {each.expression}" for number, each in enumerate(chosen))
    formula = parse(text, _LANGUAGE, references)
    results = tuple(
        result._replace(name=each.index.name, valid_range=each.valid_range, tags=index_tags(each))
        for result, each in zip(formula.results, chosen)
    )
    typed = "; ".join(f"{each.index.name} := {each.expression}" for each in chosen)
    return formula._replace(results=results, text=typed)


def index_tags(chosen: Chosen) -> tuple[tuple[str, str], ...]:
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
