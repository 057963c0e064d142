# SPDX-License-Identifier: GPL-2.0-or-later
"""A band as a run reads it, and which of a run's inputs lie together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from ..grids.layout import Resampling
from ..radiometry.scaling import Stack
from .bands import BandFacts
from .warp import Warp

#: The mask plane that is 0 where the result reaches beyond a raster, or where a class was brought
#: from nowhere
COVERAGE = -1
#: Blocks of a resampled source that a worker's neighbouring tiles have in common, at most
_TILES_HELD = 4
_SUMS_HELD = 4  #: arrays of float64 of a tile that sums of weights and of values take


class Input(NamedTuple):
    """A band as a run reads it: as it is, its pixel ``shift`` (column, row) on the result's first,
    or through a ``warp``.

    ``nodata`` and ``saturated`` are stored values; ``covered`` says that the band's raster has a
    pixel for each of the result's.
    """

    band: BandFacts
    nodata: np.generic | None = None
    saturated: np.generic | None = None
    shift: tuple[int, int] = (0, 0)
    covered: bool = True
    warp: Warp | None = None

    @property
    def _stays_whole(self) -> bool:
        return (
            self.warp is not None
            and self.warp.resampling is Resampling.NEAREST
            and self.band.dtype.kind in "iu"
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values that are read: numbers between integers are floating-point."""
        if self.warp is None or self._stays_whole:
            return self.band.dtype
        return np.dtype(np.float32 if np.can_cast(self.band.dtype, np.float32) else np.float64)

    @property
    def masks(self) -> tuple[int, ...]:
        """The mask planes that are read with the values, as :attr:`BandFacts.masks` has them, or of coverage."""
        if self.warp is not None:
            return (COVERAGE,) if self._stays_whole else ()
        return self.band.masks if self.covered else (*self.band.masks, COVERAGE)

    @property
    def markers(self) -> tuple[np.generic | None, np.generic | None]:
        """The values that are nodata and saturated in what is read; a warp has looked for the
        stored ones and leaves NaN.
        """
        if self.warp is None:
            return self.nodata, self.saturated
        return (None if self._stays_whole else self.dtype.type(np.nan)), None

    @property
    def block(self) -> tuple[int, int]:
        """(width, height) of what is decoded together, in pixels of the result."""
        return self.band.block if self.warp is None else (self.warp.tile, self.warp.tile)

    @property
    def decoded(self) -> int:
        """Bytes that GDAL has to keep, so that no block is decoded twice."""
        return self.band.decoded * (_TILES_HELD if self.warp else 1)

    @property
    def scratch(self) -> int:
        """Bytes that resampling a tile takes: stored values, flags, numbers and twice what is made
        of them; then float64 of the tile.
        """
        if self.warp is None:
            return 0
        source = self.warp.source_pixels * (
            self.band.dtype.itemsize + len(self.band.masks) + 2 + 3 * self.dtype.itemsize
        )
        return source + _SUMS_HELD * 8 * self.warp.tile**2


def stacked(inputs: Sequence[Input], needed: Sequence[int], *, masked: bool) -> tuple[Stack, ...]:
    """The inputs at the positions ``needed``, of which the last is a mask where ``masked`` says so;
    it is the last stack, by itself.

    Inputs of one type follow each other, and among these those that are read in one call, for they lie in one array.
    """
    together: dict[str, dict[object, list[int]]] = {}
    for index in reversed(needed):
        together.setdefault(inputs[index].dtype.str, {}).setdefault(
            call_of(inputs, index), []
        ).append(index)
    order = [index for calls in together.values() for group in calls.values() for index in group]

    def alike(index: int) -> tuple[str, str, bool]:
        return inputs[index].dtype.str, repr(inputs[index].markers), masked and index == needed[-1]

    groups = (tuple(group) for _, group in groupby(reversed(order), alike))
    return tuple(
        Stack(bands, inputs[bands[0]].dtype, *inputs[bands[0]].markers) for bands in groups
    )


def call_of(inputs: Sequence[Input], index: int) -> object:
    """What inputs have in common that are read in one call, so that a block that holds several
    bands is decoded once.
    """
    one = inputs[index]
    return (one.band.path, one.shift, one.dtype.str) if one.warp is None else index
