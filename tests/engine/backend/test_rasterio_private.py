# SPDX-License-Identifier: GPL-2.0-or-later
"""What the backend takes from rasterio beyond its manual is there, and is what it is taken for."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.env
import rasterio.shutil
from bandwise.engine.backend.rasterio_ import private
from bandwise.engine.backend.rasterio_.library import RasterioBackend, _name_of
from rasterio.errors import RasterioError, RasterioIOError


def test_the_version_is_one_that_was_looked_at() -> None:
    """With a newer rasterio look at every part below, then raise the upper bound here."""
    major, minor = map(int, rasterio.__version__.split(".")[:2])
    assert (1, 3) <= (major, minor) <= (1, 5), rasterio.__version__


def test_gdals_failures_are_exceptions_of_one_root() -> None:
    assert issubclass(private.CPLE_OutOfMemoryError, private.CPLE_BaseError)
    with pytest.raises((RasterioError, RasterioIOError, private.CPLE_BaseError)):
        rasterio.open("/vsimem/nothing.tif")


def test_settings_are_read_and_written_past_environments() -> None:
    before = private.get_gdal_config("GDAL_CACHEMAX")
    assert isinstance(before, int) and before > 0
    private.set_gdal_config("GDAL_CACHEMAX", 12_345_678)
    assert private.get_gdal_config("GDAL_CACHEMAX") == 12_345_678
    private.set_gdal_config("GDAL_CACHEMAX", before)
    assert private.get_gdal_config("GDAL_CACHEMAX") == before
    assert not private.hasenv()
    with rasterio.Env(GDAL_HTTP_CONNECTTIMEOUT="3"):
        assert private.hasenv()
        assert private.get_gdal_config("GDAL_HTTP_CONNECTTIMEOUT") == 3


def test_loggers_say_what_gdal_says() -> None:
    """A warning reaches one of the two loggers, with the prefix that is taken off."""
    said: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    keeper = Keeper(logging.WARNING)
    for logger in private.LOGGERS:
        logger.addHandler(keeper)
    try:
        with rasterio.Env(), rasterio.io.MemoryFile() as memory:
            options = {"driver": "GTiff", "width": 1, "height": 1, "count": 1, "dtype": "uint8"}
            with memory.open(**options, NO_SUCH_OPTION="YES"):
                pass
    finally:
        for logger in private.LOGGERS:
            logger.removeHandler(keeper)
    assert [words for words in said if "NO_SUCH_OPTION" in words]
    assert all(private.MESSAGE_PREFIX.match(words) for words in said)


def test_a_function_can_be_called_without_its_environment() -> None:
    assert private.within_settings(rasterio.shutil.copy) is not rasterio.shutil.copy
    assert private.within_settings(rasterio.shutil.copy).__name__ == "copy"


def test_a_raster_is_opened_in_the_environment_of_the_thread(tmp_path: Path) -> None:
    """Which stays as it is, and is not replaced by one that has all drivers to register; a thread
    without one, and a name that may need credentials, are left to ``rasterio.open``.
    """
    path = str(tmp_path / "a.tif")
    options = {"driver": "GTiff", "width": 2, "height": 1, "count": 1, "dtype": "uint8"}
    with private.open_raster(path, "w", **options) as dataset:
        dataset.write(np.array([[[1, 2]]], np.uint8))
    assert not private.hasenv()
    with rasterio.Env(GDAL_HTTP_CONNECTTIMEOUT="3"):
        before = rasterio.env.local._env
        for name in (path, f"file://{path}"):
            with private.open_raster(name, sharing=False) as dataset:
                assert dataset.read().tolist() == [[[1, 2]]]
            assert private.get_gdal_config("GDAL_HTTP_CONNECTTIMEOUT") == 3
            assert (rasterio.env.local._env is before) == (name == path)
    assert not private.hasenv()


@pytest.mark.parametrize(
    "name", ["uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"]
)
def test_gdal_opens_arrays_where_they_lie(name: str) -> None:
    """Two bands of shape (3, 4): the same numbers, and a change of the array is seen."""
    values = np.arange(24).reshape(2, 3, 4).astype(name)
    with RasterioBackend().worker_settings():
        with rasterio.open(_name_of(values)) as dataset:
            assert dataset.dtypes == (name, name)
            np.testing.assert_array_equal(dataset.read(), values)
        values[:] = 7
        with rasterio.open(_name_of(values)) as dataset:
            assert (dataset.read() == 7).all()


def test_misread_types_are_those_that_are_misread(tmp_path: Path) -> None:
    """The first releases of rasterio 1.3 call GDAL's unsigned 64-bit integers signed, and the other way round."""
    import tifffile

    misread = set()
    for name in ("int64", "uint64"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.ones((2, 3), name))
        with rasterio.open(tmp_path / f"{name}.tif") as dataset:
            if dataset.dtypes != (name,):
                misread.add(name)
    assert private.misread_types() == misread
