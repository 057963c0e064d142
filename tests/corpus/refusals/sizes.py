# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that are nested deeply, or long."""

from __future__ import annotations

from .refusal import Refusal

MEGABYTE = 2**20
DEEP = 10_000

NESTED: tuple[Refusal, ...] = (
    ("(" * DEEP + "A" + ")" * DEEP, "deep", True),
    ("(" * DEEP, "", False),
    (")" * DEEP, "", False),
    ("A" + ")" * DEEP, "", False),
    ("(" * DEEP + "A", "", False),
    ("[" * DEEP + "]" * DEEP, "", False),
    ("-" * DEEP + "A", "deep", True),
    ("- " * DEEP + "A", "deep", True),
    ("+" * DEEP + "A", "deep", True),
    ("!" * DEEP + "A", "deep", True),
    ("~" * DEEP + "1", "deep", True),
    ("not " * DEEP + "A", "deep", True),
    ("sqrt(" * DEEP + "A" + ")" * DEEP, "deep", True),
    ("min(A," * DEEP + "A" + ")" * DEEP, "deep", True),
    ("if(A,1," * DEEP + "2" + ")" * DEEP, "deep", True),
    ("A?1:" * DEEP + "2", "deep", True),
    ("A?" * DEEP + "1" + ":2" * DEEP, "deep", True),
    ("A?" * DEEP, "", False),
    ("A^" * DEEP + "A", "deep", True),
    ("A**" * DEEP + "A", "deep", True),
    ("2^-" * DEEP + "A", "deep", True),
    ("A<" * DEEP + "A", "", False),
    ("A.a" * DEEP, "", False),
    ("A" + ".a" * DEEP, "", False),
    ("A" + "[0]" * DEEP, "", False),
    ("A" + "()" * DEEP, "", False),
    ("A" + "@1" * DEEP, "", False),
    ("x:=" * DEEP + "A", "", False),
    ("(((" * DEEP + "A+", "", False),
    ("-(" * DEEP + "A" + ")" * DEEP, "deep", True),
    ("(A+" * DEEP + "A" + ")" * DEEP, "deep", True),
)

LONG: tuple[Refusal, ...] = (
    (" " * MEGABYTE, "", False),
    ("\n" * MEGABYTE, "", False),
    ("#" * MEGABYTE, "", False),
    ("# " + "a" * MEGABYTE + "\nA", "long", True),
    ("A" * MEGABYTE, "", False),
    ("1" * MEGABYTE, "", True),
    ("1." * (MEGABYTE // 2), "", False),
    ("A+" * (MEGABYTE // 2) + "A", "long", True),
    ("A*" * (MEGABYTE // 2) + "A", "long", True),
    ("A and " * (MEGABYTE // 6) + "A", "long", True),
    ("A " * (MEGABYTE // 2), "", False),
    ("max(" + "A," * (MEGABYTE // 2) + "A)", "long", True),
    ("foo(" * (MEGABYTE // 4), "", False),
    ("(" * MEGABYTE, "", False),
    ("-" * MEGABYTE, "", False),
    ("\\" * MEGABYTE, "", False),
    ('"' * MEGABYTE, "", False),
    ('"' + "a" * MEGABYTE, "", False),
    ('"' + "\\a" * (MEGABYTE // 2), "", False),
    ('"' + "a" * MEGABYTE + '@1"', "", False),
    ("'" + "a" * MEGABYTE + "'", "", False),
    ("a" * MEGABYTE + "@1", "", False),
    ("A;" * (MEGABYTE // 2), "", False),
    ("".join(f"x{place} := A + {place};" for place in range(20_000)), "", True),
    (
        "".join(
            f"x{place} := x{place - 1} + x{place - 1};" if place else "x0 := A;"
            for place in range(400)
        ),
        "",
        True,
    ),
    ("+".join(f"sqrt(A+{place})" for place in range(20_000)), "", True),
    ("\u0410" * (MEGABYTE // 2), "", False),
    ("\x00" * MEGABYTE, "", False),
    ("A" + "\u200b" * (MEGABYTE // 3), "", False),
    ("sqrt" * (MEGABYTE // 4), "", False),
    ("im1b1" * (MEGABYTE // 5), "", False),
    ("e" * MEGABYTE, "", False),
    ("1e" * (MEGABYTE // 2), "", False),
    ("0x" * (MEGABYTE // 2), "", False),
    ("A?" * (MEGABYTE // 2), "", False),
    ("!=" * (MEGABYTE // 2), "", False),
    ("." * MEGABYTE, "", False),
    ("@" * MEGABYTE, "", False),
    ("A\n" * (MEGABYTE // 2), "", False),
)
