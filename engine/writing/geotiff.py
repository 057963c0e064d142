# SPDX-License-Identifier: GPL-2.0-or-later
"""Writing the result: a GeoTIFF that appears complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from ..arrays import NDArray
from ..backend.choice import backend
from ..backend.failures import reason_of
from ..errors import BandwiseError, Cancelled, OutputError
from ..files.disk import behind_links, free_bytes, keep_access, keep_private, memory_bytes
from ..files.sidecars import set_aside, sidecars
from ..files.temporaries import Temporaries, sweep
from ..grids.grid import Grid, Window
from ..messages import translate
from ..radiometry.storage import Storage
from .block_file import BlockFile, Image
from .codec import Encoder
from .cog import write_cog
from .creation import creation_spec, is_sparse, is_uncompressed
from .overviews import Pyramid
from .tiff import block_index, fixed_fields, is_complete, memory_mapped, pack_block
from .tiff_writing import with_overviews

#: Of the memory: a result beyond is written out as it goes, not when the system needs the room
_LARGE = 0.1
#: Sides that GDAL gives to tiles of overviews
_OVERVIEW_BLOCKS = [2**power for power in range(6, 13)]
_OVERVIEW_BLOCK = 256  #: the side where the raster itself has no such tiles


class GeoTiffSink:
    """A GeoTIFF that appears under its name complete, or not at all.

    GDAL makes it, empty, beside ``target`` under a temporary name. Threads encode the blocks of
    their windows and put each at a place of its own, so none waits for another. :meth:`commit`
    enters the places in the file's index, tags, checks and renames it; leaving the context without
    that removes it. ``block`` is the (width, height) of its blocks. With ``overviews`` smaller
    copies are made of the windows while they pass, and with ``cog`` the finished file is laid out
    as a Cloud Optimized GeoTIFF.
    """

    def __init__(
        self,
        target: str,
        grid: Grid,
        names: Sequence[str],
        *,
        storage: Storage,
        profile: Mapping[str, str],
        overviews: bool = False,
        cog: bool = False,
    ) -> None:
        self._name, self.target = Path(target), behind_links(target)
        self.temporary = self.target  # until it is made
        self._as_computed = is_uncompressed(profile)
        self._sparse = is_sparse(profile)
        self._grid, self._storage = grid, storage
        self._spec = creation_spec(grid, names, storage, profile)
        self._profile = profile
        self._names, self._overviews, self._cog = tuple(names), overviews, cog
        size = grid.width * grid.height * len(names) * storage.dtype.itemsize
        self._large = size > memory_bytes() * _LARGE
        self._file: BlockFile
        self._temporaries: Temporaries
        self._open = ExitStack()
        self._pyramid: Pyramid | None = None

    def __enter__(self) -> GeoTiffSink:
        try:
            self._create()
        except BaseException:
            self._discard()
            raise
        return self

    def _create(self) -> None:
        with self._writing():
            sweep(self.target.parent)
            self._temporaries = Temporaries(self.target.parent)
            self._open.callback(self._temporaries.remove)
            self.temporary = self._temporaries.path(".tif")
            created = backend().create(self._spec, str(self.temporary))
            separate = created.separate
            width, height = created.block
            keep_private(self.temporary, self.target)
            self.block = (width, height)
            blocks, sizes = [self.block], [(self._grid.width, self._grid.height)]
            try:
                head = self.temporary.read_bytes()
                if self._overviews:
                    tiled = block_index(head).tiled
                    side = (
                        width
                        if tiled and width == height and width in _OVERVIEW_BLOCKS
                        else _OVERVIEW_BLOCK
                    )
                    self._pyramid = Pyramid(*sizes[0], (side, side), self._storage)
                    sizes = self._pyramid.sizes
                    blocks += [(side, side)] * (len(sizes) - 1)
                    head = with_overviews(head, sizes[1:], side)
                    self.temporary.write_bytes(head)
                indexes = [block_index(head, number) for number, _ in enumerate(sizes)]
            except ValueError as error:
                raise self._not_whole() from error
            self._fields = fixed_fields(head)
            self._images = [
                Image(*shape, separate=separate) for shape in zip(sizes, blocks, indexes)
            ]
            self._encoders = {
                block: self._encoder(block, separate=separate) for block in set(blocks)
            }
            self._file = BlockFile(
                self.temporary,
                self._name,
                end=len(head),
                most_bytes=indexes[0].most_bytes,
                large=self._large,
            )
            self._open.callback(self._file.close)
            for image in self._images if self._as_computed else ():
                image.reserve(self._file, len(self._names), self._storage.dtype.itemsize)

    def _encoder(self, block: tuple[int, int], *, separate: bool) -> Encoder:
        tiles = {"TILED": "YES", "BLOCKXSIZE": str(block[0]), "BLOCKYSIZE": str(block[1])}
        profile = self._profile if block == self.block else {**self._profile, **tiles}
        return Encoder(profile, self._storage, block, separate=separate)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._discard()

    def _discard(self) -> None:
        self._open.close()

    def write(self, window: Window, values: NDArray[Any]) -> None:
        """Write ``values`` of shape (bands, window.height, window.width); several threads may do so at once.

        A window is whole blocks, or if the file is uncompressed any rows of them. With overviews it
        has an even number of rows, but for the last.
        """
        with self._writing():
            self._write(self._images[0], window, values)
            for level, block, halves in self._pyramid.add(window, values) if self._pyramid else ():
                self._write(self._images[level], block, halves)

    def _write(self, image: Image, window: Window, values: NDArray[Any]) -> None:
        file = self._file
        if self._as_computed:
            for part in image.parts(window, values):
                rows = pack_block(part.pixels, image.block[0], image.index.order)
                offset = (
                    int(image.offsets[part.number]) + part.row * rows.nbytes // part.pixels.shape[1]
                )
                file.put(rows.cast("B"), offset)
            return
        parts = list(image.parts(window, values))
        for (number, _, pixels), block in zip(parts, self._encoders[image.block].blocks(values)):
            if not (self._sparse and (pixels == self._storage.nodata).all()):
                image.offsets[number] = file.append(block.nbytes)
                image.byte_counts[number] = block.nbytes
                file.put(block.cast("B"), int(image.offsets[number]))

    def commit(
        self,
        tags: Mapping[str, str],
        band_tags: Sequence[Mapping[str, str]],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Enter the blocks in the index, tag, close, check that all is on disk, and give the file its name.

        ``cancelled`` is called from this thread now and then; nothing is left of the file where it tells so.
        """

        def check() -> None:
            if cancelled():
                raise Cancelled(
                    translate("Bandwise", "The run was cancelled; nothing was written.").format()
                )

        with self._writing():
            for image in self._images:
                for place, numbers in image.index.patches(image.offsets, image.byte_counts):
                    self._file.put(numbers, place)
            self._file.finish()
            check()
            backend().set_tags(str(self.temporary), tags, band_tags)
            if not self._complete(tags):
                raise self._not_whole()
            finished = self._laid_out(check) if self._cog else self.temporary
            check()
            keep_access(finished, self.target)
            with set_aside(
                dict.fromkeys([*sidecars(self._name), *sidecars(self.target)]),
                self._temporaries.name,
            ):
                os.replace(finished, self.target)
            for sidecar in self._temporaries.files():
                suffix = sidecar.name[len(self.temporary.stem) :].replace(
                    ".tif.", f"{self.target.suffix}.", 1
                )
                os.replace(sidecar, self.target.with_name(self.target.stem + suffix))

    def _laid_out(self, check: Callable[[], None]) -> Path:
        """The file with its blocks in the order of a Cloud Optimized GeoTIFF."""
        laid_out = self._temporaries.path(".cog.tif")
        write_cog(self.temporary, laid_out, name=self._name, large=self._large, check=check)
        with memory_mapped(laid_out) as data:
            if not is_complete(data, images=len(self._images), sparse=self._sparse):
                raise self._not_whole()
        self.temporary.unlink()
        return laid_out

    def _not_whole(self) -> OutputError:
        text = translate(
            "Bandwise",
            "{file} could not be written whole; make room on the disk ({free} MB are free) or choose another folder.",
        )
        return OutputError(
            text.format(file=self._name, free=free_bytes(self.target.parent) // 10**6)
        )

    def _complete(self, tags: Mapping[str, str]) -> bool:
        """Whether the file holds every block and the tags: closing does not tell of a disk that ran
        full (GDAL < 3.7).
        """
        try:
            with memory_mapped(self.temporary) as data:
                if not is_complete(data, images=len(self._images), sparse=self._sparse):
                    return False
                if fixed_fields(data) != self._fields:
                    return False
                for number, image in enumerate(self._images):
                    if not image.is_kept(*block_index(data, number).read(data)):
                        return False
        except ValueError:  # cut off, or empty
            return False
        return set(tags) <= set(backend().tags(str(self.temporary)))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except BandwiseError:  # says by itself what is wrong
            raise
        except OSError as error:
            raise OutputError(
                translate(
                    "Bandwise",
                    "{file} cannot be written ({reason}); check the folder, its free space, and "
                    "that no program has the file open.",
                ).format(file=self._name, reason=reason_of(error, str(self.temporary)))
            ) from error
