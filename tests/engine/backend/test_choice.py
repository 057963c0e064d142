# SPDX-License-Identifier: GPL-2.0-or-later
"""Which backend a process takes: rasterio where it is sound, else GDAL's own package, and why."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from bandwise.engine.backend.choice import backend
from bench import Bench

ROOT = Path(__file__).resolve().parents[3]
#: rasterio as pip installs it, for the system's Python: ``make test`` puts it there.
WHEEL = ROOT / "build" / "wheel"
#: Data of the system's PROJ, which is older than that of any wheel.
SYSTEM_PROJ = "/usr/share/proj"

CHOOSE = """
import json
from bandwise.engine.backend.choice import backend, why_not_rasterio
from bandwise.engine.errors import LibraryError
try:
    library = backend()
    print(json.dumps([library.name, str(why_not_rasterio() or "")]))
except LibraryError as error:
    print(json.dumps(["", str(error)]))
"""
#: No finder finds the package, as in an installation without it.
WITHOUT = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *more: None if name.split(".")[0] in {missing} else find(name, *more)
"""
#: A wheel stands beside QGIS's GDAL as on Windows.
AS_ON_WINDOWS = """
import types
from bandwise.engine.backend import soundness
soundness.sys = types.SimpleNamespace(platform="win32")
"""
#: A run, and the result's CRS as GDAL reads it.
RUN = """
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
formula = named_formula("A + 1", ("A",))
notes = []
job = Job((BandRef("A", "a.tif"),), formula, "out.tif")
run(job, progress=lambda fraction, note: notes.append(str(note.text) if note else ""))
with_crs = backend().open("out.tif")
print(json.dumps([with_crs.wkt, with_crs.tags("")["BANDWISE_BACKEND"], notes]))
"""
not_older = backend().gdal_version >= (3, 7)
on_gdal = pytest.mark.skipif(find_spec("osgeo") is None, reason="a wheel of rasterio alone")


def last_line(bench: Bench, script: str, **env: str) -> Any:
    environment = {name: os.environ[name] for name in os.environ if name != "BANDWISE_BACKEND"}
    result = bench.python(script, env={**environment, **env})
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_a_sound_rasterio_is_taken(bench: Bench) -> None:
    """Not where these tests have a wheel of it beside the GDAL of a system without rasterio."""
    wheel = Path(str(find_spec("rasterio").origin)).parent.with_name("rasterio.libs")  # type: ignore[union-attr]
    beside = wheel.is_dir() and find_spec("osgeo") is not None
    assert last_line(bench, CHOOSE)[0] == ("osgeo" if beside else "rasterio")


@on_gdal
def test_without_rasterio_gdal_is_taken(bench: Bench) -> None:
    name, reason = last_line(bench, WITHOUT.format(missing={"rasterio"}) + CHOOSE)
    assert name == "osgeo"
    assert reason == "GDAL is used without rasterio: rasterio is not installed."


def test_without_any_there_is_one_sentence(bench: Bench) -> None:
    name, reason = last_line(bench, WITHOUT.format(missing={"rasterio", "osgeo"}) + CHOOSE)
    assert name == ""
    assert reason.startswith("No raster library can be used: rasterio is not installed; the Python")
    assert reason.endswith("; install QGIS again.") and "\n" not in reason


@on_gdal
def test_a_variable_names_the_backend(bench: Bench) -> None:
    assert last_line(bench, CHOOSE, BANDWISE_BACKEND="gdal") == ["osgeo", ""]
    assert last_line(bench, CHOOSE, BANDWISE_BACKEND=" Rasterio ") == ["rasterio", ""]
    assert last_line(bench, CHOOSE, BANDWISE_BACKEND="otb") == [
        "",
        "BANDWISE_BACKEND is otb; set it to rasterio or to gdal.",
    ]
    hidden = WITHOUT.format(missing={"rasterio"}) + CHOOSE
    name, reason = last_line(bench, hidden, BANDWISE_BACKEND="rasterio")
    assert name == "" and "rasterio, which cannot be used: the Python package rasterio" in reason


@on_gdal
def test_a_wheel_beside_the_systems_gdal_is_not_taken_on_linux(bench: Bench) -> None:
    name, reason = last_line(bench, CHOOSE, PYTHONPATH=str(WHEEL))
    assert name == "osgeo"
    assert f"the rasterio in {WHEEL / 'rasterio'} is a wheel with a GDAL of its own" in reason


@on_gdal
@pytest.mark.skipif(not_older, reason="this system's PROJ is as new as the wheel's")
@pytest.mark.parametrize("variable", ["PROJ_DATA", "PROJ_LIB"])
def test_a_wheel_with_the_data_of_another_proj_loses_no_crs(bench: Bench, variable: str) -> None:
    """As pip installs it in a QGIS: its own data give the CRS, those of QGIS's older PROJ would give none."""
    bench.save("a.tif", [[1, 2], [3, 4]])
    script = AS_ON_WINDOWS + CHOOSE + RUN
    for foreign, taken in (({}, "rasterio"), ({variable: SYSTEM_PROJ}, "osgeo")):
        wkt, tag, notes = last_line(bench, script, PYTHONPATH=str(WHEEL), **foreign)
        assert 'ID["EPSG",32633]' in wkt
        assert tag.startswith(f"{taken} ")
        assert any("finds no data of its own version" in note for note in notes) == bool(foreign)
    forced = {"PYTHONPATH": str(WHEEL), variable: SYSTEM_PROJ, "BANDWISE_BACKEND": "rasterio"}
    name, reason = last_line(bench, CHOOSE, **forced)
    assert name == "" and "knows no CRS; leave the choice to Bandwise." in reason


@pytest.mark.skipif(find_spec("osgeo") is not None, reason="the system's rasterio has this data")
def test_an_engine_on_a_wheel_alone_refuses_the_data_of_another_proj(bench: Bench) -> None:
    name, reason = last_line(bench, CHOOSE, PROJ_DATA=SYSTEM_PROJ)
    assert name == "" and "finds no data of its own version" in reason
