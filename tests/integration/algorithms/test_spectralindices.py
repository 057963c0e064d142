# SPDX-License-Identifier: GPL-2.0-or-later
"""bandwise:spectralindices in the real QGIS: scripts, qgis_process, the loaded layer, and the user's own indices."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from bandwise.engine.indices.catalogue import listed_indices
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtCore import Qt


def indices():
    return QgsApplication.processingRegistry().createAlgorithmById("bandwise:spectralindices")


@pytest.fixture
def own_file():
    """The file of the profile's own indices; QGIS's settings folder of the tests is a temporary one or empty of it."""
    path = Path(QgsApplication.qgisSettingsDirPath()) / "bandwise" / "indices.json"
    assert not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    yield path
    path.unlink(missing_ok=True)
    path.parent.rmdir()


def test_the_parameters(provider):
    algorithm = indices()  # owns its parameters
    names = [parameter.name() for parameter in algorithm.parameterDefinitions()]
    assert names[:6] == ["SCENE", "MASK_CLOUDS", "LAYERS", "INDICES", "CONSTANTS", "BANDS"]
    assert len(names) == 6 + 27
    own = {parameter.name(): parameter for parameter in algorithm.parameterDefinitions()}
    advanced = own["INDICES"].Flag.FlagAdvanced
    assert not own["INDICES"].flags() & advanced
    assert own["CONSTANTS"].flags() & advanced and own["BANDS"].flags() & advanced
    assert own["RADIOMETRY"].defaultValue() == 0, "reflectance"


def test_ndvi_has_the_bytes_of_ndvi(provider, scene, tmp_path, context, log):
    import processing

    paths = [str(tmp_path / name) for name in ("ndvi.tif", "index.tif")]
    processing.run("bandwise:ndvi", {"RED": scene.red, "NIR": scene.nir, "OUTPUT": paths[0]})
    place = tmp_path / "report.json"
    parameters = {"LAYERS": [scene.nir, scene.red], "INDICES": "NDVI;SR", "OUTPUT": paths[1]}
    result, fine = indices().run({**parameters, "REPORT_FILE": str(place)}, context, log)
    assert fine
    with rasterio.open(paths[0]) as ndvi, rasterio.open(paths[1]) as found:
        assert found.read(1).tobytes() == ndvi.read(1).tobytes()
        assert found.descriptions == ("NDVI", "SR")
    report = json.loads(place.read_text())["results"]
    assert [band["name"] for band in report] == ["NDVI", "SR"]
    assert report[0]["mean"] == result["MEAN"] and report[1]["mean"] > 1
    assert report[1]["valid_pixels"] == result["VALID_PIXELS"] == 500 * 257
    assert any("nir = A of nir.tif" in line for line in log.info)


def test_a_script_may_give_a_list(provider, scene, tmp_path):
    import processing

    out = str(tmp_path / "o.tif")
    layers = [QgsRasterLayer(scene.stack, "both")]
    bands = 'red="both@1"; N=A@2'
    for names in (["NDVI", "SR"], "NDVI,SR", "NDVI\nSR;"):
        processing.run(
            "bandwise:spectralindices",
            {"LAYERS": layers, "INDICES": names, "BANDS": bands, "OUTPUT": out},
        )
        with rasterio.open(out) as result:
            assert result.descriptions == ("NDVI", "SR")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"INDICES": "NDVX"}, "There is no index NDVX; near names are NDVI"),
        ({"INDICES": ""}, "“Indices” (INDICES) is empty"),
        ({"INDICES": "NBR"}, "NBR needs the band swir2"),
        ({"INDICES": "NBR"}, "or name it in “Input: bands” (BANDS), such as swir2=A@2"),
        ({"CONSTANTS": "L=0.5"}, "“Input: constants” (CONSTANTS): none of the indices"),
        ({"BANDS": "nir=C"}, "“Input: bands” (BANDS), nir=C: there is no input C"),
        ({"LAYERS": []}, "No raster is given, and no scene; choose “Scene” (SCENE), or else"),
    ],
)
def test_one_sentence_for_what_is_wrong(provider, scene, tmp_path, context, change, words):
    parameters = {
        "LAYERS": [scene.red, scene.nir],
        "INDICES": "NDVI",
        "OUTPUT": str(tmp_path / "o.tif"),
        **change,
    }
    fine, message = indices().checkParameterValues(parameters, context)
    assert not fine and words in message and "\n" not in message


@pytest.mark.parametrize(
    ("names", "ends"),
    [("NDVI", (-1, 1)), ("SR", None), ("NDVI;SR;DVI", None)],
)
def test_the_loaded_layer(provider, scene, tmp_path, monkeypatch, names, ends):
    """A customary style, or viridis from the 2nd to the 98th percentile; never red, green and blue."""
    import processing
    import processing.gui.Postprocessing

    # QGIS 3.44 wants a real one or none
    monkeypatch.setattr(processing.gui.Postprocessing, "iface", None, raising=False)
    QgsProject.instance().removeAllMapLayers()
    processing.runAndLoadResults(
        "bandwise:spectralindices",
        {"LAYERS": [scene.red, scene.nir], "INDICES": names, "OUTPUT": str(tmp_path / "o.tif")},
    )
    (layer,) = QgsProject.instance().mapLayers().values()
    assert layer.name() == names.replace(";", ", ")
    renderer = layer.renderer()
    assert isinstance(renderer, QgsSingleBandPseudoColorRenderer) and renderer.band() == 1
    if ends is None:
        with rasterio.open(tmp_path / "o.tif") as dataset:
            values = dataset.read(1, masked=True).compressed()
        shown = renderer.classificationMin(), renderer.classificationMax()
        assert shown == pytest.approx(np.percentile(values, (2, 98)), rel=1 / 128)
    if ";" not in names:  # QGIS samples three bands for a composite before it hands the layer over
        assert not list(tmp_path.glob("*.aux.xml")), "QGIS had no statistics to compute"
    QgsProject.instance().removeAllMapLayers()


def test_every_style_of_the_table_is_there(provider, scene):
    from bandwise.algorithms.resources import _RESOURCES

    names = {index.style for index in listed_indices().values() if index.style}
    assert names == {path.stem for path in (_RESOURCES / "styles").glob("*.qml")}
    for name in names:
        layer = QgsRasterLayer(scene.red, name)
        _, fine = layer.loadNamedStyle(str(_RESOURCES / "styles" / f"{name}.qml"))
        items = layer.renderer().shader().rasterShaderFunction().colorRampItemList()
        values = [item.value for item in items]
        assert fine and values == sorted(values) and len(values) >= 5
        assert (values[0], values[-1]) == (-1, 1)


def test_own_indices_of_the_profile(provider, scene, tmp_path, context, log, read_values, own_file):
    own_file.write_text(json.dumps(["Mine := nir - 2 * red", "Bad := nir -"]))
    out = str(tmp_path / "o.tif")
    parameters = {"LAYERS": [scene.red, scene.nir], "INDICES": "Mine", "OUTPUT": out}
    _, fine = indices().run(parameters, context, log)
    assert fine
    with rasterio.open(scene.stack) as stack:
        red, nir = stack.read().astype(float)
    expected = np.where(red == 0, np.nan, nir - 2 * red)
    np.testing.assert_array_equal(read_values(out), expected)
    assert len([line for line in log.warnings if "Entry 2 of your indices in" in line]) == 1


SEN2R = Path(__file__).resolve().parents[4] / "shared" / "data" / "references" / "sen2r_barbellino"


@pytest.mark.skipif(not SEN2R.exists(), reason="no real data beside the repository")
@pytest.mark.parametrize("date", ["20170703", "20190723"])
def test_what_sen2r_published(provider, tmp_path, context, log, date):
    """NDVI and MSAVI2 as Int16 of 10000 times the index: no pixel differs."""
    out = tmp_path / "o.tif"
    parameters = {
        **{"LAYERS": [str(SEN2R / "input" / f"S2A2A_{date}_022_Barbellino_BOA_10.tif")]},
        **{"INDICES": "NDVI;MSAVI", "BANDS": "nir=A@8; red=A@4", "OUTPUT": str(out)},
        **{"RADIOMETRY": 2, "SCALE": 1e-4, "OFFSET": 0.0},
    }
    _, fine = indices().run(parameters, context, log)
    assert fine, log.info
    with rasterio.open(out) as result:
        bands = result.read().astype(float)
    for pixels, name in zip(bands, ("NDVI", "MSAVI2")):
        with rasterio.open(
            SEN2R / "expected" / f"S2A2A_{date}_022_Barbellino_{name}_10.tif"
        ) as file:
            published = file.read(1)
        ours = np.where(pixels == -9999, -32768, np.round(10000 * pixels))
        np.testing.assert_array_equal(ours, published)


@pytest.fixture
def wrapper(provider, scene):
    """The widgets of INDICES and LAYERS, as the dialog makes them."""
    from processing.gui.wrappers import WidgetWrapperFactory
    from qgis.PyQt.QtWidgets import QDialog

    algorithm, dialog = indices(), QDialog()
    made = {
        name: WidgetWrapperFactory.create_wrapper(algorithm.parameterDefinition(name), dialog)
        for name in ("INDICES", "LAYERS", "BANDS")
    }
    widgets = [
        each.createWrappedWidget(QgsProcessingContext())
        for each in made.values()
        if not hasattr(each, "widget")  # C++
    ]
    made["INDICES"].postInitialize(list(made.values()))
    yield made, algorithm, dialog, widgets


def rows(dialog):
    return {item.text(0): item for item in dialog.items() if not item.isHidden()}


def test_the_list_is_searched_by_name_long_name_and_domain(wrapper):
    found = wrapper[0]["INDICES"]
    assert found.value() == "NDVI" and found.parameterValue() == "NDVI"
    found.setValue("EVI; ndvi; unfin")
    dialog = found.list_dialog()
    assert len(rows(dialog)) == len(listed_indices()) and not dialog.possible.isEnabled()
    for text, few in (
        ("nbr", {"NBR", "NBR2"}),
        ("burn ratio swir", {"NBRSWIR"}),
        ("radar", {"RFDI"}),
    ):
        dialog.search.setText(text)
        assert few <= set(rows(dialog)) and len(rows(dialog)) < 30
    assert all(item.text(2) == "radar" for item in rows(dialog).values())
    dialog.search.clear()
    rows(dialog)["NBR"].setCheckState(0, Qt.CheckState.Checked)
    assert dialog.names() == ["EVI", "NDVI", "NBR"]
    rows(dialog)["EVI"].setCheckState(0, Qt.CheckState.Unchecked)
    assert dialog.names() == ["NDVI", "NBR"]
    assert "(nir - red) / (nir + red)" in rows(dialog)["NDVI"].toolTip(0)


def test_the_list_follows_the_bands(wrapper, scene):
    made, *_ = wrapper
    made["LAYERS"].setParameterValue([scene.red, scene.nir], QgsProcessingContext())
    dialog = made["INDICES"].list_dialog()
    assert dialog.possible.isChecked() and {"NDVI", "SAVI"} <= set(rows(dialog))
    assert "NBR" not in rows(dialog) and "EVI" not in rows(dialog)
    dialog.possible.setChecked(False)
    assert rows(dialog)["NBR"].text(3) == "swir2" and rows(dialog)["EVI"].text(3) == "blue"
    made["BANDS"].setParameterValue("swir2=A", QgsProcessingContext())
    assert "NBR" in rows(made["INDICES"].list_dialog())
    made["BANDS"].setParameterValue("swir2=Z", QgsProcessingContext())
    assert len(rows(made["INDICES"].list_dialog())) == len(listed_indices()), "an unfinished text"


def test_the_dialog_and_the_modeler_open(provider, scene, monkeypatch):
    import processing.gui.ParametersPanel
    from processing.gui.AlgorithmDialog import AlgorithmDialog
    from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
    from qgis.core import QgsProcessingModelAlgorithm

    # pytest-qgis puts in one that the panel cannot use
    monkeypatch.setattr(processing.gui.ParametersPanel, "iface", None)
    dialog = AlgorithmDialog(indices(), False, None)
    wrappers = dialog.mainWidget().wrappers
    wrappers["LAYERS"].setParameterValue([scene.red, scene.nir], QgsProcessingContext())
    wrappers["INDICES"].setParameterValue("SAVI;NDVI", QgsProcessingContext())
    assert dialog.createProcessingParameters()["INDICES"] == "SAVI;NDVI"
    assert "NBR" not in rows(wrappers["INDICES"].list_dialog())
    dialog.close()
    model = ModelerParametersDialog(indices(), QgsProcessingModelAlgorithm("m", "g"))
    for name, value in (("INDICES", "EVI"), ("SCENE", str(scene.red))):
        model.widget.widget.wrappers[name].setWidgetValue(value, QgsProcessingContext())
    assert model.widget.widget.wrappers["SCENE"].value() == str(scene.red)
    model.close()


def test_qgis_process(qgis_process, scene, tmp_path):
    out = tmp_path / "o.tif"
    ended = qgis_process(
        *("--json", "run", "bandwise:spectralindices", "--", f"LAYERS={scene.stack}"),
        *("INDICES=SAVI;NDVI", "CONSTANTS=L=0.25", "BANDS=red=A;nir=A@2", f"OUTPUT={out}"),
    )
    assert ended.returncode == 0, ended.stderr
    with rasterio.open(out) as result:
        assert result.descriptions == ("SAVI", "NDVI")
        assert json.loads(result.tags(1)["BANDWISE_CONSTANTS"]) == {"L": 0.25}
    ended = qgis_process(
        *("run", "bandwise:spectralindices", "--", f"LAYERS={scene.stack}", "INDICES=NDVII"),
        f"OUTPUT={out}",
    )
    assert (
        ended.returncode
        and "There is no index NDVII; near names are" in ended.stderr + ended.stdout
    )
