# SPDX-License-Identifier: GPL-2.0-or-later
"""NDVI while it runs: progress, cancel, threads, bad input, qgis_process."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import rasterio
from ndvi_cases import ndvi
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsRasterLayer,
)

ROOT = Path(__file__).resolve().parents[3]


def check(parameters, context):
    """What the dialog does when Run is pressed, and a batch before its first row."""
    return ndvi().checkParameterValues(parameters, context)


def test_progress_rises_to_the_end_and_the_log_says_what_was_decided(
    provider, scene, tmp_path, context, log
):
    _, fine = ndvi().run(
        {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(tmp_path / "ndvi.tif"), "MEMORY": 1},
        context,
        log,
    )
    assert fine
    assert log.fractions == sorted(log.fractions)
    assert log.fractions[-1] == 100
    said = "\n".join(log.info)
    decided = (
        Path(scene.red).name,
        "uint16",
        "no scale or offset was found",
        "nodata 0 (declared by the file)",
        "1 window of 512 x 512",
    )
    for words in (*decided, "MB/s", "valid pixels"):
        assert words in said
    assert any("more than the 1 MB allowed" in line for line in log.warnings)


def test_cancel_leaves_nothing(provider, scene, tmp_path, context, log):
    folder = tmp_path / "out"
    folder.mkdir()
    log.cancel()
    result, _ = ndvi().run(
        {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(folder / "ndvi.tif")}, context, log
    )
    assert result == {}
    assert log.info[-1] == "Cancelled; nothing was written."
    assert list(folder.iterdir()) == []


def test_feedback_is_touched_by_the_algorithms_own_thread_alone(
    provider, scene, tmp_path, context, log
):
    threads = set()
    log.progressChanged.connect(lambda _: threads.add(threading.get_ident()))
    ndvi().run(
        {"RED": scene.red, "NIR": scene.nir, "WORKERS": 3, "OUTPUT": str(tmp_path / "ndvi.tif")},
        context,
        log,
    )
    assert threads == {threading.get_ident()}


def test_a_run_in_a_background_thread_as_the_dialog_starts_it(
    provider, scene, tmp_path, qgis_app, read_values
):
    from qgis.core import QgsProcessingAlgRunnerTask, QgsProcessingFeedback
    from qgis.PyQt.QtCore import QEventLoop, QTimer

    context, feedback, answers = QgsProcessingContext(), QgsProcessingFeedback(), []
    out = str(tmp_path / "ndvi.tif")
    task = QgsProcessingAlgRunnerTask(
        ndvi(), {"RED": scene.red, "NIR": scene.nir, "OUTPUT": out}, context, feedback
    )
    loop = QEventLoop()
    task.executed.connect(lambda fine, results: (answers.append((fine, results)), loop.quit()))
    QTimer.singleShot(60000, loop.quit)
    QgsApplication.taskManager().addTask(task)
    loop.exec()
    ((fine, results),) = answers
    assert fine
    assert results["OUTPUT"] == out
    np.testing.assert_array_equal(read_values(out), scene.ndvi.astype(np.float32).astype(float))


BAD = {
    "missing file": (lambda s, t: {"RED": str(t / "none.tif")}, "none.tif does not exist"),
    "not a raster": (
        lambda s, t: {"RED": str(ROOT / "metadata.txt")},
        "cannot be opened as a raster",
    ),
    "no raster": (lambda s, t: {"RED": None}, "Red raster: no raster is given"),
    "band out of range": (lambda s, t: {"RED_BAND": 4}, "has no band 4"),
    "band 0": (lambda s, t: {"RED_BAND": 0}, "has no band 0"),
    "band as text": (
        lambda s, t: {"RED_BAND": "red"},
        "(RED_BAND) must be a whole number, not red",
    ),
    "band with a fraction": (
        lambda s, t: {"RED_BAND": 1.7},
        "(RED_BAND) must be a whole number, not 1.7",
    ),
    "nodata as text": (
        lambda s, t: {"SOURCE_NODATA": "none"},
        "(SOURCE_NODATA) must be a number, not none",
    ),
    "same band": (lambda s, t: {"NIR": s.red}, "choose two different bands"),
    "output is an input": (lambda s, t: {"OUTPUT": s.nir}, "is an input"),
    "output folder missing": (
        lambda s, t: {"OUTPUT": str(t / "none" / "ndvi.tif")},
        "does not exist; create it",
    ),
    "output is no GeoTIFF": (lambda s, t: {"OUTPUT": str(t / "ndvi.vrt")}, "ends in .tif"),
    "creation option": (
        lambda s, t: {"CREATION_OPTIONS": "COLOUR=GREEN"},
        "does not support creation option COLOUR",
    ),
    "creation option value": (lambda s, t: {"CREATION_OPTIONS": "COMPRESS=SQUEEZE"}, "SQUEEZE"),
    "creation option text": (lambda s, t: {"CREATION_OPTIONS": "tight please"}, "NAME=VALUE"),
    "codec for bytes": (
        lambda s, t: {"CREATION_OPTIONS": "COMPRESS=JPEG|JPEG_QUALITY=75"},
        "COMPRESS=JPEG cannot hold",
    ),
    "scale 0": (lambda s, t: {"RADIOMETRY": 2, "SCALE": 0}, "other than 0"),
    "radiometry": (lambda s, t: {"RADIOMETRY": -1}, "(RADIOMETRY) must be"),
    "workers": (lambda s, t: {"WORKERS": -1}, "Workers must be"),
    "memory": (lambda s, t: {"MEMORY": 0}, "memory at least 1 MB"),
}


@pytest.mark.parametrize(("change", "words"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_sentence_before_any_work(
    provider, scene, tmp_path, context, log, change, words
):
    folder = tmp_path / "out"
    folder.mkdir()
    parameters = {
        "RED": scene.red,
        "NIR": scene.nir,
        "OUTPUT": str(folder / "ndvi.tif"),
        **change(scene, tmp_path),
    }
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.tif")}
    fine, message = check(parameters, context)
    assert not fine
    assert words in message
    assert "\n" not in message
    assert "Traceback" not in message
    # a script that does not check first is stopped by the run: an exception, or no success where it
    # could not even be prepared
    try:
        _, fine = ndvi().run(parameters, context, log, catchExceptions=False)
    except QgsProcessingException as error:
        assert words in str(error)
        fine = False
    assert not fine
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.tif")} == before
    assert list(folder.iterdir()) == []


def test_layers_that_are_no_files_are_refused_by_name(
    provider, scene, tmp_path, context, monkeypatch
):
    # GDAL 3.10 and newer would not open the array
    monkeypatch.setenv("GDAL_MEM_ENABLE_OPEN", "YES")
    pixels = np.ones((257, 511), np.uint16)
    memory = f"MEM:::DATAPOINTER={pixels.ctypes.data},PIXELS=511,LINES=257,DATATYPE=UInt16"
    wms = QgsRasterLayer(
        "type=xyz&url=http://127.0.0.1:9/{z}/{x}/{y}.png&zmax=1&zmin=0", "the web map", "wms"
    )
    array = QgsRasterLayer(memory, "the array", "gdal")
    tuned = QgsRasterLayer(f"{scene.red}|option:NUM_THREADS=2", "the tuned file", "gdal")
    assert wms.isValid()
    assert array.isValid()
    assert tuned.isValid()
    for layer, words in (
        (wms, "export it to a GeoTIFF"),
        (array, "export it to a GeoTIFF"),
        (tuned, "open options"),
    ):
        fine, message = check(
            {"RED": layer, "NIR": scene.nir, "OUTPUT": str(tmp_path / "o.tif")}, context
        )
        assert not fine
        assert layer.name() in message
        assert words in message
        assert "\n" not in message


def test_qgis_process_runs_it(qgis_process, scene, tmp_path, read_values):
    out = tmp_path / "ndvi.tif"
    done = qgis_process(
        "run", "bandwise:ndvi", "--", f"RED={scene.red}", f"NIR={scene.nir}", f"OUTPUT={out}"
    )
    assert done.returncode == 0, done.stderr
    assert "VALID_PIXELS:\t128500" in done.stdout
    assert "nodata 0 (declared by the file)" in done.stdout
    np.testing.assert_array_equal(
        read_values(str(out)), scene.ndvi.astype(np.float32).astype(float)
    )


def test_qgis_process_answers_in_json(qgis_process, scene, tmp_path):
    out = tmp_path / "ndvi.tif"
    done = qgis_process(
        "--json",
        "run",
        "bandwise:ndvi",
        "--",
        f"RED={scene.stack}",
        f"NIR={scene.stack}",
        "NIR_BAND=2",
        f"OUTPUT={out}",
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout[done.stdout.index("{") :])["results"]
    assert results["OUTPUT"] == str(out)
    assert results["VALID_PIXELS"] == 128500
    assert results["NODATA_PIXELS"] == 2827
    assert results["MEAN"] == pytest.approx(np.nanmean(scene.ndvi), abs=1e-7)
    assert results["MINIMUM"] == pytest.approx(np.nanmin(scene.ndvi), abs=1e-7)


def test_qgis_process_explains_bad_input_and_leaves_nothing(qgis_process, scene, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    done = qgis_process(
        "run",
        "bandwise:ndvi",
        "--",
        f"RED={scene.red}",
        f"NIR={tmp_path / 'none.tif'}",
        f"OUTPUT={folder / 'ndvi.tif'}",
    )
    assert done.returncode == 1
    assert "none.tif does not exist" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert list(folder.iterdir()) == []


def test_real_jpeg_2000_through_qgis_process_gives_the_number_that_the_xml_implies(
    qgis_process, tmp_path, read_values
):
    """Sentinel-2 N0400: offset -1000 in MTD_MSIL2A.xml alone; mean NDVI of vegetation (SCL 4) is
    0.8254, without the offset 0.560.
    """
    bands = sorted(
        (ROOT.parent / "shared" / "data").glob(
            "sentinel2_safe_N0400_original_jp2/S2A*.SAFE/GRANULE/*/IMG_DATA/R60m/*_60m.jp2"
        )
    )
    if not bands:
        pytest.skip("no real data beside the repository")
    path = {
        name: str(band)
        for band in bands
        for name in ("B04", "B8A", "SCL")
        if f"_{name}_" in band.name
    }
    out = tmp_path / "ndvi.tif"
    done = qgis_process(
        "run", "bandwise:ndvi", "--", f"RED={path['B04']}", f"NIR={path['B8A']}", f"OUTPUT={out}"
    )
    assert done.returncode == 0, done.stderr
    assert "MTD_MSIL2A.xml, band B8A: quantification 10000, offset -1000" in done.stdout
    pixels = read_values(str(out))
    with rasterio.open(path["SCL"]) as scl:
        vegetation = (scl.read(1) == 4) & ~np.isnan(pixels)
    assert pixels[vegetation].mean() == pytest.approx(0.8254, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "value"), [("SCALE", 0.0000275), ("OFFSET", -7272.7272727), ("SOURCE_NODATA", 1e-7)]
)
def test_the_dialog_keeps_every_digit(provider, context, name, value):
    """Landsat's 0.0000275 has more decimals than the dialog's spin boxes show by default."""
    from qgis.gui import QgsGui, QgsProcessingGui

    algorithm = ndvi()
    wrapper = QgsGui.processingGuiRegistry().createParameterWidgetWrapper(
        algorithm.parameterDefinition(name), QgsProcessingGui.WidgetType.Standard
    )
    widget = wrapper.createWrappedWidget(context)
    wrapper.setParameterValue(value, context)
    assert wrapper.parameterValue() == value
    widget.deleteLater()
