# SPDX-License-Identifier: GPL-2.0-or-later
"""Where windows of a result go: the seam between the pipeline and a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from types import TracebackType
from typing import Any, Protocol

from ..arrays import NDArray
from ..grids.grid import Window
from .creation import ResultSpec
from .geotiff import GeoTiffSink


class WindowSink(Protocol):
    """Where workers write windows."""

    def write(self, window: Window, values: NDArray[Any]) -> None:
        """Write stored values of shape (bands, window.height, window.width); several threads may do so at once."""


class Sink(WindowSink, Protocol):
    """A result that appears under its name complete, or not at all.

    It is a context manager: entering makes room beside the name, leaving without :meth:`commit`
    removes whatever is there. Raises :class:`OutputError` where something cannot be written.
    """

    @property
    def block(self) -> tuple[int, int]:
        """The (width, height) that windows are whole multiples of, but at the edges."""

    def __enter__(self) -> Sink: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def commit(
        self,
        tags: Mapping[str, str],
        band_tags: Sequence[Mapping[str, str]],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> str:
        """Add tags, check that all is on disk, and give the result its name; return the name.

        It is a free one beside the target where that cannot be replaced, as on Windows while a
        program has it open. ``cancelled`` is asked from this thread now and then; nothing is left
        where it tells so.
        """


#: What writes a result, by the suffix of its name.
SINKS: dict[str, Callable[[ResultSpec], Sink]] = {".tif": GeoTiffSink, ".tiff": GeoTiffSink}


def sink_for(spec: ResultSpec) -> Sink:
    """Return what writes a result of this name, whose suffix is one of :data:`SINKS`."""
    return SINKS[PurePath(spec.target).suffix.lower()](spec)
