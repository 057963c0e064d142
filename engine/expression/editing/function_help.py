# SPDX-License-Identifier: GPL-2.0-or-later
"""One line of help and an example for each function of the language."""

from __future__ import annotations

import enum
from typing import NamedTuple

from ...messages import Template, Text, translate


class Topic(enum.Enum):
    """Groups of functions, in the order of their usefulness."""

    CHOICE = translate("Bandwise", "Conditions and nodata").format()
    SEVERAL = translate("Bandwise", "Of several values").format()
    POWERS = translate("Bandwise", "Roots, powers and logarithms").format()
    ROUNDING = translate("Bandwise", "Rounding, sign and remainder").format()
    ANGLES = translate("Bandwise", "Angles").format()
    BITS = translate("Bandwise", "Bits of stored values").format()
    NUMPY = translate("Bandwise", "Operators and tests as functions of numpy").format()


class FunctionHelp(NamedTuple):
    """A function: its name, its ``arguments``, a line of ``help``, an ``example``, and its other names."""

    name: str
    arguments: str
    help: Text
    example: str
    aliases: tuple[str, ...] = ()

    @property
    def call(self) -> str:
        """Return the function with its arguments: ``where(condition, a, b)``."""
        return f"{self.name}({self.arguments})"


def _entry(
    name: str, arguments: str, text: Template, example: str, aliases: str = ""
) -> FunctionHelp:
    return FunctionHelp(name, arguments, text.format(), example, tuple(aliases.split()))


def _operator(name: str, sign: str, aliases: str = "") -> FunctionHelp:
    text = translate("Bandwise", "the same as {operation}").format(operation=f"a {sign} b")
    return FunctionHelp(name, "a, b", text, f"{name}(A, B)", tuple(aliases.split()))


#: All functions, in the order in which people see them.
FUNCTION_HELP: dict[Topic, tuple[FunctionHelp, ...]] = {
    Topic.CHOICE: (
        _entry(
            "where", "condition, a, b", translate("Bandwise", "a where the condition holds, else b"),
            "where(A > 0.3, 1, 0)", "if"),
        _entry(
            "coalesce", "a, b, ...", translate("Bandwise", "the first of the values that is not nodata"),
            "coalesce(A, B, 0)"),
        _entry(
            "isnodata", "a", translate("Bandwise", "whether a is nodata"),
            "where(isnodata(A), 0, A)"),
        _entry(
            "clip", "a, low, high", translate("Bandwise", "a, but at least low and at most high"),
            "clip(A, 0, 1)"),
        _entry("isnan", "a", translate("Bandwise", "whether a is not a number"), "isnan(sqrt(A - B))"),
        _entry("isinf", "a", translate("Bandwise", "whether a is infinite"), "isinf(A / B)"),
        _entry(
            "isfinite", "a", translate("Bandwise", "whether a is neither infinite nor not a number"),
            "isfinite(A / B)"),
        _entry(
            "nan_to_num", "a", translate("Bandwise", "a with 0 for what is not a number"),
            "nan_to_num(A / B)"),
    ),
    Topic.SEVERAL: (
        _entry(
            "min", "a, b, ...", translate("Bandwise", "the smallest of the values of a pixel"),
            "min(A, B)"),
        _entry(
            "max", "a, b, ...", translate("Bandwise", "the largest of the values of a pixel"),
            "max(A, B, 0)"),
        _entry(
            "sum", "a, b, ...", translate("Bandwise", "the sum of the values of a pixel"),
            "sum(A, B)"),
        _entry(
            "avg", "a, b, ...", translate("Bandwise", "the mean of the values of a pixel"),
            "avg(A, B)"),
        _entry(
            "ndvi", "red, nir", translate("Bandwise", "the normalized difference (nir - red) / (nir + red)"),
            "ndvi(A, B)"),
        _entry("minimum", "a, b", translate("Bandwise", "the smaller value"), "minimum(A, B)"),
        _entry("maximum", "a, b", translate("Bandwise", "the larger value"), "maximum(A, B)"),
        _entry(
            "fmin", "a, b", translate("Bandwise", "the smaller value; one that is not a number does not count"),
            "fmin(A, B)"),
        _entry(
            "fmax", "a, b", translate("Bandwise", "the larger value; one that is not a number does not count"),
            "fmax(A, B)"),
        _entry("hypot", "a, b", translate("Bandwise", "the square root of a^2 + b^2"), "hypot(A, B)"),
    ),
    Topic.POWERS: (
        _entry("sqrt", "a", translate("Bandwise", "the square root"), "sqrt(A)"),
        _entry("cbrt", "a", translate("Bandwise", "the cube root"), "cbrt(A)"),
        _entry("square", "a", translate("Bandwise", "a multiplied by itself"), "square(A)"),
        _entry(
            "power", "a, b", translate("Bandwise", "a to the power of b"),
            "power(A, 0.5)", "pow float_power"),
        _entry("exp", "a", translate("Bandwise", "e to the power of a"), "exp(-A)"),
        _entry("exp2", "a", translate("Bandwise", "2 to the power of a"), "exp2(A)"),
        _entry("expm1", "a", translate("Bandwise", "exp(a) - 1, exact for small values"), "expm1(A)"),
        _entry("ln", "a", translate("Bandwise", "the natural logarithm"), "ln(A)", "log"),
        _entry("log10", "a", translate("Bandwise", "the logarithm to base 10"), "10 * log10(A)"),
        _entry("log2", "a", translate("Bandwise", "the logarithm to base 2"), "log2(A)"),
        _entry("log1p", "a", translate("Bandwise", "ln(1 + a), exact for small values"), "log1p(A)"),
        _entry("logaddexp", "a, b", translate("Bandwise", "ln(exp(a) + exp(b))"), "logaddexp(A, B)"),
        _entry(
            "logaddexp2", "a, b", translate("Bandwise", "log2(exp2(a) + exp2(b))"),
            "logaddexp2(A, B)"),
        _entry("reciprocal", "a", translate("Bandwise", "1 / a"), "reciprocal(A)"),
    ),
    Topic.ROUNDING: (
        _entry("abs", "a", translate("Bandwise", "a without its sign"), "abs(A - B)", "absolute fabs"),
        _entry(
            "round", "a, decimals", translate("Bandwise", "a rounded, half to even; decimals may be left out"),
            "round(A, 2)", "around"),
        _entry(
            "rint", "a", translate("Bandwise", "the nearest integer; half to even, in OTB half up"),
            "rint(A)"),
        _entry("floor", "a", translate("Bandwise", "the next lower integer"), "floor(A)"),
        _entry("ceil", "a", translate("Bandwise", "the next higher integer"), "ceil(A)", "ceiling"),
        _entry(
            "trunc", "a", translate("Bandwise", "a without its decimals"),
            "trunc(A)", "fix int int_ int8 int16 int32 int64 uint8 uint16 uint32 uint64"),
        _entry("sign", "a", translate("Bandwise", "-1, 0 or 1: the sign of a"), "sign(A - B)"),
        _entry(
            "mod", "a, b", translate("Bandwise", "the remainder of a / b, with the sign of b"),
            "mod(A, 100)", "remainder"),
        _entry(
            "fmod", "a, b", translate("Bandwise", "the remainder of a / b, with the sign of a"),
            "fmod(A, 100)"),
        _entry(
            "floor_divide", "a, b", translate("Bandwise", "a / b, rounded down"),
            "floor_divide(A, 100)"),
        _entry("signbit", "a", translate("Bandwise", "whether a is negative"), "signbit(A)"),
        _entry("copysign", "a, b", translate("Bandwise", "a with the sign of b"), "copysign(A, B)"),
        _entry(
            "heaviside", "a, b", translate("Bandwise", "0 below zero, b at zero, 1 above"),
            "heaviside(A - B, 0.5)"),
        _entry(
            "nextafter", "a, b", translate("Bandwise", "the number beside a in the direction of b"),
            "nextafter(A, B)"),
    ),
    Topic.ANGLES: (
        _entry("sin", "a", translate("Bandwise", "the sine; a in radians"), "sin(A)"),
        _entry("cos", "a", translate("Bandwise", "the cosine; a in radians"), "cos(A)"),
        _entry("tan", "a", translate("Bandwise", "the tangent; a in radians"), "tan(A)"),
        _entry("asin", "a", translate("Bandwise", "the inverse sine, in radians"), "asin(A)", "arcsin"),
        _entry(
            "acos", "a", translate("Bandwise", "the inverse cosine, in radians"),
            "acos(A)", "arccos"),
        _entry(
            "atan", "a", translate("Bandwise", "the inverse tangent, in radians"),
            "atan(A)", "arctan"),
        _entry(
            "atan2", "y, x", translate("Bandwise", "the angle of the point (x, y), in radians"),
            "atan2(A, B)", "arctan2"),
        _entry("sinh", "a", translate("Bandwise", "the hyperbolic sine"), "sinh(A)"),
        _entry("cosh", "a", translate("Bandwise", "the hyperbolic cosine"), "cosh(A)"),
        _entry("tanh", "a", translate("Bandwise", "the hyperbolic tangent"), "tanh(A)"),
        _entry(
            "asinh", "a", translate("Bandwise", "the inverse hyperbolic sine"),
            "asinh(A)", "arcsinh"),
        _entry(
            "acosh", "a", translate("Bandwise", "the inverse hyperbolic cosine"),
            "acosh(A)", "arccosh"),
        _entry(
            "atanh", "a", translate("Bandwise", "the inverse hyperbolic tangent"),
            "atanh(A)", "arctanh"),
        _entry(
            "radians", "a", translate("Bandwise", "degrees as radians"),
            "sin(radians(A))", "deg2rad"),
        _entry(
            "degrees", "a", translate("Bandwise", "radians as degrees"),
            "degrees(atan(A))", "rad2deg"),
    ),
    Topic.BITS: (
        _entry(
            "bitwise_and", "a, b", translate("Bandwise", "the bits that are set in both; also a & b"),
            "bitwise_and(A, 8) > 0"),
        _entry(
            "bitwise_or", "a, b", translate("Bandwise", "the bits that are set in either; also a | b"),
            "bitwise_or(A, 8)"),
        _entry(
            "bitwise_xor", "a, b", translate("Bandwise", "the bits that are set in one alone"),
            "bitwise_xor(A, B)"),
        _entry(
            "invert", "a", translate("Bandwise", "all bits reversed; also ~a"),
            "invert(A)", "bitwise_not"),
        _entry(
            "left_shift", "a, n", translate("Bandwise", "the bits moved up by n places; also a << n"),
            "left_shift(A, 2)"),
        _entry(
            "right_shift", "a, n", translate("Bandwise", "the bits moved down by n places; also a >> n"),
            "right_shift(A, 10)"),
    ),
    Topic.NUMPY: (
        _operator("add", "+"),
        _operator("subtract", "-"),
        _operator("multiply", "*"),
        _operator("divide", "/", "true_divide"),
        _operator("equal", "=="),
        _operator("not_equal", "!="),
        _operator("less", "<"),
        _operator("less_equal", "<="),
        _operator("greater", ">"),
        _operator("greater_equal", ">="),
        _operator("logical_and", "and"),
        _operator("logical_or", "or"),
        _entry(
            "logical_xor", "a, b", translate("Bandwise", "whether one alone holds"),
            "logical_xor(A > 0, B > 0)"),
        _entry(
            "logical_not", "a", translate("Bandwise", "whether a does not hold; also not a"),
            "logical_not(A > 0)"),
        _entry("negative", "a", translate("Bandwise", "a with the other sign"), "negative(A)"),
        _entry(
            "float", "a", translate("Bandwise", "a unchanged: values are floating point already"),
            "float(A) / float(B)", "float32 float64 float_ double single positive"),
    ),
}  # fmt: skip


def help_of(name: str) -> FunctionHelp | None:
    """Return the help of a function by any of its names; None for what is no function."""
    lower = name.lower()
    entries = (entry for group in FUNCTION_HELP.values() for entry in group)
    return next((entry for entry in entries if lower in (entry.name, *entry.aliases)), None)


#: Operators for the mouse and for the help, with what they do.
OPERATORS = (
    ("+", translate("Bandwise", "sum").format()),
    ("-", translate("Bandwise", "difference").format()),
    ("*", translate("Bandwise", "product").format()),
    ("/", translate("Bandwise", "quotient").format()),
    ("^", translate("Bandwise", "power; in gdal_calc bits that differ").format()),
    ("<", translate("Bandwise", "less than").format()),
    ("<=", translate("Bandwise", "at most").format()),
    (">", translate("Bandwise", "greater than").format()),
    (">=", translate("Bandwise", "at least").format()),
    ("==", translate("Bandwise", "equal to").format()),
    ("!=", translate("Bandwise", "not equal to").format()),
    ("and", translate("Bandwise", "both hold").format()),
    ("or", translate("Bandwise", "one or both hold").format()),
    ("not", translate("Bandwise", "does not hold").format()),
    ("%", translate("Bandwise", "remainder").format()),
    ("&", translate("Bandwise", "bits set in both").format()),
    ("|", translate("Bandwise", "bits set in either").format()),
    (":=", translate("Bandwise", "names a result: ndvi := (B - A) / (B + A)").format()),
    (";", translate("Bandwise", "separates results").format()),
)
