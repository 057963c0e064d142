# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared options by dry run, qgis_process and model."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from options_cases import run, save
from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelParameter,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)


def test_a_dry_run_reports_and_writes_nothing(provider, scene, tmp_path, context, log):
    out = tmp_path / "out.tif"
    result, fine = run(
        {"RED": scene.red, "NIR": scene.nir, "DRY_RUN": True, "OUTPUT": str(out)}, context, log
    )
    assert fine and not out.exists() and "OUTPUT" not in result
    report = json.loads(result["REPORT"])
    assert (report["output"]["width"], report["output"]["height"], report["output"]["bytes"]) == (
        511,
        257,
        511 * 257 * 4,
    )
    assert (
        report["output"]["bigtiff"] is False
        and report["free_bytes"] > 0
        and report["memory_bytes"] > 0
    )
    assert (
        report["inputs"]["red"]["nodata"] == 0 and "already" in report["inputs"]["red"]["placement"]
    )
    assert any("MB before compression, as a classic TIFF" in line for line in log.info)
    place = tmp_path / "wet.json"
    bands = {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(out)}
    wet, fine = run({**bands, "REPORT_FILE": str(place)}, context, log)
    assert "REPORT" not in wet and wet["REPORT_FILE"] == str(place)
    assert json.loads(place.read_text())["windows"] == report["windows"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"GRID": 7}, "GRID"),
        ({"GRID": 3}, "REFERENCE"),
        ({"SCL_KEEP": "x", "MASK": "red"}, "SCL_KEEP"),
        ({"MASK": "red"}, "MASK_RULE"),
        ({"MASK": "/nowhere.tif"}, "nowhere"),
        ({"AOI": "/nowhere.gpkg"}, "AOI"),
        ({"AOI": "lines"}, "polygon"),
        ({"QA_REJECT": [-1], "MASK": "red"}, "QA_REJECT"),
        ({"REFERENCE": "red", "OUTPUT": "red"}, "is an input"),
        ({"EXTENT": "1,0,0,1"}, "xtent"),
        ({"EXTENT": "0,1,0,1 [EPSG:32632]"}, "no area in common"),
        ({"CLAMP_MIN": 2, "CLAMP_MAX": 1}, "CLAMP_MIN"),
        ({"COG": True, "CREATION_OPTIONS": "TILED=NO"}, "Cloud Optimized"),
    ],
)
def test_wrong_options_get_one_sentence_before_the_run(
    provider, scene, tmp_path, context, wrong, words
):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("bandwise:ndvi")
    lines = QgsVectorLayer("LineString?crs=EPSG:32632", "lines", "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromWkt("LineString (600000 5100000, 601000 5099000)"))
    lines.dataProvider().addFeature(feature)
    wrong = {
        name: {"red": scene.red, "lines": lines}.get(value, value)
        if isinstance(value, str)
        else value
        for name, value in wrong.items()
    }
    fine, message = algorithm.checkParameterValues(
        {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(tmp_path / "out.tif"), **wrong}, context
    )
    assert not fine and words in message and "\n" not in message and "Traceback" not in message


def test_qgis_process_takes_them_all(scene, tmp_path, qgis_process):
    mask = save(tmp_path / "mask.tif", np.ones((257, 511), np.uint8), 10)
    area = tmp_path / "area.geojson"
    ring = [
        [600000, 5100000],
        [605000, 5100000],
        [605000, 5098000],
        [600000, 5098000],
        [600000, 5100000],
    ]
    area.write_text(
        json.dumps(
            {
                "type": "FeatureCollection",
                "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}},
                "features": [
                    {
                        "type": "Feature",
                        "properties": {},
                        "geometry": {"type": "Polygon", "coordinates": [ring]},
                    }
                ],
            }
        )
    )
    out = tmp_path / "out.tif"
    done = qgis_process(
        "--json", "run", "bandwise:ndvi", "--", f"RED={scene.red}", f"NIR={scene.nir}",
        f"MASK={mask}", "MASK_RULE=1", f"AOI={area}",
        "EXTENT=600500,602500,5098500,5099500 "
            "[EPSG:32632]", "GRID=1", "GRID_EXTENT=1", "RESAMPLING=2", "QA_REJECT=0", "QA_REJECT=3", "SCL_KEEP=4",
        "DATA_TYPE=1", "CLAMP_MIN=-1", "CLAMP_MAX=1", "OVERVIEWS=0", "COG=false", f"OUTPUT={out}",
        f"REPORT_FILE={tmp_path / 'report.json'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout[done.stdout.index("{") :])["results"]
    report = json.loads((tmp_path / "report.json").read_text())
    assert "REPORT" not in results and report["area_polygons"] == 1
    with rasterio.open(out) as dataset:
        np.testing.assert_array_equal(dataset.read(1), scene.ndvi[50:150, 50:250])


def test_a_model_passes_them_all(provider, scene, tmp_path, log, add_step):
    """A mask of one child step, polygons and an extent of the model, and everything else fixed in it."""
    import processing

    chain = QgsProcessingModelAlgorithm("masked", "test")
    for definition in (
        *(QgsProcessingParameterRasterLayer(name, name) for name in ("RED", "NIR")),
        QgsProcessingParameterFeatureSource("AREA", "AREA"),
        QgsProcessingParameterExtent("BOX", "BOX"),
    ):
        chain.addModelParameter(definition, QgsProcessingModelParameter(definition.name()))
    source = QgsProcessingModelChildParameterSource
    clear = {
        "LAYERS": source.fromModelParameter("NIR"),
        "EXPRESSION": source.fromStaticValue("A > 1500"),
        "DATA_TYPE": source.fromStaticValue(4),
    }
    add_step(chain, "mask", "bandwise:bandmath", clear)
    fixed = {"MASK_RULE": 1, "DATA_TYPE": 2, "GRID": 1, "COG": True, "CLAMP_MAX": 0.5}
    given = {
        "RED": source.fromModelParameter("RED"),
        "NIR": source.fromModelParameter("NIR"),
        "MASK": source.fromChildOutput("mask", "OUTPUT"),
        "AOI": source.fromModelParameter("AREA"),
        "EXTENT": source.fromModelParameter("BOX"),
        **{name: source.fromStaticValue(value) for name, value in fixed.items()},
    }
    add_step(chain, "index", "bandwise:ndvi", given, "index")
    area = QgsVectorLayer("Polygon?crs=EPSG:32632", "area", "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(601000, 5098000, 603000, 5099900)))
    area.dataProvider().addFeature(feature)
    (destination,) = [definition.name() for definition in chain.destinationParameterDefinitions()]
    out = str(tmp_path / "model.tif")
    parameters = {
        "RED": scene.red,
        "NIR": scene.nir,
        "AREA": area,
        "BOX": "600500,604000,5097800,5099950 [EPSG:32632]",
        destination: out,
    }
    processing.run(chain, parameters, feedback=log)
    with rasterio.open(scene.nir) as dataset:
        near = dataset.read(1)
    shown = np.zeros(near.shape, bool)
    shown[10:200, 100:300] = True
    expected = np.where(
        shown & (near > 1500), np.rint(np.minimum(np.nan_to_num(scene.ndvi), 0.5) * 10000), -32768
    )[5:220, 50:400]
    with rasterio.open(out) as dataset:
        np.testing.assert_array_equal(dataset.read(1), expected)
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_a_folder_is_said_to_be_one(provider, scene, tmp_path, context):
    """The folder of a product, chosen for both bands as people do."""
    product = tmp_path / "S2A_X.SAFE"
    product.mkdir()
    parameters = {"RED": str(product), "NIR": str(product), "OUTPUT": str(tmp_path / "out.tif")}
    fine, message = (
        QgsApplication.processingRegistry()
        .createAlgorithmById("bandwise:ndvi")
        .checkParameterValues(parameters, context)
    )
    assert not fine
    assert message == f"Red raster: {product} is a folder; choose the file of a band in it."
