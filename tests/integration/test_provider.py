# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin in QGIS: provider, identity, parameters, words in the user's language."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingOutputFile,
    QgsProcessingOutputNumber,
    QgsProcessingOutputRasterLayer,
    QgsProcessingOutputString,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterRasterLayer,
)
from qgis.PyQt.QtCore import QCoreApplication, QTranslator, QUrl
from qgis.PyQt.QtGui import QIcon

ROOT = Path(__file__).resolve().parents[2]
SHOWN = ("AOI",)
SCENE = ("SCENE", "MASK_CLOUDS")
BANDS = ("RED", "RED_BAND", "NIR", "NIR_BAND")
ADVANCED = (
    "MASK", "MASK_RULE", "SCL_KEEP", "QA_REJECT", "GRID", "REFERENCE", "GRID_EXTENT", "EXTENT", "RESAMPLING",
    "RADIOMETRY", "SCALE", "OFFSET", "SOURCE_NODATA",
    "DATA_TYPE", "CLAMP_MIN", "CLAMP_MAX", "FILE_KIND", "OVERVIEWS", "COG", "CREATION_OPTIONS", "DRY_RUN",
    "WORKERS", "MEMORY",
)  # fmt: skip
DESTINATIONS = ("OUTPUT", "REPORT_FILE", "JOB_FILE")
OF_A_LAYER = ("bandwise:ndvi", "bandwise:bandmath", "bandwise:spectralindices")
ALGORITHMS = (*OF_A_LAYER, "bandwise:scenes", "bandwise:composite")


def algorithm(name="bandwise:ndvi"):
    return QgsApplication.processingRegistry().createAlgorithmById(name)


def test_the_provider_comes_and_goes_with_the_plugin(qgis_app, qgis_processing):
    from bandwise import classFactory

    registry = QgsApplication.processingRegistry()
    plugin = classFactory(None)
    plugin.initGui()
    assert registry.providerById("bandwise").name() == "Bandwise"
    found = sorted(algorithm.id() for algorithm in registry.providerById("bandwise").algorithms())
    plugin.unload()
    assert found == sorted(ALGORITHMS)
    assert registry.providerById("bandwise") is None


def test_versions_agree(provider):
    from bandwise.engine import __version__

    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "metadata.txt", encoding="utf-8")
    assert metadata["general"]["version"] == __version__


def test_results_are_geotiffs_for_all_that_qgis_offers(provider):
    assert provider.supportedOutputRasterLayerExtensions() == ["tif", "tiff"]
    assert provider.defaultRasterFileExtension() == "tif"


def test_parameters_are_those_that_models_and_scripts_rely_on(provider):
    ndvi = algorithm()
    names = [parameter.name() for parameter in ndvi.parameterDefinitions()]
    assert names == [*SCENE, *BANDS, "CLAMP_NDVI", *SHOWN, *ADVANCED, *DESTINATIONS]
    advanced = [
        parameter.name()
        for parameter in ndvi.parameterDefinitions()
        if parameter.flags() & QgsProcessingParameterDefinition.Flag.FlagAdvanced
    ]
    assert advanced == list(ADVANCED)
    optional = [
        parameter.name()
        for parameter in ndvi.parameterDefinitions()
        if parameter.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional
    ]
    assert optional == [
        "SCENE", *BANDS, *SHOWN, "MASK", "SCL_KEEP", "QA_REJECT", "REFERENCE",
        "EXTENT", "SOURCE_NODATA", "CLAMP_MIN", "CLAMP_MAX", "OVERVIEWS", "CREATION_OPTIONS",
        "REPORT_FILE", "JOB_FILE",
    ]  # fmt: skip
    defaults = {
        parameter.name(): parameter.defaultValue() for parameter in ndvi.parameterDefinitions()
    }
    assert (defaults["RADIOMETRY"], defaults["RED_BAND"], defaults["NIR_BAND"]) == (0, 1, 1)
    assert isinstance(ndvi.parameterDefinition("RED"), QgsProcessingParameterRasterLayer)
    assert ndvi.parameterDefinition("RED_BAND").parentLayerParameterName() == "RED"
    assert ndvi.parameterDefinition("NIR_BAND").parentLayerParameterName() == "NIR"


def test_bandmath_has_the_same_parameters_by_the_same_names(provider):
    bandmath = algorithm("bandwise:bandmath")
    assert [parameter.name() for parameter in bandmath.parameterDefinitions()] == [
        *SCENE,
        "LAYERS",
        "EXPRESSION",
        "DIALECT",
        *SHOWN,
        *ADVANCED,
        *DESTINATIONS,
    ]
    assert bandmath.parameterDefinition("RADIOMETRY").defaultValue() == 1, (
        "expressions contain the scaling"
    )
    assert (
        bandmath.parameterDefinition("DIALECT").flags()
        & QgsProcessingParameterDefinition.Flag.FlagAdvanced
    )
    assert bandmath.parameterDefinition("EXPRESSION").multiLine()


@pytest.mark.parametrize("name", OF_A_LAYER)
def test_outputs_are_a_layer_a_report_and_six_numbers(provider, name):
    made = algorithm(name)  # owns its definitions
    outputs = {output.name(): type(output) for output in made.outputDefinitions()}
    assert outputs == {
        "OUTPUT": QgsProcessingOutputRasterLayer,
        "REPORT": QgsProcessingOutputString,
        "JOB_FILE": QgsProcessingOutputFile,
        "REPORT_FILE": QgsProcessingOutputFile,
        **dict.fromkeys(
            ("VALID_PIXELS", "NODATA_PIXELS", "MINIMUM", "MAXIMUM", "MEAN", "STANDARD_DEVIATION"),
            QgsProcessingOutputNumber,
        ),
    }


def test_ndvi_introduces_itself(provider):
    ndvi = algorithm()
    assert (ndvi.id(), ndvi.displayName(), ndvi.groupId()) == (
        "bandwise:ndvi",
        "NDVI",
        "vegetationindices",
    )
    assert ndvi.group() == "Vegetation indices"
    assert "sentinel-2" in ndvi.tags()
    assert "(NIR - red) / (NIR + red)" in ndvi.shortHelpString()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_has_what_the_toolbox_shows(provider, name):
    made = algorithm(name)
    assert not QIcon(made.svgIconPath()).pixmap(24, 24).isNull()
    assert not made.icon().pixmap(24, 24).isNull()
    assert Path(QUrl(made.helpUrl()).toLocalFile()).is_file()
    assert all(parameter.help() for parameter in made.parameterDefinitions()), (
        "every parameter says what it is"
    )
    assert not made.flags() & made.Flag.FlagHideFromModeler


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_parameter_has_a_widget_in_the_dialog(provider, name):
    """As the dialog makes them: it does not open at all where one class of a widget is missing."""
    from processing.gui.wrappers import WidgetWrapperFactory
    from qgis.PyQt.QtWidgets import QDialog

    made, dialog = algorithm(name), QDialog()
    inputs = [one for one in made.parameterDefinitions() if not one.isDestination()]
    wrappers = {one.name(): WidgetWrapperFactory.create_wrapper(one, dialog) for one in inputs}
    assert "RADIOMETRY" in wrappers
    assert None not in wrappers.values(), wrappers


def shown(made):
    """Everything of an algorithm that a user reads, but for the names of other tools."""
    yield from (
        made.displayName(),
        made.group(),
        made.shortDescription(),
        made.shortHelpString(),
        *made.tags(),
    )
    for parameter in made.parameterDefinitions():
        yield from (parameter.description(), parameter.help())
    yield from made.parameterDefinition("RADIOMETRY").options()
    yield from (output.description() for output in made.outputDefinitions())


class Shouting(QTranslator):
    """A language in which everything of this plugin is said in capitals; gaps for values stay."""

    def translate(self, context, source, disambiguation=None, n=-1):
        import re

        if context != "Bandwise":
            return ""
        return "".join(
            part if part.startswith("{") else part.upper()
            for part in re.split(r"(\{[^}]*\})", source)
        )

    def isEmpty(self):
        return False


@pytest.fixture
def shouting(qgis_app):
    translator = Shouting()
    QCoreApplication.installTranslator(translator)
    yield
    QCoreApplication.removeTranslator(translator)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_string_is_translatable(provider, shouting, name):
    provider.refreshAlgorithms()
    for text in shown(algorithm(name)):
        assert text == text.upper(), f"{text!r} does not pass through translate"


def test_the_log_and_errors_of_the_engine_are_translated(
    provider, shouting, scene, log, context, tmp_path
):
    done, fine = algorithm().run(
        {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(tmp_path / "OUT.tif")}, context, log
    )
    assert fine and done["VALID_PIXELS"] == 500 * 257
    said = "\n".join(log.info)
    for english in (
        "no scale or offset was found",
        "declared by the file",
        "1 window",
        "valid pixels",
        "Done in",
    ):
        assert english not in said
        assert english.upper() in said
    fine, message = algorithm().checkParameterValues(
        {"RED": str(tmp_path / "none.tif"), "NIR": scene.nir, "OUTPUT": "o.tif"}, context
    )
    assert not fine
    assert message == f"{tmp_path / 'none.tif'} DOES NOT EXIST; CHECK THE PATH."


WITHOUT_RASTERIO = """
import sys
from importlib.machinery import PathFinder

# hides the package as an installation without it does: no finder finds it
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *more: None if name.split(".")[0] == "rasterio" else find(name, *more)
"""


def test_without_rasterio_the_plugin_runs_on_gdal(tmp_path, scene):
    """In a Python that cannot find rasterio: the algorithm runs, and the log says with what and why."""
    code = f"""{WITHOUT_RASTERIO}
import importlib.util
spec = importlib.util.spec_from_file_location("bandwise", {str(ROOT / "__init__.py")!r},
    submodule_search_locations=[{str(ROOT)!r}])
sys.modules["bandwise"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["bandwise"])
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingFeedback
application = QgsApplication([], False)
application.initQgis()
plugin = sys.modules["bandwise"].classFactory(None)
plugin.initProcessing()
ndvi = QgsApplication.processingRegistry().createAlgorithmById("bandwise:ndvi")
print(ndvi.canExecute())
feedback = QgsProcessingFeedback()
parameters = {{"RED": {scene.red!r}, "NIR": {scene.nir!r}, "OUTPUT": "c.tif"}}
print(ndvi.run(parameters, QgsProcessingContext(), feedback)[0]["MEAN"])
print(feedback.textLog())
assert "rasterio" not in sys.modules
"""
    environment = {name: os.environ[name] for name in os.environ if name != "BANDWISE_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(True, '')")
    assert "Rasters are read and written by osgeo" in done.stdout
    assert "GDAL is used without rasterio: rasterio is not installed." in done.stdout
    assert (tmp_path / "c.tif").exists()
