# SPDX-License-Identifier: GPL-2.0-or-later
"""Composites in the real QGIS: scenes as a list or a folder, dates as QGIS gives them, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.compute.composite.statistic import Statistic
from composite_cases import expected, season
from qgis.core import (
    QgsApplication,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProperty,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QTime


def algorithm():
    return QgsApplication.processingRegistry().createAlgorithmById("bandwise:composite")


@pytest.fixture
def made(bench):
    return season(bench, 3)


def run(parameters, output, context, log):
    result, fine = algorithm().run({**parameters, "OUTPUT": str(output)}, context, log)
    assert fine, log.info
    return result


def pixels(path):
    with rasterio.open(path) as dataset:
        stored = dataset.read().astype(float)
    return np.where(stored == -9999, np.nan, stored)


def same(found, right):
    np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "given", ["list", "text", "folder", "folder in list", "metadata", "expression"]
)
def test_scenes_are_given_in_many_ways(provider, context, log, tmp_path, made, given):
    paths = [scene.path for scene in made]
    ways: dict[str, Any] = {
        "list": {"SCENES": paths},
        "text": {"SCENES": ";".join(paths)},
        "folder": {"SCENES_FOLDER": str(tmp_path)},
        "folder in list": {"SCENES": [str(tmp_path)]},
        "metadata": {"SCENES": [f"{path}/MTD_MSIL2A.xml" for path in paths]},
        "expression": {
            "SCENES": QgsProperty.fromExpression(f"array('{paths[0]}','{paths[1]}','{paths[2]}')")
        },
    }
    more = {"STATISTICS": [5, 0], "REPORT_FILE": str(tmp_path / "report.json")}
    result = run({**ways[given], **more}, tmp_path / "out.tif", context, log)
    count, median = pixels(result["OUTPUT"])
    same(count, expected(made, Statistic.COUNT))
    same(median, expected(made, Statistic.MEDIAN))
    report = json.loads((tmp_path / "report.json").read_text())
    assert [band["name"] for band in report["results"]] == [
        "NDVI_count",
        "NDVI_median",
    ]


@pytest.mark.parametrize(
    "day", ["2022-05-06", QDate(2022, 5, 6), QDateTime(QDate(2022, 5, 6), QTime(0, 0))]
)
def test_a_period(provider, context, log, tmp_path, made, day):
    parameters = {"SCENES": [scene.path for scene in made], "START": day, "STATISTICS": [3]}
    checked, _ = algorithm().checkParameterValues({**parameters, "OUTPUT": "out.tif"}, context)
    assert checked
    result = run(parameters, tmp_path / "out.tif", context, log)
    same(pixels(result["OUTPUT"])[0], expected(made[1:], Statistic.MAXIMUM))
    assert any("2022-05-01 lies outside of the period" in text for text in log.warnings)
    result = run({**parameters, "END": day}, tmp_path / "one.tif", context, log)
    same(pixels(result["OUTPUT"])[0], made[1].ndvi)


def test_a_broken_scene_is_left_out(provider, context, log, tmp_path, made):
    (tmp_path / "broken.SAFE").mkdir()
    parameters = {
        "SCENES": [*(scene.path for scene in made), str(tmp_path / "broken.SAFE"), "/no/such"]
    }
    result = run(parameters, tmp_path / "out.tif", context, log)
    same(pixels(result["OUTPUT"])[0], expected(made, Statistic.MEDIAN))
    text = "\n".join(log.warnings)
    assert "The scene broken.SAFE is left out: " in text and "The scene such is left out: " in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"SCENES": []}, "No scene is given; choose them in “Scenes” (SCENES)"),
        (
            {"SCENES": ["/no/such"]},
            "No scene can be used: The scene such is left out: There is no scene",
        ),
        ({"START": "May"}, "“First day” (START) is a date such as 2024-05-31, not May"),
        ({"START": "2022-06-01", "END": "2022-05-01"}, "“Last day” (END) is 2022-05-01, before"),
        ({"START": "2031-01-01"}, "No scene can be used: "),
        ({"INDEX": "NDVX"}, "There is no index NDVX; near names are NDVI"),
        ({"INDEX": "nir +"}, "something is missing at the end"),
        ({"INDEX": "1 + 1"}, "“Index” (INDEX) uses no band"),
        ({"INDEX": "nir; red"}, "“Index” (INDEX) gives 2 results"),
        (
            {"INDEX": "nir / red", "CONSTANTS": "L=1"},
            "“Input: constants” (CONSTANTS) are for an index",
        ),
        ({"INDEX": "NBR"}, "has no file of swir2"),
        ({"STATISTICS": [5], "DATA_TYPE": 2}, "“Statistics” (STATISTICS): a scaled data type"),
        ({"PERCENTILE": "most"}, "“Input: percentile” (PERCENTILE) must be a number, not most"),
        ({"SCENES_FOLDER": "/no/such/folder"}, "is no folder on this computer"),
    ],
)
def test_one_sentence_for_what_is_wrong(provider, context, tmp_path, made, change, words):
    parameters = {"SCENES": [scene.path for scene in made], "OUTPUT": str(tmp_path / "out.tif")}
    fine, sentence = algorithm().checkParameterValues({**parameters, **change}, context)
    assert not fine and words in sentence, sentence


def test_the_layer_has_the_style_of_its_index(provider, context, log, tmp_path, made):
    import processing

    scenes = [scene.path for scene in made]
    result = processing.run(
        "bandwise:composite", {"SCENES": scenes, "OUTPUT": str(tmp_path / "a.tif")}, feedback=log
    )
    assert QgsRasterLayer(result["OUTPUT"]).isValid()
    again = processing.run(
        "bandwise:composite", {"SCENES": scenes, "OUTPUT": str(tmp_path / "a.tif")}, feedback=log
    )
    assert again["MEAN"] == result["MEAN"] and isinstance(again["VALID_PIXELS"], int)


def test_in_a_model(provider, context, log, tmp_path, made, add_step):
    model = QgsProcessingModelAlgorithm("m", "g")
    static = QgsProcessingModelChildParameterSource.fromStaticValue
    sources = {
        "SCENES": static([scene.path for scene in made]),
        "STATISTICS": static([1]),
        "START": static("2022-05-06"),
    }
    add_step(model, "composite", "bandwise:composite", sources, "kept")
    result, fine = model.run({"composite:kept": str(tmp_path / "out.tif")}, context, log)
    assert fine, log.info
    same(pixels(result["composite:kept"])[0], expected(made[1:], Statistic.MEAN))


def test_from_the_command_line(qgis_process, tmp_path, made):
    out = tmp_path / "out.tif"
    scenes = [f"SCENES={scene.path}" for scene in made]
    ended = qgis_process(
        *("run", "bandwise:composite", "--", *scenes, "START=2022-05-06"),
        *("STATISTICS=1", "STATISTICS=6", f"OUTPUT={out}"),
    )
    assert ended.returncode == 0, ended.stderr
    mean, day = pixels(out)
    same(mean, expected(made[1:], Statistic.MEAN))
    same(day, expected(made[1:], Statistic.DATE_OF_MAXIMUM))
