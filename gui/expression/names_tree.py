# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree of everything that an expression can name; a double click, Enter or a drag inserts it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from qgis.PyQt.QtCore import QCoreApplication, QMimeData, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from ...engine.credentials import file_name
from ...engine.expression.editing.function_help import FUNCTION_HELP, OPERATORS
from ...engine.expression.names import letter_of
from ...engine.indices.catalogue import Index
from ...engine.messages import Text
from ...engine.planning.editing.check import Options
from ...engine.planning.editing.described import DescribedBand, DescribedRaster, Nameable
from ...engine.planning.editing.names import (
    band_words,
    bands_by_role,
    index_text,
    names_of,
    product_names,
    role_words,
)
from ...engine.radiometry.scaling import Scaling

translate = QCoreApplication.translate

_INSERTED = Qt.ItemDataRole.UserRole
_HELP = Qt.ItemDataRole.UserRole + 1
_NAME_WIDTH = 30  #: characters


class NamesTree(QTreeWidget):
    """:attr:`chosen` tells the text that is to be inserted, :attr:`explained` help on the current row."""

    chosen = pyqtSignal(str)
    explained = pyqtSignal(str)

    def __init__(self, say: Callable[[Text], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say = say
        self._words: list[str] = []
        self.setAccessibleName(translate("Bandwise", "What can be named"))
        self.setHeaderLabels(
            [
                translate("Bandwise", "Name"),
                translate("Bandwise", "Description"),
                translate("Bandwise", "Type"),
                translate("Bandwise", "Nodata"),
                translate("Bandwise", "Scale"),
                translate("Bandwise", "Offset"),
            ]
        )
        self.header().setStretchLastSection(False)
        modes = QHeaderView.ResizeMode
        for column in range(self.columnCount()):
            self.header().setSectionResizeMode(column, modes.ResizeToContents)
        self.header().setSectionResizeMode(0, modes.Interactive)
        self.header().setSectionResizeMode(1, modes.Stretch)
        self.setColumnWidth(0, _NAME_WIDTH * self.fontMetrics().averageCharWidth())
        self.setDragEnabled(True)
        self.setDragDropMode(QTreeWidget.DragDropMode.DragOnly)
        self.itemDoubleClicked.connect(self._choose)
        self.currentItemChanged.connect(self._explain)
        self._rasters = self._group(translate("Bandwise", "Rasters and bands"))
        self._roles = self._group(translate("Bandwise", "Bands by role, as reflectance"))
        self._results = self._group(translate("Bandwise", "Results named before"))
        self._functions = self._group(translate("Bandwise", "Functions"))
        self._operators = self._group(translate("Bandwise", "Operators"))
        self._indices = self._group(translate("Bandwise", "Spectral indices"))
        self._fill_language()
        self.show_matches("")

    def set_surroundings(self, nameable: Nameable, options: Options) -> None:
        """Show the rasters and bands, and how their values will be read."""
        self._rasters.takeChildren()
        for position, raster in enumerate(nameable.rasters):
            self._rasters.addChild(self._raster(position, raster, options))
        if nameable.problem is not None:
            self._rasters.addChild(_row("", self._say(nameable.problem)))
        for item in _below(self._rasters):
            item.setExpanded(item.childCount() <= 30)
        self._rasters.setExpanded(True)
        self._fill_roles(nameable, options)
        self.show_matches(" ".join(self._words))

    def _fill_roles(self, nameable: Nameable, options: Options) -> None:
        """Show the bands by role, which are reflectance where others are stored values."""
        self._roles.takeChildren()
        if options.radiometry.scaling is Scaling.STORED:
            radiometry = options.radiometry._replace(scaling=Scaling.AUTOMATIC)
            options = replace(options, radiometry=radiometry)
        known = product_names(nameable)
        for named in nameable.roles.bands():
            band = nameable.by_role.get(named.place)
            if band is not None:
                own = band.name.name if band.name else ""
                also = [own] if own in known else []
                row = self._band((named.name, *also), band, options)
                row.setText(1, role_words(named))
                self._roles.addChild(row)
        self._roles.setExpanded(self._roles.childCount() <= 30)

    def set_results(self, names: Sequence[str]) -> None:
        """Show the results that have a name."""
        self._results.takeChildren()
        for name in names:
            self._results.addChild(_row(name, "", inserted=name))
        self._results.setExpanded(True)
        self._matches(self._results)

    def set_indices(self, indices: Iterable[Index], nameable: Nameable) -> None:
        """Show the indices whose bands are known, as expressions over these."""
        bands = bands_by_role(nameable)
        self._indices.takeChildren()
        for index in indices:
            text = index_text(index, bands)
            if text:
                row = _row(index.name, index.long_name, inserted=f"({text})")
                row.setData(0, _HELP, f"{index.name} = {index.formula}\n{index.source}".strip())
                self._indices.addChild(row)
        self._matches(self._indices)

    def show_matches(self, words: str) -> None:
        """Show the rows with all words in their name, description or help, and groups that have some."""
        self._words = words.lower().split()
        for row in range(self.topLevelItemCount()):
            self._matches(self.topLevelItem(row))

    def _matches(self, item: QTreeWidgetItem) -> bool:
        """Hide or show a row and those below it; return whether it is shown."""
        below = [self._matches(child) for child in _below(item)]
        text = f"{item.text(0)} {item.text(1)} {item.data(0, _HELP) or ''}".lower()
        own = item.parent() is not None and all(word in text for word in self._words)
        shown = any(below) or own
        item.setHidden(not shown)
        if self._words and any(below):
            item.setExpanded(True)
        return shown

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentItem():
            self._choose(self.currentItem())
            return
        super().keyPressEvent(event)

    def mimeTypes(self) -> list[str]:
        return ["text/plain"]

    def mimeData(self, items: Iterable[QTreeWidgetItem]) -> QMimeData:
        data = QMimeData()
        texts = [item.data(0, _INSERTED) for item in items]
        data.setText(" ".join(text for text in texts if text))
        return data

    def _choose(self, item: QTreeWidgetItem, column: int = 0) -> None:
        del column
        text = item.data(0, _INSERTED)
        if text:
            self.chosen.emit(text)

    def _explain(self, item: QTreeWidgetItem | None) -> None:
        self.explained.emit(str(item.data(0, _HELP) or item.text(1)) if item else "")

    def _group(self, title: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem([title])
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        self.addTopLevelItem(item)
        item.setFirstColumnSpanned(True)
        return item

    def _fill_language(self) -> None:
        example = translate("Bandwise", "Example: {text}")
        for topic, entries in FUNCTION_HELP.items():
            group = QTreeWidgetItem([self._say(topic.value)])
            self._functions.addChild(group)
            group.setFirstColumnSpanned(True)
            for entry in entries:
                row = _row(entry.call, self._say(entry.help), inserted=f"{entry.name}()")
                words = (
                    f"{entry.call}: {self._say(entry.help)}\n{example.format(text=entry.example)}"
                )
                if entry.aliases:
                    other = translate("Bandwise", "Also: {names}")
                    words += "\n" + other.format(names=", ".join(entry.aliases))
                row.setData(0, _HELP, words)
                group.addChild(row)
        for sign, words in OPERATORS:
            self._operators.addChild(_row(sign, self._say(words), inserted=f" {sign} "))

    def _raster(self, position: int, raster: DescribedRaster, options: Options) -> QTreeWidgetItem:
        letter = letter_of(position)
        words = raster.name if raster.problem is None else self._say(raster.problem)
        item = _row(letter, words, inserted=letter)
        item.setData(0, _HELP, f"{letter} = {raster.name}\n{file_name(raster.path)}".strip())
        for band, names in zip(raster.bands, names_of(position, raster)):
            item.addChild(self._band(names, band, options))
        return item

    def _band(self, names: Sequence[str], band: DescribedBand, options: Options) -> QTreeWidgetItem:
        written = next((name for name in names if "@" in name), names[0])
        words = band_words(band) if band.problem is None else self._say(band.problem)
        item = _row(written, words, inserted=written)
        radiometry = band.radiometry(options.radiometry)
        others = [name for name in names if name != written]
        also = translate("Bandwise", "Also: {names}")
        lines = [also.format(names="  ".join(others))] if others else []
        if band.facts:
            item.setText(2, band.facts.dtype.name)
        if radiometry:
            nodata = "" if radiometry.nodata is None else f"{radiometry.nodata:g}"
            for column, text in enumerate(
                (nodata, f"{radiometry.scale:g}", f"{radiometry.offset:g}")
            ):
                item.setText(3 + column, text)
            scaling = translate("Bandwise", "Scale and offset: {source}")
            declared = translate("Bandwise", "Nodata: {source}")
            lines.append(scaling.format(source=self._say(radiometry.scaling_source)))
            lines.append(declared.format(source=self._say(radiometry.nodata_source)))
        item.setData(0, _HELP, "\n".join(lines))
        return item


def _row(name: str, words: str, *, inserted: str = "") -> QTreeWidgetItem:
    item = QTreeWidgetItem([name, words])
    item.setData(0, _INSERTED, inserted)
    item.setToolTip(1, words)
    flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
    item.setFlags(flags | Qt.ItemFlag.ItemIsDragEnabled if inserted else flags)
    return item


def _below(item: QTreeWidgetItem) -> Iterable[QTreeWidgetItem]:
    return (item.child(row) for row in range(item.childCount()))
