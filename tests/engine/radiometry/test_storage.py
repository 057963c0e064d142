# SPDX-License-Identifier: GPL-2.0-or-later
"""Types of the result: rounded half to even, clamped with a count, tagged so that readers see the
values again; overviews and COG.
"""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.errors import OptionError
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.storage import DataType
from bench import Bench

#: Type, nodata, factor, shift.
TYPES = {
    DataType.FLOAT32: ("float32", -9999, 1, 0),
    DataType.FLOAT64: ("float64", -9999, 1, 0),
    DataType.INT16_SCALED: ("int16", -32768, 10000, 0),
    DataType.UINT8_SCALED: ("uint8", 255, 100, 1),
    DataType.UINT8: ("uint8", 255, 1, 0),
    DataType.INT16: ("int16", -32768, 1, 0),
    DataType.UINT16: ("uint16", 65535, 1, 0),
    DataType.INT32: ("int32", -2147483648, 1, 0),
}

#: The first value above -9999 that GDAL does not take for it.
FIRST_BESIDE_NODATA = {"float32": -9998.9951171875, "float64": -9998.99523210639}

VALUES = "-3e9 -40000 -32768 -9999 -2.5 -1.5 -1 -0.5 -0.00005 0 0.00005 0.00015 "
VALUES += "0.005 0.5 1 1.5 2.5 254.5 255 255.5 65535 7e4 3e9 77 inf"


def math(bench: Bench, expression: str, values: Any, data_type: DataType, **options: Any) -> Job:
    path = bench.save(
        "a.tif",
        np.atleast_2d(values),
        **({"nodata": options.pop("nodata")} if "nodata" in options else {}),
    )
    return Job(
        (BandRef("a", path),),
        named_formula(f"x := {expression}", ("a",)),
        bench.path("out.tif"),
        data_type=data_type,
        **options,
    )


@pytest.mark.parametrize("data_type", list(DataType), ids=lambda data_type: data_type.name)
def test_values_nodata_and_counts_of_every_type(bench: Bench, data_type: DataType) -> None:
    """Values from far below to far above what each type holds, ties among them, one nodata and one
    that is no number.
    """
    dtype, nodata, factor, shift = TYPES[data_type]
    values = np.array(
        [float(text) for text in VALUES.split()],
        np.float64,
    )
    got, report = bench.run(math(bench, "a", values, data_type, nodata=77))
    got = got.reshape(-1)
    assert got.dtype == dtype
    real = values[:23]
    if got.dtype.kind == "f":
        expected = np.where(real == -9999, FIRST_BESIDE_NODATA[dtype], real.astype(dtype))
        np.testing.assert_array_equal(got[:23], expected)
        clamped = 0
    else:
        limits = np.iinfo(dtype)
        low, high = limits.min + (limits.min == nodata), limits.max - (limits.max == nodata)
        rounded = np.rint((real + shift) * factor)
        np.testing.assert_array_equal(got[:23], np.clip(rounded, low, high))
        clamped = ((rounded < low) | (rounded > high)).sum()
    assert (got[23:] == nodata).all() and not (got[:23] == nodata).any()
    band = report.statistics[0]
    assert (band.valid, band.nodata, band.not_finite, band.clamped, band.moved) == (
        23,
        1,
        1,
        clamped,
        got.dtype.kind == "f",
    )
    seen = got[:23].astype(np.float64) / factor - shift
    assert (band.minimum, band.maximum) == pytest.approx((seen.min(), seen.max()))
    assert band.mean == pytest.approx(seen.mean()) and band.standard_deviation == pytest.approx(
        seen.std()
    )


@pytest.mark.parametrize("data_type", list(DataType), ids=lambda data_type: data_type.name)
def test_readers_see_the_values_again(bench: Bench, data_type: DataType) -> None:
    """Scale, offset, nodata and statistics of stored values are in the file, and no statistics have to be computed."""
    _, nodata, factor, shift = TYPES[data_type]
    bench.run(math(bench, "a", [0, 0.25, 1, 77], data_type, nodata=77))
    with rasterio.open(bench.path("out.tif")) as dataset:
        stored = dataset.read(1, masked=True)
        assert dataset.nodata == nodata
        assert (dataset.scales[0], dataset.offsets[0]) == (1 / factor, -shift)
        assert float(dataset.tags(1)["STATISTICS_MAXIMUM"]) == stored.max()
        assert float(dataset.tags(1)["STATISTICS_MEAN"]) == pytest.approx(stored.mean())
        again = stored[0, :3] * dataset.scales[0] + dataset.offsets[0]
        assert abs(again - [0, 0.25, 1]).max() <= (0 if stored.dtype.kind == "f" else 0.5 / factor)


def test_integers_are_rounded_from_float64(bench: Bench) -> None:
    """As plain numpy rounds them, for every quotient of small numbers: many lie at a tie, which float32 would move."""
    nir, red = (plane.astype(np.uint16) for plane in np.mgrid[1:400, 1:500])
    paths = [bench.save("nir.tif", nir), bench.save("red.tif", red)]
    got = bench.ndvi(*paths, data_type=DataType.INT16_SCALED)
    nir, red = nir.astype(np.float64), red.astype(np.float64)
    np.testing.assert_array_equal(got, np.rint((nir - red) / (nir + red) * 10000))


@pytest.mark.parametrize("data_type", [DataType.FLOAT32, DataType.FLOAT64, DataType.INT16_SCALED])
def test_values_are_clamped_and_counted(bench: Bench, data_type: DataType) -> None:
    values = np.array([-3, -1, -0.5, 0, 0.5, 1, 1.5, 77])
    got, report = bench.run(math(bench, "a", values, data_type, nodata=77, clamp=(-1.0, 1.0)))
    expected = np.array([-1, -1, -0.5, 0, 0.5, 1, 1])
    np.testing.assert_array_equal(got[0, :7], expected * TYPES[data_type][2])
    assert got[0, 7] == TYPES[data_type][1]
    assert report.statistics[0].clamped == 2 and report.statistics[0].maximum == 1
    lines: list[str] = []

    def progress(_: float, note: Any) -> None:
        lines.append(str(note.text) if note else "")

    bench.run(math(bench, "a", values, data_type, nodata=77, clamp=(None, 1.0)), progress=progress)
    assert any("1 values were clamped" in line for line in lines)


@pytest.mark.parametrize("clamp", [(1.0, -1.0), (float("nan"), None), (None, float("nan"))])
def test_a_range_of_nothing(bench: Bench, clamp: tuple[Any, Any]) -> None:
    with pytest.raises(OptionError, match="lowest value must not be larger than highest value"):
        prepare(math(bench, "a", np.ones(1), DataType.FLOAT32, clamp=clamp))


@pytest.mark.parametrize(
    "options",
    [
        "",
        "COMPRESS=NONE",
        "COMPRESS=LZW|TILED=NO",
        "COMPRESS=ZSTD",
        "ENDIANNESS=BIG",
        "INTERLEAVE=BAND",
    ],
)
@pytest.mark.parametrize("data_type", list(DataType), ids=lambda data_type: data_type.name)
def test_every_type_is_stored_by_every_codec(
    bench: Bench, data_type: DataType, options: str
) -> None:
    values = np.arange(600 * 700, dtype=np.float64).reshape(600, 700) % 97 / 2
    job = math(bench, "a; y := a + 1", values, data_type, creation_options=options)
    bench.run(job)
    dtype, _, factor, shift = TYPES[data_type]
    for band, plane in enumerate((values, values + 1), start=1):
        expected = (plane + shift) * factor
        if np.dtype(dtype).kind != "f":
            limits = np.iinfo(dtype)
            expected = np.clip(
                np.rint(expected), limits.min, limits.max - (limits.max == TYPES[data_type][1])
            )
        np.testing.assert_array_equal(
            bench.read(bench.path("out.tif"), band), expected.astype(dtype)
        )


def averaged(values: np.ndarray) -> np.ndarray:
    return values.reshape(values.shape[0] // 2, 2, values.shape[1] // 2, 2).mean(axis=(1, 3))


@pytest.mark.parametrize("cog", [False, True])
def test_overviews(bench: Bench, cog: bool) -> None:
    values = np.random.default_rng(1).random((1024, 2048)).astype(np.float32)
    bench.run(math(bench, "a", values, DataType.FLOAT32, overviews=True, cog=cog))
    with rasterio.open(bench.path("out.tif")) as dataset:
        assert dataset.overviews(1) == [2, 4]
        assert dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == ("COG" if cog else None)
        assert "BANDWISE_VERSION" in dataset.tags() and "STATISTICS_MEAN" in dataset.tags(1)
        np.testing.assert_array_equal(dataset.read(1), values)
        np.testing.assert_allclose(
            dataset.read(1, out_shape=(512, 1024)), averaged(values), rtol=1e-6
        )
    assert sorted(bench.listing()) == ["a.tif", "out.tif"]


@pytest.mark.parametrize(
    "options",
    [
        "",
        "COMPRESS=NONE",
        "BLOCKXSIZE=64|BLOCKYSIZE=64|INTERLEAVE=BAND",
        "ENDIANNESS=BIG|BIGTIFF=YES",
    ],
)
@pytest.mark.parametrize("data_type", [DataType.FLOAT32, DataType.FLOAT64, DataType.INT16_SCALED])
def test_overviews_are_means_of_valid_pixels(
    bench: Bench, data_type: DataType, options: str
) -> None:
    """Odd sizes, nodata in every second column of a part, whole blocks of nodata: as float64 says,
    on every level, by many workers.
    """
    values = np.random.default_rng(1).random((1031, 1543)) * 0.8
    values[:600, 100:700:2] = 77
    values[300:, 900:1500] = 77
    bench.run(
        math(
            bench,
            "a; y := a / 2",
            values,
            data_type,
            nodata=77,
            overviews=True,
            creation_options=options,
            workers=3,
        )
    )
    factor = TYPES[data_type][2]
    for band, divisor in ((1, 1), (2, 2)):
        level = np.where(values == 77, np.nan, values / divisor)
        with rasterio.open(bench.path("out.tif")) as dataset:
            factors = dataset.overviews(band)
            assert factors == [2, 4]
        for number, _ in enumerate(factors):
            level = np.pad(
                level, ((0, level.shape[0] % 2), (0, level.shape[1] % 2)), constant_values=np.nan
            )
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                level = np.nanmean(
                    level.reshape(level.shape[0] // 2, 2, level.shape[1] // 2, 2).swapaxes(1, 2),
                    axis=(2, 3),
                )
            with rasterio.open(bench.path("out.tif"), overview_level=number) as dataset:
                got = dataset.read(band, masked=True)
            np.testing.assert_array_equal(np.ma.getmaskarray(got), np.isnan(level))
            # rounded thrice
            np.testing.assert_allclose(
                got.filled(0) / factor,
                np.nan_to_num(level),
                atol=1e-6 if factor == 1 else 1.5 / factor,
            )


@pytest.mark.parametrize(
    "options", ["TILED=NO", "BLOCKXSIZE=64|BLOCKYSIZE=128", "BLOCKXSIZE=48|BLOCKYSIZE=48"]
)
def test_overviews_of_files_whose_blocks_gdal_does_not_give_them(
    bench: Bench, options: str
) -> None:
    bench.run(
        math(
            bench,
            "a",
            np.full((700, 900), 3, np.uint8),
            DataType.FLOAT32,
            overviews=True,
            creation_options=options,
        )
    )
    with rasterio.open(bench.path("out.tif")) as dataset:
        assert dataset.overviews(1) == [2]
        assert (dataset.read(1, out_shape=(350, 450)) == 3).all()


@pytest.mark.parametrize(
    ("size", "overviews", "built"),
    [(4096, None, False), (4097, None, True), (4097, False, False), (300, True, True)],
)
def test_overviews_are_built_of_large_rasters(
    bench: Bench, size: int, overviews: bool | None, built: bool
) -> None:
    bench.run(math(bench, "a", np.ones((3, size), np.uint8), DataType.FLOAT32, overviews=overviews))
    with rasterio.open(bench.path("out.tif")) as dataset:
        assert bool(dataset.overviews(1)) == built


def test_overviews_of_whole_numbers_make_no_new_ones(bench: Bench) -> None:
    """Between the classes 1 and 9 lies no class 5."""
    values = np.random.default_rng(1).choice([1, 9], (1000, 1000)).astype(np.uint8)
    bench.run(math(bench, "a", values, DataType.UINT8, overviews=True))
    with rasterio.open(bench.path("out.tif")) as dataset:
        assert set(np.unique(dataset.read(1, out_shape=(500, 500)))) == {1, 9}


@pytest.mark.parametrize("options", ["TILED=NO", "ENDIANNESS=BIG", "TFW=YES"])
def test_a_cog_cannot_have_every_option(bench: Bench, options: str) -> None:
    with pytest.raises(OptionError, match="Cloud Optimized"):
        prepare(math(bench, "a", np.ones(1), DataType.FLOAT32, cog=True, creation_options=options))


@pytest.mark.parametrize(
    "options", ["", "COMPRESS=ZSTD|ZSTD_LEVEL=1", "COMPRESS=NONE|BLOCKXSIZE=256|BLOCKYSIZE=256"]
)
def test_a_cog_has_the_same_pixels(bench: Bench, options: str) -> None:
    values = np.random.default_rng(1).integers(0, 9000, (700, 900)).astype(np.uint16)
    job = math(bench, "a / 7", values, DataType.FLOAT32, cog=True, creation_options=options)
    got, report = bench.run(job)
    np.testing.assert_array_equal(got, (values / 7.0).astype(np.float32))
    with rasterio.open(bench.path("out.tif")) as dataset:
        assert dataset.block_shapes[0] == ((256, 256) if "256" in options else (512, 512))
        assert dataset.nodata == -9999 and dataset.descriptions == ("x",)
    assert report.statistics[0].valid == values.size


@pytest.mark.parametrize("data_type", [DataType.FLOAT32, DataType.INT16_SCALED, DataType.INT32])
def test_a_histogram_is_gathered_on_the_way(bench: Bench, data_type: DataType) -> None:
    """Of every second pixel of every second row, in 256 bins, whatever the windows; a value is
    known to 1/128 of itself.
    """
    values = np.random.default_rng(5).normal(0.3, 0.2, (1000, 1200)) * (
        1000 if data_type is DataType.INT32 else 1
    )
    values[:, 500:600] = 77
    tags = set()
    for options, memory in (
        ("", 512),
        ("TILED=NO", 1),
        ("BLOCKXSIZE=16|BLOCKYSIZE=16|COMPRESS=NONE", 1),
    ):
        bench.run(
            math(bench, "a", values, data_type, nodata=77, creation_options=options, memory=memory)
        )
        with rasterio.open(bench.path("out.tif")) as dataset:
            tags.add(dataset.tags(1, ns="BANDWISE")["HISTOGRAM"])
    assert len(tags) == 1
    told = json.loads(tags.pop())
    stored = bench.read(bench.path("out.tif")).astype(float)
    low, high = stored[values != 77].min(), stored[values != 77].max()
    assert (told["minimum"], told["maximum"], told["step"], len(told["buckets"])) == (
        low,
        high,
        2,
        256,
    )
    sample = stored[::2, ::2][values[::2, ::2] != 77]
    assert sum(told["buckets"]) == sample.size
    edges = np.linspace(low, high, 257)
    assert (
        abs(np.cumsum(told["buckets"]) - np.searchsorted(np.sort(sample), edges[1:], "right")).max()
        < 0.02 * sample.size
    )


def test_a_histogram_of_values_that_hardly_differ(bench: Bench) -> None:
    """Minimum and maximum a few units in the last place apart: too near for edges between them."""
    values = np.arange(1, 10_000, dtype=np.uint16)
    bench.run(math(bench, "(a * 0.1 + a * 0.2) / a", values, DataType.FLOAT64))
    with rasterio.open(bench.path("out.tif")) as dataset:
        assert (
            sum(json.loads(dataset.tags(1, ns="BANDWISE")["HISTOGRAM"])["buckets"]) == values.size
        )
