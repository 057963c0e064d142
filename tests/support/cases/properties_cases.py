# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of properties have in common: rasters, tables and fixtures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bandwise.engine.compute.compiler import BandValue
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.names import Raster, RasterBands
from bandwise.engine.expression.parser import parse
from expression_text import Printer
from expression_trees import EVERY, NAMES, QGIS, TYPES, Tree, numbers
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


REFERENCES = [Raster(name, f"/none/{index}.tif", ("",)) for index, name in enumerate(NAMES)]


VALUES = [BandValue(np.dtype(dtype)) for dtype in TYPES]


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


def parsed(text: str, dialect: DialectChoice) -> tuple[Any, list[int]]:
    """The formula, and the raster that each of its bands is."""
    references = RasterBands(REFERENCES, layers_first=dialect is QGIS)
    formula = parse(text, DIALECTS[dialect], references)
    return formula, [raster for raster, _ in references.bands]
