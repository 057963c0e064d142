# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that may complete what is typed before the cursor."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .parts import Part

_TYPED = re.compile(r'(?:"[^"\n]*|[A-Za-z_][\w.]*(?:@(?:"[^"\n]*|\w*))?)$', re.ASCII)
_LEAST_OF_DETAIL = 2  #: characters that have to be typed before words of the detail are compared
_MOST = 200


class Candidate(NamedTuple):
    """A ``text`` that can be inserted, what it is, and a ``detail`` for the reader."""

    text: str
    part: Part
    detail: str = ""


def typed_before(text: str, position: int) -> str:
    """Return the beginning of a name before the cursor; empty in a comment, or where there is none."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    if "#" in re.sub(r'"[^"]*"', "", line):
        return ""
    # what is before a quotation mark that closes a name is no beginning
    if line.count('"') % 2 == 0 and line.endswith('"'):
        return ""
    if line.count('"') % 2:
        at = line.rfind('"')
        letter = re.search(r"[A-Za-z_]\w*@$", line[:at], re.ASCII)
        return line[letter.start() if letter else at :]
    found = _TYPED.search(line)
    return found[0] if found else ""


def completions(typed: str, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates that begin with ``typed``, then those with a word of the detail that does."""
    start = typed.lower()
    first: list[Candidate] = []
    second: list[Candidate] = []
    for candidate in candidates:
        if candidate.text.lower().startswith(start):
            first.append(candidate)
        elif len(start) >= _LEAST_OF_DETAIL and _begins(start, candidate.detail):
            second.append(candidate)
    return (*first, *second)[:_MOST]


def _begins(start: str, detail: str) -> bool:
    return any(word.startswith(start) for word in re.split(r"[\s,;()]+", detail.lower()))


def spelled(name: str, band: int | str) -> str:
    """Return a band as it is written after a letter: ``A@2``, ``A@B08`` or ``A@"near infrared"``."""
    if isinstance(band, int) or re.fullmatch(r"[A-Za-z_]\w*", band, re.ASCII):
        return f"{name}@{band}"
    return f'{name}@"{band}"'


def unique(texts: Sequence[str]) -> frozenset[str]:
    """Return those texts that occur once, whatever their case, and can be written between quotes."""
    counts = Counter(text.lower() for text in texts)
    return frozenset(
        text for text in texts if text and counts[text.lower()] == 1 and '"' not in text
    )
