# SPDX-License-Identifier: GPL-2.0-or-later
"""A number on its way through the compiler: a value with the scale, shift and divisor that are not computed yet."""

from __future__ import annotations

import math
from typing import NamedTuple

from .program import Reference

LARGEST_EXACT = 2.0**24  #: up to here float32 holds every integer


class Term(NamedTuple):
    """A number that is ``scale * (value + shift) / divisor``, or a boolean; the operand is a value or a constant."""

    operand: Reference | float | bool
    scale: float = 1.0
    shift: float = 0.0
    divisor: float = 1.0

    @property
    def constant(self) -> float | None:
        return (
            None
            if isinstance(self.operand, Reference) or not math.isfinite(self.operand)
            else float(self.operand)
        )

    def shift_of(self, constant: float | None) -> float | None:
        """What to add before scale and divisor for a constant after them, where that is an integer."""
        if constant is None or (self.scale, self.divisor) == (1.0, 1.0):
            return None
        shift = quotient(constant * self.divisor, self.scale)
        return shift if shift.is_integer() and abs(shift) <= LARGEST_EXACT else None

    def times(self, factor: float, divisor: float = 1.0) -> Term | None:
        """The number times a constant, unless that is out of a number's range."""
        scale, divisor = self.scale * factor, self.divisor * divisor
        return (
            self._replace(scale=scale, divisor=divisor)
            if _is_sound(scale) and _is_sound(divisor)
            else None
        )


def quotient(offset: float, scale: float) -> float:
    """Return offset / scale, as the integer that it stands for where rounding alone keeps it from being one."""
    ratio = float(offset) / float(scale)
    if not math.isfinite(ratio):
        return ratio
    whole = float(round(ratio))
    return whole if math.isclose(ratio, whole, rel_tol=1e-15, abs_tol=0.0) else ratio


def _is_sound(factor: float) -> bool:
    return 1e-300 < abs(factor) < 1e300
