# SPDX-License-Identifier: GPL-2.0-or-later
"""The large editor: a tree of names, the editor with its check, and the saved expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from qgis.PyQt.QtCore import QCoreApplication, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...engine.expression.editing.parts import results_named
from ...engine.indices.catalogue import Index
from ...engine.messages import Text
from ...engine.planning.editing.check import Checked, Options
from ...engine.planning.editing.described import Nameable
from .names_tree import NamesTree
from .panel import ExpressionPanel
from .saved import SavedExpressions
from .saved_widget import SavedWidget

translate = QCoreApplication.translate

_HELP_LINES = 5
_LEFT, _RIGHT = 520, 480  #: parts of the width


class ExpressionDialog(QDialog):
    """Edits an expression; :attr:`mended` tells a setting that the user wants."""

    mended = pyqtSignal(object)

    def __init__(
        self,
        text: str,
        store: SavedExpressions,
        say: Callable[[Text], str],
        indices: Sequence[Index] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._indices = indices
        self.setWindowTitle(translate("Bandwise", "Expression"))
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.panel = ExpressionPanel(say)
        self.panel.set_text(text)
        self.panel.edit.document().clearUndoRedoStacks()
        self.search = QLineEdit()
        self.search.setPlaceholderText(
            translate("Bandwise", "Search bands, functions, operators and indices")
        )
        self.search.setAccessibleName(self.search.placeholderText())
        self.search.setClearButtonEnabled(True)
        self.tree = NamesTree(say)
        self.help = QLabel(translate("Bandwise", "A double click, Enter or a drag inserts a name."))
        self.help.setWordWrap(True)
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.help.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.help.setMinimumHeight(self.help.fontMetrics().lineSpacing() * _HELP_LINES)
        self.saved = SavedWidget(store, say, self.panel.text)
        kinds = QDialogButtonBox.StandardButton
        self.box = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        self._arrange()
        self.search.textChanged.connect(self.tree.show_matches)
        self.tree.chosen.connect(self.panel.edit.insert)
        self.tree.explained.connect(self.help.setText)
        self.saved.chosen.connect(self.panel.set_text)
        self.panel.check.checked.connect(self._take_results)
        self.panel.mended.connect(self.mended)
        self.box.accepted.connect(super().accept)
        self.box.button(kinds.Ok).setToolTip(translate("Bandwise", "Ctrl+Enter"))
        self.box.rejected.connect(super().reject)
        self.panel.edit.setFocus()

    def text(self) -> str:
        return self.panel.text()

    def set_surroundings(self, nameable: Nameable, options: Options) -> None:
        """Take over the rasters and options of the other parameters."""
        self.panel.set_surroundings(nameable, options)
        self.tree.set_surroundings(nameable, options)
        self.tree.set_indices(self._indices, nameable)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Ctrl+Enter for OK; Enter goes from a search to the rows that were found."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.accept()
        elif self.search.hasFocus():
            _go_to(self.tree)
        elif self.saved.search.hasFocus():
            _go_to(self.saved.tree)
        else:
            super().keyPressEvent(event)

    def _arrange(self) -> None:
        left, right = QWidget(), QSplitter(Qt.Orientation.Vertical)
        names = QVBoxLayout(left)
        names.setContentsMargins(0, 0, 0, 0)
        names.addWidget(self.search)
        names.addWidget(self.tree, 1)
        names.addWidget(self.help)
        right.addWidget(self.panel)
        right.addWidget(self.saved)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setChildrenCollapsible(False)
        splitter.setSizes([_LEFT, _RIGHT])
        layout = QVBoxLayout(self)
        layout.addWidget(splitter, 1)
        layout.addWidget(self.box)
        # the editor is the first that the keyboard reaches
        self.setTabOrder(self.panel.edit, self.panel.line)
        self.setTabOrder(self.panel.line, self.search)
        width = self.fontMetrics().averageCharWidth()
        self.resize(180 * width, 45 * self.fontMetrics().lineSpacing())

    def _take_results(self, checked: Checked) -> None:
        if checked.error is None:
            self.tree.set_results(results_named(checked.text))


def _go_to(tree: QTreeWidget) -> None:
    """Give a tree the focus, with the first row that is shown as the current one."""
    first = next(_rows_found(tree.invisibleRootItem()), None)
    if first is not None:
        tree.setCurrentItem(first)
        tree.setFocus()


def _rows_found(item: QTreeWidgetItem) -> Iterator[QTreeWidgetItem]:
    """Yield the rows below ``item`` that are shown and have none below them, but no groups."""
    for child in (item.child(row) for row in range(item.childCount())):
        if child.isHidden():
            continue
        yield from _rows_found(child)
        if child.parent() is not None and not child.childCount():
            yield child
