# SPDX-License-Identifier: GPL-2.0-or-later
"""Saved expressions in their file: nothing is lost, whatever the file holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.names import NamedBands
from bandwise.engine.expression.parser import parse
from bandwise.gui.expression.saved import MOST_RECENT, Saved, SavedExpressions, shipped


def test_saved_expressions_in_their_file(tmp_path: Path) -> None:
    path = tmp_path / "profile" / "expressions.json"
    store, other = SavedExpressions(str(path)), SavedExpressions(str(path))
    assert store.load()[0].saved == () and store.load()[1] is None
    store.save(Saved("ä", "A", "description", ("tag",)))
    other.save(Saved("b", "B"))
    store.save(Saved("ä", "A * 2"))
    assert [each.expression for each in other.load()[0].saved] == ["B", "A * 2"]
    for number in [*range(30), 3]:
        store.use(f"A + {number}")
    store.use("  ")
    recent = other.load()[0].recent
    assert recent[:2] == ("A + 3", "A + 29") and len(recent) == MOST_RECENT == len(set(recent))
    store.delete("b")
    assert [each.name for each in store.load()[0].saved] == ["ä"]
    assert [file.name for file in path.parent.iterdir()] == ["expressions.json"]


def test_an_import_keeps_what_is_there(tmp_path: Path) -> None:
    store = SavedExpressions(str(tmp_path / "a.json"))
    store.save(Saved("x", "A"))
    SavedExpressions(str(tmp_path / "b.json")).save(Saved("x", "B"))
    assert store.import_file(str(tmp_path / "b.json")) == 1
    assert store.import_file(str(tmp_path / "b.json")) == 0
    saved = {each.name: each.expression for each in store.load()[0].saved}
    assert saved == {"x": "A", "x (2)": "B"}


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"version": 2, "expressions": []}',
        b'{"version": 1}',
        b'{"version": 1, "expressions": [{"name": "x"}]}',
        b'{"version": 1, "expressions": [{"name": "x", "expression": 3}]}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_a_sentence_and_is_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "expressions.json"
    path.write_bytes(content)
    store = SavedExpressions(str(path))
    found, problem = store.load()
    assert found.saved == () and problem is not None and str(path) in problem
    assert path.read_bytes() == content
    note = store.save(Saved("x", "A"))
    kept = tmp_path / "expressions.damaged1.json"
    assert note is not None and str(kept) in note and kept.read_bytes() == content
    assert json.loads(path.read_text("utf-8"))["expressions"][0]["name"] == "x"


def test_examples_are_read_by_the_engine() -> None:
    for saved in shipped():
        formula = parse(
            saved.expression, DIALECTS[DialectChoice.BANDWISE], NamedBands(["A", "B", "C"])
        )
        assert formula.results and saved.name and saved.description and saved.tags
    assert len({saved.name for saved in shipped()}) == len(shipped()) > 10
