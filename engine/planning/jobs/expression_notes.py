# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines for the log on an expression: how it was read, and which band each name stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...credentials import file_name
from ...errors import ExpressionError
from ...expression.dialects import DIALECTS, DialectChoice
from ...expression.formula import Formula
from ...expression.names import Raster, RasterBands, letter_of
from ...expression.parser import parse
from ...job import Note
from ...messages import Text, join, translate
from ...radiometry.scaling import RadiometryChoice, Scaling
from .expression_bands import ExpressionBands, UsedBand
from .named_bands import BandRoles

#: characters; longer texts are not compared with their meaning in other dialects
_LONGEST_COMPARED = 2_000


class Expression(NamedTuple):
    """A ``text`` that was read in the dialect ``choice``, and the bands of ``rasters`` and of roles in it."""

    text: str
    choice: DialectChoice
    formula: Formula
    bands: ExpressionBands
    rasters: Sequence[Raster]

    @property
    def understood(self) -> tuple[str, ...]:
        """Each result in full parentheses."""
        return self.formula.understood([used.name for used in self.bands.used])


def expression_notes(expression: Expression) -> list[Note]:
    """Return lines on the rasters, and on how the text was read."""
    notes = []
    if expression.rasters:
        rasters = [_lettered(index, raster) for index, raster in enumerate(expression.rasters)]
        notes.append(Note(translate("Bandwise", "Inputs: {given}").format(given=join(rasters))))
    dialect = DIALECTS[expression.choice].name
    for result, text in zip(expression.formula.results, expression.understood):
        line = translate("Bandwise", "{name} = {text} (read as {dialect})")
        notes.append(Note(line.format(name=result.name, text=text, dialect=dialect)))
    return [*notes, *_difference_notes(expression), *_unused_notes(expression)]


def role_notes(
    expression: Expression, roles: BandRoles, radiometry: RadiometryChoice
) -> Iterator[Note]:
    """Yield lines on which band each role is, and on names that are roles and mean something else."""
    bands = [used.role for used in expression.bands.used if used.role]
    line = translate("Bandwise", "{name} = {band}")
    if bands:
        listed = join([line.format(name=band.name, band=band) for band in bands])
        text = translate("Bandwise", "Bands by role, as reflectance: {bands}")
        if radiometry.scaling is Scaling.CUSTOM:
            text = translate("Bandwise", "Bands by role, with the scale and offset given: {bands}")
        yield Note(text.format(bands=listed))
    elif roles.scene:
        text = translate("Bandwise", "The expression uses no band of the scene {name}")
        yield Note(text.format(name=roles.scene.name))
    for name, (used, is_other) in expression.bands.hidden.items():
        if not is_other and radiometry.scaling is not Scaling.STORED:
            continue  # the same values
        text = translate(
            "Bandwise",
            "{name} is {band}, since a letter or a layer of the list has that name, and not the band of "
            "that role; rename the layer to use that",
        )
        yield Note(text.format(name=name, band=used.name), warning=is_other)
    for name in expression.bands.results if expression.bands.by_role else ():
        if roles.known(name):
            text = translate(
                "Bandwise", "{name} is the result of that name, and not the band of that role"
            )
            yield Note(text.format(name=name))


def no_band_note(first: UsedBand) -> Note:
    """Return the warning for an expression without a band, that gets the grid of ``first``."""
    text = translate(
        "Bandwise",
        "The expression uses no band: its value is written to every pixel of {name}'s grid",
    )
    name = first.role.name if first.role else letter_of(first.raster)
    return Note(text.format(name=name), warning=True)


def _lettered(index: int, raster: Raster) -> Text:
    text = translate("Bandwise", "{name} = {file}")
    return text.format(name=letter_of(index), file=file_name(raster.path))


def _unused_notes(expression: Expression) -> list[Note]:
    """Return a line with the rasters that the expression does not use, if any."""
    letters = {used.raster for used in expression.bands.used}
    paths = {used.role.path for used in expression.bands.used if used.role}
    if not letters:
        letters = {0}  # whose grid the result gets
    unused = [
        _lettered(index, raster)
        for index, raster in enumerate(expression.rasters)
        if index not in letters and raster.path not in paths
    ]
    text = translate(
        "Bandwise",
        "Not used by the expression, so they do not affect the grid of the result: {rasters}",
    )
    return [Note(text.format(rasters=join(unused)))] if unused else []


def _difference_notes(expression: Expression) -> list[Note]:
    """Return a line with the meanings of the text in other dialects, if they differ."""
    bands = expression.bands.used
    if len(expression.text) > _LONGEST_COMPARED or any(used.role for used in bands):
        return []  # other dialects know no roles
    readings = []
    for other, dialect in DIALECTS.items():
        if other is expression.choice:
            continue
        elsewhere = RasterBands(expression.rasters, layers_first=other is DialectChoice.QGIS)
        elsewhere.bands.extend((used.raster, used.number) for used in bands)
        try:
            understood = parse(expression.text, dialect, elsewhere).understood(
                [UsedBand(*band).name for band in elsewhere.bands]
            )
        except ExpressionError:
            continue
        if understood != expression.understood:
            text = translate("Bandwise", "{dialect} {text}")
            joined = "; ".join(understood)[:200]
            readings.append(text.format(dialect=dialect.name, text=joined))
    if not readings:
        return []
    text = translate("Bandwise", "Other dialects would read this text differently: {readings}")
    return [Note(text.format(readings=join(readings)))]
