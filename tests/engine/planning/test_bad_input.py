# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input: one clear sentence that names what is wrong, and nothing written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
from bad_input_cases import (
    good,  # noqa: F401  fixtures
    refused,
    simple_vrt,
)
from bandwise.engine.errors import (
    InputError,
    ReadError,
)
from bandwise.engine.execution.pipeline import run
from bench import Bench


def test_a_missing_file(bench: Bench, good: str) -> None:
    refused(
        bench,
        bench.job((good, 1), bench.path("gone.tif")),
        InputError,
        "gone.tif",
        "does not exist",
        "check the path",
    )


def test_no_file_at_all(bench: Bench, good: str) -> None:
    refused(bench, bench.job((good, 1), ""), InputError, "choose a file")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.tif", b"this is no raster\n"),
        ("empty.tif", b""),
        ("zeros.jp2", b"\0" * 5000),
        ("header.tif", b"II*\0\x08\0\0\0"),
        ("lines.csv", b"a,b\n1,2\n"),
        ("broken.vrt", b"<VRTDataset rasterXSize='4' rasterYSize='4'><VRTRasterBand"),
    ],
)
def test_not_a_raster(bench: Bench, good: str, name: str, content: bytes) -> None:
    Path(bench.path(name)).write_bytes(content)
    refused(
        bench,
        bench.job((good, 1), bench.path(name)),
        InputError,
        name,
        "cannot be opened as a raster",
        "choose a file",
    )


def test_a_folder(bench: Bench, good: str) -> None:
    os.mkdir(bench.path("folder"))
    refused(
        bench,
        bench.job((good, 1), bench.path("folder")),
        InputError,
        "folder",
        "cannot be opened as a raster",
    )


@pytest.mark.parametrize(
    "address",
    [
        "contextualWMSLegend=0&url=http://127.0.0.1:9/wms",
        "WMS:",
        "Polygon?crs=EPSG:4326&uid={1}",
        "gone.tif",
    ],
)
def test_what_is_not_a_file(bench: Bench, good: str, address: str) -> None:
    sentence = refused(bench, bench.job((good, 1), address), InputError, address)
    assert "choose a file" in sentence or "check the path" in sentence


@pytest.mark.parametrize("number", [0, -1, 3, 10**6])
def test_a_band_out_of_range(bench: Bench, good: str, number: int) -> None:
    refused(
        bench, bench.job((good, number), (good, 1)), InputError, good, f"no band {number}", "1 to 2"
    )


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_container_of_subdatasets(bench: Bench, good: str) -> None:
    path = bench.path("two.gpkg")
    for number, table in enumerate(("first", "second")):
        options = {"APPEND_SUBDATASET": "YES"} if number else {}
        with rasterio.open(
            path,
            "w",
            driver="GPKG",
            width=4,
            height=4,
            count=1,
            dtype="uint8",
            crs="EPSG:32633",
            transform=rasterio.Affine(10, 0, 0, 0, -10, 0),
            RASTER_TABLE=table,
            **options,
        ) as dataset:
            dataset.write(np.ones((1, 4, 4), np.uint8))
    refused(
        bench,
        bench.job(path, (good, 1)),
        InputError,
        path,
        "subdatasets",
        "choose one",
        "GPKG:",
        "first",
    )


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_numbers(bench: Bench, dtype: str) -> None:
    path = bench.save("radar.tif", np.ones((4, 4), dtype))
    refused(bench, bench.job(path, path), InputError, path, "Band 1", "complex", "convert")


def test_a_source_of_a_vrt_that_is_missing(bench: Bench, good: str) -> None:
    """GDAL opens the VRT happily; what it lacks shows at the first window, or before."""
    path = simple_vrt(bench, "hollow.vrt", bench.path("gone.tif"))
    before = bench.listing()
    with pytest.raises((InputError, ReadError), match=r"hollow\.vrt") as caught:
        run(bench.job(path, (good, 1)))
    assert "\n" not in str(caught.value)
    assert bench.listing() == before
