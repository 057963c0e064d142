# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading windows of the result from the inputs, wherever their own pixels lie."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np
from rasterio.windows import Window as RasterioWindow

from .arrays import NDArray
from .errors import ReadError
from .grid import Window
from .layout import Resampling
from .messages import translate
from .radiometry import mark
from .rasters import RASTER_FAILURES, BandFacts, opened, reason_of, thread_safe_datasets, worker_settings
from .scratch import Scratch
from .warping import Warp

_COVERAGE = -1  #: the mask plane that is 0 where the result reaches beyond a raster, or where a class was brought from nowhere
_NETWORK = ("/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiswift", "/vsioss", "http:", "https:")
_TILES_HELD = 4  #: blocks of a resampled source that a worker's neighbouring tiles have in common, at most


class Input(NamedTuple):
    """A band as a run reads it: as it is, its pixel ``shift`` (column, row) on the result's first, or through a ``warp``.

    ``nodata`` and ``saturated`` are stored values; ``covered`` says that the band's raster has a pixel for each of the result's.
    """

    band: BandFacts
    nodata: np.generic | None = None
    saturated: np.generic | None = None
    shift: tuple[int, int] = (0, 0)
    covered: bool = True
    warp: Warp | None = None

    @property
    def _stays_whole(self) -> bool:
        return self.warp is not None and self.warp.resampling is Resampling.NEAREST and self.band.dtype.kind in "iu"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values that are read: numbers between integers are floating-point."""
        if self.warp is None or self._stays_whole:
            return self.band.dtype
        return np.dtype(np.float32 if np.can_cast(self.band.dtype, np.float32) else np.float64)

    @property
    def masks(self) -> tuple[int, ...]:
        """The mask planes that are read with the values, as :attr:`BandFacts.masks` has them, or of coverage."""
        if self.warp is not None:
            return (_COVERAGE,) if self._stays_whole else ()
        return self.band.masks if self.covered else (*self.band.masks, _COVERAGE)

    @property
    def markers(self) -> tuple[np.generic | None, np.generic | None]:
        """The values that are nodata and saturated in what is read; a warp has looked for the stored ones and leaves NaN."""
        if self.warp is None:
            return self.nodata, self.saturated
        return (None if self._stays_whole else self.dtype.type(np.nan)), None

    @property
    def block(self) -> tuple[int, int]:
        """(width, height) of what is decoded together, in pixels of the result."""
        return self.band.block if self.warp is None else (self.warp.tile, self.warp.tile)

    @property
    def decoded(self) -> int:
        """Bytes that GDAL has to keep, so that no block is decoded twice."""
        return self.band.decoded * (_TILES_HELD if self.warp else 1)

    @property
    def scratch(self) -> int:
        """Bytes that resampling a tile takes: stored values, numbers, and twice what GDAL makes of them."""
        if self.warp is None:
            return 0
        return self.warp.source_pixels * (self.band.dtype.itemsize + len(self.band.masks) + 1 + 3 * self.dtype.itemsize)


class Sources:
    """The inputs of one run, opened once per worker, or once for all where datasets are thread-safe.

    ``needed`` are the positions of the inputs that are read, the others stand for their grid; ``handles`` counts the
    datasets that were opened. The thread that enters opens all: the first of a thread takes ten milliseconds more, for PROJ.
    """

    def __init__(self, inputs: Sequence[Input], needed: Sequence[int], workers: int) -> None:
        self.inputs = tuple(inputs)
        self.needed = frozenset(needed)
        self.shared = thread_safe_datasets()
        self.handles = 0
        self._workers = workers
        self._stack = ExitStack()
        self._free: list[dict[str, Any]] = []
        self._local = threading.local()

    def __enter__(self) -> Sources:
        paths = sorted({self.inputs[index].band.path for index in self.needed})
        options = {"thread_safe": True} if self.shared else {}
        times = 1 if self.shared else self._workers
        with worker_settings(), ExitStack() as stack:
            sets = [{path: stack.enter_context(opened(path, **options)) for path in paths} for _ in range(times)]
            self._stack = stack.pop_all()
        self.handles = times * len(paths)
        self._free = sets * self._workers if self.shared else sets
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _datasets(self) -> dict[str, Any]:
        """This thread's, by path."""
        if not hasattr(self._local, "datasets"):
            self._local.datasets = self._free.pop()
        datasets: dict[str, Any] = self._local.datasets
        return datasets

    def read(self, window: Window, buffers: Buffers) -> tuple[list[NDArray[Any]], list[list[NDArray[Any]]]]:
        """Values of every input that is needed, and its mask planes, each of shape (window.pixels,), in ``buffers``.

        Raises :class:`ReadError` with file, band and window.
        """
        datasets = self._datasets()
        stored: list[NDArray[Any]] = [np.empty(0)] * len(self.inputs)
        masks: list[list[NDArray[Any]]] = [[] for _ in self.inputs]
        for index in self.needed:
            masks[index] = [plane[: window.pixels] for plane in buffers.masks[index]]
        for group, buffer in zip(buffers.groups, buffers.stored):
            first = self.inputs[group[0]]
            dataset = datasets[first.band.path]
            values = buffer[: len(group) * window.pixels].reshape(len(group), window.height, window.width)
            planes = [[plane.reshape(window.height, window.width) for plane in masks[index]] for index in group]
            if first.warp is None:
                _read_as_it_is(dataset, [self.inputs[index] for index in group], window, values, planes)
            else:
                _read_warped(dataset, first, first.warp, window, values[0], planes[0], buffers.scratch)
            for index, plane in zip(group, values):
                stored[index] = plane.reshape(-1)
        return stored, masks


class Buffers:
    """What one thread reads into, made once for windows of up to ``pixels`` pixels.

    Bands of one file, type and place are read in one call into one buffer, so that a block that holds several
    bands is decoded once; ``groups`` has their positions.
    """

    def __init__(self, inputs: Sequence[Input], needed: Sequence[int], pixels: int) -> None:
        together: dict[object, list[int]] = {}
        for index in needed:
            one = inputs[index]
            together.setdefault((one.band.path, one.dtype, one.shift) if one.warp is None else index, []).append(index)
        self.groups = list(together.values())
        self.stored = [np.empty(len(group) * pixels, inputs[group[0]].dtype) for group in self.groups]
        self.scratch = Scratch()
        self.masks = [[np.empty(pixels, _mask_type(number, one.band)) for number in one.masks] for one in inputs]


def _mask_type(number: int, band: BandFacts) -> type[np.generic]:
    """Masks are bytes; an alpha band of fractions keeps them, so that 0.3 is not 0."""
    return np.float32 if number > 0 and band.dtype.kind == "f" else np.uint8


def _read_as_it_is(
    dataset: Any, group: Sequence[Input], window: Window, values: NDArray[Any], planes: Sequence[Sequence[NDArray[Any]]]
) -> None:
    """Stored values, of shape (bands, height, width), and mask planes of bands of one file; zeros beyond it."""
    band = group[0].band
    place = window.moved(*group[0].shift)
    numbers = [one.band.number for one in group]
    with _reading(band.path, numbers, place):
        _read_part(lambda part, **out: dataset.read(numbers, window=part, **out), place, band.grid.window, values)
        for one, masks in zip(group, planes):
            for number, plane in zip(one.masks, masks):
                if number == _COVERAGE:
                    plane[...] = 0
                    inside = place.shared(band.grid.window)
                    if inside is not None:
                        plane[inside.within(place)] = 1
                else:
                    _read_part(_mask_reader(dataset, one.band, number), place, band.grid.window, plane)


def _mask_reader(dataset: Any, band: BandFacts, number: int) -> Callable[..., Any]:
    if number:
        return lambda part, **out: dataset.read(number, window=part, **out)
    return lambda part, **out: dataset.read_masks(band.number, window=part, **out)


def _read_part(read: Callable[..., Any], place: Window, whole: Window, out: NDArray[Any]) -> None:
    """Read what lies in the raster, and zeros for what does not."""
    inside = place.shared(whole)
    if inside == place:
        read(_rasterio_window(place), out=out)
        return
    out[...] = 0
    if inside is not None:
        out[(..., *inside.within(place))] = read(_rasterio_window(inside))


def _read_warped(
    dataset: Any, one: Input, warp: Warp, window: Window, values: NDArray[Any], planes: Sequence[NDArray[Any]], scratch: Scratch
) -> None:
    """Numbers on the result's grid: NaN where there are none, or with whole numbers a plane that is 0 there."""
    whole = values.dtype.kind != "f"
    dtype = np.dtype(np.float32 if np.can_cast(one.band.dtype, np.float32) else np.float64)
    numbers: NDArray[np.floating[Any]] = scratch.array("warped", values.shape, dtype) if whole else values

    def read(part: Window) -> NDArray[np.floating[Any]]:
        plain = Input(one.band)
        shape = part.height, part.width
        stored = scratch.array("stored", (1, *shape), one.band.dtype)
        masks = [scratch.array(f"mask {number}", shape, _mask_type(number, one.band)) for number in plain.masks]
        _read_as_it_is(dataset, [plain], part, stored, [masks])
        found, flags = scratch.array("numbers", shape, dtype), scratch.array("flags", shape, np.bool_)
        np.copyto(found, stored[0])
        for marked, marker in ((stored[0], one.nodata), (stored[0], one.saturated), *((mask, mask.dtype.type(0)) for mask in masks)):
            mark(marked, marker, flags)
            np.copyto(found, np.nan, where=flags)
        return found

    with _reading(one.band.path, [one.band.number], window):
        warp.fill(window, read, numbers)
    if whole:
        np.isfinite(numbers, out=planes[0].view(np.bool_))
        np.copyto(values, np.nan_to_num(numbers, nan=0.0), casting="unsafe")


def _rasterio_window(window: Window) -> RasterioWindow:
    return RasterioWindow(window.column, window.row, window.width, window.height)


@contextmanager
def _reading(path: str, numbers: Sequence[int], window: Window) -> Iterator[None]:
    try:
        yield
    except ReadError:
        raise
    except RASTER_FAILURES as error:
        text = translate(
            "Bandwise",
            "{file}: band {bands} cannot be read at column {column}, row {row} ({width} x {height} pixels): {reason}; "
            "the file looks damaged or incomplete, so copy or download it again."
        )
        if path.startswith(_NETWORK):
            text = translate(
                "Bandwise",
                "{file}: band {bands} cannot be read at column {column}, row {row} ({width} x {height} pixels): {reason}; "
                "the server may have stopped answering, so check the connection and run again."
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
