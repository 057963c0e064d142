# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs, which are loads and steps over preallocated registers, and their evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..arrays import NDArray
from ..expression.functions import FUNCTIONS


@dataclass(frozen=True)
class Reference:
    """An operand that is a register (in a program) or a value (in the compiler); constants are numbers.

    It is no named tuple, which would be equal to the band of the same number.
    """

    number: int


@dataclass(frozen=True)
class Stored:
    """An operand that is a band's stored values, of any type; numpy casts them in small buffers."""

    band: int


@dataclass(frozen=True)
class Step:
    """``register = function(*operands)``; the name of the function, of ``FUNCTIONS``, can be pickled."""

    function: str
    operands: tuple[Reference | Stored | float | bool, ...]
    register: int


@dataclass(frozen=True)
class Load:
    """``register`` = a band's stored values, or with ``nodata`` the mask of its nodata."""

    band: int
    register: int
    nodata: bool = False


@dataclass(frozen=True)
class Program:
    """Loads and steps in order, and for each result the registers of its values and of its nodata mask (or None).

    Numbers are of ``dtype``: float32 if every operand is exact in float32 and every operation
    correctly rounded, so that results equal exact arithmetic rounded once; otherwise float64, with
    float32 registers for values that are exact in float32.
    """

    dtype: np.dtype[Any]
    registers: tuple[np.dtype[Any], ...]
    actions: tuple[Load | Step, ...]
    results: tuple[tuple[int, int | None], ...]


class Evaluator:
    """Evaluates a program in registers: those of ``arrays``, of shape (n,), that have the right types."""

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
        """Evaluate the program.

        Parameters
        ----------
        stored
            The bands' stored values, of shape (n,).
        invalid
            The bands' nodata masks, of shape (n,).
        out
            Filled; of shape (results, n).

        Returns
        -------
        list of ndarray or None
            For each result where it is nodata, None for nowhere; overwritten by the next call.
        """
        for compute, operands, register, result in self._steps:
            target = register if result is None else out[result]
            if compute is None:
                band, nodata = operands
                np.copyto(target, invalid[band] if nodata else stored[band])
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
    """Return the position of the action that can write directly to a result, or None.

    It is the last one that uses the ``register``, if no other result has that.
    """
    touching = [
        position
        for position, action in enumerate(program.actions)
        if action.register == register
        or (isinstance(action, Step) and Reference(register) in action.operands)
    ]
    last = program.actions[touching[-1]]
    # other functions may use the register for intermediate values
    simple = isinstance(last, Load) or isinstance(FUNCTIONS[last.function].compute, np.ufunc)
    alone = sum(register in result for result in program.results) == 1
    return touching[-1] if simple and alone and last.register == register else None


def _bound(
    action: Load | Step, registers: Sequence[NDArray[Any]]
) -> tuple[Callable[..., Any] | None, tuple[Any, ...], NDArray[Any]]:
    """Return the function, operands and register of an action, so that evaluation looks up only
    stored values; None as the function of a load.
    """
    out = registers[action.register]
    if isinstance(action, Load):
        return None, (action.band, action.nodata), out
    function = FUNCTIONS[action.function]
    operands = tuple(
        registers[operand.number] if isinstance(operand, Reference) else operand
        for operand in action.operands
    )
    same = all(
        isinstance(operand, (float, bool)) or getattr(operand, "dtype", None) == out.dtype
        for operand in operands
    )
    if function.casts and not same:
        return partial(function.compute, dtype=out.dtype), operands, out
    return function.compute, operands, out
