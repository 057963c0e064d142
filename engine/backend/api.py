# SPDX-License-Identifier: GPL-2.0-or-later
"""What the engine wants of a raster library: the only place where the two meet.

A backend calls its library and nothing else: which bands are wanted, what a bad file is called in a
sentence, how windows are cut is decided above. Its functions raise :class:`~.failures.RasterFailure`
or ``MemoryError``, with the library's own exception as cause, and ``ValueError`` where a text of a
file cannot be read. CRS are WKT, empty for none. Band numbers start at 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, Union

import numpy as np

from ..arrays import NDArray
from ..grids.grid import Grid, Window
from ..grids.layout import Resampling

Bands = Union[int, Sequence[int]]
Numbers = Union[Sequence[float], NDArray[np.float64]]
Points = tuple[NDArray[np.float64], NDArray[np.float64]]
#: A polygon in columns and rows: its rings, each of (column, row), the outer one first.
Polygon = Sequence[Sequence[tuple[float, float]]]


@dataclass(frozen=True)
class CreationSpec:
    """A GeoTIFF to create: ``count`` bands of ``dtype`` on ``grid``, with GDAL's creation ``options``.

    ``names`` are the bands' descriptions; ``scale`` and ``offset`` are written as tags of all bands
    unless None. No block is written.
    """

    grid: Grid
    count: int
    dtype: np.dtype[Any]
    nodata: float
    options: Mapping[str, str]
    names: tuple[str, ...] = ()
    scale: float | None = None
    offset: float | None = None


@dataclass(frozen=True)
class Created:
    """The layout that the library chose: a ``block``'s (width, height), and whether bands lie apart."""

    block: tuple[int, int]
    separate: bool


class Dataset(Protocol):
    """A raster that is open for reading.

    Facts are read when they are asked for, since a file may be damaged where nobody looks. One
    thread uses a dataset at a time, unless the backend opens it as thread-safe.
    """

    @property
    def driver(self) -> str:
        """GDAL's short name of the format."""

    @property
    def width(self) -> int:
        """Columns."""

    @property
    def height(self) -> int:
        """Rows."""

    @property
    def dtypes(self) -> Sequence[str]:
        """numpy's names of the bands' types, those that it does not know by GDAL's name."""

    @property
    def subdatasets(self) -> Sequence[str]:
        """Names of the rasters within a container."""

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """The geotransform as affine coefficients (a, b, c, d, e, f): x = a * column + b * row + c."""

    @property
    def wkt(self) -> str:
        """The CRS as WKT 2."""

    @property
    def control_points(self) -> tuple[tuple[tuple[float, float, float, float, float], ...], str]:
        """Ground control points, each (row, column, x, y, z), and their CRS."""

    @property
    def descriptions(self) -> Sequence[str | None]:
        """The bands' descriptions. Raises ``UnicodeDecodeError`` for one that is not UTF-8."""

    @property
    def colors(self) -> Sequence[str]:
        """The bands' colour interpretations in lower case, such as ``palette`` and ``alpha``."""

    @property
    def files(self) -> Sequence[str]:
        """The files that the raster consists of."""

    @property
    def pixel_interleaved(self) -> bool:
        """Whether a block holds all bands."""

    def tags(self, domain: str) -> Mapping[str, str]:
        """Return the metadata items of a domain."""

    def band_tags(self, band: int) -> Mapping[str, str]:
        """Return the metadata items of a band."""

    def nodata(self, band: int) -> float | None:
        """Return the declared nodata value."""

    def scaling(self, band: int) -> tuple[float, float]:
        """Return the declared scale and offset, (1, 0) where there is none."""

    def mask_flags(self, band: int) -> frozenset[str]:
        """Return GDAL's flags of the mask: of ``all_valid``, ``per_dataset``, ``alpha`` and ``nodata``."""

    def block(self, band: int) -> tuple[int, int]:
        """Return a block's (width, height) in pixels."""

    def overviews(self, band: int) -> Sequence[int]:
        """Return how many pixels a pixel of each overview has along a row; JPEG 2000 has such levels, too."""

    def read(self, bands: Bands, window: Window, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Read stored values of a window within the raster.

        Returns
        -------
        ndarray
            Of shape (height, width) for one number, (bands, height, width) for a list: ``out`` if
            given. It may have fewer rows and columns: then the nearest pixels, of an overview where
            there is one.
        """

    def read_mask(self, band: int, window: Window, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Read GDAL's mask of a band: 0 where it is nodata; of shape (height, width), uint8.

        ``out`` may have fewer rows and columns, as for :meth:`read`.
        """

    def close(self) -> None:
        """Close the raster."""


def by_domain(tags: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the tags of each domain of a band; that of names without one is empty."""
    domains: dict[str, dict[str, str]] = {}
    for full_name, value in tags.items():
        domain, _, name = full_name.rpartition("/")
        domains.setdefault(domain, {})[name] = value
    return domains


class Backend(Protocol):
    """A raster library; what is kept of its answers is kept for it alone."""

    def __hash__(self) -> int:
        """By identity, as of any object."""

    @property
    def name(self) -> str:
        """The Python package that is called."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def gdal_version(self) -> tuple[int, int]:
        """The GDAL that it calls."""

    @property
    def proj_version(self) -> str:
        """The PROJ that it transforms coordinates with."""

    @property
    def thread_safe(self) -> bool:
        """Whether it can open datasets that several threads read at once."""

    @property
    def misread_types(self) -> frozenset[str]:
        """numpy's names of types whose values it takes for others."""

    def open(self, path: str, *, thread_safe: bool = False) -> Dataset:
        """Open a raster for reading; a handle of its own, which no other caller shares."""

    def wkt_of_code(self, code: int) -> str:
        """Return the CRS of an EPSG code as WKT 2. Raises ``ValueError`` where PROJ does not know it."""

    def same_crs(self, wkt: str, other: str) -> bool:
        """Return whether two CRS are the same. Raises ``ValueError`` for one that PROJ does not know."""

    def transform(self, xs: Numbers, ys: Numbers, wkt: str, other: str) -> tuple[Numbers, Numbers]:
        """Transform points between two CRS; infinite where the other has none of them.

        One point that cannot be transformed may fail them all.
        """

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
        """Resample values of a grid, NaN for nodata, onto another grid.

        Parameters
        ----------
        values
            Of shape (source.height, source.width), float32 or float64.
        tolerance
            Source pixels by which interpolated coordinates may be off.
        scale
            GDAL's XSCALE and YSCALE: target pixels a source pixel has, which widens the kernel.

        Returns
        -------
        ndarray
            Of shape (target.height, target.width) and the type of ``values``.
        """

    def burn(self, polygons: Sequence[Polygon], window: Window, out: NDArray[np.uint8]) -> None:
        """Set pixels of ``out``, of the window's shape, to 0 whose centre lies in one of the polygons."""

    def create(self, spec: CreationSpec, path: str | None = None) -> Created:
        """Create a GeoTIFF without pixels, or with no ``path`` one in memory, which is removed again.

        Warnings about options are given to the thread that listens.
        """

    def set_tags(
        self, path: str, tags: Mapping[str, str], band_tags: Sequence[Mapping[str, str]]
    ) -> None:
        """Add tags to a GeoTIFF and its bands.

        A band's tag ``DOMAIN/NAME`` is ``NAME`` in that domain, which programs show only when asked.
        """

    def tags(self, path: str) -> Mapping[str, str]:
        """Return the tags of a raster, read anew."""

    def encode(
        self, values: NDArray[Any], options: Mapping[str, str], nodata: float | None = None
    ) -> AbstractContextManager[memoryview]:
        """Copy values through GDAL's codec: give the bytes of a GeoTIFF of them in memory.

        Parameters
        ----------
        values
            Of shape (bands, height, width).
        options
            GDAL's creation options.
        nodata
            The nodata value, where the options make it matter: GDAL then copies all at once, so
            that it writes no block twice.
        """

    def http_timeouts(self) -> AbstractContextManager[Any]:
        """Bound how long GDAL waits for a server, where the user has not said so himself."""

    def worker_settings(self) -> AbstractContextManager[Any]:
        """Settings for threads that open and read: no threads of GDAL's own, and the timeouts."""

    def enter_worker_thread(self) -> None:
        """Enter these settings for this thread, until it ends."""

    def captured(self) -> AbstractContextManager[None]:
        """Pass what the library says in this thread to ``captured.warned`` and ``captured.failed``."""

    def cache_size(self) -> int:
        """Return the bound of the cache of blocks, in bytes."""

    def set_cache_size(self, size: int) -> None:
        """Bound the cache of blocks, in bytes."""
