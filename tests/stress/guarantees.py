# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the table of the last full run into ``docs/guarantees.md``.

Run as ``python tests/stress/guarantees.py build/stress/*.json``; ``make stress`` does, after a full
run on every environment. The prose around the two markers is written by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "guarantees.md"
BEGIN, END = "<!-- begin: written by make stress -->", "<!-- end: written by make stress -->"
KINDS = {
    "test_kill.py": "`kill -9`",
    "test_cancel.py": "cancels",
    "test_limits.py": "limits of disks and files",
    "test_processes.py": "ten processes, one output",
    "test_chaos.py": "runs in parts while things die",
    "test_sources.py": "inputs and outputs that fail",
    "test_http.py": "servers that fail",
    "test_corrupt.py": "damaged inputs",
    "test_metadata.py": "damaged and hostile metadata",
    "test_jobs.py": "random jobs",
    "test_expressions.py": "mutated expressions",
    "test_second_reader.py": "results read by a second reader",
}


def table(runs: list[dict[str, Any]]) -> str:
    """A row a kind and environment, and a line that says how to repeat it."""
    seeds = sorted({run["seed"] for run in runs})
    shown = "{}: Python {Python}, numpy {numpy}, rasterio {rasterio}, GDAL {GDAL}"
    environments = [shown.format(number, **run["versions"]) for number, run in enumerate(runs, 1)]
    total = sum(kind["seconds"] for run in runs for kind in run["kinds"].values())
    lines = [
        f"Seed {', '.join(map(str, seeds))}: `make stress SEED={seeds[0]}` repeats it. "
        f"{total / 60:.0f} minutes in all, on the environments",
        "",
        *(f"{environment}  " for environment in environments),
        "",
        "| kind | environment | cases | failed | seconds | what came out |",
        "|---|---|---:|---:|---:|---|",
    ]
    for file, title in KINDS.items():
        for number, run in enumerate(runs, 1):
            kind = run["kinds"].get(file)
            if kind:
                outcomes = "; ".join(
                    f"{count:,} {outcome}"
                    for outcome, count in sorted(
                        kind["outcomes"].items(), key=lambda item: -item[1]
                    )
                )
                lines.append(
                    f"| {title} | {number} | {kind['passed'] + kind['failed']:,} | "
                    f"{kind['failed']} | {kind['seconds']:.0f} | {outcomes} |"
                )
    return "\n".join(lines)


def main(paths: list[str]) -> int:
    """Replace what stands between the markers; 1 where something failed. Runs that were not full change nothing."""
    runs = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    if not runs or not all(run["full"] and set(KINDS) <= set(run["kinds"]) for run in runs):
        print("Not every kind was run in full: the table stays as it was.", file=sys.stderr)
        return 0
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    DOCUMENT.write_text(
        f"{before}{BEGIN}\n\n{table(runs)}\n\n{END}{rest.split(END)[1]}", encoding="utf-8"
    )
    return int(any(kind["failed"] for run in runs for kind in run["kinds"].values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
