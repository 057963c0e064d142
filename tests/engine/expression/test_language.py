# SPDX-License-Identifier: GPL-2.0-or-later
"""The language rule by rule: what names, operators and nodata mean, what is refused and how, and
what a run of it costs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.compute.program import Load, Step
from bandwise.engine.errors import BandwiseError, ExpressionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.names import Raster, RasterBands, letter_of
from bandwise.engine.expression.parser import parse
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bench import Bench
from serial_executor import Serial
from steps import steps

STORED = RadiometryChoice(scaling=Scaling.STORED)
AUTOMATIC, BANDWISE, QGIS, GDAL_CALC, OTB = DialectChoice


class Desk:
    """Rasters A = 3, 0, 7, 2, B = 1, 0, 2, 8 (nodata 8), C = -1, 4, 0.5, 0 and what expressions make of them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.rasters = [
            ("first", bench.save("B08.tif", np.array([[3, 0, 7, 2]], np.uint16))),
            ("second layer", bench.save("B04.tif", np.array([[1, 0, 2, 8]], np.uint16), nodata=8)),
            ("third", bench.save("part.tif", np.array([[-1, 4, 0.5, 0]], np.float32))),
        ]

    def job(self, text: str, dialect: DialectChoice = AUTOMATIC, **options: Any) -> Any:
        options.setdefault("radiometry", STORED)
        return bandmath_job(
            self.rasters, text, self.bench.path("out.tif"), dialect=dialect, **options
        )

    def all(
        self, text: str, dialect: DialectChoice = AUTOMATIC, **options: Any
    ) -> list[list[float | None]]:
        """The first row of every result, None where nodata."""
        run(self.job(text, dialect, **options))
        return [
            [None if value == -9999 else float(value) for value in band[0]]
            for band in self.bench.read(self.bench.path("out.tif"), None)
        ]

    def __call__(
        self, text: str, dialect: DialectChoice = AUTOMATIC, **options: Any
    ) -> list[float | None]:
        (band,) = self.all(text, dialect, **options)
        return band

    def refusal(self, text: str, dialect: DialectChoice = BANDWISE) -> str:
        with pytest.raises(ExpressionError) as caught:
            run(self.job(text, dialect))
        assert not Path(self.bench.path("out.tif")).exists()
        return str(caught.value)


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


def marked(refusal: str) -> tuple[str, str]:
    """What a refusal marks in the text, and the sentence."""
    line, sentence = refusal.split("\n")
    assert (line.count("▸"), line.count("◂")) == (1, 1)
    return line.partition("▸")[2].partition("◂")[0], sentence


# References


def save_bands(
    bench: Bench, name: str, descriptions: tuple[str, ...], values: tuple[int, ...]
) -> str:
    path = bench.save(name, np.array([[[value]] for value in values], np.uint16))
    with rasterio.open(path, "r+") as dataset:
        for number, description in enumerate(descriptions, start=1):
            dataset.set_band_description(number, description)
    return path


@pytest.fixture
def named(bench: Bench) -> Any:
    """A = "S2A_T33.v2-1" with B04 = 10, NIR = 20, nir = 30, B08 = 40, B08 = 50; B = "dem 10 m" with
    (none) = 60, x = 70.
    """
    rasters = [
        (
            "S2A_T33.v2-1",
            save_bands(bench, "a.tif", ("B04", "NIR", "nir", "B08", "B08"), (10, 20, 30, 40, 50)),
        ),
        ("dem 10 m", save_bands(bench, "b.tif", ("", "x"), (60, 70))),
    ]

    def value(text: str, dialect: DialectChoice = AUTOMATIC) -> float:
        run(bandmath_job(rasters, text, bench.path("out.tif"), dialect=dialect, radiometry=STORED))
        return float(bench.read(bench.path("out.tif"))[0, 0])

    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A", 10), ("a", 10), ("A@2", 20), ("b@2", 70), ("im1b5", 50), ("im2b1", 60),
        ('"dem 10 m@2"', 70), ('"dem 10 m"@2', 70), ('"dem 10 m"', 60),
        ('"S2A_T33.v2-1@4"', 40), ("S2A_T33.v2-1@4", 40), ("S2A_T33.v2-1@4 - S2A_T33.v2-1@1", 30),
        ("A@4-A@1", 30), ("A@NIR", 20), ("A@nir", 30),
        ('A@"NIR"', 20), ('A@"B04"', 10), ("A@b04", 10), ("b@X", 70), ('"dem 10 m"@x', 70),
        ("A@3/A@1", 3), ("2-A@1", -8),
    ],
)  # fmt: skip
def test_a_reference_means_one_band(named: Any, text: str, value: float) -> None:
    assert named(text) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A@B08", ("A has no single band called B08", "4 = B08", "5 = B08")),
        ("A@Nir", ("A has no single band called Nir", "2 = NIR", "3 = nir")),
        ("b@green", ("B has no single band called green", "1 = -", "2 = x")),
        ("A@6", ("A has no band 6; its bands are 1 to 5",)),
        ("A@0", ("A has no band 0",)),
        ("im1b6", ("A has no band 6",)),
        ("im3b1", ("im3 is no input", "A = a.tif, B = b.tif")),
        ('"dem 20 m@1"', ("dem 20 m is no input",)),
        ("C", ("there is no input C: two rasters are given (A = a.tif, B = b.tif)",)),
    ],
)
def test_a_reference_to_nothing_or_to_several_lists_the_choices(
    named: Any, text: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(ExpressionError) as caught:
        named(text)
    place, sentence = marked(str(caught.value))
    assert place == text
    for word in words:
        assert word in sentence


def test_letters_go_on_after_z(bench: Bench) -> None:
    rasters = [
        (f"layer {number}", bench.save(f"{number}.tif", np.array([[number]], np.uint16)))
        for number in range(30)
    ]
    assert [letter_of(index) for index in (0, 25, 26, 27, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AB",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
    for text, value in (("AA", 26), ("ab@1", 27), ("Z + AD", 54), ("im30b1", 29)):
        run(bandmath_job(rasters, text, bench.path("out.tif"), radiometry=STORED))
        assert bench.read(bench.path("out.tif"))[0, 0] == value


def test_an_ambiguous_layer_name_lists_the_letters(bench: Bench) -> None:
    one, two = (bench.save(name, np.array([[1]], np.uint16)) for name in ("one.tif", "two.tif"))
    for dialect in (AUTOMATIC, QGIS):
        with pytest.raises(ExpressionError) as caught:
            bandmath_job(
                [("ndvi", one), ("ndvi", two)],
                '"ndvi@1" + 1',
                bench.path("out.tif"),
                dialect=dialect,
            )
        place, sentence = marked(str(caught.value))
        assert place == '"ndvi@1"'
        assert "ndvi is ambiguous" in sentence
        assert "A = one.tif, B = two.tif" in sentence


def test_one_file_twice_under_one_name_is_not_ambiguous(bench: Bench) -> None:
    path = bench.save("one.tif", np.array([[5]], np.uint16))
    run(
        bandmath_job(
            [("ndvi", path), ("ndvi", path)],
            '"ndvi@1" + B',
            bench.path("out.tif"),
            radiometry=STORED,
        )
    )
    assert bench.read(bench.path("out.tif"))[0, 0] == 10


@pytest.mark.parametrize(
    ("text", "dialect", "values"),
    [
        ("-A^2", AUTOMATIC, [-9, 0, -49, -4]),
        ("-first@1 ^ 2", AUTOMATIC, [9, 0, 49, 4]),
        ('-"first@1"^2', AUTOMATIC, [9, 0, 49, 4]),
        ("-im1b1^2", AUTOMATIC, [-9, 0, -49, -4]),
        ("rint(A/2)", AUTOMATIC, [2, 0, 4, 1]),
        ("rint(im1b1/2)", AUTOMATIC, [2, 0, 4, 1]),
        ("rint(im1b1 + 0.5)", AUTOMATIC, [4, 1, 8, 3]),
        ("rint(A + 0.5)", AUTOMATIC, [4, 0, 8, 2]),
        ("-im1b1^2", QGIS, [9, 0, 49, 4]),
        ("-A^2", QGIS, [9, 0, 49, 4]),
        ("A^2", GDAL_CALC, [1, 2, 5, 0]),
        ("A**2", GDAL_CALC, [9, 0, 49, 4]),
    ],
)
def test_the_dialect_is_told_by_how_bands_are_named_unless_chosen(
    desk: Desk, text: str, dialect: DialectChoice, values: list[float]
) -> None:
    assert desk(text, dialect) == values


# Bandwise's own operators: Python's precedence, tried against Python itself.

PRECEDENCE = [
    "1 or 0 and 0", "not 1 == 2", "not 0 or 1", "not 1 and 0", "1 + 2 * 3 - 4 / 8", "2 ** 3 ** 2",
    "-2 ** 2", "2 ** -1 * 4", "(-2) ** 2",
    "7 % 4 * 2", "-7 // 2",
    "-7 % 3", "7 - 2 - 1", "64 / 4 / 2", "1 << 2 + 1", "12 >> 1 << 1", "6 & 3 == 3", "(6 & 3) == 2",
    "1 | 6 & 4", "6 & 3 << 1", "~5 + 1", "~-3",
    "- - 3",
    "-~7", "+-+3", "1 < 2 or 1 / 1 < 0", "3 + 4 < 8 and 5 | 2 > 6", "2 * -3", "2 - -3",
    "2 ** 2 ** 0", "10 - 4 + 3", "1 != 2", "5 >= 5", "5 <= 4",
    "0.1 + 0.2 * 10",
]  # fmt: skip


@pytest.mark.parametrize("text", PRECEDENCE)
@pytest.mark.parametrize("form", ["constants", "bands"])
def test_precedence_is_pythons(bench: Bench, text: str, form: str) -> None:
    """Python's own answer is the truth; every operator is tried folded and on pixels."""
    right = float(eval(text))
    if form == "bands":
        text = (
            "A * 0 + " + text
            if text[0] in "(0123456789"
            and not any(word in text for word in ("<", ">", "=", "&", "|", "or", "and", "not"))
            else text
        )
    path = bench.save("a.tif", np.array([[1]], np.uint8))
    for spelling in (
        text,
        text.replace("**", "^"),
        text.replace(" and ", " && ").replace(" or ", " || "),
        text.replace("==", "=").replace("!=", "<>"),
    ):
        run(bandmath_job([("a", path)], spelling, bench.path("out.tif"), dialect=BANDWISE))
        assert bench.read(bench.path("out.tif"))[0, 0] == np.float32(right), spelling


@pytest.mark.parametrize(
    "text",
    ["0 < A < 3", "A == B == C", "A = B != C", "A > 1 & B > 1", "(0 < A) < 2 < 3", "1 <= A <= 2"],
)
def test_chains_are_refused_with_a_hint(desk: Desk, text: str) -> None:
    for dialect in (BANDWISE, GDAL_CALC):
        if dialect is GDAL_CALC and "A = B" in text:
            continue
        place, sentence = marked(desk.refusal(text, dialect))
        assert place in ("<", "==", "!=", ">", "<=")
        assert "comparisons do not chain" in sentence
        assert "0 < A and A < 3" in sentence


@pytest.mark.parametrize(
    "text",
    [
        "(0 < A) < 3",
        "(A == B) == C",
        "0 < A and A < 3",
        "(A > 1) & (B > 1)",
        "0 < (A < 3)",
        "0 < A ? 1 : 2 < 3",
    ],
)
def test_what_is_no_chain_is_read(desk: Desk, text: str) -> None:
    assert len(desk(text, BANDWISE)) == 4


def test_several_results_in_one_pass(desk: Desk) -> None:
    """Named and unnamed, a name used later, a comment and line breaks."""
    text = "total := A + B  # the sum\n;\nA - B;\nshare :=\n\n A / total; 2 * share; sum := 1 + A;\n\n# the end"
    results = desk.all(text)
    assert results == [
        [4, 0, 9, None],
        [2, 0, 5, None],
        [0.75, None, pytest.approx(7 / 9, rel=1e-7), None],
        [1.5, None, pytest.approx(14 / 9, rel=1e-7), None],
        [4, 1, 8, 3],
    ]
    with rasterio.open(desk.bench.path("out.tif")) as dataset:
        assert dataset.descriptions == ("total", "result 2", "share", "result 4", "sum")
        assert dataset.nodatavals == (-9999,) * 5
        tags = dataset.tags()
        assert tags["BANDWISE_EXPRESSION"] == text
        assert tags["BANDWISE_FORMULA_1"] == "total = A@1 + B@1"
        assert tags["BANDWISE_FORMULA_3"] == "share = A@1 / (A@1 + B@1)"
        for number, values in enumerate(results, start=1):
            found = np.array([value for value in values if value is not None], float)
            band = dataset.tags(number)
            assert int(band["BANDWISE_VALID_PIXELS"]) == found.size
            assert int(band["BANDWISE_NODATA_PIXELS"]) == 4 - found.size
            assert float(band["STATISTICS_MINIMUM"]) == pytest.approx(found.min())
            assert float(band["STATISTICS_MAXIMUM"]) == pytest.approx(found.max())
            assert float(band["STATISTICS_MEAN"]) == pytest.approx(found.mean())
            assert float(band["STATISTICS_STDDEV"]) == pytest.approx(found.std())


@pytest.mark.parametrize(
    "text",
    [
        "x := A; x := B",
        "pi := A",
        "A := B",
        "if := A",
        "numpy := A",
        "b := 1",
        "im1b1 := 1",
        "and := 1",
    ],
)
def test_a_name_that_means_something_is_not_given_away(desk: Desk, text: str) -> None:
    place, sentence = marked(desk.refusal(text))
    assert place == text.rsplit(" :=", 1)[0].rsplit(" ", 1)[-1]
    assert "means something already" in sentence


def test_a_name_is_unknown_before_its_line(desk: Desk) -> None:
    assert marked(desk.refusal("y + 1; y := A"))[0] == "y"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("pi", np.pi), ("e", np.e), ("numpy.pi", np.pi), ("np.e", np.e), ("NUMPY.PI", np.pi),
        ("PI", np.pi), ("math.pi", np.pi), ("1_000", 1000),
        ("0x10", 16),
        ("0b11", 3), (".5", 0.5), ("5.", 5), ("5.e1", 50), ("1E+3", 1000), ("ln(e)", 1),
        ("log10(1000)", 3), ("log2(8)", 3), ("min(3, 1, 2)", 1),
        ("max(3, 1, 2)", 3), ("sum(1, 2, 3, 4)", 10), ("avg(1, 2, 3, 6)", 3),
        ("numpy.clip(9, 1, 5)", 5), ("round(2.5)", 2),
        ("round(-3.14159, 2)", -3.14),
        ("hypot(3, 4)", 5), ("arctan2(1, 1)", np.pi / 4), ("mod(-1, 3)", 2), ("fmod(-1, 3)", -1),
        ("IF(1 > 2, 3, 4)", 4), ("1 > 2 ? 3 : 4", 4),
        ("bitwise_xor(6, 3)", 5), ("left_shift(3, 4)", 48), ("ndvi(1, 3)", 0.5),
        ("isnan(numpy.nan)", 1), ("nan_to_num(numpy.nan)", 0),
        ("np.degrees(pi)", 180),
    ],
)  # fmt: skip
def test_a_constant_fills_the_first_rasters_grid_and_warns(
    desk: Desk, text: str, value: float
) -> None:
    job = desk.job(text)
    assert desk(text) == [pytest.approx(value, rel=1e-6)] * 4
    warnings = [str(note.text) for note in job.notes if note.warning]
    assert warnings == [
        "The expression uses no band: its value is written to every pixel of A's grid"
    ]


@pytest.mark.parametrize(
    "text",
    ["numpy.nan", "1/0", "0/0", "sqrt(-1)", "ln(0)", "1e300 * 1e300", "1e39", "inf", "-1e39"],
)
def test_a_constant_that_float32_does_not_hold_is_nodata(desk: Desk, text: str) -> None:
    for dialect in (BANDWISE, QGIS, OTB):
        assert desk(text, dialect) == [None] * 4


# Refusals


def test_an_input_that_is_not_given_is_said_as_in_the_issue(desk: Desk) -> None:
    pair = desk.bench.save("two/B04.tif", np.ones((2, 1, 4), np.uint16))
    desk.rasters = [desk.rasters[0], ("red", pair)]
    text = "(A@1 - B@2) / (A@1 + C@1)"
    sentence = "there is no input C: two rasters are given (A = B08.tif, B = B04.tif)"
    assert desk.refusal(text) == f"(A@1 - B@2) / (A@1 + ▸C@1◂)\n{sentence}"


MARKS = [
    ("A + foo", "foo"), ("A + foo * B", "foo"), ("sqroot(A)", "sqroot"),
    ("A + amax(B) - 1", "amax"), ("A.max()", "A.max"), ("A[0]", "["),
    ("A + 'x'", "'"),
    ("A $ B", "$"), ("A + × B", "×"), ("(A + B", "("), ("A + B)", ")"),
    ("sqrt(A, B)", "sqrt(A, B)"), ("A + min(B)", "min(B)"), ("A B", "B"),
    ("2 A", "A"),
    ("1,5", ","), ("A ? B", "?"), ("A : B", ":"), ("A + * B", "*"), ("1e999 + A", "1e999"),
    ("A@7 + 1", "A@7"), ("A & C", "A & C"), ("A + ~C", "~C"),
    ("sqrt()", "sqrt()"), ("A +", "+"), ("A => B", "=>"), ("sum(A, axis=0)", "axis"),
    ("os.system(A)", "os.system"), ("A < B < C", "<"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place"), MARKS)
def test_the_culprit_is_marked_in_the_text(desk: Desk, text: str, place: str) -> None:
    shown, sentence = marked(desk.refusal(text))
    assert shown == place
    assert sentence
    if text == "A < B < C":
        assert desk.refusal(text).split("\n")[0] == "A < B ▸<◂ C"


@pytest.mark.parametrize(("text", "place"), MARKS)
def test_in_the_third_line_of_a_text_only_that_line_is_shown(
    desk: Desk, text: str, place: str
) -> None:
    if text == "(A + B":
        return
    refusal = desk.refusal(f"x := A;  # the first\ny := x + 1;\n  z := {text}")
    assert refusal.split("\n")[0].replace("▸", "").replace("◂", "") == f"  z := {text}"
    assert marked(refusal)[0] == place


@pytest.mark.parametrize("before", [0, 1, 30, 500, 5000])
@pytest.mark.parametrize("after", [0, 1, 30, 500, 5000])
def test_of_a_very_long_line_the_part_around_the_culprit_is_shown(
    desk: Desk, before: int, after: int
) -> None:
    refusal = desk.refusal("A + " * before + "nonsense" + " + A" * after)
    assert marked(refusal)[0] == "nonsense"
    assert len(refusal.split("\n")[0]) <= 120


def test_the_mark_of_a_very_long_name_stays_short(desk: Desk) -> None:
    refusal = desk.refusal("A + " + "x" * 5000)
    assert len(refusal) < 600


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("sqroot(A)", "sqrt"),
        ("maximun(A, B)", "maximum"),
        ("wher(A, B, C)", "where"),
        ("arctan3(A, B)", "arctan2"),
        ("frist + 1", "first"),
        ("total := A; totl + 1", "total"),
    ],
)
def test_a_near_name_is_suggested(desk: Desk, text: str, meant: str) -> None:
    _, sentence = marked(desk.refusal(text))
    assert meant in sentence.partition("; is ")[2]


@pytest.mark.parametrize(
    ("text", "dialect", "write"),
    [
        ("A = B", GDAL_CALC, "=="),
        ("A = B", OTB, "=="),
        ("A & B", QGIS, "and"),
        ("A | B", OTB, "||"),
        ("A << 2", QGIS, "* 2^n"),
    ],
)
def test_a_sign_of_another_tool_is_answered_with_ones_own(
    desk: Desk, text: str, dialect: DialectChoice, write: str
) -> None:
    place, sentence = marked(desk.refusal(text, dialect))
    assert place == text.split()[1]
    assert sentence.endswith(f"write {write}")


# Nodata: A has none, B has it in pixel 4, C has none.

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


# Whole numbers


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
    """Python raises, numpy gives 0; a half is neither, since bit operations stay whole."""
    try:
        values = desk("A << -1", BANDWISE)
    except ExpressionError:
        return
    assert all(value is None or value == int(value) for value in values)


def test_bits_of_scaled_bands_are_refused(desk: Desk) -> None:
    with pytest.raises(ExpressionError, match="whole numbers"):
        prepare(desk.job("A & 1", radiometry=RadiometryChoice(scaling=Scaling.CUSTOM, scale=1e-4)))


# Precision

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


# What is read


def truncated(bench: Bench, name: str) -> str:
    """Two bands of 512 x 512 noise, the second of which the file has no longer."""
    path = bench.save(
        name,
        np.random.default_rng(5).integers(1, 60000, (2, 512, 512), dtype=np.uint16),
        interleave="band",
        tiled=True,
        blockxsize=256,
        blockysize=256,
    )
    os.truncate(path, Path(path).stat().st_size - 400_000)
    return path


def test_only_bands_that_are_used_are_read(bench: Bench) -> None:
    broken = truncated(bench, "broken.tif")
    good = bench.save("good.tif", np.full((512, 512), 2, np.uint16))
    rasters = [("good", good), ("broken", broken)]
    run(bandmath_job(rasters, "A * 2 + im2b1 * 0", bench.path("out.tif"), radiometry=STORED))
    assert (bench.read(bench.path("out.tif")) == 4).all()
    with pytest.raises(BandwiseError, match="broken"):
        run(bandmath_job(rasters, "A + B@2", bench.path("bad.tif"), radiometry=STORED))
    job = bandmath_job(rasters, "A + 1", bench.path("out.tif"), radiometry=STORED)
    assert [band.path for band in job.bands] == [good]


def test_a_constant_reads_nothing(bench: Bench) -> None:
    """The grid is all that it needs of a raster whose pixels cannot be read."""
    path = bench.save(
        "noise.tif",
        np.random.default_rng(5).integers(1, 60000, (512, 512), dtype=np.uint16),
        tiled=True,
        blockxsize=256,
        blockysize=256,
    )
    os.truncate(path, Path(path).stat().st_size - 400_000)
    run(bandmath_job([("noise", path)], "42", bench.path("out.tif")))
    assert (bench.read(bench.path("out.tif")) == 42).all()


def test_an_unused_raster_may_lie_elsewhere(bench: Bench) -> None:
    small, large = (
        bench.save("s.tif", np.array([[1, 2]], np.uint8)),
        bench.save("l.tif", np.ones((3, 3), np.uint8)),
    )
    run(bandmath_job([("l", large), ("s", small)], "B + 1", bench.path("out.tif")))
    assert bench.read(bench.path("out.tif")).tolist() == [[2, 3]]


# What it costs


def program(text: str, dialect: DialectChoice = BANDWISE, bands: int = 3) -> Any:
    references = RasterBands([Raster(name, name, ("",)) for name in "abc"])
    return compile_formula(
        parse(text, DIALECTS[dialect], references), [BandValue(np.dtype("uint16"))] * bands
    )


def test_common_parts_are_computed_once() -> None:
    steps = [
        action
        for action in program("sqrt(A+B)/(A+B) + sqrt(A+B); x := sqrt(A+B); x*x").actions
        if isinstance(action, Step)
    ]
    assert sum(step.function == "sqrt" for step in steps) == 1
    assert sum(step.function == "add" for step in steps) == 2


def test_each_band_is_loaded_once_and_its_nodata_too() -> None:
    loads = [
        action
        for action in program("A + B + A@1 + im1b1 + where(A > B, a, b)").actions
        if isinstance(action, Load)
    ]
    assert len(loads) == len({(load.band, load.nodata) for load in loads}) == 4


LONG = {
    "sum": ("+".join(["A*B"] + [f"A*{number}" for number in range(10_000)]), BANDWISE),
    "conditions": ("+".join(f"where(A>{number},B,C)" for number in range(5_000)), BANDWISE),
    "choices": ("".join(f"A<{number}?{number}:" for number in range(900)) + "B", BANDWISE),
    "divisions": ("+".join(f"A/{number}" for number in range(1, 10_001)), QGIS),
    "powers": ("^".join(["A"] * 10_000), QGIS),
    "results": (";".join(f"A*{number}" for number in range(2_000)), BANDWISE),
    "maxima": ("max(" + ",".join(f"A-{number}" for number in range(10_000)) + ")", BANDWISE),
    "coalesced": ("coalesce(" + ",".join(f"A/{number}" for number in range(5_000)) + ")", BANDWISE),
}
COMPILE = """
import numpy as np
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.parser import parse
from bandwise.engine.expression.names import Raster, RasterBands
from steps import steps

def work():
    formula = parse(open("text").read(), DIALECTS[DialectChoice({dialect})],
                    RasterBands([Raster(name, name, ("",)) for name in "abc"]))
    compile_formula(formula, [BandValue(np.dtype("uint16"))] * 3)
    formula.understood(["A@1", "B@1", "C@1"])

count = steps(work)
peak = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
print(count, peak)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="needs Linux's peak of resident memory of a process",
)
@pytest.mark.parametrize("name", LONG)
def test_a_long_expression_is_compiled_in_bounded_time_and_memory(bench: Bench, name: str) -> None:
    """Up to 100,000 characters: calls for each of them, and 300 MB, of which Python and rasterio take 60."""
    text, dialect = LONG[name]
    Path(bench.path("text")).write_text(text)
    limit = (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (30, 30)); "
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
    )
    support = str(Path(__file__).resolve().parents[2] / "support")
    done = bench.python(
        limit + COMPILE.format(dialect=dialect.value), env={**os.environ, "PYTHONPATH": support}
    )
    assert done.returncode == 0, done.stderr[-300:]
    count, peak = map(float, done.stdout.split())
    assert count / len(text) < 250
    assert peak * 1024 < 300e6


DEEP = {
    "right-nested": "max(A+{n}," * 900 + "B" + ")" * 900,
    "parentheses": "(A+{n}*" * 300 + "B" + ")" * 300,
    "choices": "A<{n}?A*{n}:" * 900 + "B",
}
MEASURE = """
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.execution.pipeline import run
report = run(bandmath_job([("a", "a.tif"), ("b", "b.tif")], open("text").read(), "out.tif", workers={workers}))
peak = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
print(peak)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(),
    reason="needs Linux's peak of resident memory of a process",
)
@pytest.mark.parametrize("name", DEEP)
def test_a_deep_expression_runs_in_little_memory(bench: Bench, name: str) -> None:
    """Hundreds of levels, whose left sides must be kept until the innermost is known, on 500 x 400 pixels."""
    parts = DEEP[name].split("{n}")
    Path(bench.path("text")).write_text(
        "".join(f"{part}{number}" for number, part in enumerate(parts[:-1])) + parts[-1]
    )
    values = np.arange(200_000, dtype=np.uint16).reshape(400, 500) % 1000
    bench.save("a.tif", values)
    bench.save("b.tif", values[::-1])
    done = bench.python(MEASURE.format(workers=2))
    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stdout) * 1024 < 250e6
    if name == "right-nested":
        np.testing.assert_array_equal(
            bench.read(bench.path("out.tif")), np.maximum(values + 899.0, values[::-1])
        )


def test_a_sum_of_10_000_terms_is_right_in_few_steps(bench: Bench) -> None:
    """A * (0 + 1 + ... + 9999) on 100,000 pixels; 10,000 products and sums."""
    values = np.arange(100_000, dtype=np.uint32).reshape(200, 500)
    path = bench.save("a.tif", values)
    text = "+".join(f"A*{number}" for number in range(10_000))
    count = steps(
        lambda: run(
            bandmath_job([("a", path)], text, bench.path("out.tif"), workers=1), executor=Serial()
        )
    )
    assert count / 10_000 < 1500
    np.testing.assert_array_equal(
        bench.read(bench.path("out.tif")), (values * 49_995_000.0).astype(np.float32)
    )


# What is said


def lines(job: Any) -> str:
    return "\n".join(str(note.text) for note in job.notes)


@pytest.mark.parametrize(
    ("text", "dialect", "differs"),
    [
        ("-A^2", AUTOMATIC, "QGIS (-A@1) ^ 2"), ("2^A^2", AUTOMATIC, "QGIS (2 ^ A@1) ^ 2"),
        ("A^2", AUTOMATIC, "gdal_calc bitwise_xor(A@1, 2)"),
        ("rint(A/2)", AUTOMATIC, "OTB floor((A@1 / 2) + 0.5)"),
        ("(A>1)+(B>1)", AUTOMATIC, "gdal_calc (A@1 > 1) or (B@1 > 1)"),
        ("A > 1 or B > 1 and C > 1", AUTOMATIC, "QGIS ((A@1 > 1) or (B@1 > 1)) and (C@1 > "
            "1)"), ("-im1b1^2", AUTOMATIC, "QGIS (-A@1) ^ 2"),
        ('-"first@1"^2', AUTOMATIC, "Bandwise -(A@1 ^ 2)"),
    ],
)  # fmt: skip
def test_one_line_says_where_another_dialect_reads_otherwise(
    desk: Desk, text: str, dialect: DialectChoice, differs: str
) -> None:
    said = [
        str(note.text) for note in desk.job(text, dialect).notes if "Other dialects" in note.text
    ]
    assert len(said) == 1
    assert differs in said[0]
    assert "\n" not in said[0]


@pytest.mark.parametrize(
    "text",
    ["(A - B) / (A + B)", "sqrt(A) * 2 + 1", "A > 1", '"first@1" - "third@1"', "im1b1 / im2b1"],
)
def test_nothing_is_said_where_all_read_alike(desk: Desk, text: str) -> None:
    assert "Other dialects" not in lines(desk.job(text))


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("(-2) ^ A", "(-2) ^ A@1"), ("(0 - 2) ^ A", "(-2) ^ A@1"), ("A - -2", "A@1 - (-2)"),
        ("-2 ^ A", "-(2 ^ A@1)"), ("2*3*A", "6 * A@1"),
        ("A+B*C", "A@1 + (B@1 * C@1)"), ("if(A>1,B,C)", "where(A@1 > 1, B@1, C@1)"), ("0.1 * A", "0.1 * A@1"),
    ],
)  # fmt: skip
def test_the_log_and_the_tags_say_how_it_was_understood(
    desk: Desk, text: str, understood: str
) -> None:
    desk(text, BANDWISE)
    with rasterio.open(desk.bench.path("out.tif")) as dataset:
        tags = dataset.tags()
    assert tags["BANDWISE_EXPRESSION"] == text
    assert tags["BANDWISE_FORMULA"] == f"result = {understood}"
    assert f"result = {understood} (read as Bandwise)" in lines(desk.job(text, BANDWISE))


def test_the_tags_hold_the_text_as_typed_with_its_quotes(desk: Desk) -> None:
    """gdal_calc takes a text in quotes; the tag is what was typed."""
    desk('"A + 1"', GDAL_CALC)
    with rasterio.open(desk.bench.path("out.tif")) as dataset:
        assert dataset.tags()["BANDWISE_EXPRESSION"] == '"A + 1"'


# NDVI


@pytest.fixture
def wide(bench: Bench) -> tuple[str, str]:
    """Red and NIR of 1500 x 1300 uint16 noise in tiles of 256, nodata 0, with zeros and 65535."""
    random = np.random.default_rng(17)
    paths = []
    for name in ("red.tif", "nir.tif"):
        values = random.integers(0, 4000, (1300, 1500), dtype=np.uint16)
        values[::97, ::89], values[::61, ::71] = 0, 65535
        paths.append(bench.save(name, values, nodata=0, tiled=True, blockxsize=256, blockysize=256))
    return paths[0], paths[1]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("memory", [1, 16, 1000])
@pytest.mark.parametrize("scale", [1.0, 1e-4], ids=["stored", "scaled"])
def test_ndvi_typed_is_ndvi_byte_for_byte(
    bench: Bench, wide: tuple[str, str], workers: int, memory: int, scale: float
) -> None:
    """For any worker count, memory and so window; against float64 numpy too, where scale and offset cancel or not."""
    radiometry = (
        RadiometryChoice(scaling=Scaling.CUSTOM, scale=scale, offset=-1000 * scale)
        if scale != 1
        else STORED
    )
    red, nir = wide
    plain, _ = bench.run(bench.job(nir, red, scaling=radiometry, workers=1))
    job = bandmath_job(
        [("r", red), ("n", nir)],
        "(B-A)/(B+A)",
        bench.path("math.tif"),
        radiometry=radiometry,
        workers=workers,
        memory=memory,
    )
    run(job)
    assert bench.read(bench.path("math.tif")).tobytes() == plain.tobytes()
    stored_red, stored_nir = (
        bench.read(path).astype(float) - (1000 if scale != 1 else 0) for path in wide
    )
    with np.errstate(all="ignore"):
        right = (stored_nir - stored_red) / (stored_nir + stored_red)
    gaps = (bench.read(red) == 0) | (bench.read(nir) == 0) | ~np.isfinite(right)
    np.testing.assert_array_equal(plain == -9999, gaps)
    np.testing.assert_array_equal(plain[~gaps], right[~gaps].astype(np.float32))


@pytest.mark.parametrize(
    "text",
    [
        "sqrt((2*B+1)^2 - 8*(B-A)); where(A & 8, ln(B), sin(A/B)); coalesce(A/B, -1)",
        "x := exp(A/1e4); y := x^B/x; tanh(x) + y",
    ],
)
def test_pixels_do_not_depend_on_workers_memory_or_windows(
    bench: Bench, wide: tuple[str, str], text: str
) -> None:
    seen, windows = set(), set()
    for workers, memory in ((1, 1), (1, 1000), (2, 30), (3, 1), (3, 1000), (5, 12)):
        job = bandmath_job(
            [("r", wide[0]), ("n", wide[1])],
            text,
            bench.path("math.tif"),
            radiometry=STORED,
            workers=workers,
            memory=memory,
        )
        windows.add(run(job).windows)
        seen.add(bench.read(bench.path("math.tif"), None).tobytes())
    assert len(seen) == 1
    assert len(windows) > 1


@pytest.mark.parametrize("text", ['"S2A,\n" + 1', '"a\nb@1"', '"dem\r\n10 m@9"'])
def test_a_name_with_a_line_break_is_told_on_one_line(text: str) -> None:
    """QGIS's quotes may hold anything; the complaint is the text, the caret's line and one sentence."""
    with pytest.raises(ExpressionError) as caught:
        parse(
            text,
            DIALECTS[DialectChoice.QGIS],
            RasterBands([Raster("dem", "dem.tif", ("",))], layers_first=True),
        )
    assert len(str(caught.value).splitlines()) == 2
