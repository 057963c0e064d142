# SPDX-License-Identifier: GPL-2.0-or-later
"""What is GDAL's own, whichever Python package calls it: settings, names and versions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..arrays import NDArray

#: Seconds, and bytes a second, that GDAL waits for a server; for ever is its own default.
TIMEOUTS = {
    "GDAL_HTTP_CONNECTTIMEOUT": "10",
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1",
    "GDAL_HTTP_LOW_SPEED_TIME": "30",
}
#: The pool owns the cores, so GDAL starts no threads of its own; and from GDAL 3.10 on datasets of
#: our memory are opened only where that is allowed.
WORKER_SETTINGS = {"GDAL_NUM_THREADS": "1", "GDAL_MEM_ENABLE_OPEN": "YES"}
#: What libtiff says of a lack of memory, without GDAL's number for it.
NO_MEMORY = re.compile(r"out of memory|cannot allocate|no space for \w+ buffer", re.IGNORECASE)
#: Any transform but GDAL's default, which it takes for none.
ANY_TRANSFORM = (2.0, 0.0, 0.0, 0.0, -2.0, 0.0)


def version_pair(text: str) -> tuple[int, int]:
    """Return a version's first two numbers: (3, 11) of ``3.11.0dev``."""
    major, minor = text.split(".")[:2]
    return int(major), int("".join(filter(str.isdigit, minor)) or 0)


def geotransform(transform: Sequence[float]) -> tuple[float, float, float, float, float, float]:
    """Return affine coefficients (a, b, c, d, e, f) in GDAL's order (c, a, b, f, d, e)."""
    a, b, c, d, e, f = transform
    return c, a, b, f, d, e


def gdal_name(path: str) -> str:
    """Return GDAL's own name of what a path or an address names, as rasterio understands addresses."""
    scheme, separator, rest = path.partition("://")
    if separator and scheme in ("http", "https", "ftp"):
        return f"/vsicurl/{path}"
    if separator and scheme in ("s3", "gs", "az", "oss", "swift"):
        return f"/vsi{scheme}/{rest}"
    return rest if separator and scheme == "file" else path


def memory_name(
    values: NDArray[Any], data_type: int, transform: Sequence[float] = ANY_TRANSFORM
) -> str:
    """Return the name by which GDAL opens values where they lie in memory. Nothing is copied.

    Parameters
    ----------
    values
        Of shape (bands, height, width); they have to outlive the dataset.
    data_type
        GDAL's number of their type.
    """
    bands, height, width = values.shape
    layout = {
        "DATAPOINTER": values.ctypes.data,
        "PIXELS": width,
        "LINES": height,
        "BANDS": bands,
        "DATATYPE": data_type,
        **dict(zip(("BANDOFFSET", "LINEOFFSET", "PIXELOFFSET"), values.strides)),
        "GEOTRANSFORM": "/".join(map(repr, geotransform(transform))),
    }
    return "MEM:::" + ",".join(f"{name}={value}" for name, value in layout.items())
