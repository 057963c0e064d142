# SPDX-License-Identifier: GPL-2.0-or-later
"""Colours of the styles, as people see them who cannot tell red from green."""

from __future__ import annotations

import itertools
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from color_vision import LEAST, SEEN, lab

pytestmark = pytest.mark.pure

STYLES = sorted((Path(__file__).resolve().parents[1] / "resources" / "styles").glob("*.qml"))


def classes(path: Path) -> list[tuple[float, str]]:
    """Value and colour (#rrggbb) of each class of a style."""
    items = ElementTree.parse(path).iter("item")
    return [(float(item.attrib["value"]), item.attrib["color"]) for item in items]


@pytest.mark.parametrize("kind", SEEN)
@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_classes_are_told_apart_without_red_and_green(path: Path, kind: str) -> None:
    assert len(classes(path)) >= 5
    for (value, color), (other, second) in itertools.combinations(classes(path), 2):
        apart = float(np.linalg.norm(lab(color, SEEN[kind]) - lab(second, SEEN[kind])))
        assert apart >= LEAST, f"{value:g} and {other:g} look alike"
