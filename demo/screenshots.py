# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of NDVI in the real QGIS window, for the README: run by ``qgis --code`` in ``make screenshots``.

Shows the dialog filled in with the demo product, its log after the run, and the styled layer on the canvas.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import processing
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QImage
from qgis.PyQt.QtWidgets import QDockWidget, QTextEdit
from qgis.utils import iface

IMAGES = Path.cwd() / "docs" / "images"
#: Where the demo product lies, under a name that is short enough for a picture.
PRODUCT = Path(os.environ["DEMO_PRODUCT"])
RESULT = PRODUCT.with_name("ndvi.tif")


def band(name: str) -> QgsRasterLayer:
    """A 10 m band of the demo product."""
    path = next(PRODUCT.glob(f"GRANULE/*/IMG_DATA/R10m/*_{name}_10m.jp2"))
    return QgsRasterLayer(str(path), path.stem)


class Session:
    """Steps that wait for the window: each is started by a timer, so that Qt can draw in between."""

    def __init__(self) -> None:
        self.window = iface.mainWindow()
        self.layers = [band("B04"), band("B08")]

    def start(self) -> None:
        IMAGES.mkdir(parents=True, exist_ok=True)
        self.window.resize(1280, 800)
        for panel in self.window.findChildren(QDockWidget):
            panel.setVisible(panel.objectName() == "Layers")
        QgsProject.instance().addMapLayers(self.layers)
        red, nir = self.layers
        parameters = {"RED": red.id(), "NIR": nir.id(), "OUTPUT": str(RESULT)}
        self.dialog = processing.createAlgorithmDialog("bandwise:ndvi", parameters)
        self.dialog.resize(1000, 640)
        self.dialog.show()
        self.later(self.run, 1500)

    def run(self) -> None:
        picture(self.dialog, "dialog")
        self.dialog.algorithmFinished.connect(lambda *_: self.later(self.picture_log, 1500))
        self.dialog.runButton().click()

    def picture_log(self) -> None:
        for text in self.dialog.findChildren(QTextEdit):
            text.verticalScrollBar().setValue(0)
        picture(self.dialog, "log")
        self.dialog.close()
        tree = QgsProject.instance().layerTreeRoot()
        for layer in self.layers:
            tree.findLayer(layer.id()).setItemVisibilityChecked(False)
        (self.result,) = [
            layer
            for layer in QgsProject.instance().mapLayers().values()
            if layer not in self.layers
        ]
        iface.setActiveLayer(self.result)
        iface.layerTreeView().expandAllNodes()
        for layer in self.layers:
            tree.findLayer(layer.id()).setExpanded(False)
        iface.zoomToActiveLayer()
        self.later(self.picture_layer, 4000)

    def picture_layer(self) -> None:
        picture(self.window, "layer")
        leave(0)

    def later(self, step: Any, milliseconds: int) -> None:
        QTimer.singleShot(milliseconds, lambda: guarded(step))


def picture(widget: Any, name: str) -> None:
    """A PNG in its 256 commonest colours, small enough for a repository."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits().asstring(image.sizeInBytes()), np.uint32) & 0xFFFCFCFC
    colours, counts = np.unique(pixels, return_counts=True)
    table = [int(colour) for colour in colours[np.argsort(counts)[-256:]]]
    assert image.convertToFormat(QImage.Format.Format_Indexed8, table).save(
        str(IMAGES / f"{name}.png")
    )


def guarded(step: Any) -> None:
    """A failed step ends QGIS with an exit code, as a program should."""
    try:
        step()
    except Exception:
        traceback.print_exc()
        leave(1)


def leave(code: int) -> None:
    QgsProject.instance().clear()
    QgsApplication.processEvents()
    os._exit(code)


session = Session()
QTimer.singleShot(3000, lambda: guarded(session.start))
QTimer.singleShot(180000, lambda: leave(2))
