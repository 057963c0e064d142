# SPDX-License-Identifier: GPL-2.0-or-later
"""The check of a text a moment after the last key; a long text is checked in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from ...engine.planning.editing.check import Checked, Options, check_text
from ...engine.planning.editing.described import Nameable

DELAY = 120  #: milliseconds after the last key
LONGEST_AT_ONCE = 2_000  #: characters that are checked in the thread of the window
_POLL = 15  #: milliseconds between looks for the end of a thread


class Background(QObject):
    """Does one work after another in a thread; :attr:`done` tells the result of the last one that was asked for.

    The thread touches nothing of Qt: it may end after the window was closed.
    """

    done = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: Callable[[], Any] | None = None
        self._thread: threading.Thread | None = None
        self._results: list[Any] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL)
        self._timer.timeout.connect(self._look)

    @property
    def is_busy(self) -> bool:
        """Whether a result is still to come."""
        return self._thread is not None

    def start(self, work: Callable[[], Any]) -> None:
        """Have ``work`` done, in place of one that waits."""
        self._waiting = work
        if self._thread is None:
            self._next()

    def forget(self) -> None:
        """Let nobody hear of what is being done."""
        self._waiting = None
        self._results = []

    def _next(self) -> None:
        work, self._waiting = self._waiting, None
        results = self._results = []
        if work is None:
            return
        # a result is put in place in one step
        target = partial(_work, work, results)
        self._thread = threading.Thread(target=target, daemon=True)
        self._thread.start()
        self._timer.start()

    def _look(self) -> None:
        if self._thread is None or self._thread.is_alive():
            return
        self._thread = None
        self._timer.stop()
        results = self._results
        if self._waiting is not None:
            self._next()
        elif results:
            self.done.emit(results[0])


def _work(work: Callable[[], Any], results: list[Any]) -> None:
    results.append(work())


class LiveCheck(QObject):
    """Asks the engine what a text means; :attr:`checked` tells the last answer, never an outdated one."""

    checked = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.answer: Checked | None = None
        self._question = ("", Nameable(), Options())
        self._background = Background(self)
        self._background.done.connect(self._end)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self.start)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._background.is_busy or bool(self._timer.isActive())

    def ask(self, text: str, nameable: Nameable, options: Options) -> None:
        """Have a text checked in a moment."""
        self._question = (text, nameable, options)
        self._background.forget()
        self._timer.start()

    def start(self) -> None:
        """Have the text checked now."""
        work = partial(check_text, *self._question)
        if len(self._question[0]) <= LONGEST_AT_ONCE:
            self._end(work())
        else:
            self._background.start(work)

    def _end(self, checked: Checked) -> None:
        self.answer = checked
        self.checked.emit(checked)
