# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder of small products of several sensors with known NDVI, and runs over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bandwise.engine.execution.batch import Batch
from bandwise.engine.execution.summary import Table, tabulated
from bandwise.engine.indices.catalogue import load_catalogue
from bandwise.engine.indices.selection import chosen_indices
from bandwise.engine.job import Job
from bandwise.engine.planning.jobs.many.file_names import name_pattern
from bandwise.engine.planning.jobs.many.many_scenes import Task, candidates, tasks
from bandwise.engine.planning.jobs.period import Period
from bandwise.engine.planning.jobs.scenes import mask_of
from bandwise.engine.planning.jobs.spectralindices import spectralindices_job
from bandwise.engine.radiometry.masks import MaskChoice
from bandwise.engine.scenes.scene import Scene
from bench import Bench
from scene_cases import GRANULE, LC08, LT05, S30, SAFE, TILE, no_parts, write_metadata

SHAPE = (20, 30)
CLOUD, CLEAR = 1 << 3, 1 << 6
#: By scene the name of its result by the default pattern, in the order of dates
FILES = {
    LT05: "1990-07-01_193026_NDVI.tif",
    LC08: "2020-07-01_193026_NDVI.tif",
    S30: "2020-07-01_33UUP_NDVI.tif",
    SAFE: "2022-10-05_29UNU_NDVI.tif",
}
BROKEN = "LC08_L2SP_193026_20200801_20200913_02_T1"


def mtl(bands: Sequence[int]) -> str:
    lines = [
        f"    REFLECTANCE_{name}_BAND_{band} = {value}"
        for band in bands
        for name, value in (("MULT", "2.75e-05"), ("ADD", "-0.2"))
    ]
    group = "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"
    start, end = f"  GROUP = {group}", f"  END_GROUP = {group}"
    whole = "LANDSAT_METADATA_FILE"
    return "\n".join((f"GROUP = {whole}", start, *lines, end, f"END_GROUP = {whole}", ""))


def bands(seed: int, low: int, high: int) -> tuple[Any, Any]:
    """Stored red and near infrared of a scene."""
    generator = np.random.default_rng(seed)
    red, nir = (generator.integers(low, high, SHAPE) for _ in range(2))
    return red, nir


def ndvi(red: Any, nir: Any, scale: float, offset: float) -> Any:
    """The index of stored values in float64; the first row, which is cloud, is NaN."""
    red, nir = (band.astype(float) * scale + offset for band in (red, nir))
    values = (nir - red) / (nir + red)
    values[0] = np.nan
    return values


def cloudy_row(cloud: int, clear: int) -> Any:
    return np.where(np.arange(SHAPE[0])[:, None] == 0, cloud, clear) * np.ones(SHAPE, int)


def landsat(bench: Bench, product: str, numbers: tuple[int, int], seed: int, folder: str) -> Any:
    """A product whose files lie flat in a folder that others may share."""
    red, nir = bands(seed, 9000, 30000)
    stored = {f"SR_B{number}": values for number, values in zip(numbers, (red, nir))}
    stored["QA_PIXEL"] = cloudy_row(CLOUD, CLEAR)
    for part, values in stored.items():
        bench.save(f"{folder}/{product}_{part}.TIF", values.astype(np.uint16))
    Path(bench.path(f"{folder}/{product}_MTL.txt")).write_text(mtl(numbers), "utf-8")
    return ndvi(red, nir, 2.75e-05, -0.2)


def sentinel2(bench: Bench, folder: str) -> Any:
    red, nir = bands(3, 1100, 9000)
    images = f"{folder}/{SAFE}.SAFE/GRANULE/{GRANULE}/IMG_DATA"
    for part, values in (("R10m/{}_B04_10m", red), ("R10m/{}_B08_10m", nir)):
        bench.save(f"{images}/{part.format(TILE)}.jp2", values.astype(np.uint16))
    bench.save(f"{images}/R20m/{TILE}_SCL_20m.jp2", cloudy_row(9, 4).astype(np.uint8))
    write_metadata(bench, f"{folder}/{SAFE}.SAFE")
    return ndvi(red, nir, 1e-4, -0.1)


def hls(bench: Bench, folder: str) -> Any:
    red, nir = bands(4, 100, 9000)
    for part, values in (("B04", red), ("B8A", nir)):
        bench.save(f"{folder}/{S30}.{part}.tif", values.astype(np.int16), nodata=-9999)
    bench.save(f"{folder}/{S30}.Fmask.tif", cloudy_row(2, 0).astype(np.uint8))
    return ndvi(red, nir, 1e-4, 0.0)


def products(bench: Bench, folder: str = "in") -> dict[str, Any]:
    """Four scenes of three agencies; the NDVI of each by the name of its scene."""
    return {
        LT05: landsat(bench, LT05, (3, 4), 1, f"{folder}/landsat"),
        LC08: landsat(bench, LC08, (4, 5), 2, f"{folder}/landsat"),
        S30: hls(bench, folder),
        SAFE: sentinel2(bench, folder),
    }


def broken(bench: Bench, folder: str = "in") -> None:
    """A product with a damaged band among the others, and an archive that is none."""
    landsat(bench, BROKEN, (4, 5), 5, f"{folder}/landsat")
    Path(bench.path(f"{folder}/landsat/{BROKEN}_SR_B5.TIF")).write_bytes(b"II*\0 damaged")
    Path(bench.path(f"{folder}/download.zip")).write_bytes(b"PK not all of it")


def planned(
    bench: Bench,
    indices: str = "NDVI",
    pattern: str = "{date}_{tile}_{index}",
    period: Period | None = None,
    out: str = "out",
    constants: str = "",
    **options: Any,
) -> list[Task]:
    """The results to be made of the scenes in the folder ``in``."""

    def make(scene: Scene, names: Sequence[str], file: str) -> Job:
        mask = mask_of(scene, MaskChoice(""))
        return spectralindices_job(
            *((), ";".join(names), file),
            scene=scene,
            constants=constants,
            **{"mask": mask, **options},
        )

    scenes, _ = candidates(str(bench.folder / "in"), period or Period(), no_parts)
    names = [index.name for index in chosen_indices(load_catalogue(), indices)]
    folder = Path(bench.path(f"{out}/x")).parent
    return tasks(scenes, names, str(folder), name_pattern(pattern), make)


def run_all(bench: Bench, *, batch: Batch | None = None, table: str = "", **options: Any) -> Table:
    """Do all tasks of :func:`planned`."""
    rows = (batch or Batch()).rows(planned(bench, **options))
    return tabulated(rows, bench.path(table) if table else "")


def statuses(table: Table) -> list[str]:
    return [row.status.value for row in table.rows]
