# SPDX-License-Identifier: GPL-2.0-or-later
"""A text field for expressions: highlighting, completion, pairs of brackets, the place of an error."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import QCoreApplication, QEvent, QModelIndex, QSize, Qt
from qgis.PyQt.QtGui import (
    QColor,
    QFontDatabase,
    QHelpEvent,
    QKeyEvent,
    QPalette,
    QStandardItem,
    QStandardItemModel,
    QTextCharFormat,
    QTextCursor,
)
from qgis.PyQt.QtWidgets import QCompleter, QPlainTextEdit, QTextEdit, QToolTip, QWidget

from ...engine.expression.editing.completion import Candidate, completions, typed_before
from ...engine.expression.editing.parts import Part as _Part
from ...engine.expression.editing.parts import Vocabulary, bracket_pair, results_named
from .highlighter import Highlighter, error_colour, units

translate = QCoreApplication.translate

_LEAST_TYPED = 2  #: characters after which completion is offered by itself
_LONGEST_WRAPPED = 20_000  #: characters that a chosen function is put around
_FEW_LINES = 5
_KEYS_OF_LIST = (
    *(Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape),
    *(Qt.Key.Key_Tab, Qt.Key.Key_Backtab),
)


class ExpressionEdit(QPlainTextEdit):
    """Edits one expression; names that can be completed come by :meth:`set_names`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setTabChangesFocus(True)  # the keyboard alone is enough to leave
        self.setAccessibleName(translate("Bandwise", "Expression"))
        self.setAccessibleDescription(
            translate("Bandwise", "Ctrl+Space offers names of bands, results and functions")
        )
        self.setPlaceholderText("(B - A) / (B + A)")
        self.setMinimumHeight(self.sizeHint().height())
        self._highlighter = Highlighter(self.document(), self.palette())
        self._candidates: Sequence[Candidate] = ()
        self._error: tuple[int, int, str] | None = None
        self._model = QStandardItemModel(self)
        self.completer = QCompleter(self._model, self)
        self.completer.setWidget(self)
        self.completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self.completer.popup().setAccessibleName(translate("Bandwise", "Names that fit"))
        self.completer.activated[QModelIndex].connect(self._complete)
        self.cursorPositionChanged.connect(self._mark)

    def sizeHint(self) -> QSize:
        lines = self.fontMetrics().lineSpacing() * _FEW_LINES
        margins = 2 * (int(self.document().documentMargin()) + self.frameWidth())
        return QSize(super().sizeHint().width(), lines + margins)

    def set_names(self, candidates: Sequence[Candidate], vocabulary: Vocabulary) -> None:
        """Take over what can be completed, and which names have a meaning."""
        self._candidates = candidates
        self._highlighter.set_vocabulary(vocabulary)

    def show_error(self, start: int, end: int, sentence: str) -> None:
        """Underline a part of the text; nothing for an empty ``sentence``."""
        self._error = (start, max(end, start + 1), sentence) if sentence else None
        self._mark()

    def position(self) -> int:
        """Return where the cursor is, in characters of Python."""
        text, place = self.toPlainText(), self.textCursor().position()
        return place if text.isascii() else _characters(text, place)

    def insert(self, text: str) -> None:
        """Insert a text at the cursor; ``f()`` goes around what is selected, or has the cursor inside."""
        cursor = self.textCursor()
        selected = cursor.selectedText().replace("\u2029", "\n")
        if text.endswith("()") and len(selected) <= _LONGEST_WRAPPED:
            cursor.insertText(f"{text[:-1]}{selected})")
            if not selected:
                cursor.movePosition(QTextCursor.MoveOperation.PreviousCharacter)
        else:
            cursor.insertText(text)
        self.setTextCursor(cursor)
        self.setFocus()

    def offer(self, *, asked: bool = True) -> None:
        """Show the names that fit what is typed before the cursor; if not ``asked``, only where it is enough."""
        text, place = self.toPlainText(), self.position()
        typed = typed_before(text, place)
        enough = len(typed) >= _LEAST_TYPED or typed.startswith('"')
        fitting: Sequence[Candidate] = ()
        if asked or enough:
            named = [Candidate(name, _Part.RESULT) for name in results_named(text, place)]
            fitting = completions(typed, [*named, *self._candidates])
        done = [each.text for each in fitting] == [typed]
        if not fitting or (done and not asked):
            self.completer.popup().hide()
            return
        self._model.clear()
        for candidate in fitting:
            self._model.appendRow(_item(candidate, len(typed)))
        popup = self.completer.popup()
        popup.setCurrentIndex(self.completer.completionModel().index(0, 0))
        place_of_popup = self.cursorRect()
        width = popup.sizeHintForColumn(0) + 2 * popup.frameWidth()
        place_of_popup.setWidth(width + popup.verticalScrollBar().sizeHint().width())
        self.completer.complete(place_of_popup)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        is_open = self.completer.popup().isVisible()
        if is_open and event.key() in _KEYS_OF_LIST:
            event.ignore()  # the completer handles what its widget does not
            return
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if control and event.key() == keys.Key_Space:
            self.offer()
            return
        if control and event.key() in (keys.Key_Return, keys.Key_Enter):
            event.ignore()  # for the window around
            return
        super().keyPressEvent(event)
        typed = event.text()
        if typed and (typed.isprintable() or event.key() == keys.Key_Backspace) and not control:
            self.offer(asked=is_open)

    def focusNextPrevChild(self, forward: bool) -> bool:
        if self.completer.popup().isVisible():
            return False  # Tab chooses from the list
        return bool(super().focusNextPrevChild(forward))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._error:
            start, end, sentence = self._error
            place = self.cursorForPosition(event.pos()).position()
            if _units(self.toPlainText(), start) <= place <= _units(self.toPlainText(), end):
                QToolTip.showText(event.globalPos(), sentence, self)
                return True
        return bool(super().event(event))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._highlighter.set_palette(self.palette())
            self._mark()

    def _complete(self, index: QModelIndex) -> None:
        text, length = index.data(Qt.ItemDataRole.UserRole) or ("", 0)
        if not text:
            return
        cursor = self.textCursor()
        for _ in range(length):
            cursor.movePosition(
                QTextCursor.MoveOperation.PreviousCharacter, QTextCursor.MoveMode.KeepAnchor
            )
        cursor.removeSelectedText()
        self.setTextCursor(cursor)
        self.insert(text)

    def _mark(self) -> None:
        """Underline the error, and mark the bracket at the cursor and the one that belongs to it."""
        text, marks = self.toPlainText(), []
        if self._error:
            look = QTextCharFormat()
            look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            look.setUnderlineColor(error_colour(self.palette()))
            look.setBackground(_faint(error_colour(self.palette())))
            start, end, _ = self._error
            end = min(end, len(text))
            marks.append(self._selection(text, min(start, max(end - 1, 0)), end, look))
        pair = bracket_pair(text, self.position())
        if pair:
            look = QTextCharFormat()
            missing = pair[1] is None
            highlight = self.palette().color(QPalette.ColorRole.Highlight)
            look.setBackground(_faint(error_colour(self.palette()) if missing else highlight))
            marks += [
                self._selection(text, place, place + 1, look) for place in pair if place is not None
            ]
        self.setExtraSelections(marks)

    def _selection(
        self, text: str, start: int, end: int, look: QTextCharFormat
    ) -> QTextEdit.ExtraSelection:
        mark = QTextEdit.ExtraSelection()
        mark.format = look
        mark.cursor = self.textCursor()
        mark.cursor.setPosition(_units(text, start))
        mark.cursor.setPosition(_units(text, end), QTextCursor.MoveMode.KeepAnchor)
        return mark


def _item(candidate: Candidate, typed: int) -> QStandardItem:
    words = f"{candidate.text}    {candidate.detail}" if candidate.detail else candidate.text
    item = QStandardItem(words)
    item.setEditable(False)
    call = candidate.part is _Part.FUNCTION
    item.setData(
        (f"{candidate.text}()" if call else candidate.text, typed), Qt.ItemDataRole.UserRole
    )
    return item


def _faint(colour: QColor) -> QColor:
    faint = QColor(colour)
    faint.setAlpha(70)
    return faint


def _units(text: str, position: int) -> int:
    """Return the position in Qt's characters."""
    return position if text.isascii() else units(text[:position])


def _characters(text: str, place: int) -> int:
    """Return the position in Python's characters of a place in Qt's."""
    count = 0
    for position, character in enumerate(text):
        if count >= place:
            return position
        count += 2 if character > "\uffff" else 1
    return len(text)
