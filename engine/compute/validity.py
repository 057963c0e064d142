# SPDX-License-Identifier: GPL-2.0-or-later
"""Invalid pixels, and the cause of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray, and_not
from ..radiometry.nodata import Stack, mark
from .statistics import Statistics

Booleans = NDArray[np.bool_]


class Excluded(NamedTuple):
    """Pixels that the user leaves out, of shape (n,): ``outside`` of the area, and ``masked``; None
    for no pixel.
    """

    outside: Booleans | None = None
    masked: Booleans | None = None

    def part(self, part: slice) -> Excluded:
        """Return those of a part of the pixels; :data:`NOTHING` itself if there are none."""
        outside, masked = (
            None if pixels is None or not pixels[part].any() else pixels[part] for pixels in self
        )
        return NOTHING if outside is None and masked is None else Excluded(outside, masked)


NOTHING = Excluded()


class Validity:
    """Finds the pixels of a chunk that are nodata or saturated in a band, and counts the causes of
    nodata in the result.

    Parameters
    ----------
    nodata, saturated
        For each stack an array of shape (bands, pixels that are read); overwritten.
    invalid, flags
        Masks of shape (pixels that are read,); overwritten.
    shape
        (height, width) of the pixels that are read.
    halo
        Number of them on each side that are not pixels of the result.
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        nodata: Sequence[Booleans],
        saturated: Sequence[Booleans],
        invalid: Booleans,
        flags: Booleans,
        shape: tuple[int, int],
        halo: int = 0,
    ) -> None:
        self._stacks, self._nodata, self._saturated = stacks, nodata, saturated
        self._shape, self._halo = shape, halo
        self._read_flags = flags
        pixels = (shape[0] - 2 * halo) * (shape[1] - 2 * halo)
        self._union, self._flags = invalid[:pixels], flags[:pixels]

    def find(
        self, values: Sequence[NDArray[Any]], planes: Sequence[Sequence[NDArray[Any]]]
    ) -> bool:
        """Mark the pixels of bands that are nodata or saturated, and return whether there are any.

        Parameters
        ----------
        values
            For each stack its stored values, of shape (bands, pixels).
        planes
            For each band its mask planes, of shape (pixels,), in which 0 marks nodata.
        """
        flags, anywhere = self._read_flags, False
        for stack, stored, nodata, saturated in zip(
            self._stacks, values, self._nodata, self._saturated
        ):
            masks = [(row, mask) for row, band in enumerate(stack.bands) for mask in planes[band]]
            if stack.nodata is stack.saturated is None and not masks:
                continue
            mark(stored, stack.nodata, nodata)
            for row, mask in masks:
                mark(mask, np.uint8(0), flags)
                np.logical_or(nodata[row], flags, out=nodata[row])
            if stack.saturated is not None:
                mark(stored, stack.saturated, saturated)
                and_not(saturated, nodata, out=saturated)
                np.logical_or(nodata, saturated, out=nodata)
            anywhere = bool(np.count_nonzero(nodata)) or anywhere
        return anywhere

    def invalid(
        self, values: NDArray[np.floating[Any]], missing: Booleans | None, excluded: Excluded
    ) -> tuple[Statistics, Booleans]:
        """Return the counts of nodata pixels by cause, and their mask.

        Each pixel is counted for the first cause that applies. All arrays are of shape (n,).
        """
        invalid, outside = self._union, 0
        masked, saturated, nodata = 0, 0, 0
        if excluded.outside is not None:
            outside = int(np.count_nonzero(excluded.outside))
            missing = None if missing is None else and_not(missing, excluded.outside)
        if missing is not None:
            saturated = self.count_saturated(missing)
            nodata = int(np.count_nonzero(missing)) - saturated
        np.isfinite(values, out=invalid)
        np.logical_not(invalid, out=invalid)
        for pixels in (missing, excluded.outside):
            if pixels is not None:
                np.logical_or(invalid, pixels, out=invalid)
        if excluded.masked is not None:
            before = [pixels for pixels in (missing, excluded.outside) if pixels is not None]
            only = excluded.masked
            if before:
                only = and_not(only, np.logical_or.reduce(before))
            masked = int(np.count_nonzero(only))
            np.logical_or(invalid, only, out=invalid)
        rest = int(np.count_nonzero(invalid)) - outside - nodata - saturated - masked
        return Statistics(
            nodata=nodata, saturated=saturated, masked=masked, outside=outside, not_finite=rest
        ), invalid

    def without_counts(
        self, values: NDArray[np.floating[Any]], missing: Booleans | None, excluded: Excluded
    ) -> Statistics:
        """Set NaN where values are missing, excluded or not finite, and count nothing: for values
        that only statistics over them are made of.
        """
        flags = np.isfinite(values, out=self._flags)
        np.logical_not(flags, out=flags)
        for pixels in (missing, *excluded):
            if pixels is not None:
                np.logical_or(flags, pixels, out=flags)
        np.copyto(values, np.nan, where=flags)
        return Statistics()

    def count_saturated(self, missing: Booleans) -> int:
        """Return the number of pixels of ``missing`` that are saturated in a band and nodata in none."""
        if all(stack.saturated is None for stack in self._stacks):
            return 0
        union, flags = self._union, self._flags
        union[:] = False
        inner_saturated = [self._inner(masks) for masks in self._saturated]
        for saturated in inner_saturated:
            np.logical_or(union, saturated.any(axis=0), out=union)
        for nodata, saturated in zip(map(self._inner, self._nodata), inner_saturated):
            for nodata_row, saturated_row in zip(nodata, saturated):
                and_not(nodata_row, saturated_row, out=flags)
                and_not(union, flags, out=union)
        np.logical_and(union, missing, out=union)
        return int(np.count_nonzero(union))

    def _inner(self, masks: Booleans) -> Booleans:
        """Return masks without the halo, of shape (bands, pixels of the result)."""
        if not self._halo:
            return masks
        inner = slice(self._halo, -self._halo)
        return masks.reshape(-1, *self._shape)[:, inner, inner].reshape(len(masks), -1)
