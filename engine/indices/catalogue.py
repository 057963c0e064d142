# SPDX-License-Identifier: GPL-2.0-or-later
"""The indices that can be computed: those of ``resources/indices.json``, and the user's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Union

from ..errors import ExpressionError
from ..expression.dialects import DIALECTS, DialectChoice
from ..expression.formula import Band, Formula
from ..expression.names import NamedBands
from ..expression.parser import parse
from ..messages import Text, shown, translate
from ..radiometry.roles import ROLES

TABLE = Path(__file__).parents[2] / "resources" / "indices.json"
_LARGEST_FILE = 1_000_000  #: bytes of a user's own file
_LARGEST_CONSTANT = 1e300
_MOST_WARNINGS = 20  #: of entries that are left out
_LANGUAGE = DIALECTS[DialectChoice.BANDWISE]

#: A number; the name of a role, for its band's central wavelength in nm; None where it has to be given.
Default = Union[float, str, None]


@dataclass(frozen=True)
class Index:
    """An index: ``formula`` is a Bandwise expression over ``bands``, which are roles, and ``constants``.

    ``source`` is the address of the paper, ``kernel`` the kernel of a kernel index, ``note`` what
    differs from the list or the paper, ``style`` a file of ``resources/styles`` without its suffix.
    """

    name: str
    formula: str
    bands: tuple[str, ...]
    long_name: str = ""
    domain: str = ""
    constants: Mapping[str, Default] = field(default_factory=dict)
    source: str = ""
    kernel: str = ""
    note: str = ""
    style: str = ""

    @property
    def doi(self) -> str:
        """The DOI of the source; empty where it has none."""
        _, found, doi = self.source.partition("doi.org/")
        return doi if found else ""


@dataclass(frozen=True)
class Catalogue:
    """Indices by name, and ``warnings``, a sentence for each entry of the user's file that is left out.

    ``refused`` has these sentences by the entry's name in small letters, that of the whole file by "".
    """

    indices: Mapping[str, Index]
    warnings: tuple[Text, ...] = ()
    refused: Mapping[str, Text] = field(default_factory=dict)


@lru_cache(maxsize=1)
def listed_indices() -> Mapping[str, Index]:
    """Return the indices of the table."""
    rows = json.loads(TABLE.read_text("utf-8"))["indices"]
    return {row["name"]: Index(**{**row, "bands": tuple(row["bands"])}) for row in rows}


def load_catalogue(own_file: str = "") -> Catalogue:
    """Return the table's indices and those of the user's file, if there is one.

    The file is a JSON list. An entry is a text, ``name := expression`` over roles, or an object with
    that text as ``expression`` and any of ``long_name``, ``domain``, ``constants`` and ``source``.
    """
    indices = dict(listed_indices())
    if not own_file or not Path(own_file).exists():
        return Catalogue(indices)
    entries = _entries(own_file)
    if isinstance(entries, Text):
        return Catalogue(indices, (entries,), {"": entries})
    names = {name.lower(): name for name in indices}
    warnings, refused = list[Text](), dict[str, Text]()
    for number, entry in enumerate(entries, start=1):
        index = _own_index(entry)
        if isinstance(index, Index) and index.name.lower() in names:
            text = translate("Bandwise", "there is an index {name} already; choose another name")
            index = text.format(name=names[index.name.lower()])
        if isinstance(index, Text):
            text = translate(
                "Bandwise", "Entry {number} of your indices in {file} is left out: {reason}"
            )
            warnings.append(text.format(number=number, file=own_file, reason=index))
            refused[_name_of(entry)] = warnings[-1]
        else:
            indices[index.name] = index
            names[index.name.lower()] = index.name
    more = len(warnings) - _MOST_WARNINGS
    if more > 0:
        text = translate("Bandwise", "{count} more entries of your indices in {file} are left out")
        warnings[_MOST_WARNINGS:] = [text.format(count=more, file=own_file)]
    refused.pop("", None)
    return Catalogue(indices, tuple(warnings), refused)


def _entries(path: str) -> list[Any] | Text:
    """The entries of a user's file, or why there are none."""
    reason = translate("Bandwise", "it is larger than 1 MB").format()
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
        if len(data) <= _LARGEST_FILE:
            entries = json.loads(data.decode("utf-8-sig"))  # Windows's editors write the mark
            if isinstance(entries, list):
                return entries
            text = translate("Bandwise", "it is no list; write {example}")
            reason = text.format(example='["name := (nir - red) / (nir + red)"]')
    except OSError as error:
        text = translate("Bandwise", "it cannot be read ({error})")
        reason = text.format(error=error.strerror or shown(str(error)))
    except (ValueError, RecursionError) as error:
        text = translate("Bandwise", "it is no list in JSON of UTF-8 ({error}); correct it")
        reason = text.format(error=shown(str(error)))
    text = translate("Bandwise", "Your indices in {file} are not used: {reason}")
    return text.format(file=path, reason=reason)


def _name_of(entry: Any) -> str:
    """The name that an entry gives, in small letters; empty for none."""
    expression = entry.get("expression") if isinstance(entry, dict) else entry
    name, assigned, _ = expression.partition(":=") if isinstance(expression, str) else ("", "", "")
    return name.strip().lower() if assigned else ""


def _own_index(entry: Any) -> Index | Text:
    """An entry of a user's file as an index, or why it is none."""
    entry = {"expression": entry} if isinstance(entry, str) else entry
    expression = entry.get("expression") if isinstance(entry, dict) else None
    if not isinstance(expression, str):
        return translate(
            "Bandwise", "it is no text such as “name := (nir - red) / (nir + red)”"
        ).format()
    constants = entry.get("constants", {})
    texts = [entry.get(key, "") for key in ("long_name", "domain", "source")]
    if not _are_constants(constants) or not all(isinstance(text, str) for text in texts):
        return translate(
            "Bandwise",
            "its constants are no numbers by names of their own, or its other fields no texts",
        ).format()
    names = [*ROLES, *constants]
    try:
        formula = parse(expression, _LANGUAGE, NamedBands(names))
    except ExpressionError as error:
        text = error.args[0]
        return text.values.get("message", text) if isinstance(text, Text) else Text("{}", {})
    name, assigned, right = expression.partition(":=")
    if not assigned or len(formula.results) != 1:
        return translate("Bandwise", "it is no single “name := expression”").format()
    return Index(
        name=name.strip(),
        formula=_without_comments(right),
        bands=_roles_of(formula, names),
        constants=constants,
        long_name=texts[0],
        domain=texts[1],
        source=texts[2],
    )


def _without_comments(text: str) -> str:
    lines = [line.partition("#")[0] for line in text.splitlines()]
    return " ".join(" ".join(lines).split()).rstrip("; ")


def _are_constants(constants: Any) -> bool:
    taken = {*ROLES, *_LANGUAGE.functions}
    return isinstance(constants, dict) and all(
        type(value) in (int, float)
        and abs(value) <= _LARGEST_CONSTANT
        and name.isidentifier()
        and name not in taken
        for name, value in constants.items()
    )


def _roles_of(formula: Formula, names: list[str]) -> tuple[str, ...]:
    """The roles that a formula over ``names`` uses."""
    used = [names[node.index] for node in formula.nodes if isinstance(node, Band)]
    return tuple(name for name in used if name in ROLES)
