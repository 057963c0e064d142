# SPDX-License-Identifier: GPL-2.0-or-later
"""Random jobs: types, layouts, grids, expressions, masks, nodata, clamps, workers and creation
options, against serial float64 numpy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from bandwise.engine.execution.pipeline import run
from bandwise.engine.grids.layout import ExtentRule, Layout, Resampling
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bandwise.engine.radiometry.storage import DataType
from expression_text import Printer
from expression_trees import EVERY, NAMES, TYPES, Bands, Seeded, bands_in, numbers
from expression_values import ROUNDING, as_float32, expected
from parts_cases import contents, run_in_parts
from second_reader import assert_read_alike
from stress_case import Case, Tally

LEFT, TOP, PIXEL = 300000, 5000040, 10
#: Factor, shift and nodata of integer results.
INTEGERS = {
    DataType.INT16_SCALED: ("int16", 10000.0, 0.0, -32768),
    DataType.UINT8_SCALED: ("uint8", 100.0, 1.0, 255),
    DataType.UINT8: ("uint8", 1.0, 0.0, 255),
    DataType.INT16: ("int16", 1.0, 0.0, -32768),
    DataType.UINT16: ("uint16", 1.0, 0.0, 65535),
    DataType.INT32: ("int32", 1.0, 0.0, -2147483648),
}
OPTIONS = (
    *(
        "",
        "",
        "COMPRESS=NONE",
        "COMPRESS=ZSTD",
        "COMPRESS=LZW|PREDICTOR=2",
        "TILED=NO",
        "TILED=NO|BLOCKYSIZE=7",
        "BIGTIFF=YES",
        "SPARSE_OK=YES",
    ),
    *(
        "BLOCKXSIZE=64|BLOCKYSIZE=64",
        "BLOCKXSIZE=16|BLOCKYSIZE=128",
        "COMPRESS=PACKBITS|BLOCKXSIZE=32|BLOCKYSIZE=32",
        "COMPRESS=LZMA",
    ),
    *("COMPRESS=NONE|BLOCKXSIZE=48|BLOCKYSIZE=32", "COMPRESS=NONE|TILED=NO|ENDIANNESS=BIG"),
)


class Place(NamedTuple):
    """Where a raster lies on the grid that all share: its upper left pixel and its size."""

    column: int
    row: int
    width: int
    height: int

    def inside(self, other: Place) -> tuple[slice, slice]:
        column, row = self.column - other.column, self.row - other.row
        return slice(row, row + self.height), slice(column, column + self.width)


def _stored(random: Any, dtype: np.dtype[Any], shape: tuple[int, int]) -> Any:
    """Extremes, small numbers, equal neighbours and halves; the later of them in a part of the pixels."""
    if dtype.kind == "f":
        return (np.round(random.normal(0, 3, shape) * 8) / 8).astype(dtype)
    limits = np.iinfo(dtype)
    values = random.integers(0, 12, shape)
    far = random.random(shape)
    values = np.where(
        far < 0.1, random.integers(limits.min, limits.max, shape, endpoint=True), values
    )
    return np.where(
        far > 0.97, random.choice([limits.min, limits.max, 0, 255], shape), values
    ).astype(dtype)


def _save(
    path: Path, values: Any, place: Place, case: Case, gaps: Any, *, nodata: float | None
) -> None:
    """A GeoTIFF in a random layout; gaps are its nodata value, or its mask where it has none."""
    random = case.random
    layout = random.choice(
        (
            {},
            {"blockysize": random.randint(1, 40)},
            {"tiled": True, "blockxsize": 16 * random.randint(1, 8), "blockysize": 32},
        )
    )
    codec = random.choice(({}, {"compress": "deflate"}, {"compress": "lzw"}, {"compress": "zstd"}))
    transform = rasterio.Affine(
        PIXEL, 0, LEFT + PIXEL * place.column, 0, -PIXEL, TOP - PIXEL * place.row
    )
    profile = {
        "driver": "GTiff",
        "count": 1,
        "height": place.height,
        "width": place.width,
        "dtype": values.dtype.name,
        "crs": "EPSG:32633",
    }
    options = {**profile, **layout, **codec, "transform": transform, "nodata": nodata}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"),
        rasterio.open(path, "w", **options) as dataset,
    ):
        dataset.write(values, 1)
        if nodata is None and gaps.any():
            dataset.write_mask(~gaps)


class _Job(NamedTuple):
    text: str
    job: Any
    right: Any
    steady: Any
    exact: bool


def _made(case: Case, folder: Path) -> _Job:
    random, generator, choose = case.random, case.numpy(), Seeded(case.random)
    base = Place(
        0, 0, random.choice((1, random.randint(2, 400))), random.choice((1, random.randint(2, 300)))
    )
    shifted = random.random() < 0.35
    dialect = random.choice(EVERY)
    tree: Any = ()
    while not bands_in(tree):
        tree = numbers(choose, dialect, random.randint(1, 3))
    text, used = Printer(dialect, choose).text(tree), bands_in(tree)
    places = [_beside(base, random) if shifted and random.random() < 0.5 else base for _ in TYPES]
    rule = random.choice((ExtentRule.INTERSECTION, ExtentRule.UNION))
    whole = _extent([places[number] for number in used], union=rule is ExtentRule.UNION)
    rasters, values, gaps = [], [], []
    for number, (name, dtype, place) in enumerate(zip(NAMES, map(np.dtype, TYPES), places)):
        stored = _stored(generator, dtype, (place.height, place.width))
        nodata = random.choice((None, None, 11.0 if dtype.kind != "f" else -1234.5))
        missing = generator.random(stored.shape) < random.choice((0, 0, 0.1))
        if nodata is not None:
            stored[missing] = nodata
            missing = stored == nodata
        path = folder / f"{number}.tif"
        if number in used:
            _save(path, stored, place, case, missing, nodata=nodata)
        else:
            _save(
                path,
                stored[:1, :1],
                place._replace(width=1, height=1),
                case,
                missing[:1, :1],
                nodata=nodata,
            )
        rasters.append((name, str(path)))
        values.append(_placed(stored, place, whole, 1))
        gaps.append(_placed(missing, place, whole, True))
    hidden, mask = np.zeros((whole.height, whole.width), bool), None
    if random.random() < 0.3:
        clear = generator.random((base.height, base.width)) < 0.8
        keep_zero = random.random() < 0.5
        stored = (
            np.where(clear, 0, generator.integers(1, 9, clear.shape))
            if keep_zero
            else np.where(clear, generator.integers(1, 9, clear.shape), 0)
        )
        _save(
            folder / "mask.tif",
            stored.astype(np.uint8),
            base,
            case,
            np.zeros_like(clear),
            nodata=None,
        )
        mask = MaskChoice(
            str(folder / "mask.tif"),
            rule=MaskRule.KEEP_ZERO if keep_zero else MaskRule.KEEP_NONZERO,
        )
        hidden = ~_placed(clear, base, whole, False)
    data_type = random.choice((DataType.FLOAT32, DataType.FLOAT32, DataType.FLOAT64, *INTEGERS))
    clamp = random.choice(
        ((None, None), (None, None), (-1.0, 1.0), (0.0, None), (None, 100.0), (2.5, 2.5))
    )
    cog = random.random() < 0.1
    job = bandmath_job(
        rasters, text, str(folder / "out.tif"), dialect=dialect,
        radiometry=RadiometryChoice(scaling=Scaling.STORED), mask=mask,
        data_type=data_type, clamp=clamp, workers=random.randint(1, 4), memory=random.choice((24, 40, 100, 512)),
        creation_options="" if cog else random.choice(OPTIONS), overviews=random.random() < 0.3, cog=cog,
        layout=Layout(extent_rule=rule, resampling=random.choice((Resampling.NEAREST, Resampling.BILINEAR))),
    )  # fmt: skip
    right, steady, exact = expected(
        tree,
        dialect,
        Bands(values, gaps),
        lambda result: _as_stored(result, data_type, clamp),
        ROUNDING,
    )
    return _Job(text, job, np.where(hidden, np.nan, right), steady, exact)


def _beside(base: Place, random: Any) -> Place:
    """A raster that shares a pixel with ``base`` at least: it holds the middle one."""
    middle_column, middle_row = base.width // 2, base.height // 2
    left, up = random.randint(0, middle_column + 20), random.randint(0, middle_row + 20)
    return Place(
        middle_column - left,
        middle_row - up,
        left + random.randint(1, 200),
        up + random.randint(1, 150),
    )


def _extent(places: list[Place], *, union: bool) -> Place:
    first, last = (min, max) if union else (max, min)
    left, up = first(place.column for place in places), first(place.row for place in places)
    return Place(
        left,
        up,
        last(place.column + place.width for place in places) - left,
        last(place.row + place.height for place in places) - up,
    )


def _placed(values: Any, place: Place, whole: Place, outside: Any) -> Any:
    """``values`` of a raster on the result's grid."""
    canvas = np.full((3 * 1200, 3 * 1200), outside, values.dtype)
    origin = Place(-1200, -1200, 0, 0)
    canvas[place.inside(origin)] = values
    return canvas[whole.inside(origin)].copy()


def _as_stored(values: Any, data_type: DataType, clamp: tuple[float | None, float | None]) -> Any:
    low, high = (
        (-np.inf if clamp[0] is None else clamp[0]),
        (np.inf if clamp[1] is None else clamp[1]),
    )
    held = np.where(np.isfinite(values), np.clip(values, low, high), np.nan)
    if data_type is DataType.FLOAT32:
        return as_float32(held)
    if data_type is DataType.FLOAT64:
        return held
    dtype, factor, shift, nodata = INTEGERS[data_type]
    limits = np.iinfo(dtype)
    # not rounded yet
    return np.clip(
        (held + shift) * factor,
        limits.min + (nodata == limits.min),
        limits.max - (nodata == limits.max),
    )


def test_a_random_job(case: Case, tmp_path: Path, tally: Tally) -> None:
    text, job, right, steady, exact = _made(case, tmp_path)
    report = run(job)
    with rasterio.open(job.output) as dataset:
        stored, nodata = dataset.read(1), dataset.nodata
    what = f"{text!r} {job._replace(formula=None, notes=())}"
    assert stored.shape == right.shape, what
    got = np.where(stored == nodata, np.nan, stored.astype(float))
    np.testing.assert_array_equal(np.isnan(got)[steady], np.isnan(right)[steady], what)
    compared = steady & np.isfinite(right)
    if job.data_type in INTEGERS:
        even = np.abs(np.abs(right - np.trunc(right)) - 0.5) < 1e-5 * np.maximum(1, np.abs(right))
        off = np.abs(got - np.rint(right))
        assert not (compared & (off > even)).any(), (
            f"{what}: {got[compared & (off > even)][:5]} for {right[compared & (off > even)][:5]}"
        )
    else:
        near_nodata = np.isclose(right, -9999, rtol=1e-6)
        if exact:
            np.testing.assert_array_equal(
                np.where(near_nodata, 0, got), np.where(near_nodata, 0, right), what
            )
        tolerance = 1e-5 if job.data_type is DataType.FLOAT32 else 1e-9
        np.testing.assert_allclose(
            got[compared], right[compared], rtol=tolerance, atol=1e-6, err_msg=what
        )
    (statistics,) = report.statistics
    assert (statistics.valid, statistics.valid + statistics.invalid + statistics.outside) == (
        np.count_nonzero(stored != nodata),
        stored.size,
    ), what
    counted = assert_read_alike(job.output)
    tally("pixels compared", int(compared.sum()))
    tally("blocks read by a second reader", counted.blocks)


def test_a_random_job_in_parts(case: Case, tmp_path: Path, tally: Tally) -> None:
    """The same jobs in parts of any size, in any order: the file of the single run."""
    text, job, *_ = _made(case, tmp_path)
    run(job)
    single = contents(job.output)
    side = case.random.choice((1, 16, 64, 128, 300, 5000))
    parts = run_in_parts(job, tmp_path / "parts", side=side, seed=case.number)
    what = f"{text!r} {job._replace(formula=None, notes=())}, side {side}"
    assert contents(job.output) == single, what
    tally("several parts" if len(list(parts.parts())) > 1 else "one part")
