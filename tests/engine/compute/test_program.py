# SPDX-License-Identifier: GPL-2.0-or-later
"""Compiled expressions give the exact answer, in float32 only where that is proven."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.compute.program import Evaluator, Load, Program, Step
from bandwise.engine.expression.names import named_formula

NAMES = ("nir", "red", "c", "d")
NDVI = "(nir - red) / (nir + red)"
ROUNDING = Fraction(1, 2**52)


def compiled(text: str, bands: list[BandValue]) -> Program:
    """The program of expressions, parted by ``;``, over bands called nir, red, c and d."""
    return compile_formula(named_formula(text, NAMES[: len(bands)]), bands)


def evaluate(program: Program, *stored: np.ndarray) -> list[np.ndarray]:
    registers = [
        np.full(stored[0].shape, True if dtype.kind == "b" else np.nan, dtype)
        for dtype in program.registers
    ]
    invalid = [np.zeros(stored[0].shape, bool) for _ in stored]
    with np.errstate(all="ignore"):
        out = np.empty((len(program.results), stored[0].size), program.dtype)
        Evaluator(program, registers).evaluate(stored, invalid, out)  # type: ignore[arg-type]
    return list(out)


def operations(program: Program) -> list[str]:
    """The names of a program's steps, loads left out."""
    return [action.function for action in program.actions if isinstance(action, Step)]


def values(dtype: str, scale: float = 1.0, offset: float = 0.0) -> list[BandValue]:
    return [BandValue(np.dtype(dtype), scale, offset, nodata=False)] * 2


@pytest.mark.parametrize(
    ("dtype", "scale", "offset", "expected"),
    [
        ("uint8", 1.0, 0.0, "float32"),
        ("int16", 1.0, 0.0, "float32"),
        ("uint16", 1.0, 0.0, "float32"),
        ("uint16", 1 / 10000, 0.0, "float32"),
        ("uint16", 1 / 10000, -1000 / 10000, "float32"),
        ("uint16", 0.0001, -0.1, "float32"),
        ("uint16", 2.75e-05, -0.2, "float64"),  # -7272.73 stored units: not an integer
        ("uint16", 0.0001, 1e6, "float64"),  # 10**10 stored units: not in float32
        ("int32", 1.0, 0.0, "float64"),
        ("uint32", 1.0, 0.0, "float64"),
        ("float32", 1.0, 0.0, "float64"),
        ("float64", 1.0, 0.0, "float64"),
    ],
)
def test_ndvi_is_computed_in_float32_only_where_that_is_exact(
    dtype: str, scale: float, offset: float, expected: str
) -> None:
    assert compiled(NDVI, values(dtype, scale, offset)).dtype == expected


def test_products_of_16_bit_bands_are_rounded_once_or_leave_float32() -> None:
    """65535 * 65533 needs 32 bits and float32 has 24: right as a result, rounded once; not as a step towards one."""
    stored = [np.array([value], np.uint16) for value in (65535, 65533)]
    assert np.float32(
        evaluate(compiled("nir * red", values("uint16")), *stored)[0][0]
    ) == np.float32(65535 * 65533)
    program = compiled("nir * red - nir * nir", values("uint16"))
    assert program.dtype == "float64"
    assert evaluate(program, *stored)[0][0] == -2 * 65535


@pytest.mark.parametrize("shift", [1.0, 2.0, 3.0])
def test_a_constant_is_not_mistaken_for_the_value_of_that_number(shift: float) -> None:
    """(n + r) * n with n = nir + shift and r = red - shift: the sum needs no shift, the factor
    does. (12) * (7 + shift).
    """
    program = compiled(
        "(nir + red) * nir",
        [BandValue(np.dtype("uint16"), 1.0, shift), BandValue(np.dtype("uint16"), 1.0, -shift)],
    )
    assert evaluate(program, np.array([7], np.uint16), np.array([5], np.uint16))[0][0] == 12 * (
        7 + shift
    )


def test_bands_of_different_scales_leave_float32() -> None:
    program = compiled(
        NDVI, [BandValue(np.dtype("uint16"), 1e-4), BandValue(np.dtype("uint16"), 2e-4)]
    )
    assert program.dtype == "float64"


@pytest.mark.parametrize("offset", [0.0, -1000.0])
def test_float32_ndvi_of_all_16_bit_values_equals_float64_rounded_once(offset: float) -> None:
    near = np.arange(65536, dtype=np.uint16)
    for red in (0, 1, 999, 1000, 1001, 2000, 32768, 65534, 65535):
        visible = np.full_like(near, red)
        program = compiled(NDVI, values("uint16", 1 / 10000, offset / 10000))
        got = evaluate(program, near, visible)[0]
        a, b = near.astype(np.float64) + offset, visible.astype(np.float64) + offset
        with np.errstate(all="ignore"):
            expected = ((a - b) / (a + b)).astype(np.float32)
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("scale", "offset"),
    [
        (1 / 10000, -1000 / 10000),
        (0.0001, -0.1),
        (1e-4, -0.1),
        (0.0001, -0.05),
        (1 / 20000, -500 / 20000),
        (0.001, -0.1),
    ],
)
def test_a_denominator_that_is_zero_is_exactly_zero(scale: float, offset: float) -> None:
    """With offset -1000 the sum of 400 and 1600 is a reflectance of 0: in plain float64 1.4e-17 or
    so, and NDVI -4e15.
    """
    shift = round(-offset / scale)
    near = np.arange(2 * shift + 1, dtype=np.uint16)
    got = evaluate(
        compiled(NDVI, values("uint16", scale, offset)), near, (2 * shift - near).astype(np.uint16)
    )[0]
    assert not np.isfinite(got).any()


def test_common_parts_are_computed_once() -> None:
    program = compiled(
        "total := nir + red; (nir - red) / total; nir / total; (nir + red) / nir", values("uint16")
    )
    assert sorted(operations(program)) == ["add", "divide", "divide", "divide", "subtract"]
    loaded = [action.band for action in program.actions if isinstance(action, Load)]
    assert len(loaded) == len(set(loaded))
    near, visible = np.array([3, 5], np.uint16), np.array([1, 3], np.uint16)
    got = evaluate(program, near, visible)[1:]
    np.testing.assert_array_equal(
        got, np.array([[0.5, 0.25], [0.75, 0.625], [4 / 3, 1.6]], np.float64).astype(program.dtype)
    )


def test_ndvi_takes_one_operation_a_sign() -> None:
    """Scale and offset that cancel are never applied: subtract, add, add the shift once, divide."""
    program = compiled(NDVI, values("uint16", 1e-4, -0.1))
    assert sorted(operations(program)) == ["add", "add", "divide", "subtract"]
    assert len(program.registers) <= 3


EVI = "2.5 * (nir/10000 - red/10000) / (nir/10000 + 6 * red/10000 - 7.5 * nir/10000 + 1)"


def test_constants_that_cancel_are_never_applied() -> None:
    """EVI of stored values / 10000: one division of whole numbers and halves at the end, 10000
    added for the 1; so float32 is exact.
    """
    program = compiled(EVI, values("uint16"))
    assert operations(program) == [
        "subtract",
        "multiply",
        "add",
        "multiply",
        "subtract",
        "add",
        "multiply",
        "divide",
    ]
    assert program.dtype == np.float32
    savi = "1.5 * (nir/10000 - red/10000) / (nir/10000 + red/10000 + 0.5)"
    program = compiled(savi, values("uint16"))
    assert sorted(operations(program)) == ["add", "add", "divide", "multiply", "subtract"]
    assert program.dtype == np.float32


@pytest.mark.parametrize(
    "text",
    [
        "2.5 * (nir - red) / (nir + 6 * red - 7.5 * nir + 1)",
        "1.5 * ((nir - red) / (nir + red + 0.5))",
    ],
)
def test_an_index_of_reflectance_is_that_of_its_stored_values(text: str) -> None:
    """With a scale of 0.0001, which is one ten-thousandth and not the float64 of that name: rounded
    once, in float32.
    """
    random = np.random.default_rng(7)
    nir, red = random.integers(0, 65536, (2, 500)).astype(np.uint16)
    program = compiled(text, values("uint16", 0.0001))
    assert program.dtype == np.float32
    exactly = re.sub(r"\d+\.?\d*", lambda number: f"Fraction('{number[0]}')", text)
    for value, a, b in zip(evaluate(program, nir, red)[0].tolist(), nir.tolist(), red.tolist()):
        exact = eval(
            exactly, {"Fraction": Fraction, "nir": Fraction(a, 10000), "red": Fraction(b, 10000)}
        )
        assert abs(Fraction(value) - exact) <= abs(exact) * Fraction(1, 2**24)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("nir > 0.3", [0, 0, 1]), ("nir >= 0.3", [0, 1, 1]), ("nir == 0.3", [0, 1, 0])],
)
def test_a_reflectance_of_a_stored_3000_is_not_above_0_3(text: str, expected: list[int]) -> None:
    """3000 * 0.0001 in float64 is."""
    assert (
        evaluate(
            compiled(text, values("uint16", 0.0001)),
            np.array([2999, 3000, 3001], np.uint16),
            np.zeros(3, np.uint16),
        )[0].tolist()
        == expected
    )


def test_what_float32_holds_is_computed_in_it_and_quotients_that_are_added_are_not() -> None:
    """Beside a float64 quotient no step may be rounded to float32: 1/3 + 1/7 of whole numbers is
    right to the last bits of float64.
    """
    program = compiled("(nir - red) / (nir + red) + red / (nir * 3)", values("uint16"))
    assert program.dtype == np.float64
    assert {np.dtype(np.float32), np.dtype(np.float64)} == set(program.registers)
    nir, red = np.array([2, 7, 65535], np.uint16), np.array([1, 3, 65534], np.uint16)
    got = evaluate(program, nir, red)[0]
    for value, a, b in zip(got.tolist(), (2, 7, 65535), (1, 3, 65534)):
        exact = Fraction(a - b, a + b) + Fraction(b, 3 * a)
        assert abs(Fraction(value) - exact) <= exact * 3 * ROUNDING


@pytest.mark.parametrize(
    "text",
    [
        "nir / 10000",
        "nir * 0.0001",
        "nir / 3",
        "nir / 10000 + 1",
        "1 - nir / 10000",
        "nir * 3 / 7 - 0.1",
        "0.3 - 2 * nir",
    ],
)
def test_a_constant_gives_what_float64_gives_for_all_16_bit_values(text: str) -> None:
    """To the last bit of float32; so 3000 / 10000 is 0.3 and not above it."""
    nir = np.arange(65536, dtype=np.uint16)
    truth = eval(text, {"nir": nir.astype(np.float64)})
    np.testing.assert_array_equal(
        evaluate(compiled(text, values("uint16")), nir, nir)[0].astype(np.float32),
        truth.astype(np.float32),
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("nir / 10000 > 0.3", 3000),
        ("0.3 < nir * 0.0001", 3000),
        ("nir / 10 >= 0.7", 7),
        ("nir / 7 == 3", 21),
    ],
)
def test_a_threshold_is_met_by_the_stored_value_that_float64_says(text: str, number: int) -> None:
    nir = np.array([number - 1, number, number + 1], np.uint16)
    np.testing.assert_array_equal(
        evaluate(compiled(text, values("uint16")), nir, nir)[0],
        eval(text, {"nir": nir.astype(np.float64)}),
    )


@pytest.mark.parametrize(
    "text",
    [
        EVI,
        "(nir/10000 - 0.1) * (red/10000 + 0.2)",
        "1 / (nir/10000)",
        "(5 - nir * 2) / (red / 4 + 0.25)",
        "nir * 0.1 / (red * 0.1)",
        "nir/2 - red/2 + 1",
    ],
)
def test_constants_lose_nothing_to_exact_fractions(text: str) -> None:
    random = np.random.default_rng(12)
    nir, red = random.integers(1, 10000, (2, 200)).astype(np.uint16)
    got = evaluate(compiled(text, values("uint16")), nir, red)[0]
    # in float32 it is rounded once
    error = Fraction(4, 10**15) if got.dtype == np.float64 else Fraction(1, 2**24)
    decimals = re.sub(r"\d+\.?\d*", lambda number: f"Fraction('{number[0]}')", text)
    for value, a, b in zip(got.tolist(), nir.tolist(), red.tolist()):
        exact = eval(decimals, {"Fraction": Fraction, "nir": Fraction(a), "red": Fraction(b)})
        assert abs(Fraction(value) - exact) <= abs(exact) * error


@pytest.mark.parametrize(
    ("text", "finite"),
    [
        ("nir * 0", True),
        ("nir / 0", False),
        ("nir * 1e200 * 1e200", False),
        ("nir * 1e-200 * 1e-200 * 1e300", True),
        ("where(nir > 1, 1e-200, 1e-200) * 1e-200", True),
    ],
)
def test_constants_out_of_range_do_what_they_do_in_float64(text: str, finite: bool) -> None:
    nir = np.array([5, 7], np.uint16)
    got = evaluate(compiled(text, values("uint16")), nir, nir)[0]
    assert np.isfinite(got).all() == finite and (
        not finite or (np.abs(got.astype(float)) < 1e-98).all()
    )


def test_registers_are_used_again() -> None:
    assert len(compiled("(" * 50 + "nir" + " * red + nir)" * 50, values("uint16")).registers) <= 4


def test_a_band_that_is_first_needed_late_does_not_overwrite_another() -> None:
    """a + b + c + d = 15, (a * b) / (c * d) = 2 / 32."""
    stored = [np.array([value], np.uint16) for value in (1, 2, 4, 8)]
    assert evaluate(compiled("nir + red + c + d", values("uint16") * 2), *stored)[0][0] == 15
    assert (
        evaluate(compiled("(nir * red) / (c * d)", values("uint16") * 2), *stored)[0][0] == 2 / 32
    )


def test_one_band_may_be_several_results() -> None:
    program = compiled("nir; nir; red", values("uint16"))
    near, visible = np.array([7], np.uint16), np.array([9], np.uint16)
    assert [result[0] for result in evaluate(program, near, visible)] == [7, 7, 9]


def test_a_band_is_scaled_where_its_value_is_the_result() -> None:
    program = compiled("nir", [BandValue(np.dtype("uint16"), 0.5, -3.0)])
    assert evaluate(program, np.array([0, 6, 65535], np.uint16))[0].tolist() == [-3.0, 0.0, 32764.5]


def test_formulas_are_written_with_the_bands_names() -> None:
    formula = named_formula(NDVI, NAMES)
    assert formula.understood(["A@1", "B@2", "", ""]) == ("(A@1 - B@2) / (A@1 + B@2)",)
    assert named_formula("nir", NAMES).understood(NAMES) == ("nir",)
    assert formula.bands() == (0, 1)
    assert named_formula("red * red", NAMES).bands() == (1,)


#: An expression as a tree: a band's position, or (sign, tree, tree).
Tree = Any


def written(tree: Tree) -> str:
    return (
        NAMES[tree]
        if isinstance(tree, int)
        else f"({written(tree[1])} {tree[0]} {written(tree[2])})"
    )


def _exact(tree: Tree, pixel: list[tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction] | None:
    """(value in exact arithmetic, bound on the error of a float64 evaluation in any order); None
    where a denominator is too near 0.

    Running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.3).
    """
    if isinstance(tree, int):
        return pixel[tree]
    sign, left, right = tree
    parts = [_exact(left, pixel), _exact(right, pixel)]
    if None in parts:
        return None
    (a, error_a), (b, error_b) = parts
    if sign in "+-":
        value, error = (
            (a + b if sign == "+" else a - b),
            error_a + error_b + 4 * ROUNDING * (abs(a) + abs(b)),
        )
    elif sign == "*":
        value, error = (
            a * b,
            abs(a) * error_b + abs(b) * error_a + error_a * error_b + 4 * ROUNDING * abs(a * b),
        )
    else:
        if abs(b) <= 2 * error_b:
            return None
        value = a / b
        error = (error_a + abs(value) * error_b) / (abs(b) - error_b) + 4 * ROUNDING * abs(value)
    return value, error


def _random_tree(random: np.random.Generator, depth: int, bands: int) -> Tree:
    if depth == 0 or random.random() < 0.15:
        return int(random.integers(bands))
    return (
        str(random.choice(list("+-*/"))),
        _random_tree(random, depth - 1, bands),
        _random_tree(random, depth - 1, bands),
    )


def _random_case(
    random: np.random.Generator,
) -> tuple[Tree, list[np.ndarray], list[tuple[str, str]]]:
    """An expression over four bands, 24 pixels of each, and their decimal scales and offsets, the
    same for all bands in half of the cases.
    """
    scalings = [
        ("1", "0"),
        ("0.0001", "-0.1"),
        ("0.0000275", "-0.2"),
        ("0.5", "3"),
        ("0.001", "2000"),
        ("-2", "0.25"),
        ("1", "-2"),
    ]
    chosen = [scalings[int(number)] for number in random.integers(len(scalings), size=4)]
    if random.random() < 0.5:
        chosen = chosen[:1] * 4
    stored = []
    for _ in range(4):
        dtype = np.dtype(
            str(
                random.choice(["uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"])
            )
        )
        if dtype.kind == "f":
            stored.append(random.normal(0, 1000, 24).astype(dtype))
        else:
            limits = np.iinfo(dtype)
            stored.append(random.integers(limits.min, limits.max, 24, dtype=dtype, endpoint=True))
    return _random_tree(random, 4, 4), stored, chosen


@pytest.mark.parametrize("seed", range(40))
def test_random_expressions_equal_exact_arithmetic(seed: int) -> None:
    """Rational arithmetic on decimal scales is the truth; the distance allowed is what float64
    rounding can explain, then one rounding to float32.
    """
    random = np.random.default_rng(seed)
    compared = 0
    while compared < 24:
        tree, stored, scalings = _random_case(random)
        program = compiled(
            written(tree),
            [BandValue(band.dtype, float(s), float(o)) for band, (s, o) in zip(stored, scalings)],
        )
        got = evaluate(program, *stored)[0]
        for position in range(24):
            pixel = []
            for band, (scale, offset) in zip(stored, scalings):
                value = Fraction(band[position].item()) * Fraction(scale)
                pixel.append(
                    (value + Fraction(offset), 4 * ROUNDING * (abs(value) + abs(Fraction(offset))))
                )
            truth = _exact(tree, pixel)
            if truth is None or abs(truth[0]) > 10**37:
                continue
            value, error = truth
            rounding = Fraction(float(np.spacing(np.float32(abs(value) + error)))) / 2
            assert abs(Fraction(float(np.float32(got[position]))) - value) <= error + rounding, (
                written(tree)
            )
            compared += 1
