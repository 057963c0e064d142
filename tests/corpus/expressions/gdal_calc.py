# SPDX-License-Identifier: GPL-2.0-or-later
"""What people type into gdal_calc.py."""

from __future__ import annotations

from functools import partial

import numpy as np

from .case import Case, celsius, msavi, ndvi, where_finite
from .sources import (
    GDAL_BLOG,
    GDAL_DOCS,
    GDAL_SCRIPTS,
    GDAL_SE,
    GDAL_TESTS,
    GRAMMAR,
    INDICES,
    NAN_IS_FALSE,
    NUMPY_DOCS,
    SAR_DB,
    SE_LST,
    USGS_SCALE,
)

_g = partial(Case, "gdal_calc")

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
        lambda p: np.where((p.red <= 0) | (p.nir <= 0), -9999, ndvi(p) * 10000),
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
        lambda p: np.where(p.nir + p.red == 0, 0, ndvi(p)),
        GDAL_SCRIPTS,
    ),
    # Indices and units.
    _g("(D-C)/(D+C)", ndvi, GDAL_SCRIPTS),
    _g(
        "((D-C)/(D+C))>0.2",
        lambda p: where_finite(ndvi(p) > 0.2, ndvi(p)),
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
        lambda p: msavi(p.nir, p.red),
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
        lambda p: ndvi(p) - (p.nir - p.green) / (p.nir + p.green),
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
        lambda p: celsius(0.0003342 * p.nir + 0.1),
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
)
