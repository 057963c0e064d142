# SPDX-License-Identifier: GPL-2.0-or-later
"""The preview in QGIS's own dialog: its picture and numbers, changes, errors, and the map."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import numpy as np
import pytest
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QEvent, QPointF, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QPushButton

PATIENCE = 30  #: seconds, on a machine that is busy


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        QApplication.processEvents()
        time.sleep(0.005)


@pytest.fixture
def dialogs(provider, qgis_processing, monkeypatch):
    """A function that opens the dialog of an algorithm."""
    from processing.gui import AlgorithmDialog as DialogModule
    from processing.gui import ParametersPanel, Postprocessing
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    for part in (DialogModule, ParametersPanel, Postprocessing):
        monkeypatch.setattr(part, "iface", None, raising=False)
    made = []

    def opened(name: str, parameters: dict[str, Any]) -> Any:
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"bandwise:{name}")
        dialog = AlgorithmDialog(algorithm)
        dialog.setParameters(parameters)
        dialog.show()
        made.append(dialog)
        return dialog

    yield opened
    for dialog in made:
        dialog.close()
        dialog.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    wait_for(lambda: not any("_work" in thread.name for thread in threading.enumerate()))
    QgsProject.instance().removeAllMapLayers()


def shown(dialog: Any) -> Any:
    """Press the button, and return the window once it shows a preview or an error."""
    from bandwise.gui.preview_window import PreviewWindow

    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Preview…")
    button.click()
    window = dialog.findChild(PreviewWindow)
    settle(window)
    return window


def settle(window: Any) -> None:
    wait_for(lambda: not window.is_busy)


def bands(scene: Any) -> dict[str, Any]:
    return {"RED": scene.red, "NIR": scene.nir}


def test_ndvi_is_shown_with_its_numbers_and_colours(dialogs, scene):
    window = shown(dialogs("ndvi", bands(scene)))
    preview, panel = window.panel.preview, window.panel
    np.testing.assert_allclose(preview.values[0], scene.ndvi, rtol=1e-6)
    valid = scene.ndvi[np.isfinite(scene.ndvi)]
    minimum, maximum, mean, nodata = map(float, re.findall(r"-?[\d.]+\d", panel.numbers.text()))
    assert (minimum, maximum, mean) == pytest.approx(
        (valid.min(), valid.max(), valid.mean()), rel=1e-5
    )
    assert nodata == pytest.approx(100 * 11 / 511, abs=0.05)
    assert "as in the run" in panel.sentence.text()
    image = panel.picture.image()
    assert (image.width(), image.height()) == (511, 257)
    assert image.pixelColor(0, 0).alpha() == 0
    colour = image.pixelColor(11, 256)  # NDVI 0.68: between 0.6 #4a9f35 and 0.75 #1f7a2e
    assert colour.green() > colour.red() and colour.green() > colour.blue()


def test_values_under_the_cursor_are_those_of_result_and_inputs(dialogs, scene):
    panel = shown(dialogs("ndvi", bands(scene))).panel
    frame = panel.picture._frame()
    column, row = 300, 100
    at = QPointF(
        frame.left() + (column + 0.5) * frame.width() / 511,
        frame.top() + (row + 0.5) * frame.height() / 257,
    )
    assert panel.picture.place_at(at) == (column, row)
    panel.picture._point(column, row)
    text = panel.values.text()
    assert f"NDVI = {np.float32(scene.ndvi[row, column]):.6g}" in text
    assert "nir = 1700" in text and "red = 1400" in text
    assert "603005" in text and "5098995" in text
    QTest.keyClick(panel.picture, Qt.Key.Key_Right)
    assert "red = 1403" in panel.values.text()
    panel.picture._point(3, 3)
    assert "NDVI = nodata" in panel.values.text() and "red = nodata" in panel.values.text()


def test_a_change_is_followed_and_cancels_what_is_under_way(dialogs, scene):
    dialog = dialogs("ndvi", bands(scene))
    window = shown(dialog)
    first = window.panel.preview
    window.refresh()
    under_way = window.background._now
    wrapper = dialog.mainWidget().wrappers["NIR"]
    wrapper.setParameterValue(scene.stack, window_context())
    assert under_way is None or under_way.stop.is_set()
    settle(window)
    assert window.panel.preview is not first
    assert "NIR" not in window.panel.sentence.text()
    # band 1 of the stack is red: NDVI of red and red is 0
    values = window.panel.preview.values[0]
    assert np.nanmax(np.abs(values)) == 0
    wrapper.setParameterValue(scene.nir, window_context())
    settle(window)
    np.testing.assert_array_equal(window.panel.preview.values, first.values)


def test_bad_input_is_told_and_mended(dialogs, scene, tmp_path):
    dialog = dialogs("ndvi", {"RED": scene.red, "NIR": scene.red})
    window = shown(dialog)
    assert window.panel.preview is None
    assert "choose two different bands" in window.panel.sentence.text()
    assert not window.panel.map_button.isEnabled() and window.panel.picture.image().isNull()
    dialog.mainWidget().wrappers["NIR"].setParameterValue(scene.nir, window_context())
    settle(window)
    assert window.panel.preview is not None


def test_every_result_of_several_has_its_picture(dialogs, scene):
    expression = "sum := A@1 + A@2; twice := 2 * A@2"
    parameters = {"LAYERS": [scene.stack], "EXPRESSION": expression}
    panel = shown(dialogs("bandmath", parameters)).panel
    assert [panel.results.itemText(n) for n in range(panel.results.count())] == ["sum", "twice"]
    before = panel.picture.image()
    panel.results.setCurrentIndex(1)
    assert panel.picture.image() != before
    assert "maximum 5584" in panel.numbers.text()  # 2 * (1000 + 7 * 256)


def test_two_previews_in_one_session_and_none_after_closing(dialogs, scene):
    first, second = (shown(dialogs("ndvi", bands(scene))) for _ in range(2))
    np.testing.assert_array_equal(first.panel.preview.values, second.panel.preview.values)
    second.refresh()
    second.close()
    before = second.panel.preview
    settle(second)
    assert second.panel.preview is before
    first.refresh()
    settle(first)
    assert first.panel.preview is not None


def test_it_is_added_below_the_other_layers(dialogs, scene):
    project = QgsProject.instance()
    project.addMapLayer(QgsRasterLayer(scene.red, "top"))
    window = shown(dialogs("ndvi", bands(scene)))
    window.add_to_map()
    window.add_to_map()
    layers = project.layerTreeRoot().layerOrder()
    assert [layer.name() for layer in layers] == ["top", "Preview of NDVI", "Preview of NDVI"]
    layer = layers[-1]
    assert layer.renderer().type() == "singlebandpseudocolor"
    assert (layer.width(), layer.height()) == (511, 257)
    place = layer.extent().center()
    value, valid = layer.dataProvider().sample(place, 1)
    assert valid and value == pytest.approx(scene.ndvi[128, 255], rel=1e-6)


def test_algorithms_of_many_scenes_and_the_batch_table_have_no_button(dialogs):
    dialog = dialogs("scenes", {})
    assert not [b for b in dialog.findChildren(QPushButton) if b.text() == "Preview…"]


def test_the_extent_of_the_map(dialogs, scene, monkeypatch):
    from bandwise.gui import preview_window
    from qgis.core import QgsCoordinateReferenceSystem, QgsRectangle
    from qgis.gui import QgsMapCanvas

    canvas = QgsMapCanvas()
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:32632"))
    canvas.resize(200, 200)
    canvas.setExtent(QgsRectangle(601000, 5098500, 602000, 5099500))

    class Interface:
        def mapCanvas(self):
            return canvas

    monkeypatch.setattr(preview_window, "iface", Interface())
    window = shown(dialogs("ndvi", bands(scene)))
    assert window.panel.preview.values[0].shape == (257, 511)
    window.panel.area.setCurrentIndex(1)
    settle(window)
    box = canvas.extent()
    left, right = (box.xMinimum() - 600000) / 10, (box.xMaximum() - 600000) / 10
    top, bottom = (5100000 - box.yMaximum()) / 10, (5100000 - box.yMinimum()) / 10
    columns = slice(int(left + 0.01), int(np.ceil(right - 0.01)))
    part = scene.ndvi[int(top + 0.01) : int(np.ceil(bottom - 0.01)), columns]
    np.testing.assert_allclose(window.panel.preview.values[0], part, rtol=1e-6)
    canvas.setExtent(QgsRectangle(0, 0, 10, 10))
    settle(window)
    assert "outside of the extent" in window.panel.sentence.text()


def window_context() -> Any:
    from qgis.core import QgsProcessingContext

    return QgsProcessingContext()
