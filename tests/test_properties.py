# SPDX-License-Identifier: GPL-2.0-or-later
"""Random expression trees, printed as each dialect writes them, equal float64 numpy; random text is refused in linear time."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import pytest
from bandwise.engine.bandmath import bandmath_job
from bandwise.engine.compiler import BandValue, compile_formula
from bandwise.engine.dialects import DIALECTS, DialectChoice
from bandwise.engine.errors import ExpressionError
from bandwise.engine.parser import parse
from bandwise.engine.pipeline import run
from bandwise.engine.program import Evaluator, Program
from bandwise.engine.references import Raster, RasterBands, dialect_of
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

BANDWISE, QGIS, GDAL_CALC, OTB = (DialectChoice(number) for number in (1, 2, 3, 4))
EVERY = (BANDWISE, QGIS, GDAL_CALC, OTB)
by_dialect = pytest.mark.parametrize("dialect", EVERY, ids=lambda choice: choice.name)


def steady(examples: int) -> Any:
    return settings(derandomize=True, deadline=None, database=None, max_examples=examples, suppress_health_check=list(HealthCheck))


# The bands: one raster each, with extremes, equal neighbours, zeros, halves and gaps.
SIZE = 24
TYPES = ("uint8", "int16", "uint16", "int32", "uint32", "float32", "float64", "uint16")
WHOLE = [index for index, dtype in enumerate(TYPES) if dtype[0] != "f"]
NAMES = ("scene", "b8-10m", "S2A_T33.v2", "dem 10 m", "Höhe", "land-cover", "Landsat 8 (2021)", "x.y")
REFERENCES = [Raster(name, f"/none/{index}.tif", ("",)) for index, name in enumerate(NAMES)]


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
VALUES = [BandValue(np.dtype(dtype)) for dtype in TYPES]


# The tree: (kind, ...) with kinds band, number, infix, negative, not, invert, call, if.
Tree = tuple


class Spelling(NamedTuple):
    """How a dialect writes a function, and what numpy calls it; ``rough``: not the nearest number, so perhaps the next one elsewhere."""

    names: tuple[str, ...]
    count: int
    compute: Callable[..., Any]
    rough: bool = False


def spelled(count: int, rough: bool, **functions: str) -> list[Spelling]:
    return [Spelling(tuple(names.split()), count, getattr(np, function), rough) for function, names in functions.items()]


TRIGONOMETRY = spelled(1, True, sin="sin", cos="cos", tan="tan")
ARCS = spelled(1, True, arcsin="asin", arccos="acos", arctan="atan")
HYPERBOLIC = spelled(1, True, sinh="sinh", cosh="cosh", tanh="tanh")
ROUNDED = spelled(1, False, floor="floor", ceil="ceil", trunc="trunc fix", rint="rint round around", sign="sign", square="square")
NUMPYS = [
    *spelled(1, True, exp="exp", log="log", log2="log2", log10="log10", log1p="log1p", expm1="expm1", exp2="exp2", cbrt="cbrt"),
    *spelled(1, True, arcsinh="arcsinh", arccosh="arccosh", arctanh="arctanh", deg2rad="deg2rad radians", rad2deg="rad2deg degrees"),
    *spelled(1, True, arcsin="arcsin", arccos="arccos", arctan="arctan"),
    *spelled(1, False, sqrt="sqrt", absolute="abs absolute fabs", isnan="isnan", isfinite="isfinite", reciprocal="reciprocal"),
    *spelled(2, True, power="power pow", arctan2="arctan2", hypot="hypot", logaddexp="logaddexp"),
    *spelled(2, False, minimum="minimum", maximum="maximum", remainder="mod remainder", fmod="fmod", floor_divide="floor_divide",
    copysign="copysign"),
    *spelled(2, False, add="add", subtract="subtract", multiply="multiply", divide="divide true_divide", fmin="fmin", fmax="fmax"),
    *spelled(2, False, less="less", greater_equal="greater_equal", equal="equal", logical_xor="logical_xor", logical_and="logical_and"),
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
        *spelled(1, False, sqrt="sqrt", absolute="abs"), *spelled(1, True, log="ln", log10="log10"), *spelled(2, False, minimum="min", maximum="max"),
        *TRIGONOMETRY, *ARCS,
    ],
    GDAL_CALC: NUMPYS,
    OTB: [
        *spelled(1, False, sqrt="sqrt", absolute="abs", sign="sign"), *spelled(1, True, log="ln log", log2="log2", log10="log10", exp="exp"),
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
LOGIC = {BANDWISE: ("and", "or", "&", "|"), QGIS: ("and", "or"), GDAL_CALC: ("&", "|", "xor"), OTB: ("and", "or", "&&", "||")}
BITS = {BANDWISE: ("&", "|", "<<", ">>"), GDAL_CALC: ("&", "|", "xor", "<<", ">>")}
NEGATIONS = {BANDWISE: ("not", "invert"), GDAL_CALC: ("invert",)}

# docs/dialects.md, loosest first; each line one rank.
_TABLES = {
    BANDWISE: "?:;or;and;not;== != < <= > >=;|;xor;&;<< >>;+ -;* / % //;unary;power",
    QGIS: "and;or;!=;>=;<=;== < >;+ -;* /;power;unary",
    GDAL_CALC: "== != < <= > >=;|;xor;&;<< >>;+ -;* / % //;unary;power",
    OTB: "?:;and or;||;&&;== != < <= > >=;+ -;* /;unary;power",
}
RANKS = {dialect: {sign: rank for rank, line in enumerate(table.split(";")) for sign in line.split()} for dialect, table in _TABLES.items()}
SIGNS = {
    BANDWISE: {"power": ("^", "**"), "==": ("=", "=="), "!=": ("!=", "<>"), "and": ("and", "&&", "AND"), "or": ("or", "||", "Or"),
        "not": ("not ", "!")},
    QGIS: {"power": ("^",), "==": ("=",), "and": ("AND", "and", "And"), "or": ("OR", "or")},
    GDAL_CALC: {"power": ("**",), "xor": ("^",)},
    OTB: {"power": ("^",)},
}
NUMBERS = ("0", "1", "2", "3", "7", "255", "10000", "0.5", ".25", "2.", "1e-3", "2.5E2", "1e+4", "3.7")


@st.composite
def numbers(draw: Any, dialect: DialectChoice, depth: int) -> Tree:
    """A tree that is a number."""
    kinds = ["band", "band", "number"]
    if depth:
        kinds = ["infix"] * 6 + ["call"] * 4 + ["negative", "if", "truth", "band", "number"] + (["whole"] if dialect in BITS else [])
    kind = draw(st.sampled_from(kinds))
    if kind == "band":
        return "band", draw(st.integers(0, len(TYPES) - 1))
    if kind == "number":
        return "number", draw(st.sampled_from(NUMBERS))
    if kind == "whole":
        return draw(wholes(dialect, depth))
    if kind == "truth":
        return draw(truths(dialect, depth))
    if kind == "negative":
        return "negative", draw(numbers(dialect, draw(st.sampled_from([0, depth - 1]))))
    if kind == "if":
        return "if", draw(truths(dialect, depth - 1)), draw(numbers(dialect, depth - 1)), draw(numbers(dialect, depth - 1))
    if kind == "infix":
        return "infix", draw(st.sampled_from(ARITHMETIC[dialect])), draw(numbers(dialect, depth - 1)), draw(numbers(dialect, depth - 1))
    function = draw(st.sampled_from(FUNCTIONS[dialect]))
    return "call", function, tuple(draw(numbers(dialect, depth - 1)) for _ in range(function.count))


@st.composite
def truths(draw: Any, dialect: DialectChoice, depth: int) -> Tree:
    """A tree that is a comparison, or made of such."""
    if depth <= 1 or draw(st.integers(0, 2)):
        return "infix", draw(st.sampled_from(COMPARISONS)), draw(numbers(dialect, max(depth - 1, 0))), draw(numbers(dialect, max(depth - 1, 0)))
    if dialect in NEGATIONS and draw(st.booleans()):
        return draw(st.sampled_from(NEGATIONS[dialect])), draw(truths(dialect, depth - 1))
    return "infix", draw(st.sampled_from(LOGIC[dialect])), draw(truths(dialect, depth - 1)), draw(truths(dialect, depth - 1))


@st.composite
def wholes(draw: Any, dialect: DialectChoice, depth: int) -> Tree:
    """A tree that is always a whole number."""
    kind = draw(st.sampled_from(["band", "number", *["bits", "sum", "invert"] * bool(depth)]))
    if kind == "band":
        return "band", draw(st.sampled_from(WHOLE))
    if kind == "number":
        return "number", str(draw(st.integers(0, 300)))
    if kind == "invert":
        return "invert", draw(wholes(dialect, depth - 1))
    sign = draw(st.sampled_from(BITS[dialect] if kind == "bits" else ("+", "-", "*")))
    right = ("number", str(draw(st.integers(0, 9)))) if sign in ("<<", ">>") else draw(wholes(dialect, depth - 1))
    return "infix", sign, draw(wholes(dialect, depth - 1)), right


class Truth:
    """Float64 numpy, straight from a tree: values, pixels that are nodata, and whether all of it are whole numbers that float64 holds.

    ``nudge`` moves what is not correctly rounded by that part of itself, so that ill-conditioned pixels are found.
    """

    def __init__(self, dialect: DialectChoice, nudge: float = 0.0) -> None:
        self.dialect, self.nudge = dialect, nudge
        self.exact = True

    def of(self, tree: Tree) -> tuple[Any, Any]:
        with np.errstate(all="ignore"):
            values, missing = self._of(tree)
        return np.broadcast_to(np.asarray(values, float), SIZE), np.broadcast_to(missing, SIZE)

    def _of(self, tree: Tree) -> tuple[Any, Any]:
        kind = tree[0]
        if kind == "band":
            return self._kept(STORED[tree[1]].astype(float)), GAPS[tree[1]]
        if kind == "number":
            return self._kept(np.float64(tree[1])), np.False_
        if kind == "if":
            (test, unknown), (first, a), (second, b) = map(self._of, tree[1:])
            condition = test != 0
            return np.where(condition, _number(first), _number(second)), unknown | np.where(condition, a, b)
        arguments, gaps = zip(*map(self._of, tree[2] if kind == "call" else tree[2:] if kind == "infix" else tree[1:]))
        missing = np.logical_or.reduce([np.broadcast_to(gap, SIZE) for gap in gaps])
        sign = tree[1] if kind == "infix" else kind
        if kind == "call":
            values = tree[1].compute(*map(_number, arguments))
        elif all(np.asarray(argument).dtype == bool for argument in arguments) and (self.dialect is GDAL_CALC or sign in _OF_TRUTHS):
            values = _OF_TRUTHS[sign](*arguments) if sign in _OF_TRUTHS else _OPERATORS[sign](*map(_number, arguments))
            if self.dialect is not GDAL_CALC and sign in ("+", "*"):
                values = _OPERATORS[sign](*map(_number, arguments))
        elif sign in ("and", "or") and self.dialect is OTB:
            values = _OF_TRUTHS[sign](*(np.trunc(_number(argument)) != 0 for argument in arguments))
        else:
            values = _OPERATORS[sign](*map(_number, arguments))
        rough = sign == "power" or (kind == "call" and tree[1].rough)
        if rough:
            values = values * (1 + self.nudge)
        if self.dialect is QGIS and (sign in ("/", "power") or (kind == "call" and tree[1].names[0] in ("sqrt", "ln", "log10"))):
            missing = missing | ~np.isfinite(values)
        return (values if np.asarray(values).dtype == bool else self._kept(values)), missing

    def _kept(self, values: Any) -> Any:
        self.exact = self.exact and bool(np.all(np.abs(values) <= 2**53) and np.all(values == np.rint(values)))
        return values


def _number(values: Any) -> Any:
    return np.asarray(values).astype(float)


def _bits(ufunc: Any) -> Callable[..., Any]:
    return lambda *operands: ufunc(*(np.asarray(operand).astype(np.int64) for operand in operands)).astype(float)


_OF_TRUTHS: dict[str, Callable[..., Any]] = {
    "and": np.logical_and, "or": np.logical_or, "&&": np.logical_and, "||": np.logical_or, "&": np.logical_and, "|": np.logical_or,
    "xor": np.logical_xor, "not": np.logical_not, "invert": np.logical_not, "+": np.add, "*": np.multiply,
}  # fmt: skip
_OPERATORS: dict[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.remainder, "//": np.floor_divide, "power": np.power,
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "negative": np.negative,
    "&": _bits(np.bitwise_and), "|": _bits(np.bitwise_or), "xor": _bits(np.bitwise_xor), "invert": _bits(np.invert),
    "<<": lambda a, places: a * 2.0**places, ">>": lambda a, places: np.floor(a / 2.0**places),
    "and": lambda a, b: (a != 0) & (b != 0), "or": lambda a, b: (a != 0) | (b != 0), "not": lambda a: a == 0,
    "&&": lambda a, b: (a != 0) & (b != 0), "||": lambda a, b: (a != 0) | (b != 0),
}  # fmt: skip


class Printer:
    """A tree as somebody types it in a dialect: the parentheses that are needed, sometimes more, and any blanks."""

    def __init__(self, dialect: DialectChoice, draw: Callable[[Any], Any]) -> None:
        self.dialect, self.draw = dialect, draw
        self.ranks = RANKS[dialect]

    def text(self, tree: Tree) -> str:
        pieces = self.tokens(tree)[0]
        text = pieces[0]
        for before, after in zip(pieces, pieces[1:]):
            loose = st.sampled_from(["", "", "", " ", " ", "\n", "\t", "  ", " # (A@1 + \n"])
            gap = self.draw(loose)
            glued = before[-1] not in "()," and after[0] not in "()," if self.dialect is QGIS else _wordy(before[-1]) and _wordy(after[0])
            text += (gap or (" " if glued else "")) + after
        return text

    def tokens(self, tree: Tree) -> tuple[list[str], float]:
        """The pieces and how tightly they hold together."""
        pieces, rank = self._tokens(tree)
        if not self.draw(st.integers(0, 9)):
            return ["(", *pieces, ")"], 99
        return pieces, rank

    def _tokens(self, tree: Tree) -> tuple[list[str], float]:
        kind = tree[0]
        if kind == "band":
            return [self.reference(tree[1])], 99
        if kind == "number":
            return [tree[1]], 99
        if kind == "call":
            return self.call(self.draw(st.sampled_from(tree[1].names)), tree[2], plain=self.dialect in (QGIS, OTB)), 99
        if kind == "if":
            return self.choice(tree)
        if kind in ("negative", "invert", "not"):
            rank = self.ranks["not" if kind == "not" else "unary"]
            sign = {"negative": "-", "invert": "~"}.get(kind) or self.draw(st.sampled_from(SIGNS[self.dialect]["not"])).strip()
            return [sign, *self.held(tree[1], rank + (sign in "-" and self.dialect is OTB))], rank
        _, sign, left, right = tree
        rank = self.ranks[sign]
        typed = self.draw(st.sampled_from(SIGNS[self.dialect].get(sign, (sign,))))
        chain = sign in COMPARISONS and self.dialect in (BANDWISE, GDAL_CALC)
        leftward = sign == "power" and self.dialect is not QGIS
        first = self.held(left, rank + (1 if chain or leftward else 0))
        second = self.held(right, rank + (0 if leftward else 1), after_power=leftward)
        return [*first, typed, *second], rank

    def held(self, tree: Tree, rank: float, *, after_power: bool = False) -> list[str]:
        """A tree in parentheses where it would not hold together; a sign may follow an operator that goes right to left."""
        pieces, tight = self.tokens(tree)
        if tight >= rank or (after_power and tree[0] == "negative" and pieces[0] == "-"):
            return pieces
        return ["(", *pieces, ")"]

    def choice(self, tree: Tree) -> tuple[list[str], float]:
        if self.dialect is QGIS:
            return self.call("if", tree[1:], plain=True), 99
        if self.dialect is GDAL_CALC or (self.dialect is BANDWISE and self.draw(st.booleans())):
            return self.call("where", tree[1:]), 99
        rank = self.ranks["?:"]
        return [*self.held(tree[1], rank + 1), "?", *self.tokens(tree[2])[0], ":", *self.held(tree[3], rank)], rank

    def call(self, name: str, arguments: Any, *, plain: bool = False) -> list[str]:
        name = self.draw(st.sampled_from([name, name, name.upper(), name.capitalize()]))
        if not plain:
            name = self.draw(st.sampled_from(["", "", "numpy.", "np."])) + name
        pieces = [name, "("]
        for argument in arguments:
            pieces += [*self.tokens(argument)[0], ","]
        return [*pieces[:-1], ")"]

    def reference(self, index: int) -> str:
        letter = "ABCDEFGH"[index]
        if self.dialect is QGIS:
            quoted = f'"{NAMES[index]}@1"'
            return quoted if " " in NAMES[index] else self.draw(st.sampled_from([quoted, f"{NAMES[index]}@1"]))
        if self.dialect is OTB:
            return f"im{index + 1}b1"
        if self.dialect is GDAL_CALC:
            return letter
        return self.draw(st.sampled_from([letter, f"{letter}@1", f"{letter.lower()}@1", f"im{index + 1}b1"]))


def _wordy(character: str) -> bool:
    return character.isalnum() or character in '_.@"'


@st.composite
def typed(draw: Any, dialect: DialectChoice, *, depth: int = 4) -> tuple[Tree, str]:
    tree = draw(numbers(dialect, draw(st.integers(1, depth))))
    return tree, Printer(dialect, draw).text(tree)


def parsed(text: str, dialect: DialectChoice) -> tuple[Any, list[int]]:
    """The formula, and the raster that each of its bands is."""
    references = RasterBands(REFERENCES, layers_first=dialect is QGIS)
    formula = parse(text, DIALECTS[dialect], references)
    return formula, [raster for raster, _ in references.bands]


def pixels(formula: Any, rasters: list[int]) -> Any:
    """The formula's first result as a Float32 raster would hold it, NaN where nodata."""
    bands = [VALUES[raster] for raster in rasters]
    got = _evaluated(compile_formula(formula, bands), rasters)
    clean = _evaluated(compile_formula(formula, [band._replace(gaps=False) for band in bands]), rasters)
    somewhere = np.logical_or.reduce([GAPS[raster] for raster in rasters], axis=0) if rasters else False
    np.testing.assert_array_equal(np.where(somewhere, 0, clean), np.where(somewhere, 0, got), "the program for chunks without nodata")
    return got


def _evaluated(program: Program, rasters: list[int]) -> Any:
    registers = [np.full(SIZE, 1, dtype) for dtype in program.registers]
    with np.errstate(all="ignore"):
        out = np.empty((len(program.results), SIZE), np.float32)
        missing = Evaluator(program, registers).evaluate([STORED[raster] for raster in rasters], [GAPS[raster] for raster in rasters], out)[0]
    single = out[0]
    single[~np.isfinite(single)] = np.nan
    if missing is not None:
        single[missing] = np.nan
    return single.astype(float)


def expected(tree: Tree, dialect: DialectChoice) -> tuple[Any, Any, bool]:
    """The right pixels (NaN where nodata), which of them are well conditioned, and whether they must be equal to the last bit."""
    shown = []
    for nudge in (0.0, 1e-13, -1e-13):
        truth = Truth(dialect, nudge)
        values, missing = truth.of(tree)
        with np.errstate(all="ignore"):
            single = values.astype(np.float32)
        shown.append(np.where(missing | ~np.isfinite(single), np.nan, single.astype(float)))
        exact = truth.exact
    first = shown[0]
    steady_pixels = np.logical_and.reduce([np.isclose(first, other, rtol=1e-6, atol=1e-7, equal_nan=True) for other in shown])
    return first, steady_pixels, exact


def assert_right(tree: Tree, text: str, dialect: DialectChoice, got: Any) -> None:
    right, conditioned, exact = expected(tree, dialect)
    event(f"{conditioned.mean():.1f} of the pixels are well conditioned, exact: {exact}")
    if exact:
        np.testing.assert_array_equal(got, right, text)
    np.testing.assert_allclose(got[conditioned], right[conditioned], rtol=1e-5, atol=1e-6, err_msg=text)


@by_dialect
def test_a_random_expression_equals_numpy(dialect: DialectChoice) -> None:
    @steady(300)
    @given(typed(dialect))
    def check(case: tuple[Tree, str]) -> None:
        tree, text = case
        assert_right(tree, text, dialect, pixels(*parsed(text, dialect)))

    check()


@pytest.mark.parametrize("dialect", [BANDWISE, GDAL_CALC], ids=lambda choice: choice.name)
def test_whole_numbers_and_their_bits_are_exact(dialect: DialectChoice) -> None:
    @steady(200)
    @given(st.data())
    def check(data: Any) -> None:
        tree = data.draw(wholes(dialect, 4))
        text = Printer(dialect, data.draw).text(tree)
        truth = Truth(dialect)
        values, missing = truth.of(tree)
        if truth.exact:
            got = pixels(*parsed(text, dialect))
            np.testing.assert_array_equal(got, np.where(missing, np.nan, values.astype(np.float32).astype(float)), text)

    check()


@pytest.mark.parametrize("dialect", [BANDWISE, GDAL_CALC], ids=lambda choice: choice.name)
def test_the_understood_text_read_again_gives_the_same_pixels(dialect: DialectChoice) -> None:
    @steady(200)
    @given(typed(dialect))
    def check(case: tuple[Tree, str]) -> None:
        formula, rasters = parsed(case[1], dialect)
        (again,) = formula.understood([f"{'ABCDEFGH'[raster]}@1" for raster in rasters])
        np.testing.assert_array_equal(pixels(*parsed(again, BANDWISE)), pixels(formula, rasters), f"{case[1]!r} was understood as {again!r}")

    check()


@pytest.fixture(scope="module")
def rasters(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """(layer name, path) of the bands as files of 4 rows of 6 pixels; a gap is the file's mask."""
    import rasterio

    folder = tmp_path_factory.mktemp("bands")
    given_rasters = []
    for index, (name, stored, gaps) in enumerate(zip(NAMES, STORED, GAPS)):
        path = str(folder / f"{index}.tif")
        transform = rasterio.Affine(10, 0, 300000, 0, -10, 5000040)
        profile = {"driver": "GTiff", "count": 1, "height": 4, "width": 6, "dtype": stored.dtype.name, "crs": "EPSG:32633", "transform": transform}
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"), rasterio.open(path, "w", **profile) as dataset:
            dataset.write(stored.reshape(1, 4, 6))
            dataset.write_mask(~gaps.reshape(4, 6))
        given_rasters.append((name, path))
    return given_rasters


@by_dialect
def test_a_whole_run_of_a_random_expression_equals_numpy(dialect: DialectChoice, rasters: list[tuple[str, str]], tmp_path: Any) -> None:
    import rasterio

    @steady(15)
    @given(typed(dialect, depth=3))
    def check(case: tuple[Tree, str]) -> None:
        tree, text = case
        from bandwise.engine.radiometry import RadiometryChoice, Scaling

        job = bandmath_job(rasters, text, str(tmp_path / "out.tif"), dialect=dialect, radiometry=RadiometryChoice(scaling=Scaling.STORED), workers=1)
        run(job)
        with rasterio.open(tmp_path / "out.tif") as dataset:
            stored = dataset.read(1).ravel().astype(float)
        assert_right(tree, text, dialect, np.where(stored == -9999, np.nan, stored))

    check()


PIECES = [
    *("A", "b", "AA", "im1b1", "A@1", "A@", "@2", '"scene@1"', "scene@1", "b8-10m@1", '"', "'", "\\", "e", "pi", "numpy.", "np", "nan", "inf",
    "x := "),
    *("sqrt(", "where(", "if(", "min(", "coalesce(", "isnodata(", "amax(", "log(", "round(", "__import__(", "lambda", "import os", "and", "or",
    "not"),
    *("+", "-", "*", "/", "//", "%", "**", "^", "&", "&&", "|", "||", "~", "!", "<", "<=", ">", ">=", "=", "==", "!=", "<>", "<<", ">>", "?", ":",
    ":="),
    *("(", ")", "[", "]", "{", "}", ",", ";", ".", "#", "\n", " ", "\t", "0", "1", "2.5", ".5", "1e9", "1e999", "0x1F", "0b2", "1_0", "\0", "é",
    "−", "²"),
]


def refused_or_read(text: str, dialect: DialectChoice) -> None:
    """Nothing but an expression error comes out, in parsing, in telling the dialect, and in what follows from it."""
    dialect_of(text, REFERENCES)
    try:
        formula, found = parsed(text, dialect)
        formula.understood([f"A@{number}" for number in range(len(found))])
        compile_formula(formula, [VALUES[raster] for raster in found])
    except ExpressionError as error:
        assert str(error).strip()
        assert len(str(error).splitlines()) <= 2
        assert 0 <= error.start <= error.end <= len(text) + 1


@by_dialect
def test_random_text_never_raises_anything_else(dialect: DialectChoice) -> None:
    @steady(300)
    @given(st.text(max_size=60))
    def check(text: str) -> None:
        refused_or_read(text, dialect)

    check()


@by_dialect
def test_random_pieces_of_the_language_never_raise_anything_else(dialect: DialectChoice) -> None:
    @steady(700)
    @given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["", " "]))
    def check(pieces: list[str], blank: str) -> None:
        refused_or_read(blank.join(pieces), dialect)

    check()


@by_dialect
def test_a_right_text_with_a_random_change_never_raises_anything_else(dialect: DialectChoice) -> None:
    @steady(200)
    @given(typed(dialect, depth=3), st.integers(0, 200), st.integers(0, 4), st.sampled_from(PIECES))
    def check(case: tuple[Tree, str], place: int, removed: int, piece: str) -> None:
        place = min(place, len(case[1]))
        refused_or_read(case[1][:place] + piece + case[1][place + removed :], dialect)

    check()


LENGTH = 10_000
ADVERSARIAL = {
    "sum": "A+", "numbers": "1+", "digits": "1", "dots": ".", "digits and dots": "1.", "dotted names": "a.", "names": "a", "unknown names": "foo + ",
    "at-signs": "@", "letters and at-signs": "A@", "references": "A@1+", "layers": '"scene@1"+', "bare layers": "scene@1 + ", "quotes": '"',
    "escaped quotes": '\\"', "apostrophes": "'", "signs": "-", "negations": "not ", "ones": "!", "inverts": "~", "plus and minus": "A-+",
    "questions": "A?", "ternaries": "A?B:", "opened": "(", "closed": ")", "both": "()", "calls": "abs(", "sums in calls": "abs(A+",
    "calls of two": "max(A,", "commas": ",", "arguments": "A,", "semicolons": ";", "results": "1;", "band results": "A;", "comments": "#",
    "lines of comments": "A+#x\n", "line breaks": "\n", "blanks": " ", "values": "A ", "comparisons": "A>1 and ", "chains": "A<", "powers": "A^",
    "double stars": "A**", "exponents": "1e", "huge": "1e9", "underscores": "1_", "hexadecimal": "0x1+", "accents": "é", "dashes": "A-",
    "slashes": "A/",
    "name runs with a band": "A-A-A@1+", "runs to a band": "-A@1", "runs of 255 to a band": "A-" * 120 + "A@1+", "colons": ":", "nulls": "\0",
    "assignments": "x:=", "shifts": "A<<", "words": "and ", "layers of dots": "a.b.c@", "far at-signs": "-" * 300 + "@1 ", "clips": "clip(A,1,2)+",
}  # fmt: skip


@by_dialect
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_an_adversarial_text_is_parsed_in_a_tenth_of_a_second_for_10_kb(dialect: DialectChoice, name: str) -> None:
    for tail in ("A", '"', "@1"):
        text = _repeated(ADVERSARIAL[name], LENGTH, tail)
        assert _least(lambda text=text: _refused(text, dialect)) <= 0.1


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_the_dialect_of_an_adversarial_text_is_told_in_a_tenth_of_a_second_for_10_kb(name: str) -> None:
    for front in ("", '"'):
        text = front + _repeated(ADVERSARIAL[name], LENGTH - 1, "A")
        assert _least(lambda text=text: dialect_of(text, REFERENCES)) <= 0.1


def _repeated(piece: str, length: int, tail: str) -> str:
    return (piece * (length // len(piece) + 1))[: length - len(tail)] + tail


def _refused(text: str, dialect: DialectChoice) -> None:
    with suppress(ExpressionError):
        parsed(text, dialect)


def _least(work: Callable[[], Any]) -> float:
    """Process time in seconds, the least of up to sixty: other processes, and the garbage of other tests, can only add."""
    least = 9.0
    gc.collect()
    gc.disable()
    try:
        for _ in range(60):
            started = time.process_time()
            work()
            least = min(least, time.process_time() - started)
            if least <= 0.1:
                break
    finally:
        gc.enable()
    return least
