# SPDX-License-Identifier: GPL-2.0-or-later
"""The right number in every pixel: types, nodata, masks, and what is not finite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.backend.choice import backend
from bandwise.engine.errors import InputError
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bench import Bench

NODATA = np.float32(-9999)
PRODUCT = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
<Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>
<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
</n1:Level-2A_User_Product>
"""

NIR = [[3500, 1200, 0, 65535, 0, 2000, 1000, 40000]]
RED = [[1500, 1800, 0, 3000, 2000, 2000, 1000, 30000]]

Plane = Callable[..., str]


@pytest.fixture
def plane(bench: Bench) -> Plane:
    """A function from (name, dtype, rows of values, options) to a file of them."""

    def save(name: str, dtype: str, values: Any, **options: Any) -> str:
        return bench.save(name, np.array(values, dtype), **options)

    return save


def test_the_eight_pixels(bench: Bench, plane: Plane) -> None:
    """NIR/red, nodata 0: .4, -.2, nodata, .9125, nodata, 0, 0, 1/7."""
    pixels, report = bench.run(
        bench.job(
            plane("nir.tif", "uint16", NIR, nodata=0), plane("red.tif", "uint16", RED, nodata=0)
        )
    )
    expected = np.array([[0.4, -0.2, -9999, 62535 / 68535, -9999, 0, 0, 1 / 7]], np.float32)
    np.testing.assert_array_equal(pixels, expected)
    statistics = report.statistics[0]
    assert (statistics.valid, statistics.nodata) == (6, 2)
    assert (statistics.saturated, statistics.not_finite) == (0, 0)


def test_the_eight_pixels_of_a_product_that_declares_65535_saturated(
    bench: Bench, plane: Plane
) -> None:
    """The fourth pixel, NIR 65535, is nodata: no light was measured there, only that there was too much."""
    Path(bench.path("MTD_MSIL2A.xml")).write_text(PRODUCT)
    pixels, report = bench.run(
        bench.job(plane("T33UUU_B08.tif", "uint16", NIR), plane("T33UUU_B04.tif", "uint16", RED))
    )
    expected = np.array([[0.4, -0.2, -9999, -9999, -9999, 0, 0, 1 / 7]], np.float32)
    np.testing.assert_array_equal(pixels, expected)
    statistics = report.statistics[0]
    assert (statistics.valid, statistics.nodata) == (5, 2)
    assert (statistics.saturated, statistics.not_finite) == (1, 0)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_unsigned_values_do_not_wrap_around(bench: Bench, plane: Plane, dtype: str) -> None:
    """Red above NIR: (120 - 180) / 300 = -.2; sums beyond the type: (max - (max - 1)) / (2 max - 1)."""
    top = np.iinfo(dtype).max
    pixels = bench.ndvi(
        plane("nir.tif", dtype, [[120, top, 0]]), plane("red.tif", dtype, [[180, top - 1, top]])
    )
    np.testing.assert_array_equal(pixels, np.array([[-0.2, 1 / (2 * top - 1), -1]], np.float32))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint64"])
def test_other_integers_work_too(bench: Bench, plane: Plane, dtype: str) -> None:
    if dtype == "int8" and tuple(map(int, rasterio.__gdal_version__.split(".")[:2])) < (3, 7):
        pytest.skip("GDAL has int8 from 3.7")
    # rasterio 1.3 takes each for the other
    if dtype in backend().misread_types:
        path = plane("nir.tif", dtype, [[120, 3, 1]])
        with pytest.raises(InputError, match="64-bit integers"):
            bench.ndvi(path, path)
        return
    pixels = bench.ndvi(
        plane("nir.tif", dtype, [[120, 3, 1]]), plane("red.tif", dtype, [[60, 5, 1]])
    )
    np.testing.assert_array_equal(pixels, np.array([[1 / 3, -0.25, 0]], np.float32))


def test_what_is_not_finite_becomes_nodata_and_is_counted(bench: Bench, plane: Plane) -> None:
    """0/0, x/0 with x = 2000 and -2000, NaN and infinity in an input; the last pixel is 1/3."""
    near = plane("nir.tif", "float32", [[0, 1000, -1000, np.nan, np.inf, 2]])
    visible = plane("red.tif", "float32", [[0, -1000, 1000, 1, 1, 1]])
    pixels, report = bench.run(bench.job(near, visible))
    np.testing.assert_array_equal(pixels, np.array([[-9999] * 5 + [1 / 3]], np.float32))
    assert (
        report.statistics[0].not_finite,
        report.statistics[0].nodata,
        report.statistics[0].valid,
    ) == (5, 0, 1)


def test_a_result_beyond_float32_is_not_finite(bench: Bench, plane: Plane) -> None:
    """1e300 * 1e300 overflows float64, 1e30 * 1e30 only float32."""
    big = plane("big.tif", "float64", [[1e300, 1e30, 1e10]])
    job = Job((BandRef("a", big),), named_formula("square := a * a", "a"), bench.path("out.tif"))
    pixels, report = bench.run(job)
    np.testing.assert_array_equal(pixels, np.array([[-9999, -9999, 1e20]], np.float32))
    assert report.statistics[0].not_finite == 2


def test_all_pixels_may_be_nodata(bench: Bench, plane: Plane) -> None:
    path = plane("zero.tif", "uint16", np.zeros((3, 5)), nodata=0)
    pixels, report = bench.run(bench.job(path, path))
    assert (pixels == NODATA).all()
    assert (report.statistics[0].valid, report.statistics[0].nodata) == (0, 15)
    with rasterio.open(bench.path("ndvi.tif")) as dataset:
        assert "STATISTICS_MEAN" not in dataset.tags(1)
        assert dataset.tags(1)["STATISTICS_VALID_PERCENT"] == "0"


def test_ndvi_of_zero_is_a_value(bench: Bench, plane: Plane) -> None:
    """The input's nodata 0 is not inherited: equal bands give NDVI 0, and it is valid."""
    path = plane("same.tif", "uint16", [[5, 7, 0]], nodata=0)
    pixels, report = bench.run(bench.job(path, path))
    np.testing.assert_array_equal(pixels, np.array([[0, 0, -9999]], np.float32))
    with rasterio.open(bench.path("ndvi.tif")) as dataset:
        assert dataset.nodata == -9999
        np.testing.assert_array_equal(dataset.read_masks(1), [[255, 255, 0]])
    assert report.statistics[0].valid == 2


def test_nodata_is_tested_on_the_stored_value(bench: Bench, plane: Plane) -> None:
    """Scale 0.5, offset 1: stored 0 means 1 and is nodata; stored 2 means 2; no stored value means
    0, the nodata value.
    """
    near = plane("nir.tif", "int16", [[0, 2, -2]], nodata=0, scales=[0.5], offsets=[1.0])
    visible = plane("red.tif", "int16", [[4, 4, 4]], nodata=0, scales=[0.5], offsets=[1.0])
    np.testing.assert_array_equal(
        bench.ndvi(near, visible), np.array([[-9999, (2 - 3) / 5, (0 - 3) / 3]], np.float32)
    )


@pytest.mark.parametrize(
    ("dtype", "nodata", "valid"),
    [
        ("uint16", -9999.0, [1, 1, 1, 1]),
        ("uint16", 0.5, [1, 1, 1, 1]),
        ("uint16", 65536.0, [1, 1, 1, 1]),
        ("uint16", 1e300, [1, 1, 1, 1]),
        ("uint16", float("nan"), [1, 1, 1, 1]),
        ("uint16", float("inf"), [1, 1, 1, 1]),
        ("uint8", 256.0, [1, 1, 1, 1]),
        ("uint8", 1.0, [1, 0, 1, 1]),
        ("int16", -1.0, [1, 1, 1, 1]),
        ("float32", float("nan"), [1, 1, 1, 1]),
        ("float32", 1e300, [1, 1, 1, 1]),
        ("uint32", 2.0, [1, 1, 0, 1]),
    ],
)
def test_nodata_given_by_the_user_matches_only_what_the_type_can_hold(
    bench: Bench, plane: Plane, dtype: str, nodata: float, valid: list[int]
) -> None:
    """Stored values 4, 1, 2, 3 in both bands; a nodata that no pixel can have hides no pixel (-9999 is not 55537)."""
    path = plane("band.tif", dtype, [[4, 1, 2, 3]])
    other = plane("other.tif", dtype, [[7, 7, 7, 7]])
    pixels = bench.ndvi(path, other, scaling=RadiometryChoice(nodata=nodata))
    assert (pixels != NODATA).astype(int).tolist() == [valid]


def test_user_nodata_does_not_wrap_into_the_type(bench: Bench, plane: Plane) -> None:
    """55537 is what -9999 becomes in uint16 arithmetic; 0 is what 65536 becomes."""
    near, visible = plane("nir.tif", "uint16", [[55537, 0]]), plane("red.tif", "uint16", [[1, 1]])
    for nodata in (-9999.0, 65536.0):
        assert (bench.ndvi(near, visible, scaling=RadiometryChoice(nodata=nodata)) != NODATA).all()


def test_nan_nodata_matches_nan(bench: Bench, plane: Plane) -> None:
    near = plane("nir.tif", "float32", [[np.nan, 3, 0]], nodata=float("nan"))
    visible = plane("red.tif", "float32", [[1, 1, 1]], nodata=float("nan"))
    pixels, report = bench.run(bench.job(near, visible))
    np.testing.assert_array_equal(pixels, np.array([[-9999, 0.5, -1]], np.float32))
    assert (report.statistics[0].nodata, report.statistics[0].not_finite) == (1, 0)


def test_float32_nodata_is_compared_as_float32(bench: Bench, plane: Plane) -> None:
    """-3.4028234663852886e+38 is the usual one; 0.1 is not a float32, and what the file holds is its nearest."""
    for nodata in (-3.4028234663852886e38, 0.1):
        near = plane("nir.tif", "float32", [[nodata, 3]], nodata=nodata)
        visible = plane("red.tif", "float32", [[1, 1]])
        np.testing.assert_array_equal(
            bench.ndvi(near, visible), np.array([[-9999, 0.5]], np.float32)
        )


def test_each_band_has_its_own_nodata(bench: Bench, plane: Plane) -> None:
    near = plane("nir.tif", "uint16", [[1, 2, 3]], nodata=1)
    visible = plane("red.tif", "uint16", [[1, 2, 1]], nodata=2)
    np.testing.assert_array_equal(
        bench.ndvi(near, visible), np.array([[-9999, -9999, 0.5]], np.float32)
    )


def test_nodata_from_a_pam_sidecar(bench: Bench, plane: Plane) -> None:
    near, visible = plane("nir.tif", "uint16", [[7, 3]]), plane("red.tif", "uint16", [[1, 1]])
    Path(near + ".aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>7</NoDataValue></PAMRasterBand></PAMDataset>'
    )
    np.testing.assert_array_equal(bench.ndvi(near, visible), np.array([[-9999, 0.5]], np.float32))


def test_scale_and_offset_from_a_pam_sidecar(bench: Bench, plane: Plane) -> None:
    """3 * 0.5 + 1 = 2.5 against a red of 1: 1.5 / 3.5."""
    near, visible = plane("nir.tif", "uint16", [[3]]), plane("red.tif", "uint16", [[1]])
    Path(near + ".aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><Offset>1</Offset><Scale>0.5</Scale></PAMRasterBand></PAMDataset>'
    )
    np.testing.assert_array_equal(bench.ndvi(near, visible), np.array([[1.5 / 3.5]], np.float32))


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("nodata", [None, 9])
def test_a_mask_makes_nodata(bench: Bench, inside: bool, nodata: int | None) -> None:
    """Pixels 3, 3, 9 with the second masked, inside the file or in a .msk beside it; 9 may be nodata besides."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside):
        near = bench.save(
            "nir.tif", np.array([[3, 3, 9]], np.uint16), nodata=nodata, mask=[[1, 0, 1]]
        )
    visible = bench.save("red.tif", np.array([[1, 1, 1]], np.uint16))
    assert Path(near + ".msk").exists() is not inside
    pixels, report = bench.run(bench.job(near, visible))
    np.testing.assert_array_equal(
        pixels, np.array([[0.5, -9999, 0.8 if nodata is None else -9999]], np.float32)
    )
    assert report.statistics[0].nodata == (1 if nodata is None else 2)


@pytest.mark.parametrize("nodata", [None, 9])
def test_an_alpha_band_makes_nodata_beside_a_nodata_value(bench: Bench, nodata: int | None) -> None:
    """Band 1 = 3, 3, 9; band 2 = alpha 255, 0, 1: GDAL's own mask shows nodata alone where both exist."""
    near = bench.save(
        "nir.tif", np.array([[[3, 3, 9]], [[255, 0, 1]]], np.uint8), alpha=2, nodata=nodata
    )
    visible = bench.save("red.tif", np.array([[1, 1, 1]], np.uint8))
    expected = np.array([[0.5, -9999, 0.8 if nodata is None else -9999]], np.float32)
    np.testing.assert_array_equal(bench.ndvi(near, visible), expected)


def test_an_alpha_band_of_16_bits_is_not_cut_to_8(bench: Bench) -> None:
    """Alpha 256 and 65280 have no bit in their lower byte, and are not transparent."""
    near = bench.save("nir.tif", np.array([[[3, 3, 3]], [[256, 65280, 0]]], np.uint16), alpha=2)
    visible = bench.save("red.tif", np.array([[1, 1, 1]], np.uint16))
    np.testing.assert_array_equal(
        bench.ndvi(near, visible), np.array([[0.5, 0.5, -9999]], np.float32)
    )


def test_an_alpha_band_can_be_an_input_itself(bench: Bench) -> None:
    stack = bench.save("stack.tif", np.array([[[3, 3]], [[1, 0]]], np.uint8), alpha=2)
    job = Job(
        (BandRef("alpha", stack, 2),), named_formula("alpha", ("alpha",)), bench.path("out.tif")
    )
    assert bench.run(job)[0].tolist() == [[1, 0]]


def test_pixels_that_are_nodata_together_in_all_bands(bench: Bench) -> None:
    """NODATA_VALUES of the dataset: a pixel is nodata only where every band has its value there."""
    stack = bench.save(
        "stack.tif", np.array([[[0, 0, 3]], [[0, 1, 1]]], np.uint8), tags={"NODATA_VALUES": "0 0"}
    )
    np.testing.assert_array_equal(
        bench.ndvi((stack, 1), (stack, 2)), np.array([[-9999, -1, 0.5]], np.float32)
    )


@pytest.mark.parametrize("dtype", ["int32", "uint32", "float64"])
def test_digits_above_2_to_24_are_kept(bench: Bench, plane: Plane, dtype: str) -> None:
    """20000001 - 20000000 = 1: in float32 the two are the same number and NDVI 0."""
    near, visible = (
        plane("nir.tif", dtype, [[20000001, 2**31 - 1]]),
        plane("red.tif", dtype, [[20000000, 2**31 - 2]]),
    )
    np.testing.assert_array_equal(
        bench.ndvi(near, visible), np.array([[1 / 40000001, 1 / (2**32 - 3)]], np.float32)
    )


def test_float32_inputs_are_computed_in_float64(bench: Bench, plane: Plane) -> None:
    """(1 - 2**-24) + 1 is 2 in float32: NDVI would be -2**-25 exactly, and is -2**-25 / (1 - 2**-25)."""
    near, visible = (
        plane("nir.tif", "float32", [[1 - 2.0**-24, 16777216.0]]),
        plane("red.tif", "float32", [[1, 1.0]]),
    )
    expected = np.array([[-(2.0**-24) / (2 - 2.0**-24), 16777215 / 16777217]], np.float64).astype(
        np.float32
    )
    np.testing.assert_array_equal(bench.ndvi(near, visible), expected)


@pytest.mark.parametrize("masked", [False, True])
def test_a_computed_value_equal_to_nodata_moves_beyond_what_gdal_takes_for_it(
    bench: Bench, plane: Plane, masked: bool
) -> None:
    """Stored -9999 is a valid value of this band: it becomes the fifth float32 above, -9998.995, in
    pixels and in statistics.
    """
    path = plane(
        "band.tif", "int16", [[-9999, -9998, -10000, 7]], **({"nodata": 7} if masked else {})
    )
    pixels, report = bench.run(
        Job((BandRef("a", path),), named_formula("a", "a"), bench.path("out.tif"))
    )
    beside = -9999 + 5 * np.spacing(np.float32(9999))
    np.testing.assert_array_equal(
        pixels, np.array([[beside, -9998, -10000, -9999 if masked else 7]], np.float32)
    )
    assert report.statistics[0].valid == (3 if masked else 4)


@pytest.mark.parametrize("masked", [False, True])
def test_statistics_are_of_the_written_pixels_even_of_one_that_moved(
    bench: Bench, plane: Plane, masked: bool
) -> None:
    path = plane("band.tif", "int16", [[-9999, -9998, 7]], **({"nodata": 7} if masked else {}))
    pixels, report = bench.run(
        Job((BandRef("a", path),), named_formula("a", "a"), bench.path("out.tif"))
    )
    valid = pixels[pixels != NODATA].astype(np.float64)
    assert report.statistics[0].minimum == valid.min()
    assert report.statistics[0].mean == pytest.approx(valid.mean(), rel=1e-11)


def test_values_outside_the_range_are_kept_and_counted(bench: Bench, plane: Plane) -> None:
    """Custom offset -1000: reflectances 0.05 and -0.01 give 1.5; 0.0001 and -0.0101 give -1.02; 0.2
    and 0.1 stay inside.
    """
    near, visible = (
        plane("nir.tif", "uint16", [[1500, 1001, 3000]]),
        plane("red.tif", "uint16", [[900, 899, 2000]]),
    )
    custom = RadiometryChoice(Scaling.CUSTOM, scale=0.0001, offset=-0.1)
    heard: list[str] = []
    pixels, report = bench.run(
        bench.job(near, visible, scaling=custom),
        progress=lambda fraction, note: (
            heard.append(str(note.text)) if note and note.warning else None
        ),
    )
    np.testing.assert_array_equal(
        pixels, np.array([[600 / 400, 102 / -100, 1000 / 3000]], np.float32)
    )
    assert report.statistics[0].beyond == 2
    assert any("2 pixels lie outside -1 to 1" in line for line in heard)


def test_two_bands_of_one_file(bench: Bench) -> None:
    """A stack: NIR in band 3, red in band 1."""
    stack = bench.save("stack.tif", np.array([[[1, 4]], [[0, 0]], [[3, 1]]], np.uint16))
    np.testing.assert_array_equal(
        bench.ndvi((stack, 3), (stack, 1)), np.array([[0.5, -0.6]], np.float32)
    )


def test_bands_of_different_types(bench: Bench, plane: Plane) -> None:
    near, visible = plane("nir.tif", "float64", [[0.3]]), plane("red.tif", "uint8", [[1]])
    np.testing.assert_array_equal(bench.ndvi(near, visible), np.array([[-0.7 / 1.3]], np.float32))


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (257, 511), (1, 2000), (2000, 1), (513, 512)]
)
@pytest.mark.parametrize("tiled", [True, False])
def test_odd_sizes(bench: Bench, width: int, height: int, tiled: bool) -> None:
    """NIR = column + 2 * row + 1, red = 3 * column + row + 2; every 7th pixel of NIR is nodata 0."""
    row, column = np.mgrid[0:height, 0:width]
    near, visible = column + 2 * row + 1, 3 * column + row + 2
    near.flat[::7] = 0
    profile = {"tiled": True, "blockxsize": 256, "blockysize": 256} if tiled else {}
    paths = [
        bench.save(f"{n}.tif", v.astype(np.uint16), nodata=0, **profile)
        for n, v in (("nir", near), ("red", visible))
    ]
    a, b = near.astype(np.float64), visible.astype(np.float64)
    expected = np.where(near == 0, NODATA, ((a - b) / (a + b)).astype(np.float32))
    np.testing.assert_array_equal(bench.ndvi(*paths), expected)
