# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine stands alone: no QGIS, no osgeo, and every file imports only what is more basic than itself."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

ENGINE = Path(__file__).resolve().parents[1] / "engine"
FILES = sorted(ENGINE.glob("*.py"))
ON_RASTERIO = ("environment.py", "rasters.py", "crs.py", "warping.py", "areas.py", "sources.py", "creation.py", "encoding.py", "geotiff.py")


def imports(path: Path) -> tuple[set[str], set[str]]:
    """(files of the engine, packages from outside) that a file imports."""
    own: set[str] = set()
    foreign: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            own.update([node.module.split(".")[0]] if node.module else (name.name for name in node.names))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} reaches out of the engine"
            foreign.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            foreign.update(name.name.split(".")[0] for name in node.names)
    return own, foreign


def test_a_run_needs_no_qgis(bench: Any) -> None:
    result = bench.python("import sys, bandwise.engine.pipeline\nprint(sorted({'qgis', 'osgeo', 'PyQt5', 'PyQt6'} & set(sys.modules)))")
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_the_engine_calls_only_whom_it_may(path: Path) -> None:
    _, foreign = imports(path)
    assert not foreign & {"qgis", "processing", "bandwise"}
    assert "rasterio" not in foreign or path.name in ON_RASTERIO
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    assert "SPDX-License-Identifier: GPL-2.0-or-later" in path.read_text(encoding="utf-8").splitlines()[0]


def test_imports_run_one_way() -> None:
    graph = {path.stem: imports(path)[0] - {"__version__"} for path in FILES}
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("errors") < order.index("radiometry") < order.index("rasters") < order.index("sources") < order.index("pipeline")


def test_a_newcomer_finds_every_room() -> None:
    rooms = (ENGINE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [path.name for path in FILES if path.name not in rooms and path.stem != "__init__"] == []
