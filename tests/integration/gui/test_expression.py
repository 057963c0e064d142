# SPDX-License-Identifier: GPL-2.0-or-later
"""The editor of expressions in QGIS's own dialogs: Toolbox, batch table and modeler."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import rasterio
from editor_cases import answered, press, type_keys, underlined, wait_for, windows  # noqa: F401
from product_cases import landsat  # noqa: F401
from qgis.core import (
    QgsApplication,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelParameter,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QToolButton

Source = QgsProcessingModelChildParameterSource


@pytest.fixture
def profile(monkeypatch, tmp_path):
    """A folder for saved expressions, empty at first."""
    from bandwise.gui.expression import wrapper

    path = tmp_path / "profile" / "expressions.json"
    monkeypatch.setattr(wrapper, "saved_path", lambda: str(path))
    return path


@pytest.fixture
def algorithm(provider, profile):
    return QgsApplication.processingRegistry().createAlgorithmById("bandwise:bandmath")


@pytest.fixture
def scaled(tmp_path):
    """A raster of two bands, values 1000 and 3000, with scale 0.0001 and offset -0.1."""
    path = str(tmp_path / "scaled.tif")
    transform = rasterio.transform.from_origin(600000, 5100000, 10, 10)
    options = {"driver": "GTiff", "count": 2, "width": 40, "height": 30, "dtype": "uint16"}
    with rasterio.open(path, "w", crs="EPSG:32632", transform=transform, **options) as dataset:
        dataset.write(np.stack([np.full((30, 40), n, np.uint16) for n in (1000, 3000)]))
        dataset.scales, dataset.offsets = (1e-4,) * 2, (-0.1,) * 2
        dataset.descriptions = ("B04", "B08")
    return path


@pytest.fixture
def dialog(algorithm, windows, qgis_processing, monkeypatch):
    from processing.gui import AlgorithmDialog as DialogModule
    from processing.gui import ParametersPanel, Postprocessing
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    for part in (DialogModule, ParametersPanel, Postprocessing):
        monkeypatch.setattr(part, "iface", None, raising=False)  # a real one or none
    dialog = AlgorithmDialog(algorithm)
    dialog.show()
    windows.append(dialog)
    return dialog


def editor(dialog: Any) -> Any:
    """Return the wrapper of the expression, once it knows what the other parameters say."""
    wrapper = dialog.mainWidget().wrappers["EXPRESSION"]
    wait_for(lambda: not wrapper.surroundings.is_busy)
    return wrapper


def given(dialog: Any, **parameters: Any) -> Any:
    dialog.setParameters(parameters)
    return editor(dialog)


def test_type_complete_and_check_in_the_dialog(dialog, scaled):
    wrapper = given(dialog, LAYERS=[scaled])
    panel = wrapper.panel
    panel.edit.setFocus()
    type_keys(panel, "(A@2 - A@1")
    press(panel.edit.completer.popup(), Qt.Key.Key_Escape)
    assert answered(panel).error is not None and underlined(panel) == ["("]
    type_keys(panel, ") / A@")
    press(panel.edit.completer.popup(), Qt.Key.Key_Return)
    assert panel.text() == "(A@2 - A@1) / A@1"
    checked = answered(panel)
    assert checked.bands == ("A@1", "A@2") and underlined(panel) == []
    assert wrapper.parameterValue() == panel.text()
    assert "“Radiometry: scale and offset” to Automatic" in panel.line.text()
    panel.line.linkActivated.emit("0")
    assert dialog.mainWidget().wrappers["RADIOMETRY"].parameterValue() == 0
    wait_for(lambda: "0 more" not in panel.line.text() and "⚠" not in panel.line.text())


def test_other_layers_and_another_dialect_change_the_check(dialog, scaled, scene):
    panel = given(dialog, LAYERS=[scaled], EXPRESSION="A@2 ^ 2").panel
    wait_for(lambda: answered(panel).bands == ("A@2",) and answered(panel).arithmetic is not None)
    given(dialog, LAYERS=[scene.red])
    wait_for(lambda: answered(panel).error is not None)
    assert "A has no band 2" in panel.line.text()
    given(dialog, LAYERS=[scene.stack, scaled], DIALECT=3)
    wait_for(lambda: answered(panel).error is None)
    wait_for(lambda: "gdal_calc" in panel.line.text())


def run(dialog: Any) -> dict[str, Any]:
    ended: list[Any] = []
    dialog.algorithmFinished.connect(lambda *results: ended.append(results))
    dialog.runButton().click()
    deadline = time.monotonic() + 60
    while not ended and time.monotonic() < deadline:
        QApplication.processEvents()
        time.sleep(0.01)
    assert ended and ended[0][0], "the run succeeds"
    return dict(ended[0][1])


def test_run_change_and_run_again(dialog, scene, read_values, tmp_path, profile):
    wrapper = given(dialog, LAYERS=[scene.red, scene.nir], OUTPUT=str(tmp_path / "a.tif"))
    wrapper.panel.set_text("(B - A) /\n(B + A) # of two lines")
    run(dialog)
    np.testing.assert_allclose(read_values(str(tmp_path / "a.tif")), scene.ndvi, rtol=1e-6)
    dialog.changeParametersButton().click()
    wrapper.panel.set_text("B - A")
    dialog.setParameters({"OUTPUT": str(tmp_path / "b.tif")})
    run(dialog)
    low, high = np.nanmin(read_values(str(tmp_path / "b.tif"))), 0
    assert low < high
    assert wrapper.store.load()[0].recent == ("B - A", "(B - A) /\n(B + A) # of two lines")


def test_the_large_editor_and_its_tree(dialog, scaled, windows):
    layer = QgsRasterLayer(scaled, "a layer")
    QgsProject.instance().addMapLayer(layer)
    wrapper = given(dialog, LAYERS=[layer.id()], EXPRESSION="A")
    large = wrapper.large_dialog()
    windows.append(large)
    large.show()
    wait_for(lambda: large.tree.topLevelItem(0).childCount())
    raster = large.tree.topLevelItem(0).child(0)
    texts = [[raster.child(row).text(column) for column in range(6)] for row in range(2)]
    assert [raster.text(0), raster.text(1)] == ["A", "a layer"]
    assert texts == [
        ["A@1", "B04, red", "uint16", "", "1", "0"],
        ["A@2", "B08, near infrared", "uint16", "", "1", "0"],
    ]
    given(dialog, RADIOMETRY=0)
    wait_for(lambda: large.tree.topLevelItem(0).child(0).child(0).text(5) == "-0.1")
    large.panel.set_text('"a layer@2" * 2')
    large.accept()
    wrapper.take(large.text())
    assert wrapper.parameterValue() == '"a layer@2" * 2'
    QgsProject.instance().removeAllMapLayers()


def test_bands_of_a_scene_by_role(dialog, landsat, windows):
    folder, *_ = landsat
    wrapper = given(dialog, SCENE=folder, EXPRESSION="(nir - red) / (nir + red)")
    wait_for(lambda: answered(wrapper.panel).arithmetic is not None)
    assert answered(wrapper.panel).bands == ("nir", "red")
    assert "⚠" not in wrapper.panel.line.text()
    large = wrapper.large_dialog()
    windows.append(large)
    wait_for(lambda: large.tree.topLevelItem(1).childCount())
    group = large.tree.topLevelItem(1)
    rows = {group.child(row).text(0): group.child(row) for row in range(group.childCount())}
    assert [rows["nir"].text(column) for column in (2, 4, 5)] == ["uint16", "2.75e-05", "-0.2"]
    assert "near infrared" in rows["nir"].text(1)
    given(dialog, SCENE="")
    wait_for(lambda: answered(wrapper.panel).error is not None)


def test_two_large_editors_after_each_other(dialog, scaled, windows):
    wrapper = given(dialog, LAYERS=[scaled], EXPRESSION="A")
    for text in ("A + 1", "A + 2"):
        large = wrapper.large_dialog()
        large.panel.set_text(text)
        assert answered(large.panel).error is None
        large.reject()
        large.deleteLater()
        del large
        QApplication.processEvents()
        given(dialog, LAYERS=[scaled])
    assert wrapper.parameterValue() == "A"


def test_the_menu_of_saved_expressions(dialog, profile):
    from bandwise.gui.expression.saved import Saved

    wrapper = editor(dialog)
    wrapper.store.save(Saved("Mine & yours", "A * 3"))
    wrapper.fill_menu()
    entries = {action.text(): action for action in wrapper.menu.actions() if action.text()}
    assert "Examples" in entries and "Last used" not in entries
    entries["Mine && yours"].trigger()
    assert wrapper.parameterValue() == "A * 3"
    entries["Examples"].menu().actions()[0].trigger()
    assert wrapper.parameterValue() == "(B - A) / (B + A)"
    profile.write_text("damaged")
    wrapper.fill_menu()
    assert profile.read_text() == "damaged"


def test_a_cell_of_the_batch_table(algorithm, windows, scaled, qgis_processing):
    from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog
    from processing.tools import dataobjects

    dialog = BatchAlgorithmDialog(algorithm)
    windows.append(dialog)
    dialog.show()
    table, context = dialog.mainWidget(), dataobjects.createContext()
    table.addRow(1)
    column = table.parameter_to_column["EXPRESSION"]
    first, second = (table.wrappers[row][column] for row in range(2))
    QTest.keyClicks(first.line, "A + 1")
    assert first.parameterValue() == "A + 1" and second.parameterValue() == ""
    table.wrappers[1][table.parameter_to_column["LAYERS"]].setParameterValue([scaled], context)
    large = second.large_dialog()
    windows.append(large)
    wait_for(lambda: large.tree.topLevelItem(0).childCount() == 1)
    large.panel.set_text("x := A@2;\nx * 2 # twice")
    assert answered(large.panel).error is None
    second.take(large.text())
    assert second.parameterValue() == "x := A@2;\nx * 2 # twice"
    assert second.store.load()[0].recent == ("x := A@2;\nx * 2 # twice",)
    assert second.line.isReadOnly() and "⏎" in second.line.text()
    second.setParameterValue("A", context)
    assert not second.line.isReadOnly() and second.line.text() == "A"
    assert second.widget.findChild(QToolButton).accessibleName()


@pytest.fixture
def model(provider, profile):
    """A model with two rasters and a text as its inputs."""
    model = QgsProcessingModelAlgorithm("test", "test")
    for definition in (
        QgsProcessingParameterRasterLayer("first", "Red band"),
        QgsProcessingParameterRasterLayer("second", "Near infrared"),
        QgsProcessingParameterString("text", "Text"),
        QgsProcessingParameterMultipleLayers("all", "All rasters"),
    ):
        model.addModelParameter(definition, QgsProcessingModelParameter(definition.name()))
    return model


def modeler(algorithm, model, windows, child=None):
    from processing.modeler.ModelerParametersDialog import ModelerParametersDialog

    dialog = ModelerParametersDialog(algorithm, model, child)
    windows.append(dialog)
    dialog.show()
    wrappers = dialog.widget.widget.wrappers
    if not hasattr(wrappers["EXPRESSION"], "large_dialog"):
        pytest.skip("the modeler of newer QGIS has widgets of its own alone")
    return dialog, wrappers


def test_rasters_of_a_model_are_letters(algorithm, model, windows, qgis_processing):
    dialog, wrappers = modeler(algorithm, model, windows)
    rasters = [Source.fromModelParameter(name) for name in ("first", "second")]
    wrappers["LAYERS"].setWidgetValue(rasters)
    large = wrappers["EXPRESSION"].large_dialog()
    windows.append(large)
    wait_for(lambda: large.tree.topLevelItem(0).childCount() == 2)
    names = [large.tree.topLevelItem(0).child(row).text(1) for row in range(2)]
    assert names == ["Red band", "Near infrared"]
    large.panel.set_text("(B - A@3) / C")
    wait_for(lambda: "there is no input C" in large.panel.line.text())
    large.panel.set_text("(B - A@3)\n/ B")
    assert answered(large.panel).error is None
    wrappers["EXPRESSION"].take(large.text())
    child = dialog.createAlgorithm()
    (source,) = child.parameterSources()["EXPRESSION"]
    assert source.staticValue() == "(B - A@3)\n/ B"
    model.addChildAlgorithm(child)
    again, wrappers = modeler(algorithm, model, windows, child.childId())
    assert wrappers["EXPRESSION"].large_dialog().text() == "(B - A@3)\n/ B"
    assert again.createAlgorithm().parameterSources()["EXPRESSION"] == [source]


@pytest.mark.parametrize(
    "source",
    [Source.fromModelParameter("text"), Source.fromExpression("'A + ' || @text")],
    ids=["input", "expression"],
)
def test_the_text_may_be_one_of_the_model(source, algorithm, model, windows, qgis_processing):
    dialog, wrappers = modeler(algorithm, model, windows)
    wrappers["LAYERS"].setWidgetValue([Source.fromModelParameter("all")])
    wrappers["EXPRESSION"].setValue(source)
    assert wrappers["EXPRESSION"].large_dialog().text() == ""
    child = dialog.createAlgorithm()
    assert child.parameterSources()["EXPRESSION"] == [source]
    model.addChildAlgorithm(child)
    again, _ = modeler(algorithm, model, windows, child.childId())
    assert again.createAlgorithm().parameterSources()["EXPRESSION"] == [source]
