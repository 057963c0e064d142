# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a job from rasters and a typed expression."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ..credentials import file_name
from ..errors import ExpressionError, InputError
from ..expression.dialects import DIALECTS, DialectChoice
from ..expression.formula import Formula
from ..expression.names import Raster, RasterBands, dialect_of, letter_of
from ..expression.parser import parse
from ..job import BandRef, Job, Note
from ..messages import join, translate
from ..radiometry.band_names import short_name
from ..radiometry.products import Products
from ..reading.bands import descriptions_of

#: characters; longer texts are not compared with their meaning in other dialects
_LONGEST_COMPARED = 2_000


def bandmath_job(
    rasters: Sequence[tuple[str, str]],
    text: str,
    output: str,
    *,
    dialect: DialectChoice = DialectChoice.AUTOMATIC,
    **options: Any,
) -> Job:
    """Return the job of an expression.

    Parameters
    ----------
    rasters
        (layer name, path) of each raster.
    text
        The expression.
    output
        Path of the result.
    dialect
        By default it is recognised by how bands are named.
    options
        Other fields of :class:`Job`.

    Raises
    ------
    InputError
        For a raster that cannot be opened.
    ExpressionError
        For a text that is not valid in the dialect.
    """
    if not rasters:
        raise InputError(
            translate("Bandwise", "No raster is given; choose at least one, for its grid.").format()
        )
    products = Products()
    inputs = [_raster(name, path, products) for name, path in rasters]
    choice = dialect_of(text, inputs) if dialect is DialectChoice.AUTOMATIC else dialect
    references = RasterBands(inputs, layers_first=choice is DialectChoice.QGIS)
    formula = parse(text, DIALECTS[choice], references)
    notes = _letter_notes(inputs, choice, formula, references)
    if len(text) <= _LONGEST_COMPARED:
        notes += _difference_notes(text, inputs, choice, formula, references)
    # in the order of letters, which the choice of the grid depends on
    order = sorted(range(len(references.bands)), key=references.bands.__getitem__)
    used_bands = [references.bands[index] for index in order]
    if not formula.bands():
        used_bands = used_bands or [(0, 1)]
        warning = translate(
            "Bandwise",
            "The expression uses no band: its value is written to every pixel of {name}'s grid",
        ).format(name=letter_of(0))
        notes.append(Note(warning, warning=True))
    notes += _unused_notes(inputs, {raster for raster, _ in used_bands})
    bands = tuple(
        BandRef(f"{letter_of(raster)}@{number}", inputs[raster].path, number)
        for raster, number in used_bands
    )
    listed = tuple(path for _, path in rasters)
    return Job(
        bands=bands,
        formula=formula.renumbered(order),
        output=output,
        notes=tuple(notes),
        listed=listed,
        **options,
    )


def _raster(name: str, path: str, products: Products) -> Raster:
    """Return a raster with the names of its bands; the name of a file is that of its only band."""
    descriptions = descriptions_of(path)
    described = [
        products.band_name(path, number, text, single=len(descriptions) == 1)
        for number, text in enumerate(descriptions, start=1)
    ]
    return Raster(
        name, path, descriptions, tuple(short_name(band.name) if band else "" for band in described)
    )


def _unused_notes(inputs: Sequence[Raster], used: Collection[int]) -> list[Note]:
    """Return a line with the rasters that the expression does not use, if any."""
    unused = [
        translate("Bandwise", "{name} = {file}").format(
            name=letter_of(index), file=file_name(raster.path)
        )
        for index, raster in enumerate(inputs)
        if index not in used
    ]
    text = translate(
        "Bandwise",
        "Not used by the expression, so they do not affect the grid of the result: {rasters}",
    )
    return [Note(text.format(rasters=join(unused)))] if unused else []


def _letter_notes(
    inputs: Sequence[Raster], choice: DialectChoice, formula: Formula, references: RasterBands
) -> list[Note]:
    given = join(
        [
            translate("Bandwise", "{name} = {file}").format(
                name=letter_of(index), file=file_name(raster.path)
            )
            for index, raster in enumerate(inputs)
        ]
    )
    names = [f"{letter_of(raster)}@{number}" for raster, number in references.bands]
    notes = [Note(translate("Bandwise", "Inputs: {given}").format(given=given))]
    for result, text in zip(formula.results, formula.understood(names)):
        notes.append(
            Note(
                translate("Bandwise", "{name} = {text} (read as {dialect})").format(
                    name=result.name, text=text, dialect=DIALECTS[choice].name
                )
            )
        )
    return notes


def _difference_notes(
    text: str,
    inputs: Sequence[Raster],
    choice: DialectChoice,
    formula: Formula,
    references: RasterBands,
) -> list[Note]:
    """Return a line with the meanings of the text in other dialects, if they differ."""
    names = [f"{letter_of(raster)}@{number}" for raster, number in references.bands]
    readings = []
    for other, dialect in DIALECTS.items():
        if other is choice:
            continue
        elsewhere = RasterBands(inputs, layers_first=other is DialectChoice.QGIS)
        elsewhere.bands.extend(references.bands)
        try:
            understood = parse(text, dialect, elsewhere).understood(
                [f"{letter_of(raster)}@{number}" for raster, number in elsewhere.bands]
            )
        except ExpressionError:
            continue
        if understood != formula.understood(names):
            readings.append(
                translate("Bandwise", "{dialect} {text}").format(
                    dialect=dialect.name, text="; ".join(understood)[:200]
                )
            )
    if not readings:
        return []
    return [
        Note(
            translate(
                "Bandwise", "Other dialects would read this text differently: {readings}"
            ).format(readings=join(readings))
        )
    ]
