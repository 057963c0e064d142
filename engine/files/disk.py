# SPDX-License-Identifier: GPL-2.0-or-later
"""Free disk space, memory, numbers of open files, symbolic links and permissions."""

from __future__ import annotations

import math
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path


def free_bytes(folder: Path) -> int:
    """Return the free bytes for this user on the disk of ``folder``."""
    return shutil.disk_usage(folder).free


def memory_bytes() -> float:
    """Bytes of memory that this machine has; infinite where the system does not tell, as on Windows."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError):
        return math.inf


def open_files() -> float:
    """Return how many files this program may have open; infinite where the system does not tell, as on Windows."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return math.inf
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return math.inf if most == resource.RLIM_INFINITY else most


def behind_links(path: str | Path) -> Path:
    """Return the file that ``path`` points to if it is a symbolic link, existing or not; else ``path``."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else Path(path)


def keep_private(path: Path, former: Path) -> None:
    """Restrict access to a file as to the one that it will replace, if there is one."""
    with suppress(FileNotFoundError):
        os.chmod(path, stat.S_IMODE(former.stat().st_mode) & 0o777 | stat.S_IRUSR | stat.S_IWUSR)


def keep_access(path: Path, former: Path) -> None:
    """Copy the mode and, if allowed, owner and group of the file that ``path`` will replace, if there is one."""
    try:
        status = former.stat()
    except FileNotFoundError:
        return
    for owner in (status.st_uid, -1) if hasattr(os, "chown") else ():
        try:
            os.chown(path, owner, status.st_gid)
            break
        except OSError:  # not permitted, or not supported by the file system
            continue
    os.chmod(path, stat.S_IMODE(status.st_mode) & 0o777)
