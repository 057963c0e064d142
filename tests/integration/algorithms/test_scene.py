# SPDX-License-Identifier: GPL-2.0-or-later
"""A scene in place of rasters in the real QGIS: the same pixels as with bands and mask chosen by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from product_cases import (
    DATA,
    LC08,
    PRODUCTS,
    algorithm,
    landsat,  # noqa: F401  fixtures
    ndvi_of,
    pixels,
    run,
)
from qgis.core import QgsProcessingContext, QgsProject, QgsRasterLayer


@pytest.mark.parametrize("part", ["", f"{LC08}_MTL.txt", f"{LC08}_SR_B5.TIF"])
def test_ndvi_of_a_scene(provider, landsat, tmp_path, context, log, part):
    folder, red, nir = landsat
    out = tmp_path / "o.tif"
    run("ndvi", {"SCENE": str(Path(folder, part))}, out, context, log)
    expected = ndvi_of(red, nir)
    expected[0] = -9999
    np.testing.assert_allclose(pixels(out)[0], expected, rtol=1e-6)
    assert f"Scene: {LC08}, Landsat 8 L2SP of 2020-07-01" in log.info
    line = f"red = SR_B4, {LC08}_SR_B4.TIF, 30 m (name of a Landsat 8 file)"
    assert line in log.info, log.info


def test_an_archive(qgis_process, landsat, tmp_path):
    folder, red, nir = landsat
    archive = shutil.make_archive(str(tmp_path / LC08), "zip", folder)
    out = tmp_path / "o.tif"
    ended = qgis_process("run", "bandwise:ndvi", "--", f"SCENE={archive}", f"OUTPUT={out}")
    assert ended.returncode == 0, ended.stderr
    np.testing.assert_allclose(pixels(out)[0][1:], ndvi_of(red, nir)[1:], rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        ({"MASK_CLOUDS": False}, []),
        ({"QA_REJECT": [5]}, [4]),
        ({"QA_REJECT": [3, 5]}, [0, 4]),
        ({"MASK": "SR_B4", "MASK_RULE": 1}, []),
    ],
)
def test_the_options_of_the_mask(provider, landsat, tmp_path, context, log, options, left_out):
    folder, red, nir = landsat
    if "MASK" in options:
        options = {**options, "MASK": str(Path(folder, f"{LC08}_{options['MASK']}.TIF"))}
    out = tmp_path / "o.tif"
    run("ndvi", {"SCENE": folder, **options}, out, context, log)
    expected = ndvi_of(red, nir)
    expected[left_out] = -9999
    np.testing.assert_allclose(pixels(out)[0], expected, rtol=1e-6)


def test_a_scene_without_a_mask(provider, landsat, tmp_path, context, log):
    folder, red, nir = landsat
    Path(folder, f"{LC08}_QA_PIXEL.TIF").unlink()
    out = tmp_path / "o.tif"
    run("ndvi", {"SCENE": folder}, out, context, log)
    np.testing.assert_allclose(pixels(out)[0], ndvi_of(red, nir), rtol=1e-6)
    assert f"The scene {LC08} has no mask of clouds that is known; its clouds stay." in log.info


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {},
            "No raster is given, and no scene; choose “Scene” (SCENE), or else “Red raster” (RED)",
        ),
        ({"SCENE": ""}, "or else “Red raster” (RED), “Near-infrared raster” (NIR)."),
        (
            {"SCENE": "{folder}", "NIR": "{red}"},
            "“Near-infrared raster” (NIR) cannot both be given",
        ),
        ({"RED": "{red}"}, "Near-infrared raster: no raster is given"),
        ({"SCENE": "{folder}/none"}, "There is no scene"),
        ({"SCENE": "{folder}", "OUTPUT": "{red}"}, "is an input"),
        (
            {"SCENE": "{folder}", "SCL_KEEP": "x"},
            "“Mask: SCL classes to keep” (SCL_KEEP) is a list",
        ),
    ],
)
def test_one_sentence_for_what_is_wrong(provider, landsat, tmp_path, context, change, words):
    red = str(Path(landsat[0], f"{LC08}_SR_B4.TIF"))
    given = {name: text.format(folder=landsat[0], red=red) for name, text in change.items()}
    parameters = {"OUTPUT": str(tmp_path / "o.tif"), **given}
    fine, message = algorithm().checkParameterValues(parameters, context)
    assert not fine and words in message and "\n" not in message


def test_a_band_that_is_missing(provider, landsat, tmp_path, context):
    Path(landsat[0], f"{LC08}_SR_B5.TIF").unlink()
    parameters = {"SCENE": landsat[0], "OUTPUT": str(tmp_path / "o.tif")}
    fine, message = algorithm().checkParameterValues(parameters, context)
    assert not fine and "has no file of nir, which is B5" in message, message


@pytest.mark.parametrize("end", ["", "/", f"/{LC08}_MTL.txt"])
def test_qgis_accepts_files_and_folders(provider, landsat, tmp_path, context, end):
    parameters = {"SCENE": landsat[0] + end, "OUTPUT": str(tmp_path / "o.tif")}
    assert algorithm().checkParameterValues(parameters, context) == (True, "")


def test_qgis_process_takes_a_folder(qgis_process, landsat, tmp_path):
    folder, red, nir = landsat
    out = tmp_path / "o.tif"
    ended = qgis_process("run", "bandwise:ndvi", "--", f"SCENE={folder}", f"OUTPUT={out}")
    assert ended.returncode == 0, ended.stderr
    np.testing.assert_allclose(pixels(out)[0][1:], ndvi_of(red, nir)[1:], rtol=1e-6)


def test_a_model_hands_a_scene_on(provider, landsat, tmp_path, context, log, add_step):
    from qgis.core import (
        QgsProcessingModelAlgorithm,
        QgsProcessingModelChildParameterSource,
        QgsProcessingModelParameter,
        QgsProcessingParameterFile,
    )

    folder, red, nir = landsat
    model = QgsProcessingModelAlgorithm("of a scene", "test")
    model.addModelParameter(
        QgsProcessingParameterFile("product", "Product"), QgsProcessingModelParameter("product")
    )
    source = QgsProcessingModelChildParameterSource.fromModelParameter("product")
    add_step(model, "ndvi", "bandwise:ndvi", {"SCENE": source}, kept="result")
    out = tmp_path / "o.tif"
    destination = next(each.name() for each in model.destinationParameterDefinitions())
    _, fine = model.run({"product": folder, destination: str(out)}, context, log)
    assert fine
    np.testing.assert_allclose(pixels(out)[0][1:], ndvi_of(red, nir)[1:], rtol=1e-6)


def test_indices_of_a_scene(provider, landsat, tmp_path, context, log):
    folder, red, nir = landsat
    out = tmp_path / "o.tif"
    run("spectralindices", {"SCENE": folder, "INDICES": "NDVI;SAVI"}, out, context, log)
    savi = 1.5 * (nir - red) / (nir + red + 0.5)
    for number, expected in enumerate((ndvi_of(red, nir), savi)):
        np.testing.assert_allclose(pixels(out)[number][1:], expected[1:], rtol=1e-6)
        assert (pixels(out)[number][0] == -9999).all()
    assert f"nir = SR_B5, {LC08}_SR_B5.TIF, 30 m (name of a Landsat 8 file)" in log.info
    assert f"nir = B of {LC08}_SR_B5.TIF, SR_B5 of Landsat 8" in log.info


@pytest.mark.parametrize("bands", ["red=SR_B5; nir=SR_B4", 'N=A; red="SR_B5@1"'])
def test_bands_of_a_scene_may_be_named(provider, landsat, tmp_path, context, log, bands):
    folder, red, nir = landsat
    out = tmp_path / "o.tif"
    parameters = {"SCENE": folder, "INDICES": "NDVI", "BANDS": bands, "MASK_CLOUDS": False}
    run("spectralindices", parameters, out, context, log)
    np.testing.assert_allclose(pixels(out)[0], ndvi_of(nir, red), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"SCENE": ""}, "choose “Scene” (SCENE), or else “Rasters of the bands” (LAYERS)."),
        ({"LAYERS": ["{red}"]}, "“Scene” (SCENE) and “Rasters of the bands” (LAYERS) cannot both"),
        (
            {"INDICES": "NDVI;NBR"},
            f"NBR needs the band swir2 (shortwave infrared at 2.2 µm): The scene {LC08} has no file of "
            "swir2, which is B7 of Landsat 8; it has red = SR_B4, nir = SR_B5",
        ),
        ({"INDICES": "NDVX"}, "There is no index NDVX; near names are NDVI"),
        ({"OUTPUT": "{red}"}, "is an input"),
    ],
)
def test_one_sentence_for_indices(provider, landsat, tmp_path, context, change, words):
    red = str(Path(landsat[0], f"{LC08}_SR_B4.TIF"))
    parameters = {"SCENE": landsat[0], "INDICES": "NDVI", "OUTPUT": str(tmp_path / "o.tif")}
    for name, value in change.items():
        listed = isinstance(value, list)
        parameters[name] = [red] if listed else value.format(red=red)
    fine, message = algorithm("spectralindices").checkParameterValues(parameters, context)
    assert not fine and words in message and "\n" not in message, message


def test_the_list_of_indices_follows_the_scene(provider, landsat):
    from processing.gui.wrappers import WidgetWrapperFactory
    from qgis.PyQt.QtWidgets import QDialog

    indices, dialog = algorithm("spectralindices"), QDialog()
    made = {
        name: WidgetWrapperFactory.create_wrapper(indices.parameterDefinition(name), dialog)
        for name in ("INDICES", "LAYERS", "BANDS", "SCENE")
    }
    context = QgsProcessingContext()
    widgets = [
        each.createWrappedWidget(context)
        for each in made.values()
        if not hasattr(each, "widget")  # C++
    ]
    made["INDICES"].postInitialize(list(made.values()))
    for path, few, many in (
        (landsat[0], {"NDVI", "SAVI"}, 200),
        (landsat[0] + "/no", {"NBR"}, 999),
    ):
        made["SCENE"].setParameterValue(path, context)
        listed = made["INDICES"].list_dialog()
        names = {item.text(0) for item in listed.items() if not item.isHidden()}
        assert few <= names and len(names) < many
        assert ("NBR" in names) == ("NBR" in few)
    del widgets


INDICES = "NDVI;SAVI;OSAVI;SR"


@pytest.mark.parametrize("product", PRODUCTS)
def test_real_products(provider, product, tmp_path, context, log):
    """The bytes are those of the bands and the mask chosen by hand."""
    folders = sorted(DATA.glob(product))
    if not folders:
        pytest.skip("no real data beside the repository")
    paths = tmp_path / "scene.tif", tmp_path / "hand.tif"
    valid = 0
    for folder in folders:
        files = zip(("RED", "NIR", "MASK"), PRODUCTS[product])
        by_hand = {name: str(next(folder.rglob(f"*_{file}"))) for name, file in files}
        run("ndvi", {"SCENE": str(folder)}, paths[0], context, log)
        run("ndvi", by_hand, paths[1], context, log)
        found, expected = map(pixels, paths)
        np.testing.assert_array_equal(found, expected)
        valid += (found != -9999).sum()
        layers = {"LAYERS": [by_hand["RED"], by_hand["NIR"]], "MASK": by_hand["MASK"]}
        indices = {"INDICES": INDICES}
        run("spectralindices", {"SCENE": str(folder), **indices}, paths[0], context, log)
        run("spectralindices", {**layers, **indices}, paths[1], context, log)
        several, expected = map(pixels, paths)
        np.testing.assert_array_equal(several, expected)
        np.testing.assert_array_equal(several[:1], found)
    assert valid, "one of them is all cloud"


def test_the_dialog_presets_no_raster(provider, landsat, tmp_path, context, monkeypatch):
    """With a layer in the project: a scene can be given without emptying the rasters first."""
    import processing.gui.ParametersPanel
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    # pytest-qgis puts in one that the panel cannot use
    monkeypatch.setattr(processing.gui.ParametersPanel, "iface", None)
    project = QgsProject.instance()
    project.addMapLayer(QgsRasterLayer(str(Path(landsat[0], f"{LC08}_SR_B4.TIF")), "any"))
    dialog = AlgorithmDialog(algorithm(), False, None)
    dialog.mainWidget().wrappers["SCENE"].setParameterValue(landsat[0], context)
    given = dialog.createProcessingParameters()
    dialog.close()
    project.removeAllMapLayers()
    assert given["SCENE"] == landsat[0]
    assert given["MASK_CLOUDS"] is True
    given["OUTPUT"] = str(tmp_path / "o.tif")
    assert algorithm().checkParameterValues(given, context) == (True, "")
