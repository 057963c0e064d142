# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian release in a folder, made by debootstrap, and commands that run inside it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

#: One script of debootstrap serves all releases of the last years, also those it does not know by name.
_SCRIPT = "/usr/share/debootstrap/scripts/sid"
#: Namespaces that end with this process, however it ends, and the mounts in them: nothing stays mounted.
_NAMESPACES = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
)
_ENTER = """
root=$1; mounts=$2; shift 2
mkdir -p "$root/dev/shm"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
while [ "$mounts" -gt 0 ]; do
    mkdir -p "$root$2"
    mount --bind -o ro "$1" "$root$2"
    mounts=$((mounts - 1)); shift 2
done
chroot "$root" env -i "$@"
"""
#: Releases that are no longer published, or seldom, have lists whose date has passed.
_APT = ("apt-get", "-q", "-y", "-o", "Acquire::Check-Valid-Until=false")
_PASSED_ON = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "http_proxy", "https_proxy", "no_proxy")
HOME = "/root"


class Chroot:
    """A release of Debian in ``root``; what is there is used again."""

    def __init__(self, root: Path, release: str) -> None:
        self.root = root.resolve()
        self.release = release

    def build(self, packages: Sequence[str]) -> None:
        """Make the chroot where it is missing or was left unfinished; see that it has ``packages``."""
        finished = self.root / "var" / "lib" / "matrix-finished"
        if not finished.exists():
            shutil.rmtree(self.root, ignore_errors=True)
            self.root.mkdir(parents=True)
            bootstrap = ("debootstrap", "--variant=minbase", self.release, str(self.root))
            subprocess.run([*_NAMESPACES, *bootstrap, _mirror(), _SCRIPT], check=True)
            self.run([*_APT, "update"])
        self.run([*_APT, "install", "--no-install-recommends", *packages])
        finished.touch()

    def remove(self, package: str) -> None:
        self.run([*_APT, "remove", package])

    def run(
        self,
        command: Sequence[str],
        *,
        folders: Mapping[Path, str] | None = None,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
        stdout: int | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside, where ``folders`` of this machine can be read at other paths."""
        mounts = folders or {}
        variables = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": HOME,
            "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            **(environment or {}),
        }
        return subprocess.run(
            [
                *(*_NAMESPACES, "sh", "-ec", _ENTER, "sh", str(self.root), str(len(mounts))),
                *(str(part) for mount in mounts.items() for part in mount),
                *(f"{name}={value}" for name, value in variables.items()),
                *command,
            ],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            check=check,
            text=True,
        )


def pip_settings() -> dict[str, str]:
    """What this machine's pip is told by files and variables, as variables."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    settings = {}
    # variables come last: they count before files, as in pip
    for line in sorted(listed.splitlines(), key=lambda line: line.startswith(":env:")):
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2].upper().replace("-", "_")
        settings[f"PIP_{name}"] = ast.literal_eval(value)
    return settings


def pip_folders() -> dict[Path, str]:
    """The folders of this machine that pip's settings name, at the same paths inside; an index
    links to files beside it.
    """
    words = " ".join(pip_settings().values())
    return {folder: str(folder) for folder in sorted(set(_folders(words)))}


def _folders(words: str) -> Iterator[Path]:
    for word in words.split():
        path = Path(word.removeprefix("file://"))
        if path.is_absolute() and path.exists():
            beside = path.is_file() or word.startswith("file://")
            yield path.parent if beside else path


def _mirror() -> str:
    """The address that this machine's apt gets Debian from."""
    wanted = ("Identifier: Packages", "Origin: Debian", "Label: Debian")
    command = ["apt-get", "indextargets", "--format", "$(SITE)", *wanted]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return listed.split()[0]
