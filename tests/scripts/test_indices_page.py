# SPDX-License-Identifier: GPL-2.0-or-later
"""``docs/indices.md`` is current, and tells of each index what the table does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bandwise.engine.indices.catalogue import listed_indices

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "indices.md"


def test_the_page_is_current() -> None:
    script = "import sys; from scripts.indices.page import page; sys.stdout.buffer.write(page().encode())"
    made = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert PAGE.read_bytes() == made.stdout, "run python -m scripts.indices.page"


def test_every_index_has_its_line() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    for index in listed_indices().values():
        (line,) = [line for line in lines if line.startswith(f"| **{index.name}** |")]
        assert f"`{index.formula}`" in line and index.long_name in line
        assert index.doi in line and line.count(" | ") == 5
    sensors = {
        line.split(" | ")[0][2:]: line.split(" | ")[4].split()
        for line in lines
        if line.startswith("| **")
    }
    assert sensors["**NDVI**"] == ["S2", "L8", "L7", "L5", "MSS", "MODIS", "PS"]
    assert sensors["**AshburnVI**"] == ["S2", "L8", "MODIS", "PS"]
    assert sensors["**DpRVIVV**"] == ["S1"]
