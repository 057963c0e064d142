# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions compiled to steps over preallocated registers.

Stored values are not scaled one by one. Every value is carried as ``scale * (register + shift)``, so that in
(nir - red) / (nir + red) the common scale cancels and 16-bit bands stay what they are: integers. This is faster
and it is exact: a denominator that is zero is exactly zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .expression import Band, Call, Node
from .functions import FUNCTIONS, Function

_LARGEST_EXACT = 2.0**24  #: up to here float32 holds every integer

Registers = Sequence[npt.NDArray[np.floating]]


@dataclass(frozen=True)
class BandValue:
    """Physical value of a band = stored value of type ``dtype`` * ``scale`` + ``offset``."""

    dtype: np.dtype
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class Step:
    """``register = ufunc(*operands)``; an operand is a register's number or a constant."""

    ufunc: np.ufunc
    operands: tuple[int | float, ...]
    register: int


@dataclass(frozen=True)
class Program:
    """Loads of bands into registers, steps, and the registers that hold the results.

    ``dtype`` is float32 where that is proven to give the same as exact arithmetic rounded once: every operand
    is an integer of at most 2**24 and every operation is correctly rounded. Otherwise it is float64.
    """

    dtype: np.dtype
    loads: tuple[tuple[int, int], ...]
    steps: tuple[Step, ...]
    results: tuple[int, ...]
    registers: int

    def evaluate(self, stored: Sequence[npt.NDArray], registers: Registers) -> list[npt.NDArray[np.floating]]:
        """Results, one array of ``dtype`` each, for bands of stored values, all of shape (n,).

        ``registers`` are arrays of ``dtype`` and shape (n,), as many as the program names; they are
        overwritten, and the results lie in them.
        """
        for band, register in self.loads:
            np.copyto(registers[register], stored[band])
        for step in self.steps:
            operands = (registers[operand] if isinstance(operand, int) else self.dtype.type(operand) for operand in step.operands)
            step.ufunc(*operands, out=registers[step.register])
        return [registers[register] for register in self.results]


def compile_program(expressions: Sequence[Node], bands: Sequence[BandValue]) -> Program:
    """Compile expressions over ``bands``; what they have in common is computed once."""
    compiler = _Compiler(bands)
    results = [compiler.finished(compiler.term(expression)) for expression in expressions]
    return _allocated(compiler, results)


@dataclass(frozen=True)
class _Term:
    """A value that is ``scale * (values[value] + shift)``."""

    value: int
    scale: float = 1.0
    shift: float = 0.0


class _Compiler:
    """Builds values in single-assignment form; ``bounds`` has the range of those that are exact integers."""

    def __init__(self, bands: Sequence[BandValue]) -> None:
        self.bands = bands
        self.values: list[int | tuple[Function, tuple[int | float, ...]]] = []
        self.bounds: list[tuple[float, float] | None] = []
        self.single = True
        self._known: dict[object, int] = {}
        self._terms: dict[Node, _Term] = {}

    def term(self, node: Node) -> _Term:
        if node not in self._terms:
            if isinstance(node, Band):
                self._terms[node] = self._band(node.index)
            elif isinstance(node, Call):
                arguments = [self.term(argument) for argument in node.arguments]
                self._terms[node] = _RULES[node.function](self, *arguments)
            else:
                raise TypeError(f"not an expression: {node!r}")
        return self._terms[node]

    def _band(self, index: int) -> _Term:
        band = self.bands[index]
        known = self._known.get(index)
        if known is None:
            known = self._known[index] = len(self.values)
            self.values.append(index)
            exact = band.dtype.kind in "iu"
            self.bounds.append((float(np.iinfo(band.dtype).min), float(np.iinfo(band.dtype).max)) if exact else None)
        return _Term(known, band.scale, _quotient(band.offset, band.scale))

    def call(self, name: str, *operands: int | float) -> int:
        """The value of a function of other values (int) and constants (float)."""
        key = (name, operands)
        if key not in self._known:
            ranges = [self._range(operand) for operand in operands]
            function = FUNCTIONS[name]
            self.single = self.single and function.correctly_rounded and all(_exact_in_float32(bounds) for bounds in ranges)
            self._known[key] = len(self.values)
            self.values.append((function, operands))
            self.bounds.append(_integer_range(name, ranges))
        return self._known[key]

    def _range(self, operand: int | float) -> tuple[float, float] | None:
        if isinstance(operand, int):
            return self.bounds[operand]
        return (operand, operand) if operand.is_integer() else None

    def shifted(self, term: _Term) -> int:
        """The value without its scale."""
        return self.call("add", term.value, term.shift) if term.shift else term.value

    def finished(self, term: _Term) -> int:
        """The value itself."""
        value = self.shifted(term)
        return self.call("multiply", value, term.scale) if term.scale != 1 else value


def _sum(sign: float) -> Callable[[_Compiler, _Term, _Term], _Term]:
    name = "add" if sign > 0 else "subtract"

    def rule(compiler: _Compiler, a: _Term, b: _Term) -> _Term:
        if a.scale == b.scale:
            return _Term(compiler.call(name, a.value, b.value), a.scale, a.shift + sign * b.shift)
        return _Term(compiler.call(name, compiler.finished(a), compiler.finished(b)))

    return rule


def _product(compiler: _Compiler, a: _Term, b: _Term) -> _Term:
    return _Term(compiler.call("multiply", compiler.shifted(a), compiler.shifted(b)), a.scale * b.scale)


def _ratio(compiler: _Compiler, a: _Term, b: _Term) -> _Term:
    return _Term(compiler.call("divide", compiler.shifted(a), compiler.shifted(b)), a.scale / b.scale)


_RULES: dict[str, Callable[..., _Term]] = {"add": _sum(1.0), "subtract": _sum(-1.0), "multiply": _product, "divide": _ratio}


def _quotient(offset: float, scale: float) -> float:
    """offset / scale, as the integer that it stands for where rounding alone keeps it from being one."""
    quotient = offset / scale
    whole = float(round(quotient))
    return whole if math.isclose(quotient, whole, rel_tol=1e-15, abs_tol=0.0) else quotient


def _exact_in_float32(bounds: tuple[float, float] | None) -> bool:
    return bounds is not None and max(map(abs, bounds)) <= _LARGEST_EXACT


def _integer_range(name: str, ranges: Sequence[tuple[float, float] | None]) -> tuple[float, float] | None:
    """Range of a function of integers that gives integers; None where it does not, or where float64 could not hold it."""
    first, second = ranges
    if first is None or second is None or name == "divide":
        return None
    corners = [float(FUNCTIONS[name].ufunc(a, b)) for a in first for b in second]
    low, high = min(corners), max(corners)
    return (low, high) if max(abs(low), abs(high)) <= 2.0**53 else None


def _allocated(compiler: _Compiler, results: Sequence[int]) -> Program:
    """Give values registers, each free again after the last use of its value."""
    last_use = {value: len(compiler.values) for value in results}
    for position, value in reversed(list(enumerate(compiler.values))):
        for operand in value[1] if isinstance(value, tuple) else ():
            if isinstance(operand, int):
                last_use.setdefault(operand, position)
    exact = compiler.single and all(
        _exact_in_float32(bounds) for value, bounds in zip(compiler.values, compiler.bounds) if isinstance(value, int)
    )
    free: list[int] = []
    register_of: dict[int, int] = {}
    loads, steps, registers = [], [], 0
    for position, value in enumerate(compiler.values):
        if position not in last_use:
            continue
        operands = value[1] if isinstance(value, tuple) else ()
        placed = tuple(register_of[operand] if isinstance(operand, int) else operand for operand in operands)
        free.extend(dict.fromkeys(register_of[o] for o in operands if isinstance(o, int) and last_use[o] == position))
        if not free:
            free.append(registers)
            registers += 1
        register_of[position] = free.pop()
        if isinstance(value, tuple):
            steps.append(Step(value[0].ufunc, placed, register_of[position]))
        else:
            loads.append((value, register_of[position]))
    return Program(
        dtype=np.dtype(np.float32 if exact else np.float64),
        loads=tuple(loads),
        steps=tuple(steps),
        results=tuple(register_of[value] for value in results),
        registers=registers,
    )
