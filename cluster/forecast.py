# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a run may take on a number of workers, from what one part took here."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from ..engine.execution.parts import compute_part
from ..engine.messages import translate
from ..engine.writing.parts.part_file import copy_blocks, layout_of
from .folder import Parts

TASKS_PER_SECOND = 400.0  #: that a scheduler of dask hands out, as measured
_MEGABYTE = 10**6


class Measured(NamedTuple):
    """Seconds and bytes of a part, and how fast blocks are copied, in bytes a second."""

    seconds: float
    size: int
    copy_speed: float
    bandwidth: float


def summary(parts: Parts) -> str:
    """Return a line on the parts."""
    run = parts.run
    rows, columns = run.tiling.shape(run.plan.grid)
    text = translate(
        "Bandwise",
        "{width} x {height} pixels in {count} parts of {across} x {down} ({rows} rows, {columns} "
        "columns), windows of {window}; {folder}",
    )
    grid, tiles, shape = run.plan.grid, run.tiling, run.shape
    return text.format(
        width=grid.width,
        height=grid.height,
        count=rows * columns,
        across=tiles.width,
        down=tiles.height,
        rows=rows,
        columns=columns,
        window=f"{shape.width} x {shape.height}",
        folder=str(parts.folder),
    )


def measured(parts: Parts, bandwidth: float = 0.0) -> Measured:
    """Compute the part in the middle with one thread, copy it, and return what that took.

    ``bandwidth`` is that of the shared disk, in MB/s; 0 if it is not known.
    """
    rows, columns = parts.run.tiling.shape(parts.run.plan.grid)
    with tempfile.TemporaryDirectory(dir=parts.folder) as name:
        path, copy = Path(name) / "part.tif", Path(name) / "copy"
        started = time.monotonic()
        facts: dict[str, object] = {}
        compute_part(parts.run, rows // 2, columns // 2, path, facts=facts, workers=1)
        seconds = time.monotonic() - started
        layout = layout_of(path)
        if layout is None:
            raise OSError(f"{path} was not written whole")
        copy.touch()
        started = time.monotonic()
        copy_blocks(path, copy, [(layout.start, 0, layout.size)])
        speed = layout.size / max(1e-6, time.monotonic() - started)
    return Measured(seconds, layout.size, speed, bandwidth * _MEGABYTE)


def seconds_on(parts: int, measured: Measured, workers: int) -> float:
    """Return the seconds of a run on ``workers`` slots of one thread each."""
    rounds = math.ceil(parts / workers)
    compute = max(rounds * measured.seconds, parts / TASKS_PER_SECOND)
    speed = measured.copy_speed * workers
    copy = parts * measured.size / (min(speed, measured.bandwidth) if measured.bandwidth else speed)
    if measured.bandwidth:
        compute = max(compute, parts * measured.size / measured.bandwidth)
    return compute + copy


def forecast(parts: Parts, numbers: Measured, workers: int) -> str:
    """Return a line with a forecast."""
    rows, columns = parts.run.tiling.shape(parts.run.plan.grid)
    seconds = seconds_on(rows * columns, numbers, workers)
    text = translate(
        "Bandwise",
        "Forecast for {workers} workers of one thread: {seconds:.0f} s ({part:.2f} s a part, copies "
        "of {speed:.0f} MB/s, {tasks:.0f} tasks/s)",
    )
    return text.format(
        workers=workers,
        seconds=seconds,
        part=numbers.seconds,
        speed=numbers.copy_speed / _MEGABYTE,
        tasks=TASKS_PER_SECOND,
    )
