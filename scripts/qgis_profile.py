# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a temporary QGIS profile with the plugin, and run algorithms there with the real ``qgis_process``."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NAME = "bandwise"
_RESULT = re.compile(r"^(\w+):\t(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What ``qgis_process run`` gave: ``results`` by output name, ``seconds`` of wall time,
    ``peak_memory`` in MB (10**6 bytes).
    """

    results: dict[str, str]
    seconds: float
    peak_memory: float


class Profile:
    """A profile in ``folder``, made anew, with ``plugin`` (a checkout, which is linked, or a zip,
    which is unpacked) enabled; without it, as QGIS makes one.
    """

    def __init__(self, folder: Path, plugin: Path | None = None) -> None:
        self.folder = folder.resolve()
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        if plugin is None:
            return
        plugins = self.folder / "profiles" / "default" / "python" / "plugins"
        plugins.mkdir(parents=True)
        if plugin.is_dir():
            (plugins / NAME).symlink_to(plugin.resolve(), target_is_directory=True)
        else:
            with zipfile.ZipFile(plugin) as archive:
                archive.extractall(plugins)
        subprocess.run(
            [program(), "plugins", "enable", NAME],
            env=self.environment(),
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def environment(self) -> dict[str, str]:
        """The variables under which QGIS uses this profile, needs no display and has a private folder for its sockets.

        Embedded Python finds its library through the first ``python3`` on the PATH; a pyenv or a
        venv there crashes QGIS, so the folder of QGIS's own programs goes first. Python keeps what
        it compiles, as it does for users.
        """
        private = self.folder / "run"
        private.mkdir(mode=0o700, exist_ok=True)
        defaults = {
            "QT_QPA_PLATFORM": "offscreen",
            "XDG_RUNTIME_DIR": str(private),
            "PYTHONWARNINGS": "ignore::DeprecationWarning",
        }
        search = os.pathsep.join([str(Path(program()).parent), os.environ.get("PATH", "")])
        return {
            **defaults,
            **os.environ,
            "PATH": search,
            "PYTHONDONTWRITEBYTECODE": "",
            "QGIS_CUSTOM_CONFIG_PATH": str(self.folder),
        }

    def run(self, algorithm: str, parameters: Mapping[str, object]) -> Run:
        """Run an algorithm in a process of its own with its log on our standard output.

        Raises ``subprocess.CalledProcessError`` where it fails.
        """
        command = [
            program(),
            "run",
            algorithm,
            "--",
            *(f"{name}={value}" for name, value in parameters.items()),
        ]
        started = time.monotonic()
        lines, peak = [], 0.0
        with subprocess.Popen(
            command,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
                lines.append(line)
                peak = max(peak, _peak_memory(process.pid))
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        return Run(
            results=dict(_RESULT.findall("".join(lines).rpartition("\nResults\n")[2])),
            seconds=time.monotonic() - started,
            peak_memory=peak,
        )


def _peak_memory(process: int) -> float:
    """The most memory (MB) that a running process ever held; 0 where no ``/proc`` tells.

    The usage that ``wait`` reports will not do: it counts what the parent held at the fork.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def program() -> str:
    """The ``qgis_process`` program; Debian's wrapper of that name hands it an option that it refuses."""
    for name in ("qgis_process.bin", "qgis_process"):
        path = shutil.which(name)
        if path:
            return path
    raise FileNotFoundError("qgis_process is not on the PATH; install QGIS")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the profile; what it holds is removed")
    parser.add_argument("plugin", type=Path, help="a checkout or a zip of the plugin")
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        help="a program to run with that profile, and its arguments",
    )
    arguments = parser.parse_args()
    profile = Profile(arguments.folder, arguments.plugin)
    if arguments.command:
        sys.exit(
            subprocess.run(arguments.command, env=profile.environment(), check=False).returncode
        )


if __name__ == "__main__":
    main()
