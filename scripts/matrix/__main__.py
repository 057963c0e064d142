# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the tests on other releases of Debian, with either backend, and on the oldest Python; write
``docs/platforms.md``.

``make matrix`` does; it needs root. Names of runs, or patterns of them, choose some: ``MATRIX="forky-*"``.
"""

from __future__ import annotations

import argparse
import datetime
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .chroot import Chroot, pip_folders, pip_settings

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "matrix"
DOCUMENT = ROOT / "docs" / "platforms.md"
BEGIN, END = "<!-- begin: written by make matrix -->", "<!-- end: written by make matrix -->"
#: Where the checkout, its data and its tools are inside.
WORK = "/work"
VERSIONS = """
import importlib, json, platform
def version(name, find):
    try:
        return find(importlib.import_module(name)).partition("-")[0]
    except ImportError:
        return "none"
print(json.dumps({
    "python": platform.python_version(),
    "numpy": version("numpy", lambda numpy: numpy.__version__),
    "qgis": version("qgis.core", lambda core: core.Qgis.QGIS_VERSION),
    "gdal": version("osgeo.gdal", lambda gdal: gdal.__version__),
    "rasterio": version("rasterio", lambda rasterio: rasterio.__version__),
}))
"""


@dataclass(frozen=True)
class Run:
    """One run of the tests.

    ``removed`` is a package of Debian that QGIS has to do without. The tests cannot, as they make
    rasters with it: ``instead`` is what their venv, which QGIS's Python does not see, has for it.
    """

    name: str
    release: str
    backend: str
    removed: str = ""
    instead: str = ""


@dataclass(frozen=True)
class Row:
    """What came of a run; ``failed`` counts errors, too, -1 where the tests ended before their end."""

    release: str
    qgis: str
    gdal: str
    numpy: str
    python: str
    rasterio: str
    backend: str
    passed: int
    failed: int
    skipped: int
    seconds: int
    date: str
    commit: str = ""


#: The order matters: a package that a run removes is installed again by the next.
RUNS = (
    Run("trixie-rasterio", "trixie", "rasterio"),
    Run("trixie-gdal", "trixie", "gdal"),
    Run(
        *("trixie-without-rasterio", "trixie", "gdal"),
        removed="python3-rasterio",
        instead="rasterio==1.5.2",
    ),
    Run("forky-rasterio", "forky", "rasterio"),
    Run("forky-gdal", "forky", "gdal"),
    Run("oldest", "Python 3.9", "none: pure tests"),
)


def in_chroot(run: Run, arguments: argparse.Namespace) -> Row:
    """Run the whole suite inside a release."""
    chroot = Chroot(arguments.chroots / run.release, run.release)
    chroot.build(arguments.packages.split())
    if run.removed:
        chroot.remove(run.removed)
    inside = chroot.root / WORK.lstrip("/")
    copy_checkout(inside / "bandwise")
    venv = f"{WORK}/venv-{'without' if run.removed else 'with'}-rasterio"
    python = f"{venv}/bin/python"
    make_venv = (
        f"[ -e {python} ] || python3 -m venv --system-site-packages {venv}\n"
        f"rm -rf /tmp/pytest-of-root; cd {WORK}/bandwise\n"
        f"{python} -m pip install -q {arguments.pip}\n"
        f"{python} -m pip install -q --only-binary :all: --group system {run.instead}\n"
        f"{python} -m pip install -q --target build/wheel --no-deps --group wheel"
    )
    chroot.run(["sh", "-ec", make_venv], folders=pip_folders(), environment=pip_settings())
    quiet = {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": f"{WORK}/run"}
    (inside / "run").mkdir(mode=0o700, exist_ok=True)
    of_qgis = ["/usr/bin/python3", "-c", VERSIONS]
    versions = chroot.run(of_qgis, environment=quiet, stdout=subprocess.PIPE).stdout
    report = inside / "report.xml"
    report.unlink(missing_ok=True)
    tests = [python, "-m", "pytest", *arguments.pytest.split(), f"--junitxml={WORK}/report.xml"]
    tests += ["-o", "tmp_path_retention_policy=failed"]
    shared = ROOT.parent / "shared"
    started = time.monotonic()
    chroot.run(
        ["sh", "-c", f'cd {WORK}/bandwise && exec "$@"', "sh", *tests],
        folders={shared: f"{WORK}/shared"} if shared.is_dir() else {},
        environment={**quiet, "BANDWISE_BACKEND": run.backend},
        check=False,
    )
    return row_of(run, json.loads(versions), report, time.monotonic() - started)


def in_oldest_python(run: Run, arguments: argparse.Namespace) -> Row:
    """Run the tests of text and numbers alone under the oldest Python and numpy."""
    report = RESULTS / "oldest.xml"
    report.unlink(missing_ok=True)
    python = [str(ROOT / ".venv-oldest" / "bin" / "python")]
    versions = subprocess.run(
        [*python, "-c", VERSIONS], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    chosen = [*arguments.pure.split(), f"--junitxml={report}"]
    started = time.monotonic()
    subprocess.run(
        [*python, "-m", "pytest", *arguments.pytest.split(), *chosen], cwd=ROOT, check=False
    )
    return row_of(run, json.loads(versions), report, time.monotonic() - started)


def copy_checkout(folder: Path) -> None:
    """Copy what git knows or could be told, so that neither side writes to the other's files."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def row_of(run: Run, versions: dict[str, str], report: Path, seconds: float) -> Row:
    counts = {"tests": 0, "failures": -1, "errors": 0, "skipped": 0}
    if report.exists():
        suite = xml.etree.ElementTree.parse(report).getroot().find("testsuite")
        assert suite is not None
        counts = {name: int(suite.get(name, 0)) for name in counts}
    failed = counts["failures"] + counts["errors"]
    return Row(
        release=run.release,
        backend=run.backend,
        passed=max(counts["tests"] - failed - counts["skipped"], 0),
        failed=failed,
        skipped=counts["skipped"],
        seconds=round(seconds),
        date=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        **versions,
    )


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def commit() -> str:
    """The commit that is tested; what the table itself changes does not count."""
    changed = git("status", "--porcelain", "--", ".", f":!{DOCUMENT.relative_to(ROOT)}")
    return git("rev-parse", "--short", "HEAD").strip() + ("-dirty" if changed else "")


def write_table() -> None:
    """Put the last run of each kind between the markers of the document."""
    files = [RESULTS / f"{run.name}.json" for run in RUNS]
    rows = [json.loads(file.read_text("utf-8")) for file in files if file.exists()]
    names = list(Row.__dataclass_fields__)
    titles = {"qgis": "QGIS", "gdal": "GDAL", "python": "Python"}
    right = {"passed", "failed", "skipped", "seconds"}
    lines = [
        "| " + " | ".join(titles.get(name, name) for name in names) + " |",
        "|" + "|".join("---:" if name in right else "---" for name in names) + "|",
        *("| " + " | ".join(f"{row[name]}" for name in names) + " |" for row in rows),
    ]
    text = DOCUMENT.read_text("utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    DOCUMENT.write_text("\n".join([f"{before}{BEGIN}", "", *lines, "", f"{END}{after}"]), "utf-8")


def main(words: Sequence[str] | None = None) -> int:
    """0 where every test passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chroots", type=Path, default=ROOT / "build" / "chroots")
    parser.add_argument("--packages", required=True, help="Debian packages that the tests need")
    parser.add_argument("--pip", default="pip", help="the pip that installs the tools")
    parser.add_argument("--pytest", default="", help="options of pytest")
    parser.add_argument("--pure", default="-m pure", help="more of them, for the oldest Python")
    parser.add_argument("runs", nargs="*", default=["*"], help="names of runs, or patterns of them")
    arguments = parser.parse_args(words)
    chosen = [
        run for run in RUNS if any(fnmatch.fnmatch(run.name, name) for name in arguments.runs)
    ]
    if not chosen:
        sys.exit(f"There is no such run; there are {', '.join(run.name for run in RUNS)}.")
    if os.geteuid() and any(run.name != "oldest" for run in chosen):
        sys.exit("Chroots are made and entered by root only: run `sudo make matrix`.")
    RESULTS.mkdir(parents=True, exist_ok=True)
    failed, tested = 0, commit()
    for run in chosen:
        print(f"== {run.name}", flush=True)
        row = (in_oldest_python if run.name == "oldest" else in_chroot)(run, arguments)
        row = replace(row, commit=tested)
        (RESULTS / f"{run.name}.json").write_text(json.dumps(asdict(row)), "utf-8")
        write_table()
        failed += row.failed != 0 or not row.passed
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
