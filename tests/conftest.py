# SPDX-License-Identifier: GPL-2.0-or-later
"""Registers the repository root as the package ``bandwise``, whatever its folder is called, and the
workbench of the engine's tests.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bench import Bench
from other_systems import SYSTEM, play
from range_server import Server

ROOT = Path(__file__).resolve().parents[1]

collect_ignore = ["qt6"]  # `make test` runs it on PyQt6, without this file

if "bandwise" not in sys.modules:
    spec = importlib.util.spec_from_file_location(
        "bandwise", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bandwise"] = module
    spec.loader.exec_module(module)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty folder with tools to make rasters and run jobs in it."""
    return Bench(tmp_path)


@pytest.fixture(autouse=True)
def system(request: pytest.FixtureRequest) -> Iterator[None]:
    """Windows or macOS, as far as Linux can play them, where ``BANDWISE_SYSTEM`` says so."""
    if not SYSTEM:
        yield
        return
    # asked for here: a test that makes no file has no fixture of files. Its folder is of a user,
    # whom Windows has not
    request.getfixturevalue("tmp_path_factory").getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        play(SYSTEM, patch.setattr, patch.delattr)
        yield


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "web").mkdir()
    server = Server(tmp_path / "web")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def shared() -> Callable[..., Path]:
    """A function from parts of a path to that path in ``../shared/data``; the test is skipped where it is absent."""

    def path(*parts: str) -> Path:
        data = ROOT.parent.joinpath("shared", "data", *parts)
        if not data.exists():
            pytest.skip(f"needs real data: {'/'.join(parts)}")
        return data

    return path


#: Where tests may be of text and numbers alone.
_PURE = (
    "engine/expression",
    "engine/grids",
    "engine/indices",
    "engine/test_messages",
    "properties/test_random_text",
    "test_layout",
)
_OF_FILES = {"bench", "tmp_path", "tmp_path_factory"}
#: Packages of the engine that reach no raster library, and what needs no engine: where there is a
#: raster, it only brings numbers to a formula.
_ONE_BACKEND = (
    *_PURE,
    "engine/compute/test_arithmetic",
    "engine/compute/test_clamp",
    "engine/compute/test_program",
    "engine/compute/test_registers",
    "scripts",
    "stress/random/test_expressions",
    "test_translations",
)
#: Folders of files that take longest: begun first, so that both cores are busy to the end.
_LONG = ("data", "integration", "performance", "properties", "stress")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they depend on; CONTRIBUTING.md says which stage runs which."""
    for item in items:
        path = item.path.relative_to(ROOT / "tests").as_posix()
        if path.startswith(_PURE) and not _OF_FILES & asked_for(item):
            item.add_marker("pure")
        if path.startswith(_ONE_BACKEND):
            item.add_marker("one_backend")
    items.sort(key=lambda item: item.path.relative_to(ROOT / "tests").parts[0] not in _LONG)
    if SYSTEM == "windows":
        items[:] = [item for item in items if not item.get_closest_marker("posix")]


def asked_for(item: pytest.Item) -> set[str]:
    """Return the fixtures that a test asks for, itself or through others; not those that a plugin
    gives every test, as pytest-qgis does with ``tmp_path``.
    """
    asked: set[str] = set()
    if isinstance(item, pytest.Function):
        info = item._fixtureinfo
        names = [*info.argnames]
        while names:
            name = names.pop()
            if name not in asked:
                asked.add(name)
                names += [
                    argument
                    for fixture in info.name2fixturedefs.get(name, ())
                    for argument in fixture.argnames
                ]
    return asked
