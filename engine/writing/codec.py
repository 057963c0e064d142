# SPDX-License-Identifier: GPL-2.0-or-later
"""Blocks as the file holds them: GDAL's codecs, and before these the differences that TIFF calls predictors."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..arrays import NDArray, Scratch
from ..backend.choice import backend
from ..radiometry.storage import Storage
from .creation import CODECS_WITH_PREDICTOR
from .tiff import block_index, pack_block

#: Options that would write beside a file, or leave blocks out of it
_NOT_FOR_ENCODING = ("TFW", "WORLDFILE", "SPARSE_OK")
#: With these options alone a codec gets the bytes of a block's rows, predicted, and nothing else.
_BYTES_ALONE = {
    "TILED",
    "BLOCKXSIZE",
    "BLOCKYSIZE",
    "COMPRESS",
    "PREDICTOR",
    "ZLEVEL",
    "ZSTD_LEVEL",
    "INTERLEAVE",
    "BIGTIFF",
    "NUM_THREADS",
}
_ROWS = 64  #: rows that are predicted at once, so that they stay in the cache of a core


class Encoder:
    """Encodes windows of whole blocks with the creation options of ``profile``; threads may do so
    at once, each with the settings of a worker.

    ``block`` is the (width, height) of the file's blocks; ``separate`` tells that its bands lie apart.
    """

    def __init__(
        self,
        profile: Mapping[str, str],
        storage: Storage,
        block: tuple[int, int],
        *,
        separate: bool,
    ) -> None:
        self._options = {
            name: value for name, value in profile.items() if name not in _NOT_FOR_ENCODING
        }
        self._options["INTERLEAVE"] = "BAND" if separate else "PIXEL"
        self._block, self._separate, self._local = block, separate, threading.local()
        self._nodata = storage.nodata
        self._library = backend()
        self._predictor: _Predictor | None = None
        if profile.get("COMPRESS", "NONE").upper() in CODECS_WITH_PREDICTOR:
            predictor, kinds = _PREDICTORS.get(self._options.get("PREDICTOR", "1"), (None, ""))
            if storage.dtype.kind in kinds and self._options.keys() <= _BYTES_ALONE:
                self._predictor = predictor

    def blocks(self, values: NDArray[Any]) -> Iterator[memoryview]:
        """Yield the blocks of ``values``, of shape (bands, height, width), in the order of a TIFF's index."""
        options: Mapping[str, str] = self._options
        nodata: float | None = self._nodata
        if self._predictor is not None:
            values, row = self._predicted(values, self._predictor)
            whole = {"BLOCKXSIZE": str(row), "BLOCKYSIZE": str(self._block[1])}
            options = {**options, **whole, "PREDICTOR": "1", "INTERLEAVE": "BAND"}
            nodata = None
        with self._library.encode(values, options, nodata) as data:
            offsets, lengths = block_index(data).read(data)
            for offset, length in zip(offsets.tolist(), lengths.tolist()):
                yield data[offset : offset + length]

    def _predicted(
        self, values: NDArray[Any], predictor: _Predictor
    ) -> tuple[NDArray[np.uint8], int]:
        """What a codec gets of a window, of shape (planes, height, bytes), and how many bytes a row of a block has."""
        planes = values[:, np.newaxis] if self._separate else values[np.newaxis]
        bands, height, width = planes.shape[1:]
        across = self._block[0]
        row, columns = across * bands * values.itemsize, -(-width // across)
        if not hasattr(self._local, "scratch"):
            self._local.scratch = Scratch()
        shape = len(planes), height, columns, row
        out = self._local.scratch.array("predicted", shape, np.uint8)
        for plane, predicted in zip(planes, out):
            for column, top in itertools.product(range(columns), range(0, height, _ROWS)):
                pixels = plane[:, top : top + _ROWS, column * across : (column + 1) * across]
                plain = pack_block(pixels, across, "<").cast("B")
                rows = np.frombuffer(plain, np.uint8).reshape(pixels.shape[1], row)
                predictor(rows, values.itemsize, bands, predicted[top : top + _ROWS, column])
        return out.reshape(len(planes), height, -1), row


def _difference(rows: NDArray[np.uint8], size: int, bands: int, out: NDArray[np.uint8]) -> None:
    """Predictor 2, of TIFF 6.0, section 14: integers minus those of the pixel before.

    ``rows`` and ``out`` are of shape (rows, bytes), of little-endian values of ``size`` bytes. numpy
    subtracts many at once, libtiff one after the other.
    """
    values, differences = rows.view(f"<u{size}"), out.view(f"<u{size}")
    differences[:, :bands] = values[:, :bands]
    np.subtract(values[:, bands:], values[:, :-bands], out=differences[:, bands:])


def _byte_planes(rows: NDArray[np.uint8], size: int, bands: int, out: NDArray[np.uint8]) -> None:
    """Predictor 3, of Adobe's TIFF Technical Note 3: of floating-point values the first bytes of a
    row, then the second, and so on, each minus that of the pixel before.

    Arguments are those of :func:`_difference`.
    """
    planes = np.moveaxis(rows.reshape(len(rows), -1, size)[:, :, ::-1], 2, 1)
    _difference(planes.reshape(len(rows), -1), 1, bands, out)


_Predictor = Callable[[NDArray[np.uint8], int, int, NDArray[np.uint8]], None]
#: Those that are known here, and the kinds of numbers that they are for
_PREDICTORS: dict[str, tuple[_Predictor, str]] = {
    "2": (_difference, "iu"),
    "3": (_byte_planes, "f"),
}
