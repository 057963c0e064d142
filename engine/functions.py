# SPDX-License-Identifier: GPL-2.0-or-later
"""The function table: what an expression may call, by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Function:
    """An element-wise function of an expression.

    ``pattern`` writes a call as text. ``correctly_rounded`` promises IEEE 754's nearest result in
    every floating-point type, which the transcendental functions do not give.
    """

    ufunc: np.ufunc
    pattern: str
    correctly_rounded: bool = False


FUNCTIONS: dict[str, Function] = {
    "add": Function(np.add, "({0} + {1})", correctly_rounded=True),
    "subtract": Function(np.subtract, "({0} - {1})", correctly_rounded=True),
    "multiply": Function(np.multiply, "({0} * {1})", correctly_rounded=True),
    "divide": Function(np.divide, "({0} / {1})", correctly_rounded=True),
}
