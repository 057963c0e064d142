# SPDX-License-Identifier: GPL-2.0-or-later
"""A nodata value typed as a branch of a condition is nodata; typed elsewhere it is a number.

GDAL's mask band is the truth.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.expression.dialects import DialectChoice
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.storage import DataType
from bench import Bench

A = np.array([[-5.0, 1, 2, 3, -9999, 7]])  #: 7 is nodata
B = np.array([[10.0, 0, 30, 7, 50, 60]])
NODATA = A == 7


@pytest.fixture
def math(bench: Bench) -> Any:
    """A function from (expression, options) to (pixels, which GDAL masks, first statistics, log lines)."""

    def run(text: str, **options: Any) -> Any:
        rasters = [("dem", bench.save("dem.tif", A, nodata=7)), ("mask", bench.save("mask.tif", B))]
        lines: list[str] = []
        job = bandmath_job(rasters, text, bench.path("out.tif"), **options)
        _, report = bench.run(
            job,
            progress=lambda _, note: lines.append(
                f"{'!' * note.warning}{note.text}" if note else ""
            ),
        )
        with rasterio.open(job.output) as dataset:
            return dataset.read(1), dataset.read_masks(1) == 0, report.statistics[0], lines

    return run


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("where(B > 5, A, -9999)", DialectChoice.BANDWISE),
        ("if(B > 5, A, -9999)", DialectChoice.BANDWISE),
        ("B > 5 ? A : -9999", DialectChoice.BANDWISE),
        ("B <= 5 ? -9999.0 : A", DialectChoice.BANDWISE),
        ("where(B > 5, A, -(9999))", DialectChoice.BANDWISE),
        ("where(B > 5, A, 1 - 10000)", DialectChoice.BANDWISE),
        ("where(B > 20, A, where(B > 5, A, -9999))", DialectChoice.BANDWISE),
        ("where(B > 20, where(B > 0, A, 5), where(B < 5, -9999, A))", DialectChoice.BANDWISE),
        ('if("mask@1" > 5, "dem@1", -9999)', DialectChoice.QGIS),
        ("numpy.where(B > 5, A, -9999)", DialectChoice.GDAL_CALC),
        ("im2b1 > 5 ? im1b1 : -9999", DialectChoice.OTB),
        ("(im2b1 <= 5) ? -9999 : ((im2b1 > 20) ? im1b1 : im1b1)", DialectChoice.OTB),
    ],
)
def test_a_branch_is_nodata(math: Any, text: str, dialect: DialectChoice) -> None:
    """Where B is 5 or less; there A's nodata does not count, and elsewhere A's own -9999 is a number."""
    got, masked, statistics, lines = math(text, dialect=dialect)
    np.testing.assert_array_equal(masked, NODATA | (B <= 5))
    np.testing.assert_array_equal(
        got[~masked], np.where(A == -9999, np.float32(-9998.995), A)[~masked]
    )
    assert (statistics.valid, statistics.nodata, statistics.moved) == (
        (~masked).sum(),
        masked.sum(),
        1,
    )
    assert any(
        f"({masked.sum()} nodata in an input or as a branch, 0 saturated" in line for line in lines
    )
    assert (
        sum(
            "-9999 as a branch of a condition is taken as nodata" in line and line[0] != "!"
            for line in lines
        )
        == 1
    )


def test_the_default_of_coalesce(math: Any) -> None:
    got, masked, statistics, lines = math("coalesce(A, -9999)")
    np.testing.assert_array_equal(masked, NODATA)
    assert (
        statistics.nodata == 1
        and statistics.moved == 1
        and any("coalesce" in line for line in lines)
    )
    got, masked, _, _ = math("coalesce(A, where(B > 55, -9999, 4))")
    np.testing.assert_array_equal(masked, NODATA)
    got, masked, _, _ = math("coalesce(A, 4)")
    assert not masked.any() and got[NODATA] == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A * 0 + -9999", A * 0 - 9999),
        ("where(B > 5, A, -9999) * 2", np.where(B > 5, A, -9999) * 2),
        ("where(where(B > 5, A, -9999) == -9999, 4, A)", np.where((B <= 5) | (A == -9999), 4, A)),
        ("max(where(B > 5, A, -9999), B)", np.maximum(np.where(B > 5, A, -9999), B)),
        ("where(-9999, A, 2)", A),
        ("isnodata(where(B > 5, A, -9999))", (B > 5) & NODATA),
        ("where(B > 5, A, -9998)", np.where(B > 5, A, -9998)),
    ],
)
def test_what_is_computed_with_stays_a_number(math: Any, text: str, expected: Any) -> None:
    got, masked, statistics, lines = math(text)
    assert not any("branch of a condition is taken" in line for line in lines)
    missing = (
        np.zeros_like(NODATA)
        if text.startswith("isnodata")
        else NODATA & ((B > 5) | ("where" not in text))
    )
    np.testing.assert_array_equal(masked, missing)
    expected = np.where(np.asarray(expected) == -9999, np.float32(-9998.995), expected)
    np.testing.assert_array_equal(got[~masked], expected.astype(np.float32)[~masked])
    assert statistics.valid == (~masked).sum()


def test_a_condition_may_be_both(bench: Bench, math: Any) -> None:
    """The same text as a result and in arithmetic, in one run: nodata in the first, -19998 in the second."""
    _, masked, _, _ = math("where(B > 5, A, -9999); where(B > 5, A, -9999) * 2")
    np.testing.assert_array_equal(masked, NODATA | (B <= 5))
    with rasterio.open(bench.path("out.tif")) as dataset:
        assert dataset.read(2)[0, 1] == -19998 and dataset.read_masks(2)[0, 1] == 255


def test_all_of_it(math: Any) -> None:
    _, masked, statistics, _ = math("where(B > 5, -9999, -9999)")
    assert masked.all() and statistics.valid == 0 and statistics.nodata == A.size


@pytest.mark.parametrize(
    ("data_type", "nodata"),
    [
        (DataType.UINT8, 255),
        (DataType.UINT16, 65535),
        (DataType.INT16, -32768),
        (DataType.INT32, -2147483648),
        (DataType.UINT8_SCALED, 255),
    ],
)
def test_integer_types_have_nodata_of_their_own(
    math: Any, data_type: DataType, nodata: int
) -> None:
    """As a branch it is nodata and told as a warning; computed, it is clamped as ever; -9999 is nodata too."""
    for value in (nodata, -9999):
        got, masked, statistics, lines = math(f"where(B > 5, 1, {value})", data_type=data_type)
        np.testing.assert_array_equal(masked, B <= 5)
        assert statistics.clamped == 0 and (got[masked] == nodata).all()
        assert [line[0] == "!" for line in lines if "taken as nodata" in line] == [value != -9999]
    got, masked, statistics, _ = math(f"B * 0 + {nodata}", data_type=data_type)
    assert not masked.any() and statistics.clamped == B.size


def written(random: Any, depth: int) -> Any:
    """A random tree of conditions, defaults and arithmetic, over A, B, numbers and -9999."""
    kind = (
        random.choice(["where", "coalesce", "double", "leaf"], p=[0.5, 0.15, 0.15, 0.2])
        if depth
        else "leaf"
    )
    if kind == "leaf":
        return ("leaf", random.choice(["A", "B", "4", "-9999"], p=[0.3, 0.2, 0.1, 0.4]))
    if kind == "where":
        return (
            "where",
            int(random.choice([0, 5, 20, 40])),
            written(random, depth - 1),
            written(random, depth - 1),
        )
    if kind == "coalesce":
        return (
            "coalesce",
            ("where", 20, written(random, depth - 1), ("leaf", "A")),
            written(random, depth - 1),
        )
    return ("double", written(random, depth - 1))


def text_of(tree: Any) -> str:
    if tree[0] == "leaf":
        return str(tree[1])
    if tree[0] == "where":
        return f"where(B > {tree[1]}, {text_of(tree[2])}, {text_of(tree[3])})"
    return (
        f"coalesce({text_of(tree[1])}, {text_of(tree[2])})"
        if tree[0] == "coalesce"
        else f"({text_of(tree[1])}) * 2"
    )


def truth_of(tree: Any, *, chosen: bool) -> tuple[Any, Any]:
    """Values and nodata; ``chosen``: the tree is a branch whose value is the result as it is."""
    if tree[0] == "leaf":
        values = {"A": A, "B": B, "4": np.full(A.shape, 4.0), "-9999": np.full(A.shape, -9999.0)}[
            tree[1]
        ]
        return values, NODATA if tree[1] == "A" else np.full(A.shape, chosen and tree[1] == "-9999")
    if tree[0] == "double":
        values, missing = truth_of(tree[1], chosen=False)
        return values * 2, missing
    (first, a), (second, b) = (truth_of(branch, chosen=chosen) for branch in tree[-2:])
    condition = np.greater(B, tree[1]) if tree[0] == "where" else ~a
    return np.where(condition, first, second), np.where(condition, a, b)


def test_random_conditions(math: Any) -> None:
    random = np.random.default_rng(8)
    told = 0
    for _ in range(120):
        tree = ("where", 5, written(random, 3), written(random, 3))
        got, masked, statistics, lines = math(text_of(tree))
        values, missing = truth_of(tree, chosen=True)
        np.testing.assert_array_equal(masked, missing, text_of(tree))
        np.testing.assert_allclose(got[~masked], values[~masked], atol=0.005, rtol=0)
        assert (
            statistics.moved == (values[~masked] == -9999).sum()
            and statistics.valid == (~masked).sum()
        )
        told += any("branch of a condition" in line for line in lines)
    assert 60 < told < 120
