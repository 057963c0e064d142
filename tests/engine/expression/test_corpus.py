# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions that people have, in the dialect of their tool: the answer is that of hand-written
numpy, and of the tool itself.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import inputs
import numpy as np
import pytest
from bandwise.engine.errors import ExpressionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.dialects import DialectChoice
from bandwise.engine.job import Job
from bandwise.engine.planning.bandmath import bandmath_job
from expressions.case import Case, bands_of, right
from expressions.catalogue import CASES
from refusals.catalogue import REFUSALS
from steps import steps

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
DIALECT = {
    "qgis": DialectChoice.QGIS,
    "gdal_calc": DialectChoice.GDAL_CALC,
    "otb": DialectChoice.OTB,
}
#: Where we say nodata and the corpus has a number: infinity becomes 1.8e308, which no Float32 raster holds.
UNDEFINED = ("nan_to_num(D/C)",)
#: QGIS and OTB write float32; so do we.
TOLERANCE = {"rtol": 3e-7, "atol": 1e-12}
Rasters = dict[tuple[str, bool], list[tuple[str, str]]]


ANSWERS = {
    (line["dialect"], line["text"], line["integer"]): line["answer"]
    for line in json.loads((CORPUS / "expected.json").read_text("utf-8"))
}


@pytest.fixture(scope="module")
def rasters(tmp_path_factory: pytest.TempPathFactory) -> Rasters:
    """(dialect, integer) -> (layer name, path) of the inputs in that tool's order, float64 or int32."""
    import rasterio
    from rasterio.transform import from_origin

    folder = tmp_path_factory.mktemp("corpus")

    def save(name: str, bands: Any, dtype: str) -> str:
        path = str(folder / f"{name}.tif")
        profile = {
            "driver": "GTiff",
            "count": len(bands),
            "height": inputs.SIZE,
            "width": inputs.SIZE,
            "dtype": dtype,
            "crs": "EPSG:32633",
        }
        with rasterio.open(
            path, "w", transform=from_origin(500000, 4600000, 10, 10), **profile
        ) as dataset:
            dataset.write(np.asarray(bands, dtype))
        return path

    arrays = inputs.arrays()
    paths = {name: save(name, bands, "float64") for name, bands in arrays.items()}

    def letters(dtype: str) -> list[tuple[str, str]]:
        return [
            (f"{k}-{dtype}", save(f"{k}-{dtype}", arrays[r][b - 1 : b], dtype))
            for k, (r, b) in inputs.LETTERS.items()
        ]

    return {
        ("qgis", False): [(layer, paths[raster]) for layer, raster in inputs.LAYERS.items()],
        ("gdal_calc", False): letters("float64"),
        ("gdal_calc", True): letters("int32"),
        ("otb", False): [(name, paths[name]) for name in inputs.IMAGES],
    }


def job_of(case: Case, rasters: Rasters, folder: Path, dialect: DialectChoice) -> Job:
    given = rasters[case.dialect, case.integer]
    return bandmath_job(given, case.text, str(folder / "out.tif"), dialect=dialect)


def computed(job: Job) -> Any:
    """The plugin's pixels, NaN where nodata."""
    import rasterio

    run(job)
    with rasterio.open(job.output) as dataset:
        pixels = dataset.read(1).astype(float)
    return np.where(pixels == -9999, np.nan, pixels)


def test_the_corpus_is_large_and_every_case_was_asked_of_its_tool() -> None:
    assert len(CASES) >= 240
    assert len({(case.dialect, case.text, case.integer) for case in CASES}) == len(CASES)
    assert {(case.dialect, case.text, case.integer) for case in CASES} == set(ANSWERS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.dialect}-{case.text[:40]!r}")
def test_an_expression_of_a_tool_is_answered_as_numpy_and_the_tool_do(
    case: Case, rasters: Rasters, tmp_path: Path
) -> None:
    """Where a tool is at fault the right answer counts; where numpy's is undefined, the pixel is
    nodata or what the tool makes of it.
    """
    job = job_of(case, rasters, tmp_path, DIALECT[case.dialect])
    pixels = computed(job)
    expected = right(case, bands_of(inputs.arrays()))
    with np.errstate(over="ignore"):
        expected = np.where(np.isfinite(expected.astype(np.float32)), expected, np.nan)
    # typed as a branch, where it is meant as nodata, which the tools are told apart
    if "-9999" in case.text:
        expected = np.where(expected == -9999, np.nan, expected)
    answer = [
        "nodata" if value == -9999 and "-9999" in case.text else value
        for value in ANSWERS[case.dialect, case.text, case.integer]
    ]
    sample = np.array(inputs.SAMPLE)
    if case.tool_fault:
        defined = (
            ~np.isnan(expected) & ~np.isnan(pixels)
            if case.text in UNDEFINED
            else ~np.isnan(expected)
        )
        np.testing.assert_allclose(pixels[defined], expected[defined], **TOLERANCE)  # type: ignore[call-overload]
        told = pixels.ravel()[sample][np.isnan(expected.ravel()[sample])]
        assert all(np.isnan(value) or value in answer for value in told)
    else:
        np.testing.assert_allclose(pixels, expected, **TOLERANCE)  # type: ignore[call-overload]
        told = np.array(
            [
                float("nan") if value in ("nodata", "nan", "inf", "-inf") else value
                for value in answer
            ],
            float,
        )
        np.testing.assert_allclose(pixels.ravel()[sample], told, **TOLERANCE)  # type: ignore[call-overload]
    if case.dialect != "gdal_calc":
        automatic = job_of(case, rasters, tmp_path, DialectChoice.AUTOMATIC)
        if automatic._replace(notes=job.notes) != job:  # which would give the same pixels
            np.testing.assert_array_equal(
                computed(automatic), pixels, "the dialect is told by the references"
            )


def shown(text: Any) -> str:
    return ascii(text[:30]) if isinstance(text, str) else str(text)


@pytest.mark.parametrize("text", [entry[0] for entry in REFUSALS], ids=shown)
def test_a_hostile_text_is_refused_or_answered_in_few_steps(text: str) -> None:
    """No dialect does worse than refuse with an expression error."""
    from bandwise.engine.expression.dialects import DIALECTS, Dialect
    from bandwise.engine.expression.names import Raster, RasterBands
    from bandwise.engine.expression.parser import parse

    bands = [Raster("scene", "scene.tif", ("",) * 4), Raster("other", "other.tif", ("", ""))]

    def read(dialect: Dialect) -> None:
        try:
            parse(text, dialect, RasterBands(bands))
        except ExpressionError as error:
            assert len(str(error)) < 1500

    for choice, dialect in DIALECTS.items():
        count = steps(partial(read, dialect))
        assert count < 80 * (len(text) + 100), choice


@pytest.mark.parametrize(("text", "word", "answerable"), REFUSALS, ids=shown)
def test_a_refusal_is_one_sentence_and_leaves_no_file(
    text: str, word: str, answerable: bool, rasters: Rasters, tmp_path: Path
) -> None:
    given = rasters["otb", False][:2]
    job = None
    try:
        job = bandmath_job(given, text, str(tmp_path / "out.tif"), dialect=DialectChoice.BANDWISE)
        run(job)
    except ExpressionError as error:
        sentence = str(error).splitlines()[-1]
        assert word.lower() in sentence.lower()
        assert list(tmp_path.iterdir()) == []
        assert len(str(error).splitlines()) <= 2
    else:
        assert answerable, f"{text[:60]!r} was answered"
