# SPDX-License-Identifier: GPL-2.0-or-later
"""The widget of the parameter INDICES: a line of text, and a button that opens the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from processing.gui.wrappers import DIALOG_MODELER, WidgetWrapper
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputString,
    QgsProcessingParameterString,
    QgsProject,
)
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QToolButton,
    QWidget,
)

from ..algorithms.layers import rasters_of
from ..algorithms.resources import own_indices_path
from ..algorithms.shared.names import IndexNames, ManyNames, SceneNames
from ..engine.errors import BandwiseError
from ..engine.indices.catalogue import load_catalogue
from ..engine.indices.selection import chosen_indices
from .indices_dialog import IndicesDialog

if TYPE_CHECKING:
    from ..engine.scenes.scene import Scene

translate = QCoreApplication.translate


class IndicesWrapper(WidgetWrapper):  # type: ignore[misc]
    """In the modeler a text that may be another step's; elsewhere with a list that follows the rasters."""

    _others: tuple[Any, ...] = ()

    def createWidget(self, **options: Any) -> QWidget:
        if self.dialogType == DIALOG_MODELER:
            return self._modeler_widget()
        widget = QWidget()
        self.line = QLineEdit()
        button = QToolButton()
        button.setText("…")
        button.setToolTip(translate("Bandwise", "Choose from the list of indices"))
        button.clicked.connect(self.choose)
        layout = QHBoxLayout(widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line)
        layout.addWidget(button)
        self.line.textChanged.connect(lambda: self.widgetValueHasChanged.emit(self))
        return widget

    def _modeler_widget(self) -> QComboBox:
        combo = QComboBox()
        combo.setEditable(True)
        for value in self.dialog.getAvailableValuesOfType(
            QgsProcessingParameterString, QgsProcessingOutputString
        ):
            combo.addItem(self.dialog.resolveValueDescription(value), value)
        return combo

    def postInitialize(self, wrappers: list[Any]) -> None:
        self._others = tuple(wrappers)

    def setValue(self, value: Any) -> None:
        if self.dialogType == DIALOG_MODELER:
            self.setComboValue(value)
        else:
            self.line.setText("" if value is None else str(value))

    def value(self) -> Any:
        return self.comboValue() if self.dialogType == DIALOG_MODELER else self.line.text()

    def choose(self) -> None:
        """Open the list, and take over what is chosen there."""
        dialog = self.list_dialog()
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.setValue(";".join(dialog.names()))

    def list_dialog(self) -> IndicesDialog:
        """Return the list, with what the line and the rasters say now."""
        catalogue = load_catalogue(own_indices_path())
        names = []
        for name in self.line.text().replace(",", ";").split(";"):
            try:
                names += [index.name for index in chosen_indices(catalogue, name)]
            except BandwiseError:
                continue  # an unfinished name
        return IndicesDialog(catalogue.indices.values(), names, self._roles(), self.widget)

    def _roles(self) -> list[str] | None:
        """The roles of the bands that are given; None where none are, or one cannot be read."""
        from ..engine.planning.jobs.spectralindices import recognised_roles

        names = ("LAYERS", IndexNames.BANDS, SceneNames.SCENE, ManyNames.SCENES)
        given = {other.parameterDefinition().name(): other for other in self._others}
        layers, bands, path, folder = (
            given[name].parameterValue() if name in given else None for name in names
        )
        context = QgsProcessingContext()
        context.setProject(QgsProject.instance())
        try:
            rasters = rasters_of(layers, "LAYERS", context)
            scene = None if rasters else _scene(str(path or ""), str(folder or ""))
            return recognised_roles(rasters, str(bands or ""), scene) if rasters or scene else None
        except BandwiseError:
            return None


def _scene(path: str, folder: str) -> Scene | None:
    """Return the scene that is given, or the first one of a folder of scenes; None where neither is."""
    from ..engine.reading.opening import subdatasets_of
    from ..engine.scenes.folder import scenes_in
    from ..engine.scenes.opening import open_scene

    for each in [path] if path else scenes_in(folder) if folder else []:
        try:
            return open_scene(each, subdatasets_of)
        except BandwiseError:
            if path:
                raise
    return None
