# SPDX-License-Identifier: GPL-2.0-or-later
"""Constants, registers and random programs."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from bandwise.engine.compute.compiler import BandValue
from bandwise.engine.expression.names import named_formula
from program_cases import EVI, NAMES, NDVI, ROUNDING, compiled, evaluate, values


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
