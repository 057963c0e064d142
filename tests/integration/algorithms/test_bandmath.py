# SPDX-License-Identifier: GPL-2.0-or-later
"""bandwise:bandmath in the real QGIS: letters, layers, models, batch, qgis_process, and the raster
calculator side by side.
"""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from bandmath_cases import (
    bandmath,
    bands,  # noqa: F401  fixtures
    single,
)
from qgis.core import (
    QgsApplication,
    QgsProcessingException,
    QgsProject,
    QgsRasterLayer,
)


def check(parameters, context):
    """What the dialog does when Run is pressed, and a batch before its first row."""
    return bandmath().checkParameterValues(parameters, context)


def test_the_order_of_the_list_is_the_order_of_the_letters(
    provider, scene, bands, tmp_path, read_values, context, log
):
    red, nir = bands
    for layers, right, said in (
        ([scene.red, scene.nir], red - 2 * nir, "A = red.tif; B = nir.tif"),
        ([scene.nir, scene.red], nir - 2 * red, "A = nir.tif; B = red.tif"),
    ):
        out = str(tmp_path / "out.tif")
        result, fine = bandmath().run(
            {"LAYERS": layers, "EXPRESSION": "A - 2 * B", "OUTPUT": out}, context, log
        )
        assert fine
        assert result["OUTPUT"] == out
        np.testing.assert_array_equal(read_values(out), single(right))
        assert any(said in line for line in log.info)
        assert (result["VALID_PIXELS"], result["NODATA_PIXELS"]) == (500 * 257, 11 * 257)
        assert result["MEAN"] == pytest.approx(np.nanmean(right), rel=1e-9)
        assert type(result["VALID_PIXELS"]) is int
        assert type(result["MEAN"]) is float


def test_layers_of_the_project_and_paths_may_be_mixed(
    provider, scene, bands, tmp_path, read_values, context, log
):
    red = bands[0]
    layer = QgsRasterLayer(scene.stack, "my scene 2021")
    QgsProject.instance().addMapLayer(layer)
    out = str(tmp_path / "out.tif")
    for given in (layer, layer.id(), "my scene 2021"):
        parameters = {
            "LAYERS": [scene.nir, given],
            "EXPRESSION": '"my scene 2021@2" - A + "my scene 2021@1"',
            "OUTPUT": out,
        }
        fine, message = check(parameters, context)
        assert fine, message
        _, fine = bandmath().run(parameters, context, log)
        assert fine
        np.testing.assert_array_equal(read_values(out), red)
    QgsProject.instance().removeAllMapLayers()


def test_a_band_may_be_called_by_its_description(
    provider, scene, bands, tmp_path, read_values, context, log
):
    with rasterio.open(scene.stack, "r+") as stack:
        stack.set_band_description(1, "B04")
        stack.set_band_description(2, "near infrared")
    out = str(tmp_path / "out.tif")
    _, fine = bandmath().run(
        {"LAYERS": [scene.stack], "EXPRESSION": 'A@"near infrared" - A@b04', "OUTPUT": out},
        context,
        log,
    )
    assert fine
    np.testing.assert_array_equal(read_values(out), bands[1] - bands[0])


def test_the_parameters_are_those_of_ndvi_by_the_same_names(provider):
    ndvi = QgsApplication.processingRegistry().createAlgorithmById("bandwise:ndvi")
    algorithm = bandmath()  # owns its parameters
    own = {parameter.name(): parameter for parameter in algorithm.parameterDefinitions()}
    shared = [
        parameter.name()
        for parameter in ndvi.parameterDefinitions()
        if parameter.name() not in ("RED", "RED_BAND", "NIR", "NIR_BAND", "CLAMP_NDVI")
    ]
    assert len(shared) == 29
    for name in shared:
        assert type(own[name]) is type(ndvi.parameterDefinition(name))
        assert own[name].flags() == ndvi.parameterDefinition(name).flags()
        if name not in ("RADIOMETRY", "OUTPUT"):
            assert own[name].defaultValue() == ndvi.parameterDefinition(name).defaultValue()
            assert own[name].help() == ndvi.parameterDefinition(name).help()
    assert set(own) == {"LAYERS", "EXPRESSION", "DIALECT", *shared}
    assert (
        own["RADIOMETRY"].defaultValue(),
        ndvi.parameterDefinition("RADIOMETRY").defaultValue(),
    ) == (1, 0)
    assert own["DIALECT"].flags() & own["DIALECT"].Flag.FlagAdvanced
    assert own["EXPRESSION"].multiLine()
    assert [output.name() for output in algorithm.outputDefinitions()] == [
        output.name() for output in ndvi.outputDefinitions()
    ]
    for parameter in own.values():
        assert parameter.help()


def test_stored_values_unless_chosen_otherwise(
    provider, scene, bands, tmp_path, read_values, context, log
):
    """A scale tag of 0.0001 and an offset of -0.1 count with RADIOMETRY 0 alone."""
    with rasterio.open(scene.nir, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.0001,), (-0.1,)
    out = str(tmp_path / "out.tif")
    for change, right in (
        ({}, bands[1]),
        ({"RADIOMETRY": 1}, bands[1]),
        ({"RADIOMETRY": 0}, bands[1] * 0.0001 - 0.1),
        ({"RADIOMETRY": 2, "SCALE": 2, "OFFSET": 1}, bands[1] * 2 + 1),
    ):
        _, fine = bandmath().run(
            {"LAYERS": [scene.nir], "EXPRESSION": "A", "OUTPUT": out, **change}, context, log
        )
        assert fine
        np.testing.assert_allclose(read_values(out), right, rtol=1e-6)


@pytest.mark.parametrize(
    ("dialect", "right"), [(0, -9.0), (1, -9.0), (2, 9.0), (3, -1.0), (4, -9.0)]
)
def test_the_dialect_decides(provider, scene, tmp_path, read_values, context, log, dialect, right):
    """-3^2: power with Python's precedence, QGIS's (-3)^2, gdal_calc's exclusive or (-3 ^ 2 = -1), muParser's."""
    out = str(tmp_path / "out.tif")
    parameters = {
        "LAYERS": [scene.nir],
        "EXPRESSION": "-(A - A + 3)^2",
        "DIALECT": dialect,
        "OUTPUT": out,
    }
    _, fine = bandmath().run(parameters, context, log)
    assert fine
    found = read_values(out)
    assert set(found[~np.isnan(found)]) == {right}


@pytest.mark.parametrize("dialect", [5, -1, 77])
def test_a_dialect_that_is_none_is_refused(provider, scene, tmp_path, context, dialect):
    fine, message = check(
        {
            "LAYERS": [scene.nir],
            "EXPRESSION": "A",
            "DIALECT": dialect,
            "OUTPUT": str(tmp_path / "o.tif"),
        },
        context,
    )
    assert not fine
    assert "DIALECT" in message


BAD = {
    "no input": ("(A - B) / (A + C)", "there is no input C"),
    "no function": ("sqroot(A)", "is sqrt"),
    "aggregate": ("A - amin(A)", "amin of a whole raster is not supported"),
    "chain": ("0 < A < 3", "comparisons cannot be chained"),
    "empty": ("", "The expression is empty"),
    "blank": (" \n ", "The expression is empty"),
    "comment": ("# A + B", "empty"),
    "unclosed": ("(A + B", "the “)” that closes this is missing"),
    "bits of fractions": ("(A / 2) & 1", "bits are those of whole numbers"),
    "code": ("__import__('os').system('touch pwned')", "__import__"),
    "band": ("A@2", "A has no band 2"),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD.keys())
def test_a_bad_expression_is_reported_before_the_run(
    provider, scene, tmp_path, context, log, text, words
):
    """At most the line with its mark, and one sentence; a run that was not checked is stopped with the same."""
    folder = tmp_path / "out"
    folder.mkdir()
    parameters = {
        "LAYERS": [scene.red, scene.nir],
        "EXPRESSION": text,
        "OUTPUT": str(folder / "out.tif"),
    }
    fine, message = check(parameters, context)
    assert not fine
    assert words in message.split("\n")[-1]
    assert message.count("\n") <= 1
    try:
        _, fine = bandmath().run(parameters, context, log, catchExceptions=False)
    except QgsProcessingException as error:
        assert words in str(error)
        fine = False
    assert not fine
    assert list(folder.iterdir()) == []


def test_a_missing_raster_is_refused_and_shifts_no_letter(provider, scene, tmp_path, context, log):
    """B is missing: neither A - C nor A - B may quietly mean other rasters."""
    for text in ("A - B", "A - C", "A"):
        parameters = {
            "LAYERS": [scene.red, str(tmp_path / "none.tif"), scene.nir],
            "EXPRESSION": text,
            "OUTPUT": str(tmp_path / "out.tif"),
        }
        fine, message = check(parameters, context)
        assert not fine
        assert "none.tif does not exist" in message
        with pytest.raises(QgsProcessingException, match=r"none\.tif does not exist"):
            bandmath().run(parameters, context, log, catchExceptions=False)
    assert not (tmp_path / "out.tif").exists()


@pytest.mark.parametrize("layers", [[], None, ""])
def test_no_raster_is_refused(provider, tmp_path, context, layers):
    fine, message = check(
        {"LAYERS": layers, "EXPRESSION": "1", "OUTPUT": str(tmp_path / "out.tif")}, context
    )
    assert not fine
    assert "raster" in message.lower()
    assert "\n" not in message


def test_a_web_map_in_the_list_is_refused_by_name(provider, scene, tmp_path, context):
    wms = QgsRasterLayer(
        "type=xyz&url=http://127.0.0.1:9/{z}/{x}/{y}.png&zmax=1&zmin=0", "the web map", "wms"
    )
    assert wms.isValid()
    for text in ("A + B", "A"):
        fine, message = check(
            {"LAYERS": [scene.red, wms], "EXPRESSION": text, "OUTPUT": str(tmp_path / "o.tif")},
            context,
        )
        assert not fine
        assert "the web map" in message
        assert "export it to a GeoTIFF" in message
        assert "\n" not in message
