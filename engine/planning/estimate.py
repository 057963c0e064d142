# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts of a run that are known before it."""

from __future__ import annotations

import os
from typing import Any

from ..backend.choice import library_versions
from ..credentials import without_credentials
from ..files.disk import behind_links, free_bytes
from ..grids.grid import crs_name
from ..grids.windows import WindowPlan
from .log import placement
from .plan import Plan
from .tags import input_facts, scene_facts

_CLASSIC_TIFF = 2**32
_SAFE_BIGTIFF = 2 * 10**9  #: above this GDAL's BIGTIFF=IF_SAFER makes a BigTIFF


def estimate(plan: Plan, shape: WindowPlan) -> dict[str, Any]:
    """Return the facts of a plan, ready for JSON; sizes are in bytes, before compression."""
    job, grid, storage = plan.job, plan.grid, plan.kernel.storage
    size = grid.width * grid.height * storage.dtype.itemsize * len(job.formula.results)
    return {
        "output": {
            "path": os.path.abspath(job.output),
            "crs": str(crs_name(grid.crs)),
            "transform": list(grid.transform),
            "width": grid.width,
            "height": grid.height,
            "bands": [without_credentials(result.name) for result in job.formula.results],
            "data_type": storage.dtype.name,
            "nodata": storage.nodata,
            "scale": storage.scale_tag,
            "offset": storage.offset_tag,
            "bytes": size,
            "bigtiff": _is_big(plan.profile, size),
            "creation_options": plan.profile,
            "overviews": plan.overviews,
            "cog": job.cog,
        },
        "free_bytes": free_bytes(behind_links(job.output).parent),
        "backend": library_versions(),
        "windows": shape.count(grid),
        "window_size": [shape.width, shape.height],
        "workers": shape.workers,
        "memory_bytes": shape.memory,
        "arithmetic": plan.kernel.operation.dtype.name,
        "inputs": {
            ref.name: {
                **input_facts(ref, radiometry),
                "placement": str(placement(band_input, grid)),
            }
            for ref, band_input, radiometry in zip(job.bands, plan.read.inputs, plan.radiometries)
        },
        "mask": plan.mask
        and {
            "path": without_credentials(plan.mask.choice.path),
            "band": plan.mask.input.band.number,
            "rule": plan.mask.rule.name.lower(),
            "placement": str(placement(plan.mask.input, grid)),
        },
        "scenes": scene_facts(job),
        "area_polygons": len(job.area.polygons) if job.area else None,
        "warnings": [str(note.text) for note in plan.notes if note.warning],
    }


def _is_big(profile: dict[str, str], size: int) -> bool:
    """Return whether GDAL makes a BigTIFF: IF_SAFER from 2 GB on, IF_NEEDED from 4 GB if uncompressed."""
    wanted = profile.get("BIGTIFF", "IF_NEEDED").upper()
    if wanted == "IF_SAFER":
        return size > _SAFE_BIGTIFF
    if wanted == "IF_NEEDED":
        return size > _CLASSIC_TIFF and profile.get("COMPRESS", "NONE").upper() == "NONE"
    return wanted in ("YES", "TRUE", "ON")
