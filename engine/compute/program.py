# SPDX-License-Identifier: GPL-2.0-or-later
"""What a formula is compiled to: loads and steps over preallocated registers, and which values share a register."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray
from ..expression.functions import Function, Range

_MOST_CASTS = 2  #: of a band in a program, before loading it once is faster


@dataclass(frozen=True)
class Reference:
    """An operand that is a register (in a program) or a value (in the compiler), where constants are numbers.

    No tuple, as most values of the engine are: it would equal the band of the same number.
    """

    number: int


@dataclass(frozen=True)
class Stored:
    """An operand that is a band's stored values, of whatever type they are; numpy casts them a few
    thousand at a time.
    """

    band: int


class Step(NamedTuple):
    """``register = compute(*operands)``."""

    function: Function
    operands: tuple[Reference | Stored | float | bool, ...]
    register: int


class Load(NamedTuple):
    """``register`` = a band's stored values, or with ``invalid`` the truth that they are nodata."""

    band: int
    register: int
    invalid: bool = False


class Program(NamedTuple):
    """Loads and steps in order, and the registers that then hold each result and where it is nodata (None: nowhere).

    Numbers are of ``dtype``: float32 where that is proven to give the same as exact arithmetic
    rounded once, for it holds every operand and every operation is correctly rounded; otherwise
    float64, with registers of float32 for what that holds exactly.
    """

    dtype: np.dtype[Any]
    registers: tuple[np.dtype[Any], ...]
    actions: tuple[Load | Step, ...]
    results: tuple[tuple[int, int | None], ...]


class Evaluator:
    """A program on registers: some of the ``arrays`` of shape (n,) that are given, as its types
    want; overwritten each time.
    """

    def __init__(self, program: Program, arrays: Sequence[NDArray[Any]]) -> None:
        free = {
            dtype: iter([array for array in arrays if array.dtype == dtype])
            for dtype in set(program.registers)
        }
        registers = [next(free[dtype]) for dtype in program.registers]
        last = [_last_alone(program, value) for value, _ in program.results]
        direct = {position: result for result, position in enumerate(last) if position is not None}
        self._steps = [
            (*_bound(action, registers), direct.get(position))
            for position, action in enumerate(program.actions)
        ]
        self._rest = [
            (result, registers[value])
            for result, (value, _) in enumerate(program.results)
            if last[result] is None
        ]
        self._missing = [
            None if missing is None else registers[missing] for _, missing in program.results
        ]

    def evaluate(
        self,
        stored: Mapping[int, NDArray[Any]],
        invalid: Mapping[int, NDArray[np.bool_]],
        out: NDArray[np.floating[Any]],
    ) -> list[NDArray[np.bool_] | None]:
        """Fill ``out``, of shape (results, n), from the bands' stored values, of shape (n,), and
        tell for each result where it is nodata.
        """
        for compute, operands, register, result in self._steps:
            target = register if result is None else out[result]
            if compute is None:
                band, flags = operands
                np.copyto(target, invalid[band] if flags else stored[band])
            else:
                compute(
                    *[
                        stored[operand.band] if type(operand) is Stored else operand
                        for operand in operands
                    ],
                    out=target,
                )
        for result, values in self._rest:
            np.copyto(out[result], values, casting="same_kind")
        return self._missing


def _last_alone(program: Program, register: int) -> int | None:
    """The action that may put its value straight into a result: the last to touch the ``register``,
    which no other result has.
    """
    touching = [
        position
        for position, action in enumerate(program.actions)
        if action.register == register
        or (isinstance(action, Step) and Reference(register) in action.operands)
    ]
    last = program.actions[touching[-1]]
    # others may use the register as scratch
    simple = isinstance(last, Load) or isinstance(last.function.compute, np.ufunc)
    alone = sum(register in result for result in program.results) == 1
    return touching[-1] if simple and alone and last.register == register else None


def _bound(
    action: Load | Step, registers: Sequence[NDArray[Any]]
) -> tuple[Callable[..., Any] | None, tuple[Any, ...], NDArray[Any]]:
    """What to call with what, so that nothing but stored values is looked up while pixels wait; a
    load has nothing to call.
    """
    out = registers[action.register]
    if isinstance(action, Load):
        return None, (action.band, action.invalid), out
    function = action.function
    operands = tuple(
        registers[operand.number] if isinstance(operand, Reference) else operand
        for operand in action.operands
    )
    same = all(
        isinstance(operand, (float, bool)) or getattr(operand, "dtype", None) == out.dtype
        for operand in operands
    )
    return (
        partial(function.compute, dtype=out.dtype)
        if function.casts and not same
        else function.compute,
        operands,
        out,
    )


class Value(NamedTuple):
    """A value of single-assignment form: where it comes from, whether it is a truth or a whole
    number, its range where it is exact, and whether float32 holds it and all that it comes from
    exactly (``narrow``).
    """

    source: Load | tuple[Function, tuple[Reference | float | bool, ...]]
    truth: bool
    whole: bool
    bounds: Range | None
    narrow: bool = False

    @property
    def references(self) -> list[int]:
        """The positions of the values that it comes from."""
        return (
            []
            if isinstance(self.source, Load)
            else [operand.number for operand in self.source[1] if isinstance(operand, Reference)]
        )


def allocate(
    values: Sequence[Value],
    results: Sequence[tuple[Reference, Reference | None]],
    dtype: np.dtype[Any],
) -> Program:
    """A program of the values that ``results`` need; a register is free again after the last use of its value."""
    users: dict[int, list[int]] = {
        reference.number: [] for pair in results for reference in pair if reference is not None
    }
    kept = set(users)
    for position in range(len(values) - 1, -1, -1):
        for number in values[position].references if position in users else ():
            users.setdefault(number, []).append(position)
    types = _types(values, users, dtype)
    spared = _spared(
        values, {number: found for number, found in users.items() if number not in kept}, types
    )
    registers: list[np.dtype[Any]] = []
    free: dict[np.dtype[Any], list[int]] = {dtype: [] for dtype in types.values()}
    register_of: dict[int, int] = {}
    actions: list[Load | Step] = []
    for position in sorted(set(users) - set(spared)):
        value = values[position]
        ended = sorted(
            {
                number
                for number in value.references
                if number not in kept and number not in spared and users[number][0] == position
            }
        )
        in_place = isinstance(value.source, Load) or value.source[0].in_place
        if in_place:
            _release(ended, types, register_of, free)
        if not free[types[position]]:
            free[types[position]].append(len(registers))
            registers.append(types[position])
        register = register_of[position] = free[types[position]].pop()
        if not in_place:
            _release(ended, types, register_of, free)
        if isinstance(value.source, Load):
            actions.append(Load(value.source.band, register, value.source.invalid))
        else:
            function, operands = value.source
            placed = (_placed(operand, spared, register_of) for operand in operands)
            actions.append(Step(function, tuple(placed), register))
    return Program(
        dtype=dtype,
        registers=tuple(registers),
        actions=tuple(actions),
        results=tuple(
            (register_of[value.number], None if missing is None else register_of[missing.number])
            for value, missing in results
        ),
    )


def _release(
    ended: Sequence[int],
    types: Mapping[int, np.dtype[Any]],
    register_of: Mapping[int, int],
    free: dict[np.dtype[Any], list[int]],
) -> None:
    for number in ended:
        free[types[number]].append(register_of[number])


def _placed(
    operand: Reference | float | bool, spared: Mapping[int, Stored], register_of: Mapping[int, int]
) -> Reference | Stored | float | bool:
    if not isinstance(operand, Reference):
        return operand
    return spared.get(operand.number) or Reference(register_of[operand.number])


def _types(
    values: Sequence[Value], users: Mapping[int, Sequence[int]], dtype: np.dtype[Any]
) -> dict[int, np.dtype[Any]]:
    """Types of the values that are used: in a float64 program float32 for what it holds exactly, as
    far as only casting steps see that.
    """
    types: dict[int, np.dtype[Any]] = {}
    for position in sorted(users):
        value = values[position]
        narrow = (
            value.narrow
            and bool(users[position])
            and all(_casts(values[user]) for user in users[position])
        )
        if value.truth:
            types[position] = np.dtype(np.bool_)
        elif narrow and all(types[number] == np.float32 for number in value.references):
            types[position] = np.dtype(np.float32)
        else:
            types[position] = dtype
    return types


def _spared(
    values: Sequence[Value], users: Mapping[int, Sequence[int]], types: Mapping[int, np.dtype[Any]]
) -> dict[int, Stored]:
    """Bands that need no load, for that is faster: those of one or two float32 steps, each with
    another number beside them.
    """
    spared: dict[int, Stored] = {}
    for position in sorted(users):
        source = values[position].source
        if (
            isinstance(source, Load)
            and not source.invalid
            and 0 < len(users[position]) <= _MOST_CASTS
        ):
            steps = [values[user] for user in users[position]]
            beside = {number for step in steps for number in step.references}
            single = all(
                types[user] == np.float32 and _casts(values[user]) for user in set(users[position])
            )
            if single and len(set(users[position])) == len(steps) and not beside & set(spared):
                spared[position] = Stored(source.band)
    return spared


def _casts(value: Value) -> bool:
    return not isinstance(value.source, Load) and value.source[0].casts
