# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of vrt metadata have in common: rasters, tables and fixtures."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bench import Bench

STORED = RadiometryChoice(Scaling.STORED)


SIZE = 40


def product(
    bench: Bench,
    folder: str,
    *names: str,
    offset: int = -1000,
    tile: str = "T33UUU",
    values: int = 3000,
) -> list[str]:
    """Small band files of a Sentinel-2 L2A product with an offset; the first has ``values``, each
    further one 500 more.
    """
    offsets = "".join(
        f'<BOA_ADD_OFFSET band_id="{number}">{offset}</BOA_ADD_OFFSET>' for number in range(13)
    )
    special = "".join(
        f"<SPECIAL_VALUE_TEXT>{name}</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>{value}</SPECIAL_VALUE_INDEX>"
        for name, value in (("NODATA", 0), ("SATURATED", 65535))
    )
    text = f"<x><BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE>{offsets}{special}</x>"
    Path(bench.path(f"{folder}/MTD_MSIL2A.xml")).write_text(text)
    return [
        bench.save(
            f"{folder}/IMG_DATA/{tile}_20220413T150759_{name}_10m.tif",
            np.full((SIZE, SIZE), values + 500 * number, np.uint16),
        )
        for number, name in enumerate(names)
    ]


def vrt(bench: Bench, name: str, *paths: str, options: tuple[str, ...] = ()) -> str:
    """A VRT as GDAL's own tool makes it."""
    path = bench.path(name)
    subprocess.run(["gdalbuildvrt", "-q", *options, path, *paths], check=True, capture_output=True)
    return path


def facts(
    bench: Bench, path: str, *, band: int = 1, **options: Any
) -> tuple[float, float, Any, Any, list[str], str]:
    """(scale, offset, nodata, saturated, warnings, lines) of a band on its own."""
    from bandwise.engine.planning.plan import prepare

    job = bandmath_job([("r", path)], f"A@{band}", bench.path("out.tif"), **options)
    plan = prepare(job)
    (radiometry,) = plan.radiometries
    lines = "\n".join(str(note.text) for note in plan.notes)
    warnings = [str(note.text) for note in plan.notes if note.warning]
    return (
        radiometry.scale,
        radiometry.offset,
        radiometry.nodata,
        radiometry.saturated,
        warnings,
        lines,
    )
