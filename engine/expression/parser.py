# SPDX-License-Identifier: GPL-2.0-or-later
"""Parse text to a formula, by operator precedence with an explicit stack, in linear time.

Nothing that is typed is ever executed: a name that is in no table is an error.
"""

from __future__ import annotations

import math

from ..messages import translate
from .diagnostics import AGGREGATES, Diagnostics, too_long
from .dialects import Dialect
from .formula import Formula, FormulaBuilder, References, Result
from .functions import CONSTANTS, MODULES
from .lexer import Lexer
from .operator_stack import COMPARISONS, LOWEST, TERNARY, Kind, OperatorStack, Waiting

LONGEST_TEXT = 100_000  #: characters
DEEPEST_NESTING = 1_000  #: of parentheses, calls and operators that wait for operands


def parse(text: str, dialect: Dialect, references: References) -> Formula:
    """Parse expressions separated by ``;``, of which each may have a name: ``name := expression``.

    Raises
    ------
    ExpressionError
        If the text is not valid in the dialect; the message marks the position.
    """
    if len(text) > LONGEST_TEXT:
        raise too_long(len(text), LONGEST_TEXT)
    return _Parser(text, dialect, references).formula()


class _Parser:
    def __init__(self, text: str, dialect: Dialect, references: References) -> None:
        self.typed = text
        stripped = text.strip()
        if dialect.quotes and text.count('"') == 2 and stripped[0] == stripped[-1] == '"':
            text = text.replace('"', " ")
        self.lexer = Lexer(text)
        self.dialect, self.references = dialect, references
        self.diagnostics = Diagnostics(self.lexer, dialect)
        self.layers = frozenset(references.names())
        self.builder = FormulaBuilder()
        self.named: dict[str, int] = {}
        self.stack = OperatorStack(dialect, self.builder)

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
                    raise self.diagnostics.taken(name, start, start + len(name))
                name = name or (f"result {len(results) + 1}" if results else "result")
                node = self.expression()
                self.named[name] = node
                results.append(Result(name, node))
            lexer.skip_blank()
        if not results:
            raise self.diagnostics.empty()
        return Formula(tuple(self.builder.nodes), tuple(results), self.typed)

    def is_taken(self, name: str) -> bool:
        """Return whether a result cannot have this name; it may have that of a function, except
        ``if`` and ``where``.
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
        """Read the name before ``:=``; empty for none."""
        word = self.lexer.word()
        if not word or not self.lexer.precedes(":=", self.lexer.position + len(word)):
            return ""
        self.lexer.position += len(word)
        self.lexer.skip_blank()
        self.lexer.position += 2
        return word

    def expression(self) -> int:
        """Read one expression, up to a ``;`` or the end, and return its node."""
        self.stack = OperatorStack(self.dialect, self.builder)
        operand_next = True
        while True:
            self.lexer.skip_blank()
            if not operand_next and (self.lexer.at_end() or self.lexer.sign() == ";"):
                self.stack.reduce(LOWEST, self.lexer.position)
                if self.stack.waiting:
                    top = self.stack.waiting[-1]
                    raise self.diagnostics.unclosed(top.position, top.kind.value)
                return self.stack.values[0][0]
            operand_next = self.operand() if operand_next else self.operator()
            if len(self.stack.waiting) > DEEPEST_NESTING:
                message = translate(
                    "Bandwise", "the expression is nested deeper than {most} levels"
                ).format(most=DEEPEST_NESTING)
                raise self.diagnostics.about(message, self.lexer.position - 1, self.lexer.position)

    def operand(self) -> bool:
        """Read an operand, prefix or parenthesis; return whether an operand must follow."""
        lexer, start = self.lexer, self.lexer.position
        if self.layer(start):
            return False
        character = lexer.character()
        number = lexer.number() if character.isdigit() or character == "." else None
        if number is not None:
            if not math.isfinite(number):
                raise self.diagnostics.about(
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
            self.stack.waiting.append(
                Waiting(Kind.PREFIX, start, prefix.precedence, prefix.function)
            )
            return True
        if word:
            return self.word(start)
        if sign != "(":
            raise self.diagnostics.no_operand(start, sign)
        lexer.position += 1
        self.stack.waiting.append(Waiting(Kind.PARENTHESIS, start))
        return True

    def layer(self, start: int) -> bool:
        """Read a band by the name of its layer, in quotes or bare as in QGIS; return whether there is one."""
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
            band_number = self.references.band(name, band, layer=True)
        except LookupError:
            return False  # the name is shorter: in A@1-B@2 the layer is not "A@1-B"
        self.lexer.position = end
        self.push(self.builder.band(band_number), start)
        return True

    def word(self, start: int) -> bool:
        """Read a name: of a function, if a parenthesis follows, a constant, an earlier result or a band."""
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
                raise self.diagnostics.attribute(dotted, start, lexer.position)
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
            band_number = self.references.band(name, band, layer=layer)
        except LookupError as error:
            if self.stack.kind is Kind.CALL and self.lexer.precedes("=", self.lexer.position):
                function = self.stack.waiting[-1].function
                raise self.diagnostics.keyword(name, function, start, self.lexer.position) from None
            candidates = (
                [] if layer else [*self.dialect.functions, *self.references.names(), *self.named]
            )
            raise self.diagnostics.misspelled(
                error.args[0], start, self.lexer.position, name, candidates
            ) from None
        return self.push(self.builder.band(band_number), start)

    def call(self, name: str, start: int) -> bool:
        """Read the start of a function call."""
        lexer, lower = self.lexer, name.lower()
        end = lexer.position
        if lower not in self.dialect.functions:
            if lower in AGGREGATES:
                raise self.diagnostics.aggregate(name, start, end)
            message = translate("Bandwise", "there is no function {name}").format(name=name[:60])
            raise self.diagnostics.misspelled(message, start, end, name, self.dialect.functions)
        lexer.skip_blank()
        lexer.position += 1
        lexer.skip_blank()
        if lexer.sign() == ")":
            raise self.diagnostics.about(
                translate("Bandwise", "{name} needs an argument").format(name=name),
                start,
                lexer.position + 1,
            )
        named, operands = self.dialect.functions[lower], len(self.stack.values)
        self.stack.waiting.append(
            Waiting(Kind.CALL, start, function=lower, named=named, operands=operands)
        )
        return True

    def operator(self) -> bool:
        """Read what may follow an operand; return whether an operand must follow."""
        lexer, start = self.lexer, self.lexer.position
        word = lexer.word()
        sign = "" if word else lexer.sign()
        operator = self.dialect.infix.get(word.lower() or sign)
        if operator:
            # a right-associative operator waits for another of its own precedence
            tighter = operator.precedence + operator.right_associative
            comparison = operator.function in COMPARISONS
            if self.stack.reduce(tighter, start, comparison=comparison):
                raise self.diagnostics.chain(start, start + len(sign or word))
            lexer.position += len(word or sign)
            self.stack.waiting.append(
                Waiting(Kind.INFIX, start, operator.precedence, operator.function)
            )
            return True
        if sign not in ("?", ":", ",", ")"):
            raise self.diagnostics.no_operator(start, sign)
        if sign == "?":
            self.stack.reduce(TERNARY + 1, start)
            self.stack.waiting.append(Waiting(Kind.CONDITION, start))
            lexer.position += 1
            return True
        return self.ending(sign, start)

    def ending(self, sign: str, start: int) -> bool:
        """Read ``:``, a comma or a parenthesis after an operand."""
        self.stack.reduce(LOWEST, start)
        kind = self.stack.kind
        if sign == ")" and kind in (Kind.PARENTHESIS, Kind.CALL):
            self.close(self.stack.waiting.pop())
            return False
        if sign == ":" and kind is Kind.CONDITION:
            condition = self.stack.waiting.pop()
            self.stack.waiting.append(Waiting(Kind.CHOICE, condition.position, TERNARY))
        elif sign != "," or kind is not Kind.CALL:
            position = self.stack.waiting[-1].position if kind else 0
            raise self.diagnostics.misplaced(sign, start, kind.value if kind else "", position)
        self.lexer.position += 1
        return True

    def close(self, top: Waiting) -> None:
        """Read the end of a parenthesis or a call."""
        self.lexer.position += 1
        if top.named is None:
            node, _ = self.stack.values.pop()
            self.stack.push(node, top.position)
            return
        end, named = self.lexer.position, top.named
        count = self.stack.call(top, named, end)
        if count < named.least or (named.most is not None and count > named.most):
            raise self.diagnostics.arguments(top.function, named, count, top.position, end)

    def push(self, node: int, start: int) -> bool:
        """Put a value on the stack; an operator must follow."""
        self.stack.push(node, start)
        return False
