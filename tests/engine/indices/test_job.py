# SPDX-License-Identifier: GPL-2.0-or-later
"""A run of several indices: bands by their names, each read once, tags, and the same pixels as NDVI's own."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.compute.compiler import BandValue, compile_formula
from bandwise.engine.errors import InputError, OptionError
from bandwise.engine.planning.jobs.spectralindices import spectralindices_job
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from indices_cases import by_spyndex

S2 = "T29UNU_20221005T115411"
SCALE = RadiometryChoice(Scaling.CUSTOM, scale=1e-4, offset=-0.1, nodata=0.0)
BANDS = {
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B08": "nir",
    "B8A": "nir2",
    "B11": "swir1",
    "B12": "swir2",
}


@pytest.fixture
def stored() -> dict[str, np.ndarray]:
    numbers = np.random.default_rng(7)
    return {name: numbers.integers(1100, 7000, (40, 50), np.uint16) for name in BANDS}


@pytest.fixture
def rasters(bench: Bench, stored: dict[str, np.ndarray]) -> list[tuple[str, str]]:
    return [
        (f"layer {name}", bench.save(f"{S2}_{name}_20m.tif", values, nodata=0))
        for name, values in stored.items()
    ]


def reflectance(stored: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {role: (stored[name] - 1000.0) / 10000 for name, role in BANDS.items()}


def test_several_indices_are_bands_in_their_order(
    bench: Bench, rasters: Any, stored: dict[str, np.ndarray]
) -> None:
    names = ["NBR", "SAVI", "PI", "kNDVI", "EVI"]
    job = spectralindices_job(
        rasters,
        ";".join(names),
        bench.path("out.tif"),
        constants="SAVI.L=0.4",
        radiometry=SCALE,
        data_type=DataType.FLOAT64,
    )
    _, report = bench.run(job)
    assert len(report.statistics) == len(names)
    constants = [{}, {"L": 0.4}, {}, {"sigma": 0.5}, {"g": 2.5, "C1": 6.0, "C2": 7.5, "L": 1.0}]
    with rasterio.open(job.output) as result:
        assert list(result.descriptions) == names
        for number, (name, values) in enumerate(zip(names, constants), start=1):
            expected = by_spyndex(name, reflectance(stored), values)
            np.testing.assert_allclose(result.read(number), expected, rtol=1e-12)
        tags = result.tags(2)
        assert tags["BANDWISE_FORMULA"] == "(1 + L) * (nir - red) / (nir + red + L)"
        assert json.loads(tags["BANDWISE_CONSTANTS"]) == {"L": 0.4}
        assert tags["BANDWISE_DOI"] == "10.1016/0034-4257(88)90106-X"
        assert tags["STATISTICS_MEAN"] and result.tags(4)["BANDWISE_KERNEL"].startswith("RBF")
        assert "BANDWISE_CONSTANTS" not in result.tags(1)
        assert result.tags()["BANDWISE_EXPRESSION"].startswith(
            "NBR := (nir - swir2) / (nir + swir2); "
        )


def test_each_band_is_read_once_and_what_is_common_is_computed_once(rasters: Any) -> None:
    job = spectralindices_job(rasters, "NDVI;NIRv;SAVI;SAVI2;TDVI;SR", "o.tif")
    assert sorted(band.name for band in job.bands) == ["nir", "red"]
    bands = [BandValue(np.dtype(np.uint16))] * 2
    together = len(compile_formula(job.formula, bands, double=True).actions)
    alone = sum(
        len(
            compile_formula(
                spectralindices_job(rasters, name, "o.tif").formula, bands, double=True
            ).actions
        )
        for name in ("NDVI", "NIRv", "SAVI", "SAVI2", "TDVI", "SR")
    )
    assert together < 0.8 * alone


def test_ndvi_has_the_pixels_of_ndvis_own(bench: Bench, rasters: Any) -> None:
    paths = dict(zip(BANDS, (path for _, path in rasters)))
    own = bench.ndvi(paths["B08"], paths["B04"], scaling=SCALE)
    for names in ("NDVI", "NDVI;EVI;kNDVI"):
        job = spectralindices_job(rasters, names, bench.path("o.tif"), radiometry=SCALE)
        assert bench.run(job)[0].tobytes() == own.tobytes()


def test_the_bands_may_lie_in_one_raster(bench: Bench, stored: dict[str, np.ndarray]) -> None:
    path = bench.save("stack.tif", np.stack(list(stored.values())))
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = tuple(name.replace("B0", "B") for name in stored)
    job = spectralindices_job([("stack", path)], "NBR;NDVI", "o.tif")
    assert {band.name: band.number for band in job.bands} == {"nir": 4, "swir2": 7, "red": 3}


def test_a_band_may_be_named(bench: Bench, rasters: Any, stored: dict[str, np.ndarray]) -> None:
    a = bench.save("one.tif", np.stack([stored["B04"], stored["B08"]]))
    b = bench.save("two.tif", stored["B03"])
    job = spectralindices_job(
        [("x", a), ("my layer", b)], "NDVI;NDWI", "o.tif", bands='N=A@2; red=a\ngreen="my layer@1"'
    )
    assert {band.name: (band.path, band.number) for band in job.bands} == {
        "nir": (a, 2),
        "red": (a, 1),
        "green": (b, 1),
    }
    job = spectralindices_job(rasters, "NDVI", "o.tif", bands="nir=E")
    assert {band.name: band.path for band in job.bands}["nir"] == rasters[4][1]


def test_words_are_recognised(bench: Bench, stored: dict[str, np.ndarray]) -> None:
    paths = [bench.save(f"{name}.tif", stored["B04"]) for name in ("red", "two")]
    job = spectralindices_job([("a", paths[0]), ("nir", paths[1])], "NDVI", "o.tif")
    assert {band.name: band.path for band in job.bands} == {"red": paths[0], "nir": paths[1]}


def test_b8a_serves_where_there_is_no_b08(bench: Bench, rasters: Any) -> None:
    job = spectralindices_job([rasters[2], rasters[4]], "NDVI;SeLI", "o.tif", bands="rededge1=A")
    assert [(band.name, band.path) for band in job.bands] == [
        ("nir", rasters[4][1]),
        ("red", rasters[2][1]),
    ], "B8A is nir and nir2, and read once"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"indices": "NDVX"}, "There is no index NDVX; near names are NDVI"),
        ({"indices": "NDVI705"}, r"NDVI705 needs the band rededge2 .*; add its raster, or name it"),
        ({"bands": "nir=Z"}, "bands, nir=Z: there is no input Z"),
        ({"bands": "infrared=A"}, "infrared=A is not understood; write nir=A@2; red=B"),
        ({"bands": "nir=A+1"}, "is not understood"),
        ({"bands": "nir="}, "bands, nir=: "),
        ({"bands": "nir=A@9"}, "A has no band 9"),
        ({"constants": "L=1"}, "none of the indices has a constant L"),
    ],
)
def test_one_sentence_for_what_is_wrong(rasters: Any, change: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {"indices": "NDVI", **change}
    with pytest.raises(OptionError, match=words) as caught:
        spectralindices_job(rasters, arguments.pop("indices"), "o.tif", **arguments)
    assert "\n" not in str(caught.value)


def test_two_dates_are_ambiguous(bench: Bench, rasters: Any, stored: dict[str, np.ndarray]) -> None:
    other = bench.save("T29UNU_20221015T115411_B04_20m.tif", stored["B04"])
    with pytest.raises(
        OptionError, match=r"NDVI needs the band red \(red\), which may be C of .*; H of"
    ):
        spectralindices_job([*rasters, ("other", other)], "NDVI", "o.tif")
    spectralindices_job([*rasters, ("other", other)], "NDVI", "o.tif", bands="red=H")


def test_numbers_that_tell_no_sensor_are_ambiguous(bench: Bench) -> None:
    path = bench.save("stack.tif", np.full((3, 30, 30), 3000, np.uint16))
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = ("B3", "B4", "B5")
    with pytest.raises(OptionError, match=r"which may be .*B4.*; say which in"):
        spectralindices_job([("s", path)], "NDVI", "o.tif")


def test_no_raster() -> None:
    with pytest.raises(InputError, match="No raster is given"):
        spectralindices_job([], "NDVI", "o.tif")


def test_what_the_log_says(bench: Bench, rasters: Any) -> None:
    job = spectralindices_job(rasters, "kNDVI;SAVI", bench.path("o.tif"), radiometry=SCALE)
    lines, warnings = bench.notes(job)
    text = "\n".join(lines)
    assert f"red = C of {S2}_B04_20m.tif, B04 of Sentinel-2" in text
    assert "SAVI = (1 + 0.5) * (nir - red) / (nir + red + 0.5)" in text
    assert "kNDVI: RBF" in text and "SAVI: the list's default of L is 1" in text
    assert "Not used by the indices, so without influence on the grid: A = " in text
    assert not warnings


def test_own_indices_in_a_run(bench: Bench, rasters: Any, stored: dict[str, np.ndarray]) -> None:
    own = bench.path("indices.json")
    with open(own, "w") as file:  # noqa: PTH123
        json.dump(["Mine := nir / red", "Bad := infrared"], file)
    job = spectralindices_job(
        rasters, "mine;NDVI", bench.path("o.tif"), own_indices=own, radiometry=SCALE
    )
    pixels, _ = bench.run(job)
    bands = reflectance(stored)
    np.testing.assert_allclose(pixels, bands["nir"] / bands["red"], rtol=1e-6)
    assert any("Entry 2 of your indices" in text for text in bench.notes(job)[1])
