# SPDX-License-Identifier: GPL-2.0-or-later
"""The list of saved expressions, to be searched, used, saved, deleted, imported and exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qgis.PyQt.QtCore import QCoreApplication, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...engine.errors import BandwiseError
from ...engine.messages import Text
from .saved import Saved, SavedExpressions, shipped

translate = QCoreApplication.translate

_SAVED = Qt.ItemDataRole.UserRole
_OWN = Qt.ItemDataRole.UserRole + 1


class SavedWidget(QWidget):
    """:attr:`chosen` tells an expression that is to be used; ``current`` returns the one to be saved."""

    chosen = pyqtSignal(str)

    def __init__(
        self,
        store: SavedExpressions,
        say: Callable[[Text], str],
        current: Callable[[], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._say, self._current = store, say, current
        self.search = QLineEdit()
        self.search.setPlaceholderText(translate("Bandwise", "Search saved expressions"))
        self.search.setAccessibleName(self.search.placeholderText())
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.show_matches)
        self.tree = _Tree()
        self.tree.setAccessibleName(translate("Bandwise", "Saved expressions"))
        self.tree.setHeaderLabels(
            [
                translate("Bandwise", "Name"),
                translate("Bandwise", "Expression"),
                translate("Bandwise", "Tags"),
            ]
        )
        self.tree.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self.tree.setColumnWidth(0, 240)
        self.tree.setColumnWidth(1, 240)
        self.tree.itemDoubleClicked.connect(self.use)
        self.tree.entered.connect(self.use)
        self.tree.itemSelectionChanged.connect(self._enable)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.hide()
        buttons = QHBoxLayout()
        self.buttons = {
            name: self._button(buttons, label, action)
            for name, label, action in (
                ("use", translate("Bandwise", "&Use"), self.use),
                ("save", translate("Bandwise", "&Save ..."), self.ask_and_save),
                ("delete", translate("Bandwise", "&Delete"), self.delete),
                ("import", translate("Bandwise", "&Import ..."), self.ask_and_import),
                ("export", translate("Bandwise", "&Export ..."), self.ask_and_export),
            )
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.search, self.tree, self.note):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        self.fill()

    def fill(self) -> None:
        """Show what the file has now."""
        store, problem = self._store.load()
        self.tell("" if problem is None else self._say(problem))
        self.tree.clear()
        own = self._group(translate("Bandwise", "Yours"))
        recent = self._group(translate("Bandwise", "Last used"))
        plugin = self._group(translate("Bandwise", "Examples"))
        for saved in sorted(store.saved, key=lambda each: each.name.lower()):
            _add(own, saved, own=True)
        for text in store.recent:
            _add(recent, Saved("", text))
        for saved in shipped():
            _add(plugin, saved)
        for group in (own, recent):
            group.setHidden(not group.childCount())
        self.show_matches()
        self._enable()

    def tell(self, sentence: str) -> None:
        """Show a sentence below the list."""
        self.note.setText(sentence)
        self.note.setVisible(bool(sentence))

    def rows(self) -> list[QTreeWidgetItem]:
        """Return all rows with an expression, shown or not."""
        groups = [self.tree.topLevelItem(row) for row in range(self.tree.topLevelItemCount())]
        return [group.child(row) for group in groups for row in range(group.childCount())]

    def show_matches(self) -> None:
        """Show the rows that hold all words of the search."""
        words = self.search.text().lower().split()
        for item in self.rows():
            saved: Saved = item.data(0, _SAVED)
            text = f"{saved.name} {saved.expression} {saved.description} {' '.join(saved.tags)}"
            item.setHidden(not all(word in text.lower() for word in words))

    def chosen_rows(self) -> list[QTreeWidgetItem]:
        """Return the selected rows that have an expression."""
        return [item for item in self.tree.selectedItems() if item.data(0, _SAVED)]

    def use(self) -> None:
        for item in self.chosen_rows()[:1]:
            self.chosen.emit(item.data(0, _SAVED).expression)

    def delete(self) -> None:
        """Delete the user's own that are selected."""
        with self._sentences():
            for item in self.chosen_rows():
                if item.data(0, _OWN):
                    self._store.delete(item.data(0, _SAVED).name)
            self.fill()

    def save(self, saved: Saved) -> None:
        """Save an expression, in place of one with its name."""
        with self._sentences():
            note = self._store.save(saved)
            self.fill()
            self.tell("" if note is None else self._say(note))

    def ask_and_save(self) -> None:
        dialog = SaveDialog(self._current(), self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.save(dialog.saved())

    def ask_and_import(self) -> None:
        title = translate("Bandwise", "Import expressions")
        path, _ = QFileDialog.getOpenFileName(self, title, "", "JSON (*.json)")
        if path:
            self.import_file(path)

    def import_file(self, path: str) -> None:
        """Add the expressions of a file."""
        with self._sentences():
            count = self._store.import_file(path)
            self.fill()
            self.tell(translate("Bandwise", "{count} expressions were added").format(count=count))

    def ask_and_export(self) -> None:
        title = translate("Bandwise", "Export expressions")
        path, _ = QFileDialog.getSaveFileName(self, title, "expressions.json", "JSON (*.json)")
        if path:
            self.export_file(path)

    def export_file(self, path: str) -> None:
        """Write the rows that are selected, or all of the user's own."""
        rows = self.chosen_rows() or [item for item in self.rows() if item.data(0, _OWN)]
        saved = [item.data(0, _SAVED) for item in rows]
        with self._sentences():
            self._store.export_file(path, [each for each in saved if each.name])

    def _group(self, title: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem([title])
        self.tree.addTopLevelItem(item)
        item.setExpanded(True)
        return item

    def _button(self, layout: QHBoxLayout, label: str, action: Callable[[], None]) -> QPushButton:
        button = QPushButton(label)
        button.setAutoDefault(False)
        button.clicked.connect(action)
        layout.addWidget(button)
        return button

    def _enable(self) -> None:
        rows = self.chosen_rows()
        self.buttons["use"].setEnabled(len(rows) == 1)
        self.buttons["delete"].setEnabled(any(item.data(0, _OWN) for item in rows))

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """Show an error of the engine as a sentence."""
        try:
            yield
        except BandwiseError as error:
            self.tell(self._say(error.args[0]))


class SaveDialog(QDialog):
    """Asks for the name, description and tags of an expression."""

    def __init__(self, expression: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._expression = expression
        self.setWindowTitle(translate("Bandwise", "Save expression"))
        self.name, self.description, self.tags = QLineEdit(), QLineEdit(), QLineEdit()
        self.tags.setPlaceholderText(translate("Bandwise", "Words separated by commas"))
        kinds = QDialogButtonBox.StandardButton
        self.box = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        layout = QFormLayout(self)
        layout.addRow(translate("Bandwise", "&Name"), self.name)
        layout.addRow(translate("Bandwise", "&Description"), self.description)
        layout.addRow(translate("Bandwise", "&Tags"), self.tags)
        layout.addRow(self.box)
        self.box.accepted.connect(super().accept)
        self.box.rejected.connect(super().reject)
        self.name.textChanged.connect(self._enable)
        self._enable()

    def saved(self) -> Saved:
        """Return the expression with what was typed."""
        tags = tuple(filter(None, (tag.strip() for tag in self.tags.text().split(","))))
        return Saved(
            self.name.text().strip(), self._expression, self.description.text().strip(), tags
        )

    def _enable(self) -> None:
        accept = self.box.button(QDialogButtonBox.StandardButton.Ok)
        accept.setEnabled(bool(self.name.text().strip() and self._expression.strip()))


class _Tree(QTreeWidget):
    """A tree that tells when Enter is pressed."""

    entered = pyqtSignal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
            return
        super().keyPressEvent(event)


def _add(group: QTreeWidgetItem, saved: Saved, *, own: bool = False) -> None:
    one_line = " ".join(saved.expression.split())
    item = QTreeWidgetItem([saved.name or one_line, one_line, ", ".join(saved.tags)])
    item.setData(0, _SAVED, saved)
    item.setData(0, _OWN, own)
    for column in range(3):
        item.setToolTip(column, f"{saved.description}\n{saved.expression}".strip())
    group.addChild(item)
