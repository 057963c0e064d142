# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of Bandwise: as an algorithm in QGIS, and its engine alone."""

from __future__ import annotations

import functools
import re
import sys
from dataclasses import replace

from ..cases import translated
from ..environments import PEERS, ROOT, Place, first_line, program
from .task import Task


def bandwise_command(task: Task, *, default_options: bool = False) -> list[str]:
    """Return the command of the NDVI algorithm for two bands red and nir, else of band math."""
    # no overviews, as the other tools build none
    options = [
        "OVERVIEWS=0",
        *([] if default_options else [f"CREATION_OPTIONS={task.codec_options}"]),
    ]
    if set(task.bands) == {"red", "nir"}:
        inputs = [
            f"{name.upper()}{suffix}={value}"
            for name, place in task.bands.items()
            for suffix, value in zip(("", "_BAND"), place)
        ]
        return [
            program("qgis_process.bin", "qgis_process"),
            "run",
            "bandwise:ndvi",
            "--",
            *inputs,
            "RADIOMETRY=1",
            *options,
            f"OUTPUT={task.output}",
        ]
    names = {name: f"{'ABCD'[file - 1]}@{number}" for name, (file, number) in task.numbered.items()}
    inputs = [f"LAYERS={path}" for path in task.files]
    expression = f"EXPRESSION={translated(task.expression, names.__getitem__)}"
    return [
        program("qgis_process.bin", "qgis_process"),
        "run",
        "bandwise:bandmath",
        "--",
        *inputs,
        expression,
        *options,
        f"OUTPUT={task.output}",
    ]


def engine_command(task: Task, *, workers: int = 0, options: str = "") -> list[str]:
    """Return the command of the engine alone; ``options`` are its creation options, by default the task's."""
    task = replace(task, expression=f"result := {task.expression}")
    engine_options = [
        f"--options={options or task.codec_options}",
        f"--workers={workers}",
        f"--profile={task.profile}",
    ]
    return [sys.executable, str(PEERS / "bare_engine.py"), *task.arguments, *engine_options]


def overviews_command(task: Task) -> list[str]:
    """Return the command of the engine that builds overviews, too."""
    return [*engine_command(task), "--overviews"]


@functools.cache
def bandwise_version(place: Place) -> str:
    """Return the versions of the plugin and of the rasterio it runs on."""
    text = re.search(
        r"^version=(.*)$", (ROOT / "metadata.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    with_rasterio = first_line(
        [
            sys.executable,
            "-c",
            "import rasterio as r; print(f'rasterio {r.__version__}, GDAL {r.__gdal_version__}')",
        ]
    )
    return f"{text[1] if text else ''}, {with_rasterio}"


def rasterio_version(place: Place) -> str:
    """Return the versions of rasterio and of its GDAL."""
    return bandwise_version(place).partition(", ")[2]
