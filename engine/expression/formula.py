# SPDX-License-Identifier: GPL-2.0-or-later
"""A formula: expressions as one flat list of nodes, each computed from earlier ones.

It is no tree, since a sum of ten thousand terms would be ten thousand levels deep.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Union

import numpy as np

from .functions import BOOLEAN, FUNCTIONS


@dataclass(frozen=True)
class Band:
    """The physical value of a band, by its position in the formula's ``bands``."""

    index: int


class Number(NamedTuple):
    """A constant; ``boolean`` marks the result of a comparison, ``nodata`` a value that means nodata."""

    value: float
    boolean: bool = False
    nodata: bool = False


class Call(NamedTuple):
    """A function of earlier nodes; if ``strict``, results that are not finite are nodata.

    ``span`` is (start, end) in the text of the formula.
    """

    function: str
    arguments: tuple[int, ...]
    strict: bool = False
    span: tuple[int, int] = (0, 0)


Node = Union[Band, Number, Call]


class Result(NamedTuple):
    """One band of the output: its description, its node, the range that its values should have, if
    any, and tags of its own.
    """

    name: str
    node: int
    valid_range: tuple[float, float] | None = None
    tags: tuple[tuple[str, str], ...] = ()


class Formula(NamedTuple):
    """Expressions as ``nodes``, of which some are ``results``; ``text`` is what the user typed."""

    nodes: tuple[Node, ...]
    results: tuple[Result, ...]
    text: str

    def used(self) -> list[bool]:
        """Return for each node whether a result depends on it."""
        needed = [False] * len(self.nodes)
        for result in self.results:
            needed[result.node] = True
        for index in range(len(self.nodes) - 1, -1, -1):
            node = self.nodes[index]
            if needed[index] and isinstance(node, Call):
                for argument in node.arguments:
                    needed[argument] = True
        return needed

    def bands(self) -> tuple[int, ...]:
        """Return the bands that the results depend on, ascending."""
        return tuple(
            sorted(
                {
                    node.index
                    for node, used in zip(self.nodes, self.used())
                    if used and isinstance(node, Band)
                }
            )
        )

    def renumbered(self, order: Sequence[int]) -> Formula:
        """Return the formula for bands in another order, given by their former positions."""
        position = {former: now for now, former in enumerate(order)}
        nodes = (
            Band(position[node.index]) if isinstance(node, Band) else node for node in self.nodes
        )
        return self._replace(nodes=tuple(nodes))

    def understood(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return each result's expression in full parentheses, with ``names`` for the bands."""
        texts: list[str] = []
        for node, used in zip(self.nodes, self.used()):
            texts.append(_text(node, texts, names) if used else "")
        return tuple(_unwrapped(texts[result.node]) for result in self.results)


_INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "remainder": "%", "power": "^",
    "equal": "==", "not_equal": "!=", "less": "<",
    "less_equal": "<=", "greater": ">", "greater_equal": ">=", "logical_and": "and",
    "logical_or": "or", "bitwise_and": "&", "bitwise_or": "|",
}  # fmt: skip
#: Functions without a name in the language.
_SPELLED_OUT = {"round_half_up": "floor({} + 0.5)", "truncated_not_zero": "(trunc({}) != 0)"}
_LONGEST_TEXT = 10_000


def _text(node: Node, texts: Sequence[str], names: Sequence[str]) -> str:
    if isinstance(node, Band):
        return names[node.index]
    if isinstance(node, Number):
        text = (
            f"{node.value:.17g}"
            if float(f"{node.value:.15g}") != node.value
            else f"{node.value:.15g}"
        )
        return f"({text})" if text.startswith("-") else text
    arguments = [texts[argument] for argument in node.arguments]
    if sum(map(len, arguments)) > _LONGEST_TEXT:
        # a shared node is repeated at each use, so the length can double with every node
        return "(...)"
    if node.function in _INFIX:
        return f"({arguments[0]} {_INFIX[node.function]} {arguments[1]})"
    if node.function == "negative":
        return f"(-{arguments[0]})"
    if node.function in _SPELLED_OUT:
        return _SPELLED_OUT[node.function].format(*arguments)
    if node.function == "logical_not":
        return f"(not {arguments[0]})"
    return f"{node.function}({', '.join(map(_unwrapped, arguments))})"


def _unwrapped(text: str) -> str:
    """Return ``text`` without the parentheses that enclose all of it."""
    if not (text.startswith("(") and text.endswith(")")) or text == "(...)":
        return text
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if position == len(text) - 1 else text
    return text


class References(Protocol):
    """Finds the bands that an expression names."""

    def band(self, name: str, band: int | str | None, *, layer: bool) -> int:
        """Return the position of a band in the formula.

        Parameters
        ----------
        name
            Name of a raster or of a band.
        band
            Number or description of the band in the raster; None if not given.
        layer
            Whether the name can only be that of a layer.

        Raises
        ------
        LookupError
            With a :class:`Text`, if there is no such band.
        """

    def names(self) -> Sequence[str]:
        """Return the names to suggest for a misspelled one."""


class FormulaBuilder:
    """Collects nodes: equal nodes are stored once, and functions of constants are folded."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._known: dict[object, int] = {}

    def band(self, index: int) -> int:
        """Return the node of a band."""
        return self._add(("band", index), Band(index))

    def number(self, value: float, *, boolean: bool = False) -> int:
        """Return the node of a constant."""
        return self._add(("number", repr(float(value)), boolean), Number(float(value), boolean))

    def call(
        self, function: str, *arguments: int, strict: bool = False, span: tuple[int, int] = (0, 0)
    ) -> int:
        """Return the node of a function of nodes, a constant if all of these are."""
        values = self._constants(arguments)
        if values and function in FUNCTIONS and not strict:
            folded = _folded(function, values)
            if folded is not None:
                return self.number(folded, boolean=FUNCTIONS[function].gives == BOOLEAN)
        return self._add((function, arguments, strict), Call(function, arguments, strict, span))

    def _constants(self, arguments: Sequence[int]) -> list[float]:
        """Return the values of the arguments, or an empty list if not all are constants."""
        values = []
        for argument in arguments:
            node = self.nodes[argument]
            if not isinstance(node, Number):
                return []
            values.append(node.value)
        return values

    def is_boolean(self, index: int) -> bool:
        """Return whether a node is the result of a comparison or a logical operation."""
        node = self.nodes[index]
        if isinstance(node, Number):
            return node.boolean
        return isinstance(node, Call) and (
            node.function == "isnodata"
            or (node.function in FUNCTIONS and FUNCTIONS[node.function].gives == BOOLEAN)
        )

    def _add(self, key: object, node: Node) -> int:
        if key not in self._known:
            self._known[key] = len(self.nodes)
            self.nodes.append(node)
        return self._known[key]


#: Folded without numpy, which is faster: a text may hold thousands of constants.
_QUICK = {"add": float.__add__, "subtract": float.__sub__, "multiply": float.__mul__}


def _folded(function: str, values: Sequence[float]) -> float | None:
    """Return a function of constants in float64; None if it is not finite, which is then found
    when pixels are computed.
    """
    if function in _QUICK:
        quick = _QUICK[function](values[0], values[1])
        return quick if math.isfinite(quick) else None
    entry = FUNCTIONS[function]
    if entry.wants_integer and not all(value.is_integer() for value in values):
        return None
    operands = [
        value != 0 if kind == BOOLEAN else np.float64(value)
        for kind, value in zip(entry.takes, values)
    ]
    out = np.empty(1, np.bool_ if entry.gives == BOOLEAN else np.float64)
    with np.errstate(all="ignore"):
        entry.compute(*operands, out=out)
    return float(out[0]) if np.isfinite(out[0]) else None
