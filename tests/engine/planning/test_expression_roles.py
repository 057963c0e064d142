# SPDX-License-Identifier: GPL-2.0-or-later
"""Bands by role in expressions: of a scene, or of rasters that are recognised, as reflectance beside letters."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.errors import BandwiseError, Cancelled
from bandwise.engine.expression.dialects import DialectChoice
from bandwise.engine.grids.layout import GridRule, Layout
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.planning.jobs.expression_bands import result_names
from bandwise.engine.planning.jobs.named_bands import names_of
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from scene_cases import (
    GRANULE,
    LC08,
    LE07_L1,
    S30,
    SAFE,
    TILE,
    landsat,
    opened,
    raster,
    write_metadata,
)

STORED = RadiometryChoice(Scaling.STORED)
AUTOMATIC = RadiometryChoice()
NDVI = "(nir - red) / (nir + red)"
MTL = """GROUP = LANDSAT_METADATA_FILE
  GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
    REFLECTANCE_MULT_BAND_4 = 2.75e-05
    REFLECTANCE_MULT_BAND_5 = 2.75e-05
    REFLECTANCE_ADD_BAND_4 = -0.2
    REFLECTANCE_ADD_BAND_5 = -0.2
  END_GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS
END_GROUP = LANDSAT_METADATA_FILE
"""
ROWS, COLUMNS = np.mgrid[0:6, 0:8]
RED, NIR = 1300 + 40 * ROWS, 3000 + 55 * COLUMNS + ROWS


def sentinel2(bench: Bench) -> dict[str, str]:
    """The files of B04 (red) and B08 (nir), reflectance = (stored - 1000) / 10000."""
    folder = f"{SAFE}.SAFE"
    write_metadata(bench, folder)
    images = f"{folder}/GRANULE/{GRANULE}/IMG_DATA/R10m/{TILE}"
    return {
        role: bench.save(f"{images}_{band}_10m.jp2", values.astype("uint16"))
        for role, band, values in (("red", "B04", RED), ("nir", "B08", NIR))
    }


def landsat8(bench: Bench) -> dict[str, str]:
    """The files of B4 and B5, reflectance = stored * 0.0000275 - 0.2."""
    paths = {
        role: bench.save(f"l8/{LC08}_SR_{band}.TIF", (values * 5).astype("uint16"))
        for role, band, values in (("red", "B4", RED), ("nir", "B5", NIR))
    }
    Path(bench.path(f"l8/{LC08}_MTL.txt")).write_text(MTL, "utf-8")
    return paths


def reflectance(sensor: Any) -> tuple[Any, Any]:
    if sensor is sentinel2:
        return (RED - 1000) / 10000, (NIR - 1000) / 10000
    return RED * 5 * 2.75e-05 - 0.2, NIR * 5 * 2.75e-05 - 0.2


def values(bench: Bench, rasters: Any, text: str, **options: Any) -> Any:
    """The pixels of a result, in float64."""
    job = bandmath_job(rasters, text, bench.path("out.tif"), data_type=DataType.FLOAT64, **options)
    return bench.run(job)[0]


def listed(paths: dict[str, str]) -> list[tuple[str, str]]:
    return [(Path(path).stem, path) for path in paths.values()]


def refusal(rasters: Any, text: str, **options: Any) -> str:
    with pytest.raises(BandwiseError) as caught:
        bandmath_job(rasters, text, "o.tif", **options)
    return str(caught.value).split("\n")[-1]


@pytest.mark.parametrize("sensor", [sentinel2, landsat8])
@pytest.mark.parametrize("radiometry", [STORED, AUTOMATIC])
def test_the_same_text_on_every_sensor(
    bench: Bench, sensor: Any, radiometry: RadiometryChoice
) -> None:
    paths = sensor(bench)
    red, nir = reflectance(sensor)
    expected = (nir - red) / (nir + red)
    of_scene = {"scene": opened(paths["red"]), "radiometry": radiometry}
    for given in (
        values(bench, [], NDVI, **of_scene),
        values(bench, [], NDVI.upper(), **of_scene),
        values(bench, listed(paths), NDVI, radiometry=radiometry),
        values(bench, listed(paths)[::-1], NDVI, radiometry=radiometry),
    ):
        np.testing.assert_allclose(given, expected, rtol=1e-12)


def test_the_pixels_are_those_of_ndvi(bench: Bench) -> None:
    paths = sentinel2(bench)
    job = bandmath_job([], NDVI, bench.path("o.tif"), scene=opened(paths["red"]), radiometry=STORED)
    assert bench.run(job)[0].tobytes() == bench.ndvi(paths["nir"], paths["red"]).tobytes()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("B04", (RED - 1000) / 10000),
        ("b4 + red", (RED - 1000) / 5000),
        ("A", RED),
        ("A@B04", RED),
        ("A - red", RED - (RED - 1000) / 10000),
        ("red * 10000 + 1000 - A", RED * 0),
        ("where(A > 1400, nir, -red)", np.where(RED > 1400, NIR - 1000, 1000 - RED) / 10000),
        ("green := red * 2; green", (RED - 1000) / 5000),
        ("nir := A; nir", RED),
        ("# nir := x\nnir", (NIR - 1000) / 10000),
    ],
)
def test_a_letter_is_stored_and_a_role_is_reflectance(
    bench: Bench, text: str, expected: Any
) -> None:
    found = values(bench, listed(sentinel2(bench)), text, radiometry=STORED)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_numbers_of_the_user_are_for_roles_too(bench: Bench) -> None:
    paths = sentinel2(bench)
    twice = RadiometryChoice(Scaling.CUSTOM, scale=2.0, offset=1.0)
    found = values(bench, listed(paths), "red + A", radiometry=twice)
    np.testing.assert_array_equal(found, 2.0 * (2 * RED + 1))
    job = bandmath_job(listed(paths), "red + A", "o.tif", radiometry=twice)
    assert any("with the scale and offset given: red" in str(note.text) for note in job.notes)
    nodata = STORED._replace(nodata=float(RED[0, 0]))
    found = values(bench, listed(paths), "red", radiometry=nodata)
    np.testing.assert_array_equal(found == -9999, RED[0, 0] == RED)


def test_a_band_in_two_ways_is_read_once(bench: Bench) -> None:
    paths = sentinel2(bench)
    text = "A - red + nir * B + A@1"
    plan = prepare(bandmath_job(listed(paths), text, bench.path("o.tif"), radiometry=STORED))
    assert [band.name for band in plan.job.bands] == ["A@1", "B@1", "red", "nir"]
    assert [band for stack in plan.read.stacks for band in stack.bands] == [0, 1]
    scales = [(each.scale, each.offset) for each in plan.radiometries]
    assert scales == [(1.0, 0.0)] * 2 + [(0.0001, -0.1)] * 2
    assert not any("are the same band" in str(note.text) for note in plan.notes)
    red, nir = reflectance(sentinel2)
    found = values(bench, listed(paths), text, radiometry=STORED)
    np.testing.assert_allclose(found, RED - red + nir * NIR + RED, rtol=1e-12)


def test_nodata_of_a_band_in_two_ways(bench: Bench) -> None:
    """The product's own, 0, and 65535, saturated."""
    stored = RED.copy()
    stored[0], stored[1] = 0, 65535
    paths = sentinel2(bench)
    bench.save(str(Path(paths["red"]).relative_to(bench.folder)), stored.astype("uint16"))
    found = values(bench, listed(paths), "coalesce(A - red, 7)", radiometry=STORED)
    expected = stored - (stored - 1000) / 10000
    expected[:2] = 7
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_scene_beside_rasters(bench: Bench) -> None:
    """Letters are the rasters, on a grid of their own, and roles the scene's."""
    scene = opened(sentinel2(bench)["red"])
    height = bench.save("dem.tif", (ROWS * 100.0).astype("float32"))
    red, _ = reflectance(sentinel2)
    found = values(bench, [("dem", height)], "A + red", scene=scene, radiometry=STORED)
    np.testing.assert_allclose(found, ROWS * 100 + red, rtol=1e-12)
    coarse = bench.save(
        "coarse.tif", np.full((3, 4), 5.0), transform=(20.0, 0.0, 300000.0, 0.0, -20.0, 5000040.0)
    )
    options = {"scene": scene, "radiometry": STORED}
    found = values(bench, [("coarse", coarse)], "A + red", **options)
    np.testing.assert_allclose(found, 5 + red, rtol=1e-12)
    first = Layout(rule=GridRule.FIRST)
    assert values(bench, [("coarse", coarse)], "red + A", layout=first, **options).shape == (3, 4)
    job = bandmath_job([("dem", height)], "A * 2", "o.tif", scene=scene)
    assert any("uses no band of the scene" in str(note.text) for note in job.notes)
    assert set(job.listed) == {height, *(band.path for band in scene.bands)}


def test_what_an_item_alone_tells_of_its_bands(bench: Bench) -> None:
    """Scale and offset that lie nowhere beside the files are for roles; a letter stays a stored value."""
    assets = {}
    for name, scale, stored in (("red", 1e-4, RED), ("nir", 2e-4, NIR)):
        href = bench.save(f"{name}.tif", stored.astype("uint16"))
        facts = [{"name": name, "common_name": name}], [{"scale": scale, "offset": -0.1}]
        assets[name] = {"href": href, "eo:bands": facts[0], "raster:bands": facts[1]}
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "x", "links": [], "assets": assets}
    path = Path(bench.path("item.json"))
    path.write_text(json.dumps({**item, "properties": {"datetime": "2022-10-05T00:00:00Z"}}))
    rasters = [("stored", bench.path("nir.tif"))]
    found = values(bench, rasters, "nir - red + A", scene=opened(str(path)), radiometry=STORED)
    expected = NIR * 2e-4 - 0.1 - (RED * 1e-4 - 0.1) + NIR
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "label"),
    [
        (lambda bench: sentinel2(bench)["red"], "S2A 2022-10-05 T29UNU"),
        (lambda bench: landsat8(bench)["red"], "Landsat 8 2020-07-01 193026"),
        (lambda bench: raster(bench, f"{S30}.B04.tif"), "HLS S30 2020-07-01 T33UUP"),
    ],
)
def test_a_scene_has_a_short_name(bench: Bench, make: Any, label: str) -> None:
    assert opened(make(bench)).label == label


def test_no_band_gets_the_grid_of_the_scene(bench: Bench) -> None:
    scene = opened(sentinel2(bench)["red"])
    assert (values(bench, [], "42", scene=scene, radiometry=STORED) == np.full((6, 8), 42)).all()


def test_a_layers_name_goes_before_a_role(bench: Bench) -> None:
    paths = sentinel2(bench)
    rasters = [("red", paths["nir"]), ("x", paths["red"])]
    job = bandmath_job(rasters, "red", bench.path("o.tif"), radiometry=STORED)
    assert bench.run(job)[0].tolist() == NIR.tolist()
    sentence = "red is A@1, since a letter or a layer of the list has that name"
    assert [sentence in str(note.text) for note in job.notes if note.warning] == [True]
    job = bandmath_job([("red", paths["red"])], "red", "o.tif", radiometry=STORED)
    assert [note.warning for note in job.notes if sentence in str(note.text)] == [False], (
        "the same band, as a stored value"
    )
    job = bandmath_job([("red", paths["red"])], "red", "o.tif", radiometry=AUTOMATIC)
    assert not any(sentence in str(note.text) for note in job.notes), "no other value"
    job = bandmath_job(rasters, "nir := B@1; green := nir", bench.path("o.tif"), radiometry=STORED)
    assert "nir is the result of that name, and not the band of that role" in [
        str(note.text) for note in job.notes
    ]
    assert not any("green is" in str(note.text) for note in job.notes), "there is no green"


def test_the_log_names_the_band_of_each_role(bench: Bench) -> None:
    paths = sentinel2(bench)
    scene = opened(paths["red"])
    job = bandmath_job([], "nir - red + B08", "o.tif", scene=scene, radiometry=STORED)
    line = f"nir = B08 ({TILE}_B08_10m.jp2); red = B04 ({TILE}_B04_10m.jp2)"
    notes = [str(note.text) for note in job.notes]
    assert f"Bands by role, as reflectance: {line}" in notes
    assert "result = (nir - red) + nir (read as Bandwise)" in notes
    lines, warnings = bench.notes(job._replace(output=bench.path("o.tif")))
    assert any(line.startswith("red: band 1") and "offset -0.1" in line for line in lines)
    assert not warnings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("swir1", f"the scene {SAFE} has no file of swir1 (shortwave infrared at 1.6 µm), which is B11 of"),
        ("swir1", "it has red = B04, nir = B08"),
        ("A - red", "there is no input A, as no raster is given; the bands of the scene"),
        ("im1b1", "im1b1 is no band, function or constant"),
        ('"red@1"', "red is no band"),
        ("red@1", "red is one band already; write it without @"),
        ("nirr", "is nir meant?"),
        ("B10", "B10 is no band, function or constant"),
        ("x := nir; nir := red", "nir is the name of a result"),
        ("red := red * 2", "red is the name of a result"),
    ],
)  # fmt: skip
def test_one_sentence_of_a_scene(bench: Bench, text: str, words: str) -> None:
    assert words in refusal([], text, scene=opened(sentinel2(bench)["red"]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "green",
            "no raster is recognised as green (green); by role there is red = Sentinel-2 B04",
        ),
        ("C", "there is no input C: two rasters are given"),
        ("nirr", "is nir meant?"),
    ],
)
def test_one_sentence_of_rasters(bench: Bench, text: str, words: str) -> None:
    assert words in refusal(listed(sentinel2(bench)), text)


@pytest.mark.parametrize(
    "dialect", [DialectChoice.QGIS, DialectChoice.GDAL_CALC, DialectChoice.OTB]
)
def test_other_dialects_know_no_roles(bench: Bench, dialect: DialectChoice) -> None:
    paths = sentinel2(bench)
    words = "red is the role of a band, which Bandwise's own dialect alone knows"
    assert words in refusal(listed(paths), "red * 2", dialect=dialect)
    assert words in refusal([], "red * 2", dialect=dialect, scene=opened(paths["red"]))
    assert "foo is no input" in refusal(listed(paths), "foo", dialect=dialect)
    quoted = f'"{TILE}_B04_10m@1" - red'
    assert words in refusal(listed(paths), quoted), "read as QGIS's"


def test_two_bands_of_a_role(bench: Bench) -> None:
    """The two gains of ETM+, and two scenes of one sensor in the list."""
    parts = ("B3.TIF", "B4.TIF", "B6_VCID_1.TIF", "B6_VCID_2.TIF")
    scene = opened(landsat(bench, LE07_L1, parts))
    sentence = refusal([], "thermal", scene=scene)
    assert "thermal may be B6_VCID_1" in sentence and "B6_VCID_2" in sentence
    job = bandmath_job([], "B6_VCID_2", "o.tif", scene=scene)
    assert Path(job.bands[0].path).name == f"{LE07_L1}_B6_VCID_2.TIF"
    rasters = [("", raster(bench, f"{name}/{LC08}_SR_B4.TIF")) for name in "ab"]
    for text in ("red", "B4"):
        assert f"{text} may be" in refusal(rasters, text)
    assert bandmath_job(rasters, "A - B", "o.tif").bands


@pytest.mark.parametrize("text", ["a" * 99_999, "a " * 50_000, "a" + " " * 99_999, "#" * 99_999])
def test_names_of_results_are_found_in_linear_time(text: str) -> None:
    start = time.process_time()
    assert result_names(f"{text}\nx  := 1; y := 2 # z := 3") == ["x", "y"]
    assert time.process_time() - start < 1.0


def test_neither_raster_nor_scene() -> None:
    assert refusal([], "1") == "No raster and no scene is given; choose at least one, for its grid."


def test_a_run_that_is_cancelled_leaves_nothing(bench: Bench) -> None:
    scene = opened(sentinel2(bench)["red"])
    before = bench.listing()
    job = bandmath_job([], NDVI, bench.path("out.tif"), scene=scene)
    with pytest.raises(Cancelled):
        bench.run(job, cancelled=lambda: True)
    assert bench.listing() == before


def test_the_names_that_an_expression_may_use(bench: Bench) -> None:
    paths = sentinel2(bench)
    scene = opened(paths["red"])
    of_scene = {band.name: (band.path, band.number) for band in names_of([], scene)}
    assert of_scene == {role: (path, 1) for role, path in paths.items()}
    stack = bench.save("stack.tif", np.stack([RED, NIR]).astype("uint16"))
    bands = names_of([("stack", stack), ("red", paths["red"])])
    assert [(band.name, band.layer, band.number) for band in bands] == [
        ("A@1", "stack", 1),
        ("A@2", "stack", 2),
        ("B", "red", 1),
    ], "the layer's name hides the role"
    beside = names_of([("stack", stack)], scene)
    assert [band.name for band in beside] == ["A@1", "A@2", "red", "nir"]
    for band in beside:
        job = bandmath_job([("stack", stack)], band.name, "o.tif", scene=scene)
        assert (job.bands[0].path, job.bands[0].number) == band.place
