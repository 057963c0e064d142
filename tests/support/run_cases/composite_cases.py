# SPDX-License-Identifier: GPL-2.0-or-later
"""Small Sentinel-2 products of a season, and what their composite has to be, by numpy in float64."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bandwise.engine.compute.composite.statistic import Statistic
from bandwise.engine.execution.pipeline import run
from bandwise.engine.job import Job
from bandwise.engine.planning.jobs.composite import composite_job
from bandwise.engine.planning.jobs.period import Period
from bandwise.engine.planning.jobs.scene_series import scene_series
from bandwise.engine.radiometry.masks import CLEAR_CLASSES, MaskChoice
from bandwise.engine.reading.opening import subdatasets_of
from bench import TRANSFORM, Bench
from radiometry_cases import sentinel2

NODATA = -9999.0
CLOUDS = MaskChoice("")
ALL = tuple(Statistic)


@dataclass(frozen=True)
class Made:
    """A product: its folder, its date, and its NDVI in float64, NaN where nodata or cloudy."""

    path: str
    date: str
    ndvi: Any

    @property
    def day(self) -> int:
        return (datetime.date.fromisoformat(self.date) - datetime.date(1970, 1, 1)).days


def product(
    bench: Bench,
    date: str,
    red: Any,
    nir: Any,
    scl: Any = None,
    *,
    offset: int = -1000,
    tile: str = "T29UNU",
    **options: Any,
) -> Made:
    """A Level-2A product of 10 m bands of stored values, and SCL of 20 m; 0 is nodata, 65535 saturated."""
    day = date.replace("-", "")
    name = f"S2A_MSIL2A_{day}T115411_N0400_R023_{tile}_{day}T164454"
    images = f"{name}.SAFE/GRANULE/L2A_{tile}_A038058_{day}T115407/IMG_DATA"
    for band, values in (("B04", red), ("B08", nir)):
        bench.save(f"{images}/R10m/{tile}_{day}T115411_{band}_10m.jp2", values, **options)
    hidden = (red == 0) | (nir == 0) | (red == 65535) | (nir == 65535)
    if scl is not None:
        a, b, c, d, e, f = options.get("transform", TRANSFORM)
        coarse = {**options, "transform": (2 * a, b, c, d, 2 * e, f)}
        bench.save(f"{images}/R20m/{tile}_{day}T115411_SCL_20m.jp2", scl, **coarse)
        fine = np.repeat(np.repeat(scl, 2, axis=0), 2, axis=1)[: red.shape[0], : red.shape[1]]
        hidden |= ~np.isin(fine, CLEAR_CLASSES)
    offsets = {str(number): str(offset) for number in range(13)} if offset else None
    metadata = sentinel2(offsets=offsets, uri=f"{name}.SAFE")
    Path(bench.path(f"{name}.SAFE/MTD_MSIL2A.xml")).write_text(metadata, "utf-8")
    r, n = ((values.astype(np.float64) + offset) / 10000 for values in (red, nir))
    with np.errstate(all="ignore"):
        ndvi = (n - r) / (n + r)
    return Made(str(bench.folder / f"{name}.SAFE"), date, np.where(hidden, np.nan, ndvi))


def season(
    bench: Bench, count: int, shape: tuple[int, int] = (60, 80), **options: Any
) -> list[Made]:
    """Products five days apart, of random values with clouds and nodata; the offset is -1000 and 0 in turn."""
    made = []
    for number in range(count):
        numbers = np.random.default_rng(number)
        date = datetime.date(2022, 5, 1) + datetime.timedelta(days=5 * number)
        red, nir = (numbers.integers(1500, 9000, shape, np.uint16) for _ in range(2))
        red[numbers.random(shape) < 0.1] = 0
        nir[numbers.random(shape) < 0.02] = 65535
        red[:3, :4] = 0  # never valid
        scl = numbers.choice(
            np.array([3, 4, 5, 6, 8, 9, 11], np.uint8), ((shape[0] + 1) // 2, (shape[1] + 1) // 2)
        )
        made.append(
            product(
                bench, date.isoformat(), red, nir, scl, offset=-1000 * (number % 2 == 0), **options
            )
        )
    return made


def job(bench: Bench, paths: Sequence[str], index: str = "NDVI", **options: Any) -> Job:
    """The job of a composite of scenes by their paths, without their clouds."""
    period = Period(options.pop("start", ""), options.pop("end", ""))
    series = scene_series(paths, subdatasets_of, period)
    output = bench.path(options.pop("output", "composite.tif"))
    return composite_job(series, index, output, **{"clouds": CLOUDS, **options})


def composite(bench: Bench, paths: Sequence[str], index: str = "NDVI", **options: Any) -> Any:
    """All bands of a composite, NaN for nodata."""
    asked = job(bench, paths, index, **options)
    run(asked)
    pixels = bench.read(asked.output, None).astype(np.float64)
    return np.where(pixels == NODATA, np.nan, pixels)


def expected(made: Sequence[Made], statistic: Statistic, percentile: float = 90.0) -> Any:
    """A statistic of NDVI, by numpy."""
    cube = np.stack([scene.ndvi for scene in made])
    none = np.isnan(cube).all(axis=0)
    filled = np.where(none, 0.0, cube)  # numpy warns of pixels without a value
    days = np.array([scene.day for scene in made])
    result = {
        Statistic.MEDIAN: lambda: np.nanmedian(filled, axis=0),
        Statistic.MEAN: lambda: np.nanmean(filled, axis=0),
        Statistic.MINIMUM: lambda: np.nanmin(filled, axis=0),
        Statistic.MAXIMUM: lambda: np.nanmax(filled, axis=0),
        Statistic.PERCENTILE: lambda: np.nanpercentile(filled, percentile, axis=0),
        Statistic.COUNT: lambda: (~np.isnan(cube)).sum(axis=0),
        Statistic.DATE_OF_MAXIMUM: lambda: days[np.nanargmax(filled, axis=0)],
    }[statistic]()
    return result if statistic is Statistic.COUNT else np.where(none, np.nan, result)
