# SPDX-License-Identifier: GPL-2.0-or-later
"""What rasterio is asked to create."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.rpc import RPC
from rasterio.transform import Affine

from ..api import Created, CreationSpec

_NO_TRANSFORM = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@lru_cache(maxsize=64)
def crs_of(wkt: str) -> CRS | None:
    """Return a CRS; None for the empty text. ``CRSError``, a ``ValueError``, for one that PROJ does not know."""
    return CRS.from_wkt(wkt) if wkt else None


def creation_arguments(spec: CreationSpec) -> dict[str, Any]:
    """Return the arguments of ``rasterio.open`` that create a result."""
    grid = spec.grid
    transform = None if grid.transform == _NO_TRANSFORM else Affine(*grid.transform)
    georeference: dict[str, Any] = {"crs": crs_of(grid.crs), "transform": transform}
    if grid.georeference is not None:
        points, crs, rpc = grid.georeference
        georeference = {}
        if points:
            georeference["crs"] = crs_of(crs) or CRS()
            georeference["gcps"] = [GroundControlPoint(*point) for point in points]
        if rpc:
            georeference["rpcs"] = RPC.from_gdal(dict(rpc))
    return {
        "driver": "GTiff",
        "width": grid.width,
        "height": grid.height,
        "count": spec.count,
        "dtype": spec.dtype.name,
        "nodata": spec.nodata,
        **georeference,
        **spec.options,
    }


def created(dataset: Any) -> Created:
    """Return the layout of a file that was created."""
    height, width = dataset.block_shapes[0]
    interleaving = dataset.interleaving
    separate = interleaving is not None and interleaving.name == "band"
    return Created((width, height), dataset.count > 1 and separate)
