# SPDX-License-Identifier: GPL-2.0-or-later
"""A VRT of product files is read by the metadata of their product, where all sources of a band
agree; else it says that it is not.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.scaling import RadiometryChoice
from bench import Bench
from vrt_metadata_cases import SIZE, STORED, facts, product, vrt


def test_bands_side_by_side(bench: Bench) -> None:
    """QGIS's "Build virtual raster" with separate bands: 3000 and 3500 less 1000 give 500 / 4500."""
    path = vrt(bench, "scene.vrt", *product(bench, "P", "B04", "B08"), options=("-separate",))
    for band, name in ((1, "B4"), (2, "B8")):
        *numbers, warnings, lines = facts(bench, path, band=band)
        assert numbers == [1e-4, -0.1, 0, 65535] and not warnings
        assert (
            f"MTD_MSIL2A.xml, band {name}: quantification 10000, offset -1000, through the VRT"
            in lines
        )
    pixels, _ = bench.run(bench.job((path, 2), (path, 1)))
    assert np.all(pixels == np.float32(500 / 4500))


def test_band_math_on_a_vrt_warns_with_the_numbers(bench: Bench) -> None:
    path = vrt(bench, "scene.vrt", *product(bench, "P", "B04", "B08"), options=("-separate",))
    _, warnings = bench.notes(
        bandmath_job(
            [("r", path)], "(A@2 - A@1) / (A@2 + A@1)", bench.path("out.tif"), radiometry=STORED
        )
    )
    assert (
        "A@1, A@2: scale 0.0001, offset -0.1 (MTD_MSIL2A.xml)" in warnings[0]
        or "A@2, A@1: scale 0.0001" in warnings[0]
    )
    assert "scaling to automatic" in warnings[0]


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-srcnodata", "0"),
        ("-srcnodata", "0", "-vrtnodata", "0"),
        ("-tr", "20", "20", "-r", "average"),
    ],
)
def test_a_mosaic_of_two_products_that_agree(bench: Bench, options: tuple[str, ...]) -> None:
    paths = [*product(bench, "P", "B04"), *product(bench, "Q", "B04", tile="T33UUV")]
    *numbers, warnings, lines = facts(bench, vrt(bench, "mosaic.vrt", *paths, options=options))
    assert numbers == [1e-4, -0.1, 0, 65535] and not warnings
    assert "through the VRT" in lines


def test_a_mosaic_of_products_before_and_after_the_offset(bench: Bench) -> None:
    """Their offsets differ: stored values, one sentence, and their common nodata."""
    paths = [*product(bench, "P", "B04"), *product(bench, "Q", "B04", offset=0, tile="T33UUV")]
    path = vrt(bench, "mosaic.vrt", *paths)
    for choice in (RadiometryChoice(), STORED):
        *numbers, warnings, _ = facts(bench, path, radiometry=choice)
        assert numbers == [1, 0, 0, None]
        assert (
            len(warnings) == 1
            and "mosaic.vrt belong to products, but their scale, offset or nodata differ"
            in warnings[0]
        )
        assert "stored values are used unchanged" in warnings[0]


def test_a_mosaic_with_a_file_of_no_product(bench: Bench) -> None:
    (path,) = product(bench, "P", "B04")
    other = bench.save("other.tif", np.full((SIZE, SIZE), 7, np.uint16))
    *numbers, (warning,), _ = facts(bench, vrt(bench, "mosaic.vrt", path, other))
    assert numbers == [1, 0, None, None] and "differ" in warning


def test_a_vrt_of_no_product_is_a_raster_like_any_other(bench: Bench) -> None:
    path = vrt(bench, "plain.vrt", bench.save("other.tif", np.full((SIZE, SIZE), 7, np.uint16)))
    *numbers, warnings, _ = facts(bench, path)
    assert numbers == [1, 0, None, None] and not warnings


def test_a_vrt_in_a_vrt_in_another_folder_under_another_suffix(bench: Bench) -> None:
    """Relative names count from the VRT's own folder, and a VRT is one whatever it is called."""
    product(bench, "P", "B04", "B08")
    inner = vrt(
        bench,
        "P/inner.vrt",
        *sorted(map(str, Path(bench.path("P/IMG_DATA")).iterdir())),
        options=("-separate",),
    )
    assert 'relativeToVRT="1"' in Path(inner).read_text()
    outer = bench.path("P/sub/outer.xml")
    subprocess.run(
        [
            "gdal_translate",
            "-q",
            "-of",
            "VRT",
            "-b",
            "2",
            "-srcwin",
            "3",
            "2",
            "20",
            "21",
            inner,
            outer,
        ],
        check=True,
    )
    shutil.copyfile(outer, bench.path("P/sub/renamed.virtual"))
    for path in (outer, bench.path("P/sub/renamed.virtual")):
        *numbers, warnings, lines = facts(bench, path)
        assert numbers == [1e-4, -0.1, 0, 65535] and not warnings and "band B8" in lines
