# SPDX-License-Identifier: GPL-2.0-or-later
"""Which pixels are invalid, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray
from ..radiometry.scaling import Stack, mark
from .statistics import Statistics

Booleans = NDArray[np.bool_]


class Excluded(NamedTuple):
    """Pixels that are left out on the user's word, of shape (n,): ``outside`` the area, and
    ``masked``; None for no such word.
    """

    outside: Booleans | None = None
    masked: Booleans | None = None

    def part(self, part: slice) -> Excluded:
        """The pixels of a part; :data:`NOTHING` where it has none, which is asked for each chunk."""
        outside, masked = (
            None if pixels is None or not pixels[part].any() else pixels[part] for pixels in self
        )
        return NOTHING if outside is None and masked is None else Excluded(outside, masked)


NOTHING = Excluded()


class Validity:
    """Finds the pixels of a chunk that are nodata or saturated in some band, and counts the causes
    of nodata in the result.

    ``gaps`` and ``saturations`` have for each stack an array of shape (bands, n); ``invalid`` and
    ``flags`` are of shape (n,). All are overwritten.
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        gaps: Sequence[Booleans],
        saturations: Sequence[Booleans],
        invalid: Booleans,
        flags: Booleans,
    ) -> None:
        self._stacks, self._gaps, self._saturations = stacks, gaps, saturations
        self._union, self._flags = invalid, flags

    def find(self, stored: Sequence[NDArray[Any]], masks: Sequence[Sequence[NDArray[Any]]]) -> bool:
        """Mark where bands are nodata or saturated, and tell whether any is anywhere."""
        flags, found = self._flags, False
        for stack, values, gaps, saturations in zip(
            self._stacks, stored, self._gaps, self._saturations
        ):
            planes = [(row, mask) for row, band in enumerate(stack.bands) for mask in masks[band]]
            if stack.nodata is stack.saturated is None and not planes:
                continue
            mark(values, stack.nodata, gaps)
            for row, mask in planes:
                mark(mask, np.uint8(0), flags)
                np.logical_or(gaps[row], flags, out=gaps[row])
            if stack.saturated is not None:
                mark(values, stack.saturated, saturations)
                np.greater(saturations, gaps, out=saturations)
                np.logical_or(gaps, saturations, out=gaps)
            found = bool(np.count_nonzero(gaps)) or found
        return found

    def invalid(
        self, values: NDArray[np.floating[Any]], missing: Booleans | None, excluded: Excluded
    ) -> tuple[Statistics, Booleans]:
        """Where values are to be nodata, and how many of them for which cause; each pixel counts
        for the first that fits.
        """
        invalid, outside = self._union, 0
        masked, saturated, nodata = 0, 0, 0
        if excluded.outside is not None:
            outside = int(np.count_nonzero(excluded.outside))
            missing = None if missing is None else missing & ~excluded.outside
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
            only = excluded.masked & ~np.logical_or.reduce(before) if before else excluded.masked
            masked = int(np.count_nonzero(only))
            np.logical_or(invalid, only, out=invalid)
        rest = int(np.count_nonzero(invalid)) - outside - nodata - saturated - masked
        return Statistics(
            nodata=nodata, saturated=saturated, masked=masked, outside=outside, not_finite=rest
        ), invalid

    def count_saturated(self, missing: Booleans) -> int:
        """Count the pixels of ``missing`` that are saturated in some band and nodata in none."""
        if all(stack.saturated is None for stack in self._stacks):
            return 0
        union, flags = self._union, self._flags
        union[:] = False
        for saturations in self._saturations:
            np.logical_or(union, saturations.any(axis=0), out=union)
        for gaps, saturations in zip(self._gaps, self._saturations):
            for row, saturated in zip(gaps, saturations):
                np.greater(row, saturated, out=flags)
                np.greater(union, flags, out=union)
        np.logical_and(union, missing, out=union)
        return int(np.count_nonzero(union))
