# SPDX-License-Identifier: GPL-2.0-or-later
"""The block index: read as GDAL reads it, written so that GDAL finds the blocks, and blocks put in
their places by many threads.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bandwise.engine.backend.choice import backend
from bandwise.engine.backend.rasterio_.creation import creation_arguments
from bandwise.engine.errors import OutputError
from bandwise.engine.grids.grid import Grid, Window
from bandwise.engine.radiometry.storage import DataType, Storage, storage_of
from bandwise.engine.writing import block_file, geotiff
from bandwise.engine.writing.creation import ResultSpec, creation_profile, creation_spec
from bandwise.engine.writing.geotiff import GeoTiffSink
from bandwise.engine.writing.tiff import INDEX_TAGS, block_index, data_of, directories
from bandwise.engine.writing.tiff_writing import with_overviews
from bench import Bench
from rasterio.enums import Resampling
from rasterio.transform import Affine

FLOAT32 = storage_of(DataType.FLOAT32)
GRID = Grid("", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 300, 200)
LAYOUTS = [
    "",
    "BIGTIFF=YES",
    "ENDIANNESS=BIG|COMPRESS=NONE",
    "ENDIANNESS=BIG|BIGTIFF=YES|COMPRESS=ZSTD",
    "BLOCKXSIZE=64|BLOCKYSIZE=32",
    "BLOCKXSIZE=64|BLOCKYSIZE=32|COMPRESS=NONE",
    "TILED=NO|BLOCKYSIZE=7",
    "TILED=NO|BLOCKYSIZE=7|COMPRESS=NONE|INTERLEAVE=PIXEL",
    "TILED=NO|BLOCKYSIZE=1|BIGTIFF=YES|COMPRESS=NONE",
    "INTERLEAVE=PIXEL|BLOCKXSIZE=64|BLOCKYSIZE=32|COMPRESS=LZW",
    "INTERLEAVE=BAND|BLOCKXSIZE=128|BLOCKYSIZE=128|COMPRESS=NONE",
    "INTERLEAVE=BAND|BLOCKXSIZE=128|BLOCKYSIZE=128|COMPRESS=PACKBITS",
    "COMPRESS=PACKBITS|PREDICTOR=2",  # which GDAL ignores
    "COMPRESS=NONE|INTERLEAVE=PIXEL|ENDIANNESS=BIG",
]


@pytest.fixture(autouse=True)
def worker() -> Iterator[None]:
    with backend().worker_settings():
        yield


def values(bands: int, grid: Grid = GRID) -> Any:
    return (
        np.random.default_rng(bands)
        .normal(size=(bands, grid.height, grid.width))
        .astype(np.float32)
    )


def write(
    path: str, pixels: Any, options: str, threads: int = 1, storage: Storage = FLOAT32
) -> None:
    """Every window of whole blocks, from the last to the first, by so many threads."""
    names = [f"band {number}" for number in range(len(pixels))]
    with GeoTiffSink(
        ResultSpec(
            path,
            GRID,
            tuple(names),
            storage=storage,
            profile=creation_profile(options, storage.dtype),
        )
    ) as sink:
        width, height = sink.block
        waiting = [
            Window(column, row, min(width, GRID.width - column), min(2 * height, GRID.height - row))
            for row in range(0, GRID.height, 2 * height)
            for column in range(0, GRID.width, width)
        ]

        def work() -> None:
            while waiting:
                try:
                    window = waiting.pop()
                except IndexError:
                    return
                rows, columns = (
                    slice(window.row, window.row + window.height),
                    slice(window.column, window.column + window.width),
                )
                sink.write(window, np.ascontiguousarray(pixels[:, rows, columns]))

        with ThreadPoolExecutor(threads, initializer=backend().enter_worker_thread) as workers:
            for done in [workers.submit(work) for _ in range(threads)]:
                done.result()
        sink.commit({"BANDWISE_VERSION": "test"}, [{} for _ in names])


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("options", LAYOUTS)
def test_gdal_finds_every_block_and_so_does_the_index(
    bench: Bench, options: str, bands: int
) -> None:
    path, pixels = bench.path("out.tif"), values(bands)
    write(path, pixels, options, threads=3)
    offsets, byte_counts = (
        numbers.tolist()
        for numbers in block_index(Path(path).read_bytes()).read(Path(path).read_bytes())
    )
    assert len(set(offsets)) == len(offsets) and 0 not in byte_counts
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(), pixels)
        height, width = dataset.block_shapes[0]
        separate = dataset.interleaving.name == "band" and bands > 1
        places = [
            tuple(
                int(dataset.get_tag_item(f"BLOCK_{item}_{column}_{row}", "TIFF", bidx=band))
                for item in ("OFFSET", "SIZE")
            )
            for band in (dataset.indexes if separate else [1])
            for row in range(-(-GRID.height // height))
            for column in range(-(-GRID.width // width))
        ]
    assert list(zip(offsets, byte_counts)) == places


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("options", [options for options in LAYOUTS if "NONE" not in options])
@pytest.mark.parametrize("data_type", list(DataType), ids=lambda data_type: data_type.name)
def test_every_compressed_block_has_the_bytes_that_gdal_gives_it(
    bench: Bench, data_type: DataType, options: str, bands: int
) -> None:
    """With predictors too, which are the engine's own; blocks at the edge are left out, for what
    lies beyond the raster is nobody's.
    """
    storage = storage_of(data_type)
    pixels = (values(bands) * 1000).astype(storage.dtype)
    layout = options if "BLOCK" in options else f"{options}|BLOCKXSIZE=64|BLOCKYSIZE=32"
    profile = creation_profile(layout, storage.dtype)
    write(bench.path("ours.tif"), pixels, layout, storage=storage)
    arguments = {
        "driver": "GTiff",
        "count": bands,
        "dtype": storage.dtype.name,
        "width": GRID.width,
        "height": GRID.height,
    }
    with rasterio.open(
        bench.path("gdal.tif"), "w", transform=Affine(*GRID.transform), **arguments, **profile
    ) as dataset:
        dataset.write(pixels)
    with rasterio.open(bench.path("ours.tif")) as dataset:
        np.testing.assert_array_equal(dataset.read(), pixels)
        (height, width), separate = (
            dataset.block_shapes[0],
            dataset.interleaving.name == "band" and bands > 1,
        )
    columns, rows = -(-GRID.width // width), -(-GRID.height // height)
    inside = [
        (row + 1) * height <= GRID.height and (column + 1) * width <= GRID.width
        for row in range(rows)
        for column in range(columns)
    ]
    blocks = []
    for name in ("ours.tif", "gdal.tif"):
        data = Path(bench.path(name)).read_bytes()
        places = zip(*(numbers.tolist() for numbers in block_index(data).read(data)))
        blocks.append(
            [
                data[offset : offset + size]
                for (offset, size), whole in zip(places, inside * (bands if separate else 1))
                if whole
            ]
        )
    assert blocks[0] and blocks[0] == blocks[1]


@pytest.mark.parametrize("options", ["COMPRESS=NONE", ""])
def test_a_file_is_the_same_where_threads_take_turns_to_write(
    bench: Bench, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has no ``pwrite``."""
    pixels = values(1)
    monkeypatch.delattr(os, "pwrite", raising=False)
    write(bench.path("out.tif"), pixels, f"{options}|BLOCKXSIZE=64|BLOCKYSIZE=32", threads=4)
    with rasterio.open(bench.path("out.tif")) as dataset:
        np.testing.assert_array_equal(dataset.read(), pixels)


@pytest.mark.parametrize("options", ["COMPRESS=NONE", ""])
def test_the_pages_of_a_large_file_are_handed_to_the_disk_and_given_back(
    bench: Bench, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each block's when it is written, and when two more are; of a small file the system keeps what it likes."""
    if not hasattr(os, "posix_fadvise"):
        pytest.skip("this system is not told of pages")
    told: list[tuple[int, int]] = []
    advise = os.posix_fadvise

    def recorded(file: int, offset: int, size: int, advice: int) -> None:
        told.append((offset, size))
        advise(file, offset, size, advice)

    monkeypatch.setattr(os, "posix_fadvise", recorded)
    layout = f"{options}|BLOCKXSIZE=64|BLOCKYSIZE=32"
    write(bench.path("small.tif"), values(1), layout)
    assert not told
    monkeypatch.setattr(geotiff, "_LARGE", 0)
    monkeypatch.setattr(block_file, "_BEHIND", 2)
    write(bench.path("large.tif"), values(1), layout, threads=3)
    with rasterio.open(bench.path("large.tif")) as dataset:
        np.testing.assert_array_equal(dataset.read(), values(1))
    data = Path(bench.path("large.tif")).read_bytes()
    offsets = block_index(data).read(data)[0].tolist()
    times = Counter(offset for offset, _ in told)
    assert {times[offset] for offset in offsets} == {2}, (
        "the index comes last, and gives back the last two"
    )


@pytest.mark.parametrize(
    "options", ["COMPRESS=NONE", "", "INTERLEAVE=BAND", "TILED=NO|BLOCKYSIZE=16"]
)
def test_a_sparse_file_leaves_out_blocks_of_nodata_alone(bench: Bench, options: str) -> None:
    pixels = values(2)
    pixels[:, :96, :128] = -9999
    layout = options if "TILED" in options else f"{options}|BLOCKXSIZE=64|BLOCKYSIZE=32"
    write(bench.path("out.tif"), pixels, layout)
    write(bench.path("sparse.tif"), pixels, f"{layout}|SPARSE_OK=YES")
    data = [Path(bench.path(name)).read_bytes() for name in ("out.tif", "sparse.tif")]
    counts = [block_index(file).read(file)[1] for file in data]
    planes = 2 if "BAND" in options else 1
    left_out = 0 if "TILED" in options else planes * 3 * 2
    assert [np.count_nonzero(count == 0) for count in counts] == [0, left_out]
    with rasterio.open(bench.path("sparse.tif")) as dataset:
        np.testing.assert_array_equal(dataset.read(), pixels)


@pytest.mark.parametrize("bands", [1, 2])
@pytest.mark.parametrize("rows", [2, 16, 48, 200])
@pytest.mark.parametrize("options", [options for options in LAYOUTS if "NONE" in options])
def test_an_uncompressed_file_is_written_in_any_rows(
    bench: Bench, options: str, rows: int, bands: int
) -> None:
    """From the last to the first, wherever blocks end: the same file, byte for byte, as in whole blocks."""
    pixels = values(bands)
    for name, height in (("whole.tif", 0), ("parts.tif", rows)):
        profile = creation_profile(options, FLOAT32.dtype)
        with GeoTiffSink(
            ResultSpec(bench.path(name), GRID, ["band"] * bands, storage=FLOAT32, profile=profile)  # type: ignore[arg-type]
        ) as sink:
            for row in reversed(range(0, GRID.height, height or GRID.height)):
                part = pixels[:, row : row + (height or GRID.height)]
                sink.write(Window(0, row, GRID.width, part.shape[1]), part)
            sink.commit({}, [{}] * bands)
    with rasterio.open(bench.path("parts.tif")) as dataset:
        np.testing.assert_array_equal(dataset.read(), pixels)
    assert Path(bench.path("parts.tif")).read_bytes() == Path(bench.path("whole.tif")).read_bytes()


def test_a_classic_tiff_does_not_grow_past_4_gb(bench: Bench) -> None:
    profile = creation_profile("BIGTIFF=NO", FLOAT32.dtype)
    with GeoTiffSink(
        ResultSpec(bench.path("out.tif"), GRID, ("a",), storage=FLOAT32, profile=profile)
    ) as sink:
        sink._blocks._file._end = 2**32 - 1000  # as after 5000 compressed tiles
        with pytest.raises(OutputError, match="BIGTIFF=YES"):
            sink.write(Window(0, 0, 300, 200), values(1))
    assert bench.listing() == {}


@pytest.mark.parametrize(
    "options", ["BIGTIFF=YES|BLOCKXSIZE=64|BLOCKYSIZE=32", "BLOCKXSIZE=64|BLOCKYSIZE=32"]
)
def test_a_file_that_is_cut_off_or_no_tiff_has_no_index(bench: Bench, options: str) -> None:
    """Cut at any byte before the end of its directory: it lies at the end, for the tags came last."""
    write(bench.path("out.tif"), values(1), options)
    data = Path(bench.path("out.tif")).read_bytes()
    for length in [*range(20), len(data) // 2]:
        with pytest.raises(ValueError):
            block_index(data[:length])
    for text in (
        b"",
        b"II",
        b"GIF89a" + bytes(100),
        b"II\x2a\x00" + bytes(100),
        b"MM\x2b\x00" + bytes(100),
    ):
        with pytest.raises(ValueError):
            block_index(text)


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize(
    "options", [*LAYOUTS, "COMPRESS=LERC|MAX_Z_ERROR=0.1", "BIGTIFF=YES|COMPRESS=LERC_ZSTD"]
)
@pytest.mark.parametrize(
    "data_type", [DataType.FLOAT32, DataType.FLOAT64, DataType.UINT8], ids=lambda one: one.name
)
def test_directories_of_overviews_are_those_that_gdal_makes(
    bench: Bench, data_type: DataType, options: str, bands: int
) -> None:
    """Field by field, of any type; GDAL reads the whole raster to make overviews without blocks."""
    storage = storage_of(data_type)
    grid = Grid("", GRID.transform, 1543, 1031)
    profile = creation_profile(options, storage.dtype)
    arguments = creation_arguments(creation_spec(grid, [""] * bands, storage, profile))
    with rasterio.open(bench.path("gdal.tif"), "w", **arguments):
        pass
    head = Path(bench.path("gdal.tif")).read_bytes()
    ours = with_overviews(head, [(772, 516), (386, 258)], 128)
    settings = rasterio.Env(SPARSE_OK_OVERVIEW="YES", GDAL_TIFF_OVR_BLOCKSIZE="128")
    with settings, rasterio.open(bench.path("gdal.tif"), "r+") as dataset:
        dataset.build_overviews([2, 4], Resampling.nearest)
    theirs = Path(bench.path("gdal.tif")).read_bytes()
    images = [
        [
            {field.tag: (field.kind, field.length, data_of(data, field)) for field in fields}
            for fields in directories(data)
        ]
        for data in (ours, theirs)
    ]
    assert len(images[0]) == 3
    for image in (1, 2):
        images[1][image].pop(42112, None)  # GDAL >= 3.11 notes the method
        assert images[0][image].keys() == images[1][image].keys()
        for tag, value in images[0][image].items():
            if tag not in INDEX_TAGS:
                assert value == images[1][image][tag], tag
        assert [len(block_index(data, image)) for data in (ours, theirs)] == [
            len(block_index(ours, image))
        ] * 2
        assert block_index(ours, image).tiled and not np.any(block_index(ours, image).read(ours))
