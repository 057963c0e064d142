# SPDX-License-Identifier: GPL-2.0-or-later
"""Same shape is not same grid: CRS, origin and pixel size are compared; what differs is resampled,
what does not is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.errors import InputError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.grids.grid import Grid
from bench import Bench

ORIGIN = (10.0, 0.0, 300000.0, 0.0, -10.0, 5000000.0)


@pytest.fixture
def pair(bench: Bench) -> Callable[..., list[str]]:
    """A function from what NIR and red have of their own to their paths; 40 x 30 pixels of 10 m,
    NIR 3, red 1: NDVI 0.5.
    """

    def save(nir: dict[str, Any], red: dict[str, Any]) -> list[str]:
        paths = []
        for name, own, value in (("nir", nir, 3), ("red", red, 1)):
            options = {"transform": ORIGIN, **own}
            height, width = options.pop("shape", (30, 40))
            paths.append(
                bench.save(f"{name}.tif", np.full((height, width), value, np.uint16), **options)
            )
        return paths

    return save


def moved(columns: float, rows: float) -> dict[str, Any]:
    return {"transform": (10.0, 0.0, 300000.0 + 10 * columns, 0.0, -10.0, 5000000.0 - 10 * rows)}


@pytest.mark.parametrize(
    "red",
    [
        moved(0.5, 0.25),
        moved(0.02, 0),
        {"transform": (20.0, 0.0, 300000.0, 0.0, -20.0, 5000000.0)},
        {"transform": (10.01, 0.0, 300000.0, 0.0, -10.0, 5000000.0)},
        {"transform": (10.0, 0.0, 300000.0, 0.0, 10.0, 4999700.0)},
    ],
    ids=["half a pixel off", "0.02 of a pixel off", "20 m", "0.01 m wider pixels", "south-up"],
)
def test_same_shape_is_not_same_grid(
    bench: Bench, pair: Callable[..., list[str]], red: dict[str, Any]
) -> None:
    lines, _ = bench.notes(bench.job(*pair({}, red)))
    assert ["resampled" in line for line in lines].count(True) == 1, lines
    pixels = bench.ndvi(*pair({}, red))
    assert (pixels == 0.5).all() and pixels.size > 100


@pytest.mark.parametrize(
    "red", [{"shape": (30, 41)}, {"shape": (40, 30)}, moved(1, 0), moved(0, -2)]
)
def test_one_lattice_is_read_as_it_is(
    bench: Bench, pair: Callable[..., list[str]], red: dict[str, Any]
) -> None:
    lines, _ = bench.notes(bench.job(*pair({}, red)))
    assert not any("resampled" in line for line in lines), lines


@pytest.mark.parametrize(
    "both",
    [
        {"transform": (10.0, 0.0, 300000.0, 0.0, 10.0, 4999700.0)},
        {"transform": (8.0, 6.0, 300000.0, 6.0, -8.0, 5000000.0)},
        {"transform": (1e-5, 0.0, 12.0, 0.0, -1e-5, 45.0), "crs": "EPSG:4326"},
        {"crs": None},
        {"crs": None, "transform": None},
        {"crs": "+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +datum=WGS84 +units=m"},
    ],
    ids=["south-up", "rotated", "degrees", "no CRS", "no georeference", "a CRS without a code"],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_the_result_lies_where_the_inputs_lie(
    bench: Bench, pair: Callable[..., list[str]], both: dict[str, Any]
) -> None:
    paths = pair(both, both)
    pixels = bench.ndvi(*paths)
    assert (pixels == 0.5).all()
    with rasterio.open(paths[0]) as source, rasterio.open(bench.path("ndvi.tif")) as result:
        assert result.crs == source.crs
        assert result.transform == source.transform
        assert result.shape == source.shape


@pytest.mark.parametrize("columns", [0.009, -0.009, 1e-6])
def test_a_shift_below_a_hundredth_of_a_pixel_is_none(
    bench: Bench, pair: Callable[..., list[str]], columns: float
) -> None:
    assert (bench.ndvi(*pair({}, moved(columns, columns))) == 0.5).all()


def test_a_pixel_size_that_adds_up_counts(bench: Bench, pair: Callable[..., list[str]]) -> None:
    """0.001 m a pixel is nothing at one pixel, and 0.4 of a pixel after 4000."""
    drifting = {"transform": (10.001, 0.0, 300000.0, 0.0, -10.0, 5000000.0)}
    assert (bench.ndvi(*pair({"shape": (2, 40)}, {"shape": (2, 40), **drifting})) == 0.5).all()
    lines, _ = bench.notes(bench.job(*pair({"shape": (2, 4000)}, {"shape": (2, 4000), **drifting})))
    assert "resampled (bilinear) from pixels of 10.001 x 10" in lines[1]


def test_the_same_crs_in_other_words(bench: Bench, pair: Callable[..., list[str]]) -> None:
    """A code and the WKT behind it are one CRS."""
    spelled = rasterio.crs.CRS.from_epsg(32633).to_wkt()
    assert (bench.ndvi(*pair({}, {"crs": spelled})) == 0.5).all()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_geotransform_without_area_is_refused(bench: Bench) -> None:
    path = bench.path("flat.vrt")
    Path(path).write_text(
        '<VRTDataset rasterXSize="4" rasterYSize="4"><GeoTransform>0, 10, 10, 0, 10, 10</GeoTransform>'
        '<VRTRasterBand dataType="Byte" band="1"/></VRTDataset>'
    )
    with pytest.raises(InputError, match="geotransform"):
        run(bench.job(path, path))


def test_places_and_pixels_are_each_others_inverse() -> None:
    grid = Grid("", (8.0, 6.0, 300000.0, 6.0, -8.0, 5000000.0), 40, 30)
    assert grid.xy(0, 0) == (300000, 5000000)
    assert grid.rowcol(*grid.xy(12.5, 7.25)) == pytest.approx((12.5, 7.25), abs=1e-9)
