# SPDX-License-Identifier: GPL-2.0-or-later
"""The four dialects as tables of operators, with their precedence, and functions.

Measured on the tools themselves, see ``docs/dialects.md``. A dialect also has operators and functions
that its tool lacks, unless these would have another meaning there; the precedence is that of the most
similar operator.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

from .formula import FormulaBuilder


class DialectChoice(enum.Enum):
    """The dialects of expressions."""

    AUTOMATIC = 0
    BANDWISE = 1
    QGIS = 2
    GDAL_CALC = 3
    OTB = 4


Expander = Callable[[FormulaBuilder, Sequence[int], tuple[int, int]], int]


class Operator(NamedTuple):
    """A ``function`` with a precedence: a higher one binds tighter."""

    function: str
    precedence: int
    right_associative: bool = False


class Named(NamedTuple):
    """A function that can be called: how its node is built, and the least and largest number of arguments.

    ``most`` is None for any number. ``function`` is its name in the table of functions, empty if
    it stands for several of them.
    """

    expand: Expander
    least: int
    most: int | None
    function: str = ""


class Dialect(NamedTuple):
    """The operators and functions of a dialect.

    ``strict`` functions return nodata if the result is not finite. ``quotes``: the whole text may
    be in double quotes. ``sum_of_booleans``: the sum of two true values is 2, else 1.
    ``allow_chained``: 0 < A < 3 is read from left to right, else refused. ``hints`` has what to
    write instead of an operator that only other tools have, or that means something else there.
    """

    choice: DialectChoice
    name: str
    infix: Mapping[str, Operator]
    prefix: Mapping[str, Operator]
    functions: Mapping[str, Named]
    strict: frozenset[str] = frozenset()
    sum_of_booleans: bool = True
    allow_chained: bool = False
    quotes: bool = False
    hints: Mapping[str, str] = {}


def _plain(function: str, count: int) -> Named:
    return Named(
        lambda builder, arguments, span: builder.call(function, *arguments, span=span),
        count,
        count,
        function,
    )


def _folded(function: str, least: int = 2) -> Named:
    """Return a function of two arguments as one of any number."""

    def expand(builder: FormulaBuilder, arguments: Sequence[int], span: tuple[int, int]) -> int:
        return reduce(lambda a, b: builder.call(function, a, b, span=span), arguments)

    return Named(expand, least, None)


def _average(builder: FormulaBuilder, arguments: Sequence[int], span: tuple[int, int]) -> int:
    total = reduce(lambda a, b: builder.call("add", a, b, span=span), arguments)
    return builder.call("divide", total, builder.number(len(arguments)), span=span)


def _clip(builder: FormulaBuilder, arguments: Sequence[int], span: tuple[int, int]) -> int:
    value, low, high = arguments
    return builder.call("minimum", builder.call("maximum", value, low, span=span), high, span=span)


def _round(builder: FormulaBuilder, arguments: Sequence[int], span: tuple[int, int]) -> int:
    """Round as ``round(x, decimals)`` of numpy does, half to even."""
    if len(arguments) == 1:
        return builder.call("rint", arguments[0], span=span)
    factor = builder.call("power", builder.number(10), arguments[1], span=span)
    return builder.call(
        "divide",
        builder.call("rint", builder.call("multiply", arguments[0], factor)),
        factor,
        span=span,
    )


def _ndvi(builder: FormulaBuilder, arguments: Sequence[int], span: tuple[int, int]) -> int:
    red, nir = arguments
    return builder.call(
        "divide", builder.call("subtract", nir, red), builder.call("add", nir, red), span=span
    )


def _identity(builder: FormulaBuilder, arguments: Sequence[int], span: tuple[int, int]) -> int:
    return arguments[0]


_ONE = {
    "sqrt": "sqrt", "abs": "absolute", "absolute": "absolute", "fabs": "absolute", "exp": "exp", "exp2": "exp2",
    "expm1": "expm1", "ln": "log", "log": "log", "log2": "log2", "log10": "log10", "log1p": "log1p",
    "sin": "sin", "cos": "cos", "tan": "tan", "asin": "arcsin", "arcsin": "arcsin", "acos": "arccos",
    "arccos": "arccos", "atan": "arctan", "arctan": "arctan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "asinh": "arcsinh", "arcsinh": "arcsinh", "acosh": "arccosh", "arccosh": "arccosh", "atanh": "arctanh",
    "arctanh": "arctanh", "floor": "floor", "ceil": "ceil", "ceiling": "ceil", "trunc": "trunc", "fix": "trunc",
    "rint": "rint", "sign": "sign", "square": "square", "cbrt": "cbrt", "reciprocal": "reciprocal",
    "negative": "negative", "deg2rad": "deg2rad", "radians": "deg2rad", "rad2deg": "rad2deg",
    "degrees": "rad2deg", "isnan": "isnan", "isinf": "isinf", "isfinite": "isfinite", "signbit": "signbit",
    "nan_to_num": "nan_to_num", "logical_not": "logical_not", "invert": "invert", "bitwise_not": "invert",
    "isnodata": "isnodata",
}  # fmt: skip
_TWO = {
    "power": "power", "pow": "power", "float_power": "power", "minimum": "minimum", "maximum": "maximum",
    "fmin": "fmin", "fmax": "fmax", "atan2": "arctan2", "arctan2": "arctan2", "hypot": "hypot",
    "mod": "remainder", "remainder": "remainder", "fmod": "fmod", "floor_divide": "floor_divide", "add": "add",
    "subtract": "subtract", "multiply": "multiply", "divide": "divide", "true_divide": "divide",
    "copysign": "copysign", "heaviside": "heaviside", "logaddexp": "logaddexp", "logaddexp2": "logaddexp2",
    "nextafter": "nextafter", "equal": "equal", "not_equal": "not_equal", "less": "less",
    "less_equal": "less_equal", "greater": "greater", "greater_equal": "greater_equal",
    "logical_and": "logical_and", "logical_or": "logical_or", "logical_xor": "logical_xor",
    "bitwise_and": "bitwise_and", "bitwise_or": "bitwise_or", "bitwise_xor": "bitwise_xor",
    "left_shift": "left_shift", "right_shift": "right_shift",
}  # fmt: skip
#: Types of numpy as functions: values are floating point already; integer types truncate, without
#: overflow.
_FLOATS = ("float", "float32", "float64", "float_", "double", "single", "positive")

_INTEGERS = (
    "int",
    "int_",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
)

_FUNCTIONS: dict[str, Named] = {
    **{name: _plain(function, 1) for name, function in _ONE.items()},
    **{name: _plain(function, 2) for name, function in _TWO.items()},
    **{name: Named(_identity, 1, 1) for name in _FLOATS},
    **{name: _plain("trunc", 1) for name in _INTEGERS},
    "where": _plain("where", 3),
    "if": _plain("where", 3),
    "min": _folded("minimum"),
    "max": _folded("maximum"),
    "sum": _folded("add"),
    "avg": Named(_average, 2, None),
    "clip": Named(_clip, 3, 3),
    "round": Named(_round, 1, 2),
    "around": Named(_round, 1, 2),
    "ndvi": Named(_ndvi, 2, 2),
    "coalesce": Named(
        lambda builder, arguments, span: builder.call("coalesce", *arguments, span=span), 2, None
    ),
}

_SUMS = {"+": "add", "-": "subtract"}
_PRODUCTS = {"*": "multiply", "/": "divide", "%": "remainder", "//": "floor_divide"}
_COMPARISONS = {
    "=": "equal", "==": "equal", "!=": "not_equal", "<>": "not_equal", "<": "less", "<=": "less_equal",
    ">": "greater", ">=": "greater_equal",
}  # fmt: skip


def _operators(
    signs: Mapping[str, str], precedence: int, *, right: bool = False
) -> dict[str, Operator]:
    return {sign: Operator(function, precedence, right) for sign, function in signs.items()}


BANDWISE = Dialect(
    DialectChoice.BANDWISE,
    "Bandwise",
    infix={
        **_operators({"||": "logical_or", "or": "logical_or"}, 2),
        **_operators({"&&": "logical_and", "and": "logical_and"}, 3),
        **_operators(_COMPARISONS, 5),
        **_operators({"|": "bitwise_or"}, 6),
        **_operators({"&": "bitwise_and"}, 8),
        **_operators({"<<": "left_shift", ">>": "right_shift"}, 9),
        **_operators(_SUMS, 10),
        **_operators(_PRODUCTS, 11),
        **_operators({"^": "power", "**": "power"}, 13, right=True),
    },
    prefix={
        **_operators({"!": "logical_not", "not": "logical_not"}, 4),
        **_operators({"-": "negative", "+": "positive", "~": "invert"}, 12),
    },
    functions=_FUNCTIONS,
)

QGIS = Dialect(
    DialectChoice.QGIS,
    "QGIS",
    infix={
        **_operators({"and": "logical_and", "&&": "logical_and"}, 2),
        **_operators({"or": "logical_or", "||": "logical_or"}, 3),
        **_operators({"!=": "not_equal", "<>": "not_equal"}, 5),
        **_operators({">=": "greater_equal"}, 6),
        **_operators({"<=": "less_equal"}, 7),
        **_operators({"=": "equal", "==": "equal", "<": "less", ">": "greater"}, 8),
        **_operators(_SUMS, 10),
        **_operators(_PRODUCTS, 11),
        **_operators({"^": "power", "**": "power"}, 12),
    },
    prefix={
        **_operators({"not": "logical_not", "!": "logical_not"}, 4),
        **_operators({"-": "negative", "+": "positive"}, 13),
    },
    functions=_FUNCTIONS,
    strict=frozenset({"divide", "sqrt", "log", "log10", "power"}),
    allow_chained=True,
    hints={"&": "and", "|": "or", "~": "not (...)", "<<": "* 2^n", ">>": "/ 2^n"},
)

GDAL_CALC = Dialect(
    DialectChoice.GDAL_CALC,
    "gdal_calc",
    infix={
        **{sign: operator for sign, operator in BANDWISE.infix.items() if sign != "="},
        **_operators({"^": "bitwise_xor"}, 7),
    },
    prefix=BANDWISE.prefix,
    functions=_FUNCTIONS,
    sum_of_booleans=False,
    quotes=True,
    hints={"=": "=="},
)

OTB = Dialect(
    DialectChoice.OTB,
    "OTB",
    infix={
        **_operators({"and": "int_and", "or": "int_or"}, 2),
        **_operators({"||": "logical_or"}, 3),
        **_operators({"&&": "logical_and"}, 4),
        **_operators({sign: function for sign, function in _COMPARISONS.items() if sign != "="}, 5),
        **_operators(_SUMS, 10),
        **_operators(_PRODUCTS, 11),
        **_operators({"^": "power", "**": "power"}, 13, right=True),
    },
    prefix=_operators(
        {"-": "negative", "+": "positive", "!": "logical_not", "not": "logical_not"}, 12
    ),
    functions={
        **_FUNCTIONS,
        "rint": _plain("round_half_up", 1),
        "min": _folded("minimum", 1),
        "max": _folded("maximum", 1),
        "sum": _folded("add", 1),
        "avg": Named(_average, 1, None),
    },
    allow_chained=True,
    hints={"=": "==", "&": "&&", "|": "||", "~": "!", "<<": "* 2^n", ">>": "/ 2^n"},
)

DIALECTS = {dialect.choice: dialect for dialect in (BANDWISE, QGIS, GDAL_CALC, OTB)}
