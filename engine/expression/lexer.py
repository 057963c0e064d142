# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the parts of an expression at a position that moves forward."""

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
    """Reads a text from ``position`` on.

    Methods that read a part move behind it; if it is not there, they return None and do not move.
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
        """Return whether all of the text is read."""
        return self.position >= len(self.text)

    def skip_blank(self) -> None:
        """Move over blanks, line breaks and comments."""
        character = self.character()
        if character != "#" and not character.isspace():
            return
        blank = _BLANK.match(self.text, self.position)
        self.position = blank.end() if blank else self.position

    def character(self) -> str:
        """Return the next character, without moving; empty at the end."""
        return self.text[self.position : self.position + 1]

    def sign(self) -> str:
        """Return the next operator or bracket, without moving; empty for none."""
        sign = _SIGN.match(self.text, self.position)
        return sign[0] if sign else ""

    def word(self, *, dotted: bool = False) -> str:
        """Return the next name (``dotted``: names joined by dots), without moving; empty for none."""
        word = (_DOTTED if dotted else _WORD).match(self.text, self.position)
        return word[0] if word else ""

    def precedes(self, sign: str, end: int) -> bool:
        """Return whether ``sign`` follows after ``end``, blanks aside."""
        if self.text.startswith(sign, end):
            return True
        blank = _BLANK.match(self.text, end)
        return blank is not None and self.text.startswith(sign, blank.end())

    def number(self) -> float | None:
        """Read a number: decimal, or hexadecimal and binary as in Python; infinite if it is too large."""
        number = _NUMBER.match(self.text, self.position)
        if not number:
            return None
        digits = self._moved(number)[0].lower()
        if len(digits) > _LONGEST_NUMBER:
            return math.inf
        if digits[:2] in ("0x", "0b"):
            integer = int(digits, 0)
            return float(integer) if integer <= 2**53 else math.inf
        return float(digits)

    def quoted(self) -> str | None:
        """Read a text in double quotes."""
        quoted = _QUOTED.match(self.text, self.position)
        return self._moved(quoted)[1] if quoted else None

    def band(self) -> int | str | None:
        """Read the number or description of a band after ``@``."""
        band = _BAND.match(self.text, self.position)
        if not band:
            return None
        self._moved(band)
        if band[1] is not None:
            return int(band[1]) if len(band[1]) < 10 else 10**9
        return band[2] if band[2] is not None else band[3]

    def bare_layer(self) -> tuple[str, int, int] | None:
        """Return (name, band, end) of the longest text that QGIS could read as a layer's band, without moving."""
        while self._runs and self._runs[0][1] <= self.position:
            self._runs.popleft()
        if not self._runs:
            return None
        start, at, end = self._runs[0]
        if start > self.position or at - self.position > _LONGEST_NAME:
            return None
        return self.text[self.position : at], int(self.text[at + 1 : end]), end

    def layers(self) -> list[str]:
        """Return all texts that QGIS could read as the name of a layer, quoted or bare."""
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
