# SPDX-License-Identifier: GPL-2.0-or-later
"""A raster that rasterio has open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rasterio.enums import WktVersion
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.windows import Window as RasterioWindow

from ...arrays import NDArray
from ...grids.grid import Window
from ..api import Bands
from ..failures import RasterFailure, raised_by
from ..gdal_settings import NO_MEMORY
from .private import CPLE_BaseError, CPLE_OutOfMemoryError


@contextmanager
def failures() -> Iterator[None]:
    """Raise what rasterio raises as the backend's two exceptions."""
    try:
        yield
    except (RasterioError, RasterioIOError, CPLE_BaseError) as error:
        if _is_memory(error):
            raise MemoryError(str(error)) from error
        raise RasterFailure(str(error)) from error


raising = raised_by(failures)


def _is_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, CPLE_OutOfMemoryError):
            return True
        if isinstance(error, CPLE_BaseError) and NO_MEMORY.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def wkt_of(crs: Any) -> str:
    """Return a CRS of rasterio's as WKT 2, empty for none."""
    return str(crs.to_wkt(version=WktVersion.WKT2_2019)) if crs else ""


class RasterioDataset:
    """See :class:`~..api.Dataset`."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self.driver: str = dataset.driver
        self.width: int = dataset.width
        self.height: int = dataset.height

    @property
    @raising
    def dtypes(self) -> Sequence[str]:
        return list(self._dataset.dtypes)

    @property
    @raising
    def subdatasets(self) -> Sequence[str]:
        return list(self._dataset.subdatasets)

    @property
    @raising
    def transform(self) -> tuple[float, float, float, float, float, float]:
        a, b, c, d, e, f = self._dataset.transform[:6]
        return a, b, c, d, e, f

    @property
    @raising
    def wkt(self) -> str:
        return wkt_of(self._dataset.crs)

    @property
    @raising
    def control_points(self) -> tuple[tuple[tuple[float, float, float, float, float], ...], str]:
        points, crs = self._dataset.gcps
        control_points = tuple(
            (point.row, point.col, point.x, point.y, point.z or 0.0) for point in points
        )
        return control_points, wkt_of(crs) if points else ""

    @property
    @raising
    def descriptions(self) -> Sequence[str | None]:
        return list(self._dataset.descriptions)

    @property
    @raising
    def colors(self) -> Sequence[str]:
        return [color.name for color in self._dataset.colorinterp]

    @property
    @raising
    def files(self) -> Sequence[str]:
        return list(self._dataset.files)

    @property
    @raising
    def pixel_interleaved(self) -> bool:
        interleaving = self._dataset.interleaving
        return interleaving is not None and interleaving.name == "pixel"

    @raising
    def tags(self, domain: str) -> Mapping[str, str]:
        return dict(self._dataset.tags(ns=domain))

    @raising
    def band_tags(self, band: int) -> Mapping[str, str]:
        return dict(self._dataset.tags(band))

    @raising
    def nodata(self, band: int) -> float | None:
        value: float | None = self._dataset.nodatavals[band - 1]
        return value

    @raising
    def scaling(self, band: int) -> tuple[float, float]:
        return self._dataset.scales[band - 1], self._dataset.offsets[band - 1]

    @raising
    def mask_flags(self, band: int) -> frozenset[str]:
        return frozenset(flag.name for flag in self._dataset.mask_flag_enums[band - 1])

    @raising
    def block(self, band: int) -> tuple[int, int]:
        height, width = self._dataset.block_shapes[band - 1]
        return width, height

    @raising
    def overviews(self, band: int) -> Sequence[int]:
        return list(self._dataset.overviews(band))

    def read(self, bands: Bands, window: Window, out: NDArray[Any] | None = None) -> NDArray[Any]:
        with failures():
            values: NDArray[Any] = self._dataset.read(bands, window=_rasterio(window), out=out)
        return values

    def read_mask(self, band: int, window: Window, out: NDArray[Any] | None = None) -> NDArray[Any]:
        with failures():
            mask: NDArray[Any] = self._dataset.read_masks(band, window=_rasterio(window), out=out)
        return mask

    def close(self) -> None:
        self._dataset.close()


def _rasterio(window: Window) -> RasterioWindow:
    return RasterioWindow(window.column, window.row, window.width, window.height)
