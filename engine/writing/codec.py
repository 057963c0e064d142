# SPDX-License-Identifier: GPL-2.0-or-later
"""Blocks as the file holds them: GDAL's codecs, and before these the differences that TIFF calls predictors."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..arrays import NDArray, Scratch
from ..backend.choice import backend
from ..radiometry.storage import Storage
from .options import CODECS_WITH_PREDICTOR
from .tiff import block_index, pack_block

#: Options that would write beside a file, or leave blocks out of it
_NOT_FOR_ENCODING = ("TFW", "WORLDFILE", "SPARSE_OK")
#: Those that are known here, and the kinds of numbers that they are for
_PREDICTORS = {"2": "iu", "3": "f"}
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
        self._nodata: float | None = storage.nodata
        self._library = backend()
        predictor = (
            self._options.get("PREDICTOR", "1")
            if profile.get("COMPRESS", "NONE").upper() in CODECS_WITH_PREDICTOR
            else "1"
        )
        self._planes = predictor == "3"
        self._predicts = (
            storage.dtype.kind in _PREDICTORS.get(predictor, "")
            and self._options.keys() <= _BYTES_ALONE
        )

    def blocks(self, values: NDArray[Any]) -> Iterator[memoryview]:
        """Yield the blocks of ``values``, of shape (bands, height, width), in the order of a TIFF's index."""
        options, nodata = self._options, self._nodata
        if self._predicts:
            values, row = self._predicted(values)
            whole = {
                "PREDICTOR": "1",
                "INTERLEAVE": "BAND",
                "BLOCKXSIZE": str(row),
                "BLOCKYSIZE": str(self._block[1]),
            }
            options, nodata = {**options, **whole}, None
        with self._library.encode(values, options, nodata) as data:
            for offset, length in zip(
                *(numbers.tolist() for numbers in block_index(data).read(data))
            ):
                yield data[offset : offset + length]

    def _predicted(self, values: NDArray[Any]) -> tuple[NDArray[np.uint8], int]:
        """What a codec gets of a window, of shape (planes, height, bytes), and how many bytes a row of a block has.

        Predictor 2 is of TIFF 6.0, section 14, 3 of Adobe's TIFF Technical Note 3. numpy subtracts
        many bytes at once, libtiff one after the other.
        """
        planes = values[:, np.newaxis] if self._separate else values[np.newaxis]
        bands, height, width = planes.shape[1:]
        across, size = self._block[0], 1 if self._planes else values.itemsize
        numbers, columns = across * bands * values.itemsize // size, -(-width // across)
        if not hasattr(self._local, "scratch"):
            self._local.scratch = Scratch()
        out = self._local.scratch.array(
            "predicted", (len(planes), height, columns, numbers), f"<u{size}"
        )
        for plane, predicted in zip(planes, out):
            for column, row in itertools.product(range(columns), range(0, height, _ROWS)):
                pixels = plane[:, row : row + _ROWS, column * across : (column + 1) * across]
                plain = np.frombuffer(pack_block(pixels, across, "<"), f"<u{size}")
                # the first bytes of all numbers of a row, then the second, and so on
                if self._planes:
                    plain = np.moveaxis(
                        plain.reshape(pixels.shape[1], -1, values.itemsize)[:, :, ::-1], 2, 1
                    )
                plain, rows = (
                    plain.reshape(pixels.shape[1], numbers),
                    predicted[row : row + _ROWS, column],
                )
                rows[:, :bands] = plain[:, :bands]
                np.subtract(plain[:, bands:], plain[:, :-bands], out=rows[:, bands:])
        return out.view(np.uint8).reshape(len(planes), height, -1), numbers * size
