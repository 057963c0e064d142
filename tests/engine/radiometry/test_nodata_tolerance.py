# SPDX-License-Identifier: GPL-2.0-or-later
"""GDAL takes values near nodata for nodata: so do we where we read, and no value of a result lies there.

GDAL's mask band is the truth.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.backend.choice import backend
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.layout import ExtentRule, Layout, Resampling
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bandwise.engine.radiometry.nodata import nodata_range
from bandwise.engine.radiometry.scaling import RadiometryChoice
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from rasterio.dtypes import dtype_rev
from rasterio.warp import Resampling as Method
from rasterio.warp import reproject

FLOATS = {DataType.FLOAT32: np.float32, DataType.FLOAT64: np.float64}
LARGEST = 3.4028234663852886e38
DECLARED = [
    *(
        "-9999",
        "-9999.000001",
        "-9999.001",
        "0",
        "0.1",
        "1",
        "1e20",
        "1e-30",
        "1e-46",
        "65535",
        "-32768",
        "nan",
        "inf",
        "-inf",
    ),
    *(
        "-3.40282e+38",
        "-3.4028234663852886e+38",
        "3.4028234663852886e+38",
        "-3.40282346638529e+38",
        "-3.4028235e+38",
        "-3.4e38",
    ),
    *("2e38", "-1.7e38", "1e38"),
]


def masked_by_gdal(path: str, band: int = 1) -> Any:
    """What the GDAL of the backend says; a wheel of rasterio may have another."""
    if backend().name == "osgeo":
        from osgeo import gdal

        dataset = gdal.Open(path)
        return dataset.GetRasterBand(band).GetMaskBand().ReadAsArray() == 0
    with rasterio.open(path) as dataset:
        return dataset.read_masks(band) == 0


def declare(path: str, text: str) -> None:
    """Put ``text`` into a little-endian TIFF's nodata tag, as it stands."""
    data = bytearray(Path(path).read_bytes())
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    (entry,) = (
        at
        for at in range(start + 2, start + 2 + 12 * count, 12)
        if struct.unpack_from("<H", data, at)[0] == 42113
    )
    value = text.encode().ljust(5) + b"\0"
    struct.pack_into("<II", data, entry + 4, len(value), len(data))
    Path(path).write_bytes(data + value)


def around(number: float, dtype: Any) -> Any:
    """Every value within 40 steps, then coarser ones within a millionth, then all sizes."""
    near = [dtype(number)]
    with np.errstate(all="ignore"):
        for end in (-np.inf, np.inf):
            step = dtype(number)
            for _ in range(40):
                step = np.nextafter(step, dtype(end))
                near.append(step)
        wide = number * np.concatenate([1 + np.linspace(-1e-6, 1e-6, 2001), np.linspace(0, 3, 301)])
        values = np.concatenate(
            [near, wide, np.linspace(-1, 1, 101) * np.finfo(dtype).max, [0, 1, -1, 5]]
        ).astype(dtype)
    return values[np.isfinite(values)]


@pytest.fixture
def declared(bench: Bench) -> Callable[[Any, str], tuple[str, np.ndarray]]:
    """A function from (dtype, nodata's text) to a file of values around it."""

    def save(dtype: Any, text: str) -> tuple[str, Any]:
        values = around(
            dtype(float(text)) if np.isfinite(float(text)) and abs(float(text)) <= LARGEST else 7.0,
            dtype,
        )
        path = bench.save("a.tif", np.atleast_2d(values), nodata=-1)
        declare(path, text)
        return path, values

    return save


@pytest.mark.parametrize("text", DECLARED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_gdal_masks_in_an_input_is_nodata(
    bench: Bench, declared: Callable[[Any, str], tuple[str, np.ndarray]], dtype: Any, text: str
) -> None:
    path, values = declared(dtype, text)
    job = Job(
        (BandRef("a", path),),
        named_formula("isnodata(a)", ("a",)),
        bench.path("out.tif"),
        data_type=DataType.FLOAT64,
    )
    got, report = bench.run(job)
    np.testing.assert_array_equal(
        got == 1, masked_by_gdal(path), f"{values[(got[0] == 1) != masked_by_gdal(path)[0]]}"
    )
    got, report = bench.run(job._replace(formula=named_formula("a * 0 + 1", ("a",))))
    np.testing.assert_array_equal(got == -9999, masked_by_gdal(path))
    assert report.statistics[0].nodata == masked_by_gdal(path).sum()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_gdal_masks_is_nodata_where_bands_are_resampled(
    bench: Bench, declared: Callable[[Any, str], tuple[str, np.ndarray]], dtype: Any
) -> None:
    """By the nearest pixel on a grid a fifth of a pixel to the side, which the warper is asked for."""
    path, values = declared(dtype, "-9999")
    with rasterio.open(path) as dataset:
        a, b, c, d, e, f = dataset.transform[:6]
    other = bench.save(
        "b.tif", np.ones((1, values.size), np.float32), transform=(a, b, c + a / 5, d, e, f)
    )
    layout = Layout(resampling=Resampling.NEAREST, extent_rule=ExtentRule.GRID)
    job = Job(
        (BandRef("b", other), BandRef("a", path)),
        named_formula("b + a * 0", ("b", "a")),
        bench.path("out.tif"),
        layout=layout,
    )
    got, _ = bench.run(job)
    expected = masked_by_gdal(path)
    np.testing.assert_array_equal((got == -9999)[:, :-1], expected[:, :-1])
    assert 9 <= expected.sum() < values.size / 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_mask_does_not_know_what_gdal_masks(
    bench: Bench, declared: Callable[[Any, str], tuple[str, np.ndarray]], dtype: Any
) -> None:
    path, values = declared(dtype, "-9999")
    other = bench.save("b.tif", np.ones((1, values.size), np.float32))
    mask = MaskChoice(path, rule=MaskRule.KEEP_NONZERO)
    job = Job((BandRef("b", other),), named_formula("b", ("b",)), bench.path("out.tif"), mask=mask)
    got, _ = bench.run(job)
    np.testing.assert_array_equal(got == -9999, masked_by_gdal(path) | (values == 0))


def test_a_nodata_value_of_the_user_has_the_same_tolerance(bench: Bench) -> None:
    values = around(-9999.0, np.float32)
    path = bench.save("a.tif", np.atleast_2d(values))
    job = Job(
        (BandRef("a", path),),
        named_formula("a * 0", ("a",)),
        bench.path("out.tif"),
        radiometry=RadiometryChoice(nodata=-9999),
    )
    got, _ = bench.run(job)
    declare(bench.save("b.tif", np.atleast_2d(values), nodata=-1), "-9999")
    np.testing.assert_array_equal(got == -9999, masked_by_gdal(bench.path("b.tif")))


@pytest.mark.skipif("float16" not in dtype_rev, reason="rasterio 1.5 reads float16")
@pytest.mark.parametrize(
    "text", ["-9999", "-9984", "0.1", "0", "1", "-65504", "65504", "33000", "nan"]
)
def test_float16_is_compared_exactly(bench: Bench, text: str) -> None:
    values = np.arange(2**16, dtype=np.uint16).view(np.float16)
    path = bench.save("a.tif", np.atleast_2d(values[np.isfinite(values)]), nodata=-1)
    declare(path, text)
    got, _ = bench.run(
        Job((BandRef("a", path),), named_formula("a * 0", ("a",)), bench.path("out.tif"))
    )
    np.testing.assert_array_equal(got == -9999, masked_by_gdal(path))


@pytest.mark.parametrize(
    ("dtype", "text"),
    [("uint8", "0.5"), ("int16", "-32768.4"), ("uint8", "-9999"), ("uint16", "65536")],
)
def test_the_log_says_why_nothing_is_nodata(bench: Bench, dtype: str, text: str) -> None:
    """GDAL cuts the fraction off and masks 0 for 0.5; a number that no pixel can have marks none
    here, and the log tells.
    """
    path = bench.save("a.tif", np.array([[0, 1, 100]], dtype), nodata=1)
    declare(path, text)
    job = Job((BandRef("a", path),), named_formula("a", ("a",)), bench.path("out.tif"))
    got, _ = bench.run(job)
    assert got.tolist() == [[0, 1, 100]]
    with rasterio.open(path) as dataset:
        known = dataset.nodatavals[0] is not None  # rasterio 1.3 hides what lies outside the type
    assert (
        any(f"no pixel of {dtype} can have that value" in line for line in bench.notes(job)[0])
        == known
    )


def test_integers_equal_nodata_or_do_not(bench: Bench) -> None:
    path = bench.save("a.tif", np.array([[-32768, -32767, -32766]], np.int16), nodata=-32768)
    got, _ = bench.run(
        Job((BandRef("a", path),), named_formula("a", ("a",)), bench.path("out.tif"))
    )
    assert got.tolist() == [[-9999, -32767, -32766]]


@pytest.mark.parametrize("data_type", list(FLOATS), ids=lambda data_type: data_type.name)
@pytest.mark.parametrize("clamp", [(None, None), (-1e4, None)])
def test_no_valid_value_of_a_result_is_masked_by_gdal(
    bench: Bench, data_type: DataType, clamp: Any
) -> None:
    """Values around -9999, in 200 rows with and without nodata beside them, keep their number: each
    is moved as little as can be.
    """
    values = np.tile(around(-9999.0, FLOATS[data_type]), (200, 1))
    gaps = np.arange(values.size).reshape(values.shape) % 7 == 3
    stored = np.where(gaps, FLOATS[data_type](77), values)  # type: ignore[call-overload]
    stored[:100] = values[:100]
    stored[stored > 1e30], stored[stored < -1e30] = 0, -100
    path = bench.save("a.tif", stored, nodata=77)
    formula = named_formula("a", ("a",))
    lines: list[str] = []
    job = Job(
        (BandRef("a", path),),
        formula,
        bench.path("out.tif"),
        data_type=data_type,
        clamp=clamp,
        overviews=True,
    )
    got, report = bench.run(
        job, progress=lambda _, note: lines.append(str(note.text) if note else "")
    )
    gaps[:100] = False
    np.testing.assert_array_equal(masked_by_gdal(job.output), gaps)
    with rasterio.open(job.output) as dataset:
        warped = np.empty_like(got)
        place = {
            "dst_transform": dataset.transform,
            "dst_crs": dataset.crs,
            "src_nodata": dataset.nodata,
            "dst_nodata": 4e7,
        }
        reproject(rasterio.band(dataset, 1), warped, resampling=Method.nearest, **place)
    np.testing.assert_array_equal(warped == 4e7, gaps)
    np.testing.assert_array_equal(warped[~gaps], got[~gaps])
    bench.save("masked.tif", stored, nodata=-9999)
    taken = masked_by_gdal(bench.path("masked.tif")) & ~gaps
    statistics = report.statistics[0]
    assert statistics.moved == taken.sum() > 1000
    assert statistics.valid == (~gaps).sum() and statistics.nodata == gaps.sum()
    assert [f"{statistics.moved} values are so near" in line for line in lines].count(True) == 1
    held = stored if clamp[0] is None else np.maximum(stored, clamp[0])
    np.testing.assert_array_equal(got[~taken & ~gaps], held[~taken & ~gaps])
    assert abs(got - stored)[taken].max() < 0.0098 and set(got[taken & (stored == -9999)]) == {
        got.dtype.type(moved_up(got.dtype))
    }
    assert statistics.minimum == got[~gaps].min() and statistics.mean == pytest.approx(
        got[~gaps].mean(dtype=np.float64)
    )
    with rasterio.open(job.output) as dataset:
        assert float(dataset.tags(1)["STATISTICS_MINIMUM"]) == got[~gaps].min()
        assert (
            dataset.tags(1)["BANDWISE_VALID_PIXELS"]
            == str((~gaps).sum())
            == str(sum(histogram_of(dataset)))
        )


def histogram_of(dataset: Any) -> list[int]:
    """Counts of every pixel, for the raster is small."""
    histogram = json.loads(dataset.tags(1, ns="BANDWISE")["HISTOGRAM"])
    assert histogram["step"] == 1
    return list(histogram["buckets"])


def moved_up(dtype: np.dtype[Any]) -> float:
    """The first number above -9999 of a type that no GDAL takes for it, found by trying."""
    _, high = nodata_range(dtype.type(-9999))
    return float(np.nextafter(high, dtype.type(0)))


def test_the_numbers_beside_nodata(bench: Bench) -> None:
    """Five steps of float32; in float64 what GDAL's precision of float32 leaves."""
    for dtype, expected in ((np.float32, -9998.9951171875), (np.float64, -9998.99523210639)):
        assert moved_up(np.dtype(dtype)) == expected
        values = np.array([[expected, np.nextafter(dtype(expected), dtype(-9999)), -9999]], dtype)
        path = bench.save("a.tif", values, nodata=-9999)
        assert masked_by_gdal(path).tolist() == [[False, True, True]]


@pytest.mark.parametrize(
    ("options", "cog"), [("", False), ("COMPRESS=NONE", False), ("TILED=NO", False), ("", True)]
)
@pytest.mark.parametrize("data_type", list(FLOATS), ids=lambda data_type: data_type.name)
def test_a_mean_of_valid_values_in_an_overview_is_valid(
    bench: Bench, data_type: DataType, options: str, cog: bool
) -> None:
    """-10000 and -9998 have the mean -9999; a fourth of the pixels is nodata in half of the raster."""
    values = np.where(np.indices((600, 1200)).sum(axis=0) % 2, -10000.0, -9998.0)
    values[:, 600:][::2, ::2] = 77
    path = bench.save("a.tif", values, nodata=77)
    job = Job(
        (BandRef("a", path),),
        named_formula("a", ("a",)),
        bench.path("out.tif"),
        data_type=data_type,
        overviews=True,
    )
    bench.run(job._replace(creation_options=options, cog=cog))
    with rasterio.open(job.output, overview_level=0) as dataset:
        means, masked = dataset.read(1), dataset.read_masks(1) == 0
    assert means.shape == (300, 600) and np.abs(means + 9999).max() < 1
    assert not masked.any()
