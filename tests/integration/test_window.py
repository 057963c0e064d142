# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs one after another, and at once, in one QGIS: each has to load its layer, named and styled."""

from __future__ import annotations

import gc

import pytest
from qgis.core import Qgis, QgsApplication, QgsProcessingContext, QgsProject, QgsSingleBandPseudoColorRenderer


@pytest.fixture
def empty_project(monkeypatch):
    """The project, without layers before and after, and the messages that QGIS logs meanwhile."""
    import processing.gui.Postprocessing

    monkeypatch.setattr(processing.gui.Postprocessing, "iface", None, raising=False)  # QGIS 3.44 wants a real one or none
    project = QgsProject.instance()
    project.removeAllMapLayers()
    yield project
    project.removeAllMapLayers()


def test_three_runs_in_one_process_load_three_styled_layers(provider, scene, tmp_path, empty_project):
    import processing

    messages = []

    def keep(text, tag, level):
        if level != Qgis.MessageLevel.Info:
            messages.append((text, tag))

    QgsApplication.messageLog().messageReceived.connect(keep)
    for number in range(3):
        processing.runAndLoadResults("bandwise:ndvi", {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(tmp_path / f"{number}.tif")})
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
        context.addLayerToLoadOnCompletion(key, QgsProcessingContext.LayerDetails(key, QgsProject.instance()))
        style_when_loaded(context.layerToLoadOnCompletionDetails(key), key, "")
    assert living() == before + 2
    assert [details.postProcessor().name for details in context.layersToLoadOnCompletion().values()] == ["a", "b"]
    other = QgsProcessingContext()
    other.takeResultsFrom(context)
    del context
    assert living() == before + 2
    del other
    assert living() == before
