# SPDX-License-Identifier: GPL-2.0-or-later
"""Writing the result: a GeoTIFF that appears complete or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from ..arrays import NDArray
from ..backend.api import Created
from ..backend.choice import backend
from ..backend.failures import reason_of
from ..errors import BandwiseError, Cancelled, OutputError
from ..files.disk import behind_links, free_bytes, keep_access, keep_private, memory_bytes
from ..files.placing import place
from ..files.temporaries import Temporaries, sweep
from ..grids.grid import Window
from ..messages import translate
from .blocks import Blocks
from .cog import write_cog
from .creation import ResultSpec, creation_spec

#: Of the memory: a result beyond is written out as it goes, not when the system needs the room
_LARGE = 0.1


class GeoTiffSink:
    """A GeoTIFF as a :class:`~.sink.Sink`.

    GDAL creates it, empty, beside its name under a temporary one. Threads encode the blocks of
    their windows and put each at a place of its own, so none waits for another. :meth:`commit`
    enters the places in the file's index, tags, checks and renames it.

    A window is whole blocks, or if the file is uncompressed any rows of them. With overviews it has
    an even number of rows, but for the last.
    """

    def __init__(self, spec: ResultSpec) -> None:
        self._spec = spec
        self._name, self.target = Path(spec.target), behind_links(spec.target)
        self._created = creation_spec(spec.grid, spec.names, spec.storage, spec.profile)
        self._large = spec.size > memory_bytes() * _LARGE
        self.temporary = self.target  # until it is made
        self.block = (0, 0)
        self._blocks: Blocks
        self._temporaries: Temporaries
        self._open = ExitStack()

    def __enter__(self) -> GeoTiffSink:
        try:
            with self._writing():
                self._create()
        except BaseException:
            self._open.close()
            raise
        return self

    def _create(self) -> None:
        sweep(self.target.parent)
        self._temporaries = Temporaries(self.target.parent)
        self._open.callback(self._temporaries.remove)
        self.temporary = self._temporaries.path(".tif")
        created = backend().create(self._created, str(self.temporary))
        keep_private(self.temporary, self.target)
        self.block = created.block
        try:
            self._blocks = self._new_blocks(self._spec, created, self.temporary, large=self._large)
        except ValueError as error:
            raise self._incomplete() from error
        self._open.callback(self._blocks.close)

    def _new_blocks(self, spec: ResultSpec, created: Created, path: Path, *, large: bool) -> Blocks:
        return Blocks(spec, created, path, large=large)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def write(self, window: Window, values: NDArray[Any]) -> None:
        """See :meth:`~.sink.Sink.write`."""
        with self._writing():
            self._blocks.write(window, values)

    def commit(
        self,
        tags: Mapping[str, str],
        band_tags: Sequence[Mapping[str, str]],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> str:
        """See :meth:`~.sink.Sink.commit`."""

        def check() -> None:
            if cancelled():
                text = translate("Bandwise", "The run was cancelled; nothing was written.")
                raise Cancelled(text.format())

        with self._writing():
            self._blocks.finish()
            check()
            backend().set_tags(str(self.temporary), tags, band_tags)
            if not (self._blocks.is_kept() and self._has(tags)):
                raise self._incomplete()
            finished = self._laid_out(check) if self._spec.cog else self.temporary
            check()
            keep_access(finished, self.target)
            placed = place(
                finished, self.target, self._temporaries, self.temporary, named=self._name
            )
        return self._spec.target if placed == self.target else str(placed)

    def _has(self, tags: Mapping[str, str]) -> bool:
        return set(tags) <= set(backend().tags(str(self.temporary)))

    def _laid_out(self, check: Callable[[], None]) -> Path:
        """The file with its blocks in the order of a Cloud Optimized GeoTIFF."""
        laid_out = self._temporaries.path(".cog.tif")
        write_cog(self.temporary, laid_out, name=self._name, large=self._large, check=check)
        if not self._blocks.has_all_images(laid_out):
            raise self._incomplete()
        self.temporary.unlink()
        return laid_out

    def _incomplete(self) -> OutputError:
        text = translate(
            "Bandwise",
            "{file} could not be written whole; make room on the disk ({free} MB are free) or choose another folder.",
        )
        free = free_bytes(self.target.parent) // 10**6
        return OutputError(text.format(file=self._name, free=free))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say in a sentence why the file cannot be written. Raises :class:`OutputError`."""
        try:
            yield
        except BandwiseError:  # says by itself what is wrong
            raise
        except OSError as error:
            text = translate(
                "Bandwise",
                "{file} cannot be written ({reason}); check the folder, its free space, and "
                "that no program has the file open.",
            )
            reason = reason_of(error, str(self.temporary))
            raise OutputError(text.format(file=self._name, reason=reason)) from error
