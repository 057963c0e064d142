# SPDX-License-Identifier: GPL-2.0-or-later
"""Colours of the parts of an expression, derived from the palette, so that they fit light and dark themes."""

from __future__ import annotations

from qgis.PyQt.QtGui import (
    QColor,
    QFont,
    QPalette,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextDocument,
)

from ...engine.expression.editing.parts import Part, Vocabulary, parts

_LONGEST_LINE = 5_000  #: characters; longer lines stay plain, else each key would take long
#: Hue in degrees; none is red or green, and weight and slant tell the parts apart, too.
_HUES = {
    Part.BAND: 212,
    Part.LAYER: 212,
    Part.RESULT: 275,
    Part.FUNCTION: 275,
    Part.NUMBER: 28,
}
_BOLD = (Part.FUNCTION, Part.OPERATOR)
_SLANTED = (Part.LAYER, Part.RESULT, Part.COMMENT)


def is_dark(palette: QPalette) -> bool:
    """Return whether a palette has light text on a dark background."""
    roles = QPalette.ColorRole
    return bool(palette.color(roles.Base).lightness() < palette.color(roles.Text).lightness())


def tinted(palette: QPalette, hue: int) -> QColor:
    """Return a colour of a hue that can be read on the background of a palette."""
    return QColor.fromHsl(hue, 230, 185) if is_dark(palette) else QColor.fromHsl(hue, 210, 82)


def error_colour(palette: QPalette) -> QColor:
    """Return the colour of errors: a vermilion that colour-blind people tell from blue and grey."""
    return tinted(palette, 12)


def quiet_colour(palette: QPalette) -> QColor:
    """Return the colour of what is not urgent: two thirds of the text's with one of the background's."""
    roles = QPalette.ColorRole
    colours = palette.color(roles.Text).getRgb()[:3], palette.color(roles.Base).getRgb()[:3]
    return QColor(*((2 * text + base) // 3 for text, base in zip(*colours)))


def formats(palette: QPalette) -> dict[Part, QTextCharFormat]:
    """Return how each part of an expression looks."""
    looks = {}
    for part in Part:
        look = QTextCharFormat()
        if part in _HUES:
            look.setForeground(tinted(palette, _HUES[part]))
        elif part is Part.COMMENT:
            look.setForeground(quiet_colour(palette))
        if part in _BOLD:
            look.setFontWeight(QFont.Weight.Bold)
        look.setFontItalic(part in _SLANTED)
        looks[part] = look
    return looks


def units(text: str) -> int:
    """Return the length of a text in Qt's characters, of which one beyond U+FFFF takes two."""
    return len(text) + sum(character > "\uffff" for character in text)


class Highlighter(QSyntaxHighlighter):
    """Colours a document line by line with the engine's own lexer."""

    def __init__(self, document: QTextDocument, palette: QPalette) -> None:
        super().__init__(document)
        self._formats = formats(palette)
        self._vocabulary = Vocabulary()

    def set_palette(self, palette: QPalette) -> None:
        """Take over the colours of a palette."""
        self._formats = formats(palette)
        self.rehighlight()

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Take over the names that have a meaning."""
        if vocabulary != self._vocabulary:
            self._vocabulary = vocabulary
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        if len(text) > _LONGEST_LINE:
            return
        plain = text.isascii()
        for span in parts(text, self._vocabulary):
            start = span.start if plain else units(text[: span.start])
            length = units(text[span.start : span.end])
            self.setFormat(start, length, self._formats[span.part])
