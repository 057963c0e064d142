# SPDX-License-Identifier: GPL-2.0-or-later
"""How results are shown that have no style of their own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import rasterio
from bandwise.algorithms.styling.looks import MOST_CLASSES, viridis
from color_vision import LEAST, SEEN, lab
from qgis.core import QgsProject

UINT8 = 4


@pytest.fixture
def layer_of(provider, scene, tmp_path, monkeypatch):
    """Runs band math of red (A) and near infrared (B), and returns the loaded layer's renderer."""
    import processing
    import processing.gui.Postprocessing

    # QGIS 3.44 wants a real one or none
    monkeypatch.setattr(processing.gui.Postprocessing, "iface", None, raising=False)
    numbers, project = itertools.count(), QgsProject.instance()

    def loaded(expression, **options):
        project.removeAllMapLayers()
        out = str(tmp_path / f"{next(numbers)}.tif")
        inputs = {"LAYERS": [scene.red, scene.nir], "EXPRESSION": expression, "OUTPUT": out}
        processing.runAndLoadResults("bandwise:bandmath", {**inputs, **options})
        (layer,) = project.mapLayers().values()
        assert layer.isValid()
        return layer

    yield loaded
    project.removeAllMapLayers()


@pytest.mark.parametrize("data_type", [0, 2])
@pytest.mark.parametrize("expression", ["(B - A) / (B + A)", "(B - A) / (B + A); A; B"])
def test_values_from_the_2nd_to_the_98th_percentile(layer_of, expression, data_type):
    """Of the first band, in units of the result; one for whom red is green sees an order of brightness."""
    layer = layer_of(expression, DATA_TYPE=data_type)
    renderer = layer.renderer()
    assert renderer.type() == "singlebandpseudocolor" and renderer.band() == 1
    with rasterio.open(layer.source()) as dataset:
        values = dataset.read(1, masked=True).compressed() * dataset.scales[0] + dataset.offsets[0]
    ends = renderer.classificationMin(), renderer.classificationMax()
    assert ends == pytest.approx(np.percentile(values, (2, 98)), abs=0.005)
    items = renderer.shader().rasterShaderFunction().colorRampItemList()
    assert (items[0].value, items[-1].value) == pytest.approx(ends)
    for cones in SEEN.values():
        brightness = [lab(item.color.name(), cones)[0] for item in items]
        assert brightness == sorted(brightness)
        assert np.diff(brightness).min() > 3


@pytest.mark.parametrize("expression", ["A > 1000", "(A > 1000) + (B > 2000) * 2", "A / 1000 + 3"])
def test_a_few_whole_numbers_are_classes(layer_of, expression):
    layer = layer_of(expression, DATA_TYPE=UINT8)
    assert layer.renderer().type() == "paletted"
    with rasterio.open(layer.source()) as dataset:
        present = set(dataset.read(1, masked=True).compressed().tolist())
    assert present <= {round(each.value) for each in layer.renderer().classes()}


def test_many_whole_numbers_are_values(layer_of):
    assert layer_of("A / 10", DATA_TYPE=UINT8).renderer().type() == "singlebandpseudocolor"


@pytest.mark.parametrize("options", [{}, {"DATA_TYPE": UINT8}])
def test_a_constant_is_grey_and_nothing_valid_is_no_error(layer_of, options):
    assert layer_of("A * 0 + 7", **options).renderer().type() == "singlebandgray"
    assert layer_of("A / 0", **options).renderer().type() == "singlebandgray"


@pytest.mark.parametrize("kind", SEEN)
@pytest.mark.parametrize("count", range(2, MOST_CLASSES + 1))
def test_classes_are_told_apart_without_red_and_green(qgis_app, kind, count):
    colors = [viridis().color(number / (count - 1)).name() for number in range(count)]
    for first, second in itertools.combinations(colors, 2):
        assert np.linalg.norm(lab(first, SEEN[kind]) - lab(second, SEEN[kind])) >= LEAST
