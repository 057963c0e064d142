# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of Bandwise: as an algorithm in QGIS, and its engine alone."""

from __future__ import annotations

import functools
import re
import sys
from dataclasses import replace

from ..cases import OFFSET, SCALE, translated
from ..environments import PEERS, ROOT, Place, first_line, program
from .task import Task


def bandwise_command(task: Task, *, default_options: bool = False) -> list[str]:
    """Return the command of the algorithm of the task: spectral indices, else NDVI for two bands red
    and nir, else band math.
    """
    # no overviews, as the other tools build none
    options = [
        "OVERVIEWS=0",
        *([] if default_options else [f"CREATION_OPTIONS={task.codec_options}"]),
    ]
    if task.indices:
        return [
            program("qgis_process.bin", "qgis_process"),
            "run",
            "bandwise:spectralindices",
            "--",
            *(f"LAYERS={path}" for path in task.files),
            f"INDICES={';'.join(task.indices)}",
            f"BANDS={';'.join(f'{name}={place}' for name, place in _references(task).items())}",
            "RADIOMETRY=2",
            f"SCALE={SCALE}",
            f"OFFSET={OFFSET}",
            *options,
            f"OUTPUT={task.output}",
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
    inputs = [f"LAYERS={path}" for path in task.files]
    expression = f"EXPRESSION={translated(task.expression, _references(task).__getitem__)}"
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


def _references(task: Task) -> dict[str, str]:
    """Return the bands as band math names them: A@1."""
    return {
        name: f"{'ABCDEF'[file - 1]}@{number}" for name, (file, number) in task.numbered.items()
    }


def engine_command(task: Task, *, workers: int = 0, options: str = "") -> list[str]:
    """Return the command of the engine alone; ``options`` are its creation options, by default the task's."""
    results = "; ".join(
        f"result{number} := {expression}" for number, expression in enumerate(task.expressions)
    )
    task = replace(task, expression=results)
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
