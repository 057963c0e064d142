# SPDX-License-Identifier: GPL-2.0-or-later
"""A second operation beside the formula's: the mean of 3 x 3 pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Mean:
    """For each band the mean of those of a pixel and its eight neighbours that are valid, NaN where none is."""

    bands: tuple[int, ...]
    halo: int = 1
    dtype: np.dtype[Any] = np.dtype(np.float64)  # noqa: RUF009
    scratch: tuple[np.dtype[Any], ...] = ()

    @property
    def results(self) -> int:
        return len(self.bands)

    def bind(self, scratch: Sequence[Any]) -> Any:
        def evaluate(
            values: Mapping[int, Any], invalid: Mapping[int, Any] | None, out: Any
        ) -> list[None]:
            for result, band in zip(out, self.bands):
                valid = ~invalid[band] if invalid else np.ones(values[band].shape, np.bool_)
                numbers = np.where(valid, values[band], 0).astype(np.float64)
                height, width = result.shape
                total, count = np.zeros(result.shape), np.zeros(result.shape)
                for row in range(3):
                    for column in range(3):
                        part = np.s_[row : row + height, column : column + width]
                        total += numbers[part]
                        count += valid[part]
                np.divide(total, count, out=result)
            return [None] * len(self.bands)

        return evaluate
