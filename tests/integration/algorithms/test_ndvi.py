# SPDX-License-Identifier: GPL-2.0-or-later
"""bandwise:ndvi in the real QGIS: toolbox, layer, model, batch, cancel, progress, bad input."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from ndvi_cases import ndvi
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelParameter,
    QgsProcessingParameterRasterLayer,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandPseudoColorRenderer,
)
from rasterio.transform import from_origin


def test_toolbox_run_gives_the_right_numbers(provider, scene, tmp_path, read_values):
    import processing

    out = str(tmp_path / "ndvi.tif")
    result = processing.run("bandwise:ndvi", {"RED": scene.red, "NIR": scene.nir, "OUTPUT": out})
    pixels = read_values(out)
    np.testing.assert_array_equal(pixels, scene.ndvi.astype(np.float32).astype(float))
    assert result["OUTPUT"] == out
    valid = scene.ndvi[~np.isnan(scene.ndvi)]
    assert (result["VALID_PIXELS"], result["NODATA_PIXELS"]) == (valid.size, 11 * 257)
    assert result["MINIMUM"] == pytest.approx(valid.min(), abs=1e-7)
    assert result["MAXIMUM"] == pytest.approx(valid.max(), abs=1e-7)
    assert result["MEAN"] == pytest.approx(valid.mean(), abs=1e-7)
    assert result["STANDARD_DEVIATION"] == pytest.approx(valid.std(), abs=1e-7)
    for name in ("VALID_PIXELS", "NODATA_PIXELS"):
        assert type(result[name]) is int
    for name in ("MINIMUM", "MAXIMUM", "MEAN", "STANDARD_DEVIATION"):
        assert type(result[name]) is float


def test_one_layer_twice_with_two_bands(provider, scene, tmp_path, read_values):
    import processing

    both = QgsRasterLayer(scene.stack, "both")
    out = str(tmp_path / "ndvi.tif")
    processing.run(
        "bandwise:ndvi", {"RED": both, "RED_BAND": 1, "NIR": both, "NIR_BAND": 2, "OUTPUT": out}
    )
    np.testing.assert_array_equal(read_values(out), scene.ndvi.astype(np.float32).astype(float))


def test_a_raster_without_a_valid_pixel_has_counts_but_no_statistics(
    provider, tmp_path, context, log
):
    path = str(tmp_path / "empty.tif")
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=30,
        height=20,
        count=2,
        dtype="uint16",
        nodata=0,
        crs="EPSG:32632",
        transform=from_origin(0, 0, 10, 10),
    ) as dataset:
        dataset.write(np.zeros((2, 20, 30), np.uint16))
    result, fine = ndvi().run(
        {"RED": path, "NIR": path, "NIR_BAND": 2, "OUTPUT": str(tmp_path / "ndvi.tif")},
        context,
        log,
    )
    assert fine
    assert (result["VALID_PIXELS"], result["NODATA_PIXELS"]) == (0, 600)
    assert result["MEAN"] is None


def test_custom_scaling_and_source_nodata(provider, scene, tmp_path, read_values, context, log):
    """reflectance = stored * 0.0001 - 0.1: the offset of -1000 shifts the denominator by -2000."""
    out = str(tmp_path / "ndvi.tif")
    parameters = {
        "RED": scene.red,
        "NIR": scene.nir,
        "RADIOMETRY": 2,
        "SCALE": 0.0001,
        "OFFSET": -0.1,
        "SOURCE_NODATA": 503,
        "OUTPUT": out,
    }
    _, fine = ndvi().run(parameters, context, log)
    assert fine
    with rasterio.open(scene.stack) as stack:
        red, nir = stack.read().astype(float)
    invalid = (red == 503) | (nir == 503) | (nir + red == 2000)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(invalid, np.nan, (nir - red) / (nir + red - 2000))
    np.testing.assert_array_equal(read_values(out), expected.astype(np.float32).astype(float))
    assert any("given by the user" in line for line in log.info)
    assert any("outside -1 to 1" in line for line in log.warnings)


def test_the_loaded_layer_is_named_and_styled(provider, scene, tmp_path, monkeypatch):
    import processing
    import processing.gui.Postprocessing

    # QGIS 3.44 wants a real one or none
    monkeypatch.setattr(processing.gui.Postprocessing, "iface", None, raising=False)
    QgsProject.instance().removeAllMapLayers()
    processing.runAndLoadResults(
        "bandwise:ndvi",
        {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(tmp_path / "scene_17.tif")},
    )
    (layer,) = QgsProject.instance().mapLayers().values()
    assert layer.name() == "NDVI"
    assert layer.isValid()
    renderer = layer.renderer()
    assert isinstance(renderer, QgsSingleBandPseudoColorRenderer)
    assert (renderer.classificationMin(), renderer.classificationMax()) == (-1.0, 1.0)
    items = renderer.shader().rasterShaderFunction().colorRampItemList()
    assert (items[0].value, items[-1].value) == (-1.0, 1.0)
    assert items[-1].color.green() > items[-1].color.red(), "vegetation is green"
    assert layer.bandName(1).startswith("Band 1: NDVI")
    assert not list(tmp_path.glob("*.aux.xml")), "QGIS had no statistics to compute"
    QgsProject.instance().removeAllMapLayers()


@pytest.fixture
def model(add_step):
    """NDVI as a child algorithm, whose layer feeds a step of another provider."""
    model = QgsProcessingModelAlgorithm("index and slope", "test")
    for name in ("RED", "NIR"):
        model.addModelParameter(
            QgsProcessingParameterRasterLayer(name, name), QgsProcessingModelParameter(name)
        )
    source = QgsProcessingModelChildParameterSource
    add_step(
        model,
        "ndvi",
        "bandwise:ndvi",
        {name: source.fromModelParameter(name) for name in ("RED", "NIR")},
        "Index of the model",
    )
    statistics = {
        "INPUT": source.fromChildOutput("ndvi", "OUTPUT"),
        "BAND": source.fromStaticValue(1),
    }
    add_step(model, "statistics", "native:rasterlayerstatistics", statistics)
    return model


def test_a_model_chains_ndvi_into_another_step(provider, scene, tmp_path, log, read_values, model):
    import processing

    chain = model
    assert chain.canExecute()[0]
    out = str(tmp_path / "model.tif")
    (destination,) = [definition.name() for definition in chain.destinationParameterDefinitions()]
    result = processing.run(
        chain, {"RED": scene.red, "NIR": scene.nir, destination: out}, feedback=log
    )
    np.testing.assert_array_equal(read_values(out), scene.ndvi.astype(np.float32).astype(float))
    steps = result["CHILD_RESULTS"]
    assert steps["statistics"]["MEAN"] == pytest.approx(np.nanmean(scene.ndvi), abs=1e-6)
    assert steps["ndvi"]["MEAN"] == pytest.approx(np.nanmean(scene.ndvi), abs=1e-7)


def test_a_layer_that_a_model_named_keeps_that_name_and_gets_the_style(
    provider, scene, tmp_path, monkeypatch, model
):
    import processing
    import processing.gui.Postprocessing

    # QGIS 3.44 wants a real one or none
    monkeypatch.setattr(processing.gui.Postprocessing, "iface", None, raising=False)
    QgsProject.instance().removeAllMapLayers()
    chain = model
    (destination,) = [definition.name() for definition in chain.destinationParameterDefinitions()]
    processing.runAndLoadResults(
        chain, {"RED": scene.red, "NIR": scene.nir, destination: str(tmp_path / "model.tif")}
    )
    (layer,) = QgsProject.instance().mapLayers().values()
    assert layer.name() == "Index of the model"
    assert isinstance(layer.renderer(), QgsSingleBandPseudoColorRenderer)
    QgsProject.instance().removeAllMapLayers()


def test_a_batch_of_two_rows(provider, scene, tmp_path, log, read_values):
    """As the batch dialog runs them: every row checked first, then each with a context of its own."""
    from processing.gui.AlgorithmExecutor import execute

    rows = [
        {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(tmp_path / "one.tif")},
        {
            "RED": scene.stack,
            "RED_BAND": 2,
            "NIR": scene.stack,
            "NIR_BAND": 1,
            "OUTPUT": str(tmp_path / "two.tif"),
        },
    ]
    batch = ndvi()
    for row in rows:
        fine, message = batch.checkParameterValues(row, QgsProcessingContext())
        assert fine, message
    for row in rows:
        fine, result = execute(batch.create(), row, QgsProcessingContext(), log)
        assert fine
        assert result["OUTPUT"] == row["OUTPUT"]
    np.testing.assert_array_equal(read_values(rows[1]["OUTPUT"]), -read_values(rows[0]["OUTPUT"]))
