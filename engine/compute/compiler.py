# SPDX-License-Identifier: GPL-2.0-or-later
"""From formula to program.

Stored values are not scaled one by one. A band is carried as ``scale * (register + shift)``, so
that in (nir - red) / (nir + red) the common scale cancels and 16-bit bands stay what they are:
integers. This is faster and it is exact: a denominator that is zero is exactly zero. Numbers that
the user typed are never rearranged.

Nodata travels beside the values as sets of booleans, joined only where a result or a decision needs them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ExpressionError
from ..expression.formula import Band, Call, Formula, Number
from ..expression.functions import BOOLEAN, FUNCTIONS, Range
from ..messages import translate
from .program import Program, Reference
from .registers import Applied, Loaded, Operand, Value, allocate
from .terms import LARGEST_EXACT, Term, quotient

_MOST_BOOLEANS = 16  #: that a set of them holds before they are joined into one


class BandValue(NamedTuple):
    """Physical value of a band = stored value of type ``dtype`` * ``scale`` + ``offset``; ``nodata``:
    whether some may be nodata.
    """

    dtype: np.dtype[Any]
    scale: float = 1.0
    offset: float = 0.0
    nodata: bool = True


def compile_formula(
    formula: Formula, bands: Sequence[BandValue], *, double: bool = False
) -> Program:
    """Compile a formula over ``bands``, for float64 alone where ``double``; what expressions have
    in common is computed once.

    Raises :class:`ExpressionError` where bits of a number are wanted that may have a fraction.
    """
    compiler = _Compiler(formula, bands)
    results = [compiler.result(result.node) for result in formula.results]
    return allocate(
        compiler.values,
        results,
        np.dtype(np.float32 if compiler.single and not double else np.float64),
    )


class _Compiler:
    """Builds values in single-assignment form, each once."""

    def __init__(self, formula: Formula, bands: Sequence[BandValue]) -> None:
        self.formula, self.bands = formula, bands
        self.values: list[Value] = []
        self.single = True
        self._known: dict[object, Reference] = {}
        self._terms: list[Term] = []
        self._missing: list[frozenset[Reference]] = []
        for node, used in zip(formula.nodes, formula.used()):
            term, missing = self._node(node) if used else (Term(0.0), frozenset[Reference]())
            self._terms.append(term)
            self._missing.append(
                missing
                if len(missing) <= _MOST_BOOLEANS
                else frozenset(filter(None, [self.any_of(missing)]))
            )

    def result(self, node: int) -> tuple[Reference, Reference | None]:
        """The value of a result, and of the boolean that it is nodata."""
        operand = self.number(self._terms[node])
        if not isinstance(operand, Reference):
            operand = self.call("copy", operand)
        # results are checked for that anyway
        missing = self._missing[node] - {self._known.get(("not_finite", (operand,)))}
        return operand, self.any_of(missing)

    def _node(self, node: Band | Number | Call) -> tuple[Term, frozenset[Reference]]:
        if isinstance(node, Number):
            return Term(bool(node.value) if node.boolean else node.value), frozenset(
                {self.everywhere()} if node.nodata else ()
            )
        if isinstance(node, Band):
            return self._band(node.index)
        if node.function == "isnodata":
            return Term(self.missing(node.arguments[0])), frozenset()
        if node.function == "coalesce":
            return self._coalesce(node.arguments)
        if node.function == "where":
            return self._where(node)
        term = self._call(node)
        missing = frozenset().union(*(self._missing[argument] for argument in node.arguments))
        if FUNCTIONS[node.function].wants_integer:  # NaN and infinity have no bits
            numbers = (self.number(self._terms[argument]) for argument in node.arguments)
            missing |= {
                self.call("not_finite", number)
                for number in numbers
                if isinstance(number, Reference) and self._range(number) is None
            }
        if node.strict:
            missing |= {self.call("not_finite", self.number(term))}
        return term, missing

    def _band(self, index: int) -> tuple[Term, frozenset[Reference]]:
        band = self.bands[index]
        limits = Range.of(band.dtype)
        value = self._value(
            ("band", index),
            Value(Loaded(index), False, limits is not None, limits, _exact_in_float32(limits)),
        )
        gaps = Value(Loaded(index, nodata=True), True, True, Range(0.0, 1.0))
        missing = frozenset({self._value(("gaps", index), gaps)} if band.nodata else ())
        shift, divisor = quotient(band.offset, band.scale), quotient(1.0, band.scale)
        # 3000 * 0.0001 is not quite 0.3, which 3000 / 10000 is
        if divisor > 1 and divisor.is_integer():
            return Term(value, shift=shift, divisor=divisor), missing
        return Term(value, float(band.scale), shift), missing

    def _call(self, node: Call) -> Term:
        terms = [self._terms[argument] for argument in node.arguments]
        if node.function in ("add", "subtract"):
            return self._sum(node.function, *terms)
        if node.function in ("multiply", "divide"):
            return self._product(node.function, *terms)
        operands = [
            self.boolean(term) if kind == BOOLEAN else self.number(term)
            for kind, term in zip(FUNCTIONS[node.function].takes, terms)
        ]
        if FUNCTIONS[node.function].wants_integer:
            self._check_integers(node, operands)
        return Term(self.call(node.function, *operands))

    def _sum(self, name: str, a: Term, b: Term) -> Term:
        """A sum or difference that leaves scales and divisors that are common where they are."""
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

    def _product(self, name: str, a: Term, b: Term) -> Term:
        """A product or quotient of what is before scales and divisors; those of constants are one number in the end."""
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

    def _where(self, node: Call) -> tuple[Term, frozenset[Reference]]:
        """A choice: what makes the branch not taken nodata does not count."""
        test, chosen, otherwise = node.arguments
        condition = self.boolean(self._terms[test])
        both = self._missing[chosen] & self._missing[otherwise]
        missing = self._missing[test] | both
        first, second = (
            self.any_of(self._missing[chosen] - both),
            self.any_of(self._missing[otherwise] - both),
        )
        if first is not None:
            missing |= {self.both(condition, first)}
        if second is not None:
            missing |= {self.both(self.call("logical_not", condition), second)}
        return self._call(node), missing

    def _coalesce(self, arguments: tuple[int, ...]) -> tuple[Term, frozenset[Reference]]:
        """The first argument that is not nodata."""
        term, missing = self._terms[arguments[-1]], self._missing[arguments[-1]]
        for argument in reversed(arguments[:-1]):
            absent = self.missing(argument)
            term = Term(
                self.call("where", absent, self.number(term), self.number(self._terms[argument]))
            )
            later = self.any_of(missing)
            missing = frozenset() if later is None else frozenset({self.both(absent, later)})
        return term, missing

    def missing(self, node: int) -> Reference | bool:
        """The boolean that a node is nodata or not finite."""
        operand = self.number(self._terms[node])
        if not isinstance(operand, Reference):
            return not math.isfinite(operand)
        return self.any_of(self._missing[node] | {self.call("not_finite", operand)}) or False

    def any_of(self, booleans: frozenset[Reference]) -> Reference | None:
        """One boolean out of several, in the order in which they came up."""
        joined: Reference | None = None
        for boolean in sorted(booleans, key=lambda reference: reference.number):
            joined = boolean if joined is None else self.call("logical_or", joined, boolean)
        return joined

    def everywhere(self) -> Reference:
        """The boolean that all pixels are nodata, as they are where nodata was typed."""
        return self.call("logical_not", False)

    def both(self, condition: Reference | bool, missing: Reference) -> Reference:
        """The boolean that a condition holds and a value is nodata."""
        if isinstance(condition, Reference) and missing == self._known.get(
            ("logical_not", (repr(False),))
        ):
            return condition
        return self.call("logical_and", condition, missing)

    def call(self, name: str, *operands: Operand) -> Reference:
        """The value of a function of other values and constants."""
        if name == "power" and operands[1] == 2.0:
            name, operands = "square", operands[:1]  # the same number, ten times as fast
        key = (
            name,
            tuple(
                operand if isinstance(operand, Reference) else repr(operand) for operand in operands
            ),
        )
        if key not in self._known:
            function, ranges = FUNCTIONS[name], [self._range(operand) for operand in operands]
            boolean = function.gives == BOOLEAN
            narrow = function.exact and all(map(_exact_in_float32, ranges))
            self.single = self.single and narrow
            integer = boolean or (
                function.integer
                if function.integer is not None
                else all(map(self._is_integer, operands))
            )
            bounds = Range(0.0, 1.0) if boolean else function.range(ranges)
            return self._value(
                key,
                Value(
                    Applied(name, operands),
                    boolean,
                    integer,
                    bounds,
                    narrow and _exact_in_float32(bounds),
                ),
            )
        return self._known[key]

    def _value(self, key: object, value: Value) -> Reference:
        if key not in self._known:
            self._known[key] = Reference(len(self.values))
            self.values.append(value)
            if isinstance(value.source, Loaded) and not value.boolean:
                self.single = self.single and _exact_in_float32(value.bounds)
        return self._known[key]

    def _range(self, operand: Operand) -> Range | None:
        if isinstance(operand, Reference):
            return self.values[operand.number].bounds
        number = float(operand)
        return (
            Range(number, number, 1 / number.as_integer_ratio()[1])
            if math.isfinite(number)
            else None
        )

    def _is_integer(self, operand: Operand) -> bool:
        return (
            self.values[operand.number].integer
            if isinstance(operand, Reference)
            else float(operand).is_integer()
        )

    def bare(self, term: Term) -> Operand:
        """The number before shift, scale and divisor."""
        if isinstance(term.operand, Reference) and self.values[term.operand.number].boolean:
            return self.call("number", term.operand)
        return float(term.operand) if isinstance(term.operand, bool) else term.operand

    def shifted(self, term: Term) -> Operand:
        """The number before its scale and divisor."""
        return self.call("add", self.bare(term), term.shift) if term.shift else self.bare(term)

    def numerator(self, term: Term) -> Operand:
        """The number before its divisor."""
        if term.scale == 1:
            return self.shifted(term)
        return self._scaled_quotient(term) or self.call("multiply", self.shifted(term), term.scale)

    def _scaled_quotient(self, term: Term) -> Operand | None:
        """A constant times a quotient, as what it gives with the dividend over the divisor, where
        that is exact: so it is rounded once.
        """
        if (
            not isinstance(term.operand, Reference)
            or term.shift
            or ("not_finite", (term.operand,)) in self._known
        ):
            return None
        source = self.values[term.operand.number].source
        if isinstance(source, Applied) and source.function == "divide":
            dividend, divisor = source.operands
            if _exact_in_float32(
                FUNCTIONS["multiply"].range([self._range(dividend), self._range(term.scale)])
            ):
                return self.call("divide", self.call("multiply", dividend, term.scale), divisor)
        return None

    def number(self, term: Term) -> Operand:
        """The number itself; a boolean counts 1 or 0. What is divided by a constant is, so that 3000 / 10000 is 0.3."""
        numerator = self.numerator(term)
        return self.call("divide", numerator, term.divisor) if term.divisor != 1 else numerator

    def boolean(self, term: Term) -> Reference | bool:
        """Whether a number is not 0, or the boolean itself."""
        if isinstance(term.operand, Reference) and self.values[term.operand.number].boolean:
            return term.operand
        number = self.number(term)
        return self.call("not_zero", number) if isinstance(number, Reference) else bool(number)

    def _check_integers(self, node: Call, operands: Sequence[Operand]) -> None:
        if not all(map(self._is_integer, operands)):
            text = translate(
                "Bandwise",
                "bits are those of whole numbers: round fractions first, as in rint(A) & 8, or use "
                "“and” and “or” for conditions",
            )
            raise ExpressionError(text.format(), self.formula.text, *node.span)


def _exact_in_float32(numbers: Range | None) -> bool:
    return numbers is not None and numbers.grains <= LARGEST_EXACT
