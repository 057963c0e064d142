# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of a text, pairs of brackets, completion, and the help of every function."""

from __future__ import annotations

import pytest
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.editing.completion import (
    Candidate,
    completions,
    spelled,
    typed_before,
    unique,
)
from bandwise.engine.expression.editing.function_help import FUNCTION_HELP, OPERATORS, help_of
from bandwise.engine.expression.editing.parts import (
    Part,
    Vocabulary,
    bracket_pair,
    parts,
    results_named,
)
from bandwise.engine.expression.names import NamedBands
from bandwise.engine.expression.parser import parse

WORDS = Vocabulary(frozenset({"my layer-1"}), frozenset({"red", "nir"}), frozenset({"x"}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A@2", [("A@2", Part.BAND)]),
        ("A@B08*2.5e3", [("A@B08", Part.BAND), ("*", Part.OPERATOR), ("2.5e3", Part.NUMBER)]),
        ('"my layer@1"', [('"my layer@1"', Part.LAYER)]),
        ('A@"near infrared"', [('A@"near infrared"', Part.BAND)]),
        ("im1b2", [("im1b2", Part.BAND)]),
        ("nir-Red", [("nir", Part.BAND), ("-", Part.OPERATOR), ("Red", Part.BAND)]),
        ("np.sqrt (A)", [("np.sqrt", Part.FUNCTION), ("(", Part.BRACKET), ("A", Part.BAND), (")", Part.BRACKET)]),
        ("wrong(A)", [("wrong", Part.UNKNOWN), ("(", Part.BRACKET), ("A", Part.BAND), (")", Part.BRACKET)]),
        ("x := pi # (", [("x", Part.RESULT), (":=", Part.OPERATOR), ("pi", Part.NUMBER), ("# (", Part.COMMENT)]),
        ("not x", [("not", Part.OPERATOR), ("x", Part.RESULT)]),
        ('"open\nA', [('"open', Part.UNKNOWN), ("A", Part.BAND)]),
        ("§ word", [("§", Part.UNKNOWN), ("word", Part.UNKNOWN)]),
        ("", []),
    ],
)  # fmt: skip
def test_parts_of_a_text(text: str, expected: list[tuple[str, Part]]) -> None:
    found = list(parts(text, WORDS))
    assert [(text[span.start : span.end], span.part) for span in found] == expected


def test_parts_cover_every_text_and_follow_each_other() -> None:
    """Whatever is typed: parts do not overlap, and between them are blanks alone."""
    hostile = '(A@1+"b@2")#c\n; x:=§§ 1e999 .5. A@ @2 \x00 ""\t<<>>:= "q'
    for end in range(len(hostile) + 1):
        text, at = hostile[:end], 0
        for span in parts(text, WORDS):
            assert not text[at : span.start].strip() and span.end > span.start
            at = span.end
        assert not text[at:].strip()


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("(A)", {0: (0, 2), 1: (0, 2), 2: (2, 0), 3: (2, 0)}),
        ("((A)", {0: (0, None), 1: (0, None), 2: (1, 3)}),
        ("A)", {1: (1, None), 2: (1, None)}),
        ('"(" )', {2: None, 5: (4, None)}),
        ("A # )", {5: None}),
        ("A + B", {0: None, 3: None}),
    ],
)
def test_the_bracket_that_belongs_to_another(text: str, pairs: dict[int, object]) -> None:
    assert {position: bracket_pair(text, position) for position in pairs} == pairs


def test_results_that_are_named_before() -> None:
    text = "a := A; # b := no\nb:=a * 2;\n c := b == a; d"
    assert results_named(text) == ("a", "b", "c")
    assert results_named(text, text.index("b:=")) == ("a",)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("A + sq", "sq"),
        ("A@", "A@"),
        ("A@B0", "A@B0"),
        ('A@"near in', 'A@"near in'),
        ('1 + "my la', '"my la'),
        ('"my layer@1"', ""),
        ("A + ", ""),
        ("A # sq", ""),
        ("# note\nsq", "sq"),
        ("12", ""),
    ],
)
def test_what_is_typed_before_the_cursor(text: str, typed: str) -> None:
    assert typed_before(text, len(text)) == typed


def test_completion_by_name_then_by_what_it_is() -> None:
    names = [
        Candidate("A@1", Part.BAND, "B04, red"),
        Candidate("A@2", Part.BAND, "B08, near infrared"),
        Candidate("reciprocal", Part.FUNCTION, "1 / a"),
    ]
    assert [each.text for each in completions("re", names)] == ["reciprocal", "A@1"]
    assert [each.text for each in completions("a@", names)] == ["A@1", "A@2"]
    assert [each.text for each in completions("infra", names)] == ["A@2"]
    assert completions("zz", names) == ()


def test_bands_are_spelled_as_the_language_reads_them() -> None:
    assert spelled("A", 2) == "A@2"
    assert spelled("A", "B08") == "A@B08"
    assert spelled("A", "near infrared") == 'A@"near infrared"'
    assert unique(["B1", "b1", "B2", "", 'a"b']) == {"B2"}


@pytest.mark.parametrize("choice", list(DIALECTS))
def test_every_function_has_help_and_an_example_that_is_read(choice: DialectChoice) -> None:
    for name in DIALECTS[choice].functions:
        entry = help_of(name)
        assert entry is not None, name
        assert entry.name in entry.example and entry.name in DIALECTS[choice].functions
        if choice is not DialectChoice.QGIS or "&" not in entry.example:
            assert parse(entry.example, DIALECTS[choice], NamedBands(["A", "B"])).bands()
    assert help_of("nothing") is None


def test_help_names_no_function_twice_and_none_that_is_missing() -> None:
    names = [
        name
        for entries in FUNCTION_HELP.values()
        for entry in entries
        for name in (entry.name, *entry.aliases)
    ]
    assert sorted(names) == sorted(DIALECTS[DialectChoice.BANDWISE].functions)


def test_every_operator_for_the_mouse_is_one() -> None:
    language = DIALECTS[DialectChoice.BANDWISE]
    signs = {sign for sign, _ in OPERATORS} - {":=", ";"}
    assert signs <= {*language.infix, *language.prefix}
