# SPDX-License-Identifier: GPL-2.0-or-later
"""Stored values where metadata are known: said first, with the numbers, where the result would be
another, and only there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.compute.program import Evaluator
from bandwise.engine.errors import ExpressionError
from bandwise.engine.execution.pipeline import dry_run, run
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.names import Raster, RasterBands, named_formula
from bandwise.engine.expression.parser import parse
from bandwise.engine.expression.scaling_check import StoredBand, scaling_changes
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bench import Bench
from expressions.catalogue import CASES

UINT16 = np.dtype(np.uint16)
STORED = RadiometryChoice(Scaling.STORED)
PLAIN = StoredBand(UINT16)
SCALED = StoredBand(UINT16, 1e-4)
N0400 = StoredBand(UINT16, 1e-4, -0.1)
LANDSAT = StoredBand(UINT16, 2.75e-5, -0.2)
EVI = "2.5 * (A - B) / (A + 6 * B - 7.5 * C + 1)"
PRODUCT = "S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE"
BANDS = f"sentinel2_safe_N0400_original_jp2/{PRODUCT}/GRANULE/L2A_T29UNU_A038058_20221005T115407/IMG_DATA/R60m"


@pytest.mark.parametrize(
    ("text", "plain", "scaled", "offset"),
    [
        # of one band and linear: it can be scaled afterwards
        ("A", False, False, False),
        ("2 * A + 7", False, False, False),
        ("-(A - 1000) / 10000", False, False, False),
        ("A + A", False, False, False),
        ("A - A", False, False, False),
        # ratios: a common scale cancels exactly, an offset does not
        ("(B - A) / (B + A)", False, False, True),
        ("B / A", False, False, True),
        ("A / A", False, False, False),
        ("(A - 6 * B) / (A + 2 * B)", False, False, True),
        ("A^2 / (A * B)", False, False, True),
        ("sqrt(A * B) / A", False, False, True),
        ("A > B", False, False, False),
        ("max(A, B) / (A + B)", False, False, True),
        ("where(A > 2 * B, 1, 0)", False, False, True),
        # others change with the scale
        ("A * B", False, True, True),
        ("B - A", False, True, True),
        ("(A + B) / 2", False, True, True),
        ("A^2", False, True, True),
        ("exp(A)", False, True, True),
        ("A > 3000", False, True, True),
        ("A == 4", False, True, True),
        ("where(A > 0.3 and B < 100, 1, 0)", False, True, True),
        (EVI, False, True, True),
        ("1.5 * (B - A) / (B + A + 0.5)", False, True, True),
        ("coalesce(A, B) * B", False, True, True),
        # one of two results
        ("A; A * B", False, True, True),
        # nothing of the values counts
        ("isnodata(A)", False, False, False),
        ("3", False, False, False),
        # bits are those of stored values
        ("(A & 8) > 0", False, False, False),
        # scaled by hand: applying the scale as well would be wrong
        ("(A / 10000) * (B / 10000)", False, False, True),
        ("(A * 0.0001) * (0.0001 * B)", False, False, True),
        (
            "2.5 * (A / 10000 - B / 10000) / (A / 10000 + 6 * B / 10000 - 7.5 * C / 10000 + 1)",
            False,
            False,
            True,
        ),
        ("2.5 * (A - B) / 10000 / ((A + 6 * B - 7.5 * C) / 10000 + 1)", False, False, True),
        ("((B - 1000) - (A - 1000)) / ((B - 1000) + (A - 1000))", False, True, False),
        ("(B - A) / (B + A - 2000)", False, True, False),
        ("((A - 1000) / 10000) * ((B - 1000) / 10000)", False, True, False),
        (
            "red := (A - 1000) / 10000; nir := (B - 1000) / 10000; 1.5 * (nir - red) / (nir + red + 0.5)",
            False,
            True,
            False,
        ),
    ],
)
def test_what_metadata_would_change(text: str, plain: bool, scaled: bool, offset: bool) -> None:
    """Without metadata, with a common scale, with scale and offset of Sentinel-2 from baseline 04.00."""
    references = RasterBands([Raster(name, name, ("",)) for name in "abc"])
    formula = parse(text, DIALECTS[DialectChoice.BANDWISE], references)
    count = len(references.bands)
    assert [scaling_changes(formula, [band] * count) for band in (PLAIN, SCALED, N0400)] == [
        plain,
        scaled,
        offset,
    ]


def test_a_scale_that_is_not_common_does_not_cancel() -> None:
    formula = named_formula("x := (n - r) / (n + r)", "nr")
    assert scaling_changes(formula, [SCALED, StoredBand(UINT16, 1.1e-4)])
    assert scaling_changes(formula, [SCALED, PLAIN])
    assert not scaling_changes(formula, [StoredBand(UINT16, 0.5), StoredBand(UINT16, 0.5)])
    assert scaling_changes(formula, [LANDSAT, LANDSAT])


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "int16", "int32", "uint32", "int64", "float32", "float64"]
)
def test_of_every_type_of_stored_values(dtype: str) -> None:
    bands = [StoredBand(np.dtype(dtype), 0.004, -0.02)] * 2
    assert scaling_changes(named_formula("x := (n - r) / (n + r)", "nr"), bands)
    assert not scaling_changes(named_formula("x := 3 * n + 1", "nr"), bands)
    assert not scaling_changes(
        named_formula("x := (n - r) / (n + r)", "nr"), [band._replace(offset=0.0) for band in bands]
    )


def test_an_offset_of_half_a_step_changes_a_comparison_at_one_value_alone() -> None:
    """100 + 0.5 > 100, and no other whole number is moved over the threshold."""
    assert scaling_changes(
        named_formula("x := n > 100", "n"), [StoredBand(np.dtype(np.uint16), 1.0, 0.5)]
    )
    assert not scaling_changes(
        named_formula("x := n > 100", "n"), [StoredBand(np.dtype(np.uint16), 1.0, -0.25)]
    )


def test_a_sum_of_ten_thousand_terms_and_of_three_hundred_bands() -> None:
    """Forms of long sums are dropped, values are forgotten when they are used."""
    terms = named_formula(
        "x := " + " + ".join(["n * r"] + [f"{number}" for number in range(9000)]), "nr"
    )
    assert scaling_changes(terms, [SCALED, SCALED])
    names = [f"b{number}x" for number in range(300)]
    many = named_formula("x := (" + " + ".join(names) + ") / b0x", names)
    assert not scaling_changes(many, [SCALED] * 300)
    assert scaling_changes(many, [N0400] * 300)


def test_no_false_alarm_over_the_corpus_of_expressions() -> None:
    """Where a change is claimed, the program that a run would use gives other pixels; the bands
    hold every uint16, in orders of their own.
    """
    dialects = {
        "qgis": DialectChoice.QGIS,
        "gdal_calc": DialectChoice.GDAL_CALC,
        "otb": DialectChoice.OTB,
    }
    rasters = [Raster(name, name, ("",) * 4) for name in ("scene", "other", "classes", *"defgh")]
    stored = {
        band: np.random.default_rng(band).permutation(65536).astype(np.uint16) for band in range(8)
    }
    claimed = 0
    for case in CASES:
        references = RasterBands(rasters, layers_first=case.dialect == "qgis")
        try:
            formula = parse(case.text, DIALECTS[dialects[case.dialect]], references)
        except ExpressionError:  # of layers by other names
            continue
        count = len(references.bands)
        assert not scaling_changes(formula, [PLAIN] * count)
        for band in (SCALED, N0400):
            if scaling_changes(formula, [band] * count) and "&" not in case.text:
                claimed += 1
                assert not np.array_equal(
                    pixels(formula, count, PLAIN, stored),
                    pixels(formula, count, band, stored),
                    equal_nan=True,
                ), case.text
    assert claimed > 200


def pixels(formula: Any, count: int, band: StoredBand, stored: Any) -> Any:
    """Results of all of ``stored`` in float64, with the scale and offset of ``band``."""
    program = compile_formula(
        formula, [BandValue(band.dtype, band.scale, band.offset, nodata=False)] * count, double=True
    )
    out = np.empty((len(formula.results), 65536))
    with np.errstate(all="ignore"):
        nowhere = np.zeros(65536, bool)
        Evaluator(program, [np.empty(65536, dtype) for dtype in program.registers]).evaluate(
            stored, dict.fromkeys(stored, nowhere), out
        )
    return out


@pytest.fixture
def scene(bench: Bench) -> Callable[..., list[str]]:
    """A function from band names to paths of small rasters in a Sentinel-2 L2A product of baseline
    04.00: B04, B08, SCL ...
    """

    def make(*names: str, offset: int = -1000, value: int = 3000) -> list[str]:
        offsets = "".join(
            f'<BOA_ADD_OFFSET band_id="{number}">{offset}</BOA_ADD_OFFSET>' for number in range(13)
        )
        text = f"<x><BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE>{offsets}</x>"
        Path(bench.path("MTD_MSIL2A.xml")).write_text(text)
        paths = []
        for number, name in enumerate(names):
            dtype = np.uint8 if name == "SCL" else np.uint16
            values = np.full((30, 30), 4 if name == "SCL" else value + 500 * number, dtype)
            paths.append(bench.save(f"IMG_DATA/T33UUU_20220413T150759_{name}_10m.tif", values))
        return paths

    return make


def bandmath(bench: Bench, paths: list[str], text: str, **options: Any) -> Any:
    options.setdefault("radiometry", STORED)
    return bandmath_job(
        [(f"r{number}", path) for number, path in enumerate(paths)],
        text,
        bench.path("out.tif"),
        **options,
    )


def test_the_first_warning_has_numbers_source_and_setting(
    bench: Bench, scene: Callable[..., list[str]]
) -> None:
    job = bandmath(bench, scene("B04", "B08"), "(B - A) / (B + A)")
    told: list[Any] = []
    run(job, progress=lambda fraction, note: told.append(note) if note else None)
    first = str(next(note.text for note in told if note.warning))
    assert "Stored values are used" in first
    assert (
        "A@1" in first and "B@1" in first and "scale 0.0001, offset -0.1 (MTD_MSIL2A.xml)" in first
    )
    assert first.count("scale 0.0001") == 1, "equal bands are told together"
    assert "set scaling to automatic" in first
    assert json.loads(dry_run(job))["warnings"][0] == first


def test_it_is_the_first_of_several(bench: Bench, scene: Callable[..., list[str]]) -> None:
    """The same band twice is another warning, and one of the letters."""
    (path,) = scene("B04")
    _, warnings = bench.notes(bandmath(bench, [path, path], "A * B"))
    assert len(warnings) >= 2 or "Stored values" in warnings[0]
    assert "Stored values" in warnings[0]


def test_bands_of_other_numbers_are_told_apart(
    bench: Bench, scene: Callable[..., list[str]]
) -> None:
    red, nir = scene("B04", "B08")
    tagged = bench.save("tagged.tif", np.full((30, 30), 7, np.int16), scales=[0.5], offsets=[2.0])
    _, warnings = bench.notes(bandmath(bench, [red, nir, tagged], "A * B * C"))
    assert (
        "B@1: scale 0.0001, offset -0.1 (MTD_MSIL2A.xml)" in warnings[0]
        and "C@1: scale 0.5, offset 2 (tags of the band)" in warnings[0]
    )


@pytest.mark.parametrize(
    "text", ["A", "A / 10000", "A * 2 + 1", "C == 4", "C == 4 and C != 5", "isnodata(A)"]
)
def test_no_warning_where_nothing_would_be_another(
    bench: Bench, scene: Callable[..., list[str]], text: str
) -> None:
    """C is a scene classification: metadata have no scale for it."""
    assert not bench.notes(bandmath(bench, scene("B04", "B08", "SCL"), text))[1]


@pytest.mark.parametrize(
    "choice", [RadiometryChoice(), RadiometryChoice(Scaling.CUSTOM, scale=0.5)]
)
def test_no_warning_where_a_scale_is_applied(
    bench: Bench, scene: Callable[..., list[str]], choice: RadiometryChoice
) -> None:
    assert not bench.notes(
        bandmath(bench, scene("B04", "B08"), "(B - A) / (B + A)", radiometry=choice)
    )[1]


def test_evi_gets_one_warning_not_two(bench: Bench, scene: Callable[..., list[str]]) -> None:
    (warning,) = bench.notes(bandmath(bench, scene("B08", "B04", "B02"), EVI))[1]
    assert "MTD_MSIL2A.xml" in warning


def test_tags_that_cannot_be_right_are_no_known_scale(bench: Bench) -> None:
    paths = [
        bench.save(
            f"{name}.tif", np.full((9, 9), 7, np.int16), scales=[float("nan")], offsets=[2.0]
        )
        for name in "ab"
    ]
    assert not bench.notes(bandmath(bench, paths, "A * B"))[1]


def test_pixels_are_those_of_stored_values_all_the_same(
    bench: Bench, scene: Callable[..., list[str]]
) -> None:
    job = bandmath(bench, scene("B04", "B08"), "(B - A) / (B + A)")
    run(job)
    assert np.all(bench.read(job.output) == np.float32(500 / 6500))


def test_the_helps_example_on_a_real_product(bench: Bench, shared: Callable[..., Path]) -> None:
    """Mean over vegetation: 0.56 of stored values and a warning that says what gives the 0.825 of NDVI."""
    red, nir = (shared(BANDS, f"T29UNU_20221005T115411_{band}_60m.jp2") for band in ("B04", "B8A"))
    with rasterio.open(shared(BANDS, "T29UNU_20221005T115411_SCL_60m.jp2")) as dataset:
        vegetation = dataset.read(1) == 4
    means = []
    for choice in (STORED, RadiometryChoice()):
        job = bandmath(bench, [str(red), str(nir)], "(B - A) / (B + A)", radiometry=choice)
        warnings = [str(note.text) for note in prepare(job).notes if note.warning]
        assert (
            len(warnings) > 0 and "scale 0.0001, offset -0.1 (MTD_MSIL2A.xml)" in warnings[0]
        ) is (choice is STORED)
        run(job)
        pixels = bench.read(job.output)
        means.append(float(pixels[vegetation & (pixels != -9999)].astype(np.float64).mean()))
    assert means == pytest.approx([0.561, 0.825], abs=0.001)
