# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes by GDAL's own subdatasets: MODIS in HDF-EOS files written for the test, and Sentinel-2's driver."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bandwise.engine.radiometry.storage import DataType
from bandwise.engine.reading.opening import subdatasets_of
from bandwise.engine.scenes.opening import open_scene
from bench import Bench
from hdf_eos import write_grids
from scene_cases import MCD43A4, MOD09GA, opened

METRES = {"MODIS_Grid_1km_2D": 926.625433, "MODIS_Grid_500m_2D": 463.312717}
METRES["MOD_Grid_BRDF"] = 463.312717


@pytest.fixture
def needs_hdf4() -> None:
    with rasterio.Env() as env:
        if "HDF4" not in env.drivers():
            pytest.skip("this GDAL has no driver HDF4")


def ndvi(bench: Bench, scene: Any, **options: Any) -> Any:
    bands = [scene.band(role) for role in ("red", "nir")]
    job = Job(
        tuple(BandRef(band.role, band.path, band.number, band.facts) for band in bands),
        named_formula("ndvi := (nir - red) / (nir + red + 1)", ("red", "nir")),
        bench.path("out.tif"),
        data_type=DataType.FLOAT64,
        **options,
    )
    return bench.run(job)[0]


@pytest.mark.parametrize("declared", [0.0001, 10000.0])
@pytest.mark.parametrize("product", [MOD09GA, MCD43A4])
def test_modis_files_are_reflectance(
    bench: Bench, needs_hdf4: None, product: str, declared: float
) -> None:
    """Whether a file declares a factor or a divisor as its scale."""
    values = np.random.default_rng(1).integers(0, 9000, (7, 4, 6), np.int16)
    fill = -28672 if product == MOD09GA else 32767
    values[:, 0, 0] = fill
    state = np.zeros((2, 3), np.uint16)
    state[1, 2] = 1  # cloudy
    layers = "sur_refl_b0{}_1" if product == MOD09GA else "Nadir_Reflectance_Band{}"
    fields = {layers.format(n): values[n - 1] for n in range(1, 8)}
    daily = {"MODIS_Grid_1km_2D": {"state_1km_1": state}, "MODIS_Grid_500m_2D": fields}
    grids = daily if product == MOD09GA else {"MOD_Grid_BRDF": fields}
    path = write_grids(bench.path(f"{product}.hdf"), grids, METRES, declared)
    scene = open_scene(path, subdatasets_of)
    red, nir = values[0] * 1e-4, values[1] * 1e-4
    expected = (nir - red) / (nir + red + 1)
    expected[0, 0] = -9999
    np.testing.assert_allclose(ndvi(bench, scene), expected, rtol=1e-12)
    for band in scene.bands:
        assert open_scene(band.path, subdatasets_of) == scene
    if product == MOD09GA:
        assert scene.mask is not None
        assert scene.mask.rule is MaskRule.MODIS_STATE
        expected[2:, 4:] = -9999
        mask = MaskChoice(scene.mask.path, scene.mask.number, scene.mask.rule)
        np.testing.assert_allclose(ndvi(bench, scene, mask=mask), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "folder", ["sentinel2_safe_N0214_downsampled_jp2", "sentinel2_safe_N0400_original_jp2"]
)
def test_the_subdatasets_of_a_real_product_are_its_scene(shared: Any, folder: str) -> None:
    product = next(shared(folder).glob("*.SAFE"))
    names = subdatasets_of(str(product / "MTD_MSIL2A.xml"))
    assert names
    for name in names:
        assert name.startswith("SENTINEL2_L2A:")
        assert opened(name) == opened(product)
