# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure Bandwise and its peers in turn, on the same rasters, and check every tool's pixels against float64 numpy.

Rounds go A B C ... A B C ..., so that a machine that drifts does so for all; ratios are medians of
the rounds' own. One round before them warms the page cache and is the one whose pixels are checked.
Nothing heavy is imported here: see ``meter.py``.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from scripts.console import show_every_name
from scripts.qgis_profile import Profile

from .cases import CASES, FULL
from .contenders.tools import TOOLS
from .environments import EMPTY_ALGORITHM, ROOT, Place
from .reporting.markdown import text_table
from .reporting.results import save
from .rounds import Bench


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--case",
        action="append",
        choices=[case.name for case in CASES],
        help="only this case; may be repeated",
    )
    parser.add_argument(
        "--tool",
        action="append",
        choices=list(TOOLS),
        help="only this tool; may be repeated; the tables are printed, not saved",
    )
    parser.add_argument(
        "--without",
        action="append",
        choices=list(TOOLS),
        default=[],
        help="not this tool, and the table says so; may be repeated",
    )
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds; default %(default)s")
    parser.add_argument("--size", type=int, default=FULL, help="pixels a side; default %(default)s")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("build/bench"),
        help="where scenes and results are written; default %(default)s",
    )
    parser.add_argument(
        "--chroot",
        type=Path,
        default=os.environ.get("BENCH_CHROOT") or None,
        help="a Debian with newer tools; or $BENCH_CHROOT",
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="put tables and picture into docs/; with --rounds 0 those that are there already",
    )
    return parser.parse_args()


def main() -> None:
    show_every_name()
    arguments = _arguments()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit("ended")
    )  # so that what is being measured ends too
    folder: Path = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    profile = Profile(folder / "profile", ROOT)
    scripts = folder / "profile" / "profiles" / "default" / "processing" / "scripts"
    scripts.mkdir(parents=True, exist_ok=True)
    (scripts / "empty.py").write_text(EMPTY_ALGORITHM, encoding="utf-8")
    place = Place(
        folder,
        arguments.chroot and Path(arguments.chroot).resolve(),
        ROOT / ".venv-bench",
        profile.environment(),
    )
    bench = Bench(place, arguments.size, arguments.rounds, arguments.tool or (), arguments.without)
    cases = [
        case
        for case in CASES
        if (not arguments.case or case.name in arguments.case) and arguments.rounds
    ]
    for case in cases:
        if arguments.tool and not set(arguments.tool) & set(case.tools):
            continue
        entry = bench.run(case)
        if not arguments.tool:
            save(folder, arguments.size, [entry], publish=False)
        print(f"\n{text_table(entry)}\n", flush=True)
    if arguments.tool:
        return
    print(f"Tables: {folder / 'performance.md'}, {folder / 'performance.json'}")
    if arguments.publish:
        save(folder, arguments.size, [], publish=True)
    python = place.venv / "bin" / "python"
    if python.exists():
        picture = (
            ROOT / "docs" / "images" / "performance.png"
            if arguments.publish
            else folder / "performance.png"
        )
        subprocess.run(
            [
                str(python),
                "-m",
                "benchmarks.reporting.plot",
                str(folder / "performance.json"),
                str(picture),
            ],
            check=True,
        )


if __name__ == "__main__":
    main()
