# SPDX-License-Identifier: GPL-2.0-or-later
"""Random expression trees, how somebody types them in each dialect, and what float64 numpy computes
straight from the tree.

Nothing here uses the engine but the names of dialects. What is random comes from a :class:`Choice`:
hypothesis's, or a seeded generator's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from bandwise.engine.expression.dialects import DialectChoice

BANDWISE, QGIS, GDAL_CALC, OTB = (DialectChoice(number) for number in (1, 2, 3, 4))
EVERY = (BANDWISE, QGIS, GDAL_CALC, OTB)


class Choice(Protocol):
    """Where random choices come from."""

    def of(self, things: Sequence[Any]) -> Any: ...
    def between(self, low: int, high: int) -> int: ...
    def coin(self) -> bool: ...


class Seeded:
    """Choices of a seeded generator."""

    def __init__(self, generator: random.Random) -> None:
        self.of = generator.choice
        self.between = generator.randint
        self.coin = lambda: generator.random() < 0.5


# The bands: one raster each, with extremes, equal neighbours, zeros, halves and gaps.
SIZE = 24
TYPES = ("uint8", "int16", "uint16", "int32", "uint32", "float32", "float64", "uint16")
WHOLE = [index for index, dtype in enumerate(TYPES) if dtype[0] != "f"]
NAMES = (
    "scene",
    "b8-10m",
    "S2A_T33.v2",
    "dem 10 m",
    "Höhe",
    "land-cover",
    "Landsat 8 (2021)",
    "x.y",
)


class Bands(NamedTuple):
    """Stored values of each band and where they are nodata, arrays of one shape."""

    values: Sequence[Any]
    gaps: Sequence[Any]


def made_bands() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Stored values and gaps of every band, shape (24,)."""
    random = np.random.default_rng(20240)
    stored, gaps = [], []
    for dtype in map(np.dtype, TYPES):
        if dtype.kind == "f":
            values = np.round(random.normal(0, 3, SIZE) * 8) / 8
            values[:8] = [0, 0.5, 1.5, 2.5, -0.5, -2.5, 1e-3, -1e4]
            values[8] = np.nan
        else:
            limits = np.iinfo(dtype)
            values = random.integers(0, 12, SIZE)
            values[:6] = [limits.min, limits.max, 0, 1, limits.max - 1, 255]
            values[12:16] = random.integers(limits.min, limits.max, 4)
        stored.append(values.astype(dtype))
        gaps.append(random.random(SIZE) < 0.1)
    return stored, gaps


STORED, GAPS = made_bands()


# The tree: (kind, ...) with kinds band, number, infix, negative, not, invert, call, if.
Tree = tuple


class Spelling(NamedTuple):
    """How a dialect writes a function, and what numpy calls it; ``rough``: not the nearest number,
    so perhaps the next one elsewhere.
    """

    names: tuple[str, ...]
    count: int  # type: ignore[assignment]
    compute: Callable[..., Any]
    rough: bool = False


def spelled(count: int, rough: bool, **functions: str) -> list[Spelling]:
    return [
        Spelling(tuple(names.split()), count, getattr(np, function), rough)
        for function, names in functions.items()
    ]


TRIGONOMETRY = spelled(1, True, sin="sin", cos="cos", tan="tan")
ARCS = spelled(1, True, arcsin="asin", arccos="acos", arctan="atan")
HYPERBOLIC = spelled(1, True, sinh="sinh", cosh="cosh", tanh="tanh")
ROUNDED = spelled(
    1,
    False,
    floor="floor",
    ceil="ceil",
    trunc="trunc fix",
    rint="rint round around",
    sign="sign",
    square="square",
)
NUMPYS = [
    *spelled(
        1,
        True,
        exp="exp",
        log="log",
        log2="log2",
        log10="log10",
        log1p="log1p",
        expm1="expm1",
        exp2="exp2",
        cbrt="cbrt",
    ),
    *spelled(
        1,
        True,
        arcsinh="arcsinh",
        arccosh="arccosh",
        arctanh="arctanh",
        deg2rad="deg2rad radians",
        rad2deg="rad2deg degrees",
    ),
    *spelled(1, True, arcsin="arcsin", arccos="arccos", arctan="arctan"),
    *spelled(
        1,
        False,
        sqrt="sqrt",
        absolute="abs absolute fabs",
        isnan="isnan",
        isfinite="isfinite",
        reciprocal="reciprocal",
    ),
    *spelled(2, True, power="power pow", arctan2="arctan2", hypot="hypot", logaddexp="logaddexp"),
    *spelled(
        2,
        False,
        minimum="minimum",
        maximum="maximum",
        remainder="mod remainder",
        fmod="fmod",
        floor_divide="floor_divide",
        copysign="copysign",
    ),
    *spelled(
        2,
        False,
        add="add",
        subtract="subtract",
        multiply="multiply",
        divide="divide true_divide",
        fmin="fmin",
        fmax="fmax",
    ),
    *spelled(
        2,
        False,
        less="less",
        greater_equal="greater_equal",
        equal="equal",
        logical_xor="logical_xor",
        logical_and="logical_and",
    ),
    Spelling(("clip",), 3, lambda x, low, high: np.minimum(np.maximum(x, low), high)),
    *TRIGONOMETRY,
    *HYPERBOLIC,
    *ROUNDED,
]
FOLDS = [
    Spelling(("min",), 3, lambda *values: np.minimum(np.minimum(*values[:2]), values[2])),
    Spelling(("max",), 2, np.maximum),
    Spelling(("sum",), 3, lambda a, b, c: a + b + c),
    Spelling(("avg",), 3, lambda a, b, c: (a + b + c) / 3),
    Spelling(("ndvi",), 2, lambda red, nir: (nir - red) / (nir + red)),
]
FUNCTIONS = {
    BANDWISE: [*NUMPYS, *FOLDS, *spelled(1, True, log="ln"), *ARCS],
    QGIS: [
        *spelled(1, False, sqrt="sqrt", absolute="abs"), *spelled(1, True, log="ln", log10="log10"),
        *spelled(2, False, minimum="min", maximum="max"),
        *TRIGONOMETRY, *ARCS,
    ],
    GDAL_CALC: NUMPYS,
    OTB: [
        *spelled(1, False, sqrt="sqrt", absolute="abs", sign="sign"),
        *spelled(1, True, log="ln log", log2="log2", log10="log10", exp="exp"),
        *spelled(1, True, arcsinh="asinh", arccosh="acosh", arctanh="atanh"), *spelled(2, True, arctan2="atan2"),
        Spelling(("rint",), 1, lambda x: np.floor(x + 0.5)), *FOLDS, *TRIGONOMETRY, *ARCS, *HYPERBOLIC,
    ],
}  # fmt: skip

ARITHMETIC = {
    BANDWISE: ("+", "-", "*", "/", "%", "//", "power"),
    QGIS: ("+", "-", "*", "/", "power"),
    GDAL_CALC: ("+", "-", "*", "/", "%", "//", "power"),
    OTB: ("+", "-", "*", "/", "power"),
}
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
LOGIC = {
    BANDWISE: ("and", "or", "&", "|"),
    QGIS: ("and", "or"),
    GDAL_CALC: ("&", "|", "xor"),
    OTB: ("and", "or", "&&", "||"),
}
BITS = {BANDWISE: ("&", "|", "<<", ">>"), GDAL_CALC: ("&", "|", "xor", "<<", ">>")}
NEGATIONS = {BANDWISE: ("not", "invert"), GDAL_CALC: ("invert",)}

# docs/dialects.md, loosest first; each line one rank.
_TABLES = {
    BANDWISE: "?:;or;and;not;== != < <= > >=;|;xor;&;<< >>;+ -;* / % //;unary;power",
    QGIS: "and;or;!=;>=;<=;== < >;+ -;* /;power;unary",
    GDAL_CALC: "== != < <= > >=;|;xor;&;<< >>;+ -;* / % //;unary;power",
    OTB: "?:;and or;||;&&;== != < <= > >=;+ -;* /;unary;power",
}
RANKS = {
    dialect: {sign: rank for rank, line in enumerate(table.split(";")) for sign in line.split()}
    for dialect, table in _TABLES.items()
}
SIGNS = {
    BANDWISE: {
        "power": ("^", "**"),
        "==": ("=", "=="),
        "!=": ("!=", "<>"),
        "and": ("and", "&&", "AND"),
        "or": ("or", "||", "Or"),
        "not": ("not ", "!"),
    },
    QGIS: {"power": ("^",), "==": ("=",), "and": ("AND", "and", "And"), "or": ("OR", "or")},
    GDAL_CALC: {"power": ("**",), "xor": ("^",)},
    OTB: {"power": ("^",)},
}
NUMBERS = (
    "0",
    "1",
    "2",
    "3",
    "7",
    "255",
    "10000",
    "0.5",
    ".25",
    "2.",
    "1e-3",
    "2.5E2",
    "1e+4",
    "3.7",
)


def numbers(choose: Choice, dialect: DialectChoice, depth: int) -> Tree:
    """A tree that is a number."""
    kinds = ["band", "band", "number"]
    if depth:
        kinds = (
            ["infix"] * 6
            + ["call"] * 4
            + ["negative", "if", "truth", "band", "number"]
            + (["whole"] if dialect in BITS else [])
        )
    kind = choose.of(kinds)
    if kind == "band":
        return "band", choose.between(0, len(TYPES) - 1)
    if kind == "number":
        return "number", choose.of(NUMBERS)
    if kind == "whole":
        return wholes(choose, dialect, depth)
    if kind == "truth":
        return truths(choose, dialect, depth)
    if kind == "negative":
        return "negative", numbers(choose, dialect, choose.of([0, depth - 1]))
    if kind == "if":
        return (
            "if",
            truths(choose, dialect, depth - 1),
            numbers(choose, dialect, depth - 1),
            numbers(choose, dialect, depth - 1),
        )
    if kind == "infix":
        return (
            "infix",
            choose.of(ARITHMETIC[dialect]),
            numbers(choose, dialect, depth - 1),
            numbers(choose, dialect, depth - 1),
        )
    function = choose.of(FUNCTIONS[dialect])
    return (
        "call",
        function,
        tuple(numbers(choose, dialect, depth - 1) for _ in range(function.count)),
    )


def truths(choose: Choice, dialect: DialectChoice, depth: int) -> Tree:
    """A tree that is a comparison, or made of such."""
    if depth <= 1 or choose.between(0, 2):
        return (
            "infix",
            choose.of(COMPARISONS),
            numbers(choose, dialect, max(depth - 1, 0)),
            numbers(choose, dialect, max(depth - 1, 0)),
        )
    if dialect in NEGATIONS and choose.coin():
        return choose.of(NEGATIONS[dialect]), truths(choose, dialect, depth - 1)
    return (
        "infix",
        choose.of(LOGIC[dialect]),
        truths(choose, dialect, depth - 1),
        truths(choose, dialect, depth - 1),
    )


def wholes(choose: Choice, dialect: DialectChoice, depth: int) -> Tree:
    """A tree that is always a whole number."""
    kind = choose.of(["band", "number", *["bits", "sum", "invert"] * bool(depth)])
    if kind == "band":
        return "band", choose.of(WHOLE)
    if kind == "number":
        return "number", str(choose.between(0, 300))
    if kind == "invert":
        return "invert", wholes(choose, dialect, depth - 1)
    sign = choose.of(BITS[dialect] if kind == "bits" else ("+", "-", "*"))
    right = (
        ("number", str(choose.between(0, 9)))
        if sign in ("<<", ">>")
        else wholes(choose, dialect, depth - 1)
    )
    return "infix", sign, wholes(choose, dialect, depth - 1), right


def bands_in(tree: Any) -> set[int]:
    """Numbers of the bands that a tree uses."""
    if isinstance(tree, tuple) and tree and tree[0] == "band":
        return {tree[1]}
    return set().union(*(bands_in(part) for part in tree)) if isinstance(tree, tuple) else set()
