# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of a text for highlighting, and the bracket that belongs to another one."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import NamedTuple

from ..dialects import BANDWISE, Dialect
from ..functions import CONSTANTS, MODULES
from ..lexer import Lexer

_COMMENT = re.compile(r"#[^\n]*")
_BANDS = re.compile(r"im\d+b\d+|[A-Za-z]{1,2}", re.IGNORECASE | re.ASCII)
_NO_CODE = re.compile(r'"[^"\n]*"|#[^\n]*')
_NAMED = re.compile(r"(?:^|;)\s*([A-Za-z_]\w*)\s*:=", re.ASCII)
_OPERATORS = frozenset({"and", "or", "not"})
_LONGEST_MATCHED = 20_000  #: characters; brackets of longer texts are not matched


class Part(enum.Enum):
    """What a part of a text is."""

    BAND = "band"
    LAYER = "layer"
    RESULT = "result"
    FUNCTION = "function"
    NUMBER = "number"
    OPERATOR = "operator"
    BRACKET = "bracket"
    COMMENT = "comment"
    UNKNOWN = "unknown"


class Span(NamedTuple):
    """A ``part`` of a text from ``start`` to ``end``."""

    start: int
    end: int
    part: Part


class Vocabulary(NamedTuple):
    """Names that have a meaning: of ``layers``, of bands that have a name of their own, of earlier ``results``."""

    layers: frozenset[str] = frozenset()
    bands: frozenset[str] = frozenset()
    results: frozenset[str] = frozenset()
    dialect: Dialect = BANDWISE


def parts(text: str, vocabulary: Vocabulary) -> Iterator[Span]:
    """Yield the parts of a text in their order, blanks left out; a text with errors has parts, too."""
    lexer = Lexer(text)
    while True:
        start = lexer.position
        lexer.skip_blank()
        for comment in _COMMENT.finditer(text, start, lexer.position):
            yield Span(comment.start(), comment.end(), Part.COMMENT)
        if lexer.at_end():
            return
        start = lexer.position
        part = _part(lexer, vocabulary)
        lexer.position = max(lexer.position, start + 1)
        yield Span(start, lexer.position, part)


def _part(lexer: Lexer, vocabulary: Vocabulary) -> Part:
    """Read one part, and return what it is."""
    character = lexer.character()
    if character == '"':
        return _layer(lexer)
    bare = lexer.bare_layer() if vocabulary.layers else None
    if bare and bare[0] in vocabulary.layers:
        lexer.position = bare[2]
        return Part.LAYER
    if (character.isdigit() or character == ".") and lexer.number() is not None:
        return Part.NUMBER
    word = lexer.word()
    if word:
        return _word(lexer, word, vocabulary)
    sign = lexer.sign()
    lexer.position += len(sign)
    if not sign:
        return Part.UNKNOWN
    return Part.BRACKET if sign in "()" else Part.OPERATOR


def _layer(lexer: Lexer) -> Part:
    """Read a name in quotes, up to the end of the line where they are not closed."""
    if lexer.quoted() is None:
        end = lexer.text.find("\n", lexer.position)
        lexer.position = end if end >= 0 else len(lexer.text)
        return Part.UNKNOWN
    lexer.band()
    return Part.LAYER


def _word(lexer: Lexer, word: str, vocabulary: Vocabulary) -> Part:
    lower = word.lower()
    lexer.position += len(word)
    if lower in _OPERATORS:
        return Part.OPERATOR
    if lexer.character() == "." and lower in MODULES:
        lexer.position -= len(word)
        lexer.position += len(lexer.word(dotted=True) or word)
        return Part.FUNCTION
    if lexer.precedes("(", lexer.position):
        return Part.FUNCTION if lower in vocabulary.dialect.functions else Part.UNKNOWN
    if lower in CONSTANTS and lexer.character() != "@":
        return Part.NUMBER
    if word in vocabulary.results or lexer.precedes(":=", lexer.position):
        return Part.RESULT
    lexer.band()
    known = lower in vocabulary.bands or word in vocabulary.layers or _BANDS.fullmatch(word)
    return Part.BAND if known else Part.UNKNOWN


def results_named(text: str, end: int | None = None) -> tuple[str, ...]:
    """Return the names of the results that are named in ``text`` up to ``end``."""
    found = _NAMED.finditer(_NO_CODE.sub(" ", text[:end]))
    return tuple(dict.fromkeys(match[1] for match in found))


def bracket_pair(text: str, position: int) -> tuple[int, int | None] | None:
    """Return the position of the bracket at or before the cursor, and of the other one of the pair.

    None where no bracket is beside the cursor; the other one is None where it is missing.
    """
    if len(text) > _LONGEST_MATCHED or not set(text[max(position - 1, 0) : position + 1]) & {*"()"}:
        return None
    waiting: list[int] = []
    other: dict[int, int | None] = {}
    for span in parts(text, Vocabulary()):
        if span.part is not Part.BRACKET:
            continue
        if text[span.start] == "(":
            waiting.append(span.start)
            other[span.start] = None
        else:
            opened = waiting.pop() if waiting else None
            other[span.start] = opened
            if opened is not None:
                other[opened] = span.start
    for bracket in (position - 1, position):
        if bracket in other:
            return bracket, other[bracket]
    return None
