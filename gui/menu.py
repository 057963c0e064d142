# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithms in QGIS's window: the menu *Raster > Bandwise*, and a raster layer's own menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis.core import QgsMapLayerType
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QMenu

from ..algorithms.provider import ALGORITHMS
from ..algorithms.resources import icon_path

translate = QCoreApplication.translate

_TITLE = "Bandwise"


class Menu:
    """Adds the entries to the window of ``iface``, and takes them away again."""

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self._maker = QMenu(iface.mainWindow())
        self._entries = [self._entry(make()) for make in ALGORITHMS]
        for entry in self._entries:
            iface.addPluginToRasterMenu(_TITLE, entry)
        self._of_layer = self._action(
            icon_path("bandmath"), translate("Bandwise", "Band math…"), self._open_with_layer
        )
        iface.addCustomActionForLayerType(self._of_layer, "", QgsMapLayerType.RasterLayer, True)

    def remove(self) -> None:
        """Take all entries out of the window."""
        for entry in self._entries:
            self._iface.removePluginRasterMenu(_TITLE, entry)
        self._iface.removeCustomActionForLayerType(self._of_layer)
        self._maker.deleteLater()

    def _entry(self, algorithm: Any) -> Any:
        title = translate("Bandwise", "{algorithm}…").format(algorithm=algorithm.displayName())
        name = f"bandwise:{algorithm.name()}"
        return self._action(algorithm.svgIconPath(), title, lambda: _open(name, {}))

    def _action(self, icon: str, title: str, opens: Callable[[], None]) -> Any:
        # made by a menu, for Qt 5 and Qt 6 have the class in different modules
        action = self._maker.addAction(QIcon(icon), title)
        # the signal has an argument
        action.triggered.connect(lambda *_: opens())
        return action

    def _open_with_layer(self) -> None:
        layers = self._iface.layerTreeView().selectedLayers()
        rasters = [layer.id() for layer in layers if layer.type() == QgsMapLayerType.RasterLayer]
        _open("bandwise:bandmath", {"LAYERS": rasters} if rasters else {})


def _open(algorithm: str, parameters: dict[str, Any]) -> None:
    """Show the algorithm's dialog as the Toolbox does."""
    from qgis import processing

    processing.execAlgorithmDialog(algorithm, parameters)
