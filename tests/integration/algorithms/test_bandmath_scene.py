# SPDX-License-Identifier: GPL-2.0-or-later
"""Band math of a scene in the real QGIS, and the names of layers that a scene gives."""

from __future__ import annotations

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
    write,
)
from qgis.core import QgsProject

NDVI = "(nir - red) / (nir + red)"


@pytest.fixture
def loaded(monkeypatch):
    """A function that runs an algorithm as the toolbox does: the layer that is loaded, removed at the end."""
    import processing
    import processing.gui.Postprocessing

    # QGIS 3.44 wants a real one or none
    monkeypatch.setattr(processing.gui.Postprocessing, "iface", None, raising=False)
    project = QgsProject.instance()

    def load(name, parameters):
        before = set(project.mapLayers())
        processing.runAndLoadResults(f"bandwise:{name}", parameters)
        (layer,) = (layer for key, layer in project.mapLayers().items() if key not in before)
        return layer

    yield load
    project.removeAllMapLayers()


def test_roles_of_a_scene(provider, landsat, tmp_path, context, log):
    """Reflectance without the clouds; twice in one session, and with a letter beside them."""
    folder, red, nir = landsat
    out = tmp_path / "o.tif"
    run("bandmath", {"SCENE": folder, "EXPRESSION": NDVI}, out, context, log)
    expected = ndvi_of(red, nir)
    expected[0] = -9999
    np.testing.assert_allclose(pixels(out)[0], expected, rtol=1e-6)
    assert f"Scene: {LC08}, Landsat 8 L2SP of 2020-07-01" in log.info
    run(
        "bandmath",
        {"SCENE": folder, "EXPRESSION": "red; nir", "MASK_CLOUDS": False},
        out,
        context,
        log,
    )
    np.testing.assert_allclose(pixels(out), [red, nir], rtol=1e-6)
    height = str(tmp_path / "dem.tif")
    write(Path(height), np.mgrid[0:5, 0:7][0] * 100)
    parameters = {"SCENE": folder, "LAYERS": [height], "EXPRESSION": "A > 150 ? nir : -9999"}
    run("bandmath", parameters, out, context, log)
    np.testing.assert_allclose(pixels(out)[0][2:], nir[2:], rtol=1e-6)
    assert (pixels(out)[0][:2] == -9999).all()


def test_roles_of_recognised_rasters(provider, landsat, tmp_path, context, log):
    folder, red, nir = landsat
    out = tmp_path / "o.tif"
    paths = [str(Path(folder, f"{LC08}_SR_{band}.TIF")) for band in ("B5", "B4")]
    run("bandmath", {"LAYERS": paths, "EXPRESSION": f"{NDVI}; A"}, out, context, log)
    found = pixels(out)
    np.testing.assert_allclose(found[0], ndvi_of(red, nir), rtol=1e-6)
    np.testing.assert_array_equal(found[1], pixels(paths[0])[0])
    assert not log.warnings


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"SCENE": ""}, "choose “Scene” (SCENE), or else “Rasters, in the order of the letters"),
        ({"SCENE": "{folder}/none"}, "no file or folder has that name; choose the folder of a product"),
        ({"EXPRESSION": "swir1"}, f"the scene {LC08} has no file of swir1"),
        ({"EXPRESSION": "A + nir"}, "there is no input A, as no raster is given"),
        ({"OUTPUT": "{folder}/{LC08}_SR_B5.TIF"}, "is an input"),
    ],
)  # fmt: skip
def test_one_sentence_for_what_is_wrong(provider, landsat, tmp_path, context, change, words):
    parameters = {"SCENE": landsat[0], "EXPRESSION": NDVI, "OUTPUT": str(tmp_path / "o.tif")}
    given = {name: text.format(folder=landsat[0], LC08=LC08) for name, text in change.items()}
    fine, message = algorithm("bandmath").checkParameterValues({**parameters, **given}, context)
    assert not fine and words in message.split("\n")[-1], message


def test_qgis_process_takes_a_scene(qgis_process, landsat, tmp_path):
    folder, red, nir = landsat
    out = tmp_path / "o.tif"
    arguments = (f"SCENE={folder}", f"EXPRESSION={NDVI}", f"OUTPUT={out}")
    ended = qgis_process("run", "bandwise:bandmath", "--", *arguments)
    assert ended.returncode == 0, ended.stderr
    np.testing.assert_allclose(pixels(out)[0][1:], ndvi_of(red, nir)[1:], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "parameters", "title"),
    [
        ("bandmath", {"EXPRESSION": NDVI}, "Band math"),
        ("bandmath", {"EXPRESSION": "vigour := nir; red"}, "vigour"),
        ("ndvi", {}, "NDVI"),
        ("spectralindices", {"INDICES": "SAVI"}, "SAVI"),
        ("spectralindices", {"INDICES": "NDVI;SR;SAVI;OSAVI;DVI"}, "NDVI, SR, SAVI + 2"),
    ],
)
def test_the_layer_is_called_by_result_and_scene(
    provider, landsat, tmp_path, loaded, name, parameters, title
):
    out = {"OUTPUT": str(tmp_path / "o.tif")}
    layer = loaded(name, {"SCENE": landsat[0], **parameters, **out})
    assert layer.name() == f"{title} Landsat 8 2020-07-01 193026"
    bands = [str(Path(landsat[0], f"{LC08}_SR_{band}.TIF")) for band in ("B4", "B5")]
    rasters = {"RED": bands[0], "NIR": bands[1]} if name == "ndvi" else {"LAYERS": bands}
    assert (
        loaded(name, {**rasters, **parameters, "OUTPUT": str(tmp_path / "p.tif")}).name() == title
    )


def test_numbers_of_bands_beside_a_scene_are_warned_of(provider, landsat, tmp_path, context, log):
    out = tmp_path / "o.tif"
    run("ndvi", {"SCENE": landsat[0], "RED_BAND": 1, "NIR_BAND": 1}, out, context, log)
    assert not log.warnings
    run("ndvi", {"SCENE": landsat[0], "RED_BAND": 3}, out, context, log)
    assert log.warnings == [
        f"Ignored, since the bands of the scene {LC08} are found by role: “Red band” (RED_BAND)"
    ]


@pytest.mark.parametrize("product", PRODUCTS)
def test_real_products(provider, product, tmp_path, context, log):
    """The pixels of the same text are those of NDVI, of each sensor."""
    folders = sorted(DATA.glob(product))
    if not folders:
        pytest.skip("no real data beside the repository")
    paths = tmp_path / "math.tif", tmp_path / "ndvi.tif"
    run("bandmath", {"SCENE": str(folders[0]), "EXPRESSION": NDVI}, paths[0], context, log)
    run("ndvi", {"SCENE": str(folders[0])}, paths[1], context, log)
    np.testing.assert_array_equal(*map(pixels, paths))
