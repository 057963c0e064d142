# SPDX-License-Identifier: GPL-2.0-or-later
"""Type aliases for numpy arrays, and memory that a thread reuses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

_Scalar_co = TypeVar("_Scalar_co", bound=np.generic, covariant=True)

if TYPE_CHECKING:
    NDArray = np.ndarray[Any, np.dtype[_Scalar_co]]
else:

    class NDArray(Generic[_Scalar_co]):
        """The ``numpy.typing.NDArray`` of annotations, without what it costs and asks for.

        Importing it takes 5 ms, a sixth of the engine's own import, and arrays have taken type
        arguments since numpy 1.22 only.
        """


def and_not(
    first: NDArray[np.bool_], second: NDArray[np.bool_], out: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Return ``first & ~second`` without a temporary array: for booleans, true is greater than false."""
    where: NDArray[np.bool_] = np.greater(first, second, out=out)
    return where


class Scratch:
    """Arrays by name in memory that is reused, for one thread.

    New arrays of varying sizes fragment the heap, so that the process would grow with the raster.
    ``spare`` is the part by which they are made larger, as the next may be a little larger.
    """

    def __init__(self, spare: float = 0.25) -> None:
        self._rooms: dict[str, NDArray[np.uint8]] = {}
        self._spare = spare

    def array(
        self, name: str, shape: Sequence[int], dtype: np.dtype[Any] | type[Any] | str
    ) -> NDArray[Any]:
        """Return an uninitialised array; it has the memory of the last one of this name."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        room = self._rooms.get(name)
        if room is None or room.size < size:
            self._rooms.pop(name, None)
            room = self._rooms[name] = np.empty(size + int(size * self._spare), np.uint8)
        return room[:size].view(dtype).reshape(shape)
