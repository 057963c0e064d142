# SPDX-License-Identifier: GPL-2.0-or-later
"""Sentences that are English here and can be said again in the user's language at the border."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from .credentials import without_credentials


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

    def in_language(self, translated: Callable[[str], str]) -> str:
        """The sentence with its template, and those of the texts inside it, passed through ``translated``."""
        values = {
            name: value.in_language(translated) if isinstance(value, Text) else value
            for name, value in self.values.items()
        }
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
