# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of random expressions have in common: names and values of the bands, pieces of the
language, and how a text is read and computed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.compute.program import Evaluator, Program
from bandwise.engine.errors import ExpressionError
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.formula import Formula
from bandwise.engine.expression.names import Raster, RasterBands, dialect_of
from bandwise.engine.expression.parser import parse
from expression_trees import GAPS, NAMES, QGIS, SIZE, STORED, TYPES

REFERENCES = [Raster(name, f"/none/{index}.tif", ("",)) for index, name in enumerate(NAMES)]
VALUES = [BandValue(np.dtype(dtype)) for dtype in TYPES]
_WORDS = r"""
    A b AA im1b1 A@1 A@ @2 "scene@1" scene@1 b8-10m@1 " ' \ e pi np np. numpy. nan inf
    sqrt( where( if( min( coalesce( isnodata( amax( log( round( __import__( lambda
    and or not + - * / // % ** ^ & && | || ~ ! < <= > >= = == != <> << >> ? : :=
    ( ) [ ] { } , ; . # 0 1 2.5 .5 1e9 1e999 0x1F 0b2 1_0 é − ²
"""
PIECES = (
    *_WORDS.split(),
    *("x := ", "import os", "\n", " ", "\t", "\0", "\ud800", "\u202e"),
    *("9" * 40, "-" * 50, "(" * 60),
)


def parsed(text: str, dialect: DialectChoice) -> tuple[Formula, list[int]]:
    """The formula, and the raster that each of its bands is."""
    references = RasterBands(REFERENCES, layers_first=dialect is QGIS)
    formula = parse(text, DIALECTS[dialect], references)
    return formula, [raster for raster, _ in references.bands]


def pixels(formula: Formula, rasters: list[int]) -> Any:
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


def read_or_refused(text: str, dialect: DialectChoice) -> bool:
    """Whether the text is an expression: nothing but an expression error comes out, in telling the
    dialect, in parsing, and in what follows from it.
    """
    dialect_of(text, REFERENCES)
    try:
        formula, rasters = parsed(text, dialect)
        understood = formula.understood([f"A@{number}" for number in range(len(rasters))])
        pixels(formula, rasters)
    except ExpressionError as error:
        assert str(error).strip() and len(str(error).splitlines()) <= 2, repr(text)
        assert 0 <= error.start <= error.end <= len(text) + 1, repr(text)
        return False
    assert len(understood) == len(formula.results), repr(text)
    return True
