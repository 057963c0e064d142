# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of rasterio that its manual does not promise, seen in versions 1.3.5 to 1.5.2.

Nothing else calls them; ``tests/engine/backend/test_rasterio_private.py`` fails where one is missing or
another than here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import rasterio
from rasterio._err import CPLE_BaseError, CPLE_OutOfMemoryError
from rasterio.dtypes import dtype_fwd, dtype_rev
from rasterio.env import get_gdal_config, hasenv, set_gdal_config

__all__ = [
    "CPLE_BaseError",
    "CPLE_OutOfMemoryError",
    "get_gdal_config",
    "hasenv",
    "set_gdal_config",
]

#: To which rasterio passes what GDAL says: 1.3 to the first, 1.5 to both. Warnings come as such,
#: failures as information with the arguments (number, words), or the number of an unknown one alone.
LOGGERS = tuple(logging.getLogger(name) for name in ("rasterio._env", "rasterio._err"))
#: What rasterio 1.3 and 1.5 put before a warning.
MESSAGE_PREFIX = re.compile(r"^CPLE_\w+( in |:)")
_GDT_UINT64 = 12  #: GDAL's number of the type, which rasterio 1.3 takes for int64's


def misread_types() -> frozenset[str]:
    """Return the types that rasterio 1.3 confuses with each other."""
    distinguished = dtype_fwd.get(_GDT_UINT64) == "uint64"
    return frozenset() if distinguished else frozenset(("int64", "uint64"))


def gdal_type(name: str) -> int:
    """Return GDAL's number of numpy's type."""
    return int(dtype_rev[name])


def within_settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of rasterio's without the environment that it enters for every call.

    That takes half a millisecond, and the thread has settings already.
    """
    return getattr(function, "__wrapped__", function)


def open_raster(path: str, *arguments: Any, **options: Any) -> Any:
    """Do what ``rasterio.open`` does, without entering an environment where the thread has one.

    Leaving it registers all drivers again, for half a millisecond, and a small run opens ten
    datasets. A name with a scheme may need the credentials that it would look for.
    """
    known = hasenv() and "://" not in path
    return (within_settings(rasterio.open) if known else rasterio.open)(path, *arguments, **options)
