# SPDX-License-Identifier: GPL-2.0-or-later
"""Bands by the names in an expression: letters, layers, and numbers or descriptions of bands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..credentials import file_name
from ..messages import Text, shown, translate
from ..radiometry.band_names import short_name
from .dialects import DIALECTS, DialectChoice
from .formula import Formula
from .lexer import Lexer
from .parser import parse

_OTB = re.compile(r"im([0-9]{1,6})b([0-9]{1,6})", re.IGNORECASE)
_LETTERS = re.compile(r"[A-Za-z]{1,2}")


class Raster(NamedTuple):
    """An input of an expression: ``name`` of its layer, ``path``, and the description of each band.

    ``band_names`` are the short names of the bands in their product (B04). Descriptions and names
    are empty if unknown.
    """

    name: str
    path: str
    descriptions: tuple[str, ...]
    band_names: tuple[str, ...] = ()


class NamedBands:
    """Finds bands of which each has a name, in the order of ``names``."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)

    def band(self, name: str, band: int | str | None, *, layer: bool) -> int:
        """See :meth:`References.band`."""
        if name in self._names and band is None:
            return self._names.index(name)
        raise LookupError(translate("Bandwise", "there is no band {name}").format(name=shown(name)))

    def names(self) -> Sequence[str]:
        """See :meth:`References.names`."""
        return self._names


class RasterBands:
    """Finds bands of an ordered list of rasters; ``bands`` collects (raster, number) of those that are used.

    With ``layers_first`` a layer's name takes precedence over a letter, as QGIS knows no letters.
    """

    def __init__(self, rasters: Sequence[Raster], *, layers_first: bool = False) -> None:
        self.rasters = tuple(rasters)
        self.bands: list[tuple[int, int]] = []
        self._layers_first = layers_first
        self._letters = {letter_of(index): index for index in range(len(self.rasters))}
        self._found: dict[tuple[str, int | str | None, bool], int] = {}

    def band(self, name: str, band: int | str | None, *, layer: bool) -> int:
        """See :meth:`References.band`."""
        key = (name, band, layer)
        if key not in self._found:
            raster_band = self._place(name, band, layer)
            if raster_band not in self.bands:
                self.bands.append(raster_band)
            self._found[key] = self.bands.index(raster_band)
        return self._found[key]

    def names(self) -> Sequence[str]:
        """See :meth:`References.names`."""
        return [raster.name for raster in self.rasters]

    def _place(self, name: str, band: int | str | None, layer: bool) -> tuple[int, int]:
        otb = _OTB.fullmatch(name)
        if otb and band is None and not layer:
            raster = int(otb[1]) - 1
            if not 0 <= raster < len(self.rasters):
                raise LookupError(self._no_input(f"im{otb[1]}"))
            return raster, self._number(raster, int(otb[2]))
        raster = self._raster(name, layer)
        return raster, self._number(raster, 1 if band is None else band)

    def _raster(self, name: str, layer: bool) -> int:
        layers = [index for index, raster in enumerate(self.rasters) if raster.name == name]
        letter = None if layer else self._letters.get(name.upper())
        matches: list[int] = (
            layers if letter is None or (self._layers_first and layers) else [letter, *layers]
        )
        if len({self.rasters[index].path for index in matches}) > 1:
            choices = ", ".join(
                f"{letter_of(index)} = {file_name(self.rasters[index].path)}"
                for index in dict.fromkeys(matches)
            )
            text = translate("Bandwise", "{name} is ambiguous; use one of the letters: {choices}")
            raise LookupError(text.format(name=shown(name), choices=choices))
        if not matches:
            raise LookupError(self._no_input(name))
        return matches[0]

    def _no_input(self, name: str) -> Text:
        given = ", ".join(
            f"{letter_of(index)} = {file_name(raster.path)}"
            for index, raster in enumerate(self.rasters[:10])
        )
        counts = {
            1: translate("Bandwise", "one raster is given"),
            2: translate("Bandwise", "two rasters are given"),
        }
        count = counts.get(
            len(self.rasters), translate("Bandwise", "{count} rasters are given")
        ).format(count=len(self.rasters))
        if is_letter(name):
            text = translate("Bandwise", "there is no input {name}: {count} ({given})")
        else:
            text = translate(
                "Bandwise", "{name} is no input, function or constant: {count} ({given})"
            )
        return text.format(name=shown(name), count=count, given=given)

    def _number(self, raster: int, band: int | str) -> int:
        descriptions = self.rasters[raster].descriptions
        if isinstance(band, str):
            exact = [number for number, text in enumerate(descriptions, start=1) if text == band]
            matches = exact or [
                number
                for number, text in enumerate(descriptions, start=1)
                if text.lower() == band.lower()
            ]
            names = self.rasters[raster].band_names
            matches = matches or [
                number
                for number, text in enumerate(names, start=1)
                if text and text == short_name(band)
            ]
            if len(matches) == 1:
                return matches[0]
            shown_names = [
                text or name or "-" for text, name in zip(descriptions, names or descriptions)
            ]
            choices = ", ".join(
                f"{number} = {text}" for number, text in enumerate(shown_names[:20], start=1)
            )
            text = translate(
                "Bandwise", "{name} has no single band called {band}; its bands are {choices}"
            )
            raise LookupError(
                text.format(name=letter_of(raster), band=shown(band), choices=choices)
            )
        if not 1 <= band <= len(descriptions):
            text = translate("Bandwise", "{name} has no band {band}; its bands are 1 to {count}")
            raise LookupError(
                text.format(name=letter_of(raster), band=band, count=len(descriptions))
            )
        return band


def named_formula(
    text: str, names: Sequence[str], *, valid_range: tuple[float, float] | None = None
) -> Formula:
    """Return a formula of an algorithm, in Bandwise's dialect, over bands called ``names``."""
    formula = parse(text, DIALECTS[DialectChoice.BANDWISE], NamedBands(names))
    return formula._replace(
        results=tuple(result._replace(valid_range=valid_range) for result in formula.results)
    )


def letter_of(index: int) -> str:
    """Return A, B, ... Z, AA, AB, ... for 0, 1, ..."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def is_letter(name: str) -> bool:
    """Return whether a name may be that of a raster by its place in the list."""
    return _LETTERS.fullmatch(name) is not None


def dialect_of(text: str, rasters: Sequence[Raster]) -> DialectChoice:
    """Recognise the dialect of a text by how it names bands: by layers in QGIS, ``im1b1`` in OTB,
    letters in Bandwise.
    """
    names = {raster.name for raster in rasters}
    letters = {letter_of(index) for index in range(len(rasters))}
    for name in Lexer(text).layers():
        if name in names and name.upper() not in letters:
            return DialectChoice.QGIS
    if '"' in text and not re.search(r'@\s*"', text):
        return DialectChoice.QGIS
    return (
        DialectChoice.OTB if re.search(r"\bim\d+b\d+\b", text, re.ASCII) else DialectChoice.BANDWISE
    )
