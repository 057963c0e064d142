# SPDX-License-Identifier: GPL-2.0-or-later
"""Allocate registers for the values of a program, by their types and lifetimes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from ..expression.functions import FUNCTIONS, Range
from .program import Load, Program, Reference, Step, Stored

_MOST_CASTS = 2  #: of a band in a program; for more it is faster to load it once

Operand = Union[Reference, float, bool]
#: The positions of the values that use a value, from the last to the first.
Users = Mapping[int, Sequence[int]]


@dataclass(frozen=True)
class Loaded:
    """A value that is a band's stored values, or with ``nodata`` the mask of its nodata."""

    band: int
    nodata: bool = False


@dataclass(frozen=True)
class Applied:
    """A value that is a function, by its name in ``FUNCTIONS``, of other values and constants."""

    function: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Value:
    """A value of single-assignment form.

    ``boolean`` and ``integer`` are its kind, ``bounds`` is its range if that is known exactly;
    ``narrow`` is set if the value and all its operands are exact in float32.
    """

    source: Loaded | Applied
    boolean: bool
    integer: bool
    bounds: Range | None
    narrow: bool = False

    @property
    def references(self) -> list[int]:
        """The positions of the values that are its operands."""
        if isinstance(self.source, Loaded):
            return []
        return [
            operand.number for operand in self.source.operands if isinstance(operand, Reference)
        ]

    @property
    def casts(self) -> bool:
        """Whether operands may be of any type."""
        return isinstance(self.source, Applied) and FUNCTIONS[self.source.function].casts


def allocate(
    values: Sequence[Value],
    results: Sequence[tuple[Reference, Reference | None]],
    dtype: np.dtype[Any],
) -> Program:
    """Return a program of the values that ``results`` depend on, computed in ``dtype``.

    Parameters
    ----------
    values
        In single-assignment form; each uses only earlier ones.
    results
        For each result its value, and the boolean that it is nodata, or None.
    dtype
        float32 or float64.
    """
    kept = {reference.number for pair in results for reference in pair if reference is not None}
    users = _liveness(values, kept)
    types = _types(values, users, dtype)
    unloaded = _unloaded(values, users, types, kept)
    return _assigned(values, results, _Lives(users, types, unloaded, kept), dtype)


def _liveness(values: Sequence[Value], kept: set[int]) -> dict[int, list[int]]:
    """Return the users of each value that is needed; those of ``kept`` are needed to the end."""
    users: dict[int, list[int]] = {number: [] for number in kept}
    for position in range(len(values) - 1, -1, -1):
        for number in values[position].references if position in users else ():
            users.setdefault(number, []).append(position)
    return users


def _types(values: Sequence[Value], users: Users, dtype: np.dtype[Any]) -> dict[int, np.dtype[Any]]:
    """Return the types of the values: in a float64 program float32 for those that are exact in it
    and used only by steps that cast.
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
    """Return bands that are faster without a load: those that one or two float32 steps use, each
    with one such operand.
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
    """Users and types of the values, those without a register, and those that are kept to the end."""

    users: Users
    types: Mapping[int, np.dtype[Any]]
    unloaded: Mapping[int, Stored]
    kept: set[int]

    def ended(self, value: Value, position: int) -> list[int]:
        """Return the values whose last use is at ``position``."""
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
    """Registers by type; a register is free again after the last use of its value."""

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
    """Return the program with each value in a register that is free at that point."""
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
