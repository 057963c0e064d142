# SPDX-License-Identifier: GPL-2.0-or-later
"""Keep the measurements as JSON, and publish their tables."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..cases import CASES
from ..environments import ROOT
from .markdown import markdown
from .targets import HEAD, LIMITS_HEAD, limits, rows

_GIGABYTE = 1e9


#: The tables of the page follow this line, and are replaced.
_BELOW = "<!-- Below: make bench BENCH=--publish -->"


def machine() -> dict[str, Any]:
    """Return the machine that the measurements were made on."""
    processor = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    system = [
        line.partition("=")[2].strip('"')
        for line in Path("/etc/os-release").read_text().splitlines()
        if line.startswith("PRETTY_NAME=")
    ]
    return {
        "processor": processor[0] if processor else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": round(memory / _GIGABYTE),
        "system": system[0] if system else platform.system(),
        "day": time.strftime("%Y-%m-%d"),
    }


def save(folder: Path, size: int, entries: Sequence[dict[str, Any]], *, publish: bool) -> None:
    """Write JSON and Markdown; keep the cases that were measured before at the same size.

    ``publish`` puts the tables on the page in ``docs``.
    """
    path = folder / "performance.json"
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    cases = (
        {entry["name"]: entry for entry in known.get("cases", [])}
        if known.get("size") == size
        else {}
    )
    cases.update((entry["name"], entry) for entry in entries)
    ordered = [cases[case.name] for case in CASES if case.name in cases]
    data = {"machine": machine(), "size": size, "cases": ordered}
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    tables = markdown(data, [HEAD, *rows(data)], [LIMITS_HEAD, *limits(data)])
    (folder / "performance.md").write_text(tables, encoding="utf-8")
    page = ROOT / "docs" / "performance.md"
    if publish:
        page.write_text(
            page.read_text(encoding="utf-8").partition(_BELOW)[0] + f"{_BELOW}\n\n{tables}",
            encoding="utf-8",
        )
