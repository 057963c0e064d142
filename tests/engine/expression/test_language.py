# SPDX-License-Identifier: GPL-2.0-or-later
"""The language rule by rule: what names, operators and nodata mean, what is refused and how, and
what a run of it costs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import rasterio
from bandwise.engine.errors import ExpressionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.dialects import DialectChoice
from bandwise.engine.expression.names import letter_of
from bandwise.engine.planning.bandmath import bandmath_job
from bench import Bench
from language_cases import (
    AUTOMATIC,
    BANDWISE,
    GDAL_CALC,
    OTB,
    QGIS,
    STORED,
    Desk,
    desk,  # noqa: F401  fixtures
    marked,
)


def save_bands(
    bench: Bench, name: str, descriptions: tuple[str, ...], values: tuple[int, ...]
) -> str:
    path = bench.save(name, np.array([[[value]] for value in values], np.uint16))
    with rasterio.open(path, "r+") as dataset:
        for number, description in enumerate(descriptions, start=1):
            dataset.set_band_description(number, description)
    return path


@pytest.fixture
def named(bench: Bench) -> Callable[..., float]:
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
def test_a_reference_means_one_band(named: Callable[..., float], text: str, value: float) -> None:
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
    named: Callable[..., float], text: str, words: tuple[str, ...]
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
        assert "comparisons cannot be chained" in sentence
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
    assert "already has a meaning" in sentence


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
