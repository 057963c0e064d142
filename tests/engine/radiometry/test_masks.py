# SPDX-License-Identifier: GPL-2.0-or-later
"""Masks and areas: what they leave out is nodata, and counted by its cause."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.warp
from bandwise.engine.errors import GridError, OptionError
from bandwise.engine.planning.plan import prepare
from bandwise.engine.radiometry.masks import (
    Area,
    MaskChoice,
    MaskRule,
    QaFlag,
    clear_classes,
    recognised,
)
from bench import Bench

AT = (10.0, 0.0, 500000.0, 0.0, -10.0, 5000000.0)


@pytest.fixture
def pair(bench: Bench) -> list[str]:
    """NIR 3, red 1, so NDVI 0.5; 60 x 40 pixels of 10 m; red is 0, its nodata, in row 0 and both are 0 in row 1."""
    red, nir = np.ones((40, 60), np.uint16), np.full((40, 60), 3, np.uint16)
    red[0] = 0
    red[1] = nir[1] = 0
    return [
        bench.save(
            "nir.tif",
            nir,
            transform=AT,
            compress="deflate",
            tiled=True,
            blockxsize=16,
            blockysize=16,
        ),
        bench.save(
            "red.tif", red, nodata=0, transform=AT, tiled=True, blockxsize=16, blockysize=16
        ),
    ]


def by_cause(report: Any) -> dict[str, int]:
    band = report.statistics[0]
    return {
        cause: getattr(band, cause)
        for cause in ("valid", "nodata", "saturated", "masked", "outside", "not_finite")
    }


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("rule", "value", "kept"),
    [
        (MaskRule.KEEP_NONZERO, 1, True),
        (MaskRule.KEEP_NONZERO, 0, False),
        (MaskRule.KEEP_NONZERO, 255, True),
        (MaskRule.KEEP_ZERO, 0, True),
        (MaskRule.KEEP_ZERO, 1, False),
        *((MaskRule.SCL, value, value in (4, 5, 6, 7, 11)) for value in range(13)),
        (MaskRule.QA_PIXEL, 21824, True),  # clear, low confidences
        (MaskRule.QA_PIXEL, 1, False),
        (MaskRule.QA_PIXEL, 2, False),
        (MaskRule.QA_PIXEL, 4, False),
        (MaskRule.QA_PIXEL, 8, False),
        (MaskRule.QA_PIXEL, 16, False),
        (MaskRule.QA_PIXEL, 32, True),  # snow
        (MaskRule.QA_PIXEL, 22280, False),
        (MaskRule.QA_PIXEL, 128, True),  # water
        (MaskRule.FMASK, 32 + 64, True),  # water, low aerosol
        *((MaskRule.FMASK, 1 << bit, bit > 3) for bit in range(8)),  # snow is kept
        (MaskRule.FMASK, 255, False),
        (MaskRule.MODIS_STATE, 0b00_001_000, True),  # clear land
        (MaskRule.MODIS_STATE, 0b01, False),  # cloudy
        (MaskRule.MODIS_STATE, 0b10, False),  # mixed
        (MaskRule.MODIS_STATE, 0b11, True),  # not set, assumed clear
        *((MaskRule.MODIS_STATE, 1 << bit, bit not in (0, 1, 2, 9, 10, 13)) for bit in range(15)),
    ],
)
@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32"])
def test_what_a_value_means(
    bench: Bench, pair: list[str], rule: MaskRule, value: int, kept: bool, dtype: str
) -> None:
    mask = np.full((40, 60), value, dtype)
    path = bench.save("mask.tif", mask, transform=AT)
    got, report = bench.run(bench.job(*pair, mask=MaskChoice(path, rule=rule)))
    assert (got[2:] == (0.5 if kept else -9999)).all()
    assert by_cause(report) == {
        "valid": 2280 * kept,
        "nodata": 120,
        "saturated": 0,
        "masked": 2280 * (not kept),
        "outside": 0,
        "not_finite": 0,
    }


def test_options_change_what_is_kept(bench: Bench, pair: list[str]) -> None:
    scl = bench.save("SCL.tif", np.full((40, 60), 9, np.uint8), transform=AT)
    assert (bench.ndvi(*pair, mask=MaskChoice(scl, keep=(9,)))[2:] == 0.5).all()
    qa = bench.save("x_QA_PIXEL.tif", np.full((40, 60), 32 + 8, np.uint16), transform=AT)
    assert (bench.ndvi(*pair, mask=MaskChoice(qa, reject=(QaFlag.SNOW,))) == -9999).all()
    assert (bench.ndvi(*pair, mask=MaskChoice(qa, reject=(QaFlag.CIRRUS,)))[2:] == 0.5).all()
    assert (bench.ndvi(*pair, mask=MaskChoice(qa, reject=()))[2:] == 0.5).all()


@pytest.mark.parametrize(
    ("path", "description", "rule"),
    [
        ("T32TNS_20230615T101601_SCL_20m.jp2", "", MaskRule.SCL),
        ("SCL.tif", "", MaskRule.SCL),
        ("/a/b/LC08_L2SP_001002_20200101_20200101_02_T1_QA_PIXEL.TIF", "", MaskRule.QA_PIXEL),
        ("HLS.S30.T17SLU.2020209T155956.v2.0.Fmask.tif", "", MaskRule.FMASK),
        ('HDF4_EOS:EOS_GRID:"/a/M.hdf":MODIS_Grid_1km_2D:state_1km_1', "", MaskRule.MODIS_STATE),
        ("20220401_084707_44_2455_3B_udm2_clip.tif", "", MaskRule.KEEP_NONZERO),
        ("stack.tif", "SCL", MaskRule.SCL),
        ("stack.tif", "qa_pixel", MaskRule.QA_PIXEL),
        ("muscle.tif", "", None),
        ("T32TNS_20230615T101601_B04_20m.jp2", "", None),
        ("LC08_QA_RADSAT.TIF", "", None),
    ],
)
def test_masks_are_told_by_name(path: str, description: str, rule: MaskRule | None) -> None:
    assert recognised(path, description) is rule


def test_the_band_that_is_described_is_the_mask(bench: Bench, pair: list[str]) -> None:
    planes = np.stack([np.zeros((40, 60)), np.full((40, 60), 4)]).astype(np.uint8)
    path = bench.save("stack.tif", planes, transform=AT)
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = ("AOT", "SCL")
    assert (bench.ndvi(*pair, mask=MaskChoice(path))[2:] == 0.5).all()


def test_the_log_and_the_tags_say_how_a_mask_is_read(bench: Bench, pair: list[str]) -> None:
    path = bench.save(
        "T_SCL_20m.tif", np.full((20, 30), 4, np.uint8), transform=(20, 0, 500000, 0, -20, 5000000)
    )
    job = bench.job(
        *pair, mask=MaskChoice(path), area=Area(((square(500000, 5000000, 100, 100),),))
    )
    lines, _ = bench.notes(job)
    told = (
        "Mask: band 1 of T_SCL_20m.tif, read as Sentinel-2 scene classification, of which 4, 5, "
        "6, 7, 11 are kept; resampled (nearest) from"
    )
    assert any(line.startswith(told) for line in lines), lines
    assert any("1 polygons" in line for line in lines)
    bench.run(job)
    with rasterio.open(job.output) as dataset:
        assert told in dataset.tags()["BANDWISE_MASK"]
    qa = bench.save("x_QA_PIXEL.tif", np.zeros((40, 60), np.uint16), transform=AT)
    lines, _ = bench.notes(bench.job(*pair, mask=MaskChoice(qa)))
    assert any(
        "leave out: fill, dilated cloud, cirrus, cloud, cloud shadow; on the result's grid already"
        in line
        for line in lines
    ), lines


def test_a_mask_of_unknown_kind_is_asked_about(bench: Bench, pair: list[str]) -> None:
    path = bench.save("clouds.tif", np.zeros((40, 60), np.uint8), transform=AT)
    with pytest.raises(OptionError, match="choose in mask rule"):
        prepare(bench.job(*pair, mask=MaskChoice(path)))


@pytest.mark.parametrize("text", ["", "4,5,x", "4;5", "12", "-1", "4,,5", "٤"])
def test_classes_that_are_none(text: str) -> None:
    with pytest.raises(OptionError, match="clear classes is a list"):
        clear_classes(text)
    assert clear_classes(" 5, 4,5 ") == (4, 5)


def test_a_mask_of_20_m_on_a_grid_of_10_m(bench: Bench, pair: list[str]) -> None:
    """A checkerboard of vegetation and cloud: each class holds for four pixels; beyond the mask
    nothing is known, so nothing is kept.
    """
    classes = np.where(np.indices((20, 20)).sum(axis=0) % 2, 9, 4).astype(np.uint8)
    path = bench.save("T_SCL_20m.tif", classes, transform=(20, 0, 500000, 0, -20, 5000000))
    got, report = bench.run(bench.job(*pair, mask=MaskChoice(path)))
    kept = np.zeros((40, 60), bool)
    kept[:, :40] = np.kron(classes == 4, np.ones((2, 2), bool))
    kept[:2] = False
    np.testing.assert_array_equal(got == 0.5, kept)
    assert by_cause(report)["masked"] == 38 * 60 - kept.sum()


def test_a_mask_on_the_grid_but_smaller(bench: Bench, pair: list[str]) -> None:
    path = bench.save(
        "mask.tif", np.ones((10, 10), np.uint8), transform=(10, 0, 500050, 0, -10, 4999900)
    )
    got = bench.ndvi(*pair, mask=MaskChoice(path, rule=MaskRule.KEEP_NONZERO))
    assert (got == 0.5).sum() == 100 == (got[10:20, 5:15] == 0.5).sum()


def square(left: float, top: float, width: float, height: float) -> tuple[tuple[float, float], ...]:
    right, bottom = left + width, top - height
    return ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))


def test_an_area_with_a_hole(bench: Bench, pair: list[str]) -> None:
    """Columns 10 to 29, rows 10 to 29, without columns and rows 15 to 19; and columns 40 to 44 of
    row 0, which is nodata.
    """
    area = Area(
        (
            (square(500100, 4999900, 200, 200), square(500150, 4999850, 50, 50)),
            (square(500400, 5000000, 50, 10),),
        )
    )
    got, report = bench.run(bench.job(*pair, area=area))
    inside = np.zeros((40, 60), bool)
    inside[10:30, 10:30] = True
    inside[15:20, 15:20] = False
    np.testing.assert_array_equal(got == 0.5, inside)
    assert by_cause(report) == {
        "valid": 375,
        "nodata": 5,
        "saturated": 0,
        "masked": 0,
        "outside": 2400 - 380,
        "not_finite": 0,
    }


def test_a_pixel_lies_where_its_centre_does(bench: Bench, pair: list[str]) -> None:
    # the centre at 500105, 4999895 and the next at 500115, 4999885
    area = Area(((square(500104, 4999896, 12, 12),),))
    got = bench.ndvi(*pair, area=area)
    assert (got == 0.5).sum() == 4 and (got[10:12, 10:12] == 0.5).all()


def test_an_area_in_another_crs(bench: Bench, pair: list[str]) -> None:
    wkt = rasterio.crs.CRS.from_epsg(4326).to_wkt()
    ring = square(500100, 4999900, 200, 200)
    xs, ys = rasterio.warp.transform("EPSG:32633", "EPSG:4326", *zip(*ring))
    got = bench.ndvi(*pair, area=Area(((tuple(zip(xs, ys)),),), wkt))
    assert (got == 0.5).sum() == 400 and (got[10:30, 10:30] == 0.5).all()


def test_an_area_of_nothing(bench: Bench, pair: list[str]) -> None:
    with pytest.raises(OptionError, match="holds no polygons"):
        prepare(bench.job(*pair, area=Area(())))
    with pytest.raises(GridError, match="area"):
        prepare(
            bench.job(
                *pair,
                area=Area(
                    ((((200.0, 95.0), (201.0, 95.0), (201.0, 96.0)),),),
                    rasterio.crs.CRS.from_epsg(4326).to_wkt(),
                ),
            )
        )
    got, report = bench.run(bench.job(*pair, area=Area(((square(0, 0, 10, 10),),))))
    assert (got == -9999).all() and by_cause(report)["outside"] == 2400


def test_causes_do_not_depend_on_windows(bench: Bench, pair: list[str]) -> None:
    """A window wholly outside is not read; its pixels count as outside all the same."""
    area = Area(((square(500000, 5000000, 100, 100),),))
    mask = bench.save("mask.tif", np.indices((40, 60))[1].astype(np.uint8) % 3, transform=AT)
    found = set()
    for options in ("", "BLOCKXSIZE=16|BLOCKYSIZE=16", "TILED=NO"):
        for memory in (1, 512):
            job = bench.job(
                *pair,
                area=area,
                mask=MaskChoice(mask, rule=MaskRule.KEEP_NONZERO),
                creation_options=options,
                memory=memory,
            )
            got, report = bench.run(job)
            found.add((got.tobytes(), str(by_cause(report))))
    assert len(found) == 1
    assert by_cause(report) == {
        "valid": 48,
        "nodata": 20,
        "saturated": 0,
        "masked": 32,
        "outside": 2300,
        "not_finite": 0,
    }


def test_inputs_without_nodata_are_masked_too(bench: Bench) -> None:
    paths = [
        bench.save(f"{name}.tif", np.full((64, 64), value, np.uint16), transform=AT)
        for name, value in (("nir", 3), ("red", 1))
    ]
    half = np.arange(64) < 32
    mask = bench.save("mask.tif", np.broadcast_to(half, (64, 64)).astype(np.uint8), transform=AT)
    area = Area(((square(500000, 5000000, 640, 320),),))
    got, report = bench.run(
        bench.job(*paths, mask=MaskChoice(mask, rule=MaskRule.KEEP_NONZERO), area=area)
    )
    np.testing.assert_array_equal(got == 0.5, half[np.newaxis] & half[:, np.newaxis])
    assert by_cause(report) == {
        "valid": 1024,
        "nodata": 0,
        "saturated": 0,
        "masked": 1024,
        "outside": 2048,
        "not_finite": 0,
    }


def test_a_masks_own_nodata_keeps_nothing(bench: Bench, pair: list[str]) -> None:
    values = np.ones((40, 60), np.uint8)
    values[20:] = 255
    for name, transform, shape in (
        ("same", AT, values),
        ("coarse", (20, 0, 500000, 0, -20, 5000000), values[::2, ::2]),
    ):
        path = bench.save(f"{name}.tif", shape, nodata=255, transform=transform)
        got = bench.ndvi(*pair, mask=MaskChoice(path, rule=MaskRule.KEEP_NONZERO))
        assert (got[2:20] == 0.5).all() and (got[20:] == -9999).all()


def test_edges_of_an_area_in_another_crs_are_what_they_are_there(bench: Bench) -> None:
    """A parallel is no straight line in UTM: 150 km of it bend by hundreds of metres."""
    at = (100, 0, 420000, 0, -100, 5320000)
    paths = [
        bench.save(f"{name}.tif", np.full((400, 1600), value, np.uint8), transform=at)
        for name, value in (("n", 3), ("r", 1))
    ]
    wkt = rasterio.crs.CRS.from_epsg(4326).to_wkt()
    area = Area(
        (((((14.2, 47.8), (15.8, 47.8), (15.8, 47.95), (14.2, 47.95), (14.2, 47.8)),)),), wkt
    )
    got = bench.ndvi(*paths, area=area)
    rows, columns = np.mgrid[:400, :1600]
    xs, ys = 420000 + 100 * (columns + 0.5), 5320000 - 100 * (rows + 0.5)
    lon, lat = (
        np.reshape(values, got.shape)
        for values in rasterio.warp.transform("EPSG:32633", "EPSG:4326", xs.ravel(), ys.ravel())
    )
    inside = (lon > 14.2) & (lon < 15.8) & (lat > 47.8) & (lat < 47.95)
    assert ((got == 0.5) != inside).sum() < 20 and inside.sum() > 50_000
