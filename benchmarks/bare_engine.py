# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine as a process of its own, without QGIS."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine.job import BandRef, Job, Report
from engine.pipeline import run
from engine.radiometry import RadiometryChoice, Scaling
from engine.references import named_formula


def band(text: str) -> BandRef:
    """``name=path:number`` as a band."""
    name, _, place = text.partition("=")
    path, _, number = place.rpartition(":")
    return BandRef(name, path, int(number))


def profile(report: Report) -> dict[str, float]:
    """What the run tells of itself, by label; where its time went belongs here once the engine says so."""
    return {
        "seconds in the engine": report.seconds,
        "windows": report.windows,
        "window width": report.window_size[0],
        "window height": report.window_size[1],
        "workers": report.workers,
        "handles": report.handles,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--band", type=band, action="append", required=True, help="name=path:number; may be repeated")
    parser.add_argument("--expression", required=True, help="such as 'NDVI := (nir - red) / (nir + red)'")
    parser.add_argument("--output", required=True)
    parser.add_argument("--options", default="", help="creation options as NAME=VALUE|NAME=VALUE")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--memory", type=int, default=512, help="MB")
    parser.add_argument("--profile", type=Path, help="a file for what the run tells of itself, as JSON")
    arguments = parser.parse_args()
    report = run(
        Job(
            tuple(arguments.band),
            named_formula(arguments.expression, [reference.name for reference in arguments.band]),
            arguments.output,
            radiometry=RadiometryChoice(Scaling.STORED),
            creation_options=arguments.options,
            workers=arguments.workers,
            memory=arguments.memory,
        )
    )
    if arguments.profile:
        arguments.profile.write_text(json.dumps(profile(report)), encoding="utf-8")


if __name__ == "__main__":
    main()
