# SPDX-License-Identifier: GPL-2.0-or-later
"""Error messages for an expression: what is wrong, where, and what to write instead."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

from ..errors import ExpressionError
from ..messages import Text, shown, translate
from .dialects import Dialect, Named
from .lexer import Lexer

#: Functions of whole rasters, which are refused by name.
AGGREGATES = frozenset({
    "amax", "amin", "mean", "median", "std", "var", "nanmax", "nanmin", "nanmean", "nanmedian",
    "nanstd", "nanvar", "nansum", "percentile", "nanpercentile", "quantile", "nanquantile",
    "average", "ptp", "prod", "cumsum", "cumprod", "argmax", "argmin", "any", "all", "unique",
    "sort", "histogram", "bincount", "count_nonzero", "cov", "corrcoef", "gradient", "diff",
    "convolve",
})  # fmt: skip

_LOOK_ALIKES = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "×": "*", "·": "*", "∙": "*", "÷": "/", "⁄": "/", "∕": "/",
    "≤": "<=", "≥": ">=", "≠": "!=", "π": "pi", "“": '"', "”": '"', "„": '"', "’": "'", "‘": "'", "²": "^2", "³": "^3",
    "¬": "not", "∧": "and", "∨": "or",
}  # fmt: skip


def too_long(count: int, most: int) -> ExpressionError:
    """Return the error for a text of ``count`` characters where ``most`` are allowed."""
    text = translate(
        "Bandwise",
        "The expression is too long: it has {count} characters, and {most} are the limit.",
    )
    return ExpressionError(text.format(count=count, most=most), "", 0, 0)


class Diagnostics:
    """Makes the errors about one text in one dialect; ``start`` and ``end`` are positions in the text."""

    def __init__(self, lexer: Lexer, dialect: Dialect) -> None:
        self.lexer, self.dialect = lexer, dialect
        self.text = lexer.text

    def about(self, message: Text, start: int, end: int) -> ExpressionError:
        """Return an error about a part of the text."""
        return ExpressionError(message, self.text, start, end)

    def misspelled(
        self, message: Text, start: int, end: int, name: str, candidates: Iterable[str]
    ) -> ExpressionError:
        """Return an error that suggests the ``candidates`` most similar to ``name``, if any."""
        if len(name) <= 30:
            near = [
                word
                for word in difflib.get_close_matches(name.lower(), list(candidates), 3, 0.7)
                if word != name.lower()
            ]
            if near:
                message = translate("Bandwise", "{message}; is {name} meant?").format(
                    message=message, name=" / ".join(near)
                )
        return self.about(message, start, end)

    def no_operand(self, start: int, sign: str) -> ExpressionError:
        """Return the error for ``sign``, or an unknown character, in place of an operand."""
        if start >= len(self.text) or sign == ";":
            return self.about(
                translate("Bandwise", "something is missing at the end").format(),
                max(start - 1, 0),
                start,
            )
        if self.text[start] in "'\"`":
            return self.about(
                translate(
                    "Bandwise",
                    "text in quotes is not a value; layer names are written in double quotes",
                ).format(),
                start,
                start + 1,
            )
        if self.text[start] in "[{":
            return self.about(
                translate(
                    "Bandwise", "lists and indexes are not supported; a band is written A@2"
                ).format(),
                start,
                start + 1,
            )
        if sign in ("<", ">", ">=") and self.text[start - 1 : start] == "=":
            message = translate("Bandwise", "write {sign}= for ={sign}").format(sign=sign[0])
            return self.about(message, start - 1, start + 1)
        if sign:
            return self.about(
                self.hint(sign)
                or translate("Bandwise", "a value is missing before “{sign}”").format(sign=sign),
                start,
                start + len(sign),
            )
        if self.text[start] == ".":
            return self.about(
                translate("Bandwise", "this is not a number").format(), start, start + 1
            )
        return self.unknown(start)

    def no_operator(self, start: int, sign: str) -> ExpressionError:
        """Return the error for ``sign``, or anything else, in place of an operator."""
        hint = self.hint(sign)
        if hint:
            return self.about(hint, start, start + len(sign))
        if sign == ":=":
            return self.about(
                translate(
                    "Bandwise", "the name of a result is one word, as in ndvi := ..."
                ).format(),
                start,
                start + 2,
            )
        if self.text[start] == ".":
            self.lexer.position = start + 1
            return self.attribute(
                "." + self.lexer.word(), start, start + 1 + len(self.lexer.word())
            )
        if self.text[start] == "[":
            return self.about(
                translate("Bandwise", "indexes are not supported; a band is written A@2").format(),
                start,
                start + 1,
            )
        if self.text[start] == "@":
            return self.about(
                translate(
                    "Bandwise",
                    "a band's number or description follows the raster's name, as in A@2",
                ).format(),
                start,
                start + 1,
            )
        if sign or (self.text[start].isascii() and self.text[start].isprintable()):
            return self.about(
                translate("Bandwise", "an operator is missing here").format(),
                start,
                start + max(1, len(sign)),
            )
        return self.unknown(start)

    def hint(self, sign: str) -> Text | None:
        """Return what to write instead of an operator of another tool; None for other signs."""
        if sign not in self.dialect.hints:
            return None
        return translate(
            "Bandwise", "“{sign}” means something else or nothing in {dialect}; write {other}"
        ).format(sign=sign, dialect=self.dialect.name, other=self.dialect.hints[sign])

    def unknown(self, start: int) -> ExpressionError:
        """Return the error for an unknown character, with a similar one of the language, if any."""
        character = self.text[start]
        plain = _LOOK_ALIKES.get(character) or unicodedata.normalize("NFKC", character)
        shown = character if character.isprintable() else ""
        if plain.isascii() and plain.isprintable() and plain.strip():
            text = translate(
                "Bandwise",
                "the character {character} (U+{code:04X}) has no meaning here; write {plain}",
            )
            return self.about(
                text.format(character=shown, code=ord(character), plain=plain), start, start + 1
            )
        text = translate(
            "Bandwise",
            "the character {character} (U+{code:04X}) has no meaning here; use ASCII characters",
        )
        return self.about(text.format(character=shown, code=ord(character)), start, start + 1)

    def attribute(self, name: str, start: int, end: int) -> ExpressionError:
        """Return the error for a method or attribute."""
        text = translate(
            "Bandwise",
            "methods and attributes like {name} are not supported; values are floating point "
            "already, and functions are written f(A)",
        )
        return self.about(text.format(name=shown(name)), start, end)

    def keyword(self, name: str, function: str, start: int, end: int) -> ExpressionError:
        """Return the error for a named argument."""
        text = translate(
            "Bandwise", "{function} has no named arguments such as {name}=; it works pixel by pixel"
        )
        return self.about(text.format(function=function, name=shown(name)), start, end)

    def taken(self, name: str, start: int, end: int) -> ExpressionError:
        """Return the error for a result with a name that has a meaning."""
        text = translate(
            "Bandwise", "{name} already has a meaning; choose another name for the result"
        )
        return self.about(text.format(name=shown(name)), start, end)

    def aggregate(self, name: str, start: int, end: int) -> ExpressionError:
        """Return the error for a function of a whole raster."""
        return self.about(
            translate(
                "Bandwise",
                "{name} of a whole raster is not supported, since expressions are computed pixel by pixel; "
                "min, max, sum and avg take two values or more",
            ).format(name=name),
            start,
            end,
        )

    def empty(self) -> ExpressionError:
        """Return the error for an empty text."""
        return self.about(
            translate(
                "Bandwise", "The expression is empty; type one, such as (A - B) / (A + B)."
            ).format(),
            0,
            0,
        )

    def chain(self, start: int, end: int) -> ExpressionError:
        """Return the error for chained comparisons."""
        return self.about(
            translate(
                "Bandwise", "comparisons cannot be chained; for 0 < A < 3 write 0 < A and A < 3"
            ).format(),
            start,
            end,
        )

    def unclosed(self, position: int, kind: str) -> ExpressionError:
        """Return the error for a parenthesis or ``?`` without its end."""
        message = translate("Bandwise", "the “{sign}” that closes this is missing").format(
            sign=":" if kind == "?" else ")"
        )
        return self.about(message, position, position + 1)

    def misplaced(self, sign: str, start: int, kind: str, opened: int) -> ExpressionError:
        """Return the error for a comma, colon or closing parenthesis that nothing before it needs."""
        if kind == "?":
            return self.unclosed(opened, kind)
        if sign == ",":
            message = translate(
                "Bandwise",
                "a comma separates the arguments of a function; numbers have a decimal point, results "
                "are separated by “;”",
            )
        elif sign == ":":
            message = translate("Bandwise", "this “:” has no “?” before it")
        else:
            message = translate("Bandwise", "this “)” has no “(” before it")
        return self.about(message.format(), start, start + 1)

    def arguments(
        self, name: str, named: Named, count: int, start: int, end: int
    ) -> ExpressionError:
        """Return the error for a wrong number of arguments."""
        if named.most is None and count == 1 and name != "coalesce":
            return self.aggregate(name, start, end)
        wanted = (
            str(named.least)
            if named.least == named.most
            else f"{named.least}+"
            if named.most is None
            else f"{named.least}-{named.most}"
        )
        message = translate("Bandwise", "{name} takes {wanted} arguments, not {count}")
        return self.about(message.format(name=name, wanted=wanted, count=count), start, end)
