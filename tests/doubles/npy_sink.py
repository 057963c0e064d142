# SPDX-License-Identifier: GPL-2.0-or-later
"""A second sink beside the GeoTIFF's: all pixels in one ``.npy`` file, tags beside them as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np


class NpySink:
    """A result of any format that :func:`numpy.load` reads, complete or not at all."""

    block = (32, 16)

    def __init__(self, spec: Any) -> None:
        self._target = Path(spec.target)
        self._part = self._target.with_name(f".{self._target.name}.part")
        shape = len(spec.names), spec.grid.height, spec.grid.width
        self._pixels = np.full(shape, spec.storage.nodata, spec.storage.dtype)

    def __enter__(self) -> NpySink:
        self._part.touch()
        return self

    def __exit__(self, *_: object) -> None:
        self._part.unlink(missing_ok=True)

    def write(self, window: Any, values: Any) -> None:
        rows = slice(window.row, window.row + window.height)
        self._pixels[:, rows, window.column : window.column + window.width] = values

    def commit(self, tags: Any, band_tags: Any, cancelled: Any = lambda: False) -> str:
        with self._part.open("wb") as file:
            np.save(file, self._pixels)
        self._target.with_suffix(".json").write_text(json.dumps([dict(tags), list(band_tags)]))
        os.replace(self._part, self._target)
        return str(self._target)
