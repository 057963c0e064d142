# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of program have in common: rasters, tables and fixtures."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.compute.program import Evaluator, Program
from bandwise.engine.expression.names import named_formula

NAMES = ("nir", "red", "c", "d")


NDVI = "(nir - red) / (nir + red)"


ROUNDING = Fraction(1, 2**52)


def compiled(text: str, bands: list[BandValue]) -> Program:
    """The program of expressions, separated by ``;``, over bands called nir, red, c and d."""
    return compile_formula(named_formula(text, NAMES[: len(bands)]), bands)


def evaluate(program: Program, *stored: np.ndarray) -> list[np.ndarray]:
    registers = [
        np.full(stored[0].shape, True if dtype.kind == "b" else np.nan, dtype)
        for dtype in program.registers
    ]
    invalid = [np.zeros(stored[0].shape, bool) for _ in stored]
    with np.errstate(all="ignore"):
        out = np.empty((len(program.results), stored[0].size), program.dtype)
        Evaluator(program, registers).evaluate(stored, invalid, out)  # type: ignore[arg-type]
    return list(out)


def values(dtype: str, scale: float = 1.0, offset: float = 0.0) -> list[BandValue]:
    return [BandValue(np.dtype(dtype), scale, offset, nodata=False)] * 2


EVI = "2.5 * (nir/10000 - red/10000) / (nir/10000 + 6 * red/10000 - 7.5 * nir/10000 + 1)"
