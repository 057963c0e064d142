# SPDX-License-Identifier: GPL-2.0-or-later
"""What the properties of a loaded result say: formula, unit and sources, and no page of numbers."""

from __future__ import annotations

import json
import re

import pytest
import rasterio
from qgis.core import QgsProject, QgsRasterBandStats


@pytest.fixture
def load(provider, tmp_path, monkeypatch):
    import processing
    import processing.gui.Postprocessing

    # QGIS 3.44 wants a real one or none
    monkeypatch.setattr(processing.gui.Postprocessing, "iface", None, raising=False)
    project = QgsProject.instance()

    def loaded(name, parameters):
        project.removeAllMapLayers()
        out = str(tmp_path / "out.tif")
        processing.runAndLoadResults(f"bandwise:{name}", {**parameters, "OUTPUT": out})
        (layer,) = project.mapLayers().values()
        return layer

    yield loaded
    project.removeAllMapLayers()


def test_ndvi_says_formula_unit_and_sources(load, scene):
    """Twice in one session, the second of the bands of one file."""
    runs = (
        ({"RED": scene.red, "NIR": scene.nir}, ("band 1 of red.tif", "band 1 of nir.tif")),
        ({"RED": scene.stack, "NIR": scene.stack, "NIR_BAND": 2}, ("band 1 of", "band 2 of")),
    )
    for parameters, sources in runs:
        layer = load("ndvi", parameters)
        metadata = layer.metadata()
        assert (metadata.title(), metadata.type()) == ("NDVI", "dataset")
        formula, unit, *bands = metadata.abstract().splitlines()
        assert formula == "NDVI = (nir - red) / (nir + red)" and unit.startswith("Unit: none")
        assert len(bands) == 2 and all(words in "\n".join(bands) for words in sources)
        with rasterio.open(layer.source()) as dataset:
            described = dataset.tags()["TIFFTAG_IMAGEDESCRIPTION"]
        assert described == "; ".join([formula, *bands])


def test_the_page_has_no_histogram_and_qgis_computes_nothing(load, scene, tmp_path):
    layer = load("bandmath", {"LAYERS": [scene.red], "EXPRESSION": "x := A + 1"})
    page = layer.htmlMetadata()
    assert "x = A@1 + 1" in page and "Unit: that which the formula gives" in page
    assert not re.search(r"(\d+, ){5}", page) and "HISTOGRAM" not in page
    with rasterio.open(layer.source()) as dataset:
        histogram = json.loads(dataset.tags(1, ns="BANDWISE")["HISTOGRAM"])
    assert sum(histogram["buckets"]) == 500 * 257
    stats = layer.dataProvider().bandStatistics(
        1, QgsRasterBandStats.Stats.Min | QgsRasterBandStats.Stats.Max
    )
    assert (stats.minimumValue, stats.maximumValue) == (534, 2031)
    assert not list(tmp_path.glob("*.aux.xml"))


def test_a_long_formula_is_cut(load, scene):
    terms = " + ".join(["A"] * 900)
    metadata = load("bandmath", {"LAYERS": [scene.red], "EXPRESSION": terms}).metadata()
    assert len(metadata.abstract()) < 2200


def test_a_project_keeps_them(load, scene, tmp_path):
    load("ndvi", {"RED": scene.red, "NIR": scene.nir})
    path, project = str(tmp_path / "project.qgs"), QgsProject.instance()
    assert project.write(path)
    project.clear()
    assert project.read(path)
    (layer,) = project.mapLayers().values()
    assert layer.metadata().abstract().startswith("NDVI = ")
    project.clear()
