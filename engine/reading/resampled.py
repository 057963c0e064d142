# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows of bands that are resampled onto the result's grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray, Scratch
from ..backend.api import Dataset
from ..grids.grid import Window
from ..grids.layout import Resampling
from ..radiometry.nodata import mark
from .inputs import Input
from .stored import Block, SharedBlocks, mask_type, read_stored, reading
from .warp import Warp


class Source(NamedTuple):
    """A band that is resampled, as one thread reads it."""

    dataset: Dataset
    band_input: Input
    scratch: Scratch
    blocks: SharedBlocks

    def read(self, part: Window) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return a window of the band as it is stored, and where it is not valid."""
        band, shape = self.band_input.band, (part.height, part.width)
        stored = self.scratch.array("stored", shape, band.dtype)
        invalid = self.scratch.array("any flag", shape, np.bool_)
        if not self.blocks.takes(band):
            self._decode(part, stored, invalid)
            return stored, invalid
        for block in self.blocks.touched(self.band_input, part, self._block):
            common = block.window.intersection(part)
            if common is not None:
                inside, within = common.slices_in(part), common.slices_in(block.window)
                stored[inside] = block.values[within]
                invalid[inside] = False if block.invalid is None else block.invalid[within]
        return stored, invalid

    def _block(self, window: Window) -> Block:
        shape = window.height, window.width
        stored, invalid = np.empty(shape, self.band_input.band.dtype), np.empty(shape, np.bool_)
        self._decode(window, stored, invalid)
        return Block(window, stored, invalid if invalid.any() else None)

    def _decode(self, part: Window, stored: NDArray[Any], invalid: NDArray[np.bool_]) -> None:
        """Fill ``stored`` and ``invalid``, of shape (part.height, part.width)."""
        band_input, scratch = self.band_input, self.scratch
        plain = Input(band_input.band)
        masks = [
            scratch.array(f"mask {number}", stored.shape, mask_type(number, band_input.band))
            for number in plain.masks
        ]
        read_stored(self.dataset, [plain], part, stored[np.newaxis], [masks])
        flags = scratch.array("flags", stored.shape, np.bool_)
        invalid[...] = False
        for marked, marker in (
            (stored, band_input.nodata),
            (stored, band_input.saturated),
            *((mask, mask.dtype.type(0)) for mask in masks),
        ):
            if marker is not None:
                mark(marked, marker, flags)
                invalid |= flags


def read_resampled(
    source: Source,
    warp: Warp,
    window: Window,
    values: NDArray[Any],
    planes: Sequence[NDArray[Any]],
) -> None:
    """Read a band that is resampled onto the result's grid.

    Parameters
    ----------
    window
        In pixels of the result.
    values
        Of shape (height, width), to be filled; NaN where there is no value, 0 if the type has none.
    planes
        A plane of shape (height, width) that is 0 where there is no value, for types without NaN.

    Raises
    ------
    ReadError
        With file, band and window.
    """
    band_input, scratch = source.band_input, source.scratch
    window = window.offset(band_input.halo, band_input.halo)
    with reading(band_input.band.path, [band_input.band.number], window):
        if warp.lines is not None and warp.resampling is Resampling.NEAREST:
            for part in warp.parts(window):
                slices = part.slices_in(window)
                columns = warp.lines[0].nearest(part.column, part.width, warp.source.width)
                rows = warp.lines[1].nearest(part.row, part.height, warp.source.height)
                _read_nearest(
                    source, columns, rows, values[slices], [plane[slices] for plane in planes]
                )
            return
        integer = values.dtype.kind != "f"
        dtype = np.dtype(
            np.float32 if np.can_cast(band_input.band.dtype, np.float32) else np.float64
        )
        numbers: NDArray[np.floating[Any]] = (
            scratch.array("warped", values.shape, dtype) if integer else values
        )

        def read(part: Window) -> NDArray[np.floating[Any]]:
            stored, invalid = source.read(part)
            floats = scratch.array("numbers", stored.shape, dtype)
            np.copyto(floats, stored)
            np.copyto(floats, np.nan, where=invalid)
            return floats

        warp.fill(window, read, numbers)
    if integer:
        np.isfinite(numbers, out=planes[0].view(np.bool_))
        np.copyto(values, np.nan_to_num(numbers, nan=0.0), casting="unsafe")


def _read_nearest(
    source: Source,
    columns: NDArray[np.intp],
    rows: NDArray[np.intp],
    values: NDArray[Any],
    planes: Sequence[NDArray[Any]],
) -> None:
    """The stored values at columns and rows of the band, -1 beyond it: NaN where there are none, or
    0 and a plane that is 0 there.
    """
    invalid = (
        planes[0].view(np.bool_)
        if planes
        else source.scratch.array("invalid", values.shape, np.bool_)
    )
    across, down = columns[columns >= 0], rows[rows >= 0]
    if across.size and down.size:
        left, top = int(across.min()), int(down.min())
        stored, flags = source.read(
            Window(left, top, int(across.max()) - left + 1, int(down.max()) - top + 1)
        )
        for pixels, out in ((stored, values), (flags, invalid)):
            near = pixels.take(columns - left, axis=1, mode="clip")
            out[...] = near.take(rows - top, axis=0, mode="clip")
        invalid |= (rows < 0)[:, np.newaxis] | (columns < 0)
    else:
        invalid[...] = True
    np.copyto(values, 0 if planes else np.nan, where=invalid)
    if planes:
        np.logical_not(invalid, out=invalid)
