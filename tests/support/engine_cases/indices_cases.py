# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of indices have in common: the package spyndex as the independent truth."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import spyndex
from bandwise.engine.radiometry.roles import ROLES_BY_CODE

LISTED: Mapping[str, Any] = spyndex.indices


def _resistant(band: Mapping[str, np.ndarray], gamma: float, soil: float) -> np.ndarray:
    """Kaufman and Tanré's ARVI; with the soil's term their SARVI."""
    red = band["red"] - gamma * (band["blue"] - band["red"])
    return (1 + soil) * (band["nir"] - red) / (band["nir"] + red + soil)


#: Formulas that the table corrects, as the papers have them: of the bands and the constants.
CORRECTED: Mapping[str, Callable[[Mapping[str, np.ndarray], Mapping[str, float]], np.ndarray]] = {
    "ARVI": lambda band, constant: _resistant(band, constant["gamma"], 0.0),
    "SARVI": lambda band, constant: _resistant(band, constant["gamma"], constant["L"]),
    "BAIM": lambda band, _: 1 / (np.square(band["nir"] - 0.05) + np.square(band["swir2"] - 0.2)),
}


def by_the_source(
    name: str, bands: Mapping[str, np.ndarray], constants: Mapping[str, float]
) -> np.ndarray:
    """An index in float64: by spyndex, and where the table corrects its formula by that of the paper."""
    if name not in CORRECTED:
        return by_spyndex(name, bands, constants)
    with np.errstate(all="ignore"):
        return CORRECTED[name](bands, constants)


def by_spyndex(
    name: str, bands: Mapping[str, np.ndarray], constants: Mapping[str, float]
) -> np.ndarray:
    """An index by spyndex in float64, of bands by role."""
    values: dict[str, Any] = dict(constants)
    values |= {code: bands[role] for code, role in ROLES_BY_CODE.items() if role in bands}
    for wanted in LISTED[name].bands:
        if kernel := re.fullmatch("k([A-Z])([A-Z])", wanted):
            a, b = (values.get(code, 1.0) for code in kernel.groups())
            values[wanted] = spyndex.computeKernel("RBF", a=a, b=b, sigma=constants["sigma"])
    with np.errstate(all="ignore"):
        return np.asarray(spyndex.computeIndex(name, values), np.float64)
