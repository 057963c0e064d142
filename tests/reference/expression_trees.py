# SPDX-License-Identifier: GPL-2.0-or-later
"""Random expression trees, how somebody types them in each dialect, and what float64 numpy computes
straight from the tree.

Nothing here uses the engine but the names of dialects. What is random comes from a :class:`Choice`:
hypothesis's, or a seeded generator's.
"""

from __future__ import annotations

import itertools
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


class Truth:
    """Float64 numpy, straight from a tree: values, pixels that are nodata, and whether all of it
    are whole numbers that float64 holds.

    ``nudge`` moves what is not correctly rounded by that part of itself, so that ill-conditioned
    pixels are found, and ``rounding`` what is: constants that are taken together, or a sum in
    another order, are rounded elsewhere.
    """

    def __init__(
        self,
        dialect: DialectChoice,
        nudge: float = 0.0,
        bands: Bands | None = None,
        rounding: float = 0.0,
    ) -> None:
        self.dialect, self.nudge, self.rounding = dialect, nudge, rounding
        self.bands = bands or Bands(STORED, GAPS)
        self.shape = self.bands.gaps[0].shape
        self.exact = True

    def of(self, tree: Tree) -> tuple[Any, Any]:
        with np.errstate(all="ignore"):
            values, missing = self._of(tree)
        return np.broadcast_to(np.asarray(values, float), self.shape), np.broadcast_to(
            missing, self.shape
        )

    def _operated(self, sign: str, arguments: Any) -> Any:
        """What an operator makes of its operands, of which booleans are no numbers for some dialects."""
        booleans = all(np.asarray(argument).dtype == bool for argument in arguments)
        counted = self.dialect is not GDAL_CALC and sign in ("+", "*")
        if booleans and sign in _OF_TRUTHS and not counted:
            return _OF_TRUTHS[sign](*arguments)
        if sign in ("and", "or") and self.dialect is OTB and not booleans:
            return _OF_TRUTHS[sign](*(np.trunc(_number(argument)) != 0 for argument in arguments))
        return _OPERATORS[sign](*map(_number, arguments))

    def _of(self, tree: Tree) -> tuple[Any, Any]:
        kind = tree[0]
        if kind == "band":
            return self._kept(self.bands.values[tree[1]].astype(float)), self.bands.gaps[tree[1]]
        if kind == "number":
            return self._kept(np.float64(tree[1])), np.False_
        if kind == "if":
            (test, unknown), (first, a), (second, b) = map(self._of, tree[1:])
            condition = test != 0
            return np.where(condition, _number(first), _number(second)), unknown | np.where(
                condition, a, b
            )
        arguments, gaps = zip(
            *map(self._of, tree[2] if kind == "call" else tree[2:] if kind == "infix" else tree[1:])
        )
        missing = np.logical_or.reduce([np.broadcast_to(gap, self.shape) for gap in gaps])
        sign = tree[1] if kind == "infix" else kind
        called = kind == "call"
        values = (
            tree[1].compute(*map(_number, arguments)) if called else self._operated(sign, arguments)
        )
        rough = sign == "power" or (kind == "call" and tree[1].rough)
        if rough:
            values = values * (1 + self.nudge)
        if self.rounding and np.asarray(values).dtype != bool:
            inexact = (np.abs(values) > 2**53) | (values != np.rint(values))
            values = np.where(inexact, values * (1 + self.rounding), values)
        if self.dialect is QGIS and (
            sign in ("/", "power")
            or (kind == "call" and tree[1].names[0] in ("sqrt", "ln", "log10"))
        ):
            missing = missing | ~np.isfinite(values)
        return (values if np.asarray(values).dtype == bool else self._kept(values)), missing

    def _kept(self, values: Any) -> Any:
        self.exact = self.exact and bool(
            np.all(np.abs(values) <= 2**53) and np.all(values == np.rint(values))
        )
        return values


def _number(values: Any) -> Any:
    return np.asarray(values).astype(float)


def _bits(ufunc: Any) -> Callable[..., Any]:
    return lambda *operands: ufunc(
        *(np.asarray(operand).astype(np.int64) for operand in operands)
    ).astype(float)


_OF_TRUTHS: dict[str, Callable[..., Any]] = {
    "and": np.logical_and, "or": np.logical_or, "&&": np.logical_and, "||": np.logical_or,
    "&": np.logical_and, "|": np.logical_or,
    "xor": np.logical_xor, "not": np.logical_not, "invert": np.logical_not, "+": np.add, "*": np.multiply,
}  # fmt: skip
_OPERATORS: dict[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.remainder,
    "//": np.floor_divide, "power": np.power,
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater,
    ">=": np.greater_equal, "negative": np.negative,
    "&": _bits(np.bitwise_and), "|": _bits(np.bitwise_or), "xor": _bits(np.bitwise_xor), "invert": _bits(np.invert),
    "<<": lambda a, places: a * 2.0**places, ">>": lambda a, places: np.floor(a / 2.0**places),
    "and": lambda a, b: (a != 0) & (b != 0), "or": lambda a, b: (a != 0) | (b != 0), "not": lambda a: a == 0,
    "&&": lambda a, b: (a != 0) & (b != 0), "||": lambda a, b: (a != 0) | (b != 0),
}  # fmt: skip


class Printer:
    """A tree as somebody types it in a dialect: the parentheses that are needed, sometimes more, and any blanks."""

    def __init__(self, dialect: DialectChoice, choose: Choice) -> None:
        self.dialect, self.choose = dialect, choose
        self.ranks = RANKS[dialect]

    def text(self, tree: Tree) -> str:
        pieces = self.tokens(tree)[0]
        text = pieces[0]
        for before, after in zip(pieces, pieces[1:]):
            gap = self.choose.of(["", "", "", " ", " ", "\n", "\t", "  ", " # (A@1 + \n"])
            glued = (
                before[-1] not in "()," and after[0] not in "(),"
                if self.dialect is QGIS
                else _wordy(before[-1]) and _wordy(after[0])
            )
            text += (gap or (" " if glued else "")) + after
        return text

    def tokens(self, tree: Tree) -> tuple[list[str], float]:
        """The pieces and how tightly they hold together."""
        pieces, rank = self._tokens(tree)
        if not self.choose.between(0, 9):
            return ["(", *pieces, ")"], 99
        return pieces, rank

    def _tokens(self, tree: Tree) -> tuple[list[str], float]:
        kind = tree[0]
        if kind == "band":
            return [self.reference(tree[1])], 99
        if kind == "number":
            return [tree[1]], 99
        if kind == "call":
            return self.call(
                self.choose.of(tree[1].names), tree[2], plain=self.dialect in (QGIS, OTB)
            ), 99
        if kind == "if":
            return self.choice(tree)
        if kind in ("negative", "invert", "not"):
            rank = self.ranks["not" if kind == "not" else "unary"]
            sign = {"negative": "-", "invert": "~"}.get(kind) or self.choose.of(
                SIGNS[self.dialect]["not"]  # type: ignore[index]
            ).strip()
            return [sign, *self.held(tree[1], rank + (sign in "-" and self.dialect is OTB))], rank
        _, sign, left, right = tree
        rank = self.ranks[sign]
        typed = self.choose.of(SIGNS[self.dialect].get(sign, (sign,)))  # type: ignore[attr-defined]
        chain = sign in COMPARISONS and self.dialect in (BANDWISE, GDAL_CALC)
        leftward = sign == "power" and self.dialect is not QGIS
        first = self.held(left, rank + (1 if chain or leftward else 0))
        second = self.held(right, rank + (0 if leftward else 1), after_power=leftward)
        return [*first, typed, *second], rank

    def held(self, tree: Tree, rank: float, *, after_power: bool = False) -> list[str]:
        """A tree in parentheses where it would not hold together; a sign may follow an operator
        that goes right to left.
        """
        pieces, tight = self.tokens(tree)
        if tight >= rank or (after_power and tree[0] == "negative" and pieces[0] == "-"):
            return pieces
        return ["(", *pieces, ")"]

    def choice(self, tree: Tree) -> tuple[list[str], float]:
        if self.dialect is QGIS:
            return self.call("if", tree[1:], plain=True), 99
        if self.dialect is GDAL_CALC or (self.dialect is BANDWISE and self.choose.coin()):
            return self.call("where", tree[1:]), 99
        rank = self.ranks["?:"]
        return [
            *self.held(tree[1], rank + 1),
            "?",
            *self.tokens(tree[2])[0],
            ":",
            *self.held(tree[3], rank),
        ], rank

    def call(self, name: str, arguments: Any, *, plain: bool = False) -> list[str]:
        name = self.choose.of([name, name, name.upper(), name.capitalize()])
        if not plain:
            name = self.choose.of(["", "", "numpy.", "np."]) + name
        pieces = [name, "("]
        for argument in arguments:
            pieces += [*self.tokens(argument)[0], ","]
        return [*pieces[:-1], ")"]

    def reference(self, index: int) -> str:
        letter = "ABCDEFGH"[index]
        if self.dialect is QGIS:
            quoted = f'"{NAMES[index]}@1"'
            return quoted if " " in NAMES[index] else self.choose.of([quoted, f"{NAMES[index]}@1"])
        if self.dialect is OTB:
            return f"im{index + 1}b1"
        if self.dialect is GDAL_CALC:
            return letter
        return self.choose.of([letter, f"{letter}@1", f"{letter.lower()}@1", f"im{index + 1}b1"])


def _wordy(character: str) -> bool:
    return character.isalnum() or character in '_.@"'


def as_float32(values: Any) -> Any:
    """What a Float32 raster holds of values, NaN where nothing."""
    with np.errstate(all="ignore"):
        single = values.astype(np.float32)
    return np.where(np.isfinite(single), single.astype(float), np.nan)


#: Parts of itself by which a result that is no whole number may be off for how it is rounded.
ROUNDING = (0.0, 1e-14, -1e-14)


def expected(
    tree: Tree,
    dialect: DialectChoice,
    bands: Bands | None = None,
    store: Callable[[Any], Any] = as_float32,
    rounding: Sequence[float] = (0.0,),
) -> tuple[Any, Any, bool]:
    """The right pixels as they are stored (NaN where nodata), which are well conditioned, and
    whether they must be equal to the last bit.

    With ``rounding`` those are left out that depend on how single operations are rounded, such as
    the rest of a huge quotient.
    """
    shown = []
    for nudge, rounded in itertools.product((0.0, 1e-13, -1e-13), rounding):
        truth = Truth(dialect, nudge, bands, rounded)
        values, missing = truth.of(tree)
        shown.append(np.where(missing, np.nan, store(values)))
    first = shown[0]
    steady_pixels = np.logical_and.reduce(
        [np.isclose(first, other, rtol=1e-6, atol=1e-7, equal_nan=True) for other in shown]
    )
    return first, steady_pixels, truth.exact


def bands_in(tree: Any) -> set[int]:
    """Numbers of the bands that a tree uses."""
    if isinstance(tree, tuple) and tree and tree[0] == "band":
        return {tree[1]}
    return set().union(*(bands_in(part) for part in tree)) if isinstance(tree, tuple) else set()
