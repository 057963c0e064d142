# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that do only a part of the work, as lower bounds of the time that a tool needs."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from ..cases import names_in
from ..environments import PEERS, program
from .bandwise import engine_command
from .task import Task


def copied_band(task: Task) -> str:
    """Return the name of the band that these commands copy."""
    return next(iter(task.bands))


def engine_copy_command(task: Task) -> list[str]:
    """Return the command of the engine that copies one band."""
    name = copied_band(task)
    return engine_command(replace(task, expression=name, bands={name: task.bands[name]}))


def band_sum(task: Task) -> str:
    """Return the simplest expression that reads all bands."""
    return " + ".join(task.bands)


def engine_sum_command(task: Task) -> list[str]:
    """Return the command of the engine that adds all bands."""
    return engine_command(replace(task, expression=band_sum(task)))


def first_result(task: Task) -> str:
    """Return the expression of the result's first band."""
    return task.expressions[0]


def engine_one_command(task: Task) -> list[str]:
    """Return the command of the engine that computes the first band of the result."""
    expression = first_result(task)
    bands = {name: place for name, place in task.bands.items() if name in names_in(expression)}
    return engine_command(replace(task, expression=expression, bands=bands))


def dd_command(task: Task) -> list[str]:
    """Return a command that writes as many bytes as the result has: float32 from bands of 16 bits."""
    size = 2 * Path(task.bands[copied_band(task)][0]).stat().st_size
    megabytes = size * len(task.expressions) // 2**20
    return ["dd", "if=/dev/zero", f"of={task.output}", "bs=1M", f"count={megabytes}"]


def cp_command(task: Task) -> list[str]:
    """Return a command that copies the file of a band."""
    return [
        "cp",
        "--sparse=never",
        "--reflink=never",
        task.bands[copied_band(task)][0],
        task.output,
    ]


def decode_command(task: Task) -> list[str]:
    """Return a command that decodes all inputs."""
    return [sys.executable, str(PEERS / "read_back.py"), *task.files]


def import_command(task: Task) -> list[str]:
    """Return a command that starts Python with numpy and rasterio."""
    return [sys.executable, "-c", "import numpy, rasterio"]


def empty_command(task: Task) -> list[str]:
    """Return a command that runs an empty algorithm in QGIS."""
    return [program("qgis_process.bin", "qgis_process"), "run", "script:empty"]
