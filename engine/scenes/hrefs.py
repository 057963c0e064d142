# SPDX-License-Identifier: GPL-2.0-or-later
"""From a link of a STAC item to the name that GDAL opens: images on servers that it knows, and files.

A link may name nothing else: no driver, no virtual file and no connection of GDAL, no share of
another computer, and no local file that does not look like an image.
"""

from __future__ import annotations

import os
import re
from urllib.parse import unquote, urlsplit

from ..messages import shown, translate
from ..radiometry.formats.metadata_file import unusable

_DOORS = {"s3": "/vsis3/", "gs": "/vsigs/", "az": "/vsiaz/"}
_IMAGES = (".tif", ".tiff", ".jp2")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9_+.-]+:")  # two characters: C: is a drive
_LONGEST = 8_000  #: characters; signed links have some hundreds


def gdal_name(item: str, href: str) -> str:
    """Return the name by which GDAL opens a link of the file ``item``; empty for what is no image.

    Raises
    ------
    MetadataError
        For a link that names what no item needs.
    """
    if len(href) > _LONGEST or not href.isprintable() or href.startswith(("//", "\\\\", "/vsi")):
        raise _refused(item, href)
    scheme = _SCHEME.match(href)
    if not scheme:
        return _local(item, href) if _is_image(href) else ""
    try:
        url = urlsplit(href)
    except ValueError as error:
        raise _refused(item, href) from error
    if not _is_image(url.path):
        return ""
    if url.scheme in ("http", "https") and url.hostname:
        return f"/vsicurl/{href}"
    if url.scheme in _DOORS and url.netloc:
        return f"{_DOORS[url.scheme]}{url.netloc}{url.path}"
    if url.scheme == "file" and url.netloc in ("", "localhost"):
        path = unquote(url.path)
        return _local(item, path[1:] if re.match(r"^/[A-Za-z]:", path) else path)
    raise _refused(item, href)


def plain_path(name: str) -> str:
    """Return the path of a name of GDAL's, without the query of a signed link."""
    return name.partition("?")[0] if name.startswith("/vsicurl/") else name


def _local(item: str, href: str) -> str:
    if not href.isprintable() or href.replace("\\", "/").startswith(("//", "/vsi")):
        raise _refused(item, href)
    folder = os.path.dirname(item if item.startswith("/vsi") else os.path.abspath(item))
    path = os.path.normpath(os.path.join(folder, href))
    return path.replace(os.sep, "/") if item.startswith("/vsi") else path


def _is_image(path: str) -> bool:
    return path.lower().endswith(_IMAGES)


def _refused(item: str, href: str) -> Exception:
    text = translate(
        "Bandwise",
        "its asset {href} is neither an image on a server (https, s3, gs, az) nor a file",
    )
    return unusable(item, text.format(href=shown(href)))
