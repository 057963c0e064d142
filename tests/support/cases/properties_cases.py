# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of properties have in common: settings and strategies of hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bandwise.engine.expression.dialects import DialectChoice
from expression_text import Printer
from expression_trees import EVERY, Tree, numbers
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

by_dialect = pytest.mark.parametrize("dialect", EVERY, ids=lambda choice: choice.name)


def steady(examples: int) -> Any:
    return settings(
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=examples,
        suppress_health_check=list(HealthCheck),
    )


class Drawn:
    """Choices of hypothesis."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw

    def of(self, things: Any) -> Any:
        return self.draw(st.sampled_from(things))

    def between(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    def coin(self) -> bool:
        return bool(self.draw(st.booleans()))


@st.composite
def typed(draw: Any, dialect: DialectChoice, *, depth: int = 4) -> tuple[Tree, str]:
    choose = Drawn(draw)
    tree = numbers(choose, dialect, choose.between(1, depth))
    return tree, Printer(dialect, choose).text(tree)
