# SPDX-License-Identifier: GPL-2.0-or-later
"""What people type into OTB's BandMath."""

from __future__ import annotations

from functools import partial

import numpy as np

from .case import Case, celsius, msavi, ndvi, where_finite
from .sources import (
    GRAMMAR,
    INDICES,
    MUPARSER,
    NAN_IS_FALSE,
    NDVI_ZERO,
    OTB_DOCS,
    OTB_SAR,
    OTB_SCRIPTS,
    OTB_TESTS,
    SAR_DB,
    SE_LST,
    USGS_SCALE,
)

_o = partial(Case, "otb")

OTB = (
    # The manual and the tests.
    _o(
        "cos( im1b1 ) > cos( im2b1 ) ? im3b1 : im1b2",
        lambda p: np.where(np.cos(p.blue) > np.cos(p.half), p.cls, p.green),
        OTB_DOCS,
    ),
    _o(
        "cos(im1b1)+im2b1*im3b1-im1b2+ndvi(im1b3,im1b4)",
        lambda p: np.cos(p.blue) + p.half * p.cls - p.green + ndvi(p),
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
        lambda p: where_finite(ndvi(p) > 0.047, ndvi(p)),
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
        lambda p: where_finite(
            np.where(ndvi(p) - (p.nir - p.green) / (p.nir + p.green) > 0.2, 255, 0),
            ndvi(p),
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
    _o("(im1b4-im1b3)/(im1b4+im1b3)", ndvi, INDICES),
    _o("ndvi(im1b3,im1b4)", ndvi, INDICES, tool_fault=NDVI_ZERO),
    _o("NDVI(im1b3,im1b4)", ndvi, INDICES, tool_fault=NDVI_ZERO),
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
        lambda p: msavi(p.nir, p.red),
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
        lambda p: where_finite(ndvi(p) > 0.3, ndvi(p)),
        INDICES,
        tool_fault=NAN_IS_FALSE,
    ),
    _o(
        "im1b4+im1b3 == 0 ? 0 : (im1b4-im1b3)/(im1b4+im1b3)",
        lambda p: np.where(p.nir + p.red == 0, 0, ndvi(p)),
        INDICES,
    ),
    _o("0.0000275*im1b1-0.2", lambda p: 0.0000275 * p.blue - 0.2, USGS_SCALE),
    _o(
        "1321.08/ln(774.89/(0.0003342*im1b4+0.1)+1)-273.15",
        lambda p: celsius(0.0003342 * p.nir + 0.1),
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
    _o("asin(im2b2)+acos(im2b2)", lambda p: where_finite(np.pi / 2, np.arcsin(p.frac)), MUPARSER),
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
)
