# SPDX-License-Identifier: GPL-2.0-or-later
"""Random and adversarial texts: answered or refused, in few steps."""

from __future__ import annotations

from contextlib import suppress

import pytest
from bandwise.engine.errors import ExpressionError
from bandwise.engine.expression.dialects import DialectChoice
from bandwise.engine.expression.names import dialect_of
from expression_cases import PIECES, REFERENCES, parsed, read_or_refused
from expression_trees import Tree
from hypothesis import given
from hypothesis import strategies as st
from properties_cases import by_dialect, steady, typed
from steps import steps


@by_dialect
def test_random_text_never_raises_anything_else(dialect: DialectChoice) -> None:
    @steady(300)
    @given(st.text(max_size=60))
    def check(text: str) -> None:
        read_or_refused(text, dialect)

    check()


@by_dialect
def test_random_pieces_of_the_language_never_raise_anything_else(dialect: DialectChoice) -> None:
    @steady(700)
    @given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["", " "]))
    def check(pieces: list[str], blank: str) -> None:
        read_or_refused(blank.join(pieces), dialect)

    check()


@by_dialect
def test_a_right_text_with_a_random_change_never_raises_anything_else(
    dialect: DialectChoice,
) -> None:
    @steady(200)
    @given(typed(dialect, depth=3), st.integers(0, 200), st.integers(0, 4), st.sampled_from(PIECES))
    def check(case: tuple[Tree, str], place: int, removed: int, piece: str) -> None:
        place = min(place, len(case[1]))
        read_or_refused(case[1][:place] + piece + case[1][place + removed :], dialect)

    check()


LENGTH = 10_000


ADVERSARIAL = {
    "sum": "A+", "numbers": "1+", "digits": "1", "dots": ".", "digits and dots": "1.",
    "dotted names": "a.", "names": "a", "unknown names": "foo + ",
    "at-signs": "@", "letters and at-signs": "A@", "references": "A@1+", "layers": '"scene@1"+',
    "bare layers": "scene@1 + ", "quotes": '"',
    "escaped quotes": '\\"', "apostrophes": "'", "signs": "-", "negations": "not ", "ones": "!",
    "inverts": "~", "plus and minus": "A-+",
    "questions": "A?", "ternaries": "A?B:", "opened": "(", "closed": ")", "both": "()",
    "calls": "abs(", "sums in calls": "abs(A+",
    "calls of two": "max(A,", "commas": ",", "arguments": "A,", "semicolons": ";", "results": "1;",
    "band results": "A;", "comments": "#",
    "lines of comments": "A+#x\n", "line breaks": "\n", "blanks": " ", "values": "A ",
    "comparisons": "A>1 and ", "chains": "A<", "powers": "A^",
    "double stars": "A**", "exponents": "1e", "huge": "1e9", "underscores": "1_",
    "hexadecimal": "0x1+", "accents": "é", "dashes": "A-",
    "slashes": "A/",
    "name runs with a band": "A-A-A@1+", "runs to a band": "-A@1",
    "runs of 255 to a band": "A-" * 120 + "A@1+", "colons": ":", "nulls": "\0",
    "assignments": "x:=", "shifts": "A<<", "words": "and ", "layers of dots": "a.b.c@",
    "far at-signs": "-" * 300 + "@1 ", "clips": "clip(A,1,2)+",
}  # fmt: skip


@by_dialect
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_an_adversarial_text_is_parsed_in_few_steps(dialect: DialectChoice, name: str) -> None:
    for tail in ("A", '"', "@1"):
        text = _repeated(ADVERSARIAL[name], LENGTH, tail)
        count = steps(lambda text=text: _refused(text, dialect))
        assert count < 80 * LENGTH


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_the_dialect_of_an_adversarial_text_is_told_in_few_steps(
    name: str,
) -> None:
    for front in ("", '"'):
        text = front + _repeated(ADVERSARIAL[name], LENGTH - 1, "A")
        count = steps(lambda text=text: dialect_of(text, REFERENCES))
        assert count < 10 * LENGTH


def _repeated(piece: str, length: int, tail: str) -> str:
    return (piece * (length // len(piece) + 1))[: length - len(tail)] + tail


def _refused(text: str, dialect: DialectChoice) -> None:
    with suppress(ExpressionError):
        parsed(text, dialect)
