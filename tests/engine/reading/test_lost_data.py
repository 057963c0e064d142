# SPDX-License-Identifier: GPL-2.0-or-later
"""A result is complete, overviews included, or the file that stood there stays: read back by GDAL, block by block."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from bandwise.engine.backend.choice import backend
from bandwise.engine.backend.rasterio_.creation import creation_arguments
from bandwise.engine.errors import OutputError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.grids.grid import Grid, Window
from bandwise.engine.radiometry.storage import DataType, storage_of
from bandwise.engine.writing.creation import ResultSpec, creation_profile, creation_spec
from bandwise.engine.writing.geotiff import GeoTiffSink
from bandwise.engine.writing.tiff import is_complete
from bench import Bench

FLOAT32 = storage_of(DataType.FLOAT32)


@pytest.fixture
def pair(bench: Bench) -> list[str]:
    """NIR and red of random uint16, 1100 x 1030, so that there are two overviews: nothing that compresses well."""
    values = np.random.default_rng(5).integers(1, 10000, (2, 1030, 1100), dtype=np.uint16)
    return [bench.save("nir.tif", values[0]), bench.save("red.tif", values[1])]


def images(path: str) -> list[np.ndarray]:
    """Every pixel of a raster and of its overviews."""
    with rasterio.open(path) as dataset:
        levels = range(len(dataset.overviews(1)))
        whole = [dataset.read()]
    for level in levels:
        with rasterio.open(path, overview_level=level) as dataset:
            whole.append(dataset.read())
    return whole


#: A process that runs a job within each limit on a file's size, and tells what came of it.
LIMITED = """
import json, resource
from bandwise.engine.errors import OutputError
from bandwise.engine.job import BandRef, Job
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
bands = (BandRef("nir", {nir!r}), BandRef("red", {red!r}))
for number, limit in enumerate({limits}):
    job = Job(bands, named_formula("NDVI := (nir - red) / (nir + red)", ("nir", "red"), valid_range=(-1.0, 1.0)),
              "limited%d.tif" % number, creation_options={options!r}, workers=2, overviews=True, cog={cog!r})
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        run(job)
        said = ""
    except OutputError as error:
        said = str(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(json.dumps([limit, said]))
"""


@pytest.mark.parametrize(
    ("options", "cog"),
    [
        ("TILED=NO", False),
        ("BLOCKXSIZE=64|BLOCKYSIZE=128", False),
        ("TILED=NO|COMPRESS=NONE|BLOCKYSIZE=7", False),
        ("", False),
        ("", True),
    ],
)
def test_a_disk_that_runs_full_between_the_raster_and_its_overviews(
    bench: Bench, pair: list[str], options: str, cog: bool
) -> None:
    """Sixteen sizes from the plain file's to the complete one's: a file that is reported as written is complete."""
    sizes = []
    for overviews in (False, True):
        run(
            bench.job(
                *pair,
                output="whole.tif",
                creation_options=options,
                overviews=overviews,
                cog=cog,
                workers=2,
            )
        )
        sizes.append(Path(bench.path("whole.tif")).stat().st_size)
    expected = images(bench.path("whole.tif"))
    assert len(expected) == 3
    limits = [int(limit) for limit in np.linspace(sizes[0] - 2000, sizes[1] + 20_000, 16)]
    for number, _ in enumerate(limits):
        Path(bench.path(f"limited{number}.tif")).write_bytes(b"former result")
    result = bench.python(
        LIMITED.format(nir=pair[0], red=pair[1], limits=limits, options=options, cog=cog)
    )
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lines) == 16
    for number, (limit, said) in enumerate(lines):
        path = bench.path(f"limited{number}.tif")
        if said:
            assert Path(path).read_bytes() == b"former result" and f"limited{number}.tif" in said, (
                limit
            )
            assert said.count("cannot be written") + said.count("could not be written") == 1, said
        else:
            written = images(path)
            assert len(written) == len(expected), limit
            for got, right in zip(written, expected):
                np.testing.assert_array_equal(got, right)
    assert lines[0][1] and not lines[-1][1]
    assert not [name for name in bench.listing() if name.startswith(".")]


@pytest.mark.parametrize(
    "options",
    [
        "TILED=NO|BLOCKYSIZE=512",
        "TILED=NO|BLOCKYSIZE=512|COMPRESS=NONE",
        "TILED=NO|BLOCKYSIZE=512|INTERLEAVE=PIXEL",
    ],
)
@pytest.mark.parametrize("bands", [1, 2])
def test_a_strip_as_high_as_wide_is_no_tile(bench: Bench, options: str, bands: int) -> None:
    pixels = np.random.default_rng(1).random((bands, 512, 512)).astype(np.float32)
    grid = Grid("", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 512, 512)
    names, profile = ["a", "b"][:bands], creation_profile(options, FLOAT32.dtype)
    with (
        backend().worker_settings(),
        GeoTiffSink(
            ResultSpec(
                bench.path("out.tif"),
                grid,
                tuple(names),
                storage=FLOAT32,
                profile=profile,
                overviews=True,
            )
        ) as sink,
    ):
        sink.write(Window(0, 0, 512, 512), pixels)
        sink.commit({}, [{}] * bands)
    plain, overview = images(bench.path("out.tif"))
    np.testing.assert_array_equal(plain, pixels)
    np.testing.assert_allclose(
        overview, pixels.reshape(bands, 256, 2, 256, 2).mean(axis=(2, 4)), rtol=1e-6
    )


@pytest.mark.parametrize("height", [1, 3, 7, 16])
@pytest.mark.parametrize("codec", ["", "|COMPRESS=NONE", "|SPARSE_OK=YES"])
def test_overviews_of_strips_of_any_height(bench: Bench, height: int, codec: str) -> None:
    """Odd ones too: a row of an overview is made of two rows, which must lie in one window."""
    values = np.random.default_rng(2).random((1543, 700)).astype(np.float32)
    values[200:800] = -1
    near, visible = (
        bench.save("nir.tif", values, nodata=-1),
        bench.save("red.tif", np.ones_like(values)),
    )
    bench.run(
        bench.job(
            near,
            visible,
            creation_options=f"TILED=NO|BLOCKYSIZE={height}{codec}",
            overviews=True,
            memory=1,
            workers=3,
        )
    )
    tiled, *smaller = images(bench.path("ndvi.tif"))
    bench.run(bench.job(near, visible, output="tiled.tif", overviews=True))
    right = images(bench.path("tiled.tif"))
    np.testing.assert_array_equal(tiled, right[0])
    assert len(smaller) == len(right) - 1 == 2
    for got, overview in zip(smaller, right[1:]):
        np.testing.assert_array_equal(got, overview)


def test_completeness_looks_at_every_image(bench: Bench) -> None:
    """A file of GDAL's with overviews and a mask, cut off at many places."""
    grid = Grid("", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 600, 500)
    arguments = creation_arguments(
        creation_spec(grid, [""], FLOAT32, {"TILED": "YES", "COMPRESS": "DEFLATE"})
    )
    pixels = np.random.default_rng(1).random((1, 500, 600)).astype(np.float32)
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(bench.path("file.tif"), "w", **arguments) as dataset,
    ):
        dataset.write(pixels)
        dataset.write_mask(pixels[0] > 0.5)
        dataset.build_overviews([2, 4])
    data = Path(bench.path("file.tif")).read_bytes()
    assert is_complete(data) and is_complete(data, images=6) and not is_complete(data, images=5)
    assert not any(is_complete(data[: len(data) * part // 50]) for part in range(50))
    assert not any(is_complete(data[:-cut]) for cut in (1, 2, 500)), (
        "what GDAL writes last is of an image"
    )
    assert not is_complete(b"") and not is_complete(b"former result")


def test_an_error_of_the_sink_is_not_wrapped_in_another(bench: Bench) -> None:
    """One sentence, not one inside another's parentheses."""
    grid = Grid("", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 600, 500)
    sink = GeoTiffSink(
        ResultSpec(
            bench.path("out.tif"),
            grid,
            ("a",),
            storage=FLOAT32,
            profile=creation_profile("", FLOAT32.dtype),
        )
    )
    with backend().worker_settings(), pytest.raises(OutputError) as caught, sink:
        Path(sink.temporary).write_bytes(b"II*\0")  # as a disk that is full leaves it
        sink.commit({}, [{}])
    assert str(caught.value).count("written") == 1
    assert bench.listing() == {}
