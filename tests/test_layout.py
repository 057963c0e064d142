# SPDX-License-Identifier: GPL-2.0-or-later
"""The floor plan of the engine: which package may use which, and which may reach a raster library."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from bench import Bench

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "engine"
FILES = sorted(path for path in ENGINE.rglob("*.py") if path.name != "__init__.py")

CLUSTER = sorted((ROOT / "cluster").rglob("*.py"))

#: What a package, or a file of the ground floor, may use: one line each.
USES = {
    "credentials": set(),
    "arrays": set(),
    "messages": {"credentials"},
    "errors": {"messages"},
    "files": {"errors", "messages", "credentials"},
    "grids": {"arrays", "errors", "messages"},
    "radiometry": {"arrays", "errors", "messages"},
    "scenes": {"radiometry", "files", "credentials", "errors", "messages"},
    "expression": {"radiometry", "arrays", "credentials", "errors", "messages"},
    "indices": {"expression", "radiometry", "errors", "messages"},
    "compute": {"expression", "radiometry", "grids", "arrays", "errors", "messages"},
    "job": {"expression", "grids", "radiometry", "compute", "messages"},
    "job_file": {
        *("job", "compute", "expression", "grids", "radiometry", "files"),
        *("credentials", "errors", "messages"),
    },
    "backend": {"grids", "radiometry", "files", "arrays", "errors", "messages"},
    "reading": {"backend", "grids", "radiometry", "files", "arrays", "errors", "messages"},
    "writing": {"backend", "grids", "radiometry", "files", "arrays", "errors", "messages"},
    "planning": {
        *(
            "job",
            "reading",
            "writing",
            "backend",
            "compute",
            "indices",
            "scenes",
            "expression",
            "grids",
            "radiometry",
            "files",
        ),
        *("arrays", "credentials", "errors", "messages"),
    },
    "execution": {
        *(
            "planning",
            "job",
            "job_file",
            "reading",
            "writing",
            "backend",
            "compute",
            "grids",
            "radiometry",
            "files",
        ),
        *("arrays", "credentials", "errors", "messages"),
    },
}
#: Folders that call a raster library, and which; nobody but ``backend/choice.py`` imports them.
ON_LIBRARY = {"backend/rasterio_": "rasterio", "backend/osgeo_": "osgeo"}
#: Those that reach none, not even through others.
PURE = (
    "expression",
    "indices",
    "grids",
    "radiometry",
    "scenes",
    "files",
    "compute",
    "job",
    "job_file",
)
MOST_FILES = 10
MOST_LINES = 300
MOST_LINES_OF_TESTS = 400


def room(path: Path) -> str:
    """The package of a file of the engine, or the file itself on the ground floor."""
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield each module that a file imports, as parts of a path within the engine; from outside
    with a first part of ``""``.
    """
    here = path.relative_to(ENGINE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (("", name.name.split(".")[0]) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield "", str(node.module).split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= len(here) + 1, f"{path} reaches out of the engine"
            base = here[: len(here) + 1 - node.level]
            names = [*base, *(node.module or "").split(".")] if node.module else list(base)
            for name in node.names:
                longer = ENGINE.joinpath(*names, name.name)
                yield (*names, name.name) if longer.with_suffix(".py").exists() else tuple(names)


def folders() -> list[Path]:
    """Every folder of the repository that holds Python files."""
    tops = ("engine", "algorithms", "gui", "cluster", "tests", "benchmarks", "demo", "scripts")
    return sorted({path.parent for top in tops for path in (ROOT / top).rglob("*.py")})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_a_file_uses_only_what_its_package_may(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = set(imports(path))
    own = {parts[0] for parts in used if parts and parts[0]} - {room(path)}
    assert own <= USES[room(path)]
    foreign = {parts[1] for parts in used if parts and not parts[0]}
    assert not foreign & {"qgis", "processing", "bandwise"}
    here = path.parent.relative_to(ENGINE).as_posix()
    assert foreign & {"rasterio", "osgeo"} <= {ON_LIBRARY.get(here)}
    libraries = {"/".join(parts[:2]) for parts in used} & set(ON_LIBRARY)
    assert libraries <= {here} or path.relative_to(ENGINE).as_posix() == "backend/choice.py"
    assert len(text.splitlines()) <= MOST_LINES
    assert "SPDX-License-Identifier: GPL-2.0-or-later" in text.splitlines()[0]


@pytest.mark.parametrize("path", CLUSTER, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_of_the_cluster_reaches_rasters_through_the_engine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not _foreign(text) & {"rasterio", "osgeo", "qgis", "processing", "PyQt5", "PyQt6"}
    assert len(text.splitlines()) <= MOST_LINES
    assert "SPDX-License-Identifier: GPL-2.0-or-later" in text.splitlines()[0]


def test_qgis_never_imports_the_cluster() -> None:
    for top in ("engine", "algorithms", "gui"):
        for path in (ROOT / top).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert not _foreign(text) & {"cluster", "dask", "distributed"}, path
    assert "cluster" not in (ROOT / "plugin.py").read_text(encoding="utf-8")


def _foreign(text: str) -> set[str]:
    """The first part of the name of each module that a file imports, from wherever."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


def test_packages_form_floors() -> None:
    assert list(TopologicalSorter(USES).static_order())[-1] == "execution"
    assert {room(path) for path in FILES} == set(USES)


def test_no_two_files_import_each_other() -> None:
    graph = {
        path.relative_to(ENGINE).with_suffix("").parts: {
            parts for parts in imports(path) if parts and parts[0]
        }
        for path in FILES
    }
    assert len(list(TopologicalSorter(graph).static_order())) >= len(FILES)


def test_every_folder_is_small() -> None:
    large = {
        str(folder.relative_to(ROOT)): count
        for folder in folders()
        if (count := len(_modules(folder))) > MOST_FILES
    }
    assert large == {}


def test_no_file_of_the_tests_is_long() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "tests").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES_OF_TESTS
    }
    assert long == {}


def _modules(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.glob("*.py")
        if path.name not in ("__init__.py", "__main__.py", "conftest.py")
    ]


@pytest.mark.parametrize("name", PURE)
def test_pure_packages_reach_no_raster_library(bench: Bench, name: str) -> None:
    modules = [
        ".".join(("bandwise.engine", *path.relative_to(ENGINE).with_suffix("").parts))
        for path in FILES
        if room(path) == name
    ]
    result = bench.python(
        f"import {', '.join(modules)}\nprint(sorted({{'rasterio', 'osgeo', 'qgis'}} & set(sys.modules)))"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def test_a_run_needs_no_qgis(bench: Bench) -> None:
    foreign = "{'qgis', 'osgeo', 'PyQt5', 'PyQt6'}"
    script = (
        f"import bandwise.engine.execution.pipeline\nprint(sorted({foreign} & set(sys.modules)))"
    )
    result = bench.python(script)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"
