# SPDX-License-Identifier: GPL-2.0-or-later
"""An editor with one line below it, that says what the text means or what is wrong with it."""

from __future__ import annotations

import html
from collections.abc import Callable

from qgis.PyQt.QtCore import QCoreApplication, QEvent, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from ...engine.expression.editing.completion import Candidate
from ...engine.expression.editing.parts import results_named
from ...engine.messages import Text
from ...engine.planning.editing.check import Caution, Checked, Options
from ...engine.planning.editing.described import Nameable
from ...engine.planning.editing.names import candidates, vocabulary
from .editor import ExpressionEdit
from .highlighter import error_colour, quiet_colour, tinted
from .live_check import LiveCheck

translate = QCoreApplication.translate

_CAUTION, _LINK = 40, 212  #: hues
_LINES = 2  #: of the line below, for which room is kept


class ExpressionPanel(QWidget):
    """``say`` turns a sentence of the engine into the user's language; ``brief`` shows one caution alone.

    :attr:`mended` tells the setting that a link of the line below asks for.
    """

    changed = pyqtSignal()
    mended = pyqtSignal(object)

    def __init__(
        self, say: Callable[[Text], str], *, brief: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._say, self._brief = say, brief
        self._nameable, self._options = Nameable(), Options()
        self._candidates: list[Candidate] = []
        self._cautions: list[Caution] = []
        self.edit = ExpressionEdit()
        self.setFocusProxy(self.edit)
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.line.setTextFormat(Qt.TextFormat.RichText)
        self.line.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.line.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.line.setMinimumHeight(self.line.fontMetrics().lineSpacing() * _LINES)
        self.line.setAccessibleName(translate("Bandwise", "Check of the expression"))
        self.line.linkActivated.connect(self._follow)
        self.buttons = QVBoxLayout()
        self.buttons.setAlignment(Qt.AlignmentFlag.AlignTop)
        beside = QHBoxLayout()
        beside.addWidget(self.edit, 1)
        beside.addLayout(self.buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(beside, 1)
        layout.addWidget(self.line)
        self.check = LiveCheck(self)
        self.check.checked.connect(self._show)
        self.edit.textChanged.connect(self._ask)
        self.edit.textChanged.connect(self.changed)
        self.set_surroundings(Nameable(), Options())

    def add_button(self, text: str, tool_tip: str) -> QToolButton:
        """Add a button beside the editor."""
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tool_tip)
        button.setAccessibleName(tool_tip)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.buttons.addWidget(button)
        return button

    def text(self) -> str:
        return str(self.edit.toPlainText())

    def set_text(self, text: str) -> None:
        """Replace the text; undo brings the former one back."""
        if text != self.text():
            cursor = self.edit.textCursor()
            cursor.select(cursor.SelectionType.Document)
            cursor.insertText(text)

    def set_surroundings(self, nameable: Nameable, options: Options) -> None:
        """Take over the rasters and options that the text is checked against."""
        if nameable is not self._nameable or not self._candidates:
            self._candidates = candidates(nameable, self._say)
        self._nameable, self._options = nameable, options
        self._take_names()
        self._ask()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.check.answer is not None:
            self._show(self.check.answer)

    def _take_names(self) -> None:
        results = results_named(self.text())
        self.edit.set_names(self._candidates, vocabulary(self._nameable, results))

    def _ask(self) -> None:
        self.check.ask(self.text(), self._nameable, self._options)

    def _show(self, checked: Checked) -> None:
        """Show an answer of the check."""
        self._cautions = list(checked.cautions)
        sentence = self._say(checked.summary())
        empty = not checked.text.strip()
        wrong = checked.error is not None and not empty
        self.edit.show_error(checked.start, checked.end, sentence if wrong else "")
        self._take_names()
        shown = self._cautions[:1] if self._brief else self._cautions
        lines = [self._headline(sentence, checked, wrong=wrong)]
        lines += [self._caution(number, each) for number, each in enumerate(shown)]
        more = len(self._cautions) - len(shown)
        if more:
            lines[-1] += " " + translate("Bandwise", "(and {count} more)").format(count=more)
        self.line.setText("<br>".join(lines))
        self.line.setToolTip("\n".join([sentence, *(self._say(c.text) for c in self._cautions)]))
        self.line.setAccessibleDescription(sentence)

    def _headline(self, sentence: str, checked: Checked, *, wrong: bool) -> str:
        if not wrong:
            colour = quiet_colour(self.palette())
            return f'<span style="color:{colour.name()}">{html.escape(sentence)}</span>'
        line = checked.text.count("\n", 0, checked.start) + 1
        column = checked.start - checked.text.rfind("\n", 0, checked.start)
        where = translate("Bandwise", "Line {line}, column {column}: {sentence}")
        words = where.format(line=line, column=column, sentence=sentence)
        colour = error_colour(self.palette())
        return f'<span style="color:{colour.name()}">✖ {html.escape(words)}</span>'

    def _caution(self, number: int, caution: Caution) -> str:
        colour = tinted(self.palette(), _CAUTION)
        words = html.escape(self._say(caution.text))
        text = f'<span style="color:{colour.name()}">⚠ {words}</span>'
        if caution.setting is None:
            return text
        offer = translate("Bandwise", "Set it now")
        link = tinted(self.palette(), _LINK).name()
        return f'{text} <a href="{number}" style="color:{link}">{html.escape(offer)}</a>'

    def _follow(self, link: str) -> None:
        if link.isdecimal() and int(link) < len(self._cautions):
            self.mended.emit(self._cautions[int(link)].setting)
