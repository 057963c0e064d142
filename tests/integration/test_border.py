# SPDX-License-Identifier: GPL-2.0-or-later
"""The border: QGIS's vocabulary on one side, the engine's on the other, and nothing of one in the other."""

from __future__ import annotations

import ast
import enum
import re
from pathlib import Path

import pytest

pytest.importorskip("qgis.core")

from bandwise.algorithms.last_resort import sentence_of, translated
from bandwise.algorithms.shared.choices import choice_parameter, labels
from bandwise.algorithms.shared.labels import PARAMETERS, label
from bandwise.algorithms.shared.names import CompositeNames, IndexNames, ManyNames, Names
from bandwise.algorithms.shared.parameters import shared_parameters
from bandwise.engine.errors import OptionError
from bandwise.engine.messages import Field, Setting, translate
from bandwise.engine.radiometry.masks import MaskChoice, rule_of
from bandwise.engine.radiometry.scaling import Scaling

ENGINE = Path(__file__).resolve().parents[2] / "engine"
NAMES = [value for name, value in vars(Names).items() if name.isupper()]


def texts(path: Path) -> list[str]:
    """The literals of a file that people may read: not docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def test_the_engine_names_no_parameter() -> None:
    """Neither by the label of the dialog nor by the name in scripts."""
    shown = {f"“{each.description()}”" for each in shared_parameters(Scaling.AUTOMATIC)}
    for path in sorted(ENGINE.rglob("*.py")):
        for text in texts(path):
            assert not [each for each in shown if each in text], f"{path}: {text}"
            words = set(re.findall(r"[A-Z_]{3,}", text))
            assert not words & set(NAMES), f"{path}: {text}"
            assert not re.search(rf"\((?:{'|'.join(NAMES)})(?:=\d)?\)", text), f"{path}: {text}"


def test_every_field_has_a_parameter() -> None:
    assert set(PARAMETERS) == set(Field)
    own = {**vars(IndexNames), **vars(ManyNames), **vars(CompositeNames)}
    assert set(PARAMETERS.values()) <= {*NAMES, *(own[name] for name in own if name.isupper())}


def test_a_sentence_has_the_labels_of_the_dialog() -> None:
    text = translate("Bandwise", "set {setting}, or leave {area} empty").format(
        setting=Setting(Field.SCALING, Scaling.CUSTOM), area=Field.AREA
    )
    assert str(text) == "set scaling to custom, or leave area empty"
    assert translated(text) == (
        "set “Radiometry: scale and offset” to Custom (RADIOMETRY=2), or leave “Area of interest” (AOI) empty"
    )
    assert label(Field.MEMORY) == "“Machine: memory (MB)” (MEMORY)"


def test_an_error_knows_its_field() -> None:
    with pytest.raises(OptionError) as caught:
        rule_of(MaskChoice("/folder/clouds.tif"), "")
    assert caught.value.field is Field.MASK_RULE
    assert "choose in “Mask: values” (MASK_RULE) whether" in sentence_of(caught.value)
    assert OptionError("no sentence of ours").field is None


@pytest.mark.parametrize(
    "kind",
    sorted({type(member) for member in labels()}, key=lambda kind: kind.__name__),  # type: ignore[attr-defined]
)
def test_a_choice_has_a_label_for_every_member(kind: type[enum.Enum]) -> None:
    """QGIS hands over the number of an option: it is the member's value."""
    known = labels()
    options = choice_parameter("X", "x", kind).options()
    assert [member.value for member in sorted(kind, key=lambda each: each.value)] == list(
        range(len(kind))
    )
    assert options == [known[kind(number)] for number in range(len(kind))]
    assert len(set(options)) == len(kind)
