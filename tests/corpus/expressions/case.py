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


def where_finite(result: Any, *used: Any) -> Any:
    """``result`` where everything in ``used`` is finite."""
    return np.where(
        np.logical_and.reduce([np.isfinite(one) for one in np.broadcast_arrays(*used)]),
        result,
        np.nan,
    )


def ndvi(p: Any) -> Any:
    return (p.nir - p.red) / (p.nir + p.red)


def bits(band: Any) -> Any:
    return band.astype(np.int64)


def celsius(radiance: Any) -> Any:
    return 1321.08 / np.log(774.89 / radiance + 1) - 273.15


def msavi(nir: Any, red: Any) -> Any:
    return (2 * nir + 1 - np.sqrt((2 * nir + 1) ** 2 - 8 * (nir - red))) / 2
