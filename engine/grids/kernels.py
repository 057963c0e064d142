# SPDX-License-Identifier: GPL-2.0-or-later
"""Resampling between grids whose axes are parallel, in numpy: weights along columns times weights along rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..arrays import NDArray

#: Source pixels by which positions may be off from rounding in georeferences; a share of a pixel below this is none.
ROUNDING = 1e-6
#: Results of kernels with negative weights are kept where the sum of the weights of valid pixels is
#: at least this part of the sum of
#: their magnitudes. Of a kernel that lies on valid pixels it is 0.42 or more; a result leaves the
#: range of its pixels by at most
#: ``(1 / LEAST_SUM - 1) / 2`` times that range.
LEAST_SUM = 0.25
#: Source pixels that are resampled together, so that their float64 stay in a core's cache


class Kernel(NamedTuple):
    """A function of the distance in source pixels, 0 from ``reach`` on; ``overshoots`` where it is
    negative in places.
    """

    weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    reach: int
    overshoots: bool = False


def _bilinear(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(1 - distance, 0)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic convolution with a = -0.5 (Keys 1981, doi:10.1109/TASSP.1981.1163711)."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0))


def _cubic_spline(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cubic B-spline."""
    near = 2 / 3 + (distance / 2 - 1) * distance**2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    return np.where(distance < 1, near, far)


def _lanczos(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sinc function in a window of three lobes (Duchon 1979)."""
    return np.where(distance < 3, np.sinc(distance) * np.sinc(distance / 3), 0)


BILINEAR = Kernel(_bilinear, 1)
CUBIC = Kernel(_cubic, 2, overshoots=True)
CUBIC_SPLINE = Kernel(_cubic_spline, 2)
LANCZOS = Kernel(_lanczos, 3, overshoots=True)


class Axis(NamedTuple):
    """Which source pixels the target's pixels are made of, along one axis.

    ``weights`` has shape (pixels of the target, source pixels of each), of which the first is
    ``first``; they are 0 beyond the source. ``centre`` is the source pixel in which a target
    pixel's centre lies, -1 beyond the source; None where centres do not count.
    """

    first: NDArray[np.intp]
    weights: NDArray[np.float64]
    centre: NDArray[np.intp] | None

    def part(self, pixels: slice) -> Axis:
        return Axis(
            self.first[pixels],
            self.weights[pixels],
            None if self.centre is None else self.centre[pixels],
        )

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last source pixel, plus one, of all; None where there is none."""
        used = self.weights != 0
        if self.centre is not None:
            used &= (self.centre >= 0)[:, np.newaxis]
        if not used.any():
            return None
        source_pixels = (self.first[:, np.newaxis] + np.arange(self.weights.shape[1]))[used]
        return int(source_pixels.min()), int(source_pixels.max()) + 1


def nearest(positions: NDArray[np.float64], length: int) -> NDArray[np.intp]:
    """The source pixels in which positions lie, -1 for those beyond a source of ``length`` pixels."""
    source_pixels = np.floor(np.clip(positions, -1, length) + ROUNDING).astype(np.intp)
    return np.where(source_pixels >= length, -1, source_pixels)


def average(starts: NDArray[np.float64], ends: NDArray[np.float64], length: int) -> Axis:
    """Weights by how much of each source pixel lies between ``starts`` and ``ends``, of which
    either may be the smaller.
    """
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    first = np.floor(low + ROUNDING).astype(np.intp)
    count = max(1, int(np.max(np.ceil(high - ROUNDING) - first, initial=1)))
    left = first[:, np.newaxis] + np.arange(count)
    weights = np.minimum(high[:, np.newaxis], left + 1) - np.maximum(low[:, np.newaxis], left)
    weights[(weights < ROUNDING) | (left < 0) | (left >= length)] = 0
    return Axis(first, weights, None)


def weighted(positions: NDArray[np.float64], kernel: Kernel, widened: float, length: int) -> Axis:
    """Weights by a kernel, ``widened`` so many times, around ``positions``, the centres of the target's pixels."""
    reach = kernel.reach * widened
    first = np.floor(positions - reach - 0.5).astype(np.intp) + 1
    source_pixels = first[:, np.newaxis] + np.arange(int(np.floor(2 * reach)) + 1)
    weights = kernel.weigh(np.abs(source_pixels + 0.5 - positions[:, np.newaxis]) / widened)
    weights[(source_pixels < 0) | (source_pixels >= length)] = 0
    return Axis(first, weights, nearest(positions, length))
