# SPDX-License-Identifier: GPL-2.0-or-later
"""The days of which scenes are wanted."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from ...errors import OptionError
from ...messages import Field, shown, translate


@dataclass(frozen=True)
class Period:
    """First and last day, ISO; empty for no limit."""

    start: str = ""
    end: str = ""

    def check(self) -> None:
        """Raise :class:`OptionError` for what is no date, and for a last day before the first."""
        for name, text in ((Field.START, self.start), (Field.END, self.end)):
            if text and not _is_date(text):
                message = translate(
                    "Bandwise", "{parameter} is a date such as 2024-05-31, not {text}."
                )
                raise OptionError(message.format(parameter=name, text=shown(text)))
        if self.start and self.end and self.end < self.start:
            message = translate(
                "Bandwise", "{end} is {last}, before {start}, which is {first}; exchange them."
            )
            facts = {"start": Field.START, "end": Field.END}
            raise OptionError(message.format(first=self.start, last=self.end, **facts))

    def holds(self, date: str) -> bool:
        """Return whether a day, ISO, lies in the period."""
        return (not self.start or self.start <= date) and (not self.end or date <= self.end)


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
