# SPDX-License-Identifier: GPL-2.0-or-later
"""What people type into QGIS's raster calculator."""

from __future__ import annotations

from functools import partial

import numpy as np

from .case import Case, celsius, msavi, ndvi, where_finite
from .sources import (
    BLOG_CONDITION,
    INDICES,
    QGIS_DOCS,
    QGIS_ISSUE,
    QGIS_TESTS,
    QGIS_TRAINING,
    SAR_DB,
    SE_ASPECT,
    SE_CLASSES,
    SE_LOGIC,
    SE_LST,
    USGS_SCALE,
)

_q = partial(Case, "qgis")

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
        lambda p: msavi(p.nir, p.red),
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
    _q('("scene@4" - "scene@3") / ("scene@4" + "scene@3")', ndvi, INDICES),
    _q("(scene@4 - scene@3)/(scene@4 + scene@3)", ndvi, INDICES),
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
        lambda p: msavi(p.nir / 1e4, p.red / 1e4),
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
        lambda p: np.sqrt(ndvi(p) + 0.5),
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
        lambda p: ndvi(p) - (p.nir - p.green) / (p.nir + p.green),
        INDICES,
        note="the form of dNBR and dNDVI",
    ),
    _q(
        '(("scene@4" - "scene@3") / ("scene@4" + "scene@3")) > 0.3',
        lambda p: where_finite(ndvi(p) > 0.3, ndvi(p)),
        INDICES,
    ),
    _q(
        'if(("scene@4" + "scene@3") = 0, 0, ("scene@4" - "scene@3") / ("scene@4" + "scene@3"))',
        lambda p: np.where(p.nir + p.red == 0, 0, ndvi(p)),
        INDICES,
        note="the branch not taken is 0/0",
    ),
    _q(
        '((("scene@4"-"scene@3")/("scene@4"+"scene@3"))-0.05)/(0.95-0.05)*((("scene@4"-"scene@3")/("scene@4"+"scene@3"))>0.05)',
        lambda p: where_finite((ndvi(p) - 0.05) / 0.9 * (ndvi(p) > 0.05), ndvi(p)),
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
        lambda p: celsius(0.0003342 * p.nir + 0.1),
        SE_LST,
    ),
    _q(
        '0.004*((("scene@4"-"scene@3")/("scene@4"+"scene@3") - 0.2)/0.3) + 0.986',
        lambda p: 0.004 * ((ndvi(p) - 0.2) / 0.3) + 0.986,
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
)
