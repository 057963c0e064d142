# SPDX-License-Identifier: GPL-2.0-or-later
"""Many mutated expressions: only expression errors come out, in few steps, and what is read is
computed right.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from bandwise.engine.expression.dialects import DialectChoice
from expression_cases import PIECES, parsed, pixels, read_or_refused
from expression_text import Printer
from expression_trees import BANDWISE, EVERY, QGIS, SIZE, Seeded, numbers
from expression_values import ROUNDING, expected
from steps import steps
from stress_case import Case, Tally

COUNT = {False: 600, True: 30_000}  #: of expressions of a dialect
#: Of a text: for each character, and for the 100 that any text has more.
MOST_STEPS = 250


def mutated(text: str, random: Random) -> str:
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


@pytest.mark.parametrize("dialect", EVERY, ids=lambda choice: choice.name)
def test_mutated_expressions(
    dialect: DialectChoice,
    seeded: Callable[[str], Random],
    full: bool,
    tally: Tally,
) -> None:
    """Of two that are tried one is right as it was printed, and held against float64 numpy."""
    for number in range(COUNT[full]):
        random = seeded(f"{dialect.name}/{number}")
        tree = numbers(Seeded(random), dialect, random.randint(1, 4))
        text = Printer(dialect, Seeded(random)).text(tree)
        what = f"expression {number} of {dialect.name}: {text!r}"
        right, steady, exact = expected(tree, dialect, rounding=ROUNDING)
        got = pixels(*parsed(text, dialect))
        if exact:
            np.testing.assert_array_equal(got, right, what)
        np.testing.assert_allclose(got[steady], right[steady], rtol=1e-5, atol=1e-6, err_msg=what)
        changed = mutated(text, random)
        read, count = _read_in_steps(changed, dialect)
        assert count < MOST_STEPS * (len(changed) + 100), f"{count} steps for {changed!r}"
        tally("mutated texts that were read" if read else "mutated texts that were refused")
    tally("right texts compared with numpy", COUNT[full])


def _read_in_steps(text: str, dialect: DialectChoice) -> tuple[bool, int]:
    read: list[bool] = []
    count = steps(lambda: read.append(read_or_refused(text, dialect)))
    return read[0], count


def test_a_text_that_is_read_again_as_it_was_understood(case: Case, tally: Tally) -> None:
    """What the log says a mutated text means gives the same pixels; QGIS's are nodata where a part
    divides by zero, which no text can say.
    """
    dialect = EVERY[case.number % len(EVERY)]
    choose = Seeded(case.random)
    text = mutated(Printer(dialect, choose).text(numbers(choose, dialect, 3)), case.random)
    if not read_or_refused(text, dialect):
        tally("not read")
        return
    formula, rasters = parsed(text, dialect)
    got = pixels(formula, rasters)
    understood = formula.understood([f"{'ABCDEFGH'[raster]}@1" for raster in rasters])
    again = pixels(*parsed(understood[0], BANDWISE))
    sayable = ~np.isnan(got) if dialect is QGIS else np.ones(SIZE, bool)
    np.testing.assert_array_equal(
        again[sayable], got[sayable], f"{text!r} was understood as {understood[0]!r}"
    )
    tally("read again as it was understood")
