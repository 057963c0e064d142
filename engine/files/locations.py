# SPDX-License-Identifier: GPL-2.0-or-later
"""What the name of a raster tells: whether a server is behind it, and what of it nobody else may see."""

from __future__ import annotations

_NETWORK = (
    "/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls", "/vsiswift", "/vsioss", "/vsiwebhdfs",
    "/vsihdfs", "http:", "https:", "ftp:", "s3:", "gs:"
)  # fmt: skip


def is_remote(path: str) -> bool:
    """Whether GDAL asks a server for the raster, be it within an archive or by a subdataset's name."""
    return any(door in path.lower() for door in _NETWORK)
