# SPDX-License-Identifier: GPL-2.0-or-later
"""Registers for the values of a program: which are needed how long, of which type, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from ..expression.functions import FUNCTIONS, Range
from .program import Load, Program, Reference, Step, Stored

_MOST_CASTS = 2  #: of a band in a program, before loading it once is faster

Operand = Union[Reference, float, bool]
#: The positions of the values that use a value, from the last to the first.
Users = Mapping[int, Sequence[int]]


@dataclass(frozen=True)
class Loaded:
    """A value that is a band's stored values, or with ``nodata`` the boolean that they are nodata."""

    band: int
    nodata: bool = False


@dataclass(frozen=True)
class Applied:
    """A value that is a function, by its name in ``functions.FUNCTIONS``, of other values and constants."""

    function: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Value:
    """A value of single-assignment form.

    ``boolean`` and ``integer`` say what it is, ``bounds`` its range where that is exact, and
    ``narrow`` that float32 holds it and all that it comes from exactly.
    """

    source: Loaded | Applied
    boolean: bool
    integer: bool
    bounds: Range | None
    narrow: bool = False

    @property
    def references(self) -> list[int]:
        """The positions of the values that it comes from."""
        if isinstance(self.source, Loaded):
            return []
        return [
            operand.number for operand in self.source.operands if isinstance(operand, Reference)
        ]

    @property
    def casts(self) -> bool:
        """Whether its operands may be of any type."""
        return isinstance(self.source, Applied) and FUNCTIONS[self.source.function].casts


def allocate(
    values: Sequence[Value],
    results: Sequence[tuple[Reference, Reference | None]],
    dtype: np.dtype[Any],
) -> Program:
    """Return a program of the values that ``results`` need, computed in ``dtype``."""
    kept = {reference.number for pair in results for reference in pair if reference is not None}
    users = _liveness(values, kept)
    types = _types(values, users, dtype)
    unloaded = _unloaded(values, users, types, kept)
    return _assigned(values, results, _Lives(users, types, unloaded, kept), dtype)


def _liveness(values: Sequence[Value], kept: set[int]) -> dict[int, list[int]]:
    """The users of each value that is needed; those of ``kept`` are needed to the end."""
    users: dict[int, list[int]] = {number: [] for number in kept}
    for position in range(len(values) - 1, -1, -1):
        for number in values[position].references if position in users else ():
            users.setdefault(number, []).append(position)
    return users


def _types(values: Sequence[Value], users: Users, dtype: np.dtype[Any]) -> dict[int, np.dtype[Any]]:
    """Types of the values that are used: in a float64 program float32 for what it holds exactly, as
    far as only casting steps see that.
    """
    types: dict[int, np.dtype[Any]] = {}
    for position in sorted(users):
        value = values[position]
        cast = bool(users[position]) and all(values[user].casts for user in users[position])
        if value.boolean:
            types[position] = np.dtype(np.bool_)
        elif value.narrow and cast and all(types[n] == np.float32 for n in value.references):
            types[position] = np.dtype(np.float32)
        else:
            types[position] = dtype
    return types


def _unloaded(
    values: Sequence[Value], users: Users, types: Mapping[int, np.dtype[Any]], kept: set[int]
) -> dict[int, Stored]:
    """Bands that need no load, for that is faster: those of one or two float32 steps, each with
    another number beside them.
    """
    unloaded: dict[int, Stored] = {}
    for position in sorted(set(users) - kept):
        source, uses = values[position].source, users[position]
        if isinstance(source, Applied) or source.nodata or not 0 < len(uses) <= _MOST_CASTS:
            continue
        beside = {number for user in uses for number in values[user].references}
        single = all(types[user] == np.float32 and values[user].casts for user in uses)
        if single and len(set(uses)) == len(uses) and not beside & set(unloaded):
            unloaded[position] = Stored(source.band)
    return unloaded


@dataclass(frozen=True)
class _Lives:
    """What is known of the values: their users and types, those without a register, those kept to the end."""

    users: Users
    types: Mapping[int, np.dtype[Any]]
    unloaded: Mapping[int, Stored]
    kept: set[int]

    def ended(self, value: Value, position: int) -> list[int]:
        """The values whose last use is at ``position``."""
        return sorted(
            {
                number
                for number in value.references
                if number not in self.kept
                and number not in self.unloaded
                and self.users[number][0] == position
            }
        )


class _Registers:
    """Registers by type; one is free again after the last use of its value."""

    def __init__(self, types: Mapping[int, np.dtype[Any]]) -> None:
        self.types: list[np.dtype[Any]] = []
        self.of: dict[int, int] = {}
        self._type_of = types
        self._free: dict[np.dtype[Any], list[int]] = {dtype: [] for dtype in types.values()}

    def take(self, position: int) -> int:
        """Return a register for a value."""
        dtype = self._type_of[position]
        if not self._free[dtype]:
            self._free[dtype].append(len(self.types))
            self.types.append(dtype)
        self.of[position] = self._free[dtype].pop()
        return self.of[position]

    def release(self, positions: Sequence[int]) -> None:
        """Free the registers of values."""
        for position in positions:
            self._free[self._type_of[position]].append(self.of[position])


def _assigned(
    values: Sequence[Value],
    results: Sequence[tuple[Reference, Reference | None]],
    lives: _Lives,
    dtype: np.dtype[Any],
) -> Program:
    """The values in order, each in a register that is free by then."""
    registers = _Registers(lives.types)
    actions: list[Load | Step] = []
    for position in sorted(set(lives.users) - set(lives.unloaded)):
        value, source = values[position], values[position].source
        ended = lives.ended(value, position)
        if isinstance(source, Loaded):
            actions.append(Load(source.band, registers.take(position), source.nodata))
            continue
        in_place = FUNCTIONS[source.function].in_place
        if in_place:
            registers.release(ended)
        register = registers.take(position)
        if not in_place:
            registers.release(ended)
        operands = tuple(
            lives.unloaded.get(operand.number) or Reference(registers.of[operand.number])
            if isinstance(operand, Reference)
            else operand
            for operand in source.operands
        )
        actions.append(Step(source.function, operands, register))
    return Program(
        dtype=dtype,
        registers=tuple(registers.types),
        actions=tuple(actions),
        results=tuple(
            (registers.of[value.number], None if missing is None else registers.of[missing.number])
            for value, missing in results
        ),
    )
