# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that the dialects read differently: precedence, references, numbers, bits."""

from __future__ import annotations

from functools import partial

import numpy as np

from .case import Case, bits, ndvi, where_finite
from .sources import GDAL_DOCS, GDAL_SCRIPTS, GRAMMAR, QA_BITS, QGIS_GRAMMAR, WRAPS

_q = partial(Case, "qgis")
_g = partial(Case, "gdal_calc")
_o = partial(Case, "otb")

QGIS = (
    _q('-"other@1"^2', lambda p: p.half**2, GRAMMAR, note="(-x)^2"),
    _q(
        '10 - "other@1"^2',
        lambda p: 10 - p.half**2,
        GRAMMAR,
        note="a minus between two values binds as usual",
    ),
    _q('2^"other@2"^2', lambda p: (2**p.frac) ** 2, GRAMMAR, note="left to right"),
    _q('2^-"other@2"^2', lambda p: (2**-p.frac) ** 2, GRAMMAR),
    _q('3 * -"other@2" ^ 2', lambda p: 3 * p.frac**2, GRAMMAR),
    _q('- - "other@1"', lambda p: p.half, GRAMMAR),
    _q('"other@1" - -"other@2"', lambda p: p.half + p.frac, GRAMMAR),
    _q(
        '"scene@1" > 700 OR "scene@2" > 700 AND "scene@3" > 2500',
        lambda p: ((p.blue > 700) | (p.green > 700)) & (p.red > 2500),
        GRAMMAR,
        note="OR binds first",
    ),
    _q(
        '"scene@3" > 2500 AND "scene@1" > 700 OR "scene@2" > 700',
        lambda p: (p.red > 2500) & ((p.blue > 700) | (p.green > 700)),
        GRAMMAR,
        note="OR binds first",
    ),
    _q('0 < "other@1" < 3', lambda p: 1.0, GRAMMAR, note="(0 < x) < 3, always true"),
    _q('"other@1" > 0 = 1', lambda p: p.half > 0, GRAMMAR),
    _q('1 != "other@1" > 2', lambda p: (p.half > 2) != 1, GRAMMAR, note="!= is looser than >"),
    _q('2 >= "other@1" > 0', lambda p: (p.half > 0) <= 2, GRAMMAR, note=">= is looser than >"),
    _q(
        '"other@1" AND "other@2"',
        lambda p: (p.half != 0) & (p.frac != 0),
        GRAMMAR,
        note="a half is true",
    ),
    _q('1 + "other@1" OR 0', lambda p: 1 + p.half != 0, GRAMMAR),
    _q('100/"scene@1"/"scene@2"', lambda p: 100 / p.blue / p.green, GRAMMAR),
    _q('"scene@1"-"scene@2"-"scene@3"', lambda p: p.blue - p.green - p.red, GRAMMAR),
    _q(
        "if(asin(other@2) > 0, 1, 2)",
        lambda p: where_finite(np.where(p.frac > 0, 1, 2), np.arcsin(p.frac)),
        GRAMMAR,
        tool_fault="a comparison with asin's NaN is answered as false",
    ),
    _q(
        '!("other@1" > 0)',
        lambda p: p.half <= 0,
        GRAMMAR,
        tool_fault="skips the ! and answers x > 0",
        note="may be refused instead",
    ),
    # References, numbers, case, blanks.
    _q('"S2A_T33.v2-1@4"-"S2A_T33.v2-1@3"', lambda p: p.nir - p.red, QGIS_GRAMMAR),
    _q(
        "S2A_T33.v2-1@4 - S2A_T33.v2-1@3",
        lambda p: p.nir - p.red,
        QGIS_GRAMMAR,
        note="dots and dashes without quotes",
    ),
    _q('"Landsat 8 (2021)@4" / "Landsat 8 (2021)@3"', lambda p: p.nir / p.red, QGIS_GRAMMAR),
    _q("Höhe@1 + 1", lambda p: p.half + 1, QGIS_GRAMMAR),
    _q('"Höhe@2" * "dem 10 m@1"', lambda p: p.frac * p.half, QGIS_GRAMMAR),
    _q("(land-cover@1 = 3) * 2", lambda p: (p.cls == 3) * 2, QGIS_GRAMMAR),
    _q(
        "scene@4-500",
        lambda p: p.nir - 500,
        QGIS_GRAMMAR,
        note="a dash after the band number is a minus",
    ),
    _q(
        "scene@4/ scene@3",
        lambda p: p.nir / p.red,
        QGIS_GRAMMAR,
        note="scene@4/scene@3 is refused: / is a letter of a name",
    ),
    _q("scene@4*scene@3+scene@1", lambda p: p.nir * p.red + p.blue, QGIS_GRAMMAR),
    _q('.5*"scene@1"+5.*"scene@2"', lambda p: 0.5 * p.blue + 5 * p.green, QGIS_GRAMMAR),
    _q('"scene@1"*1e-4 + 1E+3 - 2.5e0', lambda p: p.blue * 1e-4 + 1000 - 2.5, QGIS_GRAMMAR),
    _q(
        'SQRT("scene@1") + Abs("other@1") + MAX(1,2)',
        lambda p: np.sqrt(p.blue) + np.abs(p.half) + 2,
        QGIS_GRAMMAR,
    ),
    _q(
        'IF ("other@1" > 0 and "other@2" > 0 Or "classes@1" = 2, 1, 0)',
        lambda p: (p.half > 0) & ((p.frac > 0) | (p.cls == 2)),
        QGIS_GRAMMAR,
    ),
    _q('  "scene@1"\t+\r\n"scene@2"  ', lambda p: p.blue + p.green, QGIS_GRAMMAR),
)

GDAL_CALC = (
    _g("-E**2", lambda p: -(p.half**2), GRAMMAR),
    _g("2**F**2", lambda p: 2 ** (p.frac**2), GRAMMAR),
    _g("2**-F", lambda p: 2**-p.frac, GRAMMAR),
    _g("-E % 7", lambda p: np.mod(-p.half, 7), GRAMMAR),
    _g("E//2*2", lambda p: np.floor(p.half / 2) * 2, GRAMMAR),
    _g("A - B - C", lambda p: p.blue - p.green - p.red, GRAMMAR),
    _g("A/B", lambda p: p.blue / p.green, GRAMMAR, note="0/0 and x/0"),
    _g("E**0.5", lambda p: np.sqrt(p.half), GRAMMAR),
    _g(
        "(A>1000)+(B>1000)",
        lambda p: (p.blue > 1000) | (p.green > 1000),
        GRAMMAR,
        note="true + true is true: at most 1",
    ),
    _g("1*(A>1000)+1*(B>1000)", lambda p: (p.blue > 1000) * 1 + (p.green > 1000) * 1, GRAMMAR),
    _g("(A>1000)*(B>1000)", lambda p: (p.blue > 1000) & (p.green > 1000), GRAMMAR),
    _g("(E>0)*1-(F>0)*1", lambda p: (p.half > 0) * 1 - (p.frac > 0) * 1, GRAMMAR),
    _g(
        "a+b*2",
        lambda p: p.blue + 2 * p.green,
        GDAL_DOCS,
        note="small letters are inputs of their own, here the same files",
    ),
    _g(
        ".5*A+5.*B-1e-4*C+1E+3", lambda p: 0.5 * p.blue + 5 * p.green - 1e-4 * p.red + 1000, GRAMMAR
    ),
    _g(
        " ( A\n + B )  ",
        lambda p: p.blue + p.green,
        GRAMMAR,
        note="a line break inside parentheses",
    ),
    _g("A*1_000", lambda p: p.blue * 1000, GRAMMAR, note="Python's digit groups; may be refused"),
    _g(
        '"A+B"',
        lambda p: p.blue + p.green,
        GRAMMAR,
        note="one pair of quotes around the whole text is stripped",
    ),
    _g("A + B # sum", lambda p: p.blue + p.green, GRAMMAR, note="a comment"),
    # Bits, on integer copies.
    _g("(G & 8) > 0", lambda p: (bits(p.cls) & 8) > 0, QA_BITS, integer=True),
    _g("bitwise_and(G, 8)/8", lambda p: (bits(p.cls) & 8) / 8, QA_BITS, integer=True),
    _g("(G >> 3) & 1", lambda p: bits(p.cls) >> 3 & 1, QA_BITS, integer=True),
    _g(
        "((G & (1 << 3)) == 0) & ((G & (1 << 5)) == 0)",
        lambda p: (bits(p.cls) & 40) == 0,
        QA_BITS,
        integer=True,
    ),
    _g(
        "A * ((G & 24) == 0)",
        lambda p: np.where((bits(p.cls) & 24) == 0, p.blue, 0),
        QA_BITS,
        integer=True,
    ),
    _g(
        "where((G & 0b1010) != 0, 0, A)",
        lambda p: np.where((bits(p.cls) & 10) != 0, 0, p.blue),
        QA_BITS,
        integer=True,
    ),
    _g("G & 3 == 1", lambda p: (bits(p.cls) & 3) == 1, GRAMMAR, integer=True, note="& before =="),
    _g("A^2", lambda p: bits(p.blue) ^ 2, GRAMMAR, integer=True, note="exclusive or, not a power"),
    _g("G | 1 ^ 3 & A", lambda p: bits(p.cls) | (1 ^ (3 & bits(p.blue))), GRAMMAR, integer=True),
    _g("~G & 255", lambda p: 255 - p.cls, GRAMMAR, integer=True),
    _g("A << 2 + 1", lambda p: p.blue * 8, GRAMMAR, integer=True),
    _g(
        "bitwise_or(bitwise_and(G,15),left_shift(1,4))",
        lambda p: (bits(p.cls) & 15) | 16,
        QA_BITS,
        integer=True,
    ),
    _g(
        "bitwise_xor(G,A)+right_shift(B,1)",
        lambda p: (bits(p.cls) ^ bits(p.blue)) + (bits(p.green) >> 1),
        QA_BITS,
        integer=True,
    ),
    _g("(G % 4 == 1)*10", lambda p: (np.mod(p.cls, 4) == 1) * 10, QA_BITS, integer=True),
    _g(
        "A//B",
        lambda p: np.floor(p.blue / p.green),
        GRAMMAR,
        integer=True,
        tool_fault="a whole number divided by 0 is 0",
    ),
    _g("C*D*2", lambda p: p.red * p.nir * 2, GRAMMAR, integer=True, tool_fault=WRAPS),
    _g(
        "(D-C)/(D+C)",
        ndvi,
        GDAL_SCRIPTS,
        integer=True,
        note="division of integers is true division",
    ),
)

OTB = (
    _o("-im2b1^2", lambda p: -(p.half**2), GRAMMAR),
    _o("2^im2b2^2", lambda p: 2 ** (p.frac**2), GRAMMAR, note="right to left"),
    _o("2^-im2b2^2", lambda p: 2 ** -(p.frac**2), GRAMMAR),
    _o("im1b1 - -im2b1", lambda p: p.blue + p.half, GRAMMAR),
    _o("im1b1-im1b2-im1b3", lambda p: p.blue - p.green - p.red, GRAMMAR),
    _o("100/im1b1/im1b2", lambda p: 100 / p.blue / p.green, GRAMMAR),
    _o("im2b1 > 0 and im2b2 > 0", lambda p: (p.half > 0) & (p.frac > 0), GRAMMAR),
    _o(
        "im2b1 and im2b2",
        lambda p: (np.trunc(p.half) != 0) & (np.trunc(p.frac) != 0),
        GRAMMAR,
        note="the words cut to whole numbers",
    ),
    _o(
        "im2b1 && im2b2",
        lambda p: (p.half != 0) & (p.frac != 0),
        GRAMMAR,
        note="the signs do not cut",
    ),
    _o("im2b1 or im2b2", lambda p: (np.trunc(p.half) != 0) | (np.trunc(p.frac) != 0), GRAMMAR),
    _o(
        "im1b1 > 700 || im1b2 > 700 && im1b3 > 2500",
        lambda p: (p.blue > 700) | ((p.green > 700) & (p.red > 2500)),
        GRAMMAR,
        note="&& before ||",
    ),
    _o(
        "im1b1 > 700 or im1b2 > 700 and im1b3 > 2500",
        lambda p: ((p.blue > 700) | (p.green > 700)) & (p.red > 2500),
        GRAMMAR,
        note="words: left to right",
    ),
    _o(
        "im1b1 > 700 or im1b2 > 700 && im1b3 > 2500",
        lambda p: (p.blue > 700) | ((p.green > 700) & (p.red > 2500)),
        GRAMMAR,
    ),
    _o("0 < im2b1 < 3", lambda p: 1.0, GRAMMAR, note="(0 < x) < 3, always true"),
    _o(
        "1 != im2b1 > 2",
        lambda p: (p.half != 1) * 1 > 2,
        GRAMMAR,
        note="left to right, always false",
    ),
    _o(
        "(im1b1>1000)+(im1b2>1000)",
        lambda p: (p.blue > 1000) * 1 + (p.green > 1000),
        GRAMMAR,
        note="counts to 2",
    ),
    _o(
        "im2b1 > 0 ? im2b1 > 20 ? 3 : 2 : 1",
        lambda p: np.select([p.half > 20, p.half > 0], [3, 2], 1),
        GRAMMAR,
    ),
    _o(
        "im3b1 == 1 ? 10 : im3b1 == 2 ? 20 : im3b1 == 3 ? 30 : 0",
        lambda p: 10 * p.cls * np.isin(p.cls, (1, 2, 3)),
        GRAMMAR,
    ),
    _o("im2b1 > 0 ? 1 : 2 + 10", lambda p: np.where(p.half > 0, 1, 12), GRAMMAR),
    _o("im2b1 ? 1 : 2", lambda p: np.where(p.half != 0, 1, 2), GRAMMAR, note="a half is true"),
    _o(
        "0.5 && 1",
        lambda p: 1.0,
        GRAMMAR,
        tool_fault="two constants are cut to whole numbers",
        note="no band",
    ),
    _o(
        ".5*im1b1+5.*im1b2-1e-4*im1b3+1E+3",
        lambda p: 0.5 * p.blue + 5 * p.green - 1e-4 * p.red + 1000,
        GRAMMAR,
    ),
    _o("  im1b1\n+\tim1b2 ", lambda p: p.blue + p.green, GRAMMAR),
    _o("im1b1 != im1b2 ? im1b1 : -1", lambda p: np.where(p.blue != p.green, p.blue, -1), GRAMMAR),
    _o(
        "im1b4 >= im1b3 && (im1b1 > 3) == 0 ? 1 : 0",
        lambda p: (p.nir >= p.red) & (p.blue <= 3),
        GRAMMAR,
    ),
)
