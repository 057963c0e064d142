# SPDX-License-Identifier: GPL-2.0-or-later
"""bandwise:scenes in the real QGIS: a folder of products of several sensors, run, run again, changed and cancelled."""

from __future__ import annotations

import csv
import inspect
import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from bench import Bench
from many_cases import FILES, broken, products
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProject,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QTime
from scene_cases import LC08, LT05, S30, SAFE, touch

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def algorithm():
    return QgsApplication.processingRegistry().createAlgorithmById("bandwise:scenes")


@pytest.fixture
def folder(tmp_path):
    """Four products: (parameters of a run, NDVI by scene)."""
    bench = Bench(tmp_path)
    expected = products(bench)
    return {"SCENES": str(tmp_path / "in"), "OUTPUT_FOLDER": str(tmp_path / "out")}, expected


def run(parameters, context, log):
    result, fine = algorithm().run(parameters, context, log)
    assert fine, log.warnings
    return result


def rows(path):
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_parameters(provider):
    made = algorithm()  # owns its parameters
    names = [each.name() for each in made.parameterDefinitions()]
    own = ["SCENES", "START", "END", "INDICES", "CONSTANTS", "BANDS", "NAME_PATTERN", "EXISTING"]
    assert names[:10] == [*own, "LOAD", "MASK_CLOUDS"]
    assert names[-2:] == ["OUTPUT_FOLDER", "SUMMARY"]
    outputs = [each.name() for each in made.outputDefinitions()]
    assert outputs == ["OUTPUT_FOLDER", "SUMMARY", "DONE", "SKIPPED", "FAILED"]


def test_run_run_again_change_and_run_again(provider, folder, context, log, tmp_path):
    parameters, expected = folder
    result = run(parameters, context, log)
    assert [result[name] for name in ("DONE", "SKIPPED", "FAILED")] == [4, 0, 0]
    assert log.fractions == sorted(log.fractions) and log.fractions[-1] == 100
    for scene, name in FILES.items():
        with rasterio.open(Path(result["OUTPUT_FOLDER"], name)) as dataset:
            values = dataset.read(1).astype(float)
            assert dataset.tags(1)["BANDWISE_SCENE"] == scene
        np.testing.assert_array_equal(values[0], -9999)
        np.testing.assert_allclose(values[1:], expected[scene][1:], rtol=1e-6, atol=1e-7)
    table = rows(result["SUMMARY"])
    assert result["SUMMARY"] == str(tmp_path / "out" / "bandwise_summary.csv")
    assert [row["scene"] for row in table] == [LT05, S30, LC08, SAFE]
    assert {row["status"] for row in table} == {"done"}
    means = [float(row["mean"]) for row in table]
    assert means == pytest.approx([np.nanmean(expected[row["scene"]]) for row in table], abs=1e-6)
    again = run(parameters, context, log)
    assert [again[name] for name in ("DONE", "SKIPPED", "FAILED")] == [0, 4, 0]
    assert [float(row["mean"]) for row in rows(again["SUMMARY"])] == pytest.approx(means, rel=1e-11)
    changed = run({**parameters, "MASK_CLOUDS": False}, context, log)
    assert changed["DONE"] == 4
    assert {row["valid_pixels"] for row in rows(changed["SUMMARY"])} == {"600"}
    assert run({**parameters, "MASK_CLOUDS": False, "EXISTING": 1}, context, log)["DONE"] == 4


def test_a_bad_scene_is_a_warning_and_a_row(provider, folder, context, log, tmp_path):
    parameters, _ = folder
    broken(Bench(tmp_path))
    result = run({**parameters, "INDICES": ["NDVI", "SR"]}, context, log)
    assert [result[name] for name in ("DONE", "SKIPPED", "FAILED")] == [4, 0, 2]
    assert len([line for line in log.warnings if " failed: " in line]) == 2, "one a scene"
    failed = [row for row in rows(result["SUMMARY"]) if row["status"] == "failed"]
    assert len(failed) == 3 and all(row["message"] and not row["file"] for row in failed)
    assert "4 scenes were computed, 0 skipped, and 2 failed." in log.info


def test_one_sentence_where_all_scenes_fail(provider, folder, context, log):
    parameters, _ = folder
    words = "None of the 4 scenes could be computed; of the first one: NBR needs the band swir2"
    with pytest.raises(QgsProcessingException, match=words):
        algorithm().run({**parameters, "INDICES": "NBR"}, context, log, {}, False)
    assert len(rows(Path(parameters["OUTPUT_FOLDER"], "bandwise_summary.csv"))) == 4


def test_cancel_and_take_up_again(provider, folder, context, log):
    parameters, _ = folder
    log.progressChanged.connect(lambda percent: log.cancel() if percent > 60 else None)
    result = run(parameters, context, log)
    assert result["DONE"] == 2 and len(rows(result["SUMMARY"])) == 2
    assert len(list(Path(parameters["OUTPUT_FOLDER"]).glob("*.tif"))) == 2
    assert any("Cancelled; what was completed stays" in line for line in log.info)
    second = type(log)()
    result = run(parameters, context, second)
    assert (result["DONE"], result["SKIPPED"]) == (2, 2)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2020-07-01", "2020-07-01"),
        (QDate(2020, 7, 1), QDateTime(QDate(2020, 7, 1), QTime(0, 0))),
    ],
)
def test_a_period(provider, folder, context, log, start, end):
    parameters, _ = folder
    result = run({**parameters, "START": start, "END": end}, context, log)
    assert result["DONE"] == 2
    assert {row["date"] for row in rows(result["SUMMARY"])} == {"2020-07-01"}


def test_one_file_a_scene_and_its_table_elsewhere(provider, folder, context, log, tmp_path):
    parameters, _ = folder
    more = {"INDICES": "NDVI;SR", "NAME_PATTERN": "{scene}.tif"}
    result = run({**parameters, **more, "SUMMARY": str(tmp_path / "t.csv")}, context, log)
    assert result["SUMMARY"] == str(tmp_path / "t.csv")
    files = sorted(path.name for path in Path(parameters["OUTPUT_FOLDER"]).iterdir())
    assert files == sorted(f"{scene}.tif" for scene in FILES)
    assert len(rows(result["SUMMARY"])) == 8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"SCENES": "/nowhere"}, "/nowhere is no folder on this computer"),
        ({"INDICES": "NDVX"}, "There is no index NDVX; near names are NDVI"),
        ({"CONSTANTS": "L=1"}, "“Input: constants” (CONSTANTS): none of the indices"),
        (
            {"NAME_PATTERN": "{day}_{index}"},
            "“Names of the results” (NAME_PATTERN): there is no field {day}",
        ),
        ({"NAME_PATTERN": "ndvi"}, "ndvi is not understood; write a name with fields"),
        ({"NAME_PATTERN": "{tile}/{date}"}, "has a folder in it"),
        ({"NAME_PATTERN": "{index}"}, "gives all scenes one name"),
        ({"START": "May"}, "“First day” (START) is a date such as 2024-05-31, not May"),
        (
            {"START": "2022-01-01", "END": "2021-01-01"},
            "“Last day” (END) is 2021-01-01, before “First day” (START)",
        ),
        (
            {"SUMMARY": "summary.txt"},
            "(SUMMARY): give summary.txt a name that ends in .csv",
        ),
        ({"SUMMARY": "/nowhere/s.csv"}, "(SUMMARY): the folder of /nowhere/s.csv does not exist"),
        ({"SOURCE_NODATA": "x"}, "(SOURCE_NODATA) must be a number, not x"),
    ],
)
def test_one_sentence_for_what_is_wrong(provider, folder, context, change, words):
    fine, message = algorithm().checkParameterValues({**folder[0], **change}, context)
    assert not fine and words in message and "\n" not in message
    assert not Path(folder[0]["OUTPUT_FOLDER"]).exists()


def test_the_folder_of_results_is_a_file(provider, folder, context, tmp_path):
    touch(Bench(tmp_path), "out")
    fine, message = algorithm().checkParameterValues(folder[0], context)
    assert not fine and f"{tmp_path / 'out'} is a file; choose a folder" in message


def test_temporary_places(provider, folder, context, log):
    temporary = {"OUTPUT_FOLDER": "TEMPORARY_OUTPUT", "SUMMARY": "TEMPORARY_OUTPUT"}
    fine, message = algorithm().checkParameterValues({**folder[0], **temporary}, context)
    assert fine, message
    result = run({**folder[0], **temporary}, context, log)
    assert len(list(Path(result["OUTPUT_FOLDER"]).iterdir())) == 4
    assert len(rows(result["SUMMARY"])) == 4


def test_a_folder_that_cannot_be_made(provider, folder, context, log, tmp_path):
    touch(Bench(tmp_path), "file")
    parameters = {**folder[0], "OUTPUT_FOLDER": str(tmp_path / "file" / "below")}
    with pytest.raises(QgsProcessingException, match=r"cannot be made \(Not a directory\); choose"):
        algorithm().run(parameters, context, log, {}, False)


def test_a_dry_run(provider, folder, context, log):
    result = run({**folder[0], "DRY_RUN": True}, context, log)
    assert not Path(folder[0]["OUTPUT_FOLDER"]).exists() and "SUMMARY" not in result
    assert len([line for line in log.info if line.endswith(".tif would be computed")]) == 4


def test_results_as_layers(provider, folder, context, log, monkeypatch):
    import processing
    import processing.gui.Postprocessing

    monkeypatch.setattr(processing.gui.Postprocessing, "iface", None, raising=False)
    QgsProject.instance().removeAllMapLayers()
    processing.runAndLoadResults("bandwise:scenes", folder[0])
    assert not QgsProject.instance().mapLayers()
    processing.runAndLoadResults("bandwise:scenes", {**folder[0], "LOAD": True})
    layers = QgsProject.instance().mapLayers().values()
    assert sorted(layer.name() + ".tif" for layer in layers) == sorted(FILES.values())
    assert all(isinstance(layer.renderer(), QgsSingleBandPseudoColorRenderer) for layer in layers)
    QgsProject.instance().removeAllMapLayers()


def test_the_list_of_indices_follows_the_first_scene(provider, folder):
    from processing.gui.wrappers import WidgetWrapperFactory
    from qgis.PyQt.QtWidgets import QDialog

    made, dialog, context = algorithm(), QDialog(), QgsProcessingContext()
    wrappers = {
        name: WidgetWrapperFactory.create_wrapper(made.parameterDefinition(name), dialog)
        for name in ("SCENES", "INDICES")
    }
    widget = wrappers["SCENES"].createWrappedWidget(context)
    wrappers["INDICES"].postInitialize(list(wrappers.values()))
    assert not wrappers["INDICES"].list_dialog().possible.isEnabled()
    for value, known in ((folder[0]["SCENES"], True), ("/nowhere", False)):
        wrappers["SCENES"].setParameterValue(value, context)
        shown = wrappers["INDICES"].list_dialog()
        assert shown.possible.isEnabled() is known
        missing = {item.text(0): item.text(3) for item in shown.items()}
        assert missing["NDVI"] == "" and bool(missing["NBR"]) is known
    assert widget is not None


def test_a_step_of_a_model(provider, folder, context, log, tmp_path):
    """Its folder of results is the model's, and a later step takes the number of scenes."""
    model = QgsProcessingModelAlgorithm("many", "many")
    child = QgsProcessingModelChildAlgorithm("bandwise:scenes")
    child.setChildId("scenes")
    source = QgsProcessingModelChildParameterSource
    child.addParameterSources("SCENES", [source.fromStaticValue(folder[0]["SCENES"])])
    child.addParameterSources("INDICES", [source.fromStaticValue("NDVI")])
    kept = QgsProcessingModelOutput("kept")
    kept.setChildOutputName("OUTPUT_FOLDER")
    kept.setChildId("scenes")
    child.setModelOutputs({"kept": kept})
    model.addChildAlgorithm(child)
    model.updateDestinationParameters()
    result, fine = model.run({"scenes:kept": str(tmp_path / "kept")}, context, log)
    assert fine
    assert result["CHILD_RESULTS"]["scenes"]["DONE"] == 4
    assert len(list((tmp_path / "kept").glob("*.tif"))) == 4


def test_the_batch_dialog_takes_a_scene_a_row(provider, folder, tmp_path):
    """What its menu offers for the column of scenes, and the parameters that its rows give."""
    from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog

    indices = QgsApplication.processingRegistry().createAlgorithmById("bandwise:spectralindices")
    dialog = BatchAlgorithmDialog(indices)
    panel = dialog.mainWidget()
    scenes = panel.tblParameters.cellWidget(0, panel.parameter_to_column["SCENE"])
    scenes.createMenu()
    assert any("Files by Pattern" in action.text() for action in scenes.menu.actions())
    inputs = Path(folder[0]["SCENES"])
    paths = [str(path) for path in (*inputs.glob("*.SAFE"), *inputs.rglob("*_MTL.txt"))]
    context = QgsProcessingContext()
    for row, path in enumerate(paths):
        scenes.setRowValue(row, path, context)
        output = panel.tblParameters.cellWidget(row + 1, panel.parameter_to_column["OUTPUT"])
        output.setValue(str(tmp_path / f"{row}.tif"))
    # newer ones of QGIS want the context, too
    wanted = inspect.signature(panel.parametersForRow).parameters
    more = {"context": context} if "context" in wanted else {}
    for row, path in enumerate(paths):
        parameters, fine = panel.parametersForRow(
            row, destinationProject=QgsProject.instance(), **more
        )
        assert fine and parameters["SCENE"] == path
        _, fine = indices.run(parameters, context, QgsProcessingFeedback())
        assert fine and (tmp_path / f"{row}.tif").exists()
    dialog.close()


def test_qgis_process(qgis_process, folder, tmp_path):
    parameters = [f"{name}={value}" for name, value in folder[0].items()]
    for status in ("done", "skipped"):
        ended = qgis_process(
            "--json", "run", "bandwise:scenes", "--", *parameters, "START=2000-01-01"
        )
        assert ended.returncode == 0, ended.stderr
        results = json.loads(ended.stdout)["results"]
        assert results[status.upper()] == 3
        assert [row["status"] for row in rows(results["SUMMARY"])] == [status] * 3


def test_real_products(provider, context, log, tmp_path):
    """Every product beside the repository that has bands is computed as one by one."""
    if not DATA.exists():
        pytest.skip("no real data beside the repository")
    parameters = {"SCENES": str(DATA), "OUTPUT_FOLDER": str(tmp_path / "out")}
    result = run({**parameters, "NAME_PATTERN": "{scene}_{index}"}, context, log)
    done = {row["scene"]: row for row in rows(result["SUMMARY"]) if row["status"] == "done"}
    assert len(done) >= 5, rows(result["SUMMARY"])
    (scene,) = (name for name in done if name.startswith("S2A_MSIL2A_20221005"))
    one = QgsApplication.processingRegistry().createAlgorithmById("bandwise:ndvi")
    out = str(tmp_path / "ndvi.tif")
    (product,) = DATA.glob(f"*/{scene}.SAFE")
    single, fine = one.run({"SCENE": str(product), "OUTPUT": out}, context, log)
    assert fine
    assert float(done[scene]["mean"]) == single["MEAN"]
    with (
        rasterio.open(out) as first,
        rasterio.open(tmp_path / "out" / done[scene]["file"]) as second,
    ):
        assert first.read(1).tobytes() == second.read(1).tobytes()
