# SPDX-License-Identifier: GPL-2.0-or-later
"""What a formula is compiled to: loads and steps over preallocated registers, and which values share a register."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .functions import NUMBER, TRUTH, Function, Range


@dataclass(frozen=True)
class Reference:
    """An operand that is a register (in a program) or a value (in the compiler), where constants are numbers."""

    number: int


@dataclass(frozen=True)
class Step:
    """``register = compute(*operands)``."""

    function: Function
    operands: tuple[Reference | float | bool, ...]
    register: int


@dataclass(frozen=True)
class Load:
    """``register`` = a band's stored values, or with ``invalid`` the truth that they are nodata."""

    band: int
    register: int
    invalid: bool = False


@dataclass(frozen=True)
class Program:
    """Loads and steps in order, and the registers that then hold each result and where it is nodata (None: nowhere).

    Numbers are of ``dtype``: float32 where that is proven to give the same as exact arithmetic rounded once, for every
    operand is an integer of at most 2**24 and every operation is correctly rounded; otherwise float64.
    """

    dtype: np.dtype[Any]
    registers: tuple[np.dtype[Any], ...]
    actions: tuple[Load | Step, ...]
    results: tuple[tuple[int, int | None], ...]


class Evaluator:
    """A program on registers of its own: arrays of shape (n,) and of the program's register types, overwritten each time."""

    def __init__(self, program: Program, registers: Sequence[npt.NDArray[Any]]) -> None:
        last = [_last_alone(program, value) for value, _ in program.results]
        direct = {position: result for result, position in enumerate(last) if position is not None}
        self._steps = [(*_bound(action, registers), direct.get(position)) for position, action in enumerate(program.actions)]
        self._rest = [(result, registers[value]) for result, (value, _) in enumerate(program.results) if last[result] is None]
        self._missing = [None if missing is None else registers[missing] for _, missing in program.results]

    def evaluate(
        self, stored: Sequence[npt.NDArray[Any]], invalid: Sequence[npt.NDArray[np.bool_]], out: npt.NDArray[np.floating[Any]]
    ) -> list[npt.NDArray[np.bool_] | None]:
        """Fill ``out``, of shape (results, n), for bands of stored values of shape (n,), and tell for each result where it is nodata."""
        for compute, operands, register, result in self._steps:
            target = register if result is None else out[result]
            if compute is None:
                band, flags = operands
                np.copyto(target, invalid[band] if flags else stored[band])
            else:
                compute(*operands, out=target)
        for result, values in self._rest:
            np.copyto(out[result], values, casting="same_kind")
        return self._missing


def _last_alone(program: Program, register: int) -> int | None:
    """The action that may put its value straight into a result: the last to touch the ``register``, which no other result has."""
    touching = [
        position
        for position, action in enumerate(program.actions)
        if action.register == register or (isinstance(action, Step) and Reference(register) in action.operands)
    ]
    last = program.actions[touching[-1]]
    simple = isinstance(last, Load) or isinstance(last.function.compute, np.ufunc)  # others may use the register as scratch
    alone = sum(register in result for result in program.results) == 1
    return touching[-1] if simple and alone and last.register == register else None


def _bound(action: Load | Step, registers: Sequence[npt.NDArray[Any]]) -> tuple[Callable[..., Any] | None, tuple[Any, ...], npt.NDArray[Any]]:
    """What to call with what, so that nothing is looked up while pixels wait; a load has nothing to call."""
    out = registers[action.register]
    if isinstance(action, Load):
        return None, (action.band, action.invalid), out
    operands = tuple(registers[operand.number] if isinstance(operand, Reference) else operand for operand in action.operands)
    return action.function.compute, operands, out


@dataclass(frozen=True)
class Value:
    """A value of single-assignment form: where it comes from, whether it is a truth or a whole number, and its bounds where it is exact."""

    source: Load | tuple[Function, tuple[Reference | float | bool, ...]]
    truth: bool
    whole: bool
    bounds: Range


def allocate(values: Sequence[Value], results: Sequence[tuple[Reference, Reference | None]], dtype: np.dtype[Any]) -> Program:
    """A program of the values that ``results`` need; a register is free again after the last use of its value."""
    forever = len(values)
    last_use = {reference.number: forever for pair in results for reference in pair if reference is not None}
    for position in range(len(values) - 1, -1, -1):
        source = values[position].source
        if position in last_use and not isinstance(source, Load):
            for operand in source[1]:
                if isinstance(operand, Reference):
                    last_use.setdefault(operand.number, position)
    kinds: list[str] = []
    free: dict[str, list[int]] = {NUMBER: [], TRUTH: []}
    register_of: dict[int, int] = {}
    actions: list[Load | Step] = []
    for position, value in enumerate(values):
        if position not in last_use:
            continue
        kind = TRUTH if value.truth else NUMBER
        operands = () if isinstance(value.source, Load) else value.source[1]
        placed = tuple(Reference(register_of[operand.number]) if isinstance(operand, Reference) else operand for operand in operands)
        ended = {operand.number for operand in operands if isinstance(operand, Reference) and last_use[operand.number] == position}
        in_place = isinstance(value.source, Load) or value.source[0].in_place
        if in_place:
            _release(ended, values, register_of, free)
        if not free[kind]:
            free[kind].append(len(kinds))
            kinds.append(kind)
        register = register_of[position] = free[kind].pop()
        if not in_place:
            _release(ended, values, register_of, free)
        if isinstance(value.source, Load):
            actions.append(Load(value.source.band, register, value.source.invalid))
        else:
            actions.append(Step(value.source[0], placed, register))
    return Program(
        dtype=dtype,
        registers=tuple(np.dtype(np.bool_) if kind == TRUTH else dtype for kind in kinds),
        actions=tuple(actions),
        results=tuple((register_of[value.number], None if missing is None else register_of[missing.number]) for value, missing in results),
    )


def _release(ended: set[int], values: Sequence[Value], register_of: dict[int, int], free: dict[str, list[int]]) -> None:
    for number in sorted(ended):
        free[TRUTH if values[number].truth else NUMBER].append(register_of[number])
