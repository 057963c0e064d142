# SPDX-License-Identifier: GPL-2.0-or-later
"""Nodata values that are typed as branches of a condition."""

from __future__ import annotations

from typing import NamedTuple

from .formula import Call, Formula, Node, Number

#: The value for nodata in expressions for other tools, whatever the type of the result.
CUSTOMARY_NODATA = -9999.0


class TypedNodata(NamedTuple):
    """A formula with such branches as nodata, and the values that they were typed as."""

    formula: Formula
    values: tuple[float, ...]


def typed_nodata(formula: Formula, nodata: float) -> TypedNodata:
    """Read -9999 and ``nodata`` as nodata in branches of ``where``, ``if`` and ``? :``, and in later
    values of ``coalesce``.

    This holds only if the chosen branch is the result itself, also through nested conditions: in
    ``where(A > 0, A, -9999) * 2`` or ``A + -9999`` the value stays a number.
    """
    nodes: list[Node] = list(formula.nodes)
    meant: dict[float, int] = {}
    copies: dict[int, int] = {}
    for index, node in _choices(formula):
        arguments = list(node.arguments)
        for position in range(1, len(arguments)):
            branch = formula.nodes[arguments[position]]
            if (
                isinstance(branch, Number)
                and not branch.boolean
                and branch.value in (CUSTOMARY_NODATA, nodata)
            ):
                if branch.value not in meant:
                    meant[branch.value] = len(nodes)
                    nodes.append(branch._replace(nodata=True))
                arguments[position] = meant[branch.value]
        first = 1 if node.function == "where" else 0
        arguments[first:] = [copies.get(argument, argument) for argument in arguments[first:]]
        if tuple(arguments) != node.arguments:
            copies[index] = len(nodes)
            nodes.append(node._replace(arguments=tuple(arguments)))
    if not meant:
        return TypedNodata(formula, ())
    results = tuple(
        result._replace(node=copies.get(result.node, result.node)) for result in formula.results
    )
    return TypedNodata(formula._replace(nodes=tuple(nodes), results=results), tuple(meant))


def _choices(formula: Formula) -> list[tuple[int, Call]]:
    """Return the conditions whose chosen branch may be a result itself, each after those in its branches."""
    reached = {result.node for result in formula.results}
    choices = []
    for index in range(len(formula.nodes) - 1, -1, -1):
        node = formula.nodes[index]
        if index in reached and isinstance(node, Call) and node.function in ("where", "coalesce"):
            reached.update(node.arguments[1 if node.function == "where" else 0 :])
            choices.append((index, node))
    return choices[::-1]
