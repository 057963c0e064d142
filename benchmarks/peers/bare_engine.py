# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the engine in a separate process, without QGIS."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from command import command

ROOT = Path(__file__).resolve().parents[2]


def _register() -> None:
    """Load the checkout as the package ``bandwise``, whatever the name of its folder."""
    spec = importlib.util.spec_from_file_location(
        "bandwise", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec is not None
    sys.modules["bandwise"] = importlib.util.module_from_spec(spec)


_register()

from bandwise.engine.execution import pipeline
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job, Report
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling

#: Steps: name, module, what of it has the function (empty: itself), and function; each has to exist.
_STEPS = (
    ("reading", "reading.reader", "Reader", "read"),
    ("computing", "compute.kernel", "Kernel", "compute"),
    ("writing", "writing.geotiff", "GeoTiffSink", "write"),
    ("planning", "execution.pipeline", "", "prepare"),
    ("making the file", "writing.geotiff", "GeoTiffSink", "__enter__"),
    ("opening the inputs", "reading.sources", "Sources", "open"),
    ("finishing the file", "writing.geotiff", "GeoTiffSink", "commit"),
    ("rasterio.open", "backend.rasterio_.library", "rasterio", "open"),
)


class Watch:
    """Measures for each step the wall time, the part of it in which its thread waited, and the wall
    time of its first call, which includes what a process does once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds: dict[str, float] = {}
        for step, module, part, name in _STEPS:
            owner: Any = importlib.import_module(f"bandwise.engine.{module}")
            owner = getattr(owner, part) if part else owner
            setattr(owner, name, self._watched(step, getattr(owner, name)))

    def _watched(self, step: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            wall, running = time.perf_counter(), time.thread_time()
            try:
                return method(*arguments, **named)
            finally:
                wall, running = time.perf_counter() - wall, time.thread_time() - running
                with self._lock:
                    self.seconds.setdefault(f"first {step}", wall)
                    self._add(step, wall)
                    self._add(f"waiting while {step}", wall - running)

        return watched

    def _add(self, label: str, seconds: float) -> None:
        self.seconds[label] = self.seconds.get(label, 0.0) + seconds


def profile(report: Report, watch: Watch) -> dict[str, float]:
    """Return the measurements of the run by label; seconds of steps are summed over all workers."""
    return {
        "workers": report.workers,
        "windows": report.windows,
        "seconds in the engine": report.seconds,
        **watch.seconds,
    }


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--memory", type=int, default=512, help="MB")
    parser.add_argument("--overviews", action="store_true")
    parser.add_argument(
        "--profile", type=Path, help="a file for the measurements of the run, as JSON"
    )
    arguments = parser.parse_args()
    watch = Watch() if arguments.profile else None
    report = pipeline.run(
        Job(
            tuple(BandRef(*band) for band in arguments.band),
            named_formula(arguments.expression, [band.name for band in arguments.band]),
            arguments.output,
            radiometry=RadiometryChoice(Scaling.STORED),
            creation_options=arguments.options,
            workers=arguments.workers,
            memory=arguments.memory,
            overviews=arguments.overviews,
        )
    )
    if watch:
        arguments.profile.write_text(json.dumps(profile(report, watch)), encoding="utf-8")


if __name__ == "__main__":
    main()
