# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs one after another, and at once, in one QGIS: each has to load its layer, named and styled."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import which

import numpy as np
import pytest
import rasterio
from qgis.core import (
    Qgis,
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelParameter,
    QgsProcessingParameterRasterLayer,
    QgsProject,
    QgsSingleBandPseudoColorRenderer,
)

ROOT = Path(__file__).resolve().parents[2]
NDVI = ("NDVI", "QgsSingleBandPseudoColorRenderer", True)
SIDE = 1500
TAGS = ("Bandwise", "Processing", "Python error")  #: of the message log


@pytest.fixture
def empty_project(monkeypatch):
    """The project, without layers before and after."""
    import processing.gui.Postprocessing

    # QGIS 3.44 wants a real one or none
    monkeypatch.setattr(processing.gui.Postprocessing, "iface", None, raising=False)
    project = QgsProject.instance()
    project.removeAllMapLayers()
    yield project
    project.removeAllMapLayers()


def test_three_runs_in_one_process_load_three_styled_layers(
    provider, scene, tmp_path, empty_project
):
    import processing

    messages = []

    def keep(text, tag, level):
        if level != Qgis.MessageLevel.Info:
            messages.append((text, tag))

    QgsApplication.messageLog().messageReceived.connect(keep)
    for number in range(3):
        processing.runAndLoadResults(
            "bandwise:ndvi",
            {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(tmp_path / f"{number}.tif")},
        )
        gc.collect()
    QgsApplication.messageLog().messageReceived.disconnect(keep)
    layers = list(empty_project.mapLayers().values())
    assert [layer.name() for layer in layers] == ["NDVI"] * 3
    assert all(isinstance(layer.renderer(), QgsSingleBandPseudoColorRenderer) for layer in layers)
    assert messages == []


def test_post_processors_live_as_long_as_their_context(provider, scene, tmp_path, qgis_app):
    """Neither sooner, though nothing in Python holds them, nor longer."""
    from bandwise.algorithms.resources import LayerStyler, style_when_loaded

    def living():
        gc.collect()
        return sum(isinstance(thing, LayerStyler) for thing in gc.get_objects())

    before = living()
    context = QgsProcessingContext()
    for key in ("a", "b"):
        context.addLayerToLoadOnCompletion(
            key, QgsProcessingContext.LayerDetails(key, QgsProject.instance())
        )
        style_when_loaded(context.layerToLoadOnCompletionDetails(key), key, "")
    assert living() == before + 2
    assert [
        details.postProcessor().name for details in context.layersToLoadOnCompletion().values()
    ] == ["a", "b"]
    other = QgsProcessingContext()
    other.takeResultsFrom(context)
    del context
    assert living() == before + 2
    del other
    assert living() == before


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A stack of two bands, 90 rows of 120 columns and one of 1500: red 500 + column, near infrared
    1000 + row; nodata 0 in column 0.
    """
    folder = tmp_path_factory.mktemp("session")
    for prefix, shape in (("", (90, 120)), ("large_", (SIDE, SIDE))):
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        for name, band in (("red", 500 + columns), ("nir", 1000 + rows)):
            profile = {
                "driver": "GTiff",
                "count": 1,
                "dtype": "uint16",
                "nodata": 0,
                "crs": "EPSG:32632",
            }
            transform = rasterio.transform.from_origin(600000, 5100000, 10, 10)
            path = folder / f"{prefix}{name}.tif"
            with rasterio.open(
                path, "w", width=shape[1], height=shape[0], transform=transform, **profile
            ) as dataset:
                dataset.write(np.where(columns == 0, 0, band).astype(np.uint16), 1)
    return folder


def ndvi(shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    red, nir = 500.0 + columns, 1000.0 + rows
    return np.where(columns == 0, -9999, (nir - red) / (nir + red)).astype(np.float32)


@pytest.fixture(scope="module")
def facts(folder, qgis_process, qgis_app, qgis_processing, add_step):
    """What window_session.py saw in the real window, with the profile of ``qgis_process``."""
    model = QgsProcessingModelAlgorithm("Index and difference", "test")
    for name in ("RED", "NIR"):
        model.addModelParameter(
            QgsProcessingParameterRasterLayer(name, name), QgsProcessingModelParameter(name)
        )
    source = QgsProcessingModelChildParameterSource
    bands = {name: source.fromModelParameter(name) for name in ("RED", "NIR")}
    add_step(model, "ndvi", "bandwise:ndvi", bands, "Index of the model")
    difference = {"LAYERS": [*bands.values()], "EXPRESSION": source.fromStaticValue("B - A")}
    add_step(model, "difference", "bandwise:bandmath", difference, "Difference of the model")
    assert model.toFile(str(folder / "two_outputs.model3"))
    program = which("qgis.bin") or which("qgis")
    assert program and which("xvfb-run"), "the window needs QGIS and a virtual display"
    command = [
        "xvfb-run",
        "--auto-servernum",
        "--server-args=-screen 0 1280x900x24",
        program,
        "--nologo",
        "--noversioncheck",
    ]
    environment = {
        **qgis_process.environment,
        "QT_QPA_PLATFORM": "xcb",
        "SESSION_FOLDER": str(folder),
        "PYTHONPATH": str(ROOT / "tests" / "support"),
    }
    script = Path(__file__).with_name("window_session.py")
    ended = subprocess.run(
        [*command, "--code", str(script)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    sys.stderr.write(ended.stderr)
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    assert ended.returncode == 0, ended.stderr
    assert facts["failure"] == ""
    return facts


def loaded(facts, step):
    return [tuple(layer[:3]) for layer in facts["steps"][step]["layers"]]


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def test_five_dialogs_load_five_layers(facts, folder):
    bandmath = ("Band math", "QgsSingleBandPseudoColorRenderer", True)
    assert [loaded(facts, f"dialog {number}") for number in range(5)] == [
        [NDVI],
        [bandmath],
        [NDVI],
        [bandmath],
        [NDVI],
    ]
    for number in range(5):
        np.testing.assert_array_equal(read(folder / f"dialog_{number}.tif"), ndvi((90, 120)))


def test_changed_parameters_run_again(facts, folder):
    assert [loaded(facts, f"changed {number}") for number in range(3)] == [[NDVI]] * 3
    assert [facts["steps"][f"changed {number}"]["layers"][0][3] for number in range(3)] == [
        f"changed_{number}.tif" for number in range(3)
    ]


def test_a_batch_of_three_rows_loads_three_layers(facts):
    assert loaded(facts, "batch") == [NDVI] * 3


def test_a_model_loads_two_layers_each_time(facts):
    expected = [
        ("Difference of the model", "QgsSingleBandPseudoColorRenderer", True),
        ("Index of the model", *NDVI[1:]),
    ]
    assert [loaded(facts, f"model {number}") for number in range(2)] == [expected] * 2


def test_the_python_console_three_times(facts):
    assert [loaded(facts, f"runAndLoadResults {number}") for number in range(3)] == [[NDVI]] * 3


def test_a_result_that_is_open_and_drawn_is_replaced(facts, folder):
    assert loaded(facts, "first result") == [NDVI]
    expected = -ndvi((90, 120))
    expected[:, 0] = -9999
    np.testing.assert_array_equal(read(folder / "replaced.tif"), expected)
    assert facts["shown"]
    for value, valid in facts["shown"]:
        assert valid and value == expected[45, 60], (
            "every layer of the file shows what it holds now"
        )


def test_a_result_that_cannot_replace_an_open_one_is_kept_and_loaded(facts, folder):
    assert facts["steps"]["shown result"]["layers"] == [[*NDVI, "kept.tif"]]
    assert facts["steps"]["kept result"]["layers"] == [[*NDVI, "kept_1.tif"]]
    sentence = f"{folder / 'kept.tif'} cannot be replaced"
    assert facts["steps"]["kept result"]["log"].count(sentence) == 1
    expected = -ndvi((90, 120))
    expected[:, 0] = -9999
    np.testing.assert_array_equal(read(folder / "kept_1.tif"), expected)
    np.testing.assert_array_equal(read(folder / "kept.tif"), ndvi((90, 120)))


def test_two_runs_at_once_as_background_tasks(facts, folder):
    for number in range(2):
        tasks = facts["steps"][f"tasks {number}"]
        assert tasks["successful"] == [True, True]
        assert tasks["valid"] == [SIDE * (SIDE - 1)] * 2
        assert tasks["most"] == 2 or (os.cpu_count() or 1) == 1
    for name in ("first", "second"):
        np.testing.assert_array_equal(read(folder / f"task_{name}.tif"), ndvi((SIDE, SIDE)))


def test_a_cancelled_run_says_that_nothing_was_written(facts, folder):
    assert "Cancelled; nothing was written." in facts["steps"]["cancelled"]["log"]
    assert facts["steps"]["cancelled"]["layers"] == []
    assert not [path for path in folder.iterdir() if "cancelled" in path.name]


def test_nothing_failed_in_the_whole_session(facts):
    ours = [text for tag, text in facts["messages"] if tag in TAGS or "bandwise" in text.lower()]
    assert ours == [], "QGIS's own fonts, news and deprecations are none of ours"
    for name, step in facts["steps"].items():
        words = (
            ("Traceback", "Error", "deleted")
            if name == "cancelled"
            else ("Traceback", "Error", "deleted", "failed")
        )
        assert not [word for word in words if word in step["log"]], name


def test_the_menus_open_the_algorithms(facts, provider):
    from bandwise.algorithms.provider import ALGORITHMS

    expected = [algorithm().displayName() + "…" for algorithm in ALGORITHMS]
    assert facts["menu"] == expected
    assert facts["band math"] == [["red.tif"], ["nir.tif"]], "the layer is A"


def test_a_folder_that_is_dropped_on_the_dialog_is_the_scene(facts, folder):
    first, second = str(folder / "S2A.SAFE"), str(folder / "L8 scene")
    assert facts["dropped"] == [first, second, second]
