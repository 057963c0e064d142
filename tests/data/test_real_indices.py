# SPDX-License-Identifier: GPL-2.0-or-later
"""Indices on real products: every one that the bands allow, held to spyndex in float64."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.indices.catalogue import listed_indices
from bandwise.engine.indices.selection import Chosen, missing_role, with_constants
from bandwise.engine.planning.jobs.spectralindices import recognised_roles, spectralindices_job
from bandwise.engine.radiometry.roles import SENSORS
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from indices_cases import by_the_source
from real_data_cases import LANDSAT, R60M, SAFE

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B09", "B11", "B12")
ROLES = {
    "B01": "coastal", "B02": "blue", "B03": "green", "B04": "red", "B05": "rededge1", "B06": "rededge2",
    "B07": "rededge3", "B8A": "nir", "B09": "watervapour", "B11": "swir1", "B12": "swir2",
}  # fmt: skip
AT_ONCE = 12  #: results of one run
WAVELENGTHS = {
    role: band.wavelength
    for band in SENSORS["Sentinel-2"]
    for role in band.roles
    if band.name != "B08"
}


@dataclass(frozen=True)
class Product:
    """The paths of a scene's bands, and these by role in float64, NaN where nodata or saturated."""

    rasters: list[tuple[str, str]]
    reflectance: dict[str, np.ndarray]


def allowed() -> list[str]:
    roles = {*ROLES.values(), "nir2"}
    return [name for name, index in listed_indices().items() if not missing_role(index, roles)]


BATCHES = [allowed()[start : start + AT_ONCE] for start in range(0, len(allowed()), AT_ONCE)]
#: A quotient, constants, a root, a power, a kernel, a division by a sum that is zero in places.
OF_WHOLE_SCENE = ["NDVI", "EVI", "MSAVI", "GEMI", "kNDVI", "GCC"]


def reflectance_of(stored: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Of the N0400 product, offset -1000 by its XML."""
    bands = {}
    for band, values in zip(BANDS, stored):
        invalid = (values == 0) | (values == 65535)
        bands[ROLES[band]] = np.where(invalid, np.nan, (values.astype(np.float64) - 1000) / 10000)
    bands["nir2"] = bands["nir"]
    return bands


@pytest.fixture(scope="module")
def scene(shared: Any) -> Product:
    """The 60 m bands of the product."""
    paths = [str(shared(f"{R60M}_{band}_60m.jp2")) for band in BANDS]
    return Product([("", path) for path in paths], reflectance_of([stored(path) for path in paths]))


@pytest.fixture(scope="module")
def sample(scene: Product, shared: Any, tmp_path_factory: pytest.TempPathFactory) -> Product:
    """The same product with every 32nd row, and those where most pixels are of a class, so that
    each class has some: those of the scene classification, reflectance of zero and below, and two
    bands that are equal or whose sum is zero.
    """
    classes = stored(str(shared(f"{R60M}_SCL_60m.jp2")))
    bands = [stored(path).astype(np.int64) - 1000 for _, path in scene.rasters]
    kinds = [classes == number for number in np.unique(classes)]
    for number, band in enumerate(bands):
        kinds += [band == 0, (band < 0) & (band != -1000)]
        kinds += [(band == other) & (band != -1000) for other in bands[:number]]
        kinds += [(band == -other) for other in bands[:number]]
    rows = {int(kind.sum(axis=1).argmax()) for kind in kinds} | {*range(0, len(classes), 32)}
    kept = sorted(rows)
    assert all(kind[kept].any() for kind in kinds if kind.any()) and len(kept) < 200
    bench = Bench(tmp_path_factory.mktemp("sample"))
    shutil.copy(shared(SAFE, "MTD_MSIL2A.xml"), bench.path(f"{SAFE}/MTD_MSIL2A.xml"))
    values = [(band[kept] + 1000).astype(np.uint16) for band in bands]
    paths = [bench.save(f"{R60M}_{band}_60m.jp2", rows) for band, rows in zip(BANDS, values)]
    return Product([("", path) for path in paths], reflectance_of(values))


def stored(path: str) -> np.ndarray:
    with rasterio.open(path) as dataset:
        values: np.ndarray = dataset.read(1)
    return values


def test_the_scene_allows_most_of_the_list(shared: Any) -> None:
    rasters = [("", str(shared(f"{R60M}_{band}_60m.jp2"))) for band in BANDS]
    assert set(recognised_roles(rasters)) == {*ROLES.values(), "nir2"}
    assert len(allowed()) >= 200


@pytest.mark.one_backend
@pytest.mark.parametrize("names", BATCHES, ids=lambda names: f"{names[0]}-{names[-1]}")
def test_every_index_of_every_class_of_pixels(
    bench: Bench, sample: Product, names: list[str]
) -> None:
    check(bench, sample, names)


@pytest.mark.slow
def test_indices_of_the_whole_scene(bench: Bench, scene: Product) -> None:
    check(bench, scene, OF_WHOLE_SCENE)


def check(bench: Bench, product: Product, names: list[str]) -> None:
    constants = "PAR=400" if "NIRvP" in names else ""
    job = spectralindices_job(
        product.rasters,
        ";".join(names),
        bench.path("out.tif"),
        constants=constants,
        data_type=DataType.FLOAT64,
        creation_options="COMPRESS=NONE",
    )
    bench.run(job)
    indices = [listed_indices()[name] for name in names]
    with rasterio.open(job.output) as result:
        for number, chosen in enumerate(with_constants(indices, constants, WAVELENGTHS), start=1):
            found = result.read(number)
            found[found == -9999] = np.nan
            expected = by_the_source(chosen.index.name, product.reflectance, chosen.constants)
            compare(chosen, found, expected, product.reflectance)
    Path(job.output).unlink()  # up to an eighth of a gigabyte


def compare(
    chosen: Chosen, found: np.ndarray, expected: np.ndarray, bands: dict[str, np.ndarray]
) -> None:
    """Equal to 1e-9; of a few pixels spyndex's own answer hangs on the last bit of the reflectances.

    There a denominator is zero or a difference cancels, as blue + green + red = 0 does exactly in
    the engine's arithmetic and almost in float64's.
    """
    with np.errstate(all="ignore"):
        off = np.abs(found - expected) / np.maximum(np.abs(expected), 1e-3)
    finite = np.isfinite(expected)
    rows, columns = np.nonzero((np.isfinite(found) != finite) | (finite & (off > 1e-9)))
    assert len(rows) < 200 and np.isfinite(found).mean() > 0.3, chosen.index.name
    if not len(rows):
        return
    numbers = np.random.default_rng(0)
    changed = []
    for _ in range(100):
        nearby = {
            role: band[rows, columns] * (1 + numbers.choice([-1, 0, 1], len(rows)) * 2.0**-52)
            for role, band in bands.items()
        }
        changed.append(by_the_source(chosen.index.name, nearby, chosen.constants))
    with np.errstate(all="ignore"):
        spread = np.ptp(changed, axis=0) / np.abs(changed).max(axis=0)
    assert not (np.isfinite(spread) & (spread < 1e-10)).any(), chosen.index.name


@pytest.mark.parametrize("date", ["20170703", "20190723"])
def test_what_sen2r_published_is_reproduced_without_error(
    bench: Bench, shared: Any, date: str
) -> None:
    """NDVI and MSAVI2, round(10000 * index) as Int16; its MSAVI2 is the list's MSAVI."""
    folder = shared("references", "sen2r_barbellino")
    stack = str(folder / "input" / f"S2A2A_{date}_022_Barbellino_BOA_10.tif")
    job = spectralindices_job(
        [("stack", stack)],
        "NDVI;MSAVI",
        bench.path("out.tif"),
        bands="nir=A@8; red=A@4",
        radiometry=RadiometryChoice(Scaling.CUSTOM, scale=1e-4),
    )
    bench.run(job)
    for number, name in enumerate(("NDVI", "MSAVI2"), start=1):
        published = bench.read(
            str(folder / "expected" / f"S2A2A_{date}_022_Barbellino_{name}_10.tif")
        )
        pixels = bench.read(job.output, number).astype(np.float64)
        ours = np.where(pixels == -9999, -32768, np.round(10000 * pixels))
        assert np.abs(ours - published).max() == 0


@pytest.mark.parametrize("product", LANDSAT)
def test_the_same_index_on_landsat(bench: Bench, shared: Any, product: str) -> None:
    """NDVI, SAVI and NBR of surface reflectance, by the same names; SAVI with Huete's L."""
    numbers = {"blue": 2, "green": 3, "red": 4, "nir": 5, "swir1": 6, "swir2": 7}
    folder = Path(shared("landsat8_c2l2_stactools", product))
    paths = {
        role: folder / f"{product}_SR_B{number}.TIF"
        for role, number in numbers.items()
        if (folder / f"{product}_SR_B{number}.TIF").exists()
    }
    names = [
        name
        for name in ("NDVI", "SAVI", "NBR", "MNDWI", "AshburnVI")
        if not missing_role(listed_indices()[name], {*paths, "nir2"})
    ]
    assert {"NDVI", "SAVI", "AshburnVI"} <= set(names)
    job = spectralindices_job(
        [(role, str(path)) for role, path in paths.items()],
        ";".join(names),
        bench.path("out.tif"),
        data_type=DataType.FLOAT64,
    )
    bench.run(job)
    bands = {}
    for role, path in paths.items():
        stored = bench.read(str(path)).astype(np.float64)
        stored[stored == 0] = np.nan
        bands[role] = stored * 2.75e-05 - 0.2
    bands["nir2"] = bands["nir"]
    for number, name in enumerate(names, start=1):
        found = bench.read(job.output, number)
        constants = {"L": 0.5} if name == "SAVI" else {}
        expected = by_the_source(name, bands, constants)
        assert ((found == -9999) == ~np.isfinite(expected)).all()
        np.testing.assert_allclose(
            found[found != -9999], expected[np.isfinite(expected)], rtol=1e-9, atol=1e-12
        )
