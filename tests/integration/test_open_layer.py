# SPDX-License-Identifier: GPL-2.0-or-later
"""A second run onto the file of a layer that QGIS shows, on a system that replaces no open file, such as Windows."""

from __future__ import annotations

import os

import numpy as np
import pytest
from other_systems import is_open, refusing
from qgis.core import (
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProject,
)


@pytest.fixture
def run_and_load(monkeypatch, context, log):
    """Runs and loads as the Python console does: a function from parameters to (results, the layer)."""
    import processing
    import processing.gui.Postprocessing

    # QGIS 3.44 wants a real one or none
    monkeypatch.setattr(processing.gui.Postprocessing, "iface", None, raising=False)
    project = QgsProject.instance()
    project.removeAllMapLayers()

    def run(parameters):
        before = set(project.mapLayers())
        results = processing.runAndLoadResults("bandwise:ndvi", parameters, log)
        (layer,) = (layer for key, layer in project.mapLayers().items() if key not in before)
        return results, layer

    yield run
    project.removeAllMapLayers()


def test_two_runs_onto_one_target_in_one_session(
    provider, scene, tmp_path, run_and_load, log, read_values, monkeypatch
):
    """The second result is kept, loaded as the layer with its style, and what QGIS shows already stays."""
    monkeypatch.setattr(os, "replace", refusing(os.replace, 2))
    target = str(tmp_path / "ndvi.tif")
    bands = {"RED": scene.red, "NIR": scene.nir, "OUTPUT": target}
    results, first = run_and_load(bands)
    assert results["OUTPUT"] == first.source() == target and not log.warnings
    centre = first.extent().center()
    shown = first.dataProvider().sample(centre, 1)
    assert is_open(target), "QGIS holds the file of a layer open"
    for number in (1, 2):
        kept = str(tmp_path / f"ndvi_{number}.tif")
        results, layer = run_and_load({**bands, "RED": scene.nir, "NIR": scene.red})
        assert results["OUTPUT"] == layer.source() == kept
        assert layer.isValid() and layer.name() == "NDVI"
        assert layer.renderer().type() == first.renderer().type() == "singlebandpseudocolor"
        sentence = log.warnings[-1]
        assert len(log.warnings) == number and "\n" not in sentence
        assert target in sentence and kept in sentence and "cannot be replaced" in sentence
        (done,) = (line for line in log.info if line.startswith("Done in ") and kept in line)
        assert done.endswith(f": {kept}")
        np.testing.assert_array_equal(
            read_values(kept), (-scene.ndvi).astype(np.float32).astype(float)
        )
        assert layer.dataProvider().sample(centre, 1) == pytest.approx((-shown[0], True))
    assert first.isValid() and first.dataProvider().sample(centre, 1) == shown
    np.testing.assert_array_equal(read_values(target), scene.ndvi.astype(np.float32).astype(float))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "inputs",
        "ndvi.tif",
        "ndvi_1.tif",
        "ndvi_2.tif",
    ]


def test_a_step_of_a_model_goes_on_with_the_kept_result(
    provider, scene, tmp_path, run_and_load, log, read_values, add_step, monkeypatch
):
    import processing

    monkeypatch.setattr(os, "replace", refusing(os.replace, 2))
    target = str(tmp_path / "ndvi.tif")
    run_and_load({"RED": scene.nir, "NIR": scene.red, "OUTPUT": target})
    assert is_open(target)
    value = QgsProcessingModelChildParameterSource.fromStaticValue
    model = QgsProcessingModelAlgorithm("model", "group")
    inputs = {"RED": value(scene.red), "NIR": value(scene.nir), "OUTPUT": value(target)}
    add_step(model, "index", "bandwise:ndvi", inputs)
    more = {
        "LAYERS": QgsProcessingModelChildParameterSource.fromChildOutput("index", "OUTPUT"),
        "EXPRESSION": value("A * 2"),
    }
    add_step(model, "twice", "bandwise:bandmath", more, kept="twice")
    twice = str(tmp_path / "twice.tif")
    processing.run(model, {"twice:twice": twice}, feedback=log)
    np.testing.assert_array_equal(
        read_values(twice), 2 * scene.ndvi.astype(np.float32).astype(float)
    )
    assert (tmp_path / "ndvi_1.tif").exists()
