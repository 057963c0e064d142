# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure how each tool groups operators and which spellings it knows: the evidence behind ``docs/dialects.md``.

Run as ``python tests/corpus/grammar.py qgis|gdal_calc|otb`` with the system's Python. For each two
operators the text ``x a y b z`` is compared with ``(x a y) b z`` and ``x a (y b z)`` over all
triples of seven numbers: L means the first, R the second, ``=`` that both agree, ``e`` that the
tool refuses the text. Then each of :data:`PROBES` is shown with its answer on ``x`` and ``y``.
"""

from __future__ import annotations

import itertools
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tools import Answer, GdalCalc, Otb, Qgis, Tool, evaluate, write

REALS = (-2, -1, 0, 0.5, 1, 2, 3)
WHOLES = (-2, -1, 0, 1, 2, 3, 5)
# Layer names as QGIS may meet them; the last one holds a backslash.
LAYERS = ("s", "a-b", "a/b", "a:b", "if", "1x", "höhe", "a b", 'q\\"t')
X = (-3, -2.5, -1, 0, 0.5, 2, 3, 4)
Y = (2, 1, 0, 0, -1, 3, 0.5, -4)

OPERATORS = {
    "qgis": "+ - * / ^ = != < > <= >= AND OR",
    "gdal_calc": "+ - * / // % ** == != < > <= >= and or",
    "gdal_calc, int32": "+ - * // % == != < > <= >= & | ^ << >>",
    "otb": "+ - * / ^ == != < > <= >= && || and or",
}
UNARY = {"qgis": "- +", "gdal_calc": "- + not", "gdal_calc, int32": "- + ~", "otb": "- +"}

# What each tool is asked beside the pairs, separated by §; x and y stand for the two bands and are
# replaced by the dialect's own references.
PROBES = {
    "qgis": """-x^2§2^-x§2^-x^2§0 != 3 > 2§2^3^2§2^y^2§- -x§-+-x§!x§{x}§'x'§x ?§NOT x§x == 2§x <> 2§x = 2§x =! 2§x => 2§x % 2§x ** 2§x // 2§x & y
        §x && y§x || y§~x
        §x AND y§x and y§1 OR 1 AND 0§0 AND 1 OR 1§0 < x < 3§2 != 3 > 1§x ? 1 : 0§IF(x>0,1,2)§if(y=0,7,x/y)§if(x/0,1,2)§if(0,0/0,2)§0*(0/0)§1 OR 0/0
        §x/y > 0§(x>1)+(y>1)§SQRT(x)§ABS (x)§ln(x)§log10(x)§log(x)§exp(x)§min(x,y)§min(x,y,1)§max(x)§asin(x)§asin(1.5) > 0§atan2(x,y)§floor(x)§pi
        §x/y§1/0§0^0§0^-1§x^0.5§(-8)^(1/3)§.5§5.§1E+3§1.e2§0x10§1_0§1e400§1e200*1e200§s@1+s@2§s@1*s@2§s@1-2§s@1-s@2§s@1 - s@2§-s@1§- s@1§s@1/2
        §s@1/s@2§s@1/ s@2§2*s@1§a-b@1§a/b@1§a:b@1§if@1§1x@1§höhe@1§a b@1§"a b@1"§" a b@1"§"q\\"t@1"
        §S@1§s @1§s@01§s@3§s@1 # c§s@1; 2§5;§x\n+\ny§x\t+ y§x +§()""",
    "gdal_calc": """-A**2§2**-A§2**-A**2§2**3**2§--A§not A§!A§A and B§A && B§A = 2§A == 2§A <> 2§A^2§A & 1§~A§A % 3§-A % 3§A // 2§0 < A < 3§A ? 1 : 0
        §A > 1 & B > 1§(A>1)&(B>1)§(A>1)+(B>1)§1*(A>1)+1*(B>1)§(A>1)-(B>1)§-(A>1)§~(A>1)§(A>1)/2§(A>1)*10+(B>1)*20§where(A>0,1,2)§numpy.where(A>0,1,2)
        §np.where(A>0,1,2)§WHERE(A>0,1,2)§Sqrt(A)§min(A,B)§min(A)§minimum(A,B)§pow(A,2)§power(A,2)§atan2(A,B)§arctan2(A,B)§round(A)§rint(A)
        §around(A,1)
        §round(2.5)§fix(A)§mod(A,3)§fmod(A,3)§clip(A,0,2)§A.clip(0,2)§log(A)§log10(A)§exp(A)§isnan(A/B)§nan_to_num(A/B)§pi§numpy.pi§e§nan§A/B§A/0
        §1/0§0/0§A**0.5
        §0**-1§where(B==0,7,A/B)§A/B > 0§a+b§.5*A§5.*A§1E+3*A§1e400§1_000*A§0x10*A§0b11*A§01*A§A\n+B§(A\n+B)§ A§A # c§A;B§"A+B"§A,B§2A§(A)(B)
        §where (A>0,1,2)""",
    "gdal_calc, int32": """A^2§A & 1§A & 2 > 0§(A & 2) > 0§(A & 8) > 0§A & 3 == 1§A | B§~A§A << 2 + 1§A >> 1§A / 2§A // 2§A**2§A**-1§2**A
        §bitwise_xor(A,B)§left_shift(A,1)
        §A == 3 | A == 4§(A==3)|(A==4)§A*A*A*A*50000*1000""",
    "otb": """-x^2§2^-x§2^3^2§2^-x^2§0 != 3 > 2§1+-+1§- -x§-(-x)§x - - y§x - + y§!x§not x§x == 2§x <> 2§x = 2§x % 2§x ** 2§x // 2§x & y§x && y
        §x || y§0.5 && 1§x and y
        §4 and 3§x AND y§1 or 1 and 0§1 or 1 && 0§0 and 0 == 0§0 < x < 3§2 != 3 > 1§x ? 1 : 0§x > 0 ? x > 2 ? 3 : 2 : 1§0 ? 2 : 3 + 1
        §(y != 0) ? x/y : 7§0/0 ? 1 : 2
        §(x>1)+(y>1)§if(x>0,1,2)§SQRT(x)§abs (x)§abs(x)§ln(x)§log(x)§log2(x)§log10(x)§exp(x)§sign(x)§rint(x)§rint(2.5)§rint(-2.5)§floor(x)
        §min(x,y,1)§max(x)§sum(x,y,1)§avg(x,y)§mean(x,y)§min(1,0/0)§min(0/0,1)§asin(x)§asinh(x)§atan2(x,y)§pow(x,2)§ndvi(x,y)§NDVI(x,y)§pi§_pi§PI§e
        §_e§E§log2e§log10e§ln2§ln10§euler
        §x/y§1/0§0/0§x^0.5§0^0§x/y > 0§.5§5.§1E+3§0x10§1e400§1e39§1,5§x, y§x; y§x # c§a = x + 1§idxX§idxPhyX§idxPhyY§im1§IM1B1§im01b1§im1 b1§im2b1
        §2x§(x)(y)§x\n+\ny§x\t+ y§x +§()§16777217§x/3""",
}


def _same(one: Answer, other: Answer) -> bool:
    return (
        not isinstance(one, str)
        and not isinstance(other, str)
        and np.array_equal(np.ma.filled(one, np.nan), np.ma.filled(other, np.nan), equal_nan=True)
    )


def _verdict(plain: Answer, left: Answer, right: Answer) -> str:
    if isinstance(plain, str):
        return "e"
    return {(True, True): "=", (True, False): "L", (False, True): "R", (False, False): "?"}[
        _same(plain, left), _same(plain, right)
    ]


def _show(answer: Answer) -> str:
    return (
        answer
        if isinstance(answer, str)
        else " ".join(f"{number:.7g}" for number in np.ma.filled(answer, np.nan).ravel())
    )


def _tools(dialect: str, folder: Path) -> tuple[Tool, Tool, tuple[str, str, str]]:
    """Two tools of the dialect, one on all triples and one on x and y, and the names of their bands."""
    whole = "int32" in dialect
    triples = np.array(
        list(itertools.product(WHOLES if whole else REALS, repeat=3)), float
    ).T.reshape(3, 7, 49)
    pair = np.array([X, Y], float)[:, None]
    files = []
    for name, bands in (("t", triples), ("s", pair)):
        write(folder / f"{name}.tif", bands, integer=whole)
        files.append([folder / f"{name}{place}.tif" for place in range(len(bands))])
        for path, band in zip(files[-1], bands):
            write(path, band[None], integer=whole)
    if dialect == "qgis":
        return (
            Qgis(folder, {"s": folder / "t.tif"}),
            Qgis(folder, dict.fromkeys(LAYERS, folder / "s.tif")),
            ('"s@1"', '"s@2"', '"s@3"'),
        )
    if dialect == "otb":
        return (
            Otb(folder, [folder / "t.tif"]),
            Otb(folder, [folder / "s.tif"]),
            ("im1b1", "im1b2", "im1b3"),
        )
    return (
        GdalCalc(folder, dict(zip("ABC", files[0]))),
        GdalCalc(folder, dict(zip("AB", files[1]))),
        ("A", "B", "C"),
    )


def _texts(
    dialect: str, operators: Sequence[str], unary: Sequence[str], names: tuple[str, str, str]
) -> list[str]:
    """For each pair of operators the text without parentheses, and with each pair of them."""
    x, y, z = names
    texts: list[str] = []
    for first, second in itertools.product(operators, repeat=2):
        texts += [
            f"{x} {first} {y} {second} {z}",
            f"({x} {first} {y}) {second} {z}",
            f"{x} {first} ({y} {second} {z})",
        ]
    for sign, operator in itertools.product(unary, operators):
        texts += [
            f"{sign} {x} {operator} {y}",
            f"({sign} {x}) {operator} {y}",
            f"{sign} ({x} {operator} {y})",
        ]
    if dialect == "otb":
        for operator in operators:
            texts += [
                f"{x} {operator} {y} ? {z} : 5",
                f"({x} {operator} {y}) ? {z} : 5",
                f"{x} {operator} ({y} ? {z} : 5)",
            ]
            texts += [
                f"{x} ? {y} : {z} {operator} {x}",
                f"({x} ? {y} : {z}) {operator} {x}",
                f"{x} ? {y} : ({z} {operator} {x})",
            ]
    return texts


def _measure(dialect: str, folder: Path) -> None:
    on_triples, on_pair, (x, y, z) = _tools(dialect, folder)
    operators, unary = OPERATORS[dialect].split(), UNARY[dialect].split()
    texts = _texts(dialect, operators, unary, (x, y, z))
    answers = iter(evaluate(on_triples, texts))

    def row(title: str, count: int) -> None:
        print(
            f"{title:14}",
            *(f"{_verdict(next(answers), next(answers), next(answers)):4}" for _ in range(count)),
        )

    print(f"\n{dialect}: x a y b z, a down, b across")
    print(f"{'':14}", *(f"{operator:4}" for operator in operators))
    for first in operators:
        row(first, len(operators))
    for sign in unary:
        row(f"{sign} x b y", len(operators))
    if dialect == "otb":
        for operator in operators:
            row(f"{operator} with ? :", 2)
    probes = [
        part.replace("\\n", "\n").replace("\\t", "\t")
        for part in re.split(r"(?:\n +)?§", PROBES[dialect])
    ]
    if dialect in ("qgis", "otb"):
        probes = [re.sub(r"\by\b", y, re.sub(r"\bx\b", x, part)) for part in probes]
    print("\nx:", *X, " y:", *Y)
    for text, answer in zip(probes, evaluate(on_pair, probes)):
        print(f"{text!r:34} {_show(answer)}")


def main() -> None:
    """Measure the dialects named on the command line, or all."""
    for name in sys.argv[1:] or ("qgis", "gdal_calc", "otb"):
        for dialect in OPERATORS:
            if dialect.startswith(name):
                with tempfile.TemporaryDirectory() as folder:
                    _measure(dialect, Path(folder))


if __name__ == "__main__":
    main()
