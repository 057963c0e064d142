# SPDX-License-Identifier: GPL-2.0-or-later
"""A list of all indices, to be searched by name, long name and domain, with those that the bands allow."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..engine.indices.catalogue import Index
from ..engine.indices.selection import missing_role

translate = QCoreApplication.translate


class IndicesDialog(QDialog):
    """Chooses indices; ``roles`` are those of the bands, None where they are not known yet."""

    def __init__(
        self,
        indices: Collection[Index],
        chosen: Sequence[str],
        roles: Collection[str] | None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._chosen = list(chosen)
        self.setWindowTitle(translate("Bandwise", "Spectral indices"))
        self.resize(760, 520)
        self.search = QLineEdit()
        self.search.setPlaceholderText(translate("Bandwise", "Search by name, long name or domain"))
        self.search.setClearButtonEnabled(True)
        self.possible = QCheckBox(translate("Bandwise", "Only those that the bands allow"))
        self.possible.setEnabled(roles is not None)
        self.possible.setChecked(roles is not None)
        self.tree = QTreeWidget()
        self.tree.setRootIsDecorated(False)
        self.tree.setHeaderLabels(
            [
                translate("Bandwise", "Index"),
                translate("Bandwise", "Name"),
                translate("Bandwise", "Domain"),
                translate("Bandwise", "Missing band"),
            ]
        )
        for index in indices:
            missing = "" if roles is None else missing_role(index, roles)
            self.tree.addTopLevelItem(_item(index, missing, checked=index.name in self._chosen))
        for column, width in enumerate((120, 360, 100)):
            self.tree.setColumnWidth(column, width)
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        layout = QVBoxLayout(self)
        for widget in (self.search, self.possible, self.tree, buttons):
            layout.addWidget(widget)
        buttons.accepted.connect(super().accept)
        buttons.rejected.connect(super().reject)
        self.search.textChanged.connect(self.show_matches)
        self.possible.toggled.connect(self.show_matches)
        self.show_matches()

    def items(self) -> list[QTreeWidgetItem]:
        """All rows, shown or not."""
        return [self.tree.topLevelItem(row) for row in range(self.tree.topLevelItemCount())]

    def show_matches(self) -> None:
        """Show the rows that hold all words of the search; what is ticked stays in sight."""
        words = self.search.text().lower().split()
        for item in self.items():
            text = " ".join(item.text(column) for column in range(3)).lower()
            fits = all(word in text for word in words)
            if self.possible.isChecked() and item.text(3):
                fits = fits and item.checkState(0) == Qt.CheckState.Checked
            item.setHidden(not fits)

    def names(self) -> list[str]:
        """Names that are ticked: those that were chosen in their order, then the others."""
        ticked = [
            item.text(0) for item in self.items() if item.checkState(0) == Qt.CheckState.Checked
        ]
        kept = [name for name in self._chosen if name in ticked]
        return kept + [name for name in ticked if name not in kept]


def _item(index: Index, missing: str, *, checked: bool) -> QTreeWidgetItem:
    item = QTreeWidgetItem([index.name, index.long_name, index.domain, missing])
    for column in range(4):
        item.setToolTip(column, f"{index.name} = {index.formula}\n{index.source}".strip())
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(0, Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
    return item
