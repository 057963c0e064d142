# SPDX-License-Identifier: GPL-2.0-or-later
"""Storage of results: type, scale and offset, and nodata."""

from __future__ import annotations

import enum
import math
from typing import Any, NamedTuple

import numpy as np

from ..errors import OptionError
from ..messages import Field, translate


class DataType(enum.Enum):
    """Data types of results."""

    FLOAT32 = 0
    FLOAT64 = 1
    INT16_SCALED = 2
    UINT8_SCALED = 3
    UINT8 = 4
    INT16 = 5
    UINT16 = 6
    INT32 = 7


class Storage(NamedTuple):
    """Stored value = (value + ``shift``) * ``factor``; integers are rounded half to even and clamped
    to ``low`` and ``high``.

    ``clamp`` is the range to which values are clamped before, in units of the result. ``nodata`` is
    a stored value outside of ``low`` and ``high``; floating-point values are moved away from it.
    """

    dtype: np.dtype[Any]
    nodata: float
    factor: float = 1.0
    shift: float = 0.0
    clamp: tuple[float, float] = (-math.inf, math.inf)

    @property
    def integer(self) -> bool:
        """Whether the type is an integer."""
        return self.dtype.kind != "f"

    @property
    def low(self) -> float:
        """The least stored value of an integer type, except nodata."""
        least = np.iinfo(self.dtype).min
        return float(least + 1 if least == self.nodata else least)

    @property
    def high(self) -> float:
        """The largest stored value of an integer type, except nodata."""
        most = np.iinfo(self.dtype).max
        return float(most - 1 if most == self.nodata else most)

    @property
    def scaled(self) -> bool:
        """Whether stored values differ from the values of the result."""
        return (self.factor, self.shift) != (1.0, 0.0)

    @property
    def scale_tag(self) -> float:
        """GDAL's scale: value = stored value * scale + offset."""
        return 1 / self.factor

    @property
    def offset_tag(self) -> float:
        """GDAL's offset; see :attr:`scale_tag`."""
        return 0.0 - self.shift  # and not -0.0

    def value(self, stored: float) -> float:
        """Return the value of the result for a stored value."""
        return stored / self.factor - self.shift


_STORAGES = {
    DataType.FLOAT32: Storage(np.dtype(np.float32), -9999.0),
    DataType.FLOAT64: Storage(np.dtype(np.float64), -9999.0),
    DataType.INT16_SCALED: Storage(np.dtype(np.int16), -32768.0, factor=10000.0),
    DataType.UINT8_SCALED: Storage(np.dtype(np.uint8), 255.0, factor=100.0, shift=1.0),
    DataType.UINT8: Storage(np.dtype(np.uint8), 255.0),
    DataType.INT16: Storage(np.dtype(np.int16), -32768.0),
    DataType.UINT16: Storage(np.dtype(np.uint16), 65535.0),
    DataType.INT32: Storage(np.dtype(np.int32), -2147483648.0),
}


def storage_of(
    data_type: DataType, lowest: float | None = None, highest: float | None = None
) -> Storage:
    """Return the storage of a type, with values clamped to ``lowest`` and ``highest``.

    Raises
    ------
    OptionError
        If there is no value between these.
    """
    low, high = -math.inf if lowest is None else lowest, math.inf if highest is None else highest
    if not low <= high:
        raise OptionError(
            translate(
                "Bandwise",
                "{lowest} must not be larger than {highest}, and both must be numbers, not {low} and {high}.",
            ).format(low=low, high=high, lowest=Field.LOWEST, highest=Field.HIGHEST)
        )
    plain = _STORAGES[data_type]
    return Storage(plain.dtype, plain.nodata, plain.factor, plain.shift, (low, high))
