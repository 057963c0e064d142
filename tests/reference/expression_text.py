# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees of expressions as text, with parentheses where precedence or chance want them."""

from __future__ import annotations

from typing import Any

from bandwise.engine.expression.dialects import DialectChoice
from expression_trees import (
    BANDWISE,
    COMPARISONS,
    GDAL_CALC,
    NAMES,
    OTB,
    QGIS,
    RANKS,
    SIGNS,
    Choice,
    Tree,
)


class Printer:
    """A tree as somebody types it in a dialect: the parentheses that are needed, sometimes more, and any blanks."""

    def __init__(self, dialect: DialectChoice, choose: Choice) -> None:
        self.dialect, self.choose = dialect, choose
        self.ranks = RANKS[dialect]

    def text(self, tree: Tree) -> str:
        pieces = self.tokens(tree)[0]
        text = pieces[0]
        for before, after in zip(pieces, pieces[1:]):
            gap = self.choose.of(["", "", "", " ", " ", "\n", "\t", "  ", " # (A@1 + \n"])
            glued = (
                before[-1] not in "()," and after[0] not in "(),"
                if self.dialect is QGIS
                else _wordy(before[-1]) and _wordy(after[0])
            )
            text += (gap or (" " if glued else "")) + after
        return text

    def tokens(self, tree: Tree) -> tuple[list[str], float]:
        """The pieces and how tightly they hold together."""
        pieces, rank = self._tokens(tree)
        if not self.choose.between(0, 9):
            return ["(", *pieces, ")"], 99
        return pieces, rank

    def _tokens(self, tree: Tree) -> tuple[list[str], float]:
        kind = tree[0]
        if kind == "band":
            return [self.reference(tree[1])], 99
        if kind == "number":
            return [tree[1]], 99
        if kind == "call":
            return self.call(
                self.choose.of(tree[1].names), tree[2], plain=self.dialect in (QGIS, OTB)
            ), 99
        if kind == "if":
            return self.choice(tree)
        if kind in ("negative", "invert", "not"):
            rank = self.ranks["not" if kind == "not" else "unary"]
            sign = {"negative": "-", "invert": "~"}.get(kind) or self.choose.of(
                SIGNS[self.dialect]["not"]  # type: ignore[index]
            ).strip()
            return [sign, *self.held(tree[1], rank + (sign in "-" and self.dialect is OTB))], rank
        _, sign, left, right = tree
        rank = self.ranks[sign]
        typed = self.choose.of(SIGNS[self.dialect].get(sign, (sign,)))  # type: ignore[attr-defined]
        chain = sign in COMPARISONS and self.dialect in (BANDWISE, GDAL_CALC)
        leftward = sign == "power" and self.dialect is not QGIS
        first = self.held(left, rank + (1 if chain or leftward else 0))
        second = self.held(right, rank + (0 if leftward else 1), after_power=leftward)
        return [*first, typed, *second], rank

    def held(self, tree: Tree, rank: float, *, after_power: bool = False) -> list[str]:
        """A tree in parentheses where it would not hold together; a sign may follow an operator
        that goes right to left.
        """
        pieces, tight = self.tokens(tree)
        if tight >= rank or (after_power and tree[0] == "negative" and pieces[0] == "-"):
            return pieces
        return ["(", *pieces, ")"]

    def choice(self, tree: Tree) -> tuple[list[str], float]:
        if self.dialect is QGIS:
            return self.call("if", tree[1:], plain=True), 99
        if self.dialect is GDAL_CALC or (self.dialect is BANDWISE and self.choose.coin()):
            return self.call("where", tree[1:]), 99
        rank = self.ranks["?:"]
        return [
            *self.held(tree[1], rank + 1),
            "?",
            *self.tokens(tree[2])[0],
            ":",
            *self.held(tree[3], rank),
        ], rank

    def call(self, name: str, arguments: Any, *, plain: bool = False) -> list[str]:
        name = self.choose.of([name, name, name.upper(), name.capitalize()])
        if not plain:
            name = self.choose.of(["", "", "numpy.", "np."]) + name
        pieces = [name, "("]
        for argument in arguments:
            pieces += [*self.tokens(argument)[0], ","]
        return [*pieces[:-1], ")"]

    def reference(self, index: int) -> str:
        letter = "ABCDEFGH"[index]
        if self.dialect is QGIS:
            quoted = f'"{NAMES[index]}@1"'
            return quoted if " " in NAMES[index] else self.choose.of([quoted, f"{NAMES[index]}@1"])
        if self.dialect is OTB:
            return f"im{index + 1}b1"
        if self.dialect is GDAL_CALC:
            return letter
        return self.choose.of([letter, f"{letter}@1", f"{letter.lower()}@1", f"im{index + 1}b1"])


def _wordy(character: str) -> bool:
    return character.isalnum() or character in '_.@"'
