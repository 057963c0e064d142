# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of indices have in common: the package spyndex as the independent truth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import spyndex
from bandwise.engine.radiometry.roles import ROLES_BY_CODE

LISTED: Mapping[str, Any] = spyndex.indices


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
