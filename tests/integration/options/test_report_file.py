# SPDX-License-Identifier: GPL-2.0-or-later
"""The log ends with what people look for, and the report of a run is a file, where it is wanted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from ndvi_cases import ndvi
from options_cases import run
from qgis.core import QgsProcessing


@pytest.fixture
def bands(scene, tmp_path):
    return {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(tmp_path / "out.tif")}


def test_a_run_leaves_no_page_of_json(qgis_process, bands):
    """The last lines of qgis_process are the results, one short line each."""
    given = [f"{name}={value}" for name, value in bands.items()]
    done = qgis_process("run", "bandwise:ndvi", "--", *given)
    assert done.returncode == 0, done.stderr
    results = done.stdout[done.stdout.index("Results") :].splitlines()
    names = {line.partition(":")[0] for line in results if ":\t" in line}
    assert names == {
        *("OUTPUT", "VALID_PIXELS", "NODATA_PIXELS"),
        *("MINIMUM", "MAXIMUM", "MEAN", "STANDARD_DEVIATION"),
    }
    short = [line.replace(bands["OUTPUT"], "") for line in results]
    assert max(map(len, short)) < 60 and "{" not in "".join(short)


def test_the_file_has_the_numbers_of_each_band(provider, scene, bands, tmp_path, context, log):
    """Twice, as a former report is replaced; the second by a raster that is upside down."""
    place = tmp_path / "Bericht é.json"
    for sign, names in ((1, ("RED", "NIR")), (-1, ("NIR", "RED"))):
        inputs = dict(zip(names, (scene.red, scene.nir)))
        result, fine = run({**bands, **inputs, "REPORT_FILE": str(place)}, context, log)
        assert fine and result["REPORT_FILE"] == str(place) and "REPORT" not in result
        text = place.read_text("utf-8")
        report = json.loads(text)
        (band,) = report["results"]
        assert band["name"] == "NDVI" and band["valid_pixels"] == np.isfinite(scene.ndvi).sum()
        assert band["mean"] == pytest.approx(sign * np.nanmean(scene.ndvi), abs=1e-7)
        assert report["output"]["path"] == bands["OUTPUT"] and len(text.splitlines()) > 20
    assert log.info[-1].startswith("Done in ")
    assert any("1 of 1 windows" in line for line in log.info)
    assert not any("block" in line for line in log.info)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "Bericht é.json",
        "inputs",
        "out.tif",
    ]


def test_a_dry_run_gives_both(provider, bands, tmp_path, context, log):
    place = tmp_path / "dry.json"
    result, fine = run({**bands, "DRY_RUN": True, "REPORT_FILE": str(place)}, context, log)
    assert fine and set(result) == {"REPORT", "REPORT_FILE"}
    assert json.loads(result["REPORT"]) == json.loads(place.read_text())
    assert not (tmp_path / "out.tif").exists()


def test_a_temporary_file(provider, bands, context, log):
    result, fine = run({**bands, "REPORT_FILE": QgsProcessing.TEMPORARY_OUTPUT}, context, log)
    assert fine and result["REPORT_FILE"].endswith(".json")
    assert json.loads(Path(result["REPORT_FILE"]).read_text("utf-8"))["results"]


NOT_A_REPORT = {
    "a STAC item": b'{"type": "Feature", "assets": {}}',
    "no JSON": b"red, nir",
    "empty": b"",
    "a list": b"[1, 2]",
    "deep": b"[" * 100_000,
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("content", NOT_A_REPORT.values(), ids=NOT_A_REPORT)
def test_a_file_that_is_no_report_is_kept(provider, bands, tmp_path, context, log, content):
    place = tmp_path / "item.json"
    place.write_bytes(content)
    parameters = {**bands, "REPORT_FILE": str(place)}
    fine, message = ndvi().checkParameterValues(parameters, context)
    assert not fine and message == (
        f"“Report of the run” (REPORT_FILE): {place} exists and is no report; choose another name."
    )
    _, fine = ndvi().run(parameters, context, log)  # a script that does not check
    assert not fine and place.read_bytes() == content
    assert not (tmp_path / "out.tif").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("report.txt", "ends in .json"),
        ("none/report.json", "does not exist; create it"),
        ("inputs", "ends in .json"),
        ("folder.json", "is no report"),
    ],
)
def test_impossible_names_are_one_sentence(provider, bands, tmp_path, context, name, words):
    (tmp_path / "folder.json").mkdir()
    parameters = {**bands, "REPORT_FILE": str(tmp_path / name)}
    fine, message = ndvi().checkParameterValues(parameters, context)
    assert not fine and words in message and "\n" not in message


def test_a_cancelled_run_says_so_and_leaves_no_report(provider, bands, tmp_path, context, log):
    log.cancel()
    place = tmp_path / "report.json"
    result, _ = run({**bands, "REPORT_FILE": str(place)}, context, log)
    assert result == {} and not place.exists()
    assert log.info[-1] == "Cancelled; nothing was written."


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="in /proc nobody makes a file")
def test_a_report_that_cannot_be_written_costs_no_result(provider, bands, context, log):
    """The folder takes no files; the result is there, and a warning says what is not."""
    result, fine = run({**bands, "REPORT_FILE": "/proc/self/report.json"}, context, log)
    assert fine and "REPORT_FILE" not in result
    with rasterio.open(result["OUTPUT"]) as dataset:
        assert dataset.width == 511
    assert "/proc/self/report.json cannot be written" in log.warnings[-1]
