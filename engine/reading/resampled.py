# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows of bands that are resampled onto the result's grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import NDArray, Scratch
from ..backend.api import Dataset
from ..grids.grid import Window
from ..grids.layout import Resampling
from ..radiometry.nodata import mark
from .inputs import Input
from .stored import mask_type, read_stored, reading
from .warp import Warp


def read_resampled(
    dataset: Dataset,
    band_input: Input,
    warp: Warp,
    window: Window,
    values: NDArray[Any],
    planes: Sequence[NDArray[Any]],
    scratch: Scratch,
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
    window = window.offset(band_input.halo, band_input.halo)
    with reading(band_input.band.path, [band_input.band.number], window):
        if warp.lines is not None and warp.resampling is Resampling.NEAREST:
            for part in warp.parts(window):
                slices = part.slices_in(window)
                columns = warp.lines[0].nearest(part.column, part.width, warp.source.width)
                rows = warp.lines[1].nearest(part.row, part.height, warp.source.height)
                _read_nearest(
                    dataset,
                    band_input,
                    columns,
                    rows,
                    values[slices],
                    [plane[slices] for plane in planes],
                    scratch,
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
            stored, invalid = _read_marked(dataset, band_input, part, scratch)
            floats = scratch.array("numbers", stored.shape, dtype)
            np.copyto(floats, stored)
            np.copyto(floats, np.nan, where=invalid)
            return floats

        warp.fill(window, read, numbers)
    if integer:
        np.isfinite(numbers, out=planes[0].view(np.bool_))
        np.copyto(values, np.nan_to_num(numbers, nan=0.0), casting="unsafe")


def _read_nearest(
    dataset: Dataset,
    band_input: Input,
    columns: NDArray[np.intp],
    rows: NDArray[np.intp],
    values: NDArray[Any],
    planes: Sequence[NDArray[Any]],
    scratch: Scratch,
) -> None:
    """The stored values at columns and rows of the band, -1 beyond it: NaN where there are none, or
    0 and a plane that is 0 there.
    """
    invalid = (
        planes[0].view(np.bool_) if planes else scratch.array("invalid", values.shape, np.bool_)
    )
    across, down = columns[columns >= 0], rows[rows >= 0]
    if across.size and down.size:
        left, top = int(across.min()), int(down.min())
        stored, flags = _read_marked(
            dataset,
            band_input,
            Window(left, top, int(across.max()) - left + 1, int(down.max()) - top + 1),
            scratch,
        )
        for source, out in ((stored, values), (flags, invalid)):
            near = source.take(columns - left, axis=1, mode="clip")
            out[...] = near.take(rows - top, axis=0, mode="clip")
        invalid |= (rows < 0)[:, np.newaxis] | (columns < 0)
    else:
        invalid[...] = True
    np.copyto(values, 0 if planes else np.nan, where=invalid)
    if planes:
        np.logical_not(invalid, out=invalid)


def _read_marked(
    dataset: Dataset, band_input: Input, part: Window, scratch: Scratch
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A window of the band as it is stored, and where it is not valid."""
    plain = Input(band_input.band)
    shape = part.height, part.width
    stored = scratch.array("stored", (1, *shape), band_input.band.dtype)
    masks = [
        scratch.array(f"mask {number}", shape, mask_type(number, band_input.band))
        for number in plain.masks
    ]
    read_stored(dataset, [plain], part, stored, [masks])
    invalid, flags = (
        scratch.array("any flag", shape, np.bool_),
        scratch.array("flags", shape, np.bool_),
    )
    invalid[...] = False
    for marked, marker in (
        (stored[0], band_input.nodata),
        (stored[0], band_input.saturated),
        *((mask, mask.dtype.type(0)) for mask in masks),
    ):
        if marker is not None:
            mark(marked, marker, flags)
            invalid |= flags
    return stored[0], invalid
