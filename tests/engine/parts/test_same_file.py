# SPDX-License-Identifier: GPL-2.0-or-later
"""A result that is made in parts is the file of a single run: every block, overview, tag and number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.compute.composite.statistic import Statistic
from bandwise.engine.execution.pipeline import run
from bandwise.engine.grids.layout import ExtentRule, GridRule, Layout, Resampling
from bandwise.engine.job_file.job_file import read_job_file, write_job_file
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.masks import Area, MaskChoice, MaskRule
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from composite_cases import job as job_of_composite
from composite_cases import season
from parts_cases import contents, run_in_parts

HEIGHT, WIDTH = 700, 900
RING = ((300000.0, 5000040.0), (309000.0, 4999000.0), (304000.0, 4993500.0))
SMALL = "|BLOCKXSIZE=128|BLOCKYSIZE=128"
MASK = {"mask": MaskChoice("", rule=MaskRule.SCL)}
AREA = {"area": Area((((*RING, RING[0]),),))}
COARSE = {"layout": Layout(rule=GridRule.FIRST, resampling=Resampling.CUBIC)}
UNION = {"layout": Layout(extent_rule=ExtentRule.UNION, resampling=Resampling.BILINEAR)}

#: Creation options, side of a part, what the second band is, overviews, other options.
CASES: dict[str, tuple[str, int, str, bool, dict[str, Any]]] = {
    "default": ("", 256, "red", True, {}),
    "default without overviews": ("", 256, "red", False, {}),
    "uncompressed": ("COMPRESS=NONE|BLOCKXSIZE=256|BLOCKYSIZE=256", 256, "red", True, {}),
    "uncompressed strips": ("COMPRESS=NONE|TILED=NO", 100, "red", False, {}),
    "strips": ("TILED=NO|BLOCKYSIZE=7", 300, "red", True, {}),
    "one strip": ("TILED=NO|BLOCKYSIZE=700", 300, "red", True, {}),
    "zstd 3": ("COMPRESS=ZSTD|PREDICTOR=3|BLOCKXSIZE=256|BLOCKYSIZE=256", 512, "red", True, {}),
    "zstd 2 scaled": (
        "COMPRESS=ZSTD|PREDICTOR=2" + SMALL,
        256,
        "red",
        True,
        {"data_type": DataType.INT16_SCALED},
    ),
    "lzw 1 bytes": (
        "COMPRESS=LZW|PREDICTOR=1" + SMALL,
        512,
        "red",
        True,
        {"data_type": DataType.UINT8},
    ),
    "deflate 2 as float": ("PREDICTOR=2" + SMALL, 512, "red", True, {}),
    "scaled bytes": (SMALL[1:], 1, "red", True, {"data_type": DataType.UINT8_SCALED}),
    "one block": ("BLOCKXSIZE=256|BLOCKYSIZE=256", 1, "red", True, {"memory": 1}),
    "the whole": (SMALL[1:], 5000, "red", True, {}),
    "float64": (SMALL[1:], 512, "red", True, {"data_type": DataType.FLOAT64}),
    "sparse": ("SPARSE_OK=YES" + SMALL, 256, "red", True, AREA),
    "mask": (SMALL[1:], 256, "red", True, MASK),
    "area": (SMALL[1:], 256, "red", True, AREA),
    "resampled": (SMALL[1:], 256, "coarse", True, {**COARSE, "memory": 100}),
    "beside": (SMALL[1:], 512, "shifted", True, UNION),
    "cog": ("BLOCKXSIZE=128", 256, "red", True, {"cog": True}),
    "cog uncompressed": ("BLOCKXSIZE=128|COMPRESS=NONE", 256, "red", True, {"cog": True}),
    "big tiff": ("BIGTIFF=YES|ENDIANNESS=BIG" + SMALL, 512, "red", True, {}),
    "world file": ("TFW=YES" + SMALL, 512, "red", False, {}),
}


@pytest.fixture(scope="module")
def rasters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Random uint16; ``coarse`` has pixels of 30 m, ``shifted`` begins 40 columns and 70 rows later."""
    bench = Bench(tmp_path_factory.mktemp("rasters"))
    generator = np.random.default_rng(20)
    values = generator.integers(1, 9000, (3, HEIGHT, WIDTH), dtype=np.uint16)
    values[0, :200, :300] = 0
    coarse = generator.integers(1, 9000, (234, 300), dtype=np.uint16)
    wide = (30.0, 0.0, 300000.0, 0.0, -30.0, 5000040.0)
    moved = (10.0, 0.0, 300400.0, 0.0, -10.0, 4999340.0)
    tiles = {"tiled": True, "blockxsize": 128, "blockysize": 128}
    return {
        "nir": bench.save("nir.tif", values[0], nodata=0, **tiles),
        "red": bench.save("red.tif", values[1], nodata=0, **tiles),
        "coarse": bench.save("coarse.tif", coarse, transform=wide),
        "shifted": bench.save("shifted.tif", values[2], transform=moved, nodata=0),
        "mask": bench.save("scl.tif", (values[2] % 12).astype(np.uint8), **tiles),
    }


@pytest.mark.parametrize("name", CASES)
def test_the_same_file(bench: Bench, rasters: dict[str, str], name: str) -> None:
    creation, side, second, overviews, more = CASES[name]
    if "mask" in more:
        more = {**more, "mask": more["mask"]._replace(path=rasters["mask"])}
    options = {"memory": 24, "workers": 2, "creation_options": creation, "overviews": overviews}
    job = bench.job(rasters["nir"], rasters[second], **{**options, **more})
    run(job)
    single = contents(job.output)
    Path(job.output).unlink()
    parts = run_in_parts(job, bench.folder / "parts", side=side)
    assert contents(job.output) == single
    if side < 1000 and name != "one strip":
        assert len(list(parts.parts())) > 1


def test_three_results_in_one_file_and_apart(bench: Bench, rasters: dict[str, str]) -> None:
    text = "X := A@1 / B@1; Y := A@1 - B@1; Z := sqrt(A@1)"
    named = [("a", rasters["nir"]), ("b", rasters["red"])]
    for number, interleave in enumerate(("PIXEL", "BAND")):
        options = f"INTERLEAVE={interleave}{SMALL}"
        output = bench.path(f"{number}.tif")
        job = bandmath_job(
            named, text, output, creation_options=options, overviews=True, memory=24, workers=2
        )
        run(job)
        single = contents(output)
        run_in_parts(job, bench.folder / str(number), side=256)
        assert contents(output) == single


def test_parts_are_the_same_twice_and_valid_rasters_in_their_place(
    bench: Bench, rasters: dict[str, str]
) -> None:
    import rasterio

    job = bench.job(
        rasters["nir"], rasters["red"], creation_options=SMALL[1:], overviews=True, memory=24
    )
    first = run_in_parts(job, bench.folder / "first", side=512, seed=1)
    run_in_parts(job, bench.folder / "second", side=512, seed=2)
    with rasterio.open(job.output) as whole:
        pixels, transform = whole.read(1), whole.transform
    for row, column in first.parts():
        name, window = f"r{row}c{column}.tif", first.window(row, column)
        path = bench.folder / "first" / name
        assert path.read_bytes() == (bench.folder / "second" / name).read_bytes()
        with rasterio.open(path) as part:
            rows, columns = window.slices_in(first.plan.grid.window)
            np.testing.assert_array_equal(part.read(1), pixels[rows, columns])
            left = transform.c + window.column * transform.a
            assert (part.transform.c, part.transform.f) == (
                left,
                transform.f + window.row * transform.e,
            )


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (257, 511)])
def test_rasters_smaller_than_a_part(bench: Bench, shape: tuple[int, int]) -> None:
    values = np.random.default_rng(3).integers(1, 9000, (2, *shape), dtype=np.uint16)
    nir, red = bench.save("nir.tif", values[0]), bench.save("red.tif", values[1])
    job = bench.job(nir, red, overviews=True)
    run(job)
    single = contents(job.output)
    run_in_parts(job, bench.folder / "parts", side=4096)
    assert contents(job.output) == single


@pytest.mark.parametrize("statistics", [(Statistic.MEDIAN, Statistic.COUNT), (Statistic.MEAN,)])
def test_a_composite_is_the_same_file(bench: Bench, statistics: tuple[Statistic, ...]) -> None:
    made = season(bench, 5, (150, 170))
    paths = [scene.path for scene in made]
    job = job_of_composite(bench, paths, statistics=statistics, creation_options=SMALL[1:])
    run(job)
    single = contents(job.output)
    Path(job.output).unlink()
    write_job_file(bench.path("job.json"), job, ())
    run_in_parts(read_job_file(bench.path("job.json")).job, bench.folder / "parts", side=128)
    assert contents(job.output) == single
