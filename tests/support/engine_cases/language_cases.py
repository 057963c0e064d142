# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of language have in common: rasters, tables and fixtures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.errors import ExpressionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.dialects import DialectChoice
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bench import Bench

STORED = RadiometryChoice(scaling=Scaling.STORED)


AUTOMATIC, BANDWISE, QGIS, GDAL_CALC, OTB = DialectChoice


class Desk:
    """Rasters A = 3, 0, 7, 2, B = 1, 0, 2, 8 (nodata 8), C = -1, 4, 0.5, 0 and what expressions make of them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.rasters = [
            ("first", bench.save("B08.tif", np.array([[3, 0, 7, 2]], np.uint16))),
            ("second layer", bench.save("B04.tif", np.array([[1, 0, 2, 8]], np.uint16), nodata=8)),
            ("third", bench.save("part.tif", np.array([[-1, 4, 0.5, 0]], np.float32))),
        ]

    def job(self, text: str, dialect: DialectChoice = AUTOMATIC, **options: Any) -> Any:
        options.setdefault("radiometry", STORED)
        return bandmath_job(
            self.rasters, text, self.bench.path("out.tif"), dialect=dialect, **options
        )

    def all(
        self, text: str, dialect: DialectChoice = AUTOMATIC, **options: Any
    ) -> list[list[float | None]]:
        """The first row of every result, None where nodata."""
        run(self.job(text, dialect, **options))
        return [
            [None if value == -9999 else float(value) for value in band[0]]
            for band in self.bench.read(self.bench.path("out.tif"), None)
        ]

    def __call__(
        self, text: str, dialect: DialectChoice = AUTOMATIC, **options: Any
    ) -> list[float | None]:
        (band,) = self.all(text, dialect, **options)
        return band

    def refusal(self, text: str, dialect: DialectChoice = BANDWISE) -> str:
        with pytest.raises(ExpressionError) as caught:
            run(self.job(text, dialect))
        assert not Path(self.bench.path("out.tif")).exists()
        return str(caught.value)


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


def marked(refusal: str) -> tuple[str, str]:
    """What a refusal marks in the text, and the sentence."""
    line, sentence = refusal.split("\n")
    assert (line.count("»"), line.count("«")) == (1, 1)
    return line.partition("»")[2].partition("«")[0], sentence
