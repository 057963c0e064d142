# SPDX-License-Identifier: GPL-2.0-or-later
"""From names of indices to their formulas with numbers for constants, for the bands that there are."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from ..errors import OptionError
from ..messages import Field, Text, shown, translate
from ..radiometry.roles import ROLES_BY_CODE, role_text
from .catalogue import Catalogue, Index

_MOST_NEAR = 5  #: names that are suggested
_NORMALISED = re.compile(r"\((\w+) - (\w+)\) / \(\1 \+ \2\)")


@dataclass(frozen=True)
class Chosen:
    """An index with the numbers of its constants; ``expression`` is its formula with them in place."""

    index: Index
    constants: dict[str, float]
    expression: str

    @property
    def valid_range(self) -> tuple[float, float] | None:
        """The range of a normalised difference of reflectances; None where none is known."""
        return (-1.0, 1.0) if _NORMALISED.fullmatch(self.expression) else None


def chosen_indices(catalogue: Catalogue, names: str) -> list[Index]:
    """Return the indices of a text such as ``NDVI;EVI;NBR``, in its order, each once.

    Raises :class:`OptionError` for none, and for one that does not exist.
    """
    asked = dict.fromkeys(filter(None, map(str.strip, re.split(r"[;,\n]", names))))
    if not asked:
        text = translate("Bandwise", "{indices} is empty; give names such as NDVI;EVI;NBR.")
        raise OptionError(text.format(indices=Field.INDICES))
    return list(
        {index.name: index for index in (_named(catalogue, name) for name in asked)}.values()
    )


def _named(catalogue: Catalogue, name: str) -> Index:
    if name in catalogue.indices:
        return catalogue.indices[name]
    alike = [each for each in catalogue.indices if each.lower() == name.lower()]
    if len(alike) == 1:
        return catalogue.indices[alike[0]]
    near = alike or near_names(catalogue, name)
    text = translate("Bandwise", "There is no index {name}; near names are {near}.")
    if not near:
        text = translate("Bandwise", "There is no index {name}; docs/indices.md lists them.")
    sentence = text.format(name=shown(name), near=", ".join(near))
    reason = catalogue.refused.get(name.lower(), catalogue.refused.get(""))
    if reason:
        both = translate("Bandwise", "{sentence} {reason}.")
        sentence = both.format(sentence=sentence, reason=reason)
    raise OptionError(sentence)


def near_names(catalogue: Catalogue, text: str) -> list[str]:
    """Return the names that are spelled nearly so, then those of indices whose long name holds the text."""
    lower = {name.lower(): name for name in catalogue.indices}
    spelled = [lower[name] for name in difflib.get_close_matches(text.lower(), lower, _MOST_NEAR)]
    words = " ".join(text.lower().replace("_", " ").split())
    described = [
        index.name for index in catalogue.indices.values() if words in index.long_name.lower()
    ]
    return list(dict.fromkeys([*spelled, *described]))[:_MOST_NEAR]


def missing_role(index: Index, bands: Container[str]) -> str:
    """Return the first role that an index needs and that is not among ``bands``; empty for none."""
    return next((role for role in index.bands if role not in bands), "")


def check_bands(
    indices: Sequence[Index], bands: Mapping[str, object], unsure: Mapping[str, Text]
) -> None:
    """Raise :class:`OptionError` for an index that the ``bands``, by role, do not allow.

    ``unsure`` names the bands that may have a role, where none is sure.
    """
    for index in indices:
        role = missing_role(index, bands)
        if not role:
            continue
        facts = {"name": index.name, "role": role, "words": role_text(role), "bands": Field.BANDS}
        if role in unsure:
            text = translate(
                "Bandwise",
                "{name} needs the band {role} ({words}), which may be {candidates}; say which in "
                "{bands}, such as {role}=A.",
            )
            raise OptionError(text.format(**facts, candidates=unsure[role]))
        text = translate(
            "Bandwise",
            "{name} needs the band {role} ({words}), and the bands that are recognised are {given}; "
            "add its raster, or name it in {bands}, such as {role}=A@2.",
        )
        given = ", ".join(bands) or translate("Bandwise", "none").format()
        raise OptionError(text.format(**facts, given=given))


def with_constants(
    indices: Sequence[Index], text: str, wavelengths: Mapping[str, float | None]
) -> list[Chosen]:
    """Put numbers in place of constants: those of ``text``, such as ``L=0.5; SAVI.L=1``, else the defaults.

    ``wavelengths`` are the central wavelengths in nm of the bands, by role. Raises
    :class:`OptionError` for a constant that no index has, and for one that has to be given.
    """
    given = _given_constants(text)
    known = {
        key
        for index in indices
        for name in index.constants
        for key in (name, f"{index.name}.{name}")
    }
    for name in given:
        if name not in known:
            message = translate(
                "Bandwise",
                "{constants}: none of the indices has a constant {name}; theirs are {known}.",
            )
            theirs = ", ".join(sorted(key for key in known if "." not in key))
            raise OptionError(
                message.format(
                    constants=Field.CONSTANTS,
                    name=shown(name),
                    known=theirs or translate("Bandwise", "none").format(),
                )
            )
    chosen = []
    for index in indices:
        constants = {name: _value(index, name, given, wavelengths) for name in index.constants}
        chosen.append(Chosen(index, constants, _substituted(index.formula, constants)))
    return chosen


def _given_constants(text: str) -> dict[str, float]:
    given = {}
    for part in filter(None, map(str.strip, re.split(r"[;\n]", text))):
        name, _, number = part.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            message = translate(
                "Bandwise", "{constants}: {part} is not understood; write L=0.5; g=2.5."
            )
            raise OptionError(message.format(constants=Field.CONSTANTS, part=shown(part)))
        given[name.strip()] = value
    return given


def _value(
    index: Index, name: str, given: Mapping[str, float], wavelengths: Mapping[str, float | None]
) -> float:
    default = index.constants[name]
    if isinstance(default, str):
        default = wavelengths.get(default)
    value = given.get(f"{index.name}.{name}", given.get(name, default))
    if value is None:
        role = index.constants[name]
        text = translate(
            "Bandwise",
            "{index} needs the constant {name}; give it in {constants}, such as {name}=1.",
        )
        if role:
            text = translate(
                "Bandwise",
                "{index} needs {name}, the central wavelength of the band {role} in nm, and its sensor is "
                "not known; give it in {constants}, such as {name}=865.",
            )
        raise OptionError(
            text.format(index=index.name, name=name, role=role, constants=Field.CONSTANTS)
        )
    return float(value)


def _substituted(formula: str, constants: Mapping[str, float]) -> str:
    if not constants:
        return formula
    names = re.compile(r"(?<![\w.])(" + "|".join(map(re.escape, constants)) + r")(?!\w)")
    return names.sub(lambda match: _literal(constants[match[1]]), formula)


def _literal(value: float) -> str:
    text = repr(value).removesuffix(".0")
    return f"({text})" if value < 0 else text


def role_of(word: str) -> str:
    """Return the role of a name that a user gives: a role, or its code in the list; empty for neither."""
    word = word.strip()
    if word in ROLES_BY_CODE:
        return ROLES_BY_CODE[word]
    return word.lower() if word.lower() in ROLES_BY_CODE.values() else ""
