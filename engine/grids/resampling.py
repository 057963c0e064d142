# SPDX-License-Identifier: GPL-2.0-or-later
"""Resample values by weights, in numpy: sums of weighted values divided by sums of weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import NDArray
from .kernels import LEAST_SUM, ROUNDING, Axis, Kernel, nearest, weighted

#: Source pixels that are resampled together, so that their float64 values fit a core's cache
_CACHED = 256 * 1024
_SCATTERED = 4 * 1024  #: pixels of the target that are resampled together
_LONGEST_PERIOD = 8  #: pixels of the target; beyond, slices are no faster than indices


def resampled(
    values: NDArray[np.floating[Any]],
    corner: tuple[int, int],
    columns: Axis,
    rows: Axis,
    dtype: np.dtype[Any],
    *,
    overshoots: bool = False,
) -> NDArray[np.floating[Any]]:
    """Resample to a grid with parallel axes.

    A pixel is the sum of weights times valid (finite) values divided by the sum of these weights;
    both are sums of float64 in the order of the source pixels. It is NaN if its centre lies on an
    invalid pixel, and for a kernel that ``overshoots`` also if the weights almost cancel out
    (:data:`LEAST_SUM`).

    Parameters
    ----------
    values
        Source pixels, of shape (rows, columns).
    corner
        (column, row) of the first of them.
    columns, rows
        Source pixels and weights of the target's columns and rows.
    dtype
        Type of the result, of shape (rows, columns) of the target.
    """
    left, top = corner
    out = np.full((rows.first.size, columns.first.size), np.nan, dtype)
    strip = max(1, _CACHED * rows.first.size // max(1, values.size))
    for begin in range(0, rows.first.size, strip):
        part = rows.part(slice(begin, begin + strip))
        start = min(max(int(part.first.min()) - top, 0), values.shape[0])
        end = max(int(part.first.max()) + part.weights.shape[1] - top, start)
        if end > start:
            _resample(
                values[start:end],
                (left, top + start),
                columns,
                part,
                out[begin : begin + strip],
                overshoots=overshoots,
            )
    return out


def _resample(
    values: NDArray[np.floating[Any]],
    corner: tuple[int, int],
    columns: Axis,
    rows: Axis,
    out: NDArray[np.floating[Any]],
    *,
    overshoots: bool,
) -> None:
    frame = _Frame(values.shape, corner, columns, rows)
    valid = np.isfinite(values)
    complete = bool(valid.all())
    weights = columns.weights, rows.weights
    sums = frame.sums(values, *weights, where=True if complete else valid)
    if complete and all(map(_is_inside, (columns, rows))):
        np.copyto(out, sums, casting="same_kind")
        return
    share = (
        weights[1].sum(axis=1)[:, np.newaxis] * weights[0].sum(axis=1)
        if complete
        else frame.sums(valid, *weights)
    )
    keep = share > ROUNDING * ROUNDING
    if overshoots and not complete:
        keep &= share >= LEAST_SUM * frame.sums(valid, *map(np.abs, weights))
    if columns.centre is not None and rows.centre is not None:
        keep &= (rows.centre >= 0)[:, np.newaxis] & (columns.centre >= 0)
        if not complete:
            down, across = (
                np.clip(centre - start, 0, size - 1)
                for centre, start, size in zip(
                    (rows.centre, columns.centre), corner[::-1], values.shape
                )
            )
            keep &= valid.take(down, axis=0).take(across, axis=1)
    np.divide(sums, share, out=out, where=keep, casting="same_kind")


def _is_inside(axis: Axis) -> bool:
    """Return whether all pixels have a centre in the source, and weights whose sum is 1, so that a
    division by it changes nothing.
    """
    centred = axis.centre is None or bool((axis.centre >= 0).all())
    return centred and bool((axis.weights.sum(axis=1) == 1).all())


def scattered(
    values: NDArray[np.floating[Any]],
    corner: tuple[int, int],
    positions: tuple[NDArray[np.float64], NDArray[np.float64]],
    kernel: Kernel,
    widened: tuple[float, float],
    size: tuple[int, int],
    dtype: np.dtype[Any],
) -> NDArray[np.floating[Any]]:
    """Resample as :func:`resampled` to pixels at arbitrary positions in the source.

    Parameters
    ----------
    values
        Source pixels, of shape (rows, columns).
    corner
        (column, row) of the first of them.
    positions
        Columns and rows of the source at the centres of the target's pixels, of any shape; NaN
        for those beyond it.
    kernel, widened
        The weights, and how many times wider the kernel is along columns and rows.
    size
        (columns, rows) of the source.
    dtype
        Type of the result, of the shape of ``positions``.
    """
    reach = tuple(int(np.floor(2 * kernel.reach * factor)) + 1 for factor in widened)
    frame = np.full((values.shape[0] + 2 * reach[1], values.shape[1] + 2 * reach[0]), np.nan)
    frame[reach[1] : -reach[1], reach[0] : -reach[0]] = values
    valid = np.isfinite(frame)
    frame[~valid] = 0
    starts = corner[0] - reach[0], corner[1] - reach[1]
    out = np.full(positions[0].shape, np.nan, dtype)
    resampled_pixels, flat = out.reshape(-1), [coordinates.ravel() for coordinates in positions]
    inside_source = np.isfinite(flat[0]) & np.isfinite(flat[1])
    centres = [
        nearest(np.where(inside_source, coordinates, -1), length)
        for coordinates, length in zip(flat, size)
    ]
    inside = [centre - start for centre, start in zip(centres, starts)]
    inside_source &= (centres[0] >= 0) & (centres[1] >= 0)
    for index, length in zip(inside, frame.shape[::-1]):
        inside_source &= (index >= 0) & (index < length)
    inside_source &= valid[
        np.where(inside_source, inside[1], 0), np.where(inside_source, inside[0], 0)
    ]
    chosen = np.flatnonzero(inside_source)
    for begin in range(0, chosen.size, _SCATTERED):
        part = chosen[begin : begin + _SCATTERED]
        columns, rows = (
            weighted(coordinates[part] - start, kernel, factor, length)
            for coordinates, start, factor, length in zip(flat, starts, widened, frame.shape[::-1])
        )
        sums, share, magnitude = _gathered(frame, valid, columns, rows)
        keep = share > (LEAST_SUM * magnitude if kernel.overshoots else ROUNDING * ROUNDING)
        np.divide(sums, share, out=sums, where=keep)
        resampled_pixels[part] = np.where(keep, sums, np.nan)
    return out


def _gathered(
    frame: NDArray[np.float64], valid: NDArray[np.bool_], columns: Axis, rows: Axis
) -> list[NDArray[np.float64]]:
    """Return for each pixel the sums of weighted values, of weights and of their magnitudes, over valid pixels."""
    count, reach = columns.weights.shape
    top, left = (max(int(axis.first.min()), 0) for axis in (rows, columns))
    bottom, right = (int(axis.first.max()) + axis.weights.shape[1] for axis in (rows, columns))
    complete = bool(valid[top:bottom, left:right].all())
    sums = [np.zeros(count) for _ in range(3)]
    across, magnitudes = columns.weights, np.abs(columns.weights)
    if complete:
        line = [np.zeros(count), across.sum(axis=1), magnitudes.sum(axis=1)]
    else:
        line = [np.zeros(count) for _ in range(3)]
        flags = np.lib.stride_tricks.sliding_window_view(valid, reach, axis=1)
    numbers = np.lib.stride_tricks.sliding_window_view(frame, reach, axis=1)
    first = np.clip(columns.first, 0, numbers.shape[1] - 1)
    for tap in range(rows.weights.shape[1]):
        down = np.clip(rows.first + tap, 0, numbers.shape[0] - 1)
        np.einsum("ij,ij->i", numbers[down, first], across, out=line[0])
        if not complete:
            counted = flags[down, first]
            np.einsum("ij,ij->i", counted, across, out=line[1])
            np.einsum("ij,ij->i", counted, magnitudes, out=line[2])
        weight = rows.weights[:, tap]
        for index, factor in enumerate((weight, weight, np.abs(weight))):
            sums[index] += line[index] * factor
    return sums


class _Frame:
    """Sums over source pixels by weights; pixels outside of what was read (``shape`` from
    ``corner`` on) are 0.
    """

    def __init__(
        self, shape: tuple[int, ...], corner: tuple[int, int], columns: Axis, rows: Axis
    ) -> None:
        begins, axes = corner[::-1], (rows, columns)
        self._starts = tuple(min(begin, int(axis.first.min())) for begin, axis in zip(begins, axes))
        ends = (
            max(begin + size, int(axis.first.max()) + axis.weights.shape[1])
            for begin, size, axis in zip(begins, shape, axes)
        )
        self._shape = [end - start for end, start in zip(ends, self._starts)]
        self._first = rows.first - self._starts[0], columns.first - self._starts[1]
        self._source_slices = tuple(
            slice(begin - start, begin - start + size)
            for begin, start, size in zip(begins, self._starts, shape)
        )

    def sums(
        self,
        values: NDArray[Any],
        columns: NDArray[np.float64],
        rows: NDArray[np.float64],
        where: bool | NDArray[np.bool_] = True,
    ) -> NDArray[Any]:
        counted = values.dtype == np.bool_ and all(
            ((weights == 0) | (weights == 1)).all() for weights in (columns, rows)
        )
        # counts are exact in float32, too, and take half the time
        numbers = np.zeros(self._shape, np.float32 if counted else np.float64)
        if isinstance(where, np.ndarray):
            # a mask of all bits keeps valid values, one of no bits makes 0: five times as fast as a masked copy
            bits = np.dtype(f"u{values.itemsize}")
            values = (values.view(bits) & np.negative(where.astype(bits))).view(values.dtype)
        numbers[self._source_slices] = values
        return _summed(_summed(numbers, self._first[0], rows).T, self._first[1], columns).T


def _summed(
    numbers: NDArray[Any], first: NDArray[np.intp], weights: NDArray[np.float64]
) -> NDArray[Any]:
    """Return sums of numbers times weights over the first axis, of shape (target pixels, others)."""
    count, reach = weights.shape
    period, step = _period(first)
    if count < reach:
        return np.stack(
            [
                np.einsum("i,ij->j", line, numbers[start : start + reach])
                for start, line in zip(first.tolist(), weights)
            ]
        )
    others, dtype = numbers.shape[1], numbers.dtype
    sums = (
        np.empty((others, count), dtype).T
        if numbers.flags.f_contiguous
        else np.empty((count, others), dtype)
    )
    if not period:
        for tap in range(reach):
            part = numbers.take(first + tap, axis=0)
            part *= weights[:, tap, np.newaxis]
            np.add(sums, part, out=sums) if tap else np.copyto(sums, part)
        return sums
    for phase in range(period):
        out, lines = sums[phase::period], weights[phase::period]
        taps = np.flatnonzero(lines.any(axis=0)).tolist()
        for position, tap in enumerate(taps):
            start = int(first[phase]) + tap
            part = numbers[start : start + step * len(lines) : step]
            if (lines[:, tap] == 1).all():
                np.add(out, part, out=out) if position else np.copyto(out, part)
            elif position:
                out += part * lines[:, tap, np.newaxis]
            else:
                np.multiply(part, lines[:, tap, np.newaxis], out=out)
        if not taps:
            out[...] = 0
    return sums


def _period(first: NDArray[np.intp]) -> tuple[int, int]:
    """Return the period, in target pixels, with which the first source pixels repeat except for a
    step, and that step; zeros if there is none.
    """
    for period in range(1, min(_LONGEST_PERIOD, first.size - 1) + 1):
        steps = first[period:] - first[:-period]
        if steps[0] > 0 and (steps == steps[0]).all():
            return period, int(steps[0])
    return 0, 0
