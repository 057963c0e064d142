# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading windows of the result from the inputs, wherever their own pixels lie."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from ..arrays import NDArray, Scratch
from ..backend.api import Dataset
from ..backend.captured import failures_raised
from ..backend.choice import backend
from ..backend.failures import ran_out_of_memory, reason_of
from ..errors import ReadError
from ..files.locations import is_remote
from ..grids.grid import Window
from ..grids.layout import Resampling
from ..messages import translate
from ..radiometry.scaling import Stack, mark
from .bands import BandFacts
from .inputs import COVERAGE, Input, call_of
from .opening import opened
from .warp import Warp


class _Place(NamedTuple):
    """Where inputs lie that follow each other: rows of the array of their type."""

    inputs: tuple[int, ...]
    dtype: str
    rows: slice


def _places(inputs: Sequence[Input], groups: Iterable[Iterable[int]]) -> list[_Place]:
    places: list[_Place] = []
    ends: Counter[str] = Counter()
    for group in map(tuple, groups):
        dtype = inputs[group[0]].dtype.str
        places.append(_Place(group, dtype, slice(ends[dtype], ends[dtype] + len(group))))
        ends[dtype] += len(group)
    return places


class _Datasets:
    """Datasets by path, what closes them, and how many readers use them."""

    def __init__(self, by_path: Mapping[str, Dataset], handles: ExitStack) -> None:
        self.by_path, self.handles, self.readers = by_path, handles, 0


class Sources:
    """The inputs of one run, opened once per worker, or once for all where datasets are thread-safe.

    ``stacks`` are those that are read, the others stand for their grid; ``handles`` counts the
    datasets that were opened. The thread that opens them opens all: the first of a thread takes ten
    milliseconds more, for PROJ.
    """

    def __init__(self, inputs: Sequence[Input], stacks: Sequence[Stack], workers: int) -> None:
        self.inputs, self.stacks = tuple(inputs), tuple(stacks)
        self.shared = backend().thread_safe
        self.handles = 0
        self._workers = workers
        self._sets: list[_Datasets] = []
        self._lock = threading.Lock()
        self._closed = False

    def open(self) -> None:
        paths = sorted(
            {self.inputs[index].band.path for stack in self.stacks for index in stack.bands}
        )
        times = 1 if self.shared else self._workers
        with backend().worker_settings(), ExitStack() as opening:
            for _ in range(times):
                handles = opening.enter_context(ExitStack())
                self._sets.append(
                    _Datasets(
                        {
                            path: handles.enter_context(
                                closing(opened(path, thread_safe=self.shared))
                            )
                            for path in paths
                        },
                        handles,
                    )
                )
            opening.pop_all()
        self.handles = times * len(paths)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for datasets in self._sets:
                if not datasets.readers:
                    datasets.handles.close()

    def reader(self, pixels: int) -> Reader:
        """What one of the workers reads windows of up to so many pixels by, until it is closed."""
        with self._lock:
            datasets = min(self._sets, key=lambda datasets: datasets.readers)
            datasets.readers += 1
        try:
            return Reader(
                self.inputs, self.stacks, datasets.by_path, pixels, partial(self._release, datasets)
            )
        except BaseException:
            self._release(datasets)
            raise

    def _release(self, datasets: _Datasets) -> None:
        """A thread that was left behind while it read closes its datasets itself, when it wakes."""
        with self._lock:
            datasets.readers -= 1
            if self._closed and not datasets.readers:
                datasets.handles.close()


class Reader:
    """What one thread reads windows by: its ``datasets``, by path, and arrays that are made once,
    for up to ``pixels`` pixels.

    There is one for each type, with a row for each band, so that what is read in one call, and a
    stack, are rows of one array.
    """

    def __init__(
        self,
        inputs: Sequence[Input],
        stacks: Sequence[Stack],
        datasets: Mapping[str, Dataset],
        pixels: int,
        release: Callable[[], None],
    ) -> None:
        self._inputs, self._datasets = inputs, datasets
        self.close = release
        self._stacks = _places(inputs, (stack.bands for stack in stacks))
        order = (index for stack in stacks for index in stack.bands)
        self._calls = _places(
            inputs, (group for _, group in groupby(order, partial(call_of, inputs)))
        )
        self._counts = Counter(stack.dtype.str for stack in stacks for _ in stack.bands)
        self._values = {
            dtype: np.empty(count * pixels, dtype) for dtype, count in self._counts.items()
        }
        self._masks = [
            [np.empty(pixels, _mask_type(number, one.band)) for number in one.masks]
            for one in inputs
        ]
        self._scratch = Scratch()

    def read(self, window: Window) -> tuple[list[NDArray[Any]], list[list[NDArray[Any]]]]:
        """Values of every stack, of shape (bands, window.pixels), and the mask planes of every
        input, of shape (window.pixels,).

        The next window overwrites them. Raises :class:`ReadError` with file, band and window.
        """
        values = {
            dtype: self._values[dtype][: count * window.pixels].reshape(-1, window.pixels)
            for dtype, count in self._counts.items()
        }
        masks = [[plane[: window.pixels] for plane in planes] for planes in self._masks]
        for call in self._calls:
            group = [self._inputs[index] for index in call.inputs]
            dataset = self._datasets[group[0].band.path]
            pixels = values[call.dtype][call.rows].reshape(-1, window.height, window.width)
            planes = [
                [plane.reshape(window.height, window.width) for plane in masks[index]]
                for index in call.inputs
            ]
            if group[0].warp is None:
                _read_as_it_is(dataset, group, window, pixels, planes)
            else:
                _read_warped(
                    dataset, group[0], group[0].warp, window, pixels[0], planes[0], self._scratch
                )
        return [values[stack.dtype][stack.rows] for stack in self._stacks], masks


def _mask_type(number: int, band: BandFacts) -> type[np.generic]:
    """Masks are bytes; an alpha band of fractions keeps them, so that 0.3 is not 0."""
    return np.float32 if number > 0 and band.dtype.kind == "f" else np.uint8


def _read_as_it_is(
    dataset: Dataset,
    group: Sequence[Input],
    window: Window,
    values: NDArray[Any],
    planes: Sequence[Sequence[NDArray[Any]]],
) -> None:
    """Stored values, of shape (bands, height, width), and mask planes of bands of one file; zeros beyond it."""
    band = group[0].band
    place = window.offset(*group[0].shift)
    numbers = [one.band.number for one in group]
    with _reading(band.path, numbers, place), failures_raised():
        _read_part(
            lambda part, **out: dataset.read(numbers, part, **out),
            place,
            band.grid.window,
            values,
        )
        for one, masks in zip(group, planes):
            for number, plane in zip(one.masks, masks):
                if number == COVERAGE:
                    plane[...] = 0
                    inside = place.intersection(band.grid.window)
                    if inside is not None:
                        plane[inside.slices_in(place)] = 1
                else:
                    _read_part(
                        _mask_reader(dataset, one.band, number), place, band.grid.window, plane
                    )


def _mask_reader(dataset: Dataset, band: BandFacts, number: int) -> Callable[..., Any]:
    if number:
        return lambda part, **out: dataset.read(number, part, **out)
    return lambda part, **out: dataset.read_mask(band.number, part, **out)


def _read_part(read: Callable[..., Any], place: Window, whole: Window, out: NDArray[Any]) -> None:
    """Read what lies in the raster, and zeros for what does not."""
    inside = place.intersection(whole)
    if inside == place:
        read(place, out=out)
        return
    out[...] = 0
    if inside is not None:
        out[(..., *inside.slices_in(place))] = read(inside)


def _read_warped(
    dataset: Dataset,
    one: Input,
    warp: Warp,
    window: Window,
    values: NDArray[Any],
    planes: Sequence[NDArray[Any]],
    scratch: Scratch,
) -> None:
    """Numbers on the result's grid: NaN where there are none, or with whole numbers a plane that is 0 there."""
    with _reading(one.band.path, [one.band.number], window):
        if warp.lines is not None and warp.resampling is Resampling.NEAREST:
            for part in warp.parts(window):
                place = part.slices_in(window)
                columns = warp.lines[0].nearest(part.column, part.width, warp.source.width)
                rows = warp.lines[1].nearest(part.row, part.height, warp.source.height)
                _read_nearest(
                    dataset,
                    one,
                    columns,
                    rows,
                    values[place],
                    [plane[place] for plane in planes],
                    scratch,
                )
            return
        whole = values.dtype.kind != "f"
        dtype = np.dtype(np.float32 if np.can_cast(one.band.dtype, np.float32) else np.float64)
        numbers: NDArray[np.floating[Any]] = (
            scratch.array("warped", values.shape, dtype) if whole else values
        )

        def read(part: Window) -> NDArray[np.floating[Any]]:
            stored, invalid = _read_stored(dataset, one, part, scratch)
            found = scratch.array("numbers", stored.shape, dtype)
            np.copyto(found, stored)
            np.copyto(found, np.nan, where=invalid)
            return found

        warp.fill(window, read, numbers)
    if whole:
        np.isfinite(numbers, out=planes[0].view(np.bool_))
        np.copyto(values, np.nan_to_num(numbers, nan=0.0), casting="unsafe")


def _read_nearest(
    dataset: Dataset,
    one: Input,
    columns: NDArray[np.intp],
    rows: NDArray[np.intp],
    values: NDArray[Any],
    planes: Sequence[NDArray[Any]],
    scratch: Scratch,
) -> None:
    """The stored values at columns and rows of the band, -1 beyond it: NaN where there are none, or
    0 and a plane that is 0 there.
    """
    invalid = (
        planes[0].view(np.bool_) if planes else scratch.array("invalid", values.shape, np.bool_)
    )
    across, down = columns[columns >= 0], rows[rows >= 0]
    if across.size and down.size:
        left, top = int(across.min()), int(down.min())
        stored, flags = _read_stored(
            dataset,
            one,
            Window(left, top, int(across.max()) - left + 1, int(down.max()) - top + 1),
            scratch,
        )
        for source, out in ((stored, values), (flags, invalid)):
            near = source.take(columns - left, axis=1, mode="clip")
            out[...] = near.take(rows - top, axis=0, mode="clip")
        invalid |= (rows < 0)[:, np.newaxis] | (columns < 0)
    else:
        invalid[...] = True
    np.copyto(values, 0 if planes else np.nan, where=invalid)
    if planes:
        np.logical_not(invalid, out=invalid)


def _read_stored(
    dataset: Dataset, one: Input, part: Window, scratch: Scratch
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A window of the band as it is stored, and where it is not valid."""
    plain = Input(one.band)
    shape = part.height, part.width
    stored = scratch.array("stored", (1, *shape), one.band.dtype)
    masks = [
        scratch.array(f"mask {number}", shape, _mask_type(number, one.band))
        for number in plain.masks
    ]
    _read_as_it_is(dataset, [plain], part, stored, [masks])
    invalid, flags = (
        scratch.array("any flag", shape, np.bool_),
        scratch.array("flags", shape, np.bool_),
    )
    invalid[...] = False
    for marked, marker in (
        (stored[0], one.nodata),
        (stored[0], one.saturated),
        *((mask, mask.dtype.type(0)) for mask in masks),
    ):
        if marker is not None:
            mark(marked, marker, flags)
            invalid |= flags
    return stored[0], invalid


@contextmanager
def _reading(path: str, numbers: Sequence[int], window: Window) -> Iterator[None]:
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
