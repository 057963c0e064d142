# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows of the result from the inputs, wherever their own pixels lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray, Scratch
from ..backend.api import Dataset
from ..grids.grid import Window
from .inputs import Input, ReadPlan
from .resampled import Source, read_resampled
from .stored import SharedBlocks, mask_type, read_stored


class Pixels(NamedTuple):
    """What is read of a window: pixels in row order, n of them.

    ``values`` has stored values of every stack, of shape (bands, n), ``planes`` the mask planes of
    every input, of shape (n,), in which 0 marks nodata. ``mask`` has the values of the user's mask
    raster, of shape (n,), and ``mask_planes`` its own mask planes; None and empty without one.
    """

    values: list[NDArray[Any]]
    planes: list[list[NDArray[Any]]]
    mask: NDArray[Any] | None = None
    mask_planes: Sequence[NDArray[Any]] = ()


#: Arrays of values by type, and those of mask planes of each input and of the mask
_Room = tuple[dict[str, NDArray[Any]], list[list[NDArray[Any]]], list[NDArray[Any]]]


class Reader:
    """What one thread reads windows by: its ``datasets``, by path, the ``blocks`` that threads
    share, and arrays that are made once, for up to ``pixels`` pixels.

    There is one for each type, with a row for each band, so that what is read in one call, and a
    stack, are rows of one array. Several ``plans`` are read in turn, into the same memory.
    """

    def __init__(
        self,
        plans: Sequence[ReadPlan],
        datasets: Mapping[str, Dataset],
        pixels: int,
        blocks: SharedBlocks,
        release: Callable[[], None],
    ) -> None:
        self._datasets, self._blocks = datasets, blocks
        self.close = release
        self._arrays, self._scratch = Scratch(spare=0), Scratch()
        self._plans = [(plan, plan.rows_by_type, plan.stack_rows) for plan in plans]
        for plan, rows, _ in self._plans:  # the largest of each
            self._values(rows, pixels)
            self._planes(plan, pixels, pixels)
        self._rooms: dict[tuple[int, int, int], _Room] = {}  # by part, and pixels of the window

    def read(self, window: Window, part: int = 0) -> Pixels:
        """Read a window of the result, grown by the plan's halo; the next call overwrites it.

        ``part`` is the plan's position.

        Raises
        ------
        ReadError
            With file, band and window.
        """
        plan, rows_by_type, stack_rows = self._plans[part]
        grown = window.grown(plan.halo)
        room = self._rooms.get((part, grown.pixels, window.pixels))
        if room is None:
            room = (
                self._values(rows_by_type, grown.pixels),
                *self._planes(plan, grown.pixels, window.pixels),
            )
            self._rooms[part, grown.pixels, window.pixels] = room
        values, planes, mask_planes = room
        for call in plan.calls:
            group = [plan.inputs[band] for band in call.bands]
            group_planes = [planes[band] for band in call.bands]
            if call.with_mask and plan.mask is not None:
                group.append(plan.mask)
                group_planes.append(mask_planes)
            self._read(group, grown, values[call.dtype][call.rows], group_planes)
        stacks = [values[dtype][rows] for dtype, rows in stack_rows]
        if plan.mask is None:
            return Pixels(stacks, planes)
        # the mask is the last of its type, in a window of its own size
        mask = values[plan.mask.dtype.str][-1][: window.pixels]
        if plan.halo:
            self._read([plan.mask], window, mask[np.newaxis], [mask_planes])
        return Pixels(stacks, planes, mask, mask_planes)

    def _values(self, rows_by_type: Mapping[str, int], pixels: int) -> dict[str, NDArray[Any]]:
        return {
            dtype: self._arrays.array(dtype, (rows, pixels), dtype)
            for dtype, rows in rows_by_type.items()
        }

    def _planes(
        self, plan: ReadPlan, pixels: int, mask_pixels: int
    ) -> tuple[list[list[NDArray[Any]]], list[NDArray[Any]]]:
        """Room for the mask planes of each input, and for those of the mask."""

        def planes(name: object, band_input: Input, pixels: int) -> list[NDArray[Any]]:
            return [
                self._arrays.array(f"{name} {place}", (pixels,), mask_type(number, band_input.band))
                for place, number in enumerate(band_input.masks)
            ]

        bands = [planes(place, each, pixels) for place, each in enumerate(plan.inputs)]
        return bands, planes("mask", plan.mask, mask_pixels) if plan.mask else []

    def _read(
        self,
        group: Sequence[Input],
        window: Window,
        values: NDArray[Any],
        planes: Sequence[Sequence[NDArray[Any]]],
    ) -> None:
        """Fill ``values``, of shape (bands, n), and each band's planes, of shape (n,)."""
        dataset = self._datasets[group[0].band.path]
        shape = window.height, window.width
        pixels = values.reshape(-1, *shape)
        shaped = [[plane.reshape(shape) for plane in band] for band in planes]
        warp = group[0].warp
        if warp is None:
            read_stored(dataset, group, window, pixels, shaped)
        else:
            source = Source(dataset, group[0], self._scratch, self._blocks)
            read_resampled(source, warp, window, pixels[0], shaped[0])
