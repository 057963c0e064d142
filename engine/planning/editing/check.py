# SPDX-License-Identifier: GPL-2.0-or-later
"""Check a text against described rasters: what it means, or where its error is. No file is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ...compute.compiler import BandValue, compile_formula
from ...errors import ExpressionError
from ...expression.dialects import DIALECTS, DialectChoice
from ...expression.formula import Formula
from ...expression.names import dialect_of, letter_of
from ...expression.parser import parse
from ...expression.typed_nodata import typed_nodata
from ...grids.grid import Grid
from ...messages import Field, Setting, Text, join, shown, translate
from ...radiometry.scaling import Radiometry, RadiometryChoice, Scaling
from ...radiometry.storage import DataType, storage_of
from ..checks import unused_scaling_of
from ..jobs.expression_notes import Expression, role_notes
from .described import Nameable
from .naming import Found, Names

LONGEST_COMPARED = (
    2_000  #: characters; longer texts are not compared with their meaning in other dialects
)
_LONGEST_READING = 200  #: characters of a meaning in another dialect
_MOST_NAMES = 12  #: in one sentence
_STORED = RadiometryChoice(Scaling.STORED)


class Caution(NamedTuple):
    """A sentence on a text that is probably not meant so; ``setting`` is the choice that mends it, if any."""

    text: Text
    setting: Setting | None = None


@dataclass(frozen=True)
class Options:
    """The options of a run that a check depends on."""

    dialect: DialectChoice = DialectChoice.AUTOMATIC
    radiometry: RadiometryChoice = _STORED
    data_type: DataType = DataType.FLOAT32


@dataclass(frozen=True)
class Checked:
    """What a text means, or its ``error`` and the part from ``start`` to ``end`` that it is about.

    ``arithmetic`` is the type that the result is computed in; None where it is not known yet.
    """

    text: str
    dialect: DialectChoice
    error: Text | None = None
    start: int = 0
    end: int = 0
    bands: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    arithmetic: np.dtype[np.generic] | None = None
    cautions: tuple[Caution, ...] = field(default=())

    def summary(self) -> Text:
        """Return the error, or one line on what the text means."""
        if self.error is not None:
            return self.error
        clauses = [
            translate("Bandwise", "Read as {dialect}").format(dialect=DIALECTS[self.dialect].name),
            translate("Bandwise", "bands: {names}").format(names=_listed(self.bands)),
            translate("Bandwise", "results: {names}").format(names=_listed(self.results)),
        ]
        if self.arithmetic is not None:
            text = translate("Bandwise", "computed in {dtype}")
            clauses.append(text.format(dtype=self.arithmetic.name))
        return join(clauses)


def check_text(
    text: str,
    nameable: Nameable,
    options: Options = Options(),
) -> Checked:
    """Return what a text means for the rasters that are given, or the error in it.

    Without rasters every letter is taken as one, so that the text itself is checked.
    """
    rasters = [raster.raster for raster in nameable.rasters]
    choice = options.dialect
    if choice is DialectChoice.AUTOMATIC:
        choice = dialect_of(text, rasters)
    names = Names(text, nameable, choice)
    try:
        formula, found = names.in_order(parse(text, DIALECTS[choice], names))
        arithmetic = _arithmetic(formula, found, options)
    except ExpressionError as error:
        return Checked(text, choice, error.message, error.start, error.end)
    labels = [each.label for each in found]
    cautions = _scaling_cautions(formula, found, options)
    expression = Expression(text, choice, formula, names.bands, rasters)
    notes = role_notes(expression, nameable.roles, options.radiometry)
    cautions += [Caution(note.text) for note in notes if note.warning]
    if len(text) <= LONGEST_COMPARED and not any(each.role_path for each in found):
        cautions += _difference_cautions(text, nameable, choice, formula.understood(labels))
    cautions += _input_cautions(nameable, found)
    return Checked(
        text,
        choice,
        bands=tuple(labels[index] for index in formula.bands()),
        results=tuple(result.name for result in formula.results),
        arithmetic=arithmetic,
        cautions=tuple(cautions),
    )


def _known(
    found: Sequence[Found], choice: RadiometryChoice
) -> tuple[list[np.dtype[np.generic]], list[Radiometry]] | None:
    """Return the types of bands and how they are read; None where one is not known."""
    dtypes, radiometries = [], []
    for each in found:
        radiometry = each.radiometry(choice)
        if each.band is None or each.band.facts is None or radiometry is None:
            return None
        dtypes.append(each.band.facts.dtype)
        radiometries.append(radiometry)
    return dtypes, radiometries


def _arithmetic(
    formula: Formula, found: Sequence[Found], options: Options
) -> np.dtype[np.generic] | None:
    """Return the type that a formula is computed in; None where a band is not known, or resampled."""
    known = _known(found, options.radiometry)
    grids = [each.band.facts.grid for each in found if each.band and each.band.facts]
    if known is None or not all(_coincide(grid, grids[0]) for grid in grids):
        return None
    storage = storage_of(options.data_type)
    values = [
        BandValue(dtype, radiometry.scale, radiometry.offset, radiometry.nodata is not None)
        for dtype, radiometry in zip(*known)
    ]
    typed = typed_nodata(formula, storage.nodata)
    double = storage.integer or storage.dtype.itemsize > 4
    return compile_formula(typed.formula, values, double=double).dtype


def _coincide(grid: Grid, other: Grid) -> bool:
    return grid.crs == other.crs and grid.pixel_offset(other) is not None


def _scaling_cautions(formula: Formula, found: Sequence[Found], options: Options) -> list[Caution]:
    """Return the caution where a scale or an offset is known and not applied, or cannot be read."""
    problems = dict.fromkeys(each.band.problem for each in found if each.band)
    if options.radiometry.scaling is Scaling.AUTOMATIC:
        return [Caution(problem) for problem in problems if problem]
    known = _known(found, options.radiometry)
    if known is None or options.radiometry.scaling is not Scaling.STORED:
        return []
    setting = Setting(Field.SCALING, Scaling.AUTOMATIC)
    notes = unused_scaling_of(formula, [each.label for each in found], *known)
    return [Caution(note.text, setting) for note in notes]


def _difference_cautions(
    text: str, nameable: Nameable, choice: DialectChoice, understood: tuple[str, ...]
) -> list[Caution]:
    """Return the caution that other dialects read the text differently, if they do."""
    readings = []
    for other, dialect in DIALECTS.items():
        names = Names(text, nameable, other)
        try:
            formula = parse(text, dialect, names) if other is not choice else None
        except ExpressionError:
            continue
        elsewhere = formula.understood(names.labels) if formula else understood
        if elsewhere != understood:
            reading = translate("Bandwise", "{dialect} {text}")
            words = "; ".join(elsewhere)[:_LONGEST_READING]
            readings.append(reading.format(dialect=dialect.name, text=words))
    if not readings:
        return []
    caution = translate(
        "Bandwise", "Other dialects would read this text differently: {readings}"
    ).format(readings=join(readings))
    return [Caution(caution)]


def _input_cautions(nameable: Nameable, found: Sequence[Found]) -> list[Caution]:
    """Return cautions about what is given: nothing, what cannot be read, and what is not used."""
    if nameable.problem is not None:
        return [Caution(nameable.problem)]
    if nameable.is_empty:
        if nameable.later:
            return []
        return [Caution(translate("Bandwise", "No raster is chosen yet").format())]
    problems = [Caution(raster.problem) for raster in nameable.rasters if raster.problem]
    if not found:
        text = translate("Bandwise", "The expression uses no band: every pixel gets its value")
        return [*problems, Caution(text.format())]
    used = {each.place[0] for each in found if not each.role_path}
    paths = {each.role_path for each in found}
    unused = [
        f"{letter_of(index)} = {shown(raster.name)}"
        for index, raster in enumerate(nameable.rasters)
        if index not in used and raster.path not in paths
    ]
    if not unused:
        return problems
    text = translate("Bandwise", "Not used: {names}")
    return [*problems, Caution(text.format(names=_listed(unused)))]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f", ... (+{more})" if more > 0 else "") or "-"
