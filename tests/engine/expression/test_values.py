# SPDX-License-Identifier: GPL-2.0-or-later
"""What expressions compute: nodata, integers, bits and digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.errors import ExpressionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.dialects import DIALECTS
from bandwise.engine.expression.names import Raster, RasterBands
from bandwise.engine.expression.parser import parse
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bench import Bench
from language_cases import (
    BANDWISE,
    STORED,
    Desk,
    desk,  # noqa: F401  fixtures
    marked,
)

NODATA = [
    ("A + B", [4, 0, 9, None]), ("A * 0 + 0 * B", [0, 0, 0, None]), ("B > 100", [0, 0, 0, None]),
    ("not B", [0, 1, 0, None]),
    ("A > 0 or B > 0", [1, 0, 1, None]),
    ("A > 2 ? A : B", [3, 0, 7, None]), ("A < 5 ? A : B", [3, 0, 2, 2]),
    ("where(A < 5, A, B)", [3, 0, 2, 2]), ("if(A >= 2, A, B)", [3, 0, 7, 2]),
    ("where(B > 1, 5, 6)", [6, 6, 5, None]), ("where(B > 1, 5, 5)", [5, 5, 5, None]),
    ("where(A > 2, where(A > 5, B, A), where(A > 0, A, B))", [3, 0, 2, 2]),
    ("where(A > 2, where(B > 1, 1, 2), 3)", [2, 3, 1, 3]), ("isnodata(B)", [0, 0, 0, 1]), ("isnodata(A)", [0, 0, 0, 0]),
    ("isnodata(A / A)", [0, 1, 0, 0]),
    ("coalesce(B, -1)", [1, 0, 2, -1]), ("coalesce(B, C)", [1, 0, 2, 0]), ("coalesce(A / A, B, 9)", [1, 0, 1, 1]),
    ("coalesce(1 / B, A / A, 9)", [1, 9, 0.5, 1]),
    ("coalesce(B, B)", [1, 0, 2, None]), ("coalesce(B, A / 0)", [1, 0, 2, None]),
    ("where(isnodata(B), 77, B)", [1, 0, 2, 77]),
    ("not isnodata(B)", [1, 1, 1, 0]),
    ("isnodata(coalesce(B, 1))", [0, 0, 0, 0]), ("isnodata(isnodata(B))", [0, 0, 0, 0]),
    ("sqrt(C)", [None, 2, pytest.approx(0.5**0.5, rel=1e-7), 0]),
    ("1 / C", [-1, 0.25, 2, None]),
    ("where(C > 0, ln(C), 0)", [0, pytest.approx(np.log(4), rel=1e-7), pytest.approx(np.log(0.5), rel=1e-7), 0]),
    ("where(A == 0, 0, B / A)", [pytest.approx(1 / 3, rel=1e-7), 0, pytest.approx(2 / 7, rel=1e-7), None]),
    ("coalesce(where(A > 2, B, 1), 4)", [1, 1, 2, 1]),
    ("max(B, 5)", [5, 5, 5, None]), ("isnodata(5)", [0] * 4), ("coalesce(1 / 0, 5)", [5] * 4),
    ("isnodata(B) ? A : B", [1, 0, 2, 2]),
    ("0 ? B : A", [3, 0, 7, 2]),
    ("1 ? B : A", [1, 0, 2, None]), ("isnan(A / A)", [0, 1, 0, 0]), ("isnan(B)", [0, 0, 0, None]),
    ("coalesce(B & 1, 9)", [1, 0, 0, 9]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "values"), NODATA)
def test_nodata_travels_with_the_values_that_are_used(
    desk: Desk, text: str, values: list[Any]
) -> None:
    assert desk(text, BANDWISE) == values


@pytest.mark.parametrize(
    "text",
    [
        "rint(A / A) & 1",
        "(A // A) | 4",
        "~rint(C / C)",
        "bitwise_xor(rint(A / A), 3)",
        "1 << rint(A / A)",
        "rint(A / A) >> 1",
        "floor(sqrt(C)) & 1",
        "4 & ceil(ln(A))",
    ],
)
def test_the_bits_of_no_number_are_nodata(desk: Desk, text: str) -> None:
    """0/0, sqrt(-1) and ln(0) are nodata; a cast to integers would make a large number of them."""
    pixel = 0 if "sqrt" in text else 3 if "C" in text else 1
    assert desk(text, BANDWISE)[pixel] is None


def test_masks_and_saturation_are_nodata_by_band(bench: Bench) -> None:
    """A is masked in its first pixel, 65535 is saturated where the product says so; only what is used counts."""
    masked = bench.save("a.tif", np.array([[1, 2, 3]], np.uint16), mask=[[False, True, True]])
    other = bench.save("b.tif", np.array([[4.0, np.nan, 6.0]], np.float32), nodata=np.nan)
    run(
        bandmath_job(
            [("a", masked), ("b", other)],
            "A + 1; B; A + B; coalesce(A, B); where(A > 2, 7, B)",
            bench.path("out.tif"),
        )
    )
    found = bench.read(bench.path("out.tif"), None)[:, 0]
    assert found.tolist() == [
        [-9999, 3, 4],
        [4, -9999, 6],
        [-9999, -9999, 9],
        [4, 2, 3],
        [-9999, -9999, 7],
    ]


EXTREMES = {
    "uint8": [0, 1, 100, 200, 255], "int16": [-32768, -1, 0, 1, 32767], "uint16": [0, 1, 40000, 65534, 65535],
    "int32": [-(2**31), -1, 0, 2**24 + 1, 2**31 - 1],
    "uint32": [0, 1, 2**24 + 1, 2**31, 2**32 - 1],
}  # fmt: skip


WRAPS = [
    ("A + A", lambda a: a + a), ("-A", lambda a: -a), ("A * A", lambda a: a * a),
    ("A - 300", lambda a: a - 300), ("~A", lambda a: ~a),
    ("A << 1", lambda a: a << 1),
    ("A << 20", lambda a: a << 20), ("A >> 3", lambda a: a >> 3), ("abs(A)", abs),
    ("A & 0x7FFFFFFF", lambda a: a & 0x7FFFFFFF),
    ("A | 1", lambda a: a | 1),
    ("bitwise_xor(A, 255)", lambda a: a ^ 255), ("A * 100 - A * 99", lambda a: a),
    ("A + A - A", lambda a: a), ("(A << 8) >> 8", lambda a: a),
    ("A % 7", lambda a: a % 7),
    ("A // 7", lambda a: a // 7), ("(A & 1) == 0", lambda a: int(a & 1 == 0)),
    ("A ^ 2 - A * A", lambda a: 0), ("min(A, -A)", lambda a: min(a, -a)),
    ("avg(A, A)", lambda a: a), ("sum(A, A, A)", lambda a: 3 * a),
    ("square(A) - A ** 2", lambda a: 0), ("right_shift(A, 40)", lambda a: a >> 40),
]  # fmt: skip


@pytest.mark.parametrize("dtype", EXTREMES)
def test_whole_numbers_never_wrap(bench: Bench, dtype: str) -> None:
    """Python's integers are the truth, rounded once to float32."""
    path = bench.save("a.tif", np.array([EXTREMES[dtype]], dtype))
    run(
        bandmath_job(
            [("a", path)],
            ";".join(text for text, _ in WRAPS),
            bench.path("out.tif"),
            radiometry=STORED,
            dialect=BANDWISE,
        )
    )
    found = bench.read(bench.path("out.tif"), None)[:, 0]
    for (text, right), values in zip(WRAPS, found):
        wanted = np.array([right(value) for value in EXTREMES[dtype]], np.float64).astype(
            np.float32
        )
        np.testing.assert_array_equal(values, wanted, text)


@pytest.mark.parametrize(
    "text",
    [
        "C & 1",
        "A | C",
        "~C",
        "A << C",
        "A / 2 & 1",
        "(A + 0.5) | 1",
        "sqrt(A) & 1",
        "bitwise_and(A, B / 3)",
        "where(A > 1, C, 1) & 1",
        "A & 1.5",
    ],
)
def test_bits_of_fractions_are_refused_in_a_sentence(desk: Desk, text: str) -> None:
    _, sentence = marked(desk.refusal(text))
    assert "bits are those of whole numbers" in sentence
    assert "rint(A) & 8" in sentence


def test_a_negative_shift_does_not_make_fractions(desk: Desk) -> None:
    """Python raises, numpy gives 0; here it is a shift the other way."""
    assert desk("A << -1", BANDWISE) == [3 >> 1, 0 >> 1, 7 >> 1, 2 >> 1]


def test_bits_of_scaled_bands_are_refused(desk: Desk) -> None:
    with pytest.raises(ExpressionError, match="whole numbers"):
        prepare(desk.job("A & 1", radiometry=RadiometryChoice(scaling=Scaling.CUSTOM, scale=1e-4)))


CANCELLING = {
    "sqrt((2*A+1)^2 - 8*(A-B))": lambda n, r: np.sqrt((2 * n + 1) ** 2 - 8 * (n - r)),
    "(2*A+1 - sqrt((2*A+1)^2 - 8*(A-B))) / 2": lambda n, r: (
        (2 * n + 1 - np.sqrt((2 * n + 1) ** 2 - 8 * (n - r))) / 2
    ),
    "(A-B)/(A+B)": lambda n, r: (n - r) / (n + r),
    "(1e4*A - 1e4*B)/(A - B)": lambda n, r: (1e4 * n - 1e4 * r) / (n - r),
    "(A^2 - B^2)/(A - B)": lambda n, r: (n**2 - r**2) / (n - r),
    "1e6 + A - 1e6": lambda n, r: 1e6 + n - 1e6,
    "sqrt(A*A + 1) - A": lambda n, r: np.sqrt(n * n + 1) - n,
}


@pytest.mark.parametrize("text", CANCELLING)
@pytest.mark.parametrize("scale", [1e-4, 2.75e-5])
def test_cancellation_costs_no_digits(bench: Bench, text: str, scale: float) -> None:
    random = np.random.default_rng(3)
    near, red = random.integers(1, 65536, (2, 40, 50), dtype=np.uint16)
    red[0], red[1] = near[0], near[1] - 1
    rasters = [("n", bench.save("n.tif", near)), ("r", bench.save("r.tif", red))]
    run(
        bandmath_job(
            rasters,
            text,
            bench.path("out.tif"),
            radiometry=RadiometryChoice(scaling=Scaling.CUSTOM, scale=scale, offset=0.0),
        )
    )
    found = bench.read(bench.path("out.tif")).astype(float)
    scaled = np.longdouble(scale)
    with np.errstate(all="ignore"):
        right = CANCELLING[text](near * scaled, red * scaled).astype(float)
    defined = (near != red) & np.isfinite(right)
    np.testing.assert_allclose(found[defined], right[defined], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("A + B", "float32"), ("A - B", "float32"), ("(A - B) / (A + B)", "float32"),
        ("A > B", "float32"), ("A * B", "float32"),
        ("where(A > B, A, B)", "float32"),
        ("A * B - A", "float64"), ("A / B + 1", "float64"), ("A * 0.1", "float64"),
        ("sqrt(A)", "float64"), ("A & 8", "float64"),
        ("A + 0.5", "float32"), ("A + 0.1", "float64"), ("(A + 0.25) / (B + 0.5)", "float32"),
        ("(A + 0.25) / (B + 0.0009765625)", "float64"),
        ("A + 16777217", "float64"), ("A * 1000 + B", "float64"), ("A / B > 0.5", "float64"),
    ],
)  # fmt: skip
def test_float32_works_only_where_it_is_exact(text: str, dtype: str) -> None:
    references = RasterBands([Raster(name, name, ("",)) for name in "ab"])
    assert (
        compile_formula(
            parse(text, DIALECTS[BANDWISE], references), [BandValue(np.dtype("uint16"))] * 2
        ).dtype
        == dtype
    )
