# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare a result with float64 numpy, window by window, in a separate process; print the differences as JSON."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.windows import Window

from .cases import scene_bands
from .scenes import windows

NODATA = 0

Values = npt.NDArray[np.float64]


def compared(expressions: str, scene: Path, result: Path) -> dict[str, Any]:
    """Count the valid pixels, those valid in only one of the two, and the largest difference.

    ``expressions`` has a ``;`` between those of the bands. A reference pixel is valid where no band
    is nodata and the value is finite; a pixel of the result where it is finite and not the nodata
    value of its file.
    """
    codes = [compile(text, "expression", "eval") for text in expressions.split("; ")]
    names = {name for code in codes for name in code.co_names}
    counts, difference = Counter[str](valid=0, missing=0, invented=0), 0.0
    sources = {
        name: (rasterio.open(path), number)
        for name, (path, number) in scene_bands(scene).items()
        if name in names
    }
    with rasterio.open(result) as dataset, np.errstate(all="ignore"):
        for window in windows(dataset.width):
            stored = {
                name: _stored(source, number, window, dataset.width)
                for name, (source, number) in sources.items()
            }
            for band, code in enumerate(codes, start=1):
                values = dataset.read(band, window=window)
                reference = eval(code, {"__builtins__": {}}, stored)
                finite = [stored[name] for name in code.co_names]
                valid = np.isfinite(reference) & np.isfinite(finite).all(axis=0)
                present = np.isfinite(values)
                if dataset.nodata is not None:
                    present &= values != np.asarray(dataset.nodata, values.dtype)
                counts.update(
                    valid=int(valid.sum()),
                    missing=int((valid & ~present).sum()),
                    invented=int((present & ~valid).sum()),
                )
                apart = np.abs(values - reference).max(where=valid & present, initial=0)
                difference = max(difference, float(apart))
        facts = {
            "dtype": dataset.dtypes[0],
            "block": list(dataset.block_shapes[0]),
            "codec": dataset.compression.name if dataset.compression else "none",
        }
    return {**counts, "difference": difference, **facts}


def _stored(source: Any, number: int, window: Window, width: int) -> Values:
    """Read stored values as float64, NaN where they are nodata; a band of half as many columns is
    brought to ``width`` of them by weights of 3/4 and 1/4, of the valid pixels, where the pixel
    itself is valid.
    """
    if source.width == width:
        values = source.read(number, window=window).astype(np.float64)
        return np.where(values == NODATA, np.nan, values)
    left, top = (int(start) // 2 - 1 for start in (window.col_off, window.row_off))
    framed = Window(left, top, window.width // 2 + 2, window.height // 2 + 2)
    values = source.read(number, window=framed, boundless=True, fill_value=NODATA)
    valid = (values != NODATA).astype(np.float64)
    sums, weights = (_doubled(_doubled(each).T).T for each in (valid * values, valid))
    itself = valid[1:-1, 1:-1].repeat(2, axis=0).repeat(2, axis=1)
    return np.where(itself == 0, np.nan, sums / weights)


def _doubled(rows: Values) -> Values:
    """Interpolate linearly between rows: two for each but the first and the last."""
    out = np.empty((2 * (len(rows) - 2), rows.shape[1]))
    out[::2] = 0.25 * rows[:-2] + 0.75 * rows[1:-1]
    out[1::2] = 0.75 * rows[1:-1] + 0.25 * rows[2:]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("expression")
    parser.add_argument("scene", type=Path, help="folder of the scene")
    parser.add_argument("result", type=Path)
    arguments = parser.parse_args()
    print(json.dumps(compared(arguments.expression, arguments.scene, arguments.result)))


if __name__ == "__main__":
    main()
