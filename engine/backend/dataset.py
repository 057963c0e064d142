# SPDX-License-Identifier: GPL-2.0-or-later
"""Opening rasters, and their facts."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np
import rasterio
from rasterio.dtypes import dtype_fwd, dtype_rev
from rasterio.enums import ColorInterp, MaskFlags, WktVersion
from rasterio.errors import CRSError
from rasterio.transform import Affine
from rasterio.windows import Window

from ..arrays import NDArray
from ..errors import BandwiseError, InputError
from ..files.raw_files import is_cut_short
from ..grids.grid import Georeference, Grid
from ..messages import translate
from ..radiometry.masks import recognised
from ..radiometry.scaling import Declared
from .environment import RASTER_FAILURES, http_timeouts, leave_if_left, reason_of

_CORNER = 64  #: pixels a side
_MOST_IN_CORNERS = 16_000_000  #: pixels that are decoded, at worst, for corners
#: Units of a CRS, of a place and of a pixel's side; and its inverse is the least side
_FARTHEST = 1e15
_FLATTEST = 1e-12  #: sine of the angle between rows and columns
_GDT_UINT64 = 12  #: GDAL's number of the type, which rasterio 1.3 takes for int64's


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


def describe(path: str, number: int) -> BandFacts:
    """Open the raster ``path`` and tell what it says of its band ``number`` (from 1).

    Raises :class:`InputError` for a file that is missing, not a raster, or has no such band.
    """
    with _facts(path) as dataset:
        if not dataset.count:
            raise InputError(
                translate(
                    "Bandwise",
                    "{file} holds no bands of its own but subdatasets; choose one of them, such as {example}.",
                ).format(file=path, example=dataset.subdatasets[0] if dataset.subdatasets else "-")
            )
        if not 1 <= number <= dataset.count:
            raise InputError(
                translate(
                    "Bandwise", "{file} has no band {band}; its bands are 1 to {count}."
                ).format(file=path, band=number, count=dataset.count)
            )
        dtype = dataset.dtypes[number - 1]
        if dtype.startswith("complex"):
            raise InputError(
                translate(
                    "Bandwise",
                    "Band {band} of {file} holds complex numbers; convert it to real numbers first.",
                ).format(band=number, file=path)
            )
        if dtype in ("int64", "uint64") and dtype_fwd.get(_GDT_UINT64) != "uint64":
            text = translate(
                "Bandwise",
                "{file} holds 64-bit integers, which rasterio {version} misreads; convert it to Int32 or Float64",
            )
            raise InputError(text.format(file=path, version=rasterio.__version__))
        if is_cut_short(path, dataset):
            text = translate(
                "Bandwise",
                "{file} is shorter than its header says, and GDAL would take zeros for what is "
                "missing; copy or download it again.",
            )
            raise InputError(text.format(file=path))
        transform = dataset.transform
        _check_transform(path, transform)
        description = _descriptions(dataset)[number - 1]
        georeference = _georeference(dataset)
        block_height, block_width = dataset.block_shapes[number - 1]
        return BandFacts(
            path=path,
            number=number,
            grid=Grid(
                crs=_wkt(dataset.crs) if georeference is None else "",
                transform=tuple(transform[:6]),
                width=dataset.width,
                height=dataset.height,
                georeference=georeference,
            ),
            declared=Declared(
                dtype=dtype,
                nodata=dataset.nodatavals[number - 1],
                scale=dataset.scales[number - 1],
                offset=dataset.offsets[number - 1],
                name=dataset.tags(number).get("BANDNAME", ""),
                description=description,
            ),
            masks=_masks(dataset, number),
            block=(block_width, block_height),
            decoded=block_width * block_height * _bytes_per_pixel(dataset, number),
            decoder=block_width * block_height * _decoder_bytes(dataset, number),
            files=_all_files(path, dataset.files),
            classes=dataset.colorinterp[number - 1] is ColorInterp.palette
            or recognised(path, description) is not None,
        )


def _georeference(dataset: Any) -> Georeference | None:
    """Control points and RPC of a dataset that has no geotransform."""
    if not dataset.transform.is_identity:
        return None
    points, crs = dataset.gcps
    rpc = tuple(sorted(dataset.tags(ns="RPC").items()))
    if not points and not rpc:
        return None
    places = tuple((point.row, point.col, point.x, point.y, point.z or 0.0) for point in points)
    return Georeference(places, _wkt(crs) if points else "", rpc)


def _wkt(crs: Any) -> str:
    return str(crs.to_wkt(version=WktVersion.WKT2_2019)) if crs else ""


def _decoder_bytes(dataset: Any, number: int) -> int:
    """For each pixel of a block, beside what GDAL's cache holds of it: bands that are interleaved
    pass through a buffer of their own.
    """
    if dataset.driver.startswith("JP2"):
        return 4 * int(dataset.count)
    together = _bytes_per_pixel(dataset, number)
    # by measurement
    return 2 * together if together > np.dtype(dataset.dtypes[number - 1]).itemsize else 0


def _bytes_per_pixel(dataset: Any, number: int) -> int:
    together = dataset.interleaving is not None and dataset.interleaving.name == "pixel"
    return sum(
        np.dtype(dtype).itemsize
        for dtype in (dataset.dtypes if together else [dataset.dtypes[number - 1]])
    )


def _all_files(path: str, files: Sequence[str]) -> tuple[str, ...]:
    """``files`` and, where one of them is a VRT, the files of that, and so on."""
    found = dict.fromkeys([path, *files])
    waiting = [file for file in files if file != path and file.lower().endswith(".vrt")]
    while waiting:
        with suppress(InputError), opened(waiting.pop()) as dataset:
            new = [file for file in dataset.files if file not in found]
            found.update(dict.fromkeys(new))
            waiting.extend(file for file in new if file.lower().endswith(".vrt"))
    return tuple(found)


@contextmanager
def _facts(path: str) -> Iterator[Any]:
    """A dataset whose facts are asked for: GDAL reads some of them late, and finds only then that they are damaged."""
    with opened(path) as dataset:
        try:
            yield dataset
        except BandwiseError:
            raise
        except (*RASTER_FAILURES, ValueError, OverflowError) as error:
            raise _damaged(path, error) from error


def _damaged(path: str, error: Exception) -> InputError:
    reason = (
        translate("Bandwise", "a text in it is not UTF-8").format()
        if isinstance(error, UnicodeError)
        else reason_of(error, path)
    )
    text = translate(
        "Bandwise",
        "The header of {file} cannot be read ({reason}); copy or download the file again, or convert it to a GeoTIFF.",
    )
    return InputError(text.format(file=path, reason=reason))


def _check_transform(path: str, transform: Affine) -> None:
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
    """The description of each band of a raster, empty where a band has none. Raises :class:`InputError`."""
    with _facts(path) as dataset:
        return _descriptions(dataset)


def _descriptions(dataset: Any) -> tuple[str, ...]:
    """Those of all bands; none where one is not UTF-8, which GDAL passes on as it is and rasterio cannot read."""
    try:
        descriptions = [description or "" for description in dataset.descriptions]
    except UnicodeDecodeError:
        descriptions = [""] * dataset.count
    return tuple(descriptions)


def has_empty_corner(path: str, number: int) -> bool:
    """Whether a corner of a local raster's band is all zeros, as the part beyond a scene is; at
    most 64 x 64 pixels are read of each.
    """
    if path.startswith("/vsi") or "://" in path:
        return False
    with suppress(*RASTER_FAILURES, InputError), opened(path) as dataset:
        width, height = min(_CORNER, dataset.width), min(_CORNER, dataset.height)
        if dataset.driver == "VRT" and dataset.width * height > _MOST_IN_CORNERS:
            return False  # the blocks of its sources may be as long as it is
        for column in {0, dataset.width - width}:
            for row in {0, dataset.height - height}:
                if not dataset.read(number, window=Window(column, row, width, height)).any():
                    return True
    return False


def _masks(dataset: Any, number: int) -> tuple[int, ...]:
    """GDAL's mask hides an alpha band behind a nodata value, so alpha is looked for by itself."""
    colours = dataset.colorinterp
    if colours[number - 1] is ColorInterp.alpha:
        return ()
    masks = [colours.index(ColorInterp.alpha) + 1] if ColorInterp.alpha in colours else []
    flags = dataset.mask_flag_enums[number - 1]
    if not {MaskFlags.all_valid, MaskFlags.alpha} & set(flags) and (
        MaskFlags.per_dataset in flags or MaskFlags.nodata not in flags
    ):
        masks.append(0)  # a mask of the dataset, or with no flag at all one of the band itself
    return tuple(masks)


def opened(path: str, **options: Any) -> Any:
    if not path or path.startswith("MEM:"):
        raise InputError(
            translate(
                "Bandwise", "An input raster is missing or lies in memory; choose a file."
            ).format()
        )
    if os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode):
        text = translate(
            "Bandwise",
            "{file} is a pipe, which cannot be read in windows; write what it gives to a file and choose that.",
        )
        raise InputError(text.format(file=path))
    leave_if_left()
    try:
        with http_timeouts():
            return rasterio.open(path, sharing=False, **options)
    except (UnicodeError, CRSError) as error:
        raise _damaged(path, error) from error
    except RASTER_FAILURES as error:
        local = (os.path.isabs(path) or ":" not in path) and not path.startswith("/vsi")
        if local and not os.path.exists(path):
            raise InputError(
                translate("Bandwise", "{file} does not exist; check the path.").format(file=path)
            ) from error
        raise InputError(
            translate(
                "Bandwise",
                "{file} cannot be opened as a raster ({reason}); choose a file that GDAL can read.",
            ).format(file=path, reason=reason_of(error, path))
        ) from error


def name_of(
    values: NDArray[Any], transform: Sequence[float] = (2.0, 0.0, 0.0, 0.0, -2.0, 0.0)
) -> str:
    """What GDAL opens as a dataset: values of shape (bands, height, width) where they lie in
    memory, which has to outlive it. Nothing is copied.
    """
    bands, height, width = values.shape
    layout = {
        "DATAPOINTER": values.ctypes.data,
        "PIXELS": width,
        "LINES": height,
        "BANDS": bands,
        "DATATYPE": dtype_rev[values.dtype.name],
        **dict(zip(("BANDOFFSET", "LINEOFFSET", "PIXELOFFSET"), values.strides)),
        "GEOTRANSFORM": "/".join(map(repr, Affine(*transform).to_gdal())),
    }
    return "MEM:::" + ",".join(f"{name}={value}" for name, value in layout.items())
