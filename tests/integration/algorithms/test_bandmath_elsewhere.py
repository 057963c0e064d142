# SPDX-License-Identifier: GPL-2.0-or-later
"""Band math in models, batches and qgis_process, and beside the raster calculator."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from bandmath_cases import (
    bandmath,
    bands,  # noqa: F401  fixtures
    single,
)
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelParameter,
    QgsProcessingParameterRasterLayer,
    QgsProject,
    QgsRasterLayer,
)


@pytest.fixture
def model(add_step):
    """Two NDVIs, of (RED, NIR) and of (NIR, RED), are the list of band math, in this order."""
    chain = QgsProcessingModelAlgorithm("two indices", "test")
    for name in ("RED", "NIR"):
        chain.addModelParameter(
            QgsProcessingParameterRasterLayer(name, name), QgsProcessingModelParameter(name)
        )
    source = QgsProcessingModelChildParameterSource
    for child, red, nir in (("z_first", "RED", "NIR"), ("a_second", "NIR", "RED")):
        add_step(
            chain,
            child,
            "bandwise:ndvi",
            {"RED": source.fromModelParameter(red), "NIR": source.fromModelParameter(nir)},
        )
    both = [source.fromChildOutput(child, "OUTPUT") for child in ("z_first", "a_second")]
    add_step(
        chain,
        "math",
        "bandwise:bandmath",
        {"LAYERS": both, "EXPRESSION": source.fromStaticValue("3 * A + B")},
        "Difference",
    )
    return chain


def test_in_a_model_the_outputs_of_two_children_are_a_and_b(
    provider, scene, tmp_path, log, read_values, model
):
    """A = NDVI, B = -NDVI: 3A + B = 2 NDVI; in the other order it would be -2 NDVI."""
    import processing

    chain = model
    assert chain.canExecute()[0]
    out = str(tmp_path / "model.tif")
    (destination,) = [definition.name() for definition in chain.destinationParameterDefinitions()]
    result = processing.run(
        chain, {"RED": scene.red, "NIR": scene.nir, destination: out}, feedback=log
    )
    np.testing.assert_array_equal(read_values(out), 2 * single(scene.ndvi))
    assert result["CHILD_RESULTS"]["math"]["MEAN"] == pytest.approx(
        2 * np.nanmean(scene.ndvi), abs=1e-6
    )


def test_a_batch_of_two_rows(provider, scene, bands, tmp_path, log, read_values):
    """As the batch dialog runs them: every row checked first, then each with a context of its own."""
    from processing.gui.AlgorithmExecutor import execute

    rows = [
        {
            "LAYERS": [scene.red, scene.nir],
            "EXPRESSION": "A + B",
            "OUTPUT": str(tmp_path / "one.tif"),
        },
        {"LAYERS": [scene.stack], "EXPRESSION": "A@2 - A@1", "OUTPUT": str(tmp_path / "two.tif")},
    ]
    batch = bandmath()
    for row in rows:
        fine, message = batch.checkParameterValues(row, QgsProcessingContext())
        assert fine, message
    assert not batch.checkParameterValues(
        {**rows[1], "EXPRESSION": "A@2 - B@1"}, QgsProcessingContext()
    )[0]
    for row in rows:
        fine, result = execute(batch.create(), row, QgsProcessingContext(), log)
        assert fine
        assert result["OUTPUT"] == row["OUTPUT"]
    np.testing.assert_array_equal(read_values(rows[0]["OUTPUT"]), bands[0] + bands[1])
    np.testing.assert_array_equal(read_values(rows[1]["OUTPUT"]), bands[1] - bands[0])


def test_several_results_are_bands_with_descriptions(
    provider, scene, bands, tmp_path, context, log
):
    red, nir = bands
    out = str(tmp_path / "out.tif")
    text = "total := A + B\n;  # the sum\nshare := A / total; total > 3000"
    result, fine = bandmath().run(
        {"LAYERS": [scene.red, scene.nir], "EXPRESSION": text, "OUTPUT": out}, context, log
    )
    assert fine
    layer = QgsRasterLayer(out, "several")
    assert [layer.bandName(number) for number in (1, 2, 3)] == [
        "Band 1: total",
        "Band 2: share",
        "Band 3: result 3",
    ]
    with rasterio.open(out) as dataset:
        found = dataset.read().astype(float)
        assert dataset.tags()["BANDWISE_EXPRESSION"] == text
        assert float(dataset.tags(2)["STATISTICS_MEAN"]) == pytest.approx(
            np.nanmean(red / (red + nir)), abs=1e-7
        )
    found[found == -9999] = np.nan
    np.testing.assert_array_equal(
        found,
        single(
            np.array(
                [red + nir, red / (red + nir), np.where(np.isnan(red), np.nan, red + nir > 3000)]
            )
        ),
    )
    assert result["MEAN"] == pytest.approx(np.nanmean(red + nir), rel=1e-9), (
        "outputs are those of the first band"
    )


def test_a_constant_fills_the_grid_and_warns(provider, scene, tmp_path, read_values, context, log):
    out = str(tmp_path / "out.tif")
    result, fine = bandmath().run(
        {"LAYERS": [scene.nir], "EXPRESSION": "6 * 7", "OUTPUT": out}, context, log
    )
    assert fine
    assert (read_values(out) == 42).all()
    assert result["VALID_PIXELS"] == 511 * 257
    assert any("uses no band" in line for line in log.warnings)
    ours, given = QgsRasterLayer(out, "out"), QgsRasterLayer(scene.nir, "nir")
    assert ours.extent() == given.extent()
    assert ours.crs() == given.crs()


def test_the_loaded_layer_is_called_band_math(provider, scene, tmp_path, monkeypatch):
    import processing
    import processing.gui.Postprocessing

    # QGIS 3.44 wants a real one or none
    monkeypatch.setattr(processing.gui.Postprocessing, "iface", None, raising=False)
    QgsProject.instance().removeAllMapLayers()
    processing.runAndLoadResults(
        "bandwise:bandmath",
        {
            "LAYERS": [scene.red, scene.nir],
            "EXPRESSION": "A + B",
            "OUTPUT": str(tmp_path / "scene_17.tif"),
        },
    )
    (layer,) = QgsProject.instance().mapLayers().values()
    assert layer.name() == "Band math"
    assert layer.isValid()
    QgsProject.instance().removeAllMapLayers()


def test_qgis_process_takes_layers_one_by_one_and_an_expression_of_several_lines(
    qgis_process, scene, bands, tmp_path, read_values
):
    out = tmp_path / "out.tif"
    text = "# the sum\nA * 2\n  - B  # doubled"
    done = qgis_process(
        "run",
        "bandwise:bandmath",
        "--",
        f"LAYERS={scene.nir}",
        f"LAYERS={scene.red}",
        f"EXPRESSION={text}",
        f"OUTPUT={out}",
    )
    assert done.returncode == 0, done.stderr
    assert "A = nir.tif; B = red.tif" in done.stdout
    np.testing.assert_array_equal(read_values(str(out)), 2 * bands[1] - bands[0])


def test_qgis_process_answers_in_json(qgis_process, scene, bands, tmp_path):
    out = tmp_path / "out.tif"
    done = qgis_process(
        "--json",
        "run",
        "bandwise:bandmath",
        "--",
        f"LAYERS={scene.red}",
        f"LAYERS={scene.nir}",
        "EXPRESSION=A^1 + B",
        "DIALECT=1",
        f"OUTPUT={out}",
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout[done.stdout.index("{") :])["results"]
    assert results["OUTPUT"] == str(out)
    assert results["VALID_PIXELS"] == 128500
    assert results["MEAN"] == pytest.approx(np.nanmean(bands.sum(axis=0)), rel=1e-9)


def test_qgis_process_explains_a_bad_expression_and_leaves_nothing(qgis_process, scene, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    done = qgis_process(
        "run",
        "bandwise:bandmath",
        "--",
        f"LAYERS={scene.red}",
        "EXPRESSION=A + C",
        f"OUTPUT={folder / 'out.tif'}",
    )
    assert done.returncode == 1
    assert "there is no input C" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert list(folder.iterdir()) == []


QGIS_TEXTS = [
    '"nir@1" - "red@1"', 'sqrt("nir@1") * -"red@1" ^ 2', '2 ^ ("red@1" / 500) ^ 2',
    '"red@1" > 700 OR "nir@1" > 1500 AND "nir@1" < 2000',
    "if(nir@1 > 2 * red@1, nir@1, red@1 / 2)",
    '0 < "red@1" < 800', 'ln("nir@1" - 1000) + 1', '("nir@1" - "red@1") / ("nir@1" - 1700)', 'sqrt("nir@1" - "red@1")',
    'min("nir@1", "red@1") != max("red@1", 900)',
    'atan("nir@1" / "red@1") + cos("red@1")', '"nir@1" >= 1700 = 0', 'log10("red@1" - 503)',
]  # fmt: skip


@pytest.mark.parametrize("text", QGIS_TEXTS)
def test_the_raster_calculator_gives_the_same_numbers(
    provider, scene, tmp_path, read_values, context, log, text
):
    """QgsRasterCalculator on the same layers; where it is nodata, so are we."""
    from qgis.analysis import QgsRasterCalculator, QgsRasterCalculatorEntry

    layers = {"red": QgsRasterLayer(scene.red, "red"), "nir": QgsRasterLayer(scene.nir, "nir")}
    entries = []
    for name, layer in layers.items():
        entry = QgsRasterCalculatorEntry()
        entry.ref, entry.raster, entry.bandNumber = f"{name}@1", layer, 1
        entries.append(entry)
    theirs, ours = str(tmp_path / "theirs.tif"), str(tmp_path / "ours.tif")
    red = layers["red"]
    calculator = QgsRasterCalculator(
        text,
        theirs,
        "GTiff",
        red.extent(),
        red.crs(),
        511,
        257,
        entries,
        QgsProject.instance().transformContext(),
    )
    assert calculator.processCalculation() == QgsRasterCalculator.Result.Success
    _, fine = bandmath().run(
        {"LAYERS": list(layers.values()), "EXPRESSION": text, "OUTPUT": ours}, context, log
    )
    assert fine
    with rasterio.open(theirs) as dataset:
        right = dataset.read(1, masked=True).astype(float).filled(np.nan)
    right[~np.isfinite(right)] = np.nan
    np.testing.assert_allclose(read_values(ours), right, rtol=1e-6, atol=1e-9)
