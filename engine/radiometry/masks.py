# SPDX-License-Identifier: GPL-2.0-or-later
"""Pixels that a mask raster or an area leaves out.

Sentinel-2 SCL: ESA, Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD). Landsat
QA_PIXEL: USGS, Landsat 8-9 Collection 2 Data Format Control Book (LSDS-1822). Fmask: LP DAAC,
Harmonized Landsat Sentinel-2 (HLS) Product User Guide 2.0. State of MOD09: MODIS Surface
Reflectance User's Guide, Collection 6. UDM2: Planet, Usable Data Mask, whose first band is "clear".
"""

from __future__ import annotations

import enum
import re
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray
from ..errors import OptionError
from ..messages import Field, shown, translate

#: Points (x, y) of a ring.
Ring = tuple[tuple[float, float], ...]


class Area(NamedTuple):
    """Polygons, each of an outer ring and holes, in a CRS as WKT (empty: that of the result)."""

    polygons: tuple[tuple[Ring, ...], ...]
    crs: str = ""


class MaskRule(enum.Enum):
    """How the values of a mask are read."""

    AUTOMATIC = 0
    KEEP_NONZERO = 1
    KEEP_ZERO = 2
    SCL = 3
    QA_PIXEL = 4
    FMASK = 5
    MODIS_STATE = 6


class QaFlag(enum.Enum):
    """What masks of flags tell of a pixel; the numbers are bits of Landsat's QA_PIXEL."""

    FILL = 0
    DILATED_CLOUD = 1
    CIRRUS = 2
    CLOUD = 3
    CLOUD_SHADOW = 4
    SNOW = 5


CLEAR_CLASSES = (4, 5, 6, 7, 11)  #: of SCL: vegetation, bare soil, water, unclassified, snow
REJECTED_FLAGS = (
    QaFlag.FILL,
    QaFlag.DILATED_CLOUD,
    QaFlag.CIRRUS,
    QaFlag.CLOUD,
    QaFlag.CLOUD_SHADOW,
)
_CLASSES = range(12)
_NAMES = {
    MaskRule.SCL: re.compile(r"(^|_)SCL(_\d\dm)?$", re.IGNORECASE),
    MaskRule.QA_PIXEL: re.compile(r"(^|_)QA_PIXEL$", re.IGNORECASE),
    MaskRule.FMASK: re.compile(r"(^|[._])Fmask$", re.IGNORECASE),
    MaskRule.MODIS_STATE: re.compile(r"(^|[_:])state_1km(_1)?$", re.IGNORECASE),
    MaskRule.KEEP_NONZERO: re.compile(r"(^|_)udm2(_clip)?$", re.IGNORECASE),
}
#: Of a mask of flags, the bits of which one is set
_BITS = {
    MaskRule.QA_PIXEL: {flag: 1 << flag.value for flag in QaFlag},
    MaskRule.FMASK: {
        QaFlag.CIRRUS: 1 << 0,
        QaFlag.CLOUD: 1 << 1,
        QaFlag.DILATED_CLOUD: 1 << 2,
        QaFlag.CLOUD_SHADOW: 1 << 3,
        QaFlag.SNOW: 1 << 4,
    },
    MaskRule.MODIS_STATE: {
        QaFlag.CLOUD_SHADOW: 1 << 2,
        QaFlag.CIRRUS: 1 << 9,  # bits 8 and 9: average or high
        QaFlag.CLOUD: 1 << 10,
        QaFlag.SNOW: 1 << 12,
        QaFlag.DILATED_CLOUD: 1 << 13,
    },
}
#: And the values of fill and of cloud, where no bit tells
_VALUES: dict[MaskRule, dict[QaFlag, tuple[int, tuple[int, ...]]]] = {
    MaskRule.FMASK: {QaFlag.FILL: (0xFF, (0xFF,))},
    MaskRule.MODIS_STATE: {QaFlag.FILL: (0xFFFF, (0xFFFF,)), QaFlag.CLOUD: (0b11, (0b01, 0b10))},
}


class MaskChoice(NamedTuple):
    """Band ``number`` of the raster ``path`` as a mask; 0 for the one that is recognised, else the first.

    ``keep`` are the clear classes of SCL, ``reject`` the flags that leave a pixel out.
    """

    path: str
    number: int = 0
    rule: MaskRule = MaskRule.AUTOMATIC
    keep: tuple[int, ...] = CLEAR_CLASSES
    reject: tuple[QaFlag, ...] = REJECTED_FLAGS


def recognised(path: str, description: str) -> MaskRule | None:
    """Return the rule for a band that is a known mask by its file's name or its description; else None."""
    for rule, name in _NAMES.items():
        names = (description.strip(), PurePath(path).stem, PurePath(path).name)
        if any(map(name.search, names)):
            return rule
    return None


def rule_of(choice: MaskChoice, description: str) -> MaskRule:
    """Return the rule of a mask.

    Raises
    ------
    OptionError
        If the choice is automatic and the mask is not recognised.
    """
    if choice.rule is not MaskRule.AUTOMATIC:
        return choice.rule
    rule = recognised(choice.path, description)
    if rule is None:
        text = translate(
            "Bandwise",
            "{file} is not named as a mask of a known product (such as SCL, QA_PIXEL, Fmask), so its "
            "values could mean anything; choose in {rule} whether to keep zero or not zero.",
        )
        raise OptionError(text.format(file=choice.path, rule=Field.MASK_RULE))
    return rule


def clear_classes(text: str) -> tuple[int, ...]:
    """Read a list of SCL classes such as ``"4,5,6"``.

    Raises
    ------
    OptionError
        If the text is no list of classes from 0 to 11.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) in _CLASSES for part in parts):
        raise OptionError(
            translate(
                "Bandwise",
                "{classes} is a list of Sentinel-2 scene classes from 0 to 11, such as 4,5,6,7,11, "
                "not “{text}”.",
            ).format(classes=Field.CLEAR_CLASSES, text=shown(text))
        )
    return tuple(sorted({int(part) for part in parts}))


def masked(values: NDArray[Any], rule: MaskRule, choice: MaskChoice) -> NDArray[np.bool_]:
    """Return which pixels a mask leaves out.

    Parameters
    ----------
    values
        The mask's stored values, of any shape. NaN leaves a pixel out.
    rule, choice
        How values are read, and which classes or flags leave a pixel out.
    """
    hidden: NDArray[np.bool_]
    if rule is MaskRule.KEEP_NONZERO:
        hidden = (values == 0) | np.isnan(values)
        return hidden
    if rule is MaskRule.KEEP_ZERO:
        hidden = values != 0
        return hidden
    if rule is MaskRule.SCL:
        hidden = np.ones(values.shape, np.bool_)
        for kept in choice.keep:
            hidden &= values != kept  # ten times as fast as np.isin for so few
        return hidden
    return _flagged(values, rule, choice.reject)


def _flagged(values: NDArray[Any], rule: MaskRule, reject: tuple[QaFlag, ...]) -> NDArray[np.bool_]:
    whole = values if values.dtype.kind in "iu" else np.nan_to_num(values, nan=-1).astype(np.int64)
    if rule is not MaskRule.QA_PIXEL:
        whole = whole.astype(np.int32)  # of any type, it holds all the bits
    bits = sum(_BITS[rule].get(flag, 0) for flag in reject)
    hidden: NDArray[np.bool_] = (whole & whole.dtype.type(bits)) != 0
    for flag, (part, meant) in _VALUES.get(rule, {}).items():
        if flag in reject:
            masked_part = whole & whole.dtype.type(part)
            for value in meant:
                hidden |= masked_part == value
    return hidden
