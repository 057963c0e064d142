# SPDX-License-Identifier: GPL-2.0-or-later
"""Compiled expressions give the exact answer, in float32 only where that is proven."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
from bandwise.engine.compute.compiler import BandValue
from bandwise.engine.compute.program import Load, Program, Step
from program_cases import EVI, NDVI, ROUNDING, compiled, evaluate, values


def operations(program: Program) -> list[str]:
    """The names of a program's steps, loads left out."""
    return [action.function for action in program.actions if isinstance(action, Step)]


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
