# SPDX-License-Identifier: GPL-2.0-or-later
"""A raster that osgeo has open, and what osgeo says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np
from osgeo import gdal, ogr, osr

from ...arrays import NDArray
from ...grids.grid import Window
from .. import captured
from ..api import Bands
from ..failures import RasterFailure, raised_by
from ..gdal_settings import NO_MEMORY

_NAMES = dict(Byte="uint8", CFloat32="complex64", CFloat64="complex128", CInt16="complex_int16")  # noqa: C408
_NUMBERS = {numpy_name: name for name, numpy_name in _NAMES.items()}
_PARTS = {"complex128": "float64", "complex64": "float32", "complex_int16": "int16"}
_MASK_FLAGS = {1: "all_valid", 2: "per_dataset", 4: "alpha", 8: "nodata"}
_OUT_OF_MEMORY = 2  #: GDAL's number of such failures


class _Failures(list[tuple[int, str]]):
    """What GDAL reports in a call, each (number, words): its result has to be checked."""

    def check(self, result: Any) -> Any:
        """Return a call's result, unless it is None or the number of an error."""
        if result is None or (isinstance(result, int) and result):
            self.append((0, "GDAL gives no reason"))
            self.raise_any()
        return result

    def raise_any(self) -> None:
        """Raise ``MemoryError`` or :class:`RasterFailure` for any failure, with the first one's words."""
        if any(number == _OUT_OF_MEMORY or NO_MEMORY.search(words) for number, words in self):
            raise MemoryError(self[0][1])
        if self:
            raise RasterFailure(self[0][1])


@contextmanager
def failures() -> Iterator[_Failures]:
    """Collect what GDAL reports in this thread, and leave osgeo's exceptions as the host set them."""
    said = _Failures()

    def hear(kind: int, number: int, words: str) -> None:
        if kind == gdal.CE_Warning:
            captured.warned(words.strip().rstrip("."))
        elif kind > gdal.CE_Warning:
            said.append((number, words))
            captured.failed(number, words)

    gdal.PushErrorHandler(hear)
    try:
        with _quiet(gdal), _quiet(osr), _quiet(ogr):
            yield said
    except RuntimeError as error:  # the host's exceptions are on
        said.append((gdal.GetLastErrorNo(), str(error)))
        said.raise_any()
    finally:
        gdal.PopErrorHandler()


def _quiet(module: Any) -> Any:
    """From GDAL 3.7 on this thread alone can do without exceptions."""
    manager = getattr(module, "ExceptionMgr", None)
    return nullcontext() if manager is None else manager(useExceptions=False)


raising = raised_by(failures)


def data_type(name: str) -> int:
    """Return GDAL's number of numpy's type; before GDAL 3.7 ``int8`` are bytes."""
    number: int = gdal.GetDataTypeByName(_NUMBERS.get(name, name))
    return gdal.GDT_Byte if not number and name == "int8" else number


def text(value: str | bytes | None) -> str:
    """Return a text of a file, whose other bytes osgeo gives as surrogates. Raises ``UnicodeDecodeError``."""
    given = value if isinstance(value, bytes) else (value or "").encode("utf-8", "surrogateescape")
    return given.decode("utf-8")


def reference_of(crs: str) -> Any:
    """Return osgeo's object of a CRS (WKT or code), x before y; ``ValueError`` for an unknown one."""
    try:
        with failures() as said:
            reference = osr.SpatialReference()
            said.check(reference.SetFromUserInput(crs))
            reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    except RasterFailure as error:
        raise ValueError(str(error)) from error
    return reference


def wkt_of(projection: str) -> str:
    """Return a CRS of a file as WKT 2, empty for none."""
    return str(reference_of(projection).ExportToWkt(["FORMAT=WKT2_2019"])) if projection else ""


class OsgeoDataset:
    """See :class:`~..api.Dataset`."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        with failures() as said:
            self.driver: str = said.check(dataset.GetDriver()).ShortName
        self.width, self.height = dataset.RasterXSize, dataset.RasterYSize

    def _band(self, number: int) -> Any:
        return self._dataset.GetRasterBand(number)

    def _bands(self) -> list[Any]:
        return [self._band(number + 1) for number in range(self._dataset.RasterCount)]

    @property
    @raising
    def dtypes(self) -> Sequence[str]:
        return [_type_of(band) for band in self._bands()]

    @property
    @raising
    def subdatasets(self) -> Sequence[str]:
        return [text(name) for name, _ in self._dataset.GetSubDatasets()]

    @property
    @raising
    def transform(self) -> tuple[float, float, float, float, float, float]:
        c, a, b, f, d, e = self._dataset.GetGeoTransform()
        return a, b, c, d, e, f

    @property
    @raising
    def wkt(self) -> str:
        return wkt_of(text(self._dataset.GetProjectionRef()))

    @property
    @raising
    def control_points(self) -> tuple[tuple[tuple[float, float, float, float, float], ...], str]:
        points = self._dataset.GetGCPs()
        places = tuple((one.GCPLine, one.GCPPixel, one.GCPX, one.GCPY, one.GCPZ) for one in points)
        return places, wkt_of(self._dataset.GetGCPProjection()) if points else ""

    @property
    @raising
    def descriptions(self) -> Sequence[str | None]:
        return [text(band.GetDescription()) or None for band in self._bands()]

    @property
    @raising
    def colors(self) -> Sequence[str]:
        name = gdal.GetColorInterpretationName
        return [name(band.GetColorInterpretation()).lower() for band in self._bands()]

    @property
    @raising
    def files(self) -> Sequence[str]:
        return [text(name) for name in self._dataset.GetFileList() or ()]

    @property
    @raising
    def pixel_interleaved(self) -> bool:
        return bool(self._dataset.GetMetadataItem("INTERLEAVE", "IMAGE_STRUCTURE") == "PIXEL")

    @raising
    def tags(self, domain: str) -> Mapping[str, str]:
        return _items(self._dataset, domain)

    @raising
    def band_tags(self, band: int) -> Mapping[str, str]:
        return _items(self._band(band), "")

    @raising
    def nodata(self, band: int) -> float | None:
        """A value beyond the type's range is none, as no pixel has it."""
        value: float | None = self._band(band).GetNoDataValue()
        name = _type_of(self._band(band))
        dtype = np.dtype(_PARTS.get(name, name))
        limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
        if value is None or limits.min <= value <= limits.max:
            return value
        return None if dtype.kind != "f" or np.isfinite(value) else value

    @raising
    def scaling(self, band: int) -> tuple[float, float]:
        scale, offset = self._band(band).GetScale(), self._band(band).GetOffset()
        return 1.0 if scale is None else scale, 0.0 if offset is None else offset

    @raising
    def mask_flags(self, band: int) -> frozenset[str]:
        flags = self._band(band).GetMaskFlags()
        return frozenset(name for bit, name in _MASK_FLAGS.items() if flags & bit)

    @raising
    def block(self, band: int) -> tuple[int, int]:
        width, height = self._band(band).GetBlockSize()
        return width, height

    @raising
    def overviews(self, band: int) -> Sequence[int]:
        this = self._band(band)
        levels = [this.GetOverview(level) for level in range(this.GetOverviewCount())]
        return [round(this.XSize / level.XSize) for level in levels]

    @raising
    def read(self, bands: Bands, window: Window, out: NDArray[Any] | None = None) -> NDArray[Any]:
        numbers = [bands] if isinstance(bands, int) else list(bands)
        if out is None:
            planes = () if isinstance(bands, int) else (len(numbers),)
            dtype = _type_of(self._band(numbers[0]))
            out = np.empty((*planes, window.height, window.width), dtype)
        return _read(partial(self._dataset.ReadRaster, band_list=numbers), window, out)

    @raising
    def read_mask(self, band: int, window: Window, out: NDArray[Any] | None = None) -> NDArray[Any]:
        if out is None:
            out = np.empty((window.height, window.width), np.uint8)
        return _read(self._band(band).GetMaskBand().ReadRaster, window, out)

    @raising
    def close(self) -> None:
        """osgeo closes what nobody refers to; from GDAL 3.8 on it can be told to."""
        dataset, self._dataset = self._dataset, None
        if hasattr(dataset, "Close"):
            dataset.Close()


def _type_of(band: Any) -> str:
    name = gdal.GetDataTypeName(band.DataType)
    signed = name == "Byte" and not gdal.GetDataTypeByName("Int8")
    if signed and band.GetMetadataItem("PIXELTYPE", "IMAGE_STRUCTURE") == "SIGNEDBYTE":
        return "int8"
    return str(_NAMES.get(name, name.lower()))


def _items(holder: Any, domain: str) -> dict[str, str]:
    if domain.startswith("xml:"):
        return dict.fromkeys([domain], text((holder.GetMetadata_List(domain) or [""])[0]))
    return {text(name): text(value) for name, value in holder.GetMetadata_Dict(domain).items()}


def _read(read: Callable[..., Any], window: Window, out: NDArray[Any]) -> NDArray[Any]:
    """Fill ``out`` with a window, or with some of its pixels; GDAL fills contiguous memory alone."""
    values = out if out.flags.c_contiguous else np.empty(out.shape, out.dtype)
    size, filled = (window.width, window.height), (out.shape[-1], out.shape[-2])
    number = data_type(out.dtype.name)
    with failures() as said:
        said.check(read(window.column, window.row, *size, *filled, buf_type=number, buf_obj=values))
    if values is not out:
        out[...] = values
    return out
