# SPDX-License-Identifier: GPL-2.0-or-later
"""Compute the median NDVI of the scenes in a folder by the engine alone: ``FOLDER OUTPUT [STATISTIC]``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location(
    "bandwise", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
)
assert spec is not None
sys.modules["bandwise"] = importlib.util.module_from_spec(spec)

from bandwise.engine.compute.composite.statistic import Statistic
from bandwise.engine.execution.pipeline import run
from bandwise.engine.planning.jobs.composite import composite_job
from bandwise.engine.planning.jobs.period import Period
from bandwise.engine.planning.jobs.scene_series import scene_series
from bandwise.engine.radiometry.masks import MaskChoice
from bandwise.engine.reading.opening import subdatasets_of
from bandwise.engine.scenes.folder import scenes_in


def main() -> None:
    folder, output, *statistic = sys.argv[1:]
    job = composite_job(
        scene_series(scenes_in(folder), subdatasets_of, Period()),
        "NDVI",
        output,
        statistics=[Statistic[name] for name in statistic or ["MEDIAN"]],
        clouds=MaskChoice(""),
        overviews=False,
        creation_options="COMPRESS=DEFLATE|ZLEVEL=1|PREDICTOR=3",
    )
    report = run(job)
    print(report.windows, report.window_size, report.workers, report.seconds, report.estimate)


if __name__ == "__main__":
    main()
