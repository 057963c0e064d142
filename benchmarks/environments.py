# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the programs: on the machine, or in a chroot with newer versions."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: In a mount namespace of its own, so that nothing stays mounted whatever happens.
_ENTER = (
    'root=$0; mount --bind "$1" "$root/mnt" && mount -t proc proc "$root/proc" || exit 97; '
    'shift; exec chroot "$root" "$@"'
)
ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "benchmarks" / "peers"
_HOME = "/mnt/chroot"
_INSIDE = (
    "PATH=/usr/bin:/bin",
    "QT_QPA_PLATFORM=offscreen",
    f"HOME={_HOME}",
    f"XDG_RUNTIME_DIR={_HOME}",
    f"QGIS_CUSTOM_CONFIG_PATH={_HOME}",
)

EMPTY_ALGORITHM = """
from qgis.core import QgsProcessingAlgorithm


class Empty(QgsProcessingAlgorithm):
    def name(self): return "empty"
    def displayName(self): return "Empty"
    def createInstance(self): return Empty()
    def initAlgorithm(self, configuration=None): pass
    def processAlgorithm(self, parameters, context, feedback): return {}
"""


class Absent(Exception):
    """A tool that is not installed, or that cannot do a task; the message says why."""


@dataclass(frozen=True)
class Place:
    """``folder`` holds scenes and results; ``chroot`` is a Debian with newer tools, if any;
    ``venv`` has the peers that pip installs.
    """

    folder: Path
    chroot: Path | None
    venv: Path
    environment: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)


def program(*names: str) -> str:
    """Return the path of the first of these programs that is installed; raise :class:`Absent` for none."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise Absent(f"{names[-1]} is not installed")


def inside(place: Place, command: Sequence[str]) -> list[str]:
    """Return the command that runs ``command`` in the chroot, where the benchmark's folder is
    ``/mnt``; without a chroot it is returned unchanged.
    """
    if not place.chroot:
        return list(command)
    (place.folder / "chroot").mkdir(mode=0o700, exist_ok=True)
    moved = [part.replace(str(place.folder), "/mnt") for part in command]
    return [
        "unshare",
        "--mount",
        "sh",
        "-c",
        _ENTER,
        str(place.chroot),
        str(place.folder),
        "env",
        *_INSIDE,
        *moved,
    ]


def first_line(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Return the first line that a program prints; raise :class:`Absent` if it does not run."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            env=dict(environment) if environment else None,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise Absent(f"{Path(command[0]).name} does not run") from error
    return next(iter(done.stdout.splitlines()), "")


def split(flag: str, options: Sequence[str]) -> list[str]:
    """Return the arguments of a flag that is repeated for each option."""
    return [part for option in options for part in (flag, option)]
