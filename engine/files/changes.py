# SPDX-License-Identifier: GPL-2.0-or-later
"""Check whether a file changed while it was read: the result would have old and new pixels."""

from __future__ import annotations

import base64
import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from ..errors import ReadError
from ..messages import translate

_SECONDS = 10


class State(NamedTuple):
    """The state of a file by the file system or a server: size, time of change and tag (ETag).

    ``identity`` is (inode, time of the inode's change) of a local file.
    """

    size: int
    modified: int | str
    tag: str = ""
    identity: tuple[int, int] = (0, 0)

    def differs(self, other: State) -> bool:
        """Return whether the file changed.

        Another inode alone is no change, as some network drives renumber files: the time of the
        inode's change must differ, too.
        """
        moved = all(own != others for own, others in zip(self.identity, other.identity))
        return (self.size, self.modified, self.tag) != (
            other.size,
            other.modified,
            other.tag,
        ) or moved


def states_of(files: Iterable[str]) -> dict[str, State]:
    """Return the state of each file that has one, except ``.aux.xml`` files, which have no pixels
    and which QGIS writes for the layers that it shows.
    """
    states = {file: _state(file) for file in dict.fromkeys(files) if not file.endswith(".aux.xml")}
    return {file: state for file, state in states.items() if state is not None}


def check_unchanged(before: Mapping[str, State]) -> None:
    """Raise :class:`ReadError` for a file that changed since these states."""
    for file, state in before.items():
        if _is_changed(file, state):
            text = translate(
                "Bandwise",
                "{file} was changed or removed while it was read, so nothing was written; run "
                "again when no program writes to it.",
            )
            raise ReadError(text.format(file=file))


def _is_changed(file: str, before: State) -> bool:
    now = _state(file)
    if now is None:
        return not url_of(file)  # a server that does not answer is no sign of a change
    if not now.differs(before):
        return False
    tag_alone = bool(now.tag) and not now._replace(tag=before.tag).differs(before)
    # the machines of one server may give a file different tags
    return not (tag_alone and any(again != now for again in (_state(file), _state(file))))


def _state(file: str) -> State | None:
    url = url_of(file)
    if url:
        return _remote_state(url, file)
    path = _behind(file)
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return None
    return (
        State(facts.st_size, facts.st_mtime_ns, "", (facts.st_ino, facts.st_ctime_ns))
        if stat.S_ISREG(facts.st_mode)
        else None
    )


def _behind(file: str) -> str:
    """Return the file on disk that a GDAL name refers to, such as an archive."""
    if not file.startswith("/vsi"):
        return file
    path = re.sub(r"^(/vsi(zip|tar|gzip|7z|rar|subfile|sparse|crypt|cached)/+)+", "", file)
    path = re.sub(r"^\d+(_\d+)?,", "", path).strip("{")
    for start in (path, "/" + path):
        for candidate in (Path(start), *Path(start).parents):
            if candidate.is_file():
                return str(candidate)
    return file


def url_of(file: str) -> str:
    """Return the address of a file that GDAL reads by HTTP, empty for others.

    Files in S3 and similar stores are others, as their requests need signatures that only GDAL makes.
    """
    if file.startswith("/vsicurl/"):
        file = file[len("/vsicurl/") :]
    elif file.startswith("/vsicurl?"):
        file = dict(parse_qsl(file[len("/vsicurl?") :])).get("url", "")
    return file if file.startswith(("http://", "https://")) else ""


def _remote_state(url: str, file: str) -> State | None:
    """Return the state by a GET request for the first byte, as a signed address may allow no HEAD request."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    import urllib.request  # noqa: PLC0415  a third of the engine's import time; local files do not need it
    from http.client import HTTPException  # noqa: PLC0415

    secrets = {}
    if user:
        secrets["Authorization"] = "Basic " + base64.b64encode(unquote(user).encode()).decode()
    if file.startswith("/vsicurl?"):
        options = parse_qsl(file[len("/vsicurl?") :])
        secrets.update(
            {name[len("header.") :]: value for name, value in options if name.startswith("header.")}
        )
    try:
        request = urllib.request.Request(urlunsplit(parts._replace(netloc=host)))  # noqa: S310, url_of gives http and https alone
        request.add_header("Range", "bytes=0-0")
        request.add_header("Accept-Encoding", "identity")
        # not sent to another server after a redirect
        for name, value in secrets.items():
            request.add_unredirected_header(name, value)
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310  # nosec B310
            length = answer.headers.get("Content-Range", "").rpartition("/")[
                2
            ] or answer.headers.get("Content-Length", "")
            tag, modified = (answer.headers.get(name, "") for name in ("ETag", "Last-Modified"))
    except (OSError, ValueError, HTTPException):
        return None
    return State(int(length) if length.isascii() and length.isdigit() else -1, modified, tag)
