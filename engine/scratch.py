# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that a thread uses again for arrays that come and go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .arrays import NDArray


class Scratch:
    """One array at a time under each name, in memory that is kept; for one thread.

    Arrays of another size every time leave holes in the heap, of which a process gives nothing back, so that it grows with the raster.
    """

    def __init__(self) -> None:
        self._rooms: dict[str, NDArray[np.uint8]] = {}

    def array(self, name: str, shape: Sequence[int], dtype: np.dtype[Any] | type[Any] | str) -> NDArray[Any]:
        """An array that holds anything; the last one of this name is overwritten with it."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        room = self._rooms.get(name)
        if room is None or room.size < size:
            room = self._rooms[name] = np.empty(size + size // 4, np.uint8)  # the next may be a little larger
        return room[:size].view(dtype).reshape(shape)
