# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said of a text that cannot be read."""

from __future__ import annotations

import numpy as np
import pytest
from bandwise.engine.expression.dialects import DialectChoice
from language_cases import (
    GDAL_CALC,
    OTB,
    QGIS,
    Desk,
    desk,  # noqa: F401  fixtures
    marked,
)


def test_an_input_that_is_not_given_is_said_as_in_the_issue(desk: Desk) -> None:
    pair = desk.bench.save("two/B04.tif", np.ones((2, 1, 4), np.uint16))
    desk.rasters = [desk.rasters[0], ("red", pair)]
    text = "(A@1 - B@2) / (A@1 + C@1)"
    sentence = "there is no input C: two rasters are given (A = B08.tif, B = B04.tif)"
    assert desk.refusal(text) == f"(A@1 - B@2) / (A@1 + »C@1«)\n{sentence}"


MARKS = [
    ("A + foo", "foo"), ("A + foo * B", "foo"), ("sqroot(A)", "sqroot"),
    ("A + amax(B) - 1", "amax"), ("A.max()", "A.max"), ("A[0]", "["),
    ("A + 'x'", "'"),
    ("A $ B", "$"), ("A + × B", "×"), ("(A + B", "("), ("A + B)", ")"),
    ("sqrt(A, B)", "sqrt(A, B)"), ("A + min(B)", "min(B)"), ("A B", "B"),
    ("2 A", "A"),
    ("1,5", ","), ("A ? B", "?"), ("A : B", ":"), ("A + * B", "*"), ("1e999 + A", "1e999"),
    ("A@7 + 1", "A@7"), ("A & C", "A & C"), ("A + ~C", "~C"),
    ("sqrt()", "sqrt()"), ("A +", "+"), ("A => B", "=>"), ("sum(A, axis=0)", "axis"),
    ("os.system(A)", "os.system"), ("A < B < C", "<"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place"), MARKS)
def test_the_culprit_is_marked_in_the_text(desk: Desk, text: str, place: str) -> None:
    shown, sentence = marked(desk.refusal(text))
    assert shown == place
    assert sentence
    if text == "A < B < C":
        assert desk.refusal(text).split("\n")[0] == "A < B »<« C"


@pytest.mark.parametrize(("text", "place"), MARKS)
def test_in_the_third_line_of_a_text_only_that_line_is_shown(
    desk: Desk, text: str, place: str
) -> None:
    if text == "(A + B":
        return
    refusal = desk.refusal(f"x := A;  # the first\ny := x + 1;\n  z := {text}")
    assert refusal.split("\n")[0].replace("»", "").replace("«", "") == f"  z := {text}"
    assert marked(refusal)[0] == place


@pytest.mark.parametrize("before", [0, 1, 30, 500, 5000])
@pytest.mark.parametrize("after", [0, 1, 30, 500, 5000])
def test_of_a_very_long_line_the_part_around_the_culprit_is_shown(
    desk: Desk, before: int, after: int
) -> None:
    refusal = desk.refusal("A + " * before + "nonsense" + " + A" * after)
    assert marked(refusal)[0] == "nonsense"
    assert len(refusal.split("\n")[0]) <= 120


def test_the_mark_of_a_very_long_name_stays_short(desk: Desk) -> None:
    refusal = desk.refusal("A + " + "x" * 5000)
    assert len(refusal) < 600


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("sqroot(A)", "sqrt"),
        ("maximun(A, B)", "maximum"),
        ("wher(A, B, C)", "where"),
        ("arctan3(A, B)", "arctan2"),
        ("frist + 1", "first"),
        ("total := A; totl + 1", "total"),
    ],
)
def test_a_near_name_is_suggested(desk: Desk, text: str, meant: str) -> None:
    _, sentence = marked(desk.refusal(text))
    assert meant in sentence.partition("; is ")[2]


@pytest.mark.parametrize(
    ("text", "dialect", "write"),
    [
        ("A = B", GDAL_CALC, "=="),
        ("A = B", OTB, "=="),
        ("A & B", QGIS, "and"),
        ("A | B", OTB, "||"),
        ("A << 2", QGIS, "* 2^n"),
    ],
)
def test_a_sign_of_another_tool_is_answered_with_ones_own(
    desk: Desk, text: str, dialect: DialectChoice, write: str
) -> None:
    place, sentence = marked(desk.refusal(text, dialect))
    assert place == text.split()[1]
    assert sentence.endswith(f"write {write}")
