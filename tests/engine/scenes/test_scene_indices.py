# SPDX-License-Identifier: GPL-2.0-or-later
"""Spectral indices of a scene: bands in one file, facts that only the scene tells, and two bands of a role."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bandwise.engine.errors import OptionError
from bandwise.engine.planning.jobs.spectralindices import recognised_roles, spectralindices_job
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from scene_cases import LE07_L1, PLANET, landsat, number_of, opened, raster, safe


def test_bands_of_one_file(bench: Bench) -> None:
    """Of PlanetScope, whose surface reflectance is 0.0001 of the stored value."""
    path = raster(bench, f"{PLANET}_3B_AnalyticMS_SR_8b.tif", bands=8)
    scene = opened(path)
    out = bench.path("out.tif")
    job = spectralindices_job([], "SAVI", out, scene=scene, data_type=DataType.FLOAT64)
    assert {band.name: (band.path, band.number) for band in job.bands} == {
        "nir": (path, 8),
        "red": (path, 6),
    }
    red, nir = (number_of(f"{Path(path).name}:{number}") / 10000 for number in (6, 8))
    expected = 1.5 * (nir - red) / (nir + red + 0.5)
    np.testing.assert_allclose(bench.run(job)[0], expected, rtol=1e-12)
    named = spectralindices_job([], "NDVI", out, scene=scene, bands="red=A@5; nir=A")
    assert {band.name: band.number for band in named.bands} == {"nir": 1, "red": 5}


def test_scale_and_offset_of_an_item(bench: Bench) -> None:
    """Nothing beside the files tells them."""
    assets = {}
    for name, scale in (("red", 1e-4), ("nir", 2e-4)):
        band = [{"name": name, "common_name": name}]
        href = raster(bench, f"{name}.tif")
        facts = [{"scale": scale, "offset": -0.1}]
        assets[name] = {"href": href, "eo:bands": band, "raster:bands": facts}
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "x", "links": [], "assets": assets}
    path = Path(bench.path("item.json"))
    path.write_text(json.dumps({**item, "properties": {"datetime": "2022-10-05T00:00:00Z"}}))
    job = spectralindices_job([], "DVI", bench.path("out.tif"), scene=opened(str(path)))
    red, nir = number_of("red.tif") * 1e-4 - 0.1, number_of("nir.tif") * 2e-4 - 0.1
    np.testing.assert_allclose(bench.run(job)[0], nir - red, rtol=1e-6)


def test_two_bands_of_a_role(bench: Bench) -> None:
    """The two gains of ETM+: an index of the others is computed, one of thermal asks which."""
    parts = ("B3.TIF", "B4.TIF", "B6_VCID_1.TIF", "B6_VCID_2.TIF")
    scene = opened(landsat(bench, LE07_L1, parts))
    assert "thermal" not in recognised_roles([], scene=scene)
    with pytest.raises(OptionError) as caught:
        spectralindices_job([], "NBLI", "o.tif", scene=scene)
    assert "NBLI needs the band thermal" in str(caught.value)
    assert "B6_VCID_1" in str(caught.value) and "B6_VCID_2" in str(caught.value)
    job = spectralindices_job([], "NBLI", "o.tif", scene=scene, bands="thermal=B6_VCID_2")
    assert {band.name: Path(band.path).name for band in job.bands} == {
        "red": f"{LE07_L1}_B3.TIF",
        "thermal": f"{LE07_L1}_B6_VCID_2.TIF",
    }
    assert spectralindices_job([], "NDVI", "o.tif", scene=scene).bands


def test_the_narrow_band_is_nir_only_where_no_other_is(bench: Bench) -> None:
    scene = opened(safe(bench))
    job = spectralindices_job([], "NDVI;NDREI", "o.tif", scene=scene)
    names = {band.name: Path(band.path).name.split("_")[2] for band in job.bands}
    assert names == {"nir": "B08", "red": "B04", "rededge1": "B05"}
    job = spectralindices_job([], "NDVI", "o.tif", scene=scene, bands="nir=B8A")
    assert {Path(band.path).name.split("_")[2] for band in job.bands} == {"B8A", "B04"}
    mask = scene.mask
    assert mask is not None
    assert set(job.listed) == {mask.path, *(band.path for band in scene.bands)}
