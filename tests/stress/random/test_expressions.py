# SPDX-License-Identifier: GPL-2.0-or-later
"""Mutated expressions for minutes: only errors of the engine come out, parsing takes bounded time,
and what is read is computed right.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.compute.program import Evaluator
from bandwise.engine.errors import BandwiseError, ExpressionError
from bandwise.engine.expression.dialects import DIALECTS
from bandwise.engine.expression.names import Raster, RasterBands, dialect_of
from bandwise.engine.expression.parser import parse
from expression_text import Printer
from expression_trees import (
    BANDWISE,
    EVERY,
    GAPS,
    NAMES,
    QGIS,
    SIZE,
    STORED,
    TYPES,
    Seeded,
    numbers,
)
from expression_values import ROUNDING, expected

SECONDS = {False: 1.5, True: 75.0}  #: a dialect: ten minutes for four of them in two environments
#: Seconds of process time: for a text of 10 kB, and for each byte of a longer one
_SLOWEST = 0.1 + 1e-4
REFERENCES = [Raster(name, f"/none/{index}.tif", ("",)) for index, name in enumerate(NAMES)]
VALUES = [BandValue(np.dtype(dtype)) for dtype in TYPES]
PIECES = (
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
        '"',
        "'",
        "\\",
        "e",
        "pi",
        "np.",
        "nan",
        "inf",
        "x := ",
        "sqrt(",
        "where(",
    ),
    *(
        "if(",
        "min(",
        "coalesce(",
        "isnodata(",
        "amax(",
        "__import__(",
        "lambda",
        "and",
        "or",
        "not",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "^",
        "&",
    ),
    *(
        "&&",
        "|",
        "||",
        "~",
        "!",
        "<",
        "<=",
        "=",
        "==",
        "!=",
        "<>",
        "<<",
        ">>",
        "?",
        ":",
        ":=",
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
    ),
    *(
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
        "1_0",
        "\0",
        "é",
        "−",
        "²",
        "\ud800",
        "\u202e",
        "9" * 40,
        "-" * 50,
        "(" * 60,
    ),
)


def mutated(text: str, random: Any) -> str:
    """Some pieces put in, removed, doubled, moved, or the whole nested or repeated."""
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        first = random.randrange(len(text) + 1)
        last = min(len(text), first + random.choice((0, 1, 3, 10)))
        manner = random.randrange(6)
        if manner <= 1:
            text = text[:first] + random.choice(PIECES) + text[last:]
        elif manner == 2:
            text = text[:first] + text[last:]
        elif manner == 3:
            text = text[:last] + text[first:]
        elif manner == 4:
            text = (
                text[:first]
                + random.choice(("(", "-(", "abs(", "not (", "1 + (")) * random.choice((1, 5, 200))
                + text[first:]
            )
        elif len(text) < 3000:
            text = random.choice((" + ", "; ", ", ", "")).join([text] * random.choice((2, 3, 20)))
    return text[:20_000]


def evaluated(text: str, dialect: Any) -> Any:
    """The pixels of the first result as float32 holds them, NaN where nodata."""
    references = RasterBands(REFERENCES, layers_first=dialect is QGIS)
    formula = parse(text, DIALECTS[dialect], references)
    rasters = [raster for raster, _ in references.bands]
    formula.understood([f"A@{number}" for number in range(len(rasters))])
    program = compile_formula(formula, [VALUES[raster] for raster in rasters])
    registers = [np.full(SIZE, 1, dtype) for dtype in program.registers]
    out = np.empty((len(program.results), SIZE), np.float32)
    with np.errstate(all="ignore"):
        missing = Evaluator(program, registers).evaluate(
            dict(enumerate(STORED[raster] for raster in rasters)),
            dict(enumerate(GAPS[raster] for raster in rasters)),
            out,
        )[0]
    pixels = np.where(np.isfinite(out[0]), out[0].astype(float), np.nan)
    return pixels if missing is None else np.where(missing, np.nan, pixels)


def assert_only_errors_of_the_engine(text: str, dialect: Any) -> bool:
    """Whether the text is an expression."""
    dialect_of(text, REFERENCES)
    try:
        evaluated(text, dialect)
    except ExpressionError as error:
        assert str(error).strip(), repr(text)
        assert 0 <= error.start <= error.end <= len(text) + 1, repr(text)
        return False
    except BandwiseError as error:
        assert str(error).strip(), repr(text)
        return False
    return True


@pytest.mark.parametrize("dialect", EVERY, ids=lambda choice: choice.name)
def test_mutated_expressions(dialect: Any, seeded: Any, full: bool, tally: Any) -> None:
    """Of two that are tried one is right as it was printed, and held against float64 numpy."""
    until, number = time.monotonic() + SECONDS[full], 0
    while time.monotonic() < until:
        random = seeded(f"{dialect.name}/{number}")
        number += 1
        tree = numbers(Seeded(random), dialect, random.randint(1, 4))
        text = Printer(dialect, Seeded(random)).text(tree)
        what = f"expression {number} of {dialect.name}: {text!r}"
        right, steady, exact = expected(tree, dialect, rounding=ROUNDING)
        got = evaluated(text, dialect)
        if exact:
            np.testing.assert_array_equal(got, right, what)
        np.testing.assert_allclose(got[steady], right[steady], rtol=1e-5, atol=1e-6, err_msg=what)
        changed = mutated(text, random)
        started = time.process_time()
        read = assert_only_errors_of_the_engine(changed, dialect)
        took = time.process_time() - started
        # another thread's work counts too: the least of some
        if took > _SLOWEST + 1e-4 * len(changed):
            took = min(_seconds(changed, dialect) for _ in range(5))
            assert took <= _SLOWEST + 1e-4 * len(changed), f"{took:.2f} s for {changed!r}"
        tally("mutated texts that were read" if read else "mutated texts that were refused")
    tally("right texts compared with numpy", number)


def _seconds(text: str, dialect: Any) -> float:
    started = time.process_time()
    assert_only_errors_of_the_engine(text, dialect)
    return time.process_time() - started


def test_a_text_that_is_read_again_as_it_was_understood(case: Any, tally: Any) -> None:
    """What the log says a mutated text means gives the same pixels; QGIS's are nodata where a part
    divides by zero, which no text can say.
    """
    dialect = EVERY[case.number % len(EVERY)]
    choose = Seeded(case.random)
    text = mutated(Printer(dialect, choose).text(numbers(choose, dialect, 3)), case.random)
    references = RasterBands(REFERENCES, layers_first=dialect is QGIS)
    try:
        formula = parse(text, DIALECTS[dialect], references)
        got = evaluated(text, dialect)
    except BandwiseError:
        tally("not read")
        return
    understood = formula.understood([f"{'ABCDEFGH'[raster]}@1" for raster, _ in references.bands])
    again = evaluated(understood[0], BANDWISE)
    sayable = ~np.isnan(got) if dialect is QGIS else np.ones(SIZE, bool)
    np.testing.assert_array_equal(
        again[sayable], got[sayable], f"{text!r} was understood as {understood[0]!r}"
    )
    tally("read again as it was understood")
