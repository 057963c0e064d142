# SPDX-License-Identifier: GPL-2.0-or-later
"""Characters beside ASCII, and control characters."""

from __future__ import annotations

from .refusal import Refusal

# Python's own parser folds many of these to ASCII letters, digits and operators before it reads them.
UNICODE: tuple[Refusal, ...] = (
    ("\u0410 + B", "", False),  # Cyrillic A
    ("\u0391", "", False),  # Greek Alpha
    ("\uff21 + 1", "", False),  # full-width A
    ("\U0001d400", "", False),  # mathematical bold A
    ("\u24b6", "", False),  # circled A
    ("\uff41\uff42\uff53(A)", "", False),  # full-width abs
    ("s\u0456n(A)", "", False),  # sin with Cyrillic i
    ("\u017fqrt(A)", "", False),  # long s: upper-cases to S
    ("s\u0131gn(A)", "", False),  # dotless i
    ("\u0130F(A, 1, 2)", "", False),  # capital I with dot: lower-cases to two characters
    ("\ufb02oor(A)", "", False),  # ligature fl
    ("exec\u200b(A)", "", False),
    ("\uff45\uff56\uff41\uff4c(A)", "", False),  # full-width eval
    ("__\uff49mport__(A)", "", False),
    ("A + \uff11", "", False),  # full-width 1
    ("A + \u0661", "", False),  # Arabic-Indic 1
    ("A + \u0967", "", False),  # Devanagari 1
    ("A@\u0661", "", False),
    ("im\u0661b1", "", False),
    ("A\u00b2", "", False),  # superscript two
    ("A^\u00b2", "", False),
    ("\u00bd * A", "", False),  # one half
    ("\u2167", "", False),  # Roman eight
    ("1\u06f0", "", False),
    ("A \u2212 B", "-", True),  # minus sign
    ("A \u2013 B", "-", True),  # en dash
    ("A \u2014 B", "-", False),  # em dash
    ("A \u00d7 B", "*", True),  # multiplication sign
    ("A \u00f7 B", "/", True),  # division sign
    ("A \u22c5 B", "", False),  # dot operator
    ("A \u2217 B", "", False),  # asterisk operator
    ("A \u2264 B", "<=", True),
    ("A \u2260 B", "!=", True),
    ("A \u2227 B", "", False),
    ("\u00acA", "", False),
    ("\u221aA", "", False),
    ("\u03c0 * A", "pi", True),
    ("\u221e", "", False),
    ("A \uff0b B", "", False),  # full-width plus
    ("A \uff1d B", "", False),
    ("\uff08A\uff09", "", False),  # full-width parentheses
    ("min(A\uff0c B)", "", False),  # full-width comma
    ("A\uff201", "", False),  # full-width at
    ("\u201cscene@1\u201d", "", True),  # curly quotes
    ("\u00abscene@1\u00bb", "", False),
    ("\u2018A\u2019", "", False),
    ("\uff02scene@1\uff02", "", False),
    ("A\u00a0+\u00a0B", "", True),  # no-break space
    ("A\u3000+ B", "", True),  # ideographic space
    ("A\u2028+ B", "", True),  # line separator
    ("A\u0085+ B", "", True),  # next line
    ("A\x0b+ B", "", True),
    ("A\x0c+ B", "", True),
    ("A\u200b+ B", "", False),  # zero-width space
    ("A\u200d", "", False),
    ("A\u2060B", "", False),
    ("A\u00ad + B", "", False),  # soft hyphen
    ("\ufeffA + B", "", True),  # byte order mark
    ("A + \u202eB", "", False),  # right-to-left override
    ("\u2066A\u2069 + B", "", False),
    ("\u202aA\u202c", "", False),
    ("A\u0301 + B", "", False),  # combining accent
    ("A" + "\u0301" * 10_000, "", False),
    ("A + \ufffd", "", False),
    ("A + \ufffe", "", False),
    ("A + \U0010ffff", "", False),
    ("\U0001f6f0 / A", "", False),
    ("A \ud800 B", "", False),  # a surrogate on its own
    ("\udcff", "", False),
    ('"\ud83d@1"', "", False),
    ("A\x00", "", False),
    ("A + \x00B", "", False),
    ("\x00" * 1000, "", False),
    ('"sce\x00ne@1"', "", False),
    ("A\x01+ B", "", False),
    ("A\x08\x08\x08B", "", False),
    ("A + \x1b[31mB", "", False),
    ("A\x7f", "", False),
    ("A\r\x1aB", "", False),
)
