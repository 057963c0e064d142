# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's mask raster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import NDArray
from ..credentials import file_name
from ..grids.grid import Grid
from ..grids.layout import Resampling
from ..job import Note
from ..messages import translate
from ..radiometry.masks import MaskChoice, MaskRule, masked, recognised, rule_of
from ..radiometry.nodata import as_stored, mark
from ..reading.bands import BandFacts, Describe, describe, descriptions_of
from ..reading.inputs import Input, input_on
from .log import placement


@dataclass(frozen=True)
class UserMask:
    """A mask raster on the result's grid, and the rule by which its values leave pixels out."""

    choice: MaskChoice
    rule: MaskRule
    input: Input

    def hidden(self, values: NDArray[Any], planes: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
        """Return which pixels are left out, of shape (n,).

        Parameters
        ----------
        values
            The raster's stored values, of shape (n,).
        planes
            The raster's own mask planes, of shape (n,), in which 0 marks unknown pixels.
        """
        hidden = masked(values, self.rule, self.choice)
        unknown = np.empty_like(hidden)
        mark(values, self.input.markers[0], unknown)
        hidden |= unknown
        for plane in planes:
            hidden |= plane == 0
        return hidden


def mask_band(choice: MaskChoice, described: Describe = describe) -> BandFacts:
    """Return the band of a mask raster: the chosen one, else the one described as a mask, else the first.

    Raises
    ------
    InputError
        For a file that cannot be used.
    """
    number = choice.number
    if not number:
        is_mask = [
            recognised("", description) is not None for description in descriptions_of(choice.path)
        ]
        number = is_mask.index(True) + 1 if True in is_mask else 1
    return described(choice.path, number)


def user_mask(choice: MaskChoice, band: BandFacts, grid: Grid) -> UserMask:
    """Return a mask on the result's grid.

    The nodata value means "unknown" in a mask that keeps what is not zero; in classes and flags every
    value has a meaning.

    Raises
    ------
    OptionError
        If the rule is automatic and the file is not recognised.
    GridError
        If the mask cannot be brought to the grid.
    """
    rule = rule_of(choice, band.declared.description)
    nodata = as_stored(band.declared.nodata, band.dtype) if rule is MaskRule.KEEP_NONZERO else None
    return UserMask(choice, rule, input_on(grid, band, Resampling.NEAREST, nodata=nodata))


_RULES = {
    MaskRule.KEEP_NONZERO: translate("Bandwise", "what is not zero is kept"),
    MaskRule.KEEP_ZERO: translate("Bandwise", "what is zero is kept"),
    MaskRule.SCL: translate(
        "Bandwise", "read as Sentinel-2 scene classification, of which {classes} are kept"
    ),
    MaskRule.QA_PIXEL: translate(
        "Bandwise", "read as Landsat quality flags, which leave out: {flags}"
    ),
    MaskRule.FMASK: translate("Bandwise", "read as HLS Fmask, which leaves out: {flags}"),
    MaskRule.MODIS_STATE: translate("Bandwise", "read as MODIS state, which leaves out: {flags}"),
}


def mask_note(mask: UserMask, grid: Grid) -> Note:
    """Return the line on the mask raster."""
    text = translate("Bandwise", "Mask: band {band} of {file}, {rule}; {placement}")
    choice = mask.choice
    rule = _RULES[mask.rule].format(
        classes=", ".join(map(str, choice.keep)),
        flags=", ".join(flag.name.lower().replace("_", " ") for flag in choice.reject),
    )
    facts = {"band": mask.input.band.number, "file": file_name(choice.path), "rule": rule}
    return Note(text.format(**facts, placement=placement(mask.input, grid)))
