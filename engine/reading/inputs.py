# SPDX-License-Identifier: GPL-2.0-or-later
"""A band as a run reads it, and which of a run's inputs are read together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from ..backend.crs import same_crs
from ..errors import GridError
from ..grids.grid import Grid
from ..grids.layout import Resampling
from ..messages import translate
from ..radiometry.nodata import Stack
from .bands import BandFacts
from .warp import Warp

#: The mask plane that is 0 where the result reaches beyond a raster, or where a class was brought
#: from nowhere
COVERAGE = -1
#: Blocks of a resampled source that a worker's neighbouring tiles have in common, at most
_TILES_HELD = 4
_MOST_PIXELS_IN_ONE = 16_000_000  #: with the margins of the method
_SUMS_HELD = 4  #: arrays of float64 of a tile that sums of weights and of values take


class Input(NamedTuple):
    """A band as a run reads it: as it is, its pixel ``shift`` (column, row) on the result's first,
    or through a ``warp``.

    ``nodata`` and ``saturated`` are stored values; ``covered`` says that the band's raster has a
    pixel for each of the result's, grown by ``halo`` pixels on each side. A warp's target is the
    result's grid, grown likewise.
    """

    band: BandFacts
    nodata: np.generic | None = None
    saturated: np.generic | None = None
    shift: tuple[int, int] = (0, 0)
    covered: bool = True
    warp: Warp | None = None
    halo: int = 0

    @property
    def _stays_integer(self) -> bool:
        return (
            self.warp is not None
            and self.warp.resampling is Resampling.NEAREST
            and self.band.dtype.kind in "iu"
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values that are read: numbers between integers are floating-point."""
        if self.warp is None or self._stays_integer:
            return self.band.dtype
        return np.dtype(np.float32 if np.can_cast(self.band.dtype, np.float32) else np.float64)

    @property
    def masks(self) -> tuple[int, ...]:
        """The mask planes that are read with the values, as :attr:`BandFacts.masks` has them, or of coverage."""
        if self.warp is not None:
            return (COVERAGE,) if self._stays_integer else ()
        return self.band.masks if self.covered else (*self.band.masks, COVERAGE)

    @property
    def markers(self) -> tuple[np.generic | None, np.generic | None]:
        """The values that are nodata and saturated in what is read; a warp has looked for the
        stored ones and leaves NaN.
        """
        if self.warp is None:
            return self.nodata, self.saturated
        return (None if self._stays_integer else self.dtype.type(np.nan)), None

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


def input_on(
    grid: Grid,
    band: BandFacts,
    resampling: Resampling,
    *,
    nodata: np.generic | None = None,
    saturated: np.generic | None = None,
    halo: int = 0,
) -> Input:
    """Return how a band comes onto the result's grid, with ``halo`` pixels around it.

    ``nodata`` and ``saturated`` are stored values. Bands of classes are never interpolated.

    Raises
    ------
    GridError
        Where there is no CRS to transform by, or a pixel of the result is made of too many.
    """
    grown = grid.crop(grid.window.grown(halo))
    shift = band.grid.pixel_offset(grid) if same_crs(band.grid.crs, grid.crs) else None
    if shift is not None:
        window = grid.window.grown(halo).offset(*shift)
        covered = window.intersection(band.grid.window) == window
        return Input(band, nodata, saturated, shift, covered, halo=halo)
    if not (band.grid.crs and grid.crs):
        text = translate(
            "Bandwise",
            "{file} or the result has no CRS, so one cannot be brought onto the grid of the "
            "other; assign the right CRS to both.",
        )
        raise GridError(text.format(file=band.path))
    warp = Warp.between(band.grid, grown, Resampling.NEAREST if band.classes else resampling)
    if warp.source_pixels > _MOST_PIXELS_IN_ONE:
        text = translate(
            "Bandwise",
            "A pixel of the result is made of over {count} pixels of {file}; resample that file to "
            "a coarser grid first.",
        )
        raise GridError(text.format(count=_MOST_PIXELS_IN_ONE, file=band.path))
    return Input(band, nodata, saturated, warp=warp, halo=halo)


class ReadCall(NamedTuple):
    """Inputs at the positions ``bands`` that are read in one call, into ``rows`` of the array of their type.

    So a block that holds several bands is decoded once. The last row is the mask's where it is read
    ``with_mask``.
    """

    bands: tuple[int, ...]
    dtype: str
    rows: slice
    with_mask: bool = False


@dataclass(frozen=True)
class ReadPlan:
    """What is read of each window, and where it goes.

    ``inputs`` are the bands of the formula, ``stacks`` those of them that are read, and ``mask`` is
    the user's mask raster. A window is grown by ``halo`` pixels on each side, but not that of the
    mask, which is read by itself then.
    """

    inputs: tuple[Input, ...]
    stacks: tuple[Stack, ...]
    calls: tuple[ReadCall, ...]
    mask: Input | None = None
    halo: int = 0

    @property
    def all_inputs(self) -> tuple[Input, ...]:
        """The bands of the formula and the mask."""
        return self.inputs if self.mask is None else (*self.inputs, self.mask)

    @property
    def paths(self) -> list[str]:
        """The rasters that are read, in order of their names."""
        read = [self.inputs[band] for stack in self.stacks for band in stack.bands]
        if self.mask is not None:
            read.append(self.mask)
        return sorted({band_input.band.path for band_input in read})

    @property
    def rows_by_type(self) -> dict[str, int]:
        """How many bands there are of each type, the mask among them."""
        rows = Counter(stack.dtype.str for stack in self.stacks for _ in stack.bands)
        if self.mask is not None:
            rows[self.mask.dtype.str] += 1
        return rows

    @property
    def stack_rows(self) -> list[tuple[str, slice]]:
        """Type and rows of each stack."""
        rows = []
        ends: Counter[str] = Counter()
        for stack in self.stacks:
            dtype, count = stack.dtype.str, len(stack.bands)
            rows.append((dtype, slice(ends[dtype], ends[dtype] + count)))
            ends[dtype] += count
        return rows


def read_plan(
    inputs: Sequence[Input], used: Sequence[int], mask: Input | None = None, halo: int = 0
) -> ReadPlan:
    """Return how the inputs at the positions ``used`` are read.

    Inputs of one type follow each other, and among these those that are read in one call, for they
    lie in one array.
    """
    everything = [*inputs, *([mask] if mask else [])]
    wanted = [
        *used,
        *([len(inputs)] if mask and not halo else []),
    ]  # the mask is the last of its call
    together: dict[str, dict[object, list[int]]] = {}
    for band in reversed(wanted):
        calls_of_type = together.setdefault(everything[band].dtype.str, {})
        calls_of_type.setdefault(_call_of(everything, band), []).append(band)
    order = [band for calls in together.values() for group in calls.values() for band in group][
        ::-1
    ]

    def alike(band: int) -> tuple[str, str]:
        return inputs[band].dtype.str, repr(inputs[band].markers)

    stacks = tuple(
        Stack(bands, inputs[bands[0]].dtype, *inputs[bands[0]].markers)
        for bands in (
            tuple(group)
            for _, group in groupby([band for band in order if band < len(inputs)], alike)
        )
    )
    calls, ends = [], Counter[str]()
    for group in (tuple(group) for _, group in groupby(order, partial(_call_of, everything))):
        dtype, rows = everything[group[0]].dtype.str, len(group)
        bands = tuple(band for band in group if band < len(inputs))
        target_rows = slice(ends[dtype], ends[dtype] + rows)
        calls.append(ReadCall(bands, dtype, target_rows, with_mask=len(bands) < rows))
        ends[dtype] += rows
    return ReadPlan(tuple(inputs), stacks, tuple(calls), mask, halo)


def _call_of(inputs: Sequence[Input], band: int) -> object:
    """What inputs have in common that are read in one call."""
    band_input = inputs[band]
    if band_input.warp is not None:
        return band
    return band_input.band.path, band_input.shift, band_input.dtype.str
