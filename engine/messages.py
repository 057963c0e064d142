# SPDX-License-Identifier: GPL-2.0-or-later
"""Sentences that are English here and can be said again in the user's language at the border."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

from .credentials import without_credentials


class Field(enum.Enum):
    """An option of a run that a sentence is about; whoever talks to people puts its label in."""

    AREA = "area"
    BANDS = "bands"
    CLEAR_CLASSES = "clear classes"
    COG = "cog"
    CONSTANTS = "constants"
    END = "last day"
    FILE_KIND = "kind of file"
    GRID = "grid rule"
    HIGHEST = "highest value"
    INDEX = "index"
    INDICES = "indices"
    LOWEST = "lowest value"
    MASK_RULE = "mask rule"
    MEMORY = "memory"
    NAME_PATTERN = "name pattern"
    OFFSET = "offset"
    PERCENTILE = "percentile"
    REFERENCE = "reference"
    REPORT_FILE = "report file"
    SCALE = "scale"
    SCALING = "scaling"
    SCENES = "scenes"
    SOURCE_NODATA = "nodata"
    START = "first day"
    STATISTICS = "statistics"
    SUMMARY = "summary"
    WORKERS = "workers"

    def __str__(self) -> str:
        return self.value


class Setting(NamedTuple):
    """A choice of an option of a run."""

    field: Field
    choice: enum.Enum

    def __str__(self) -> str:
        return f"{self.field} to {self.choice.name.lower()}"

    def __format__(self, spec: str) -> str:
        return str(self)


class Text(str):
    """An English sentence that remembers its template and values; credentials in these are hidden, for all who read it.

    It is a plain ``str`` for everyone in the engine (files, tags, tests); whoever talks to people
    calls :meth:`in_language`.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, values: dict[str, Any]) -> Text:
        values = {
            name: without_credentials(value) if type(value) is str else value
            for name, value in values.items()
        }
        self = super().__new__(cls, str.format(template, **values))
        self.template = str(template)
        self.values = values
        return self

    def __reduce__(self) -> tuple[type[Text], tuple[str, dict[str, Any]]]:
        return Text, (self.template, self.values)

    @property
    def field(self) -> Field | None:
        """The option that the sentence is about, if any."""
        values = self.values.values()
        fields = (value.field if isinstance(value, Setting) else value for value in values)
        return next((field for field in fields if isinstance(field, Field)), None)

    def in_language(
        self,
        translated: Callable[[str], str],
        label: Callable[[Field | Setting], str] = str,
    ) -> str:
        """Return the sentence for people.

        Parameters
        ----------
        translated
            Translates the template, and those of the texts inside it.
        label
            Names an option, or a choice of one, as people meet it.
        """
        values = dict(self.values)
        for name, value in self.values.items():
            if isinstance(value, Text):
                values[name] = value.in_language(translated, label)
            elif isinstance(value, (Field, Setting)):
                values[name] = label(value)
        return translated(self.template).format(**values)


class Template(str):
    """A sentence with named gaps; ``format`` fills them."""

    def format(self, **values: Any) -> Text:  # type: ignore[override]
        return Text(self, values)


def translate(context: str, template: str) -> Template:
    """Mark a literal for Qt's message extraction; ``context`` is read by that tool alone."""
    del context
    return Template(template)


def join(texts: Sequence[Text]) -> Text:
    """One sentence from several clauses (at least one)."""
    return reduce(
        lambda first, second: translate("Bandwise", "{first}; {second}").format(
            first=first, second=second
        ),
        texts,
    )


def shown(name: str) -> str:
    """A name as a sentence can hold it: on one line, and not too long."""
    return " ".join(name.split())[:60]
