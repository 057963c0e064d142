# SPDX-License-Identifier: GPL-2.0-or-later
"""The widget of the parameter SCENE: a path, buttons for a file and for a folder, and a place to drop either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from processing.gui.wrappers import DIALOG_MODELER, DIALOG_STANDARD, WidgetWrapper
from qgis.core import (
    QgsProcessingOutputFile,
    QgsProcessingOutputString,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
    QgsSettings,
)
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QMimeData, QObject
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QToolButton,
    QWidget,
)

from .preview_window import offer_preview

translate = QCoreApplication.translate

#: Where QGIS's own dialogs of Processing begin.
_LAST = "Processing/LastInputPath"


class SceneWrapper(WidgetWrapper):  # type: ignore[misc]
    """In the dialog all of its window takes a drop; in the modeler a path that may be another step's."""

    def createWidget(self, **options: Any) -> QWidget:
        if self.dialogType == DIALOG_MODELER:
            return self._modeler_widget()
        widget = QWidget()
        self.line = QLineEdit()
        self.line.setAccessibleName(self.parameterDefinition().description())
        self.line.setPlaceholderText(
            translate("Bandwise", "Drop a product here, its folder or any file of it")
        )
        layout = QHBoxLayout(widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line)
        for text, opens in (
            (translate("Bandwise", "File…"), self.choose_file),
            (translate("Bandwise", "Folder…"), self.choose_folder),
        ):
            button = QToolButton()
            button.setText(text)
            button.clicked.connect(opens)
            layout.addWidget(button)
        self.line.textChanged.connect(lambda: self.widgetValueHasChanged.emit(self))
        self._drops = _Drops(self, widget)
        self.line.installEventFilter(self._drops)
        return widget

    def _modeler_widget(self) -> QComboBox:
        combo = QComboBox()
        combo.setEditable(True)
        combo.addItem("", None)
        for value in self.dialog.getAvailableValuesOfType(
            [QgsProcessingParameterFile, QgsProcessingParameterString],
            [QgsProcessingOutputFile, QgsProcessingOutputString],
        ):
            combo.addItem(self.dialog.resolveValueDescription(value), value)
        return combo

    def postInitialize(self, wrappers: list[Any]) -> None:
        if self.dialogType == DIALOG_STANDARD:
            self.dialog.setAcceptDrops(True)
            self.dialog.installEventFilter(self._drops)
            offer_preview(self.dialog, wrappers)

    def setValue(self, value: Any) -> None:
        if self.dialogType == DIALOG_MODELER:
            self.setComboValue(value)
        else:
            self.line.setText("" if value is None else str(value))

    def value(self) -> Any:
        return self.comboValue() if self.dialogType == DIALOG_MODELER else self.line.text() or None

    def choose_file(self) -> None:
        """Let the user choose a metadata file, a band or an archive."""
        title = translate("Bandwise", "A file of the scene")
        self._take(QFileDialog.getOpenFileName(self.widget, title, self._beginning())[0])

    def choose_folder(self) -> None:
        """Let the user choose the folder of a product."""
        title = translate("Bandwise", "Folder of the scene")
        self._take(QFileDialog.getExistingDirectory(self.widget, title, self._beginning()))

    def _beginning(self) -> str:
        return self.line.text() or QgsSettings().value(_LAST, "", str)

    def _take(self, path: str) -> None:
        if path:
            QgsSettings().setValue(_LAST, str(Path(path).parent))
            self.setValue(path)


class _Drops(QObject):
    """Takes a folder or file that is dropped on the line or elsewhere in the window."""

    def __init__(self, wrapper: SceneWrapper, parent: QWidget) -> None:
        super().__init__(parent)
        self._wrapper = wrapper

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind not in (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop):
            return False
        path = _local_path(event.mimeData())
        if not path:
            return False
        event.acceptProposedAction()
        if kind == QEvent.Type.Drop:
            self._wrapper.setValue(path)
        return True


def _local_path(data: QMimeData | None) -> str:
    """Return the only file or folder that is dropped; empty for anything else."""
    urls = data.urls() if data is not None else []
    return urls[0].toLocalFile() if len(urls) == 1 else ""
