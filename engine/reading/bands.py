# SPDX-License-Identifier: GPL-2.0-or-later
"""A band of a raster: what its file says of it, and whether it can be used."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from typing import Any, NamedTuple

import numpy as np

from ..backend.api import Dataset
from ..backend.choice import backend
from ..errors import InputError
from ..files.raw_files import is_cut_short
from ..grids.grid import Georeference, Grid, Window
from ..messages import translate
from ..radiometry.masks import recognised
from ..radiometry.scaling import Declared
from .opening import all_files, facts_of, opened

_CORNER = 64  #: pixels a side
_MOST_IN_CORNERS = 16_000_000  #: pixels that are decoded, at worst, for corners
#: Units of a CRS, of a coordinate and of a pixel's side; and its inverse is the least side
_FARTHEST = 1e15
_FLATTEST = 1e-12  #: sine of the angle between rows and columns
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)  #: what GDAL says where there is no geotransform


class BandFacts(NamedTuple):
    """A band of a raster file, as the file's own driver tells.

    ``masks`` are the planes in which 0 marks a pixel of the band as nodata: a band number stands
    for an alpha band, 0 for the band's mask (``.msk`` file, internal mask, per-dataset nodata).
    ``block`` is the source block's (width, height) in pixels, ``decoded`` the bytes that GDAL holds
    of one: of all bands where they are interleaved. ``decoder`` is what decoding one takes beside:
    a JPEG 2000 tile is decoded whole, in 32-bit numbers, in all of its bands. ``classes`` tells
    that values are names, not measurements: between two of them lies no third.
    """

    path: str
    number: int
    grid: Grid
    declared: Declared
    masks: tuple[int, ...]
    block: tuple[int, int]
    decoded: int
    files: tuple[str, ...]
    classes: bool = False
    decoder: int = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.declared.dtype)


#: From a path and a number of a band (from 1) to what is known of it; :func:`describe` is one.
Describe = Callable[[str, int], BandFacts]


def describe(path: str, number: int) -> BandFacts:
    """Open the raster ``path`` and return what it says of its band ``number`` (from 1).

    Raises
    ------
    InputError
        For a file that is missing, not a raster, or has no such band.
    """
    with facts_of(path) as dataset:
        return _facts(path, number, dataset)


def describe_all(path: str) -> list[BandFacts | InputError]:
    """Open the raster ``path`` once and return what it says of each band, or why that cannot be used.

    Raises
    ------
    InputError
        For a file that is missing, not a raster, or has no bands.
    """
    with facts_of(path) as dataset:
        if not dataset.dtypes:
            _check_band(path, 1, dataset)
        described: list[BandFacts | InputError] = []
        for number in range(1, 1 + len(dataset.dtypes)):
            try:
                described.append(_facts(path, number, dataset))
            except InputError as error:
                described.append(error)
        return described


def _facts(path: str, number: int, dataset: Dataset) -> BandFacts:
    _check_band(path, number, dataset)
    transform = dataset.transform
    _check_transform(path, transform)
    description = _descriptions(dataset)[number - 1]
    georeference = _georeference(dataset)
    width, height = dataset.block(number)
    scale, offset = dataset.scaling(number)
    palette = dataset.colors[number - 1] == "palette"
    return BandFacts(
        path=path,
        number=number,
        grid=Grid(
            crs=dataset.wkt if georeference is None else "",
            transform=transform,
            width=dataset.width,
            height=dataset.height,
            georeference=georeference,
        ),
        declared=Declared(
            dtype=dataset.dtypes[number - 1],
            nodata=dataset.nodata(number),
            scale=scale,
            offset=offset,
            name=dataset.band_tags(number).get("BANDNAME", ""),
            description=description,
        ),
        masks=_masks(dataset, number),
        block=(width, height),
        decoded=width * height * _bytes_per_pixel(dataset, number),
        decoder=width * height * _decoder_bytes(dataset, number),
        files=all_files(path, dataset.files),
        classes=palette or recognised(path, description) is not None,
    )


def _check_band(path: str, number: int, dataset: Dataset) -> None:
    """Raise :class:`InputError` for a band that is missing, or whose values would be read wrongly."""
    count = len(dataset.dtypes)
    if not count:
        text = translate(
            "Bandwise",
            "{file} holds no bands of its own but subdatasets; choose one of them, such as {example}.",
        )
        names = dataset.subdatasets
        raise InputError(text.format(file=path, example=names[0] if names else "-"))
    if not 1 <= number <= count:
        text = translate("Bandwise", "{file} has no band {band}; its bands are 1 to {count}.")
        raise InputError(text.format(file=path, band=number, count=count))
    dtype = dataset.dtypes[number - 1]
    if dtype.startswith("complex"):
        text = translate(
            "Bandwise",
            "Band {band} of {file} holds complex numbers; convert it to real numbers first.",
        )
        raise InputError(text.format(band=number, file=path))
    library = backend()
    if dtype in library.misread_types:
        text = translate(
            "Bandwise",
            "{file} holds 64-bit integers, which {library} {version} misreads; convert it to Int32 or Float64",
        )
        raise InputError(text.format(file=path, library=library.name, version=library.version))
    if is_cut_short(path, dataset):
        text = translate(
            "Bandwise",
            "{file} is shorter than its header says, and GDAL would take zeros for what is "
            "missing; copy or download it again.",
        )
        raise InputError(text.format(file=path))


def _georeference(dataset: Dataset) -> Georeference | None:
    """Control points and RPC of a dataset that has no geotransform."""
    if dataset.transform != _IDENTITY:
        return None
    points, crs = dataset.control_points
    rpc = tuple(sorted(dataset.tags("RPC").items()))
    if not points and not rpc:
        return None
    return Georeference(points, crs, rpc)


def _decoder_bytes(dataset: Dataset, number: int) -> int:
    """For each pixel of a block, beside what GDAL's cache holds of it: bands that are interleaved
    pass through a buffer of their own.
    """
    if dataset.driver.startswith("JP2"):
        return 4 * len(dataset.dtypes)
    together = _bytes_per_pixel(dataset, number)
    # by measurement
    return 2 * together if together > np.dtype(dataset.dtypes[number - 1]).itemsize else 0


def _bytes_per_pixel(dataset: Dataset, number: int) -> int:
    dtypes = dataset.dtypes if dataset.pixel_interleaved else [dataset.dtypes[number - 1]]
    return sum(np.dtype(dtype).itemsize for dtype in dtypes)


def _check_transform(path: str, transform: Sequence[float]) -> None:
    """Numbers far beyond any place and any pixel overflow where they are computed with."""
    a, b, c, d, e, f = transform[:6]
    if not all(map(math.isfinite, (a, b, c, d, e, f))) or max(map(abs, (c, f))) > _FARTHEST:
        raise InputError(
            translate(
                "Bandwise", "{file} lies beyond all coordinates; its geotransform is damaged."
            ).format(file=path)
        )
    sides = math.hypot(a, d), math.hypot(b, e)
    if min(sides) == 0 or abs(a * e - b * d) < _FLATTEST * sides[0] * sides[1]:
        raise InputError(
            translate(
                "Bandwise", "{file} has pixels without an area; its geotransform is damaged."
            ).format(file=path)
        )
    if min(sides) < 1 / _FARTHEST or max(sides) > _FARTHEST:
        text = translate(
            "Bandwise",
            "{file} has pixels of {width:g} x {height:g}, which no map has; its geotransform is damaged.",
        )
        raise InputError(text.format(file=path, width=sides[0], height=sides[1]))


def descriptions_of(path: str) -> tuple[str, ...]:
    """Return the description of each band of a raster, empty where a band has none.

    Raises
    ------
    InputError
        For a file that cannot be opened.
    """
    with facts_of(path) as dataset:
        return _descriptions(dataset)


def _descriptions(dataset: Dataset) -> tuple[str, ...]:
    """Those of all bands; none where one is not UTF-8, which GDAL passes on as it is."""
    try:
        return tuple(description or "" for description in dataset.descriptions)
    except UnicodeDecodeError:
        return ("",) * len(dataset.dtypes)


def has_empty_corner(path: str, number: int) -> bool:
    """Return whether a corner of a local raster's band is all zeros, as the part beyond a scene is.

    At most 64 x 64 pixels are read of each corner.
    """
    if path.startswith("/vsi") or "://" in path:
        return False
    with suppress(OSError, MemoryError, InputError), closing(opened(path)) as dataset:
        width, height = min(_CORNER, dataset.width), min(_CORNER, dataset.height)
        if dataset.driver == "VRT" and dataset.width * height > _MOST_IN_CORNERS:
            return False  # the blocks of its sources may be as long as it is
        for column in {0, dataset.width - width}:
            for row in {0, dataset.height - height}:
                if not dataset.read(number, Window(column, row, width, height)).any():
                    return True
    return False


def _masks(dataset: Dataset, number: int) -> tuple[int, ...]:
    """GDAL's mask hides an alpha band behind a nodata value, so alpha is looked for by itself."""
    colors = list(dataset.colors)
    if colors[number - 1] == "alpha":
        return ()
    masks = [colors.index("alpha") + 1] if "alpha" in colors else []
    flags = dataset.mask_flags(number)
    if not {"all_valid", "alpha"} & flags and ("per_dataset" in flags or "nodata" not in flags):
        masks.append(0)  # a mask of the dataset, or with no flag at all one of the band itself
    return tuple(masks)
