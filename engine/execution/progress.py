# SPDX-License-Identifier: GPL-2.0-or-later
"""Callbacks of a run: progress, log and cancelling."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Optional

from ..job import Note
from ..messages import translate
from ..planning.log import MEGABYTE

#: Called with the fraction that is done (0 to 1, never decreasing) and a line for the log, or None.
Progress = Callable[[float, Optional[Note]], None]
Cancel = Callable[[], bool]

_SECONDS_BETWEEN_LINES = 5.0


class Pace:
    """Reports every few seconds the progress, the speed and the remaining time."""

    def __init__(self, count: int, size: int) -> None:
        self.count, self.size = count, size
        self.started = self.last = time.monotonic()

    def line(self, done: int) -> Note | None:
        """Return a line for the log after ``done`` windows; None if the last is too recent."""
        now = time.monotonic()
        if done < self.count and now - self.last < _SECONDS_BETWEEN_LINES:
            return None
        self.last = now
        elapsed = max(now - self.started, 1e-9)
        return Note(
            translate(
                "Bandwise", "{done} of {count} windows, {speed:.0f} MB/s read, {left:.0f} s left"
            ).format(
                done=done,
                count=self.count,
                speed=self.size * done / self.count / MEGABYTE / elapsed,
                left=elapsed / done * (self.count - done),
            )
        )
