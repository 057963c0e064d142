# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain binary files that are shorter than their header says."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np


class Facts(Protocol):
    """The properties of an open raster that are needed here."""

    @property
    def driver(self) -> str:
        """GDAL's short name of the format."""

    @property
    def width(self) -> int:
        """Number of columns."""

    @property
    def height(self) -> int:
        """Number of rows."""

    @property
    def dtypes(self) -> Sequence[str]:
        """Names of the bands' types, as numpy's."""

    def tags(self, domain: str) -> Mapping[str, str]:
        """Return the metadata items of a domain."""


def is_cut_short(path: str, dataset: Facts) -> bool:
    """Return whether GDAL would silently read zeros after the end of the file, as it does for plain binary files."""
    if dataset.driver == "ENVI":
        header = dataset.tags("ENVI")
        size = (
            dataset.width
            * dataset.height
            * sum(np.dtype(dtype).itemsize for dtype in dataset.dtypes)
        )
        offset = header.get("header_offset", "0").strip()
        return header.get("file_compression", "0").strip() == "0" and _is_shorter(
            path, size + (int(offset) if offset.isdecimal() else 0)
        )
    if dataset.driver != "VRT" or "VRTRawRasterBand" not in (
        text := "".join(dataset.tags("xml:VRT").values())
    ):
        return False
    from xml.etree import ElementTree  # noqa: PLC0415  # nosec B405  only few files need it

    # GDAL's own XML of the file, not the file itself
    root = ElementTree.fromstring(text)  # noqa: S314  # nosec B314
    for number, band in enumerate(root.iterfind("VRTRasterBand")):
        name = band.find("SourceFilename")
        if band.get("subClass") != "VRTRawRasterBand" or name is None or not name.text:
            continue
        source = (
            os.path.join(os.path.dirname(path), name.text)
            if name.get("relativetoVRT", name.get("relativeToVRT")) == "1"
            else name.text
        )
        size = np.dtype(dataset.dtypes[number]).itemsize
        pixel = int(band.findtext("PixelOffset") or size)
        line = int(band.findtext("LineOffset") or pixel * dataset.width)
        if min(pixel, line) >= 0 and _is_shorter(
            source,
            int(band.findtext("ImageOffset") or 0)
            + (dataset.height - 1) * line
            + (dataset.width - 1) * pixel
            + size,
        ):
            return True
    return False


def _is_shorter(path: str, size: int) -> bool:
    return os.path.isfile(path) and os.path.getsize(path) < size
