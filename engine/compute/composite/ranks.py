# SPDX-License-Identifier: GPL-2.0-or-later
"""Median and percentile of each pixel over scenes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arrays import NDArray, Scratch
from .network import exchanges, sort_rows


class _Places(NamedTuple):
    """For each number of valid scenes the rank below a percentile, that above, and how far it is between them."""

    below: NDArray[np.intp]
    above: NDArray[np.intp]
    fraction: NDArray[np.float64]


class Ranks:
    """Percentiles of pixels over ``count`` scenes, in memory that is reused."""

    def __init__(self, count: int, percentiles: Sequence[float], scratch: Scratch) -> None:
        self._places = [_places(count, percentile) for percentile in percentiles]
        ranks = {int(rank) for each in self._places for rank in (*each.below, *each.above)}
        self._network = exchanges(count, tuple(sorted(ranks)))
        self._scratch = scratch

    def compute(
        self, values: NDArray[Any], valid: NDArray[np.integer[Any]], out: Sequence[NDArray[Any]]
    ) -> None:
        """Fill each of ``out``, of shape (n,), for a percentile; NaN where no scene is valid.

        Parameters
        ----------
        values
            Of shape (scenes, n); NaN where a scene is not valid.
        valid
            How many scenes are, of shape (n,).
        """
        count, pixels = values.shape
        memory = self._scratch.array("ranks", (count + 1, pixels), values.dtype)
        np.fmin(values, values.dtype.type(np.inf), out=memory[:count])  # NaN goes to the end
        rows = list(memory[:count])
        sort_rows(rows, memory[count], self._network)
        least = int(valid.min())
        for places, result in zip(self._places, out):
            if least == count:  # as where there are no clouds
                below, above = rows[places.below[count]], rows[places.above[count]]
                _between(below, above, float(places.fraction[count]), result)
                continue
            below, above = (
                self._taken(rows, ranks[valid], name)
                for ranks, name in ((places.below, "below"), (places.above, "above"))
            )
            _between(below, above, places.fraction[valid], result)
            if not least:
                result[valid == 0] = np.nan

    def _taken(
        self, rows: Sequence[NDArray[Any]], ranks: NDArray[np.intp], name: str
    ) -> NDArray[Any]:
        """Return for each pixel the value of its own rank."""
        taken = self._scratch.array(name, rows[0].shape, rows[0].dtype)
        for rank in range(int(ranks.min()), int(ranks.max()) + 1):
            np.copyto(taken, rows[rank], where=ranks == rank)
        return taken


def _places(count: int, percentile: float) -> _Places:
    numbers = np.maximum(np.arange(count + 1) - 1, 0)
    places = numbers * (percentile / 100)
    below = np.floor(places).astype(np.intp)
    return _Places(below, np.minimum(below + 1, numbers), places - below)


def _between(
    below: NDArray[Any],
    above: NDArray[Any],
    fraction: float | NDArray[np.float64],
    out: NDArray[Any],
) -> None:
    """Interpolate in float64, and round once."""
    if isinstance(fraction, float) and math.isclose(fraction, 0.0, abs_tol=1e-15):
        np.copyto(out, below, casting="same_kind")
        return
    with np.errstate(invalid="ignore"):
        step = above.astype(np.float64)
        step -= below
        step *= fraction
        step += below
    np.copyto(out, step, casting="same_kind")
