# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading the pieces of an expression at a place that moves forward; every piece is looked at once."""

from __future__ import annotations

import math
import re
from collections import deque

_BLANK = re.compile(r"(?:\s+|#[^\n]*)*")
_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F]+|0[bB][01]+|(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII
)
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)
_QUOTED = re.compile(r'"([^"]*)"')
_LAYER_RUN = re.compile(r"[\w./:\-\u0080-\U0010ffff]+(?:@([0-9]{1,9})(?![\w@]))?")
_BAND = re.compile(r'@(?:(\d+)|"([^"]*)"|([A-Za-z_]\w*))', re.ASCII)
_SIGN = re.compile(r"\*\*|//|<<|>>|<=|>=|==|!=|<>|&&|\|\||:=|[-+*/%^&|~!<>=?:(),;]")
_LONGEST_NAME = 255
_LONGEST_NUMBER = 1000


class Lexer:
    """``position`` is where reading goes on.

    The methods that read give None, and do not move, where their piece is not there.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._runs = deque(
            (run.start(), run.start(1) - 1, run.end())
            for run in _LAYER_RUN.finditer(text)
            if run[1] is not None
        )

    def at_end(self) -> bool:
        return self.position >= len(self.text)

    def skip_blank(self) -> None:
        """Move over blanks, line breaks and comments."""
        character = self.character()
        if character != "#" and not character.isspace():
            return
        blank = _BLANK.match(self.text, self.position)
        self.position = blank.end() if blank else self.position

    def character(self) -> str:
        """The character here; empty at the end."""
        return self.text[self.position : self.position + 1]

    def sign(self) -> str:
        """The operator or bracket here, without moving; empty for none."""
        sign = _SIGN.match(self.text, self.position)
        return sign[0] if sign else ""

    def word(self, *, dotted: bool = False) -> str:
        """The name here, with ``dotted`` a chain of them, without moving; empty for none."""
        word = (_DOTTED if dotted else _WORD).match(self.text, self.position)
        return word[0] if word else ""

    def precedes(self, sign: str, end: int) -> bool:
        """Whether, blanks aside, ``sign`` comes next after ``end``."""
        if self.text.startswith(sign, end):
            return True
        blank = _BLANK.match(self.text, end)
        return blank is not None and self.text.startswith(sign, blank.end())

    def number(self) -> float | None:
        """The number here: decimal, or as Python writes hexadecimal and binary ones; infinite where it is too large."""
        number = _NUMBER.match(self.text, self.position)
        if not number:
            return None
        digits = self._moved(number)[0].lower()
        if len(digits) > _LONGEST_NUMBER:
            return math.inf
        if digits[:2] in ("0x", "0b"):
            whole = int(digits, 0)
            return float(whole) if whole <= 2**53 else math.inf
        return float(digits)

    def quoted(self) -> str | None:
        """What double quotes hold."""
        quoted = _QUOTED.match(self.text, self.position)
        return self._moved(quoted)[1] if quoted else None

    def band(self) -> int | str | None:
        """The number or description of a band behind ``@``."""
        band = _BAND.match(self.text, self.position)
        if not band:
            return None
        self._moved(band)
        if band[1] is not None:
            return int(band[1]) if len(band[1]) < 10 else 10**9
        return band[2] if band[2] is not None else band[3]

    def bare_layer(self) -> tuple[str, int, int] | None:
        """(name, band, end) of what QGIS would take for a layer's band here, as long as possible; without moving."""
        while self._runs and self._runs[0][1] <= self.position:
            self._runs.popleft()
        if not self._runs:
            return None
        start, at, end = self._runs[0]
        if start > self.position or at - self.position > _LONGEST_NAME:
            return None
        return self.text[self.position : at], int(self.text[at + 1 : end]), end

    def layers(self) -> list[str]:
        """All that QGIS could take for the name of a layer, quoted or bare."""
        quoted = [
            match[1].rpartition("@")[0] or match[1]
            for match in _QUOTED.finditer(self.text)
            if self.text[match.start() - 1 : match.start()] != "@"
        ]
        bare = [self.text[start:at] for start, at, _ in self._runs if at - start <= _LONGEST_NAME]
        return quoted + bare + [re.split("[-/:]", name)[-1] for name in bare]

    def _moved(self, match: re.Match[str]) -> re.Match[str]:
        self.position = match.end()
        return match
