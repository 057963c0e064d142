# SPDX-License-Identifier: GPL-2.0-or-later
"""An expression as a tree of values: bands, and functions of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .functions import FUNCTIONS


class Node:
    """Anything an expression is made of; Python's operators build bigger ones."""

    def __add__(self, other: Node) -> Call:
        return Call("add", (self, other))

    def __sub__(self, other: Node) -> Call:
        return Call("subtract", (self, other))

    def __mul__(self, other: Node) -> Call:
        return Call("multiply", (self, other))

    def __truediv__(self, other: Node) -> Call:
        return Call("divide", (self, other))


@dataclass(frozen=True)
class Band(Node):
    """The physical value of a job's band, by its position in ``Job.bands`` (from 0)."""

    index: int


@dataclass(frozen=True)
class Call(Node):
    """A function of :data:`~engine.functions.FUNCTIONS` on as many arguments as it takes."""

    function: str
    arguments: tuple[Node, ...]


def bands_of(node: Node) -> tuple[int, ...]:
    """Positions of all bands that ``node`` uses, ascending."""
    found: set[int] = set()
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Band):
            found.add(current.index)
        elif isinstance(current, Call):
            waiting.extend(current.arguments)
    return tuple(sorted(found))


def text_of(node: Node, names: Sequence[str]) -> str:
    """``node`` as a formula, with ``names`` for the bands."""
    text = _text(node, names)
    return text[1:-1] if isinstance(node, Call) else text


def _text(node: Node, names: Sequence[str]) -> str:
    if isinstance(node, Call):
        return FUNCTIONS[node.function].pattern.format(*(_text(argument, names) for argument in node.arguments))
    if isinstance(node, Band):
        return names[node.index]
    raise TypeError(f"not an expression: {node!r}")
