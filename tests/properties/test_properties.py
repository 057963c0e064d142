# SPDX-License-Identifier: GPL-2.0-or-later
"""Random expression trees, printed as each dialect writes them, equal float64 numpy; random text is
refused in linear time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.compute.program import Evaluator, Program
from bandwise.engine.errors import ExpressionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.names import Raster, RasterBands, dialect_of
from bandwise.engine.expression.parser import parse
from bandwise.engine.planning.bandmath import bandmath_job
from expression_trees import (
    BANDWISE,
    EVERY,
    GAPS,
    GDAL_CALC,
    NAMES,
    QGIS,
    SIZE,
    STORED,
    TYPES,
    Printer,
    Tree,
    Truth,
    expected,
    numbers,
    wholes,
)
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from steps import steps

by_dialect = pytest.mark.parametrize("dialect", EVERY, ids=lambda choice: choice.name)


def steady(examples: int) -> Any:
    return settings(
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=examples,
        suppress_health_check=list(HealthCheck),
    )


REFERENCES = [Raster(name, f"/none/{index}.tif", ("",)) for index, name in enumerate(NAMES)]
VALUES = [BandValue(np.dtype(dtype)) for dtype in TYPES]


class Drawn:
    """Choices of hypothesis."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw

    def of(self, things: Any) -> Any:
        return self.draw(st.sampled_from(things))

    def between(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    def coin(self) -> bool:
        return bool(self.draw(st.booleans()))


@st.composite
def typed(draw: Any, dialect: DialectChoice, *, depth: int = 4) -> tuple[Tree, str]:
    choose = Drawn(draw)
    tree = numbers(choose, dialect, choose.between(1, depth))
    return tree, Printer(dialect, choose).text(tree)


def parsed(text: str, dialect: DialectChoice) -> tuple[Any, list[int]]:
    """The formula, and the raster that each of its bands is."""
    references = RasterBands(REFERENCES, layers_first=dialect is QGIS)
    formula = parse(text, DIALECTS[dialect], references)
    return formula, [raster for raster, _ in references.bands]


def pixels(formula: Any, rasters: list[int]) -> Any:
    """The formula's first result as a Float32 raster would hold it, NaN where nodata."""
    bands = [VALUES[raster] for raster in rasters]
    got = _evaluated(compile_formula(formula, bands), rasters)
    clean = _evaluated(
        compile_formula(formula, [band._replace(nodata=False) for band in bands]), rasters
    )
    somewhere = (
        np.logical_or.reduce([GAPS[raster] for raster in rasters], axis=0) if rasters else False
    )
    np.testing.assert_array_equal(
        np.where(somewhere, 0, clean),
        np.where(somewhere, 0, got),
        "the program for chunks without nodata",
    )
    return got


def _evaluated(program: Program, rasters: list[int]) -> Any:
    registers = [np.full(SIZE, 1, dtype) for dtype in program.registers]
    with np.errstate(all="ignore"):
        out = np.empty((len(program.results), SIZE), np.float32)
        missing = Evaluator(program, registers).evaluate(
            dict(enumerate(STORED[raster] for raster in rasters)),
            dict(enumerate(GAPS[raster] for raster in rasters)),
            out,
        )[0]
    single = out[0]
    single[~np.isfinite(single)] = np.nan
    if missing is not None:
        single[missing] = np.nan
    return single.astype(float)


def assert_right(tree: Tree, text: str, dialect: DialectChoice, got: Any) -> None:
    right, conditioned, exact = expected(tree, dialect)
    event(f"{conditioned.mean():.1f} of the pixels are well conditioned, exact: {exact}")
    if exact:
        np.testing.assert_array_equal(got, right, text)
    np.testing.assert_allclose(
        got[conditioned], right[conditioned], rtol=1e-5, atol=1e-6, err_msg=text
    )


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
        choose = Drawn(data.draw)
        tree = wholes(choose, dialect, 4)
        text = Printer(dialect, choose).text(tree)
        truth = Truth(dialect)
        values, missing = truth.of(tree)
        if truth.exact:
            got = pixels(*parsed(text, dialect))
            np.testing.assert_array_equal(
                got, np.where(missing, np.nan, values.astype(np.float32).astype(float)), text
            )

    check()


@pytest.mark.parametrize("dialect", [BANDWISE, GDAL_CALC], ids=lambda choice: choice.name)
def test_the_understood_text_read_again_gives_the_same_pixels(dialect: DialectChoice) -> None:
    @steady(200)
    @given(typed(dialect))
    def check(case: tuple[Tree, str]) -> None:
        formula, rasters = parsed(case[1], dialect)
        (again,) = formula.understood([f"{'ABCDEFGH'[raster]}@1" for raster in rasters])
        np.testing.assert_array_equal(
            pixels(*parsed(again, BANDWISE)),
            pixels(formula, rasters),
            f"{case[1]!r} was understood as {again!r}",
        )

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
        profile = {
            "driver": "GTiff",
            "count": 1,
            "height": 4,
            "width": 6,
            "dtype": stored.dtype.name,
            "crs": "EPSG:32633",
            "transform": transform,
        }
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"),
            rasterio.open(path, "w", **profile) as dataset,
        ):
            dataset.write(stored.reshape(1, 4, 6))
            dataset.write_mask(~gaps.reshape(4, 6))
        given_rasters.append((name, path))
    return given_rasters


@by_dialect
def test_a_whole_run_of_a_random_expression_equals_numpy(
    dialect: DialectChoice, rasters: list[tuple[str, str]], tmp_path: Any
) -> None:
    import rasterio

    @steady(15)
    @given(typed(dialect, depth=3))
    def check(case: tuple[Tree, str]) -> None:
        tree, text = case
        from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling

        job = bandmath_job(
            rasters,
            text,
            str(tmp_path / "out.tif"),
            dialect=dialect,
            radiometry=RadiometryChoice(scaling=Scaling.STORED),
            workers=1,
        )
        run(job)
        with rasterio.open(tmp_path / "out.tif") as dataset:
            stored = dataset.read(1).ravel().astype(float)
        assert_right(tree, text, dialect, np.where(stored == -9999, np.nan, stored))

    check()


PIECES = [
    *(
        "A",
        "b",
        "AA",
        "im1b1",
        "A@1",
        "A@",
        "@2",
        '"scene@1"',
        "scene@1",
        "b8-10m@1",
        '"',
        "'",
        "\\",
        "e",
        "pi",
        "numpy.",
        "np",
        "nan",
        "inf",
        "x := ",
    ),
    *(
        "sqrt(",
        "where(",
        "if(",
        "min(",
        "coalesce(",
        "isnodata(",
        "amax(",
        "log(",
        "round(",
        "__import__(",
        "lambda",
        "import os",
        "and",
        "or",
        "not",
    ),
    *(
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "^",
        "&",
        "&&",
        "|",
        "||",
        "~",
        "!",
        "<",
        "<=",
        ">",
        ">=",
        "=",
        "==",
        "!=",
        "<>",
        "<<",
        ">>",
        "?",
        ":",
        ":=",
    ),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ";",
        ".",
        "#",
        "\n",
        " ",
        "\t",
        "0",
        "1",
        "2.5",
        ".5",
        "1e9",
        "1e999",
        "0x1F",
        "0b2",
        "1_0",
        "\0",
        "é",
        "−",
        "²",
    ),
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
def test_a_right_text_with_a_random_change_never_raises_anything_else(
    dialect: DialectChoice,
) -> None:
    @steady(200)
    @given(typed(dialect, depth=3), st.integers(0, 200), st.integers(0, 4), st.sampled_from(PIECES))
    def check(case: tuple[Tree, str], place: int, removed: int, piece: str) -> None:
        place = min(place, len(case[1]))
        refused_or_read(case[1][:place] + piece + case[1][place + removed :], dialect)

    check()


LENGTH = 10_000
ADVERSARIAL = {
    "sum": "A+", "numbers": "1+", "digits": "1", "dots": ".", "digits and dots": "1.",
    "dotted names": "a.", "names": "a", "unknown names": "foo + ",
    "at-signs": "@", "letters and at-signs": "A@", "references": "A@1+", "layers": '"scene@1"+',
    "bare layers": "scene@1 + ", "quotes": '"',
    "escaped quotes": '\\"', "apostrophes": "'", "signs": "-", "negations": "not ", "ones": "!",
    "inverts": "~", "plus and minus": "A-+",
    "questions": "A?", "ternaries": "A?B:", "opened": "(", "closed": ")", "both": "()",
    "calls": "abs(", "sums in calls": "abs(A+",
    "calls of two": "max(A,", "commas": ",", "arguments": "A,", "semicolons": ";", "results": "1;",
    "band results": "A;", "comments": "#",
    "lines of comments": "A+#x\n", "line breaks": "\n", "blanks": " ", "values": "A ",
    "comparisons": "A>1 and ", "chains": "A<", "powers": "A^",
    "double stars": "A**", "exponents": "1e", "huge": "1e9", "underscores": "1_",
    "hexadecimal": "0x1+", "accents": "é", "dashes": "A-",
    "slashes": "A/",
    "name runs with a band": "A-A-A@1+", "runs to a band": "-A@1",
    "runs of 255 to a band": "A-" * 120 + "A@1+", "colons": ":", "nulls": "\0",
    "assignments": "x:=", "shifts": "A<<", "words": "and ", "layers of dots": "a.b.c@",
    "far at-signs": "-" * 300 + "@1 ", "clips": "clip(A,1,2)+",
}  # fmt: skip


@by_dialect
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_an_adversarial_text_is_parsed_in_few_steps(dialect: DialectChoice, name: str) -> None:
    for tail in ("A", '"', "@1"):
        text = _repeated(ADVERSARIAL[name], LENGTH, tail)
        count = steps(lambda text=text: _refused(text, dialect))
        assert count < 80 * LENGTH


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_the_dialect_of_an_adversarial_text_is_told_in_few_steps(
    name: str,
) -> None:
    for front in ("", '"'):
        text = front + _repeated(ADVERSARIAL[name], LENGTH - 1, "A")
        count = steps(lambda text=text: dialect_of(text, REFERENCES))
        assert count < 10 * LENGTH


def _repeated(piece: str, length: int, tail: str) -> str:
    return (piece * (length // len(piece) + 1))[: length - len(tail)] + tail


def _refused(text: str, dialect: DialectChoice) -> None:
    with suppress(ExpressionError):
        parsed(text, dialect)
