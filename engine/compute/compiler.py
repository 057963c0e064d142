# SPDX-License-Identifier: GPL-2.0-or-later
"""Compile a formula to a program.

Stored values are not scaled one by one. A band is represented as ``scale * (register + shift)``, so
that in (nir - red) / (nir + red) the common scale cancels and 16-bit bands stay integers. This is
faster, and it is exact: a denominator that is zero is exactly zero. Numbers that the user typed are
never rearranged.

Nodata is represented by sets of booleans beside the values, joined only for results and decisions.
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
from .registers import Loaded, Operand, Value, allocate
from .terms import Term, TermBuilder, exact_in_float32, quotient

_MOST_BOOLEANS = 16  #: in a set, before they are joined into one


class BandValue(NamedTuple):
    """Physical value of a band = stored value of type ``dtype`` * ``scale`` + ``offset``.

    ``nodata`` is set if pixels may be nodata. ``source`` is the position of the band whose stored
    values these are, where that is another one: a band may be used with two scales.
    """

    dtype: np.dtype[Any]
    scale: float = 1.0
    offset: float = 0.0
    nodata: bool = True
    source: int | None = None


def compile_formula(
    formula: Formula, bands: Sequence[BandValue], *, double: bool = False
) -> Program:
    """Compile a formula over ``bands``; common parts of expressions are computed once.

    ``double`` compiles for float64 even if float32 were exact.

    Raises
    ------
    ExpressionError
        For bits of a number that may have a fraction.
    """
    compiler = _Compiler(formula, bands)
    results = [compiler.result(result.node) for result in formula.results]
    return allocate(
        compiler.values,
        results,
        np.dtype(np.float32 if compiler.single and not double else np.float64),
    )


class _Compiler(TermBuilder):
    """Compiles the nodes of a formula to terms, and to the booleans that they are nodata."""

    def __init__(self, formula: Formula, bands: Sequence[BandValue]) -> None:
        super().__init__()
        self.formula, self.bands = formula, bands
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
        """Return the value of a result, and the boolean that it is nodata."""
        operand = self.number(self._terms[node])
        if not isinstance(operand, Reference):
            operand = self.call("copy", operand)
        # without the check of results that are not finite, which the kernel makes anyway
        missing = self._missing[node] - {self.references.get(("not_finite", (operand,)))}
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
                if isinstance(number, Reference) and self.range_of(number) is None
            }
        if node.strict:
            missing |= {self.call("not_finite", self.number(term))}
        return term, missing

    def _band(self, index: int) -> tuple[Term, frozenset[Reference]]:
        band = self.bands[index]
        index = index if band.source is None else band.source
        limits = Range.of(band.dtype)
        value = self.value(
            ("band", index),
            Value(Loaded(index), False, limits is not None, limits, exact_in_float32(limits)),
        )
        nodata_mask = Value(Loaded(index, nodata=True), True, True, Range(0.0, 1.0))
        missing = frozenset(
            {self.value(("nodata_mask", index), nodata_mask)} if band.nodata else ()
        )
        shift, divisor = quotient(band.offset, band.scale), quotient(1.0, band.scale)
        # 3000 / 10000 is exactly 0.3 in float64, unlike 3000 * 0.0001
        if divisor > 1 and divisor.is_integer():
            return Term(value, shift=shift, divisor=divisor), missing
        return Term(value, float(band.scale), shift), missing

    def _call(self, node: Call) -> Term:
        terms = [self._terms[argument] for argument in node.arguments]
        if node.function in ("add", "subtract"):
            return self.sum(node.function, *terms)
        if node.function in ("multiply", "divide"):
            return self.product(node.function, *terms)
        operands = [
            self.boolean(term) if kind == BOOLEAN else self.number(term)
            for kind, term in zip(FUNCTIONS[node.function].takes, terms)
        ]
        if FUNCTIONS[node.function].wants_integer:
            self._check_integers(node, operands)
        return Term(self.call(node.function, *operands))

    def _where(self, node: Call) -> tuple[Term, frozenset[Reference]]:
        """Compile a choice; nodata in the branch that is not taken is ignored."""
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
        """Compile the choice of the first argument that is not nodata."""
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
        """Return the boolean that a node is nodata or not finite."""
        operand = self.number(self._terms[node])
        if not isinstance(operand, Reference):
            return not math.isfinite(operand)
        return self.any_of(self._missing[node] | {self.call("not_finite", operand)}) or False

    def _check_integers(self, node: Call, operands: Sequence[Operand]) -> None:
        if not all(map(self.is_integer, operands)):
            text = translate(
                "Bandwise",
                "bits are those of whole numbers: round fractions first, as in rint(A) & 8, or use "
                "“and” and “or” for conditions",
            )
            raise ExpressionError(text.format(), self.formula.text, *node.span)
