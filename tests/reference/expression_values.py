# SPDX-License-Identifier: GPL-2.0-or-later
"""What trees of expressions amount to: an interpreter in float64, which shares no code with the compiler."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from bandwise.engine.expression.dialects import DialectChoice
from expression_trees import GAPS, GDAL_CALC, OTB, QGIS, STORED, Bands, Tree


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
