# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a GeoTIFF with tifffile and imagecodecs, which share no code with GDAL: every block of every
image, overviews and masks too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import rasterio
import tifffile

_REDUCED, _MASK = 1, 4  #: bits of the tag NewSubfileType


class Counted(NamedTuple):
    """How much of a file was read and compared."""

    images: int
    blocks: int


def read_images(path: str) -> tuple[list[Any], int]:
    """Pixels of every image of the file, shape (bands, rows, columns), masks last, and how many
    blocks they are made of.

    Raises ``ValueError`` for a block that lies beyond the file's end, that overlaps another, or that cannot be decoded.
    """
    images, masks, spans = [], [], []
    with tifffile.TiffFile(path) as file:
        size = file.filehandle.size
        for page in file.pages:
            for offset, count in zip(page.dataoffsets, page.databytecounts):
                if count == 0:
                    continue  # a sparse block
                if offset <= 0 or offset + count > size:
                    raise ValueError(
                        f"a block at {offset} of {count} bytes lies beyond the {size} bytes of the file"
                    )
                spans.append((offset, offset + count))
            pixels = page.asarray()
            if page.samplesperpixel == 1:  # type: ignore[union-attr]
                pixels = pixels.reshape(1, *pixels.shape[-2:])
            elif page.planarconfig == tifffile.PLANARCONFIG.CONTIG:  # type: ignore[union-attr]
                pixels = np.moveaxis(pixels, -1, 0)
            (masks if page.subfiletype & _MASK else images).append(pixels)  # type: ignore[union-attr]
    spans.sort()
    for (_, end), (start, _) in zip(spans, spans[1:]):
        if start < end:
            raise ValueError(f"two blocks share the bytes {start} to {end}")
    return images + masks, len(spans)


def assert_read_alike(path: str) -> Counted:
    """Hold the pixels of every image, as tifffile reads them, against those that rasterio reads; no
    block is missing.
    """
    images, blocks = read_images(path)
    with rasterio.open(path) as dataset:
        levels = dataset.overviews(1)
        sparse = dataset.nodata
        _assert_equal(images[0], dataset.read(), sparse, f"{path}: the raster itself")
    for number in range(len(levels)):
        with rasterio.open(path, overview_level=number) as dataset:
            _assert_equal(
                images[1 + number],
                dataset.read(),
                sparse,
                f"{path}: overview {number + 1} of {len(levels)}",
            )
    assert len(images) >= 1 + len(levels)
    return Counted(1 + len(levels), blocks)


def _assert_equal(ours: Any, theirs: Any, nodata: float | None, what: str) -> None:
    assert ours.shape == theirs.shape, f"{what}: {ours.shape} and {theirs.shape}"
    assert ours.dtype.newbyteorder("=") == theirs.dtype, what
    np.testing.assert_array_equal(ours, theirs, what)
