# SPDX-License-Identifier: GPL-2.0-or-later
"""GDAL through osgeo: see :class:`~..api.Backend`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any

import numpy as np
from osgeo import gdal, ogr, osr

from ...arrays import NDArray
from ...grids.grid import Grid, Window
from ...grids.layout import Resampling
from ..api import Created, CreationSpec, Dataset, Numbers, Polygon, by_domain
from ..gdal_settings import (
    TIMEOUTS,
    WORKER_SETTINGS,
    gdal_name,
    geotransform,
    memory_name,
    version_pair,
)
from ..libertiff import LIBERTIFF, shared_reader
from ..warped_vrt import warped_vrt
from .dataset import OsgeoDataset, data_type, failures, raising, reference_of, wkt_of

_NO_TRANSFORM = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


class OsgeoBackend:
    """See :class:`~..api.Backend`."""

    name = "osgeo"
    version: str = gdal.__version__
    gdal_version = version_pair(gdal.__version__)
    proj_version = f"{osr.GetPROJVersionMajor()}.{osr.GetPROJVersionMinor()}"
    thread_safe = gdal_version >= (3, 11)
    misread_types: frozenset[str] = frozenset()

    def open(self, path: str, *, thread_safe: bool = False) -> Dataset:
        if not thread_safe:
            return OsgeoDataset(_open(path))
        shared = partial(_open, path, gdal.OF_THREAD_SAFE)
        return shared_reader(
            path, OsgeoDataset(shared()), lambda: OsgeoDataset(shared(drivers=(LIBERTIFF,)))
        )

    @raising
    def wkt_of_code(self, code: int) -> str:
        return wkt_of(f"EPSG:{code}")

    @raising
    def same_crs(self, wkt: str, other: str) -> bool:
        if not wkt or not other:
            return wkt == other
        return bool(reference_of(wkt).IsSame(reference_of(other)))

    @raising
    def transform(self, xs: Numbers, ys: Numbers, wkt: str, other: str) -> tuple[Numbers, Numbers]:
        step = osr.CoordinateTransformation(reference_of(wkt), reference_of(other))
        points = np.array(step.TransformPoints(np.stack([xs, ys], axis=1).tolist()), np.float64)
        return points[:, 0], points[:, 1]

    def warp(
        self,
        values: NDArray[np.floating[Any]],
        source: Grid,
        target: Grid,
        resampling: Resampling,
        *,
        tolerance: float,
        scale: tuple[float, float],
    ) -> NDArray[np.floating[Any]]:
        number = data_type(values.dtype.name)
        vrt = warped_vrt(
            memory_name(values[np.newaxis], number, source.transform),
            gdal.GetDataTypeName(number),
            source,
            target,
            resampling,
            tolerance=tolerance,
            scale=scale,
            reproject=not self.same_crs(source.crs, target.crs),
        )
        whole = Window(0, 0, target.width, target.height)
        return OsgeoDataset(_open(vrt, drivers=("VRT",))).read(1, whole)

    def burn(self, polygons: Sequence[Polygon], window: Window, out: NDArray[np.uint8]) -> None:
        shift = (1.0, 0.0, float(window.column), 0.0, 1.0, float(window.row))
        raster = _open(
            memory_name(out[np.newaxis], gdal.GDT_Byte, shift), gdal.OF_UPDATE, drivers=("MEM",)
        )
        with failures() as said:
            driver = ogr.GetDriverByName("Memory") or ogr.GetDriverByName("MEM")
            vectors = driver.CreateDataSource("")
            layer = vectors.CreateLayer("", None, ogr.wkbPolygon)
            for rings in polygons:
                polygon = ogr.Geometry(ogr.wkbPolygon)
                for points in rings:
                    ring = ogr.Geometry(ogr.wkbLinearRing)
                    for point in points:
                        ring.AddPoint_2D(*point)
                    polygon.AddGeometry(ring)
                feature = ogr.Feature(layer.GetLayerDefn())
                feature.SetGeometryDirectly(polygon)
                said.check(layer.CreateFeature(feature))
            said.check(gdal.RasterizeLayer(raster, [1], layer, burn_values=[0]))
            raster.FlushCache()

    def create(self, spec: CreationSpec, path: str | None = None) -> Created:
        if path is None:
            with _file_in_memory() as name:
                return self.create(spec, name)
        shape = spec.grid.width, spec.grid.height, spec.count, data_type(spec.dtype.name)
        with failures() as said:
            driver = gdal.GetDriverByName("GTiff")
            dataset = said.check(driver.Create(path, *shape, options=_options(spec.options)))
            bands = [dataset.GetRasterBand(number + 1) for number in range(spec.count)]
            for band in bands:
                said.check(band.SetNoDataValue(spec.nodata))
            _georeference(dataset, spec.grid)
            for band, name in zip(bands, spec.names):
                band.SetDescription(name)
                if spec.scale is not None:
                    band.SetScale(spec.scale)
                    band.SetOffset(spec.offset or 0.0)
            width, height = bands[0].GetBlockSize()
            separate = dataset.GetMetadataItem("INTERLEAVE", "IMAGE_STRUCTURE") == "BAND"
            del band, bands, dataset  # which writes the file
            said.raise_any()
        return Created((width, height), spec.count > 1 and separate)

    def set_tags(
        self, path: str, tags: Mapping[str, str], band_tags: Sequence[Mapping[str, str]]
    ) -> None:
        dataset = _open(path, gdal.OF_UPDATE, drivers=("GTiff",))
        with failures() as said:
            said.check(dataset.SetMetadata({**dataset.GetMetadata_Dict(), **tags}))
            for number, items in enumerate(band_tags, start=1):
                band = dataset.GetRasterBand(number)
                for domain, added in by_domain(items).items():
                    kept = band.GetMetadata_Dict(domain)
                    said.check(band.SetMetadata({**kept, **added}, domain))
                del band
            del dataset  # which writes the file
            said.raise_any()

    def tags(self, path: str) -> Mapping[str, str]:
        return self.open(path).tags("")

    @contextmanager
    def encode(
        self, values: NDArray[Any], options: Mapping[str, str], nodata: float | None = None
    ) -> Iterator[memoryview]:
        """With a nodata value copy as much at once as the window has: otherwise GDAL writes uncompressed
        blocks part by part, and one that another thread's reads push out of the block cache in
        between loses what was written before.
        """
        plain = _open(
            memory_name(values, data_type(values.dtype.name)), gdal.OF_UPDATE, drivers=("MEM",)
        )
        swath = {} if nodata is None else {"GDAL_SWATH_SIZE": str(values.nbytes)}
        with _file_in_memory() as name:
            with failures() as said, _settings(swath):
                for band in range(plain.RasterCount if nodata is not None else 0):
                    plain.GetRasterBand(band + 1).SetNoDataValue(nodata)
                driver = gdal.GetDriverByName("GTiff")
                copy = said.check(driver.CreateCopy(name, plain, 1, options=_options(options)))
                del copy  # which writes the file
                said.raise_any()
            yield memoryview(gdal.VSIGetMemFileBuffer_unsafe(name)).cast("B")

    def http_timeouts(self) -> AbstractContextManager[Any]:
        return _settings(_missing_timeouts())

    def worker_settings(self) -> AbstractContextManager[Any]:
        return _settings({**WORKER_SETTINGS, **_missing_timeouts()})

    def enter_worker_thread(self) -> None:
        for name, value in {**WORKER_SETTINGS, **_missing_timeouts()}.items():
            gdal.SetThreadLocalConfigOption(name, value)

    def captured(self) -> AbstractContextManager[None]:
        """Every call hears what GDAL says in it."""
        return nullcontext()

    def cache_size(self) -> int:
        size: int = gdal.GetCacheMax()
        return size

    def set_cache_size(self, size: int) -> None:
        gdal.SetCacheMax(size)


def _open(path: str, flags: int = 0, *, drivers: Sequence[str] = ()) -> Any:
    """Open a raster; a handle of its own."""
    flags |= gdal.OF_RASTER | gdal.OF_VERBOSE_ERROR
    with failures() as said:
        return said.check(gdal.OpenEx(gdal_name(path), flags, allowed_drivers=list(drivers)))


def _options(options: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in options.items()]


def _georeference(dataset: Any, grid: Grid) -> None:
    """Give a new raster the place of ``grid``: a geotransform, or control points, or coefficients."""
    if grid.georeference is None:
        if grid.transform != _NO_TRANSFORM:
            dataset.SetGeoTransform(geotransform(grid.transform))
        if grid.crs:
            dataset.SetProjection(reference_of(grid.crs).ExportToWkt())
        return
    points, crs, coefficients = grid.georeference
    if points:
        control_points = [gdal.GCP(x, y, z, column, row) for row, column, x, y, z in points]
        dataset.SetGCPs(control_points, reference_of(crs).ExportToWkt() if crs else "")
    if coefficients:
        dataset.SetMetadata(dict(coefficients), "RPC")


@contextmanager
def _file_in_memory() -> Iterator[str]:
    """A name for a file of GDAL's in memory, which is removed again with what GDAL puts beside it."""
    folder = f"/vsimem/bandwise_{uuid.uuid4().hex}"
    try:
        yield f"{folder}/result.tif"
    finally:
        with suppress(RuntimeError):  # nothing is there
            gdal.RmdirRecursive(folder)


@contextmanager
def _settings(settings: Mapping[str, str]) -> Iterator[None]:
    """Settings of this thread alone, for a while."""
    before = {name: gdal.GetThreadLocalConfigOption(name) for name in settings}
    for name, value in settings.items():
        gdal.SetThreadLocalConfigOption(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            gdal.SetThreadLocalConfigOption(name, value)


def _missing_timeouts() -> dict[str, str]:
    """Those that the user has not set himself."""
    return {name: value for name, value in TIMEOUTS.items() if gdal.GetConfigOption(name) is None}
