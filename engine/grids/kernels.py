# SPDX-License-Identifier: GPL-2.0-or-later
"""Weights for resampling between grids with parallel axes, separately along columns and rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..arrays import NDArray

#: Rounding errors of positions, in source pixels; a smaller part of a pixel is ignored.
ROUNDING = 1e-6
#: Least sum of the weights of valid pixels, as a part of the sum of their magnitudes, for kernels
#: with negative weights. It is 0.42 or more if all pixels are valid; a result leaves the range of
#: its pixels by at most ``(1 / LEAST_SUM - 1) / 2`` times that range.
LEAST_SUM = 0.25


class Kernel(NamedTuple):
    """Weights as a function of the distance in source pixels, 0 from ``reach`` on.

    ``overshoots`` is set if weights can be negative, so that results can leave the range of the input.
    """

    weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    reach: int
    overshoots: bool = False


def _bilinear(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(1 - distance, 0)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute cubic convolution with a = -0.5 (Keys 1981, doi:10.1109/TASSP.1981.1163711)."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0))


def _cubic_spline(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the cubic B-spline.

    Hou and Andrews (1978), Cubic splines for image interpolation and digital filtering, IEEE
    Transactions on Acoustics, Speech, and Signal Processing 26 (6), 508-517.
    """
    near = 2 / 3 + (distance / 2 - 1) * distance**2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    return np.where(distance < 1, near, far)


def _lanczos(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the sinc function in a Lanczos window of three lobes (Duchon 1979).

    doi:10.1175/1520-0450(1979)018<1016:LFIOAT>2.0.CO;2
    """
    return np.where(distance < 3, np.sinc(distance) * np.sinc(distance / 3), 0)


BILINEAR = Kernel(_bilinear, 1)
CUBIC = Kernel(_cubic, 2, overshoots=True)
CUBIC_SPLINE = Kernel(_cubic_spline, 2)
LANCZOS = Kernel(_lanczos, 3, overshoots=True)


class Axis(NamedTuple):
    """Source pixels of the target's pixels along one axis, and their weights.

    Attributes
    ----------
    first
        The first source pixel of each target pixel, of shape (target pixels,).
    weights
        Of shape (target pixels, source pixels of each); 0 beyond the source.
    centre
        The source pixel in which a target pixel's centre lies, -1 beyond the source; None if
        centres are not needed.
    """

    first: NDArray[np.intp]
    weights: NDArray[np.float64]
    centre: NDArray[np.intp] | None

    def part(self, pixels: slice) -> Axis:
        """Return the axis of a part of the target's pixels."""
        return Axis(
            self.first[pixels],
            self.weights[pixels],
            None if self.centre is None else self.centre[pixels],
        )

    @property
    def span(self) -> tuple[int, int] | None:
        """The first source pixel that is used, and the last plus one; None if no pixel is."""
        used = self.weights != 0
        if self.centre is not None:
            used &= (self.centre >= 0)[:, np.newaxis]
        if not used.any():
            return None
        source_pixels = (self.first[:, np.newaxis] + np.arange(self.weights.shape[1]))[used]
        return int(source_pixels.min()), int(source_pixels.max()) + 1


def nearest(positions: NDArray[np.float64], length: int) -> NDArray[np.intp]:
    """Return the source pixels at ``positions``, -1 beyond a source of ``length`` pixels."""
    source_pixels = np.floor(np.clip(positions, -1, length) + ROUNDING).astype(np.intp)
    return np.where(source_pixels >= length, -1, source_pixels)


def average(starts: NDArray[np.float64], ends: NDArray[np.float64], length: int) -> Axis:
    """Weight source pixels by the part that lies in each target pixel.

    Parameters
    ----------
    starts, ends
        The edges of the target's pixels in source pixels, in either order.
    length
        Pixels of the source.
    """
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    first = np.floor(low + ROUNDING).astype(np.intp)
    count = max(1, int(np.max(np.ceil(high - ROUNDING) - first, initial=1)))
    left = first[:, np.newaxis] + np.arange(count)
    weights = np.minimum(high[:, np.newaxis], left + 1) - np.maximum(low[:, np.newaxis], left)
    weights[(weights < ROUNDING) | (left < 0) | (left >= length)] = 0
    return Axis(first, weights, None)


def weighted(positions: NDArray[np.float64], kernel: Kernel, widened: float, length: int) -> Axis:
    """Weight source pixels by a kernel.

    Parameters
    ----------
    positions
        The centres of the target's pixels in source pixels.
    kernel
        The weights by distance.
    widened
        Factor by which the kernel is wider, for larger target pixels.
    length
        Pixels of the source.
    """
    reach = kernel.reach * widened
    first = np.floor(positions - reach - 0.5).astype(np.intp) + 1
    source_pixels = first[:, np.newaxis] + np.arange(int(np.floor(2 * reach)) + 1)
    weights = kernel.weigh(np.abs(source_pixels + 0.5 - positions[:, np.newaxis]) / widened)
    weights[(source_pixels < 0) | (source_pixels >= length)] = 0
    return Axis(first, weights, nearest(positions, length))
