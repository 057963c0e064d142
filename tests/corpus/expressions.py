# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions that people have, and the right answer to each by hand-written float64 numpy, independent of any parser.

A case's ``numpy`` takes the bands of :mod:`inputs` by name (``blue green red nir half frac cls``)
and gives an array or a number; NaN and infinity both stand for nodata. Where the tool's own answer
is wrong, ``tool_fault`` says how; everywhere else it agrees (``oracle.py`` checks that).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

BANDS = {
    "blue": ("scene", 1),
    "green": ("scene", 2),
    "red": ("scene", 3),
    "nir": ("scene", 4),
    "half": ("other", 1),
    "frac": ("other", 2),
    "cls": ("classes", 1),
}

# Where an expression, or its kind, was found.
QGIS_DOCS = "QGIS user manual, Raster Calculator (docs.qgis.org, user_manual/working_with_raster/raster_analysis)"
QGIS_TRAINING = "QGIS training manual, terrain analysis and raster calculator lessons"
QGIS_TESTS = "qgis/QGIS: tests/src/analysis/testqgsrastercalculator.cpp"
QGIS_ISSUE = "qgis/QGIS issues 32477, 32954, 43592, 44092, 57747 on the raster calculator"
QGIS_GRAMMAR = "qgis/QGIS: src/analysis/raster/qgsrastercalclexer.ll and qgsrastercalcparser.yy"
SE_LOGIC = "gis.stackexchange 271560, logical operators in the QGIS raster calculator"
SE_CLASSES = (
    "gis.stackexchange, QGIS raster calculator: how to perform classification (aspect and slope)"
)
SE_ASPECT = "gis.stackexchange 106856, flat areas of an aspect raster in the raster calculator"
SE_LST = "gis.stackexchange 433305, land surface temperature in QGIS"
BLOG_CONDITION = "indicatrix.org, conditionals in the QGIS raster calculator"
INDICES = "spectral indices as written in user questions and in micasense, un-spider and spatialBACI guides"
USGS_SCALE = "usgs.gov FAQ, scale factors of Landsat Collection 2 level 2"
SAR_DB = "earthdata.nasa.gov, radiometrically terrain corrected images in QGIS (power to decibel)"
GDAL_DOCS = "GDAL manual, programs/gdal_calc"
GDAL_TESTS = "OSGeo/gdal: autotest/pyscripts/test_gdal_calc.py"
GDAL_SE = "gis.stackexchange, gdal_calc syntax for logical operators and other functions"
GDAL_SCRIPTS = "gdal_calc.py calls in public scripts on GitHub"
GDAL_BLOG = "spatialthoughts.com 2019, reclassifying rasters using gdal_calc"
QA_BITS = "gis.stackexchange 405056 and Landsat QA_PIXEL bit tables"
NUMPY_DOCS = "numpy reference, element-wise functions"
OTB_DOCS = "OTB CookBook, BandMath application"
OTB_TESTS = (
    "orfeotoolbox/OTB: Modules/Filtering/MathParser/test and Applications/AppMathParser/test"
)
OTB_SCRIPTS = "otbcli_BandMath calls in public scripts on GitHub"
OTB_SAR = "OTB CookBook, SAR processing recipe (intensity from complex, despeckle)"
MUPARSER = "beltoforion.de, muParser features: functions, operators, ternary"
GRAMMAR = "docs/dialects.md: a text that the dialects read differently"

# What tools do wrong, in a phrase.
NAN_IS_FALSE = "a comparison with 0/0 is answered as false"
NDVI_ZERO = "ndvi() is 0 where the sum is 0"
WRAPS = "int32 wraps around"


@dataclass(frozen=True)
class Case:
    """One expression as typed into one tool, and its right answer."""

    dialect: str
    text: str
    numpy: Callable[[Any], Any]
    source: str
    tool_fault: str = ""
    note: str = ""
    # The tool gets int32 copies (only gdal_calc, for operations on bits).
    integer: bool = False


def right(case: Case, bands: dict[str, np.ndarray]) -> np.ndarray:
    """The right answer to ``case`` in every pixel of ``bands`` (name -> array), NaN for nodata."""
    with np.errstate(all="ignore"):
        values = np.asarray(case.numpy(SimpleNamespace(**bands)), float)
    return np.where(np.isfinite(values), values, np.nan) + np.zeros_like(bands["blue"])


def bands_of(rasters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Band name -> array, from the rasters of :func:`inputs.arrays`."""
    return {name: rasters[raster][band - 1] for name, (raster, band) in BANDS.items()}


def _known(result: Any, *used: Any) -> Any:
    """``result`` where everything in ``used`` is finite."""
    return np.where(
        np.logical_and.reduce([np.isfinite(one) for one in np.broadcast_arrays(*used)]),
        result,
        np.nan,
    )


def _ndvi(p: Any) -> Any:
    return (p.nir - p.red) / (p.nir + p.red)


def _bits(band: Any) -> Any:
    return band.astype(np.int64)


def _celsius(radiance: Any) -> Any:
    return 1321.08 / np.log(774.89 / radiance + 1) - 273.15


def _msavi(nir: Any, red: Any) -> Any:
    return (2 * nir + 1 - np.sqrt((2 * nir + 1) ** 2 - 8 * (nir - red))) / 2


def _q(text: str, answer: Callable[[Any], Any], source: str, **more: Any) -> Case:
    return Case("qgis", text, answer, source, **more)


def _g(text: str, answer: Callable[[Any], Any], source: str, **more: Any) -> Case:
    return Case("gdal_calc", text, answer, source, **more)


def _o(text: str, answer: Callable[[Any], Any], source: str, **more: Any) -> Case:
    return Case("otb", text, answer, source, **more)


QGIS = (
    # The manual, the training manual, the tests.
    _q('"scene@4" * 3.28', lambda p: p.nir * 3.28, QGIS_DOCS),
    _q('("other@1" >= 0) * "other@1"', lambda p: np.where(p.half >= 0, p.half, 0), QGIS_DOCS),
    _q(
        '("other@1" < 50) * 1 + ("other@1" >= 50) * 2',
        lambda p: np.where(p.half < 50, 1, 2),
        QGIS_DOCS,
    ),
    _q("other@1 <= 2", lambda p: p.half <= 2, QGIS_TRAINING),
    _q(
        '"classes@1" <= 45 OR "classes@1" >= 200',
        lambda p: (p.cls <= 45) | (p.cls >= 200),
        QGIS_TRAINING,
    ),
    _q(
        "(classes@1 = 1 AND other@1 <= 5) OR other@1 <= 2",
        lambda p: ((p.cls == 1) & (p.half <= 5)) | (p.half <= 2),
        QGIS_ISSUE,
    ),
    _q('"scene@1" + 2', lambda p: p.blue + 2, QGIS_TESTS),
    _q('"scene@1"^2 + 3 + "scene@2"', lambda p: p.blue**2 + 3 + p.green, QGIS_TESTS),
    _q(
        '0.5*((2*"scene@4"+1)-sqrt((2*"scene@4"+1)^2-8*("scene@4"-"scene@3")))',
        lambda p: _msavi(p.nir, p.red),
        QGIS_TESTS,
        note="cancels",
    ),
    _q(
        '"scene@1" * ( "scene@1" > 1240 )', lambda p: np.where(p.blue > 1240, p.blue, 0), QGIS_TESTS
    ),
    _q('-"scene@1"', lambda p: -p.blue, QGIS_TESTS),
    _q('abs(-"scene@1")', lambda p: p.blue, QGIS_TESTS),
    _q('-"scene@2" + 15', lambda p: 15 - p.green, QGIS_TESTS),
    _q(
        'min(-"scene@1", -"scene@2" + 15 )', lambda p: np.minimum(-p.blue, 15 - p.green), QGIS_TESTS
    ),
    _q(
        'max(-"scene@1", -"scene@2" + 15 )', lambda p: np.maximum(-p.blue, 15 - p.green), QGIS_TESTS
    ),
    _q('("other@1"<10.09)*0.1', lambda p: (p.half < 10.09) * 0.1, QGIS_TESTS),
    _q('atan("other@1") * cos( 3  +  2 )', lambda p: np.arctan(p.half) * np.cos(5), QGIS_TESTS),
    _q('0.5 * ( 1.4 * ("scene@1" + 2) )', lambda p: 0.7 * (p.blue + 2), QGIS_TESTS),
    _q("0.5 * ( -1 > 0 )", lambda p: 0.0, QGIS_TESTS, note="no band"),
    _q(
        ' if("scene@1">1240.5, 100.0 , 5.0 ) ',
        lambda p: np.where(p.blue > 1240.5, 100, 5),
        QGIS_TESTS,
    ),
    _q(
        'if("scene@1">1240, "scene@1" + "scene@2", "scene@1" - "scene@2")',
        lambda p: np.where(p.blue > 1240, p.blue + p.green, p.blue - p.green),
        QGIS_TESTS,
    ),
    _q('if( 4>5 , "scene@1" + "scene@2" , 0 )', lambda p: 0.0, QGIS_TESTS),
    _q("abs(-123)", lambda p: 123.0, QGIS_TESTS, note="no band"),
    _q("log10(2)", lambda p: np.log10(2), QGIS_TESTS, note="no band"),
    # Indices.
    _q('("scene@4" - "scene@3") / ("scene@4" + "scene@3")', _ndvi, INDICES),
    _q("(scene@4 - scene@3)/(scene@4 + scene@3)", _ndvi, INDICES),
    _q(
        '2.5 * ("scene@4" - "scene@3") / ("scene@4" + 6 * "scene@3" - 7.5 * "scene@1" + 1)',
        lambda p: 2.5 * (p.nir - p.red) / (p.nir + 6 * p.red - 7.5 * p.blue + 1),
        INDICES,
    ),
    _q(
        '2.5*(("scene@4"/10000-"scene@3"/10000)/("scene@4"/10000+2.4*"scene@3"/10000+1))',
        lambda p: 2.5 * ((p.nir - p.red) / 1e4) / ((p.nir + 2.4 * p.red) / 1e4 + 1),
        INDICES,
    ),
    _q(
        '(("scene@4"-"scene@3")/("scene@4"+"scene@3"+0.5))*(1+0.5)',
        lambda p: 1.5 * (p.nir - p.red) / (p.nir + p.red + 0.5),
        INDICES,
    ),
    _q(
        '(2*"scene@4"*0.0001+1-sqrt((2*"scene@4"*0.0001+1)^2-8*("scene@4"-"scene@3")*0.0001))/2',
        lambda p: _msavi(p.nir / 1e4, p.red / 1e4),
        INDICES,
        note="cancels",
    ),
    _q(
        '("scene@2" - "scene@4") / ("scene@2" + "scene@4")',
        lambda p: (p.green - p.nir) / (p.green + p.nir),
        INDICES,
    ),
    _q(
        '1.0 / ((0.1 - "scene@3"/10000)^2 + (0.06 - "scene@4"/10000)^2)',
        lambda p: 1 / ((0.1 - p.red / 1e4) ** 2 + (0.06 - p.nir / 1e4) ** 2),
        INDICES,
    ),
    _q('"scene@4" / "scene@3" - 1', lambda p: p.nir / p.red - 1, INDICES),
    _q(
        'sqrt((("scene@4" - "scene@3") / ("scene@4" + "scene@3")) + 0.5)',
        lambda p: np.sqrt(_ndvi(p) + 0.5),
        INDICES,
        note="root of negatives",
    ),
    _q(
        '("scene@2"-"scene@3")/("scene@2"+"scene@3"-"scene@1")',
        lambda p: (p.green - p.red) / (p.green + p.red - p.blue),
        INDICES,
    ),
    _q('2*"scene@2"-"scene@3"-"scene@1"', lambda p: 2 * p.green - p.red - p.blue, INDICES),
    _q(
        '("scene@4"-"scene@3")/("scene@4"+"scene@3") - ("scene@4"-"scene@2")/("scene@4"+"scene@2")',
        lambda p: _ndvi(p) - (p.nir - p.green) / (p.nir + p.green),
        INDICES,
        note="the form of dNBR and dNDVI",
    ),
    _q(
        '(("scene@4" - "scene@3") / ("scene@4" + "scene@3")) > 0.3',
        lambda p: _known(_ndvi(p) > 0.3, _ndvi(p)),
        INDICES,
    ),
    _q(
        'if(("scene@4" + "scene@3") = 0, 0, ("scene@4" - "scene@3") / ("scene@4" + "scene@3"))',
        lambda p: np.where(p.nir + p.red == 0, 0, _ndvi(p)),
        INDICES,
        note="the branch not taken is 0/0",
    ),
    _q(
        '((("scene@4"-"scene@3")/("scene@4"+"scene@3"))-0.05)/(0.95-0.05)*((("scene@4"-"scene@3")/("scene@4"+"scene@3"))>0.05)',
        lambda p: _known((_ndvi(p) - 0.05) / 0.9 * (_ndvi(p) > 0.05), _ndvi(p)),
        INDICES,
        note="the form of vegetation cover",
    ),
    # Units, scaling, temperature.
    _q('"scene@4" * 0.0000275 - 0.2', lambda p: p.nir * 0.0000275 - 0.2, USGS_SCALE),
    _q('("scene@4" * 2.75e-05) + (-0.2)', lambda p: p.nir * 2.75e-05 - 0.2, USGS_SCALE),
    _q(
        '"scene@4" * 0.00341802 + 149.0 - 273.15',
        lambda p: p.nir * 0.00341802 + 149 - 273.15,
        USGS_SCALE,
    ),
    _q(
        '1321.08/ln((774.89/((0.0003342*"scene@4")+0.1))+1)-273.15',
        lambda p: _celsius(0.0003342 * p.nir + 0.1),
        SE_LST,
    ),
    _q(
        '0.004*((("scene@4"-"scene@3")/("scene@4"+"scene@3") - 0.2)/0.3) + 0.986',
        lambda p: 0.004 * ((_ndvi(p) - 0.2) / 0.3) + 0.986,
        SE_LST,
    ),
    _q(
        '"scene@4" / ( 1 + (10.895E-6 * "scene@4" /1.438E-2) *  ln ( 0.98   ) )',
        lambda p: p.nir / (1 + (10.895e-6 * p.nir / 1.438e-2) * np.log(0.98)),
        SE_LST,
    ),
    _q('10 * Log10("scene@1")', lambda p: 10 * np.log10(p.blue), SAR_DB),
    _q('sqrt("scene@1")', lambda p: np.sqrt(p.blue), SAR_DB),
    _q('"other@1" * 1.8 + 32', lambda p: p.half * 1.8 + 32, INDICES, note="Celsius to Fahrenheit"),
    _q(
        'tan("other@1" * 3.14159 / 180) * 100',
        lambda p: np.tan(p.half * 3.14159 / 180) * 100,
        QGIS_TRAINING,
        note="slope in percent",
    ),
    _q(
        'atan("scene@1"/100)*180/3.14159265',
        lambda p: np.arctan(p.blue / 100) * 180 / 3.14159265,
        QGIS_TRAINING,
    ),
    _q(
        'cos(1.2)*cos("other@1"*0.0174533)+sin(1.2)*sin("other@1"*0.0174533)*cos("scene@1"*0.0174533 - 2.5)',
        lambda p: (
            np.cos(1.2) * np.cos(p.half * 0.0174533)
            + np.sin(1.2) * np.sin(p.half * 0.0174533) * np.cos(p.blue * 0.0174533 - 2.5)
        ),
        QGIS_TRAINING,
        note="the form of a hillshade from slope and aspect",
    ),
    _q('ln("scene@3" + 1)', lambda p: np.log(p.red + 1), INDICES),
    _q(
        'ln("other@1")',
        lambda p: np.log(p.half),
        QGIS_TESTS,
        note="logarithm of zero and of negatives is nodata",
    ),
    _q(
        'sqrt("other@1")', lambda p: np.sqrt(p.half), QGIS_TESTS, note="root of negatives is nodata"
    ),
    _q('("other@1")^0.5', lambda p: np.sqrt(p.half), QGIS_TESTS),
    _q('"other@1"^3', lambda p: p.half**3, QGIS_TESTS),
    _q('"other@1"^-1', lambda p: 1 / p.half, QGIS_TESTS, note="0^-1 is nodata"),
    _q(
        'asin("other@2")',
        lambda p: np.arcsin(p.frac),
        QGIS_TESTS,
        note="out of range: QGIS writes NaN",
    ),
    _q('acos("other@2") + 1', lambda p: np.arccos(p.frac) + 1, QGIS_TESTS),
    _q('sin("other@2")^2 + cos("other@2")^2', lambda p: 1.0, QGIS_TESTS),
    # Conditions, masks, classes.
    _q('("classes@1" = 2)', lambda p: p.cls == 2, SE_LOGIC),
    _q(
        '("classes@1" = 1) * 10 + ("classes@1" = 2) * 20 + ("classes@1" = 3) * 30',
        lambda p: 10 * p.cls * np.isin(p.cls, (1, 2, 3)),
        SE_LOGIC,
    ),
    _q(
        '(("classes@1"=1) OR ("scene@1"=1)) + ((("classes@1"=5) AND ("scene@1"!=1)) OR '
        '(("scene@1"=5) AND ("classes@1"!=1)))*5',
        lambda p: (
            ((p.cls == 1) | (p.blue == 1)) * 1.0
            + 5 * (((p.cls == 5) & (p.blue != 1)) | ((p.blue == 5) & (p.cls != 1)))
        ),
        SE_LOGIC,
    ),
    _q(
        '(\n("classes@1"=1) OR ("classes@1"=5)\n)+\n\n(\n("classes@1"=0) AND ("scene@1"=0))\n*0\n',
        lambda p: (p.cls == 1) | (p.cls == 5),
        SE_LOGIC,
        note="line breaks",
    ),
    _q(
        '("classes@1" + "scene@1")/((("classes@1">=2) AND ("classes@1"<=4)) + (("scene@1">=200) AND ("scene@1"<=400)))',
        lambda p: (
            (p.cls + p.blue)
            / (((p.cls >= 2) & (p.cls <= 4)) * 1.0 + ((p.blue >= 200) & (p.blue <= 400)))
        ),
        SE_LOGIC,
        note="true + true is 2",
    ),
    _q(
        "((classes@1 > 60) AND (classes@1 <= 90)) * 1 + ((classes@1 > 90) AND (classes@1 <= 270)) * 2",
        lambda p: np.where(
            (p.cls > 60) & (p.cls <= 90), 1, np.where((p.cls > 90) & (p.cls <= 270), 2, 0)
        ),
        SE_CLASSES,
    ),
    _q(
        "3 - (other@1 > 3) * (1 + (classes@1 > 70) + (classes@1 <= 20))",
        lambda p: 3 - (p.half > 3) * (1.0 + (p.cls > 70) + (p.cls <= 20)),
        SE_CLASSES,
    ),
    _q(
        "(other@1 > 3) + (other@1 > 3) * (classes@1 > 90) * (classes@1 <= 170) + (other@1 <= 3) * 3",
        lambda p: np.where(p.half > 3, 1 + ((p.cls > 90) & (p.cls <= 170)), 3),
        SE_CLASSES,
    ),
    _q('"classes@1" = 1 AND "other@1" > 0', lambda p: (p.cls == 1) & (p.half > 0), SE_ASPECT),
    _q(
        '("classes@1" >= 61) * 5 +\n(("classes@1" > 40) AND ("classes@1" < 60)) * 10',
        lambda p: (p.cls >= 61) * 5 + ((p.cls > 40) & (p.cls < 60)) * 10,
        QGIS_ISSUE,
    ),
    _q(
        "((scene@1 - scene@2)*(scene@1 != 255 AND scene@2 != 256)) - (32768*(scene@1 = 255 OR scene@2 = 256))",
        lambda p: (
            (p.blue - p.green) * ((p.blue != 255) & (p.green != 256))
            - 32768 * ((p.blue == 255) | (p.green == 256))
        ),
        BLOG_CONDITION,
    ),
    _q(
        'if("classes@1" = 1, 0, if("classes@1" = 2, 0.2, if("classes@1" = 3, 0.5, 1)))',
        lambda p: np.select([p.cls == 1, p.cls == 2, p.cls == 3], [0, 0.2, 0.5], 1),
        SE_LOGIC,
    ),
    _q(
        'if("other@1" > 0 AND "other@1" < 10, "scene@1", -9999)',
        lambda p: np.where((p.half > 0) & (p.half < 10), p.blue, -9999),
        SE_LOGIC,
    ),
    _q(
        '"scene@4" / ("classes@1" = 3)',
        lambda p: np.where(p.cls == 3, p.nir, np.nan),
        SE_LOGIC,
        note="nodata outside a class, the usual trick",
    ),
    _q(
        '("scene@4" > 0) / ("scene@4" > 0) * "scene@3"',
        lambda p: np.where(p.nir > 0, p.red, np.nan),
        SE_LOGIC,
    ),
    _q(
        '("scene@4" = "scene@3") + ("scene@4" = "scene@2")',
        lambda p: (p.nir == p.red) * 1 + (p.nir == p.green),
        SE_LOGIC,
    ),
    _q('"classes@1" != 0', lambda p: p.cls != 0, SE_LOGIC),
    _q(
        'min("scene@1", min("scene@2", min("scene@3", "scene@4")))',
        lambda p: np.minimum(np.minimum(p.blue, p.green), np.minimum(p.red, p.nir)),
        QGIS_TESTS,
    ),
    _q(
        'max(0, min(255, "scene@4" / 40))',
        lambda p: np.clip(p.nir / 40, 0, 255),
        QGIS_TESTS,
        note="clamping",
    ),
    _q(
        '("scene@1" + "scene@2" + "scene@3") / 3',
        lambda p: (p.blue + p.green + p.red) / 3,
        QGIS_TESTS,
    ),
    _q(
        '("scene@1" > 1000) + ("scene@2" > 1000) + ("scene@3" > 1000)',
        lambda p: (p.blue > 1000) * 1 + (p.green > 1000) + (p.red > 1000),
        SE_LOGIC,
    ),
    # What the dialects read differently.
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
        lambda p: _known(np.where(p.frac > 0, 1, 2), np.arcsin(p.frac)),
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
    # The manual and the tests.
    _g("A+B", lambda p: p.blue + p.green, GDAL_DOCS),
    _g("(A+B)/2", lambda p: (p.blue + p.green) / 2, GDAL_DOCS),
    _g("(A+B+C)/3", lambda p: (p.blue + p.green + p.red) / 3, GDAL_DOCS),
    _g("E*(E>0)", lambda p: np.maximum(p.half, 0), GDAL_DOCS),
    _g(
        "A*logical_and(A>1000,A<1500)",
        lambda p: np.where((p.blue > 1000) & (p.blue < 1500), p.blue, 0),
        GDAL_DOCS,
    ),
    _g(
        "log10(A)",
        lambda p: np.log10(p.blue),
        GDAL_DOCS,
        note="log10(0) is -inf in numpy, nodata here",
    ),
    _g("A*B", lambda p: p.blue * p.green, GDAL_TESTS),
    _g("sqrt(A)", lambda p: np.sqrt(p.blue), GDAL_TESTS),
    _g("1", lambda p: 1.0, GDAL_TESTS, note="no band"),
    # Logic, reclassification.
    _g(
        "E*logical_or(E<=17.7,E>=18.5)",
        lambda p: np.where((p.half <= 17.7) | (p.half >= 18.5), p.half, 0),
        GDAL_SE,
    ),
    _g(
        "A*logical_and(A>0,A>B)",
        lambda p: np.where((p.blue > 0) & (p.blue > p.green), p.blue, 0),
        GDAL_SE,
    ),
    _g("A*(A<=B)+B*(A>B)", lambda p: np.minimum(p.blue, p.green), GDAL_SE),
    _g("minimum(A,B)", lambda p: np.minimum(p.blue, p.green), GDAL_SE),
    _g(
        "maximum(maximum(A,B),C)", lambda p: np.maximum(np.maximum(p.blue, p.green), p.red), GDAL_SE
    ),
    _g("A>1000", lambda p: p.blue > 1000, GDAL_BLOG),
    _g(
        "(G<=100)*1 + (G>100)*(G<=200)*2 + (G>200)*3",
        lambda p: np.select([p.cls <= 100, p.cls <= 200], [1, 2], 3),
        GDAL_BLOG,
    ),
    _g(
        "(G<=100)*1 + logical_and(G>100,G<=200)*2 + (G>200)*3",
        lambda p: np.select([p.cls <= 100, p.cls <= 200], [1, 2], 3),
        GDAL_BLOG,
    ),
    _g(
        "(G==0)*5 + (G==1)*10 + (G==2)*18 + (G==3)*30 + (G==4)*140 + (G==5)*200",
        lambda p: np.select(
            [p.cls == 0, p.cls == 1, p.cls == 2, p.cls == 3, p.cls == 4, p.cls == 5],
            [5, 10, 18, 30, 140, 200],
            0,
        ),
        GDAL_SCRIPTS,
    ),
    _g(
        "(A == 1)*10+(A==255)*20", lambda p: (p.blue == 1) * 10 + (p.blue == 255) * 20, GDAL_SCRIPTS
    ),
    _g(
        "(E>=0.01)*101 + (E>-0.01)*(E<0.01)*B",
        lambda p: np.where(p.half >= 0.01, 101, np.where(p.half > -0.01, p.green, 0)),
        GDAL_SCRIPTS,
    ),
    _g("(A*(B!=0))-(B==0)", lambda p: np.where(p.green != 0, p.blue, -1), GDAL_SCRIPTS),
    _g(
        "( B != 0 ) * ( A + ( A == 0 ) )",
        lambda p: np.where(p.green != 0, np.where(p.blue == 0, 1, p.blue), 0),
        GDAL_SCRIPTS,
    ),
    _g("(A/B)*logical_and(A>-9998,B>-9998)", lambda p: p.blue / p.green, GDAL_SCRIPTS),
    _g(
        "logical_and(B == 256, A > 4) * (A+160) + (B > 256) * A + logical_and(B < 256, "
        "logical_and(A > 0, A <= 400)) * (A + A * 40)",
        lambda p: np.where(
            p.green > 256,
            p.blue,
            np.where(
                p.green == 256,
                np.where(p.blue > 4, p.blue + 160, 0),
                np.where((p.blue > 0) & (p.blue <= 400), 41 * p.blue, 0),
            ),
        ),
        GDAL_SCRIPTS,
    ),
    _g("logical_and(A<600, A>=0)", lambda p: (p.blue < 600) & (p.blue >= 0), GDAL_SCRIPTS),
    _g(
        "logical_and(logical_and(A==255, B==256), C==257)*255",
        lambda p: ((p.blue == 255) & (p.green == 256) & (p.red == 257)) * 255,
        GDAL_SCRIPTS,
    ),
    _g(
        "logical_or(logical_and(G>=1,G<=3),G==200)*1",
        lambda p: ((p.cls >= 1) & (p.cls <= 3)) | (p.cls == 200),
        GDAL_SCRIPTS,
    ),
    _g("logical_not(G)", lambda p: p.cls == 0, NUMPY_DOCS),
    _g("logical_xor(E>0,F>0)", lambda p: (p.half > 0) ^ (p.frac > 0), NUMPY_DOCS),
    _g("(E>0)&(F>0)", lambda p: (p.half > 0) & (p.frac > 0), GDAL_SE),
    _g(
        "((A>500)|(B>2000))*C",
        lambda p: np.where((p.blue > 500) | (p.green > 2000), p.red, 0),
        GDAL_SE,
    ),
    _g("~(E>0)", lambda p: p.half <= 0, GDAL_SE),
    _g("(E>0)^(F>0)", lambda p: (p.half > 0) ^ (p.frac > 0), GRAMMAR, note="xor of booleans"),
    # where
    _g(
        "numpy.where(A == 0, 0, A+-1000)",
        lambda p: np.where(p.blue == 0, 0, p.blue - 1000),
        GDAL_SCRIPTS,
        note="the Sentinel-2 offset in a script",
    ),
    _g("numpy.where(G==1, -9999, A)", lambda p: np.where(p.cls == 1, -9999, p.blue), GDAL_SCRIPTS),
    _g(
        "numpy.where((A>0)&(B>0), numpy.maximum(A-B,0), -9999)",
        lambda p: np.where((p.blue > 0) & (p.green > 0), np.maximum(p.blue - p.green, 0), -9999),
        GDAL_SCRIPTS,
    ),
    _g(
        "numpy.where((C<=0) | (D<=0) | (C+D==0), -9999, ((D-C)/(D+C))*10000)",
        lambda p: np.where((p.red <= 0) | (p.nir <= 0), -9999, _ndvi(p) * 10000),
        GDAL_SCRIPTS,
        note="the branch not taken is 0/0",
    ),
    _g(
        "numpy.where(G>=1, A * 1.5, numpy.nan)",
        lambda p: np.where(p.cls >= 1, p.blue * 1.5, np.nan),
        GDAL_SCRIPTS,
    ),
    _g("numpy.where(A>0, A, B)", lambda p: np.where(p.blue > 0, p.blue, p.green), GDAL_SCRIPTS),
    _g("where(E>0,log(E),0)", lambda p: np.where(p.half > 0, np.log(p.half), 0), GDAL_SCRIPTS),
    _g(
        "where(G==1,10,where(G==2,20,where(G==3,30,0)))",
        lambda p: 10 * p.cls * np.isin(p.cls, (1, 2, 3)),
        GDAL_SCRIPTS,
    ),
    _g(
        "where(logical_and(E>-5,E<5),1,0)*F",
        lambda p: np.where((p.half > -5) & (p.half < 5), p.frac, 0),
        GDAL_SCRIPTS,
    ),
    _g(
        "where(C+D==0,0,(D-C)/(C+D))",
        lambda p: np.where(p.nir + p.red == 0, 0, _ndvi(p)),
        GDAL_SCRIPTS,
    ),
    # Indices and units.
    _g("(D-C)/(D+C)", _ndvi, GDAL_SCRIPTS),
    _g(
        "((D-C)/(D+C))>0.2",
        lambda p: _known(_ndvi(p) > 0.2, _ndvi(p)),
        INDICES,
        tool_fault=NAN_IS_FALSE,
    ),
    _g(
        "2.5*(D-C)/(D+6*C-7.5*A+1)",
        lambda p: 2.5 * (p.nir - p.red) / (p.nir + 6 * p.red - 7.5 * p.blue + 1),
        INDICES,
    ),
    _g("(D-C)*(1+0.5)/(D+C+0.5)", lambda p: 1.5 * (p.nir - p.red) / (p.nir + p.red + 0.5), INDICES),
    _g(
        "(2*D+1-sqrt((2*D+1)**2-8*(D-C)))/2",
        lambda p: _msavi(p.nir, p.red),
        INDICES,
        note="cancels",
    ),
    _g("(B-D)/(B+D)", lambda p: (p.green - p.nir) / (p.green + p.nir), INDICES),
    _g(
        "1/((0.1-C*0.0001)**2+(0.06-D*0.0001)**2)",
        lambda p: 1 / ((0.1 - p.red * 1e-4) ** 2 + (0.06 - p.nir * 1e-4) ** 2),
        INDICES,
    ),
    _g(
        "(D-C)/(D+C)-(D-B)/(D+B)",
        lambda p: _ndvi(p) - (p.nir - p.green) / (p.nir + p.green),
        INDICES,
    ),
    _g("0.0000275 * A - 0.2", lambda p: 0.0000275 * p.blue - 0.2, USGS_SCALE),
    _g("(A * 2.75e-05 + -0.2) * 10000", lambda p: (p.blue * 2.75e-05 - 0.2) * 10000, USGS_SCALE),
    _g("clip(0.0000275*D-0.2,0,1)", lambda p: np.clip(0.0000275 * p.nir - 0.2, 0, 1), USGS_SCALE),
    _g("(A * 0.000122074)+4", lambda p: p.blue * 0.000122074 + 4, GDAL_SCRIPTS),
    _g("A*0.3048", lambda p: p.blue * 0.3048, GDAL_SCRIPTS),
    _g(
        "A*0.02-273.15",
        lambda p: p.blue * 0.02 - 273.15,
        GDAL_SCRIPTS,
        note="MODIS surface temperature",
    ),
    _g("10*log10(A)", lambda p: 10 * np.log10(p.blue), SAR_DB),
    _g(
        "10**(E/10)",
        lambda p: 10 ** (p.half / 10),
        SAR_DB,
        note="decibel to power; 10**7000 overflows",
    ),
    _g(
        "1321.08/log(774.89/(0.0003342*D+0.1)+1)-273.15",
        lambda p: _celsius(0.0003342 * p.nir + 0.1),
        SE_LST,
    ),
    _g("rad2deg(arctan(A/100))", lambda p: np.degrees(np.arctan(p.blue / 100)), GDAL_SCRIPTS),
    _g("tan(deg2rad(F*45))*100", lambda p: np.tan(np.radians(p.frac * 45)) * 100, GDAL_SCRIPTS),
    _g("cos(E*pi/180)", lambda p: np.cos(p.half * np.pi / 180), GDAL_SCRIPTS),
    _g("sin(radians(E))*numpy.pi", lambda p: np.sin(np.radians(p.half)) * np.pi, GDAL_SCRIPTS),
    _g("sqrt(E**2+F**2)", lambda p: np.hypot(p.half, p.frac), GDAL_SCRIPTS),
    _g("hypot(E,F)", lambda p: np.hypot(p.half, p.frac), NUMPY_DOCS),
    _g(
        "(270-arctan2(F,E)*180/pi)%360",
        lambda p: np.mod(270 - np.degrees(np.arctan2(p.frac, p.half)), 360),
        GDAL_SCRIPTS,
        note="wind direction",
    ),
    # Element-wise functions.
    _g("exp(F)", lambda p: np.exp(p.frac), NUMPY_DOCS),
    _g("log(E)", lambda p: np.log(p.half), NUMPY_DOCS),
    _g("log2(A+1)", lambda p: np.log2(p.blue + 1), NUMPY_DOCS),
    _g("log1p(A)", lambda p: np.log1p(p.blue), NUMPY_DOCS),
    _g("power(F,2)", lambda p: p.frac**2, NUMPY_DOCS),
    _g("square(F)+absolute(E)", lambda p: p.frac**2 + np.abs(p.half), NUMPY_DOCS),
    _g("abs(E)", lambda p: np.abs(p.half), NUMPY_DOCS),
    _g("rint(E)", lambda p: np.rint(p.half), GRAMMAR, note="x.5 goes to the even neighbour"),
    _g("round(E)", lambda p: np.rint(p.half), GRAMMAR, note="x.5 goes to the even neighbour"),
    _g("floor(E)+ceil(F)", lambda p: np.floor(p.half) + np.ceil(p.frac), NUMPY_DOCS),
    _g("trunc(E)", lambda p: np.trunc(p.half), NUMPY_DOCS),
    _g("sign(E)", lambda p: np.sign(p.half), NUMPY_DOCS),
    _g("clip(E,-10,10)", lambda p: np.clip(p.half, -10, 10), NUMPY_DOCS),
    _g("mod(E,3)", lambda p: p.half - 3 * np.floor(p.half / 3), NUMPY_DOCS),
    _g("fmod(E,3)", lambda p: p.half - 3 * np.trunc(p.half / 3), NUMPY_DOCS),
    _g("tanh(F)+sinh(F)-cosh(F)", lambda p: np.tanh(p.frac) - np.exp(-p.frac), NUMPY_DOCS),
    _g("arcsin(F)", lambda p: np.arcsin(p.frac), NUMPY_DOCS, note="out of range"),
    _g("nan_to_num(sqrt(E))", lambda p: np.where(p.half >= 0, np.sqrt(p.half), 0), GDAL_SCRIPTS),
    _g(
        "nan_to_num(D/C)",
        lambda p: np.where(p.red == 0, 0, p.nir / p.red),
        GDAL_SCRIPTS,
        tool_fault="x/0 becomes 1.8e308",
    ),
    _g("isnan(sqrt(E))*1", lambda p: p.half < 0, GDAL_SCRIPTS),
    _g("isfinite(A/B)*1", lambda p: p.green != 0, NUMPY_DOCS),
    _g("equal(G,3)+greater(G,100)", lambda p: (p.cls == 3) | (p.cls > 100), NUMPY_DOCS),
    _g("add(A,multiply(B,2))-divide(C,4)", lambda p: p.blue + 2 * p.green - p.red / 4, NUMPY_DOCS),
    # What the dialects read differently.
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
    _g("(G & 8) > 0", lambda p: (_bits(p.cls) & 8) > 0, QA_BITS, integer=True),
    _g("bitwise_and(G, 8)/8", lambda p: (_bits(p.cls) & 8) / 8, QA_BITS, integer=True),
    _g("(G >> 3) & 1", lambda p: _bits(p.cls) >> 3 & 1, QA_BITS, integer=True),
    _g(
        "((G & (1 << 3)) == 0) & ((G & (1 << 5)) == 0)",
        lambda p: (_bits(p.cls) & 40) == 0,
        QA_BITS,
        integer=True,
    ),
    _g(
        "A * ((G & 24) == 0)",
        lambda p: np.where((_bits(p.cls) & 24) == 0, p.blue, 0),
        QA_BITS,
        integer=True,
    ),
    _g(
        "where((G & 0b1010) != 0, 0, A)",
        lambda p: np.where((_bits(p.cls) & 10) != 0, 0, p.blue),
        QA_BITS,
        integer=True,
    ),
    _g("G & 3 == 1", lambda p: (_bits(p.cls) & 3) == 1, GRAMMAR, integer=True, note="& before =="),
    _g("A^2", lambda p: _bits(p.blue) ^ 2, GRAMMAR, integer=True, note="exclusive or, not a power"),
    _g("G | 1 ^ 3 & A", lambda p: _bits(p.cls) | (1 ^ (3 & _bits(p.blue))), GRAMMAR, integer=True),
    _g("~G & 255", lambda p: 255 - p.cls, GRAMMAR, integer=True),
    _g("A << 2 + 1", lambda p: p.blue * 8, GRAMMAR, integer=True),
    _g(
        "bitwise_or(bitwise_and(G,15),left_shift(1,4))",
        lambda p: (_bits(p.cls) & 15) | 16,
        QA_BITS,
        integer=True,
    ),
    _g(
        "bitwise_xor(G,A)+right_shift(B,1)",
        lambda p: (_bits(p.cls) ^ _bits(p.blue)) + (_bits(p.green) >> 1),
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
        _ndvi,
        GDAL_SCRIPTS,
        integer=True,
        note="division of integers is true division",
    ),
)

OTB = (
    # The manual and the tests.
    _o(
        "cos( im1b1 ) > cos( im2b1 ) ? im3b1 : im1b2",
        lambda p: np.where(np.cos(p.blue) > np.cos(p.half), p.cls, p.green),
        OTB_DOCS,
    ),
    _o(
        "cos(im1b1)+im2b1*im3b1-im1b2+ndvi(im1b3,im1b4)",
        lambda p: np.cos(p.blue) + p.half * p.cls - p.green + _ndvi(p),
        OTB_TESTS,
        tool_fault=NDVI_ZERO,
    ),
    _o("im1b1-im2b1", lambda p: p.blue - p.half, OTB_DOCS),
    _o("abs(im1b1 - im2b1)", lambda p: np.abs(p.blue - p.half), OTB_DOCS),
    _o("10.0+3", lambda p: 13.0, OTB_TESTS, note="no band"),
    _o("cos(1.55)", lambda p: np.cos(1.55), OTB_TESTS, note="no band"),
    _o("ln10", lambda p: np.log(10), OTB_TESTS, note="a constant of OTB's"),
    _o("ndvi(100, 10)", lambda p: -90 / 110, OTB_TESTS),
    _o(
        "(im1b1+im1b2-im1b3)*im1b4/200",
        lambda p: (p.blue + p.green - p.red) * p.nir / 200,
        OTB_TESTS,
    ),
    _o(
        "(7+10)/2+cos(pi/4)*10-10*ln10+ndvi(100, 10)",
        lambda p: 8.5 + 10 * np.cos(np.pi / 4) - 10 * np.log(10) - 90 / 110,
        OTB_TESTS,
    ),
    _o(
        "cos(2 * pi * im2b2)/(2 * pi * im1b2 + 1E-3)*sin(pi * im2b1) + ndvi(im1b1, im1b2) * sqrt(2) * im3b1",
        lambda p: (
            np.cos(2 * np.pi * p.frac) / (2 * np.pi * p.green + 1e-3) * np.sin(np.pi * p.half)
            + (p.green - p.blue) / (p.green + p.blue) * np.sqrt(2) * p.cls
        ),
        OTB_TESTS,
        tool_fault=NDVI_ZERO,
    ),
    _o(
        "im1b1 / im1b2",
        lambda p: p.blue / p.green,
        OTB_TESTS,
        note="x/0 is infinity, written as float32's largest number",
    ),
    _o("(im1b1>100)*(im1b2>1200)", lambda p: (p.blue > 100) & (p.green > 1200), OTB_TESTS),
    _o(
        "ndvi(im1b3,im1b4) > 0.047",
        lambda p: _known(_ndvi(p) > 0.047, _ndvi(p)),
        OTB_TESTS,
        tool_fault=NDVI_ZERO,
    ),
    _o("im1b1^2+im1b2^2", lambda p: p.blue**2 + p.green**2, OTB_SAR),
    _o("1 and 0", lambda p: 0.0, OTB_TESTS, note="no band"),
    # Scripts.
    _o("(im2b1-12.5)/3.25", lambda p: (p.half - 12.5) / 3.25, OTB_SCRIPTS),
    _o("im2b1 > 0 ? 99 : -99", lambda p: np.where(p.half > 0, 99, -99), OTB_SCRIPTS),
    _o("(im1b1 + im2b1)", lambda p: p.blue + p.half, OTB_SCRIPTS),
    _o(
        "(im1b1!=0?1:0)+(im1b3!=0?1:0)+(im3b1!=0?1:0)",
        lambda p: (p.blue != 0) * 1 + (p.red != 0) + (p.cls != 0),
        OTB_SCRIPTS,
    ),
    _o(
        "(im1b1>=1000 || im1b2>=1500 ?1:0)",
        lambda p: (p.blue >= 1000) | (p.green >= 1500),
        OTB_SCRIPTS,
    ),
    _o("(im3b1==1)?7:0", lambda p: (p.cls == 1) * 7, OTB_SCRIPTS),
    _o("im3b1>=1?im1b1:0", lambda p: np.where(p.cls >= 1, p.blue, 0), OTB_SCRIPTS),
    _o(
        "( im2b2  > 0.50 ) ? im2b1 : -9999",
        lambda p: np.where(p.frac > 0.5, p.half, -9999),
        OTB_SCRIPTS,
    ),
    _o(
        "(im1b4-im1b3)/(im1b4+im1b3+1.E-6)*1000",
        lambda p: (p.nir - p.red) / (p.nir + p.red + 1e-6) * 1000,
        OTB_SCRIPTS,
    ),
    _o("im1b1*im2b1*im3b1", lambda p: p.blue * p.half * p.cls, OTB_SCRIPTS),
    _o(
        "(ndvi(im1b3,im1b4) - ndvi(im1b2,im1b4)) > 0.20 ? 255:0",
        lambda p: _known(
            np.where(_ndvi(p) - (p.nir - p.green) / (p.nir + p.green) > 0.2, 255, 0),
            _ndvi(p),
            (p.nir - p.green) / (p.nir + p.green),
        ),
        OTB_SCRIPTS,
        tool_fault=NDVI_ZERO,
    ),
    _o(
        "((im1b2 / im1b1) / (im1b2 + im1b1))*256",
        lambda p: p.green / p.blue / (p.green + p.blue) * 256,
        OTB_SCRIPTS,
    ),
    _o("sum(im1b1,im1b2,im1b3,im1b4)", lambda p: p.blue + p.green + p.red + p.nir, OTB_SCRIPTS),
    _o(
        "(im1b3 == 1000) && (im1b1 == 1000) && (im1b2 == 1000) ? 0 : 1",
        lambda p: ~((p.red == 1000) & (p.blue == 1000) & (p.green == 1000)),
        OTB_SCRIPTS,
    ),
    _o(
        "im1b1==0 && im1b2==0 && im1b3==0 ? 0 : im1b4",
        lambda p: np.where((p.blue == 0) & (p.green == 0) & (p.red == 0), 0, p.nir),
        OTB_SCRIPTS,
    ),
    # Indices and units.
    _o("(im1b4-im1b3)/(im1b4+im1b3)", _ndvi, INDICES),
    _o("ndvi(im1b3,im1b4)", _ndvi, INDICES, tool_fault=NDVI_ZERO),
    _o("NDVI(im1b3,im1b4)", _ndvi, INDICES, tool_fault=NDVI_ZERO),
    _o(
        "2.5*(im1b4-im1b3)/(im1b4+6*im1b3-7.5*im1b1+1)",
        lambda p: 2.5 * (p.nir - p.red) / (p.nir + 6 * p.red - 7.5 * p.blue + 1),
        INDICES,
    ),
    _o(
        "1.5*(im1b4-im1b3)/(im1b4+im1b3+0.5)",
        lambda p: 1.5 * (p.nir - p.red) / (p.nir + p.red + 0.5),
        INDICES,
    ),
    _o(
        "(2*im1b4+1-sqrt((2*im1b4+1)^2-8*(im1b4-im1b3)))/2",
        lambda p: _msavi(p.nir, p.red),
        INDICES,
        note="cancels",
    ),
    _o("(im1b2-im1b4)/(im1b2+im1b4)", lambda p: (p.green - p.nir) / (p.green + p.nir), INDICES),
    _o(
        "1/((0.1-im1b3/10000)^2+(0.06-im1b4/10000)^2)",
        lambda p: 1 / ((0.1 - p.red / 1e4) ** 2 + (0.06 - p.nir / 1e4) ** 2),
        INDICES,
    ),
    _o(
        "(im1b4-im1b3)/(im1b4+im1b3) > 0.3 ? 1 : 0",
        lambda p: _known(_ndvi(p) > 0.3, _ndvi(p)),
        INDICES,
        tool_fault=NAN_IS_FALSE,
    ),
    _o(
        "im1b4+im1b3 == 0 ? 0 : (im1b4-im1b3)/(im1b4+im1b3)",
        lambda p: np.where(p.nir + p.red == 0, 0, _ndvi(p)),
        INDICES,
    ),
    _o("0.0000275*im1b1-0.2", lambda p: 0.0000275 * p.blue - 0.2, USGS_SCALE),
    _o(
        "1321.08/ln(774.89/(0.0003342*im1b4+0.1)+1)-273.15",
        lambda p: _celsius(0.0003342 * p.nir + 0.1),
        SE_LST,
    ),
    _o("10*log10(im1b1)", lambda p: 10 * np.log10(p.blue), SAR_DB),
    _o(
        "im1b1 > 0 ? 10*log10(im1b1) : -99",
        lambda p: np.where(p.blue > 0, 10 * np.log10(p.blue), -99),
        SAR_DB,
    ),
    _o("10^(im2b2/10)", lambda p: 10 ** (p.frac / 10), SAR_DB),
    _o("sqrt(im1b1^2+im2b1^2)", lambda p: np.hypot(p.blue, p.half), OTB_SAR),
    _o(
        "atan2(im2b2,im2b1)*180/pi",
        lambda p: np.degrees(np.arctan2(p.frac, p.half)),
        OTB_SAR,
        note="the phase of a complex value",
    ),
    # Functions of muParser.
    _o(
        "min(im1b1,im1b2,im1b3,im1b4)",
        lambda p: np.minimum(np.minimum(p.blue, p.green), np.minimum(p.red, p.nir)),
        MUPARSER,
    ),
    _o("max(im1b1,im1b2,0)", lambda p: np.maximum(p.blue, p.green), MUPARSER),
    _o("avg(im1b1,im1b2,im1b3)", lambda p: (p.blue + p.green + p.red) / 3, MUPARSER),
    _o("max(0, min(255, im1b4/40))", lambda p: np.clip(p.nir / 40, 0, 255), MUPARSER),
    _o("min(im2b1)", lambda p: p.half, MUPARSER, note="one argument"),
    _o("rint(im2b1)", lambda p: np.floor(p.half + 0.5), GRAMMAR, note="x.5 goes up"),
    _o("rint(im2b2*4)/4", lambda p: np.floor(p.frac * 4 + 0.5) / 4, GRAMMAR, note="x.5 goes up"),
    _o("sign(im2b1)", lambda p: np.sign(p.half), MUPARSER),
    _o("exp(im2b2)", lambda p: np.exp(p.frac), MUPARSER),
    _o(
        "log(im1b1+1)+ln(2)",
        lambda p: np.log(p.blue + 1) + np.log(2),
        MUPARSER,
        note="log is natural",
    ),
    _o("log2(im3b1)", lambda p: np.log2(p.cls), MUPARSER, note="log2(0) is -infinity"),
    _o("log(im2b1)", lambda p: np.log(p.half), MUPARSER),
    _o("sqrt(im2b1)", lambda p: np.sqrt(p.half), MUPARSER, note="root of negatives"),
    _o("asin(im2b2)+acos(im2b2)", lambda p: _known(np.pi / 2, np.arcsin(p.frac)), MUPARSER),
    _o("tan(im2b2)-atan(im2b2)", lambda p: np.tan(p.frac) - np.arctan(p.frac), MUPARSER),
    _o("sinh(im2b2)+cosh(im2b2)-tanh(im2b2)", lambda p: np.exp(p.frac) - np.tanh(p.frac), MUPARSER),
    _o(
        "asinh(im2b1)+acosh(im3b1)+atanh(im2b2)",
        lambda p: np.arcsinh(p.half) + np.arccosh(p.cls) + np.arctanh(p.frac),
        MUPARSER,
    ),
    _o("im2b1^3", lambda p: p.half**3, MUPARSER),
    _o("e^im2b2", lambda p: np.exp(p.frac), MUPARSER),
    _o(
        "_pi*im2b1 + log2e + log10e + ln2 + euler",
        lambda p: (
            np.pi * p.half + 1 / np.log(2) + 1 / np.log(10) + np.log(2) + 0.57721566490153286061
        ),
        OTB_DOCS,
    ),
    # What the dialects read differently.
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

CASES = (*QGIS, *GDAL_CALC, *OTB)
