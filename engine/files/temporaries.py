# SPDX-License-Identifier: GPL-2.0-or-later
"""Temporary files beside a result, and the removal of those of killed runs."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed
    fcntl = None  # type: ignore[assignment]

_PREFIX = ".bandwise-"
_LOCK = ".lock"
_SWEPT = re.compile(rf"({re.escape(_PREFIX)}([0-9a-f]{{8}})-[0-9a-f]{{12}})\.")
_FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_MACHINE_ID = Path("/etc/machine-id")


class Temporaries:
    """The temporary files of one run in ``folder``: names with a common start, and a lock while the run is alive.

    The lock is a file, created first and removed last; the system unlocks it when the process ends.
    If the file system has no locks, the names are such that :func:`sweep` ignores them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None
        self._stem = f"{_PREFIX}{uuid.uuid4().hex[:12]}"
        while self._lock is None:
            stem = f"{_PREFIX}{_host()}-{uuid.uuid4().hex[:12]}"
            path = folder / f"{stem}{_LOCK}"
            self._lock = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
            locked = _can_lock(self._lock)
            if locked is None:
                self._unlock(path)
                return
            # another run removed it before it was locked
            if not locked or not _is_file(self._lock, path):
                os.close(self._lock)
                self._lock = None
                continue
            self._stem = stem

    def name(self, suffix: str) -> str:
        """Return the name of a temporary file with this suffix, such as ``.tif``."""
        return f"{self._stem}{suffix}"

    def path(self, suffix: str) -> Path:
        """Return the path of the temporary file with this suffix, which need not exist."""
        return self._folder / self.name(suffix)

    def files(self) -> list[Path]:
        """Return those that exist, and files that GDAL wrote beside them."""
        return sorted(
            path
            for path in self._folder.iterdir()
            if path.name.startswith(f"{self._stem}.") and path.suffix != _LOCK
        )

    def remove(self) -> None:
        """Remove them all, and then the lock; a later run removes what cannot be removed now."""
        with suppress(OSError):
            for path in self.files():
                with suppress(OSError):
                    path.unlink()
        if self._lock is not None:
            self._unlock(self.path(_LOCK))

    def _unlock(self, path: Path) -> None:
        if self._lock is None:
            return
        if fcntl is not None:  # removed before it is unlocked, so that nobody sees it unlocked
            path.unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = None
        with suppress(OSError):  # another run has it open
            path.unlink(missing_ok=True)


def is_temporary(name: str) -> bool:
    """Return whether a file of this name is one that :func:`sweep` may remove."""
    return _SWEPT.match(name) is not None


def sweep(folder: Path) -> None:
    """Remove the temporary files in ``folder`` of runs on this host whose lock nobody holds; never raise."""
    groups: dict[str, list[str]] = defaultdict(list)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _SWEPT.match(entry.name)
            if match and match[2] == _host() and entry.is_file(follow_symlinks=False):
                groups[match[1]].append(entry.name)
    for stem, names in groups.items():
        with suppress(OSError):
            _sweep_group(folder / f"{stem}{_LOCK}", [folder / name for name in names])


def _sweep_group(lock: Path, files: list[Path]) -> None:
    """Remove the files of a killed run, its lock last, so that a sweep that is killed is completed by the next."""
    if fcntl is None:
        lock.unlink(missing_ok=True)  # raises where a process has it open
        for path in files:
            path.unlink(missing_ok=True)
        return
    try:
        file = os.open(lock, _FLAGS)
    except FileNotFoundError:  # the lock is removed last, so the run has ended
        file = None
    try:
        if file is None or _can_lock(file):
            for path in files:
                if path != lock:
                    path.unlink(missing_ok=True)
            lock.unlink(missing_ok=True)
    finally:
        if file is not None:
            os.close(file)


def _can_lock(file: int) -> bool | None:
    """Lock an open file until it is closed; return False if it is locked, None if the file system has no locks."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_file(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _host() -> str:
    """Return an id of this host, to distinguish it from others that share the disk."""
    machine, name = (
        b"",
        os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", ""),
    )
    with suppress(OSError):
        machine = _MACHINE_ID.read_bytes()
    return hashlib.sha256(name.encode() + machine).hexdigest()[:8]
