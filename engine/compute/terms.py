# SPDX-License-Identifier: GPL-2.0-or-later
"""Terms of the compiler: values with a scale, a shift and a divisor that are not applied yet."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..expression.functions import BOOLEAN, FUNCTIONS, Range
from .program import Reference
from .registers import Applied, Loaded, Operand, Value

LARGEST_EXACT = 2.0**24  #: float32 represents every integer up to this one


class Term(NamedTuple):
    """A number that is ``scale * (value + shift) / divisor``, or a boolean; the operand is a value or a constant."""

    operand: Reference | float | bool
    scale: float = 1.0
    shift: float = 0.0
    divisor: float = 1.0

    @property
    def constant(self) -> float | None:
        """The value of a finite constant, else None."""
        return (
            None
            if isinstance(self.operand, Reference) or not math.isfinite(self.operand)
            else float(self.operand)
        )

    def shift_of(self, constant: float | None) -> float | None:
        """Return the shift for adding a constant to the term; None unless that is an integer."""
        if constant is None or (self.scale, self.divisor) == (1.0, 1.0):
            return None
        shift = quotient(constant * self.divisor, self.scale)
        return shift if shift.is_integer() and abs(shift) <= LARGEST_EXACT else None

    def times(self, factor: float, divisor: float = 1.0) -> Term | None:
        """Return the term times a constant; None if a factor would be out of range."""
        scale, divisor = self.scale * factor, self.divisor * divisor
        return (
            self._replace(scale=scale, divisor=divisor)
            if _is_sound(scale) and _is_sound(divisor)
            else None
        )


def quotient(offset: float, scale: float) -> float:
    """Return offset / scale, rounded to an integer if it differs from it by a rounding error only."""
    ratio = float(offset) / float(scale)
    if not math.isfinite(ratio):
        return ratio
    integer = float(round(ratio))
    return integer if math.isclose(ratio, integer, rel_tol=1e-15, abs_tol=0.0) else ratio


def _is_sound(factor: float) -> bool:
    return 1e-300 < abs(factor) < 1e300


def exact_in_float32(numbers: Range | None) -> bool:
    """Return whether float32 represents all numbers of a range."""
    return numbers is not None and numbers.grains <= LARGEST_EXACT


class TermBuilder:
    """Builds values in single-assignment form from terms; equal ones are built once.

    ``single`` is set as long as all of them are exact in float32.
    """

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.single = True
        self.references: dict[object, Reference] = {}

    def sum(self, name: str, a: Term, b: Term) -> Term:
        """Return a sum or difference; a common scale and divisor is not applied."""
        if (a.scale, a.divisor) == (b.scale, b.divisor):
            shift = a.shift + b.shift if name == "add" else a.shift - b.shift
            return Term(self.call(name, self.bare(a), self.bare(b)), a.scale, shift, a.divisor)
        if (after := a.shift_of(b.constant)) is not None:
            return a._replace(shift=a.shift + after if name == "add" else a.shift - after)
        if (before := b.shift_of(a.constant)) is not None:
            return b._replace(
                operand=self.call(
                    name, before + b.shift if name == "add" else before - b.shift, self.bare(b)
                ),
                shift=0.0,
            )
        if a.divisor == b.divisor:
            return Term(self.call(name, self.numerator(a), self.numerator(b)), divisor=a.divisor)
        return Term(self.call(name, self.number(a), self.number(b)))

    def product(self, name: str, a: Term, b: Term) -> Term:
        """Return a product or quotient without scales and divisors, which are combined as constants."""
        scaled = None
        if b.constant is not None and a.constant is None:
            scaled = a.times(b.constant) if name == "multiply" else a.times(1.0, b.constant)
        elif a.constant is not None and b.constant is None and name == "multiply":
            scaled = b.times(a.constant)
        if scaled is not None:
            return scaled
        factors = (b.scale, b.divisor) if name == "multiply" else (b.divisor, b.scale)
        both = a.times(*factors)
        if both is None:
            return Term(self.call(name, self.number(a), self.number(b)))
        product = self.call(name, self.shifted(a), self.shifted(b))
        if name == "divide" or both.scale == both.divisor:
            return Term(product, both.scale / both.divisor)
        return Term(product, both.scale, divisor=both.divisor)

    def any_of(self, booleans: frozenset[Reference]) -> Reference | None:
        """Return one boolean that any of several is true, joined in the order of their numbers."""
        joined: Reference | None = None
        for boolean in sorted(booleans, key=lambda reference: reference.number):
            joined = boolean if joined is None else self.call("logical_or", joined, boolean)
        return joined

    def everywhere(self) -> Reference:
        """Return the boolean that all pixels are nodata, for typed nodata."""
        return self.call("logical_not", False)

    def both(self, condition: Reference | bool, missing: Reference) -> Reference:
        """Return the boolean that a condition is true and a value is nodata."""
        if isinstance(condition, Reference) and missing == self.references.get(
            ("logical_not", (repr(False),))
        ):
            return condition
        return self.call("logical_and", condition, missing)

    def call(self, name: str, *operands: Operand) -> Reference:
        """Return the value of a function of other values and constants."""
        if name == "power" and operands[1] == 2.0:
            name, operands = "square", operands[:1]  # the same number, ten times as fast
        key = (
            name,
            tuple(
                operand if isinstance(operand, Reference) else repr(operand) for operand in operands
            ),
        )
        if key not in self.references:
            function, ranges = FUNCTIONS[name], [self.range_of(operand) for operand in operands]
            boolean = function.gives == BOOLEAN
            narrow = function.exact and all(map(exact_in_float32, ranges))
            self.single = self.single and narrow
            integer = boolean or (
                function.integer
                if function.integer is not None
                else all(map(self.is_integer, operands))
            )
            bounds = Range(0.0, 1.0) if boolean else function.range(ranges)
            return self.value(
                key,
                Value(
                    Applied(name, operands),
                    boolean,
                    integer,
                    bounds,
                    narrow and exact_in_float32(bounds),
                ),
            )
        return self.references[key]

    def value(self, key: object, value: Value) -> Reference:
        """Return the value under a key, which is added if it is new."""
        if key not in self.references:
            self.references[key] = Reference(len(self.values))
            self.values.append(value)
            if isinstance(value.source, Loaded) and not value.boolean:
                self.single = self.single and exact_in_float32(value.bounds)
        return self.references[key]

    def range_of(self, operand: Operand) -> Range | None:
        """Return the range of an operand, None if unknown."""
        if isinstance(operand, Reference):
            return self.values[operand.number].bounds
        number = float(operand)
        return (
            Range(number, number, 1 / number.as_integer_ratio()[1])
            if math.isfinite(number)
            else None
        )

    def is_integer(self, operand: Operand) -> bool:
        """Return whether an operand is always an integer."""
        return (
            self.values[operand.number].integer
            if isinstance(operand, Reference)
            else float(operand).is_integer()
        )

    def bare(self, term: Term) -> Operand:
        """Return the number before shift, scale and divisor are applied."""
        if isinstance(term.operand, Reference) and self.values[term.operand.number].boolean:
            return self.call("number", term.operand)
        return float(term.operand) if isinstance(term.operand, bool) else term.operand

    def shifted(self, term: Term) -> Operand:
        """Return the number before scale and divisor are applied."""
        return self.call("add", self.bare(term), term.shift) if term.shift else self.bare(term)

    def numerator(self, term: Term) -> Operand:
        """Return the number before the divisor is applied."""
        if term.scale == 1:
            return self.shifted(term)
        return self._scaled_quotient(term) or self.call("multiply", self.shifted(term), term.scale)

    def _scaled_quotient(self, term: Term) -> Operand | None:
        """Rewrite ``c * (a / b)`` as ``(c * a) / b`` if ``c * a`` is exact, so that the result is rounded once."""
        if (
            not isinstance(term.operand, Reference)
            or term.shift
            or ("not_finite", (term.operand,)) in self.references
        ):
            return None
        source = self.values[term.operand.number].source
        if isinstance(source, Applied) and source.function == "divide":
            dividend, divisor = source.operands
            if exact_in_float32(
                FUNCTIONS["multiply"].range([self.range_of(dividend), self.range_of(term.scale)])
            ):
                return self.call("divide", self.call("multiply", dividend, term.scale), divisor)
        return None

    def number(self, term: Term) -> Operand:
        """Return the number, 1 or 0 of a boolean; a divisor divides, so that 3000 / 10000 is 0.3."""
        numerator = self.numerator(term)
        return self.call("divide", numerator, term.divisor) if term.divisor != 1 else numerator

    def boolean(self, term: Term) -> Reference | bool:
        """Return the boolean that a number is not 0, or the boolean itself."""
        if isinstance(term.operand, Reference) and self.values[term.operand.number].boolean:
            return term.operand
        number = self.number(term)
        return self.call("not_zero", number) if isinstance(number, Reference) else bool(number)
