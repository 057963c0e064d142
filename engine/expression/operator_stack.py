# SPDX-License-Identifier: GPL-2.0-or-later
"""A stack of operators, parentheses and calls that wait for their operands, applied by precedence."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from .dialects import Dialect, Expander, Named
from .formula import FormulaBuilder

LOWEST = 0  #: below every precedence
TERNARY = 1  #: of ``? :``

COMPARISONS = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
_BITS_OF_BOOLEANS = {
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "invert": "logical_not",
}
_NUMPYS_BOOLEANS = {**_BITS_OF_BOOLEANS, "add": "logical_or", "multiply": "logical_and"}


def _cut_to_integer(function: str) -> Expander:
    """Return an expander for the words ``and`` and ``or`` of muParser, which truncate their operands."""

    def expand(builder: FormulaBuilder, arguments: Sequence[int], span: tuple[int, int]) -> int:
        cut = [
            argument
            if builder.is_boolean(argument)
            else builder.call("truncated_not_zero", argument)
            for argument in arguments
        ]
        return builder.call(function, *cut, span=span)

    return expand


#: Meanings of operators that are no functions of the table.
_EXPANSIONS: dict[str, Expander] = {
    "int_and": _cut_to_integer("logical_and"),
    "int_or": _cut_to_integer("logical_or"),
    "positive": lambda builder, arguments, span: arguments[0],
}


class Kind(enum.Enum):
    """Kinds of elements of the stack, and what they wait for."""

    PREFIX = "prefix"  #: for its operand
    INFIX = "infix"  #: for its right side
    PARENTHESIS = "("  #: for its end
    CALL = "call"  #: for its end
    CONDITION = "?"  #: for its ``:``
    CHOICE = "choice"  #: ``? :`` for its last branch


#: How many operands an operator takes.
_OPERANDS = {Kind.PREFIX: 1, Kind.INFIX: 2, Kind.CHOICE: 3}


@dataclass(frozen=True)
class Waiting:
    """An element of the stack: its position in the text, and the operator or function that it applies."""

    kind: Kind
    position: int
    precedence: int = LOWEST
    function: str = ""
    named: Named | None = None
    operands: int = 0


class OperatorStack:
    """Builds the nodes of one expression from operands and operators in the order of the text."""

    def __init__(self, dialect: Dialect, builder: FormulaBuilder) -> None:
        self._dialect, self._builder = dialect, builder
        self.waiting: list[Waiting] = []
        self.values: list[tuple[int, int]] = []  #: node, and the start of its text

    @property
    def kind(self) -> Kind | None:
        """The kind of the last element; None if there is none."""
        return self.waiting[-1].kind if self.waiting else None

    def push(self, node: int, start: int) -> None:
        """Put a value on the stack."""
        self.values.append((node, start))

    def reduce(self, precedence: int, end: int, *, comparison: bool = False) -> bool:
        """Apply the last operators of at least this precedence; ``end`` is the end of their text.

        Returns
        -------
        bool
            Whether the result of a ``comparison`` would be compared again and the dialect refuses that.
        """
        chained = False
        while self.kind in _OPERANDS and self.waiting[-1].precedence >= precedence:
            top = self.waiting.pop()
            refused = comparison and not self._dialect.allow_chained
            chained = chained or (refused and top.function in COMPARISONS)
            self._apply(top, end)
        return chained

    def _apply(self, top: Waiting, end: int) -> None:
        count = _OPERANDS[top.kind]
        arguments = [node for node, _ in self.values[-count:]]
        start = top.position if top.kind is Kind.PREFIX else self.values[-count][1]
        del self.values[-count:]
        span = start, end
        function = "where" if top.kind is Kind.CHOICE else top.function
        if function in _EXPANSIONS:
            self.push(_EXPANSIONS[function](self._builder, arguments, span), start)
            return
        strict = function in self._dialect.strict
        function = self._meaning(function, arguments)
        self.push(self._builder.call(function, *arguments, strict=strict, span=span), start)

    def _meaning(self, function: str, arguments: Sequence[int]) -> str:
        """Return the function of an operator: of booleans ``~`` is not, and in numpy ``+`` is or."""
        meanings = _BITS_OF_BOOLEANS if self._dialect.sum_of_booleans else _NUMPYS_BOOLEANS
        if function not in meanings or not all(map(self._builder.is_boolean, arguments)):
            return function
        return meanings[function]

    def call(self, top: Waiting, named: Named, end: int) -> int:
        """Apply a called function to its arguments, unless their number is wrong; return their number."""
        arguments = [node for node, _ in self.values[top.operands :]]
        del self.values[top.operands :]
        if len(arguments) < named.least or (named.most is not None and len(arguments) > named.most):
            return len(arguments)
        span = top.position, end
        if named.function in self._dialect.strict:
            node = self._builder.call(named.function, *arguments, strict=True, span=span)
        else:
            node = named.expand(self._builder, arguments, span)
        self.push(node, top.position)
        return len(arguments)
