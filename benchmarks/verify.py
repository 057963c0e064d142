# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares a result with float64 numpy, window by window, in a process of its own; prints what it found as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from .cases import scene_bands
from .scenes import windows

NODATA = 0


def compared(expression: str, scene: Path, result: Path) -> dict[str, Any]:
    """Pixels where the truth is valid, the largest difference there, and how many pixels are valid
    in one of the two alone.

    A pixel of the truth is valid where no band is nodata and the result is finite; one of the
    result, where it is finite and not the nodata that its file declares.
    """
    code = compile(expression, "expression", "eval")
    bands = {name: place for name, place in scene_bands(scene).items() if name in code.co_names}
    valid, missing, invented, difference = 0, 0, 0, 0.0
    sources = {name: (rasterio.open(path), number) for name, (path, number) in bands.items()}
    with rasterio.open(result) as found, np.errstate(all="ignore"):
        for window in windows(found.width):
            stored = {
                name: source.read(number, window=window)
                for name, (source, number) in sources.items()
            }
            truth = eval(
                code,
                {"__builtins__": {}},
                {name: values.astype(np.float64) for name, values in stored.items()},
            )
            there = np.isfinite(truth) & np.logical_and.reduce(
                [values != NODATA for values in stored.values()]
            )
            values = found.read(1, window=window)
            seen = np.isfinite(values)
            if found.nodata is not None:
                seen &= values != np.asarray(found.nodata, values.dtype)
            valid += int(there.sum())
            missing += int((there & ~seen).sum())
            invented += int((seen & ~there).sum())
            difference = max(
                difference, float(np.abs(values - truth).max(where=there & seen, initial=0))
            )
        facts = {
            "dtype": found.dtypes[0],
            "block": list(found.block_shapes[0]),
            "codec": found.compression.name if found.compression else "none",
        }
    return {
        "valid": valid,
        "missing": missing,
        "invented": invented,
        "difference": difference,
        **facts,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("expression")
    parser.add_argument("scene", type=Path, help="folder of the scene")
    parser.add_argument("result", type=Path)
    arguments = parser.parse_args()
    print(json.dumps(compared(arguments.expression, arguments.scene, arguments.result)))


if __name__ == "__main__":
    main()
