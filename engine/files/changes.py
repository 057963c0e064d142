# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a raster changed while it was read: its result would mix old pixels and new ones."""

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
    """What the file system, or a server, says of a file: size, time and tag.

    ``identity`` is the (inode, time of its change) of a local one.
    """

    size: int
    modified: int | str
    tag: str = ""
    identity: tuple[int, int] = (0, 0)

    def differs(self, other: State) -> bool:
        """Some network drives number a file anew now and then: another inode counts where its
        change has another time, too.
        """
        moved = all(mine != theirs for mine, theirs in zip(self.identity, other.identity))
        return (self.size, self.modified, self.tag) != (
            other.size,
            other.modified,
            other.tag,
        ) or moved


def states_of(files: Iterable[str]) -> dict[str, State]:
    """The state of each file that tells one; sidecars of metadata, which QGIS writes for layers
    that it shows, hold no pixels.
    """
    states = {file: _state(file) for file in dict.fromkeys(files) if not file.endswith(".aux.xml")}
    return {file: state for file, state in states.items() if state is not None}


def check_unchanged(before: Mapping[str, State]) -> None:
    """Raise :class:`ReadError` for a file that is not what it was."""
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
        return not url_of(file)  # a server that does not answer now says nothing about the file
    if not now.differs(before):
        return False
    tag_alone = bool(now.tag) and not now._replace(tag=before.tag).differs(before)
    # machines of one server may tag a file differently
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
    """The file on disk that a name of GDAL's leads to, such as an archive."""
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
    """The address that GDAL asks for a file by HTTP, empty for other files; those of S3 and its kin
    need signatures that only GDAL makes.
    """
    if file.startswith("/vsicurl/"):
        file = file[len("/vsicurl/") :]
    elif file.startswith("/vsicurl?"):
        file = dict(parse_qsl(file[len("/vsicurl?") :])).get("url", "")
    return file if file.startswith(("http://", "https://")) else ""


def _remote_state(url: str, file: str) -> State | None:
    """What a server says with the first byte of a file: it may have signed nothing but that it is got."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    import urllib.request  # noqa: PLC0415  a third of the time that the engine's import takes, for runs over local files
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
        # another server, to which this one sends us, must not see them
        for name, value in secrets.items():
            request.add_unredirected_header(name, value)
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310  # nosec B310
            whole = answer.headers.get("Content-Range", "").rpartition("/")[
                2
            ] or answer.headers.get("Content-Length", "")
            tag, modified = (answer.headers.get(name, "") for name in ("ETag", "Last-Modified"))
    except (OSError, ValueError, HTTPException):
        return None
    return State(int(whole) if whole.isascii() and whole.isdigit() else -1, modified, tag)
