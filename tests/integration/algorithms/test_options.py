# SPDX-License-Identifier: GPL-2.0-or-later
"""The shared parameters in the real QGIS: masks, areas, grids, types, files and the dry run."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from options_cases import run, save
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsProcessingParameterDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorLayer,
)
from rasterio.transform import Affine

SHARED = {
    "MASK": None,
    "AOI": None,
    "EXTENT": None,
    "MASK_RULE": 0,
    "SCL_KEEP": "4,5,6,7,11",
    "QA_REJECT": [0, 1, 2, 3, 4],
    "GRID": 0,
    "REFERENCE": None,
    "GRID_EXTENT": 0,
    "RESAMPLING": 1,
    "SCALE": 1.0,
    "OFFSET": 0.0,
    "SOURCE_NODATA": None,
    "DATA_TYPE": 0,
    "CLAMP_MIN": None,
    "CLAMP_MAX": None,
    "FILE_KIND": 0,
    "OVERVIEWS": None,
    "COG": False,
    "CREATION_OPTIONS": "",
    "WORKERS": 0,
    "MEMORY": 512,
    "DRY_RUN": False,
}


@pytest.mark.parametrize("name", ["ndvi", "bandmath"])
def test_every_algorithm_has_the_same_parameters(provider, name):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"bandwise:{name}")
    definitions = {definition.name(): definition for definition in algorithm.parameterDefinitions()}
    for parameter, default in SHARED.items():
        assert definitions[parameter].defaultValue() == default, parameter
        assert definitions[parameter].help(), parameter
    advanced = QgsProcessingParameterDefinition.Flag.FlagAdvanced
    shown = [parameter for parameter in SHARED if not definitions[parameter].flags() & advanced]
    assert shown == ["AOI"]


def test_mask_area_and_extent_of_layers(provider, scene, tmp_path, context, log):
    """A mask of 20 m that hides its left half, an area of two polygons, and an extent drawn in degrees."""
    classes = np.full((130, 260), 4, np.uint8)
    classes[:, :100] = 9
    mask = QgsRasterLayer(save(tmp_path / "T32_SCL_20m.tif", classes, 20), "clouds")
    area = QgsVectorLayer("Polygon?crs=EPSG:32632", "area", "memory")
    for box in (
        QgsRectangle(601000, 5099000, 603000, 5099500),
        QgsRectangle(604000, 5098000, 604100, 5098100),
    ):
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromRect(box))
        area.dataProvider().addFeature(feature)
    out = str(tmp_path / "out.tif")
    result, fine = run(
        {"RED": scene.red, "NIR": scene.nir, "MASK": mask, "AOI": area, "OUTPUT": out}, context, log
    )
    assert fine, log.warnings
    inside = np.zeros(scene.ndvi.shape, bool)
    inside[50:100, 100:300] = inside[190:200, 400:410] = True
    shown = inside.copy()
    shown[:, :200] = False
    with rasterio.open(out) as dataset:
        np.testing.assert_array_equal(
            dataset.read(1), np.where(shown, scene.ndvi, -9999).astype(np.float32)
        )
    assert result["VALID_PIXELS"] == shown.sum()
    assert any(
        f"{(inside & ~shown).sum()} masked, {(~inside).sum()} outside the area of interest" in line
        for line in log.info
    ), log.info
    box = QgsReferencedRectangle(
        QgsRectangle(602000, 5098000, 603000, 5099000), QgsCoordinateReferenceSystem("EPSG:32632")
    )
    result, fine = run(
        {"RED": scene.red, "NIR": scene.nir, "EXTENT": box, "OUTPUT": out}, context, log
    )
    with rasterio.open(out) as dataset:
        np.testing.assert_array_equal(
            dataset.read(1), scene.ndvi[100:200, 200:300].astype(np.float32)
        )


def test_an_area_that_crosses_itself(provider, scene, tmp_path, log):
    """In a context that ends at invalid geometries, as the dialog's does; both halves of the bow tie count."""
    import processing

    area = QgsVectorLayer("Polygon?crs=EPSG:32632", "area", "memory")
    feature = QgsFeature()
    feature.setGeometry(
        QgsGeometry.fromWkt(
            "POLYGON((600500 5099900, 601500 5098900, 601500 5099900, 600500 5098900, 600500 5099900))"
        )
    )
    area.dataProvider().addFeature(feature)
    out = str(tmp_path / "out.tif")
    result = processing.run(
        "bandwise:ndvi",
        {"RED": scene.red, "NIR": scene.nir, "AOI": area, "OUTPUT": out},
        feedback=log,
    )
    assert 4800 < result["VALID_PIXELS"] < 5200


def test_types_overviews_and_cog(provider, scene, tmp_path, context, log):
    out = str(tmp_path / "out.tif")
    parameters = {
        "RED": scene.red,
        "NIR": scene.nir,
        "DATA_TYPE": 2,
        "CLAMP_MIN": 0,
        "OVERVIEWS": 1,
        "COG": True,
        "OUTPUT": out,
    }
    result, fine = run(parameters, context, log)
    assert fine, log.warnings
    layer = QgsRasterLayer(out, "ndvi")
    seen = layer.dataProvider().block(1, layer.extent(), 511, 257)
    assert seen.value(30, 400) == pytest.approx(max(scene.ndvi[30, 400], 0), abs=5e-5), (
        "QGIS shows the value itself"
    )
    assert seen.isNoData(0, 0)
    assert result["MINIMUM"] == 0
    assert any("were clamped" in line for line in log.warnings)
    with rasterio.open(out) as dataset:
        assert (
            dataset.dtypes == ("int16",) and dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        )


def test_two_grids_and_two_crs_beside_qgis(provider, tmp_path, context, log):
    """A constant is a constant on every grid; where QGIS's own calculator takes the nearest pixel,
    so do we when asked.
    """
    import processing

    rows, columns = np.mgrid[:300, :300]
    fine_path = save(tmp_path / "fine.tif", (1000 + rows + columns).astype(np.uint16), 10)
    coarse = (500 + np.mgrid[:150, :150].sum(axis=0) * 3).astype(np.uint16)
    coarse_path = save(tmp_path / "coarse.tif", coarse, 20)
    ours, theirs = str(tmp_path / "ours.tif"), str(tmp_path / "theirs.tif")
    _, fine = run(
        {"RED": coarse_path, "NIR": fine_path, "RESAMPLING": 0, "OUTPUT": ours}, context, log
    )
    assert fine, log.warnings
    layers = [QgsRasterLayer(fine_path, "fine"), QgsRasterLayer(coarse_path, "coarse")]
    QgsProject.instance().addMapLayers(layers)
    expression = '("fine@1" - "coarse@1") / ("fine@1" + "coarse@1")'
    processing.run(
        "qgis:rastercalculator", {"EXPRESSION": expression, "LAYERS": layers, "OUTPUT": theirs}
    )
    with rasterio.open(ours) as one, rasterio.open(theirs) as other:
        assert one.transform == other.transform
        np.testing.assert_array_equal(one.read(1), other.read(1))
    QgsProject.instance().removeAllMapLayers()


def test_two_crs_side_by_side_with_qgis(provider, tmp_path, context, log):
    """A plane, seen at 10 m in one UTM zone and at 20 m in the next.

    Ours takes each pixel's own place between four pixels of the other raster, and is right to a
    millionth. QGIS takes the nearest pixel, at coordinates that it interpolates, and so is wrong by
    up to what the plane rises in a pixel and a half of 20 m; its mean is right to a fiftieth of
    that.
    """
    import processing
    from rasterio.warp import transform

    def plane(xs, ys, factor):
        return (1000 + factor * ((xs - 600000) / 10 + (5100000 - ys) / 20)).astype(np.float32)

    rows, columns = np.mgrid[:300, :300]
    fine_path = save(
        tmp_path / "fine.tif", plane(600005 + 10 * columns, 5099995 - 10 * rows, 2.0), 10
    )
    (left,), (top,) = transform("EPSG:32632", "EPSG:32633", [600000], [5100000])
    left, top = round(left) - 1000, round(top) + 1000
    rows, columns = np.mgrid[:300, :300]
    xs, ys = transform(
        "EPSG:32633",
        "EPSG:32632",
        (left + 10 + 20 * columns).ravel(),
        (top - 10 - 20 * rows).ravel(),
    )
    coarse_path = str(tmp_path / "coarse.tif")
    values = plane(np.reshape(xs, columns.shape), np.reshape(ys, columns.shape), 1.0)
    place = {"crs": "EPSG:32633", "transform": Affine(20, 0, left, 0, -20, top)}
    with rasterio.open(
        coarse_path, "w", driver="GTiff", width=300, height=300, count=1, dtype="float32", **place
    ) as dataset:
        dataset.write(values, 1)
    ours, theirs = str(tmp_path / "ours.tif"), str(tmp_path / "theirs.tif")
    _, fine = run({"RED": coarse_path, "NIR": fine_path, "OUTPUT": ours}, context, log)
    assert fine, log.warnings
    layers = [QgsRasterLayer(fine_path, "fine"), QgsRasterLayer(coarse_path, "coarse")]
    QgsProject.instance().addMapLayers(layers)
    box = QgsReferencedRectangle(layers[0].extent(), layers[0].crs())
    expression = '("fine@1" - "coarse@1") / ("fine@1" + "coarse@1")'
    processing.run(
        "qgis:rastercalculator",
        {
            "EXPRESSION": expression,
            "LAYERS": layers,
            "EXTENT": box,
            "CRS": layers[0].crs(),
            "CELLSIZE": 10,
            "OUTPUT": theirs,
        },
    )
    QgsProject.instance().removeAllMapLayers()
    errors = []
    for path in (ours, theirs):
        with rasterio.open(path) as dataset:
            got = dataset.read(1, masked=True).astype(np.float64)
            assert dataset.crs.to_epsg() == 32632 and got.count() > 0.9 * got.size
            rows, columns = np.mgrid[: dataset.height, : dataset.width]
            xs, ys = dataset.transform * (columns + 0.5, rows + 0.5)
        near, red = plane(xs, ys, 2.0).astype(np.float64), plane(xs, ys, 1.0).astype(np.float64)
        errors.append(got - (near - red) / (near + red))
    assert abs(errors[0]).max() < 1e-6
    rise = (30 / 10 + 30 / 20) * 5e-4  # of the coarse band in 30 m, times what NDVI changes by it
    assert 1e-4 < abs(errors[1]).max() < rise and abs(errors[1].mean()) < rise / 50
