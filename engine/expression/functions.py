# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of all functions that a step of a program can compute, by name.

A value is a number (in a floating-point register) or a boolean. Integers are numbers, too: exact up
to 2**53, and without overflow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

NUMBER, BOOLEAN = "number", "boolean"
_LARGEST_EXACT = 2.0**53  #: float64 represents every integer up to this one


class Range(NamedTuple):
    """Numbers from ``low`` to ``high`` that are multiples of ``grain``, a power of two of at most 1."""

    low: float
    high: float
    grain: float = 1.0

    @classmethod
    def of(cls, dtype: np.dtype[Any]) -> Range | None:
        """Return the range of an integer type; None for other types."""
        if dtype.kind == "b":
            return cls(0.0, 1.0)
        return (
            cls(float(np.iinfo(dtype).min), float(np.iinfo(dtype).max))
            if dtype.kind in "iu"
            else None
        )

    @property
    def grains(self) -> float:
        """The largest magnitude in grains: a floating-point type that represents all integers up to
        this one represents all numbers of the range.
        """
        return max(abs(self.low), abs(self.high)) / self.grain if self.grain else math.inf


class Function(NamedTuple):
    """An element-wise function.

    Attributes
    ----------
    compute
        ``compute(*operands, out=register)`` for arrays of shape (n,) or scalars.
    takes, gives
        :data:`NUMBER` or :data:`BOOLEAN`, of each argument and of the result.
    exact
        Whether results are correctly rounded (IEEE 754) in every floating-point type, unlike those
        of transcendental functions.
    integer
        Whether the result is an integer; None: if all arguments are.
    wants_integer
        Whether arguments must be integers.
    bounds
        Returns the lowest and the highest result for arguments in these ranges.
    grain
        Returns the grain of the result for the grains of the arguments.
    in_place
        Whether the result may overwrite an argument.
    casts
        Whether arguments may be of any type; ``dtype`` is then that of the result.
    """

    compute: Callable[..., Any]
    takes: tuple[str, ...]
    gives: str = NUMBER
    exact: bool = False
    integer: bool | None = False
    wants_integer: bool = False
    bounds: Callable[[Sequence[Range]], tuple[float, float]] | None = None
    grain: Callable[[Iterable[float]], float] = min
    in_place: bool = True
    casts: bool = False

    def range(self, arguments: Sequence[Range | None]) -> Range | None:
        """Return the range of the result for arguments in these ranges; None if unknown or not exact in float64."""
        ranges_known = [argument for argument in arguments if argument is not None]
        if self.bounds is None or len(ranges_known) < len(arguments):
            return None
        result_range = Range(
            *self.bounds(ranges_known), self.grain([argument.grain for argument in ranges_known])
        )
        return result_range if result_range.grains <= _LARGEST_EXACT else None


def _corners(
    operation: Callable[[float, float], float],
) -> Callable[[Sequence[Range]], tuple[float, float]]:
    def bounds(ranges: Sequence[Range]) -> tuple[float, float]:
        values = [operation(a, b) for a in ranges[0][:2] for b in ranges[1][:2]]
        return min(values), max(values)

    return bounds


def _hull(ranges: Sequence[Range]) -> tuple[float, float]:
    return min(each.low for each in ranges), max(each.high for each in ranges)


def _negated(ranges: Sequence[Range]) -> tuple[float, float]:
    return -ranges[0].high, -ranges[0].low


def _magnitude(ranges: Sequence[Range]) -> tuple[float, float]:
    return 0.0, max(abs(ranges[0].low), abs(ranges[0].high))


def _bits(ufunc: np.ufunc) -> Callable[..., Any]:
    def compute(*operands: Any, out: Any) -> None:
        ufunc(*operands, out=out, dtype=np.int64, casting="unsafe")

    return compute


def _shift_left(value: Any, shifts: Any, *, out: Any) -> None:
    np.ldexp(value, np.asarray(shifts).astype(np.int32), out=out)
    np.floor(out, out=out)  # for negative shifts


def _shift_right(value: Any, shifts: Any, *, out: Any) -> None:
    np.ldexp(value, -np.asarray(shifts).astype(np.int32), out=out)
    np.floor(out, out=out)


def _where(condition: Any, chosen: Any, otherwise: Any, *, out: Any) -> None:
    np.copyto(out, otherwise)
    np.copyto(out, chosen, where=condition)


def _copy(value: Any, *, out: Any) -> None:
    np.copyto(out, value)


def _is_not_zero(value: Any, *, out: Any) -> None:
    np.not_equal(value, 0, out=out)


def _nan_to_num(value: Any, *, out: Any) -> None:
    np.copyto(out, value)
    np.nan_to_num(out, copy=False)


def _not_finite(value: Any, *, out: Any) -> None:
    np.isfinite(value, out=out)
    np.logical_not(out, out=out)


def _round_half_up(value: Any, *, out: Any) -> None:
    """Round as ``rint`` of muParser does: floor(x + 0.5)."""
    np.add(value, 0.5, out=out)
    np.floor(out, out=out)


def _is_not_zero_truncated(value: Any, *, out: Any) -> None:
    """Compute int(x) != 0, as the words ``and`` and ``or`` of muParser read a number."""
    np.greater_equal(np.abs(value), 1, out=out)


def _number(compute: Callable[..., Any], count: int = 1, **more: Any) -> Function:
    return Function(compute, (NUMBER,) * count, **more)


_COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
_PLAIN_1 = (
    "sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "reciprocal",
    "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
    "deg2rad", "rad2deg",
)  # fmt: skip
_PLAIN_2 = (
    "power",
    "arctan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "copysign",
    "nextafter",
    "heaviside",
)

FUNCTIONS: dict[str, Function] = {
    **{name: _number(getattr(np, name)) for name in _PLAIN_1},
    **{name: _number(getattr(np, name), 2) for name in _PLAIN_2},
    **{name: _number(getattr(np, name), 2, gives=BOOLEAN, exact=True) for name in _COMPARISONS},
    "add": _number(np.add, 2, exact=True, integer=None, bounds=_corners(float.__add__), casts=True),
    "subtract": _number(
        np.subtract, 2, exact=True, integer=None, bounds=_corners(float.__sub__), casts=True
    ),
    "multiply": _number(
        np.multiply,
        2,
        exact=True,
        integer=None,
        bounds=_corners(float.__mul__),
        grain=math.prod,
        casts=True,
    ),
    "divide": _number(np.divide, 2, exact=True, casts=True),
    "square": _number(np.square, integer=None),
    "negative": _number(np.negative, exact=True, integer=None, bounds=_negated),
    "absolute": _number(np.absolute, exact=True, integer=None, bounds=_magnitude),
    "minimum": _number(np.minimum, 2, exact=True, integer=None, bounds=_hull),
    "maximum": _number(np.maximum, 2, exact=True, integer=None, bounds=_hull),
    "fmin": _number(np.fmin, 2, exact=True, integer=None, bounds=_hull),
    "fmax": _number(np.fmax, 2, exact=True, integer=None, bounds=_hull),
    "floor": _number(np.floor, integer=True),
    "ceil": _number(np.ceil, integer=True),
    "trunc": _number(np.trunc, integer=True),
    "rint": _number(np.rint, integer=True),
    "round_half_up": _number(_round_half_up, integer=True),
    "sign": _number(np.sign, integer=True),
    "remainder": _number(np.remainder, 2, integer=None),
    "fmod": _number(np.fmod, 2, integer=None),
    "floor_divide": _number(np.floor_divide, 2, integer=True),
    "bitwise_and": _number(_bits(np.bitwise_and), 2, integer=True, wants_integer=True),
    "bitwise_or": _number(_bits(np.bitwise_or), 2, integer=True, wants_integer=True),
    "bitwise_xor": _number(_bits(np.bitwise_xor), 2, integer=True, wants_integer=True),
    "invert": _number(_bits(np.invert), integer=True, wants_integer=True),
    "left_shift": _number(_shift_left, 2, integer=True, wants_integer=True),
    "right_shift": _number(_shift_right, 2, integer=True, wants_integer=True),
    "nan_to_num": _number(_nan_to_num),
    "copy": _number(_copy, exact=True, integer=None, bounds=lambda ranges: ranges[0][:2]),
    "isnan": _number(np.isnan, gives=BOOLEAN, exact=True),
    "isinf": _number(np.isinf, gives=BOOLEAN, exact=True),
    "isfinite": _number(np.isfinite, gives=BOOLEAN, exact=True),
    "signbit": _number(np.signbit, gives=BOOLEAN, exact=True),
    "not_finite": _number(_not_finite, gives=BOOLEAN, exact=True),
    "not_zero": _number(_is_not_zero, gives=BOOLEAN, exact=True),
    "truncated_not_zero": _number(_is_not_zero_truncated, gives=BOOLEAN, exact=True),
    "number": Function(
        _copy, (BOOLEAN,), exact=True, integer=True, bounds=lambda ranges: (0.0, 1.0)
    ),
    "logical_not": Function(np.logical_not, (BOOLEAN,), BOOLEAN, exact=True),
    "logical_and": Function(np.logical_and, (BOOLEAN, BOOLEAN), BOOLEAN, exact=True),
    "logical_or": Function(np.logical_or, (BOOLEAN, BOOLEAN), BOOLEAN, exact=True),
    "logical_xor": Function(np.logical_xor, (BOOLEAN, BOOLEAN), BOOLEAN, exact=True),
    "where": Function(
        _where,
        (BOOLEAN, NUMBER, NUMBER),
        exact=True,
        integer=None,
        bounds=lambda ranges: _hull(ranges[1:]),
        in_place=False,
    ),
}

#: Constants by name, and names of modules that may precede that of a function or constant.
CONSTANTS = {
    "true": 1.0, "false": 0.0, "pi": math.pi, "e": math.e, "nan": math.nan, "inf": math.inf, "_pi": math.pi,
    "_e": math.e, "euler": 0.57721566490153286, "ln2": math.log(2), "ln10": math.log(10),
    "log2e": math.log2(math.e), "log10e": math.log10(math.e),
}  # fmt: skip
MODULES = ("numpy", "np", "math", "gdal_array", "gdalnumeric", "gdal_numeric")
