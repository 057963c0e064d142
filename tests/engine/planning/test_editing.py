# SPDX-License-Identifier: GPL-2.0-or-later
"""The check of a text while it is typed says what a run would say; files are described once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from bandwise.engine.errors import ExpressionError
from bandwise.engine.expression.dialects import DialectChoice
from bandwise.engine.indices.catalogue import listed_indices
from bandwise.engine.messages import Field
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.planning.editing.check import Options, check_text
from bandwise.engine.planning.editing.described import (
    DescribedRaster,
    Describer,
    Nameable,
)
from bandwise.engine.planning.editing.names import (
    bands_by_role,
    candidates,
    index_text,
    vocabulary,
)
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bandwise.engine.radiometry.storage import DataType
from bandwise.engine.reading.opening import subdatasets_of
from bandwise.engine.scenes.opening import open_scene
from bench import Bench
from scene_cases import LC08

ROWS = np.arange(400, dtype=np.uint16).reshape(20, 20)
SCALES, OFFSETS = (1e-4, 1e-4), (-0.1, -0.1)
STORED = RadiometryChoice(Scaling.STORED)
MTL = """GROUP = LANDSAT_METADATA_FILE
  GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
    REFLECTANCE_MULT_BAND_4 = 2.75e-05
    REFLECTANCE_MULT_BAND_5 = 2.75e-05
    REFLECTANCE_ADD_BAND_4 = -0.2
    REFLECTANCE_ADD_BAND_5 = -0.2
  END_GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
END_GROUP = LANDSAT_METADATA_FILE
"""


@pytest.fixture
def rasters(bench: Bench) -> tuple[tuple[str, str], ...]:
    """A of two bands with scale 0.0001 and offset -0.1, and B of float32 without."""
    first = bench.save("first.tif", [ROWS, ROWS + 1], nodata=0, scales=SCALES, offsets=OFFSETS)
    second = bench.save("second.tif", ROWS.astype(np.float32))
    return ("first", first), ("second", second)


@pytest.fixture
def nameable(rasters: tuple[tuple[str, str], ...]) -> Nameable:
    return Describer().nameable(rasters)


@pytest.mark.parametrize("data_type", [DataType.FLOAT32, DataType.FLOAT64, DataType.UINT8])
@pytest.mark.parametrize("scaling", [Scaling.STORED, Scaling.AUTOMATIC])
@pytest.mark.parametrize(
    "text",
    [
        "A@1 + A@2",
        "(A@2 - A@1) / (A@2 + A@1)",
        "sqrt(A@1) > 3",
        "A@1 & 8",
        "B * 2",
        '"first@2" > 5 and "second@1"',
        "im1b2 + im2b1",
        "x := A@1 * 0.5; x > 3",
        "where(A@1 > 3, B, -9999)",
        "3 + 4",
    ],
)
def test_a_check_agrees_with_the_plan_of_a_run(
    text: str, scaling: Scaling, data_type: DataType, bench, rasters, nameable
) -> None:
    radiometry = RadiometryChoice(scaling)
    checked = check_text(text, nameable, Options(radiometry=radiometry, data_type=data_type))
    assert checked.text == text
    try:
        job = bandmath_job(
            rasters, text, bench.path("o.tif"), radiometry=radiometry, data_type=data_type
        )
        plan = prepare(job)
    except ExpressionError as error:
        assert checked.error == error.message
        assert (checked.start, checked.end) == (error.start, error.end)
        return
    assert checked.error is None
    assert checked.results == tuple(result.name for result in job.formula.results)
    assert set(checked.bands) == {ref.name for ref in job.bands} or text == "3 + 4"
    assert plan.kernel.operation.dtype == checked.arithmetic
    warned = [note.text for note in plan.notes if "known scale and offset" in note.text]
    mended = [caution for caution in checked.cautions if caution.setting]
    assert [caution.text for caution in mended] == warned
    settings = [caution.setting for caution in mended]
    assert all(setting and setting.field is Field.SCALING for setting in settings)


@pytest.mark.parametrize(
    "text", ["A@1 +", "wrong(A)", "A@9", "C", "(A@1", "sqrt(A, B)", "A@1 & 0.5", "red", ""]
)
def test_an_error_is_that_of_a_run_at_its_place(text: str, rasters, nameable, bench) -> None:
    with pytest.raises(ExpressionError) as caught:
        prepare(bandmath_job(rasters, text, bench.path("o.tif")))
    checked = check_text(text, nameable)
    assert checked.error == caught.value.message == checked.summary()
    assert (checked.start, checked.end) == (caught.value.start, caught.value.end)


def test_the_quiet_line(nameable: Nameable) -> None:
    checked = check_text("low := A@1 / B; high := low > 0.3", nameable)
    assert checked.summary() == (
        "Read as Bandwise; bands: A@1, B@1; results: low, high; computed in float64"
    )
    assert check_text('"first@1" * 2', nameable).dialect is DialectChoice.QGIS
    chosen = Options(dialect=DialectChoice.GDAL_CALC)
    assert check_text("A", nameable, chosen).dialect is DialectChoice.GDAL_CALC


def test_another_meaning_elsewhere_is_a_caution(nameable: Nameable) -> None:
    texts = [caution.text for caution in check_text("A@1 ^ 2 * B", nameable).cautions]
    assert any(text.startswith("Other dialects") and "gdal_calc" in text for text in texts)
    texts = [caution.text for caution in check_text("A@1 * 2 + B", nameable).cautions]
    assert not any(text.startswith("Other dialects") for text in texts)


def test_automatic_scaling_needs_no_caution(nameable: Nameable) -> None:
    text = "(A@2 - A@1) / (A@2 + A@1)"
    assert any(caution.setting for caution in check_text(text, nameable).cautions)
    automatic = Options(radiometry=RadiometryChoice(Scaling.AUTOMATIC))
    assert not any(caution.setting for caution in check_text(text, nameable, automatic).cautions)
    custom = Options(radiometry=RadiometryChoice(Scaling.CUSTOM, 0.1, 2.0))
    assert not any(caution.setting for caution in check_text(text, nameable, custom).cautions)


def test_what_is_not_used_and_what_uses_nothing(nameable: Nameable) -> None:
    assert "Not used: B = second" in [each.text for each in check_text("A", nameable).cautions]
    assert "uses no band" in check_text("3", nameable).cautions[0].text


def test_without_rasters_the_text_alone_is_checked() -> None:
    checked = check_text("(B@2 - A) / (B@2 + A)", Nameable())
    assert checked.bands == ("B@2", "A@1") and checked.arithmetic is None
    assert [each.text for each in checked.cautions] == ["No raster is chosen yet"]
    assert check_text("im1b2 + 1", Nameable()).error is None
    assert check_text("sqrtt(A)", Nameable()).start == 0
    assert check_text("word + 1", Nameable()).error is not None


def test_rasters_of_a_model_are_known_by_letter_and_name() -> None:
    nameable = Nameable((DescribedRaster("Red", known=False), DescribedRaster("x", known=False)))
    checked = check_text('(B - A@3) / "Red@2"', nameable)
    assert checked.error is None and checked.bands == ("A@3", "A@2", "B@1")
    assert check_text("C", nameable).error is not None


@pytest.fixture
def product(bench: Bench) -> dict[str, str]:
    """Red and near infrared of a Landsat product: reflectance = stored * 0.0000275 - 0.2."""
    Path(bench.path(f"l8/{LC08}_MTL.txt")).write_text(MTL, "utf-8")
    return {
        role: bench.save(f"l8/{LC08}_SR_{band}.TIF", ROWS + 8000)
        for role, band in (("red", "B4"), ("nir", "B5"))
    }


@pytest.mark.parametrize("scaling", [Scaling.STORED, Scaling.AUTOMATIC])
@pytest.mark.parametrize("of_scene", [True, False], ids=["scene", "rasters"])
@pytest.mark.parametrize(
    "text",
    [
        "(nir - RED) / (nir + red)",
        "B5 * 2",
        "swir1",
        "red := 2; red",
        "nir@1",
        "A + nir",
        "nir ^ 2",
        "B4 & 8",
        "sqrtt(nir)",
    ],
)
def test_bands_by_role_are_those_of_a_run(
    text: str, of_scene: bool, scaling: Scaling, bench: Bench, product: dict[str, str]
) -> None:
    rasters = [] if of_scene else [(Path(path).stem, path) for path in product.values()]
    scene = product["red"] if of_scene else ""
    radiometry = RadiometryChoice(scaling)
    checked = check_text(text, Describer().nameable(rasters, scene), Options(radiometry=radiometry))
    opened = open_scene(scene, subdatasets_of) if scene else None
    try:
        job = bandmath_job(rasters, text, bench.path("o.tif"), scene=opened, radiometry=radiometry)
        plan = prepare(job)
    except ExpressionError as error:
        assert (checked.error, checked.start, checked.end) == (
            error.message,
            error.start,
            error.end,
        )
        return
    assert checked.error is None
    used = {job.bands[index].name for index in job.formula.bands()}
    assert set(checked.bands) == used
    assert checked.arithmetic == plan.kernel.operation.dtype or not used
    warned = [note.text for note in plan.notes if "known scale and offset" in note.text]
    assert [each.text for each in checked.cautions if each.setting] == warned


def test_a_band_is_reflectance_by_its_role_and_stored_by_its_letter(
    product: dict[str, str],
) -> None:
    rasters = [("layer", product["red"]), ("nir", product["nir"])]
    nameable = Describer().nameable(rasters)
    band = nameable.by_role[product["red"], 1]
    stored, automatic = (
        band.radiometry(RadiometryChoice(each)) for each in (Scaling.STORED, Scaling.AUTOMATIC)
    )
    assert stored and automatic
    assert (stored.scale, automatic.scale, automatic.offset) == (1.0, 2.75e-05, -0.2)
    names = {each.text: each.detail for each in candidates(nameable)}
    assert {"A", "A@1", "B", "red", '"layer@1"'} <= set(names) and "LC08" in names["red"]
    assert "nir" not in names, "a layer has that name"
    assert {"SR_B4", "SR_B5"} <= set(names) and {"b4", "red"} <= vocabulary(nameable).bands
    index = listed_indices()["SAVI"]
    text = index_text(index, bands_by_role(nameable))
    assert set(check_text(text, nameable).bands) == {"red", "B@1"}


def test_a_layer_that_hides_a_role_is_a_caution(product: dict[str, str]) -> None:
    rasters = [("nir", product["red"]), ("other", product["nir"])]
    automatic = RadiometryChoice(Scaling.AUTOMATIC)
    job = bandmath_job(rasters, "nir + B", "o.tif", radiometry=automatic)
    (warned,) = [note.text for note in job.notes if note.warning]
    checked = check_text("nir + B", Describer().nameable(rasters), Options(radiometry=automatic))
    assert [each.text for each in checked.cautions] == [warned]
    assert warned.startswith("nir is A@1")


def test_a_file_is_described_again_when_it_changes(bench: Bench) -> None:
    path, describer = bench.save("a.tif", ROWS), Describer()
    first = describer.raster("a", path)
    assert describer.raster("a", path) is first
    assert describer.raster("other name", path).name == "other name"
    assert len(first.bands) == 1
    bench.save("a.tif", [ROWS, ROWS])
    os.utime(path, ns=(1, 1))
    assert len(describer.raster("a", path).bands) == 2


def test_what_cannot_be_read_is_a_sentence(bench: Bench, tmp_path: Path) -> None:
    describer = Describer()
    missing = describer.raster("a", str(tmp_path / "missing.tif"))
    assert missing.problem is not None and "does not exist" in missing.problem
    (tmp_path / "text.tif").write_text("no raster")
    damaged = describer.raster("b", str(tmp_path / "text.tif"))
    checked = check_text("A + B", Nameable((missing, damaged)))
    assert checked.error is None
    assert [each.text for each in checked.cautions] == [missing.problem, damaged.problem]
    folder = describer.nameable([], str(tmp_path))
    assert folder.problem is not None
    assert check_text("red", folder).cautions[0].text == folder.problem


def test_a_band_of_complex_numbers_is_described_with_its_problem(bench: Bench) -> None:
    path = bench.save("c.tif", ROWS.astype(np.complex64))
    raster = Describer().raster("c", path)
    assert raster.bands[0].problem is not None and "complex" in raster.bands[0].problem
    checked = check_text("A", Nameable((raster,)))
    assert checked.arithmetic is None


def test_how_a_band_is_read_by_each_choice(nameable: Nameable) -> None:
    band = nameable.rasters[0].bands[0]
    automatic = band.radiometry(RadiometryChoice(Scaling.AUTOMATIC))
    stored = band.radiometry(STORED)
    custom = band.radiometry(RadiometryChoice(Scaling.CUSTOM, 2.0, 3.0, nodata=7))
    assert automatic and (automatic.scale, automatic.offset, automatic.nodata) == (1e-4, -0.1, 0)
    assert stored and (stored.scale, stored.offset) == (1.0, 0.0)
    assert custom and (custom.scale, custom.offset, custom.nodata) == (2.0, 3.0, 7)


def test_long_texts_are_checked_in_time_that_grows_with_their_length(nameable: Nameable) -> None:
    """The work is counted: a text of twice the length takes no more than 2.5 times the calls."""
    from steps import steps

    def text(count: int) -> str:
        return "; ".join(f"r{n} := (A@1 - {n}) / (B + A@2)" for n in range(count))

    check_text(text(2), nameable)  # loads what is loaded once
    once, twice = (
        steps(lambda count=count: check_text(text(count), nameable)) for count in (30, 60)
    )
    assert twice < 2.5 * once
    assert len(text(60)) <= 2000
    assert twice < 250_000
