# SPDX-License-Identifier: GPL-2.0-or-later
"""Check a text against described rasters: what it means, or where its error is. No file is opened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ...compute.compiler import BandValue, compile_formula
from ...errors import ExpressionError
from ...expression.dialects import DIALECTS, DialectChoice
from ...expression.formula import Formula
from ...expression.names import RasterBands, dialect_of, letter_of
from ...expression.parser import parse
from ...expression.typed_nodata import typed_nodata
from ...grids.grid import Grid
from ...messages import Field, Setting, Text, join, shown, translate
from ...radiometry.scaling import Radiometry, RadiometryChoice, Scaling
from ...radiometry.storage import DataType, storage_of
from ..checks import unused_scaling_of
from .described import DescribedBand, Nameable

LONGEST_COMPARED = (
    2_000  #: characters; longer texts are not compared with their meaning in other dialects
)
_LONGEST_READING = 200  #: characters of a meaning in another dialect
_MOST_NAMES = 12  #: in one sentence
_OTB = re.compile(r"im[0-9]{1,6}b[0-9]{1,6}", re.IGNORECASE)
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


class _Found(NamedTuple):
    """A band that a text uses: what it is called, the band where it is known, and its place among others."""

    label: str
    band: DescribedBand | None
    place: tuple[int, int] = (0, 0)


class _Names:
    """Finds bands by letters, layers and names of their own; ``found`` collects those that are used."""

    def __init__(self, nameable: Nameable, *, layers_first: bool) -> None:
        self._nameable = nameable
        self._any_letter = not nameable.rasters and not nameable.named
        self._unknown = {
            letter_of(index): (index, raster.name)
            for index, raster in enumerate(nameable.rasters)
            if not raster.known or raster.problem
        }
        self._rasters = RasterBands(
            [raster.raster for raster in nameable.rasters], layers_first=layers_first
        )
        self.found: list[_Found] = []
        self._positions: dict[str, int] = {}

    @property
    def labels(self) -> list[str]:
        """The bands that are used, in the order of their positions in the formula."""
        return [found.label for found in self.found]

    def band(self, name: str, band: int | str | None, *, layer: bool) -> int:
        """See :meth:`References.band`."""
        found = self._band(name, band, layer)
        if found.label not in self._positions:
            self._positions[found.label] = len(self.found)
            self.found.append(found)
        return self._positions[found.label]

    def names(self) -> Sequence[str]:
        """See :meth:`References.names`."""
        return [*self._rasters.names(), *self._nameable.named]

    def in_order(self, formula: Formula) -> tuple[Formula, list[_Found]]:
        """Return the formula over bands in the order of letters, as a run has them, and these bands."""
        order = sorted(range(len(self.found)), key=lambda index: self.found[index].place)
        return formula.renumbered(order), [self.found[index] for index in order]

    def _band(self, name: str, band: int | str | None, layer: bool) -> _Found:
        role = name.lower()
        if band is None and not layer and role in self._nameable.named:
            return _Found(role, self._nameable.named[role])
        unknown = self._unknown_raster(name, layer)
        if unknown:
            place = self._unknown[unknown][0] if unknown in self._unknown else 0
            return _Found(f"{unknown}@{1 if band is None else band}", None, (place, 0))
        at = self._rasters.band(name, band, layer=layer)
        raster, number = self._rasters.bands[at]
        described = self._nameable.rasters[raster].bands[number - 1]
        return _Found(f"{letter_of(raster)}@{number}", described, (raster, number))

    def _unknown_raster(self, name: str, layer: bool) -> str:
        """Return what a raster is called whose bands are not known yet; empty for others."""
        if name.upper() in self._unknown and not layer:
            return name.upper()
        for letter, (_, layer_name) in self._unknown.items():
            if layer_name == name:
                return letter
        if not self._any_letter:
            return ""
        is_letter = len(name) <= 2 and name.isascii() and name.isalpha()
        anything = layer or self._nameable.problem is not None or _OTB.fullmatch(name)
        return name.upper() if is_letter else shown(name) if anything else ""


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
    names = _Names(nameable, layers_first=choice is DialectChoice.QGIS)
    try:
        formula, found = names.in_order(parse(text, DIALECTS[choice], names))
        arithmetic = _arithmetic(formula, found, options)
    except ExpressionError as error:
        return Checked(text, choice, error.message, error.start, error.end)
    labels = [each.label for each in found]
    cautions = _scaling_cautions(formula, found, options)
    if len(text) <= LONGEST_COMPARED:
        cautions += _difference_cautions(text, nameable, choice, formula.understood(labels))
    cautions += _input_cautions(nameable, labels)
    return Checked(
        text,
        choice,
        bands=tuple(labels[index] for index in formula.bands()),
        results=tuple(result.name for result in formula.results),
        arithmetic=arithmetic,
        cautions=tuple(cautions),
    )


def _known(
    found: Sequence[_Found], choice: RadiometryChoice
) -> tuple[list[np.dtype[np.generic]], list[Radiometry]] | None:
    """Return the types of bands and how they are read; None where one is not known."""
    dtypes, radiometries = [], []
    for _, band, _ in found:
        radiometry = band.radiometry(choice) if band and band.facts else None
        if band is None or band.facts is None or radiometry is None:
            return None
        dtypes.append(band.facts.dtype)
        radiometries.append(radiometry)
    return dtypes, radiometries


def _arithmetic(
    formula: Formula, found: Sequence[_Found], options: Options
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


def _scaling_cautions(formula: Formula, found: Sequence[_Found], options: Options) -> list[Caution]:
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
        names = _Names(nameable, layers_first=other is DialectChoice.QGIS)
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


def _input_cautions(nameable: Nameable, labels: Sequence[str]) -> list[Caution]:
    """Return cautions about what is given: nothing, what cannot be read, and what is not used."""
    if nameable.problem is not None:
        return [Caution(nameable.problem)]
    if not nameable.rasters and not nameable.named:
        if nameable.later:
            return []
        return [Caution(translate("Bandwise", "No raster is chosen yet").format())]
    problems = [Caution(raster.problem) for raster in nameable.rasters if raster.problem]
    if not labels:
        text = translate("Bandwise", "The expression uses no band: every pixel gets its value")
        return [*problems, Caution(text.format())]
    used = {label.partition("@")[0] for label in labels}
    unused = [
        f"{letter_of(index)} = {shown(raster.name)}"
        for index, raster in enumerate(nameable.rasters)
        if letter_of(index) not in used
    ]
    if not unused:
        return problems
    text = translate("Bandwise", "Not used: {names}")
    return [*problems, Caution(text.format(names=_listed(unused)))]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f", ... (+{more})" if more > 0 else "") or "-"
