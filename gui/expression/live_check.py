# SPDX-License-Identifier: GPL-2.0-or-later
"""The check of a text a moment after the last key; a long text is checked in a thread of its own."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import NamedTuple

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from ...engine.planning.editing.check import Checked, Options, check_text
from ...engine.planning.editing.described import Nameable

DELAY = 120  #: milliseconds after the last key
LONGEST_AT_ONCE = 2_000  #: characters that are checked in the thread of the window


class _Question(NamedTuple):
    text: str
    nameable: Nameable
    options: Options


class LiveCheck(QObject):
    """Asks the engine what a text means; :attr:`checked` tells the last answer, never an outdated one."""

    checked = pyqtSignal(object)
    _answered = pyqtSignal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.answer: Checked | None = None
        self._question = _Question("", Nameable(), Options())
        self._running = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self._start)
        self._answered.connect(self._end)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._running or bool(self._timer.isActive())

    def ask(self, text: str, nameable: Nameable, options: Options) -> None:
        """Have a text checked in a moment."""
        self._question = _Question(text, nameable, options)
        self._timer.start()

    def _start(self) -> None:
        question = self._question
        if len(question.text) <= LONGEST_AT_ONCE:
            self._end(question, check_text(*question))
        elif not self._running:
            self._running = True
            threading.Thread(target=self._work, args=(question,), daemon=True).start()

    def _work(self, question: _Question) -> None:
        checked = None
        try:
            checked = check_text(*question)
        finally:
            with suppress(RuntimeError):  # the window was closed meanwhile
                self._answered.emit(question, checked)

    def _end(self, question: _Question, checked: Checked | None) -> None:
        if len(question.text) > LONGEST_AT_ONCE:
            self._running = False
        if question is not self._question:
            if not self._timer.isActive():
                self._start()
            return
        if checked is not None:
            self.answer = checked
            self.checked.emit(checked)
