# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows of bands as they are stored, and blocks of them that threads share."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray
from ..backend.api import Dataset
from ..backend.captured import failures_raised
from ..backend.failures import ran_out_of_memory, reason_of
from ..errors import ReadError
from ..files.locations import is_remote
from ..grids.grid import Window
from ..messages import translate
from .bands import BandFacts
from .inputs import COVERAGE, Input

_LEAST_SIDE = 64  #: pixels of a block that is shared; smaller ones, such as strips, cost more calls
_MOST_SHARE = 4  #: of the memory for blocks, the part that one may take


def mask_type(number: int, band: BandFacts) -> type[np.generic]:
    """Return the type of a mask plane: bytes, but an alpha band of fractions keeps them, so that 0.3 is not 0."""
    return np.float32 if number > 0 and band.dtype.kind == "f" else np.uint8


def read_stored(
    dataset: Dataset,
    group: Sequence[Input],
    window: Window,
    values: NDArray[Any],
    planes: Sequence[Sequence[NDArray[Any]]],
) -> None:
    """Read bands of one raster as they are stored; zeros beyond it.

    Parameters
    ----------
    group
        Inputs of one raster and one shift.
    window
        In pixels of the result.
    values
        Of shape (bands, height, width), to be filled.
    planes
        For each band its mask planes, of shape (height, width), to be filled: 0 marks nodata.

    Raises
    ------
    ReadError
        With file, bands and window.
    """
    band = group[0].band
    source = window.offset(*group[0].shift)
    numbers = [band_input.band.number for band_input in group]
    with reading(band.path, numbers, source), failures_raised():
        _read_part(
            lambda part, **out: dataset.read(numbers, part, **out),
            source,
            band.grid.window,
            values,
        )
        for band_input, masks in zip(group, planes):
            for number, plane in zip(band_input.masks, masks):
                if number == COVERAGE:
                    plane[...] = 0
                    inside = source.intersection(band.grid.window)
                    if inside is not None:
                        plane[inside.slices_in(source)] = 1
                else:
                    _read_part(
                        _mask_reader(dataset, band_input.band, number),
                        source,
                        band.grid.window,
                        plane,
                    )


class Block(NamedTuple):
    """Stored values of a ``window`` of a band, and which of them are not valid, None for none."""

    window: Window
    values: NDArray[Any]
    invalid: NDArray[np.bool_] | None

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.values.nbytes + (0 if self.invalid is None else self.invalid.nbytes)


class _Entry:
    """A block, None until it is decoded, and the lock of the thread that decodes it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.block: Block | None = None


class SharedBlocks:
    """Blocks of bands that are resampled, decoded once for all windows and threads that use them.

    Windows of the result are no whole blocks of such a band, so without this a block would be
    decoded for each window that it touches, and by each thread. Up to ``most_bytes`` are kept, of
    the blocks that were used last.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._held = most_bytes, 0
        self._lock = threading.Lock()
        self._entries: dict[Hashable, _Entry] = {}

    def takes(self, band: BandFacts) -> bool:
        """Return whether blocks of a band are kept."""
        size = math.prod(band.block) * band.dtype.itemsize
        return min(band.block) >= _LEAST_SIDE and size * _MOST_SHARE <= self._most_bytes

    def touched(
        self, band_input: Input, part: Window, decode: Callable[[Window], Block]
    ) -> Iterator[Block]:
        """Yield the blocks of a band that a window of it touches, from ``decode`` where they are new."""
        band = band_input.band
        (width, height), raster = band.block, band.grid.window
        for row in range(part.row // height, -(-(part.row + part.height) // height)):
            for column in range(part.column // width, -(-(part.column + part.width) // width)):
                window = Window(column * width, row * height, width, height).intersection(raster)
                if window is not None:
                    markers = str(band_input.nodata), str(band_input.saturated)
                    key = band.path, band.number, markers, column, row
                    yield self._block(key, window, decode)

    def _block(self, key: Hashable, window: Window, decode: Callable[[Window], Block]) -> Block:
        with self._lock:
            entry = self._entries.pop(key, None) or _Entry()
            self._entries[key] = entry  # the last is the one that was used last
        with entry.lock:
            if entry.block is not None:
                return entry.block
            block = decode(window)
            with self._lock:
                entry.block = block
                self._held += block.nbytes
                self._drop()
            return block

    def _drop(self) -> None:
        """Forget blocks, but those that are being decoded, until the rest fits."""
        for key, entry in list(self._entries.items()):
            if self._held <= self._most_bytes:
                return
            if entry.block is not None:
                self._held -= entry.block.nbytes
                del self._entries[key]


def _mask_reader(dataset: Dataset, band: BandFacts, number: int) -> Callable[..., Any]:
    if number:
        return lambda part, **out: dataset.read(number, part, **out)
    return lambda part, **out: dataset.read_mask(band.number, part, **out)


def _read_part(read: Callable[..., Any], window: Window, whole: Window, out: NDArray[Any]) -> None:
    """Read what lies in the raster, and zeros for what does not."""
    inside = window.intersection(whole)
    if inside == window:
        read(window, out=out)
        return
    out[...] = 0
    if inside is not None:
        out[(..., *inside.slices_in(window))] = read(inside)


@contextmanager
def reading(path: str, numbers: Sequence[int], window: Window) -> Iterator[None]:
    """Name file, bands and window where reading fails. Raises :class:`ReadError`."""
    try:
        yield
    except ReadError:
        raise
    except OSError as error:
        if ran_out_of_memory(error):
            raise  # the file may be as it should
        text = translate(
            "Bandwise",
            "{file}: band {bands} cannot be read at column {column}, row {row} ({width} x {height} pixels): {reason}; "
            "the file looks damaged or incomplete, so copy or download it again.",
        )
        if is_remote(path):
            text = translate(
                "Bandwise",
                "{file}: band {bands} cannot be read at column {column}, row {row} ({width} x "
                "{height} pixels): {reason}; "
                "the server may have stopped answering, so check the connection and run again.",
            )
        raise ReadError(
            text.format(
                file=path,
                bands=", ".join(map(str, numbers)),
                column=window.column,
                row=window.row,
                width=window.width,
                height=window.height,
                reason=reason_of(error, path),
            )
        ) from error
