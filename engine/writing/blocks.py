# SPDX-License-Identifier: GPL-2.0-or-later
"""The blocks of a result and its overviews: encoded by threads, each put at a place of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..arrays import NDArray
from ..backend.api import Created
from ..errors import OutputError
from ..grids.grid import Window
from .block_file import BlockFile, Image
from .codec import Encoder
from .creation import ResultSpec, is_sparse, is_tiled, is_uncompressed
from .overviews import Pyramid
from .tiff import block_index, fixed_fields, is_complete, memory_mapped, pack_block
from .tiff_writing import with_overviews

#: Sides that GDAL gives to tiles of overviews
_OVERVIEW_BLOCKS = [2**power for power in range(6, 13)]
_OVERVIEW_BLOCK = 256  #: the side where the raster itself has no such tiles


class Blocks:
    """Writes windows into the GeoTIFF ``path``, which was created without a block.

    Directories of overviews are added to it. A ``large`` file is kept out of memory. ``levels`` and
    ``above`` are those of :class:`~.overviews.Pyramid`. Raises ``ValueError`` if the file is not whole.
    """

    def __init__(
        self,
        spec: ResultSpec,
        created: Created,
        path: Path,
        *,
        large: bool,
        levels: int | None = None,
        above: Callable[[Window, NDArray[Any]], None] | None = None,
    ) -> None:
        self._path, self._storage = path, spec.storage
        self._sparse, self._uncompressed = is_sparse(spec.profile), is_uncompressed(spec.profile)
        self._overviews: Pyramid | None = None
        blocks, sizes = [created.block], [(spec.grid.width, spec.grid.height)]
        head = path.read_bytes()
        if spec.overviews:
            side = overview_side(spec.profile, created.block)
            self._overviews = Pyramid(
                *sizes[0], (side, side), spec.storage, levels=levels, above=above
            )
            sizes = self._overviews.sizes
            blocks += [(side, side)] * (len(sizes) - 1)
            head = with_overviews(head, sizes[1:], side)
            path.write_bytes(head)
        indexes = [block_index(head, number) for number, _ in enumerate(sizes)]
        self._fields = fixed_fields(head)
        self._images = [
            Image(*shape, separate=created.separate) for shape in zip(sizes, blocks, indexes)
        ]
        self._encoders = {block: _encoder(spec, created, block) for block in set(blocks)}
        most_bytes = indexes[0].most_bytes
        self._file = BlockFile(
            path, Path(spec.target), end=len(head), most_bytes=most_bytes, large=large
        )
        self._start = self._file.append(0)
        try:
            for image in self._images if self._uncompressed else ():
                image.reserve(self._file, len(spec.names), spec.storage.dtype.itemsize)
        except OutputError:
            self._file.close()  # else Windows does not remove it
            raise

    def write(self, window: Window, values: NDArray[Any]) -> None:
        """Write a window, of shape (bands, height, width), and what it adds to the overviews."""
        self._write(0, window, values)
        for level, block, halves in self._overviews.add(window, values) if self._overviews else ():
            self._write(level, block, halves)

    def _write(self, level: int, window: Window, values: NDArray[Any]) -> None:
        image = self._images[level]
        if self._uncompressed:
            for part in image.parts(window, values):
                rows = pack_block(part.pixels, image.block[0], image.index.order)
                above = part.row * rows.nbytes // part.pixels.shape[1]
                self._file.put(rows.cast("B"), int(image.offsets[part.number]) + above)
            return
        for number, block in self._encoded(level, window, values):
            self._append(image, number, block)

    def _encoded(
        self, level: int, window: Window, values: NDArray[Any]
    ) -> Iterator[tuple[int, memoryview]]:
        """Yield number and bytes of each block of a window of whole blocks."""
        image = self._images[level]
        parts = list(image.parts(window, values))
        for (number, _, pixels), block in zip(parts, self._encoders[image.block].blocks(values)):
            if not (self._sparse and (pixels == self._storage.nodata).all()):
                yield number, block.cast("B")

    def _append(self, image: Image, number: int, block: memoryview | bytes) -> None:
        image.offsets[number] = self._file.append(len(block))
        image.byte_counts[number] = len(block)
        self._file.put(block, int(image.offsets[number]))

    def finish(self) -> None:
        """Enter the blocks in the file's index, and close it."""
        for image in self._images:
            for offset, numbers in image.index.patches(image.offsets, image.byte_counts):
                self._file.put(numbers, offset)
        self._file.finish()

    def close(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def has_all_images(self, path: Path) -> bool:
        """Return whether a file holds every block of the raster and its overviews.

        Raises ``ValueError`` for one that is cut off.
        """
        with memory_mapped(path) as data:
            return is_complete(data, images=len(self._images), sparse=self._sparse)

    def is_kept(self) -> bool:
        """Return whether the file is what was written.

        Closing it does not tell of a disk that ran full (GDAL < 3.7).
        """
        try:
            if not self.has_all_images(self._path):
                return False
            with memory_mapped(self._path) as data:
                return fixed_fields(data) == self._fields and all(
                    image.is_kept(*block_index(data, number).read(data))
                    for number, image in enumerate(self._images)
                )
        except ValueError:  # cut off, or empty
            return False


def overview_side(profile: Mapping[str, str], block: tuple[int, int]) -> int:
    """The side of the tiles of overviews, as GDAL would choose it."""
    width, height = block
    square = is_tiled(profile) and width == height
    return width if square and width in _OVERVIEW_BLOCKS else _OVERVIEW_BLOCK


def _encoder(spec: ResultSpec, created: Created, block: tuple[int, int]) -> Encoder:
    tiles = {"TILED": "YES", "BLOCKXSIZE": str(block[0]), "BLOCKYSIZE": str(block[1])}
    profile = spec.profile if block == created.block else {**spec.profile, **tiles}
    return Encoder(profile, spec.storage, block, separate=created.separate)
