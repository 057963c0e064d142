# SPDX-License-Identifier: GPL-2.0-or-later
"""Recognise names of rasters on servers."""

from __future__ import annotations

_NETWORK = (
    "/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls", "/vsiswift", "/vsioss", "/vsiwebhdfs",
    "/vsihdfs", "http:", "https:", "ftp:", "s3:", "gs:"
)  # fmt: skip


def is_remote(path: str) -> bool:
    """Return whether GDAL reads the raster from a server, also in an archive or as a subdataset."""
    return any(start in path.lower() for start in _NETWORK)
