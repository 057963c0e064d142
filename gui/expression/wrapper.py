# SPDX-License-Identifier: GPL-2.0-or-later
"""The widget of the parameter EXPRESSION in the dialog, the batch table and the modeler."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from processing.gui.wrappers import DIALOG_BATCH, DIALOG_MODELER, WidgetWrapper
from qgis.core import QgsApplication, QgsProcessingModelChildParameterSource
from qgis.gui import QgsGui
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QMessageBox,
    QToolButton,
    QWidget,
)

from ...algorithms.last_resort import translated
from ...algorithms.resources import own_indices_path
from ...engine.errors import BandwiseError
from ...engine.indices.catalogue import load_catalogue
from .dialog import ExpressionDialog
from .panel import ExpressionPanel
from .saved import Saved, SavedExpressions, shipped
from .saved_widget import SaveDialog
from .surroundings import ModelSurroundings, Surroundings

translate = QCoreApplication.translate

_LONGEST_ENTRY = 60  #: characters of an expression in a menu


def saved_path() -> str:
    """Return the file of the user's saved expressions, which need not exist."""
    return str(Path(QgsApplication.qgisSettingsDirPath()) / "bandwise" / "expressions.json")


class ExpressionWrapper(WidgetWrapper):  # type: ignore[misc]
    """An editor in the dialog; a line in the batch table, and QGIS's own widget in the modeler, with a button."""

    _others: tuple[Any, ...] = ()

    def createWidget(self, **options: Any) -> QWidget:
        self.store = SavedExpressions(saved_path())
        if self.dialogType == DIALOG_MODELER:
            return self._modeler_widget()
        if self.dialogType == DIALOG_BATCH:
            return self._cell()
        return self._panel()

    def createLabel(self) -> Any:
        label = super().createLabel()
        if label is not None and self.dialogType != DIALOG_MODELER:
            label.setBuddy(self.panel.edit)
        return label

    def postInitialize(self, wrappers: list[Any]) -> None:
        self._others = tuple(wrappers)
        self._watch({each.parameterDefinition().name(): each for each in wrappers})

    def setValue(self, value: Any) -> None:
        if self.dialogType == DIALOG_MODELER:
            sources = QgsProcessingModelChildParameterSource
            source = value if isinstance(value, sources) else sources.fromStaticValue(value)
            self.native.setWidgetValue(source)
        elif self.dialogType == DIALOG_BATCH:
            self._set_cell("" if value is None else str(value))
        else:
            self.panel.set_text("" if value is None else str(value))

    def value(self) -> Any:
        if self.dialogType == DIALOG_MODELER:
            return self.native.value()
        return self._text if self.dialogType == DIALOG_BATCH else self.panel.text()

    def setWidgetContext(self, context: Any) -> None:
        super().setWidgetContext(context)
        if self.dialogType == DIALOG_MODELER:
            self.native.setWidgetContext(context)

    def registerProcessingContextGenerator(self, generator: Any) -> None:
        super().registerProcessingContextGenerator(generator)
        if self.dialogType == DIALOG_MODELER:
            self.native.registerProcessingContextGenerator(generator)

    def open_dialog(self) -> None:
        """Open the large editor, and take over its text."""
        dialog = self.large_dialog()
        accepted, text = dialog.exec() == QDialog.DialogCode.Accepted, dialog.text()
        dialog.deleteLater()
        if accepted:
            self.take(text)

    def take(self, text: str) -> None:
        """Take over a text of the large editor, which is used then."""
        self.setValue(text)
        if self.dialogType != DIALOG_MODELER:
            self.widgetValueHasChanged.emit(self)
        self._remember()

    def large_dialog(self) -> ExpressionDialog:
        """Return the large editor, with the text and what the other parameters say now."""
        if self.dialogType == DIALOG_MODELER:
            self._watch(self._wrappers_of_model())
        catalogue = load_catalogue(own_indices_path())
        text = self._typed()
        indices = tuple(catalogue.indices.values())
        dialog = ExpressionDialog(text, self.store, translated, indices, self.widget)
        surroundings = self.surroundings

        def follow() -> None:
            with suppress(RuntimeError):  # the large editor was closed before the answer
                dialog.set_surroundings(surroundings.nameable, surroundings.options)

        follow()
        surroundings.changed.connect(follow)
        dialog.finished.connect(lambda: surroundings.changed.disconnect(follow))
        dialog.mended.connect(surroundings.apply)
        surroundings.refresh()
        return dialog

    def _typed(self) -> str:
        """Return the text that is edited: in the modeler that of a value, empty for other sources."""
        value = self.value()
        if isinstance(value, QgsProcessingModelChildParameterSource):
            value = value.staticValue()
        return value if isinstance(value, str) else ""

    def _panel(self) -> QWidget:
        self.panel = ExpressionPanel(translated, brief=True)
        self.surroundings = Surroundings(self.panel)
        more = self.panel.add_button(
            "…",
            translate("Bandwise", "Open the large editor, with all names and saved expressions"),
        )
        more.clicked.connect(self.open_dialog)
        saved = self.panel.add_button("", translate("Bandwise", "Saved expressions"))
        saved.setIcon(QgsApplication.getThemeIcon("mIconFavorites.svg"))
        saved.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(saved)
        self.menu.aboutToShow.connect(self.fill_menu)
        saved.setMenu(self.menu)
        self.panel.changed.connect(lambda: self.widgetValueHasChanged.emit(self))
        self.panel.mended.connect(self.surroundings.apply)
        self.surroundings.changed.connect(self._take_surroundings)
        finished = getattr(self.dialog, "algorithmFinished", None)
        if finished is not None:
            finished.connect(self._remember)
        return self.panel

    def _cell(self) -> QWidget:
        self._text = ""
        widget = QWidget()
        self.surroundings = Surroundings(widget)
        self.line = QLineEdit()
        self.line.setAccessibleName(translate("Bandwise", "Expression"))
        self.line.textEdited.connect(self._take_cell)
        widget.setFocusProxy(self.line)
        self._beside(widget, self.line)
        return widget

    def _modeler_widget(self) -> QWidget:
        plain = self.parameterDefinition().clone()
        plain.setMetadata({})
        registry = QgsGui.processingGuiRegistry()
        dialog = self.dialog
        self.native = registry.createModelerParameterWidget(
            dialog.model, dialog.childId, plain, dialog.context
        )
        self.native.setDialog(dialog)
        widget = QWidget()
        self.surroundings = ModelSurroundings(dialog.resolveValueDescription, widget)
        self._beside(widget, self.native)
        return widget

    def _beside(self, widget: QWidget, field: QWidget) -> None:
        """Put a field into a widget, with the button that opens the large editor beside it."""
        button = QToolButton()
        button.setText("…")
        button.setToolTip(translate("Bandwise", "Open the editor of expressions"))
        button.setAccessibleName(button.toolTip())
        button.clicked.connect(self.open_dialog)
        layout = QHBoxLayout(widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(field, 1)
        layout.addWidget(button)

    def _set_cell(self, text: str) -> None:
        """Show a text in the cell; one of several lines can be changed in the large editor alone."""
        self._text = text
        several = "\n" in text
        self.line.setReadOnly(several)
        self.line.setText(text.replace("\n", " ⏎ ") if several else text)
        self.line.setToolTip(text)
        self.line.setCursorPosition(0)

    def _take_cell(self, text: str) -> None:
        self._text = text
        self.widgetValueHasChanged.emit(self)

    def _watch(self, wrappers: dict[str, Any]) -> None:
        self.surroundings.watch(wrappers)

    def _wrappers_of_model(self) -> dict[str, Any]:
        """Return the other widgets of the modeler's dialog, which tells nobody of them."""
        tabs = getattr(self.dialog, "widget", None)
        return dict(getattr(getattr(tabs, "widget", None), "wrappers", {}))

    def _take_surroundings(self) -> None:
        self.panel.set_surroundings(self.surroundings.nameable, self.surroundings.options)

    def _remember(self, *results: Any) -> None:
        """Put the text before the last ones used; where that cannot be written, nothing is lost but this."""
        with suppress(BandwiseError):
            self.store.use(self._typed())

    def fill_menu(self) -> None:
        """Fill the menu with what is saved now."""
        self.menu.clear()
        store, _ = self.store.load()
        self.menu.addAction(translate("Bandwise", "Save this expression ..."), self._ask_and_save)
        self.menu.addAction(translate("Bandwise", "All saved expressions ..."), self.open_dialog)
        self.menu.addSeparator()
        self._add_entries(self.menu, store.saved)
        recent = tuple(Saved("", text) for text in store.recent)
        for title, entries in (
            (translate("Bandwise", "Last used"), recent),
            (translate("Bandwise", "Examples"), shipped()),
        ):
            if entries:
                self._add_entries(self.menu.addMenu(title), entries)

    def _add_entries(self, menu: QMenu, entries: tuple[Saved, ...]) -> None:
        for saved in entries:
            label = (saved.name or " ".join(saved.expression.split()))[:_LONGEST_ENTRY]
            action = menu.addAction(label.replace("&", "&&"))
            action.setToolTip(saved.expression)
            action.triggered.connect(lambda *_, text=saved.expression: self.panel.set_text(text))

    def _ask_and_save(self) -> None:
        dialog = SaveDialog(self._typed(), self.widget)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        try:
            note = self.store.save(dialog.saved())
        except BandwiseError as error:
            note = error.args[0]
        if note is not None:
            title = translate("Bandwise", "Saved expressions")
            QMessageBox.warning(self.widget, title, translated(note))
