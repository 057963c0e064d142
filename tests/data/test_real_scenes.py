# SPDX-License-Identifier: GPL-2.0-or-later
"""Indices of real scenes by their metadata files: three of Landsat, and the same names on both sensors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.indices.catalogue import listed_indices
from bandwise.engine.planning.jobs.spectralindices import recognised_roles, spectralindices_job
from bandwise.engine.radiometry.storage import DataType
from bandwise.engine.reading.opening import subdatasets_of
from bandwise.engine.scenes.opening import open_scene
from bandwise.engine.scenes.scene import Scene
from bench import Bench
from indices_cases import by_the_source
from real_data_cases import LANDSAT, OLD, SAFE

Shared = Callable[..., Path]
NAMES = ("NDVI", "SAVI", "MSAVI", "EVI2", "NDWI", "MNDWI", "NDMI")


def of_the_mtl(text: str, band: str) -> tuple[float, float]:
    """Factor and offset of a band in the group of Level 2, by a search in the text."""
    group = text.partition("GROUP = LEVEL2_SURFACE_REFLECTANCE_PARAMETERS")[2]
    group = group.partition("END_GROUP")[0]
    numbers = (
        re.search(rf"REFLECTANCE_{key}_BAND_{band} = (\S+)", group) for key in ("MULT", "ADD")
    )
    factor, offset = (float(match[1]) for match in numbers if match)
    return factor, offset


def computed(bench: Bench, scene: Scene, names: list[str]) -> dict[str, Any]:
    """Results in float64 by index, NaN for nodata."""
    out = bench.path("out.tif")
    bench.run(
        spectralindices_job([], ";".join(names), out, scene=scene, data_type=DataType.FLOAT64)
    )
    with rasterio.open(out) as result:
        pixels = result.read()
    return {name: np.where(band == -9999, np.nan, band) for name, band in zip(names, pixels)}


def hold(bench: Bench, scene: Scene, scaling: Callable[[str], tuple[float, float]]) -> list[str]:
    """Compare what the bands of a scene allow of :data:`NAMES` with spyndex on the stored pixels."""
    roles = recognised_roles([], scene=scene)
    names = [name for name in NAMES if set(listed_indices()[name].bands) <= set(roles)]
    found = computed(bench, scene, names)
    bands = {}
    for role in sorted({role for name in names for role in listed_indices()[name].bands}):
        stored = bench.read(scene.band(role).path).astype(np.float64)
        factor, offset = scaling(scene.band(role).name)
        bands[role] = np.where((stored == 0) | (stored == 65535), np.nan, stored * factor + offset)
    if len({band.shape for band in bands.values()}) > 1:
        raise AssertionError("choose names whose bands are of one grid")
    for name in names:
        constants = {key: float(value) for key, value in listed_indices()[name].constants.items()}  # type: ignore[arg-type]
        expected = by_the_source(name, bands, constants)
        sound = np.isfinite(expected) & np.isfinite(found[name])
        assert sound.sum() > 1000
        np.testing.assert_allclose(found[name][sound], expected[sound], rtol=1e-8, atol=1e-10)
        # a sum of two reflectances may be zero in one of the arithmetics alone
        assert (np.isfinite(found[name]) != np.isfinite(expected)).sum() < 200
    return names


@pytest.mark.parametrize("form", ["txt", "json", "xml"])
@pytest.mark.parametrize("product", LANDSAT)
def test_landsat_by_its_mtl(bench: Bench, shared: Shared, product: str, form: str) -> None:
    folder = shared("landsat8_c2l2_stactools", product)
    scene = open_scene(str(folder / f"{product}_MTL.{form}"), subdatasets_of)
    text = (folder / f"{product}_MTL.txt").read_text("utf-8")
    names = hold(bench, scene, lambda band: of_the_mtl(text, band.removeprefix("SR_B")))
    assert set(names) >= {"NDVI", "SAVI", "MSAVI", "EVI2"}


@pytest.mark.parametrize(
    ("safe", "part", "offset"),
    [
        (OLD, "", 0.0),
        (OLD, "MTD_MSIL2A.xml", 0.0),
        pytest.param(SAFE, "manifest.safe", -0.1, marks=pytest.mark.slow),
    ],
)
def test_sentinel2_by_the_same_names(
    bench: Bench, shared: Shared, safe: str, part: str, offset: float
) -> None:
    """As :data:`NAMES` are asked of Landsat; of both products the bands of one resolution."""
    scene = open_scene(str(shared(safe, *filter(None, [part]))), subdatasets_of)
    names = hold(bench, scene, lambda band: (1e-4, offset))
    assert set(names) == set(NAMES)
