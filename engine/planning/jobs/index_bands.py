# SPDX-License-Identifier: GPL-2.0-or-later
"""The bands that indices may use: of rasters or of a scene, recognised or named by the user."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Union

from ...credentials import file_name
from ...errors import ExpressionError, OptionError
from ...expression.dialects import DIALECTS, DialectChoice
from ...expression.formula import Band
from ...expression.names import Raster, RasterBands
from ...expression.parser import parse
from ...indices.bands import GivenBand
from ...indices.selection import role_of
from ...messages import Field, shown, translate
from ...radiometry.band_names import BandName, name_of_band, short_name
from ...radiometry.products import Products
from ...reading.bands import descriptions_of
from ...scenes.scene import Scene, SceneBand

_LANGUAGE = DIALECTS[DialectChoice.BANDWISE]


def given_bands(rasters: Sequence[tuple[str, str]]) -> tuple[list[GivenBand], list[Raster]]:
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


def bands_of_scene(scene: Scene) -> tuple[list[GivenBand], list[Raster]]:
    """Every band of a scene with the roles that it has there, and its files for expressions, each
    called by the name of its band.
    """
    bands = dict[tuple[str, int], tuple[SceneBand, set[str]]]()
    for band in scene.bands:
        bands.setdefault((band.path, band.number), (band, set()))[1].add(band.role)
    paths = list(dict.fromkeys(path for path, _ in bands))
    given, inputs = list[GivenBand](), list[Raster]()
    for position, path in enumerate(paths):
        names = list[Union[BandName, None]]()
        for number in range(1, 1 + max(number for other, number in bands if other == path)):
            names.append(None)
            if (path, number) in bands:
                band, roles = bands[path, number]
                names[-1] = BandName(
                    band.name,
                    scene.sensor or scene.name,
                    frozenset(filter(None, roles)),
                    wavelength=band.wavelength,
                )
            given.append(GivenBand(position, number, path, names[-1]))
        words = tuple(band.name if band else "" for band in names)
        layer = words[0] if len(words) == 1 else Path(file_name(path)).stem
        inputs.append(Raster(layer, path, words, tuple(map(short_name, words))))
    return given, inputs


def _by_word(name: str, path: str) -> BandName | None:
    """What the name of a file or layer says where it is a word such as red."""
    return name_of_band(Path(file_name(path)).stem) or name_of_band(name)


def named_bands(
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
