# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows and macOS, as far as Linux can play them: what their Python lacks goes, and on Windows an
open file is neither replaced nor removed.

``BANDWISE_SYSTEM=windows`` or ``macos`` has every test, and the processes that tests start, run so.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

SYSTEM = os.environ.get("BANDWISE_SYSTEM", "")
_HERE = Path(__file__).resolve().parent
#: What Python's ``os`` lacks there, of what Linux has and the engine or somebody might use.
LACKING = {
    "": (),
    "macos": ("posix_fadvise", "sched_getaffinity", "posix_fallocate", "copy_file_range"),
    "windows": (
        *("posix_fadvise", "sched_getaffinity", "posix_fallocate", "copy_file_range"),
        *("pwrite", "pwritev", "pread", "preadv", "sysconf", "uname", "fork", "mkfifo"),
        *("chown", "lchown", "fchown", "geteuid", "getuid", "getegid", "getgid", "fchmod"),
    ),
}
#: Calls of ``os`` that Windows refuses for an open file, by how many names they are given.
_REFUSING = {"replace": 2, "rename": 2, "remove": 1, "unlink": 1}


def play(system: str, put: Callable[[Any, str, Any], None], remove: Callable[..., None]) -> None:
    """Make this process one of ``system``.

    Parameters
    ----------
    put, remove
        As ``setattr`` and ``delattr``, or ``MonkeyPatch.setattr`` and ``MonkeyPatch.delattr``.
    """
    for name in LACKING[system]:
        if hasattr(os, name):
            remove(os, name)
    if system == "windows":
        for name, count in _REFUSING.items():
            put(os, name, refusing(getattr(os, name), count))
        put(importlib.import_module("bandwise.engine.files.temporaries"), "fcntl", None)


def refusing(call: Callable[..., None], count: int) -> Callable[..., None]:
    """``call``, a function of ``os``, as on Windows: it raises where one of its first ``count`` names is of a file that
    a process has open.
    """

    def refused(*names: Any, **options: Any) -> None:
        for name in names[:count] if not options else ():  # with dir_fd it is pytest that cleans up
            if is_open(name):
                raise PermissionError(
                    13,
                    "The process cannot access the file because it is being used by another process",
                    os.fspath(name),
                )
        call(*names, **options)

    return refused


def is_open(name: Any) -> bool:
    """Whether a process of this session has the file open: this one, or one that a test started."""
    session = os.getsid(0)
    path = os.path.realpath(os.path.dirname(os.path.abspath(name)))
    path = os.path.join(path, os.path.basename(name))
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(process)) != session:
                continue
            files = [f"/proc/{process}/fd/{file}" for file in os.listdir(f"/proc/{process}/fd")]
        except OSError:  # it ended, or belongs to somebody else
            continue
        for file in files:
            try:
                if os.readlink(file) == path:
                    return True
            except OSError:
                continue
    return False


#: For processes of their own, after ``register.REGISTER``.
PLAY = f"""
import numpy, rasterio  # which look for what goes
sys.path.append({str(_HERE)!r})
import other_systems
sys.path.pop()
other_systems.play({SYSTEM!r}, setattr, delattr)
"""
