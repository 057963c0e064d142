# SPDX-License-Identifier: GPL-2.0-or-later
"""What GDAL is told to create a result with, and what it says to that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.io import MemoryFile
from rasterio.rpc import RPC
from rasterio.transform import Affine

from ..errors import OptionError
from ..grids.grid import Grid
from ..messages import translate
from ..radiometry.storage import Storage
from .crs import crs_of
from .environment import RASTER_FAILURES, GdalMessages, listening, reason_of

_NO_TRANSFORM = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def creation_arguments(
    grid: Grid, count: int, storage: Storage, profile: Mapping[str, str]
) -> dict[str, Any]:
    """Arguments of ``rasterio.open`` for a result of ``count`` bands on ``grid``."""
    place: dict[str, Any] = {
        "crs": crs_of(grid.crs),
        "transform": None if grid.transform == _NO_TRANSFORM else Affine(*grid.transform),
    }
    if grid.georeference is not None:
        points, crs, rpc = grid.georeference
        place = (
            {"crs": crs_of(crs) or CRS(), "gcps": [GroundControlPoint(*point) for point in points]}
            if points
            else {}
        )
        place.update({"rpcs": RPC.from_gdal(dict(rpc))} if rpc else {})
    return {
        "driver": "GTiff",
        "width": grid.width,
        "height": grid.height,
        "count": count,
        "dtype": storage.dtype.name,
        "nodata": storage.nodata,
        **place,
        **profile,
    }


def check_profile(profile: Mapping[str, str], storage: Storage) -> None:
    """Let GDAL judge creation options on a small file in memory; raise :class:`OptionError` with its words."""
    grid = Grid(crs="", transform=(2.0, 0.0, 0.0, 0.0, -2.0, 0.0), width=16, height=16)
    messages = GdalMessages()
    with listening(messages):
        try:
            with (
                MemoryFile() as memory,
                memory.open(
                    **creation_arguments(grid, 1, storage, {**profile, "SPARSE_OK": "YES"})
                ),
            ):
                pass
        except (*RASTER_FAILURES, ValueError) as error:
            messages.add(reason_of(error))
    if messages.warnings:
        words = [re.sub(r"/vsimem/\S+: ", "", complaint) for complaint in messages.warnings]
        raise OptionError(
            translate(
                "Bandwise",
                "GDAL does not take the creation options: {reason}; see the GTiff driver's list of creation options.",
            ).format(reason="; ".join(words))
        )


def is_uncompressed(profile: Mapping[str, str]) -> bool:
    """Whether the file holds every pixel as it is, at a place known before: so any rows of a block
    can be written by themselves.
    """
    return (
        profile.get("COMPRESS", "NONE").upper() == "NONE"
        and "DISCARD_LSB" not in profile
        and not is_sparse(profile)
    )


def is_sparse(profile: Mapping[str, str]) -> bool:
    """Whether blocks that are all nodata are left out of the file."""
    return profile.get("SPARSE_OK", "NO").upper() in ("YES", "TRUE", "ON")


def result_block(
    grid: Grid, count: int, storage: Storage, profile: Mapping[str, str]
) -> tuple[int, int]:
    """The (width, height) of the blocks that a result would have; it is created in memory, without any.

    Raises :class:`OptionError`.
    """
    try:
        with (
            MemoryFile() as memory,
            memory.open(
                **creation_arguments(grid, count, storage, {**profile, "SPARSE_OK": "YES"})
            ) as dataset,
        ):
            height, width = dataset.block_shapes[0]
    except RASTER_FAILURES as error:
        text = translate(
            "Bandwise", "GDAL cannot create the result with these creation options: {reason}."
        )
        raise OptionError(text.format(reason=reason_of(error))) from error
    return width, height
