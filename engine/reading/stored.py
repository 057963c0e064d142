# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows of bands as they are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

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
