# SPDX-License-Identifier: GPL-2.0-or-later
"""How an expression was understood, in the log and the tags."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.errors import ExpressionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.names import Raster, RasterBands
from bandwise.engine.expression.parser import parse
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bench import Bench
from language_cases import (
    AUTOMATIC,
    BANDWISE,
    GDAL_CALC,
    STORED,
    Desk,
    desk,  # noqa: F401  fixtures
)


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
