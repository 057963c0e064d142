# SPDX-License-Identifier: GPL-2.0-or-later
"""The switch that clamps NDVI: values of negative reflectance, limits that are given beside it, the dialog's value."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from options_cases import run, save

#: Reflectance is these minus 1000: NDVI from -3 to 3, with 0/0 in the third place.
RED = np.array([[900, 1100, 1000, 3000, 800]], np.uint16)
NIR = np.array([[1200, 950, 1000, 4000, 5000]], np.uint16)
CUSTOM = {"RADIOMETRY": 2, "SCALE": 1, "OFFSET": -1000}


@pytest.fixture
def result(provider, tmp_path, context, log):
    """Runs NDVI of both bands with parameters, and returns its pixels."""
    bands = {
        "RED": save(tmp_path / "red.tif", RED, 10),
        "NIR": save(tmp_path / "nir.tif", NIR, 10),
        "OUTPUT": str(tmp_path / "out.tif"),
    }

    def values(**parameters):
        _, fine = run({**bands, **CUSTOM, **parameters}, context, log)
        assert fine, log.warnings
        with rasterio.open(bands["OUTPUT"]) as dataset:
            return dataset.read(1)

    return values


def expected(low=-np.inf, high=np.inf):
    red, nir = RED.astype(float) - 1000, NIR.astype(float) - 1000
    with np.errstate(invalid="ignore"):
        index = np.clip((nir - red) / (nir + red), low, high)
    return np.where(np.isnan(index), -9999, index).astype(np.float32)


def test_off_by_default_and_one_switch(result, log):
    np.testing.assert_array_equal(result(), expected())
    assert any("kept as computed" in line for line in log.warnings)
    log.warnings.clear()
    for clamped in (result(CLAMP_NDVI=True), result(CLAMP_MIN=-1, CLAMP_MAX=1)):
        np.testing.assert_array_equal(clamped, expected(-1, 1))
    assert [line for line in log.warnings if "3 values were clamped" in line]
    assert not any("kept as computed" in line for line in log.warnings)
    np.testing.assert_array_equal(result(CLAMP_NDVI=False), expected())


@pytest.mark.parametrize(
    ("limits", "low", "high"),
    [
        ({"CLAMP_MIN": 0}, 0, 1),
        ({"CLAMP_MAX": 0.5}, -1, 0.5),
        ({"CLAMP_MIN": -2, "CLAMP_MAX": 2}, -2, 2),
    ],
)
def test_limits_that_are_given_take_precedence(result, limits, low, high):
    np.testing.assert_array_equal(result(CLAMP_NDVI=True, **limits), expected(low, high))


def test_a_lowest_value_above_one_is_refused(provider, result, tmp_path, context):
    from ndvi_cases import ndvi

    parameters = {
        "RED": str(tmp_path / "red.tif"),
        "NIR": str(tmp_path / "nir.tif"),
        "OUTPUT": str(tmp_path / "out.tif"),
    }
    more = {"CLAMP_NDVI": True, "CLAMP_MIN": 2}
    fine, message = ndvi().checkParameterValues({**parameters, **more}, context)
    assert not fine and "“Output: clamp to at least” (CLAMP_MIN)" in message
