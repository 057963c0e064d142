# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare a result with float64 numpy, window by window, in a separate process; print the differences as JSON."""

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
    """Count the valid pixels, those valid in only one of the two, and the largest difference.

    A reference pixel is valid where no band is nodata and the value is finite; a pixel of the
    result where it is finite and not the nodata value of its file.
    """
    code = compile(expression, "expression", "eval")
    bands = {name: source for name, source in scene_bands(scene).items() if name in code.co_names}
    valid, missing, invented, difference = 0, 0, 0, 0.0
    sources = {name: (rasterio.open(path), number) for name, (path, number) in bands.items()}
    with rasterio.open(result) as dataset, np.errstate(all="ignore"):
        for window in windows(dataset.width):
            stored = {
                name: source.read(number, window=window)
                for name, (source, number) in sources.items()
            }
            reference = eval(
                code,
                {"__builtins__": {}},
                {name: values.astype(np.float64) for name, values in stored.items()},
            )
            valid_reference = np.isfinite(reference) & np.logical_and.reduce(
                [values != NODATA for values in stored.values()]
            )
            values = dataset.read(1, window=window)
            valid_result = np.isfinite(values)
            if dataset.nodata is not None:
                valid_result &= values != np.asarray(dataset.nodata, values.dtype)
            valid += int(valid_reference.sum())
            missing += int((valid_reference & ~valid_result).sum())
            invented += int((valid_result & ~valid_reference).sum())
            difference = max(
                difference,
                float(
                    np.abs(values - reference).max(where=valid_reference & valid_result, initial=0)
                ),
            )
        facts = {
            "dtype": dataset.dtypes[0],
            "block": list(dataset.block_shapes[0]),
            "codec": dataset.compression.name if dataset.compression else "none",
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
