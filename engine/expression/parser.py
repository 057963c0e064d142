# SPDX-License-Identifier: GPL-2.0-or-later
"""Text to formula, by operator precedence with a stack of its own: linear in time, and no text is too deep for it.

Nothing that is typed is ever executed: a name that no table knows is an error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ..messages import translate
from .diagnostics import AGGREGATES, Complaints, too_long
from .dialects import CONSTANTS, MODULES, OPERATOR_EXPANSIONS, Dialect, Named
from .formula import Formula, FormulaBuilder, References, Result
from .lexer import Lexer

LONGEST_TEXT = 100_000  #: characters
DEEPEST_NESTING = 1_000  #: parentheses, calls and signs that are open at a time

_COMPARISONS = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
_BITS_OF_TRUTHS = {
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "invert": "logical_not",
}
_OPERANDS = {"prefix": 1, "infix": 2, "choice": 3}
_NUMPYS_TRUTHS = {**_BITS_OF_TRUTHS, "add": "logical_or", "multiply": "logical_and"}


class _Open(NamedTuple):
    """What waits on the stack: an operator for its right side, a parenthesis or call for its end, a
    ``?`` for its ``:``.
    """

    kind: str
    place: int
    rank: float = 0.0
    function: str = ""
    named: Named | None = None
    operands: int = 0


def parse(text: str, dialect: Dialect, references: References) -> Formula:
    """Read expressions, parted by ``;``, each with a name or not: ``name := expression``.

    Raises :class:`ExpressionError`, which marks the place, for all that is no expression of the dialect.
    """
    if len(text) > LONGEST_TEXT:
        raise too_long(len(text), LONGEST_TEXT)
    return _Parser(text, dialect, references).formula()


class _Parser:
    def __init__(self, text: str, dialect: Dialect, references: References) -> None:
        self.typed = text
        if (
            dialect.quotes
            and text.count('"') == 2
            and text.strip().startswith('"')
            and text.strip().endswith('"')
        ):
            text = text.replace('"', " ")
        self.lexer = Lexer(text)
        self.dialect, self.references = dialect, references
        self.complaints = Complaints(self.lexer, dialect)
        self.layers = frozenset(references.names())
        self.builder = FormulaBuilder()
        self.named: dict[str, int] = {}
        self.stack: list[_Open] = []
        self.values: list[tuple[int, int]] = []  # node, and where its text begins

    def formula(self) -> Formula:
        lexer, results = self.lexer, list[Result]()
        lexer.skip_blank()
        while not lexer.at_end():
            if lexer.sign() == ";":
                lexer.position += 1
            else:
                start = lexer.position
                name = self.result_name()
                if name in self.named or (name and self.is_taken(name)):
                    raise self.complaints.taken(name, start, start + len(name))
                name = name or (f"result {len(results) + 1}" if results else "result")
                node = self.expression()
                self.named[name] = node
                results.append(Result(name, node))
            lexer.skip_blank()
        if not results:
            raise self.complaints.empty()
        return Formula(tuple(self.builder.nodes), tuple(results), self.typed)

    def is_taken(self, name: str) -> bool:
        """Whether a name means something already; names of functions may name results too, but for
        those that are half operators.
        """
        if name.lower() in (
            *MODULES,
            *CONSTANTS,
            *self.dialect.infix,
            *self.dialect.prefix,
            "if",
            "where",
        ):
            return True
        try:
            self.references.band(name, None, layer=False)
        except LookupError:
            return False
        return True

    def result_name(self) -> str:
        """The name before ``:=``; empty for none."""
        word = self.lexer.word()
        if not word or not self.lexer.precedes(":=", self.lexer.position + len(word)):
            return ""
        self.lexer.position += len(word)
        self.lexer.skip_blank()
        self.lexer.position += 2
        return word

    def expression(self) -> int:
        """One expression, up to a ``;`` or the end; its node."""
        self.stack, self.values = [], []
        operand_next = True
        while True:
            self.lexer.skip_blank()
            if not operand_next and (self.lexer.at_end() or self.lexer.sign() == ";"):
                self.reduce(-math.inf)
                if self.stack:
                    raise self.complaints.unclosed(self.stack[-1].place, self.stack[-1].kind)
                return self.values[0][0]
            operand_next = self.operand() if operand_next else self.operator()
            if len(self.stack) > DEEPEST_NESTING:
                message = translate(
                    "Bandwise", "the expression is nested deeper than {most} levels"
                ).format(most=DEEPEST_NESTING)
                raise self.complaints.about(message, self.lexer.position - 1, self.lexer.position)

    def operand(self) -> bool:
        """Read what an operator may stand before; whether another operand must follow."""
        lexer, start = self.lexer, self.lexer.position
        if self.layer(start):
            return False
        character = lexer.character()
        number = lexer.number() if character.isdigit() or character == "." else None
        if number is not None:
            if not math.isfinite(number):
                raise self.complaints.about(
                    translate("Bandwise", "this number is too large").format(),
                    start,
                    lexer.position,
                )
            return self.push(self.builder.number(number), start)
        word = lexer.word()
        sign = "" if word else lexer.sign()
        prefix = self.dialect.prefix.get(word.lower() or sign)
        if prefix:
            lexer.position += len(word or sign)
            self.stack.append(_Open("prefix", start, prefix.rank, prefix.function))
            return True
        if word:
            return self.word(start)
        if sign != "(":
            raise self.complaints.no_operand(start, sign)
        lexer.position += 1
        self.stack.append(_Open("(", start))
        return True

    def layer(self, start: int) -> bool:
        """A band by the name of its layer, in quotes or as QGIS reads bare ones."""
        quoted = self.lexer.quoted() if self.lexer.character() == '"' else None
        if quoted is not None:
            band = self.lexer.band()
            name, at, number = quoted.rpartition("@")
            if band is None and at and number.isascii() and number.isdigit() and len(number) < 10:
                quoted, band = name, int(number)
            self.band(quoted, band, start, layer=True)
            return True
        bare = self.lexer.bare_layer()
        if bare is None or bare[0] not in self.layers:
            return False
        name, band, end = bare
        try:
            found = self.references.band(name, band, layer=True)
        except LookupError:
            return False  # not as long a name as that: A@1-B@2 is no layer "A@1-B"
        self.lexer.position = end
        self.push(self.builder.band(found), start)
        return True

    def word(self, start: int) -> bool:
        """A name: of a function before its parenthesis, of a constant, of an earlier result, or of a band."""
        lexer = self.lexer
        name = lexer.word()
        lexer.position = start + len(name)
        dotted = ""
        if lexer.character() == ".":
            lexer.position = start
            dotted = lexer.word(dotted=True)
            lexer.position = start + len(dotted or name)
        if dotted:
            module, _, name = dotted.partition(".")
            if module.lower() not in MODULES or "." in name:
                raise self.complaints.attribute(dotted, start, lexer.position)
        if lexer.precedes("(", lexer.position):
            return self.call(name, start)
        lower = name.lower()
        if (
            lower in CONSTANTS
            and (dotted or name == lower or lower in ("pi", "true", "false"))
            and lexer.character() != "@"
        ):
            return self.push(self.builder.number(CONSTANTS[lower]), start)
        if name in self.named:
            return self.push(self.named[name], start)
        return self.band(name, lexer.band(), start)

    def band(self, name: str, band: int | str | None, start: int, *, layer: bool = False) -> bool:
        try:
            found = self.references.band(name, band, layer=layer)
        except LookupError as error:
            if (
                self.stack
                and self.stack[-1].kind == "call"
                and self.lexer.precedes("=", self.lexer.position)
            ):
                raise self.complaints.keyword(
                    name, self.stack[-1].function, start, self.lexer.position
                ) from None
            known = (
                [] if layer else [*self.dialect.functions, *self.references.names(), *self.named]
            )
            raise self.complaints.misspelled(
                error.args[0], start, self.lexer.position, name, known
            ) from None
        return self.push(self.builder.band(found), start)

    def call(self, name: str, start: int) -> bool:
        """Open a function call."""
        lexer, lower = self.lexer, name.lower()
        end = lexer.position
        if lower not in self.dialect.functions:
            if lower in AGGREGATES:
                raise self.complaints.aggregate(name, start, end)
            message = translate("Bandwise", "there is no function {name}").format(name=name[:60])
            raise self.complaints.misspelled(message, start, end, name, self.dialect.functions)
        lexer.skip_blank()
        lexer.position += 1
        lexer.skip_blank()
        if lexer.sign() == ")":
            raise self.complaints.about(
                translate("Bandwise", "{name} needs an argument").format(name=name),
                start,
                lexer.position + 1,
            )
        self.stack.append(
            _Open(
                "call",
                start,
                function=lower,
                named=self.dialect.functions[lower],
                operands=len(self.values),
            )
        )
        return True

    def operator(self) -> bool:
        """Read what may stand behind an operand; whether another operand must follow."""
        lexer, start = self.lexer, self.lexer.position
        word = lexer.word()
        sign = "" if word else lexer.sign()
        operator = self.dialect.infix.get(word.lower() or sign)
        if operator:
            if self.reduce(
                operator.rank + (0.1 if operator.right else 0),
                comparison=operator.function in _COMPARISONS,
            ):
                raise self.complaints.chain(start, start + len(sign or word))
            lexer.position += len(word or sign)
            self.stack.append(_Open("infix", start, operator.rank, operator.function))
            return True
        if sign not in ("?", ":", ",", ")"):
            raise self.complaints.no_operator(start, sign)
        if sign == "?":
            self.reduce(1.5)
            self.stack.append(_Open("?", start))
        else:
            self.reduce(-math.inf)
            kind = self.stack[-1].kind if self.stack else ""
            if sign == ":" and kind == "?":
                self.stack[-1] = _Open("choice", self.stack[-1].place, 1)
            elif sign == ")" and kind in ("(", "call"):
                self.close(self.stack.pop())
                return False
            elif sign != "," or kind != "call":
                raise self.complaints.misplaced(
                    sign, start, kind, self.stack[-1].place if self.stack else 0
                )
        lexer.position += 1
        return True

    def close(self, top: _Open) -> None:
        """A parenthesis or a call has come to its end."""
        self.lexer.position += 1
        if top.named is None:
            node, _ = self.values.pop()
            self.push(node, top.place)
            return
        arguments = [node for node, _ in self.values[top.operands :]]
        del self.values[top.operands :]
        place = (top.place, self.lexer.position)
        if len(arguments) < top.named.least or (
            top.named.most is not None and len(arguments) > top.named.most
        ):
            raise self.complaints.arguments(top.function, top.named, len(arguments), *place)
        function = top.named.function
        if function in self.dialect.strict:
            node = self.builder.call(function, *arguments, strict=True, place=place)
        else:
            node = top.named.expand(self.builder, arguments, place)
        self.push(node, top.place)

    def reduce(self, rank: float, *, comparison: bool = False) -> bool:
        """Apply what waits and is at least as tight as ``rank``; whether that would compare a
        comparison, which the dialect refuses.
        """
        chained = False
        while self.stack and self.stack[-1].kind in _OPERANDS and self.stack[-1].rank >= rank:
            top = self.stack.pop()
            chained = chained or (
                comparison and not self.dialect.chains and top.function in _COMPARISONS
            )
            self.apply(top)
        return chained

    def apply(self, top: _Open) -> None:
        count = _OPERANDS[top.kind]
        arguments = [node for node, _ in self.values[-count:]]
        start = top.place if top.kind == "prefix" else self.values[-count][1]
        del self.values[-count:]
        place = (start, self.lexer.position)
        function = "where" if top.kind == "choice" else top.function
        if function in OPERATOR_EXPANSIONS:
            self.push(OPERATOR_EXPANSIONS[function](self.builder, arguments, place), start)
        else:
            strict = function in self.dialect.strict
            self.push(
                self.builder.call(
                    self.meaning(function, arguments), *arguments, strict=strict, place=place
                ),
                start,
            )

    def meaning(self, function: str, arguments: Sequence[int]) -> str:
        """The function, seen that truths are not numbers: ``~`` of one is not, and numpy's ``+`` of two is or."""
        meanings = _BITS_OF_TRUTHS if self.dialect.counts else _NUMPYS_TRUTHS
        if function not in meanings or not all(map(self.builder.is_truth, arguments)):
            return function
        return meanings[function]

    def push(self, node: int, start: int) -> bool:
        """Put a value on the stack; an operator must follow."""
        self.values.append((node, start))
        return False
