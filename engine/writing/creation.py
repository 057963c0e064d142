# SPDX-License-Identifier: GPL-2.0-or-later
"""What GDAL is asked to create a result as, and its judgement of creation options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..backend.api import CreationSpec
from ..backend.captured import GdalMessages
from ..backend.choice import backend, listening
from ..backend.crs import check_crs
from ..backend.failures import reason_of
from ..errors import OptionError
from ..grids.grid import Grid
from ..messages import translate
from ..radiometry.storage import Storage


def creation_spec(
    grid: Grid, names: Sequence[str], storage: Storage, profile: Mapping[str, str]
) -> CreationSpec:
    """Return what to create for a result with a band for each of ``names``, without its blocks.

    Raises
    ------
    GridError
        For a CRS that PROJ does not know.
    """
    check_crs(grid.crs)
    if grid.georeference is not None:
        check_crs(grid.georeference.crs)
    return CreationSpec(
        grid=grid,
        count=len(names),
        dtype=storage.dtype,
        nodata=storage.nodata,
        options={**profile, "SPARSE_OK": "YES"},
        names=tuple(names),
        scale=storage.scale_tag if storage.scaled else None,
        offset=storage.offset_tag if storage.scaled else None,
    )


def check_profile(profile: Mapping[str, str], storage: Storage) -> None:
    """Let GDAL judge creation options on a small file in memory; raise :class:`OptionError` with its words."""
    grid = Grid(crs="", transform=(2.0, 0.0, 0.0, 0.0, -2.0, 0.0), width=16, height=16)
    messages = GdalMessages()
    with listening(messages):
        try:
            backend().create(creation_spec(grid, [""], storage, profile))
        except (OSError, ValueError) as error:
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
        return backend().create(creation_spec(grid, [""] * count, storage, profile)).block
    except OSError as error:
        text = translate(
            "Bandwise", "GDAL cannot create the result with these creation options: {reason}."
        )
        raise OptionError(text.format(reason=reason_of(error))) from error
