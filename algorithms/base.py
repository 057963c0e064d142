# SPDX-License-Identifier: GPL-2.0-or-later
"""What all algorithms share, and the border between QGIS's vocabulary and the engine's."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication, QUrl
from qgis.PyQt.QtGui import QIcon

from ..engine import messages
from ..engine.errors import BandwiseError, Cancelled, OptionError
from ..engine.job import BandRef, Job, Note, Report
from ..engine.messages import Text
from ..engine.radiometry import RadiometryChoice, Scaling
from .layers import file_of, path_as_given, promised_path
from .requirements import how_to_install, missing_requirement
from .resources import dresser, help_path, icon_path

translate = QCoreApplication.translate

_CREATION_OPTIONS_EDITOR = (
    {"widget_type": "rasteroptions"}
    if Qgis.QGIS_VERSION_INT >= 34000  # where the editor moved, and its former class went
    else {"class": "processing.algs.gdal.ui.RasterOptionsWidget.RasterOptionsWidgetWrapper"}
)


class BandwiseAlgorithm(QgsProcessingAlgorithm):
    """An algorithm that turns parameters into a :class:`~engine.job.Job` and lets the engine run it.

    A subclass has its identity, its input parameters, :meth:`inputs` and :meth:`job`; ``STYLE`` names the file of
    ``resources/styles`` that its layer is shown with, if any.
    """

    OUTPUT = "OUTPUT"
    RADIOMETRY = "RADIOMETRY"
    SCALE = "SCALE"
    OFFSET = "OFFSET"
    SOURCE_NODATA = "SOURCE_NODATA"
    CREATION_OPTIONS = "CREATION_OPTIONS"
    WORKERS = "WORKERS"
    MEMORY = "MEMORY"

    STYLE = ""

    _inputs: Any = None

    @abstractmethod
    def inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Any:
        """What the layer parameters choose, as paths and names; called in the main thread. Raises :class:`InputError`."""

    @abstractmethod
    def job(self, inputs: Any, parameters: dict[str, Any], context: QgsProcessingContext, **options: Any) -> Job:
        """The job for what :meth:`inputs` gave; ``options`` are those of all jobs. Raises :class:`BandwiseError`."""

    def createInstance(self) -> QgsProcessingAlgorithm:
        return type(self)()

    def icon(self) -> QIcon:
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        return icon_path(self.name())

    def helpUrl(self) -> str:
        return QUrl.fromLocalFile(help_path(self.name())).toString()

    def canExecute(self) -> tuple[bool, str]:
        missing = missing_requirement()
        return not missing, missing

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Everything that can be wrong is found here, by the engine, before any work."""
        missing = missing_requirement()
        if missing:
            return False, missing
        try:
            inputs = self.inputs(parameters, context)
            _prepare(self.job(inputs, parameters, context, **self._options(parameters, context, promised_path(parameters.get(self.OUTPUT)))))
        except BandwiseError as error:
            return False, _in_users_language(error.args[0])
        return super().checkParameterValues(parameters, context)

    def prepareAlgorithm(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> bool:
        """Layers belong to the main thread: here they become paths."""
        missing = missing_requirement()
        if missing:
            raise QgsProcessingException(missing)
        try:
            self._inputs = self.inputs(parameters, context)
        except BandwiseError as error:
            raise QgsProcessingException(_in_users_language(error.args[0])) from error
        return True

    def processAlgorithm(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        output = self.parameterAsOutputLayer(parameters, self.OUTPUT, context)
        try:
            report = _run(self.job(self._inputs, parameters, context, **self._options(parameters, context, output)), feedback)
        except Cancelled:
            return {}
        except BandwiseError as error:
            raise QgsProcessingException(_in_users_language(error.args[0])) from error
        self._dress(output, context)
        return {self.OUTPUT: output, **_numbers(report)}

    def _options(self, parameters: dict[str, Any], context: QgsProcessingContext, output: str) -> dict[str, Any]:
        given_nodata = self._is_number(self.SOURCE_NODATA, parameters)
        return {
            "output": output,
            "radiometry": RadiometryChoice(
                scaling=self._scaling(parameters, context),
                scale=self.parameterAsDouble(parameters, self.SCALE, context),
                offset=self.parameterAsDouble(parameters, self.OFFSET, context),
                nodata=self.parameterAsDouble(parameters, self.SOURCE_NODATA, context) if given_nodata else None,
            ),
            "creation_options": self.parameterAsString(parameters, self.CREATION_OPTIONS, context),
            "workers": self.parameterAsInt(parameters, self.WORKERS, context),
            "memory": self.parameterAsInt(parameters, self.MEMORY, context),
        }

    def _is_number(self, name: str, parameters: dict[str, Any], *, whole: bool = False) -> bool:
        """Whether a parameter is given; text that is no number, which QGIS takes for 0, is refused, and a fraction where it would round it."""
        value = parameters.get(name)
        if value is None or value == "":
            return False
        if isinstance(value, (str, float)):
            try:
                fine = float(value).is_integer() or not whole
            except ValueError:
                fine = False
            if not fine:
                text = messages.translate("Bandwise", "{parameter} must be a number, not {value}.")
                if whole:
                    text = messages.translate("Bandwise", "{parameter} must be a whole number, not {value}.")
                raise OptionError(text.format(parameter=name, value=str(value)[:60]))
        return True

    def _scaling(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Scaling:
        value = self.parameterAsEnum(parameters, self.RADIOMETRY, context)
        try:
            return Scaling(value)
        except ValueError as error:
            raise OptionError(
                messages.translate("Bandwise", "{parameter} must be 0 (automatic), 1 (stored values) or 2 (custom), not {value}.").format(
                    parameter=self.RADIOMETRY, value=value
                )
            ) from error

    def _dress(self, output: str, context: QgsProcessingContext) -> None:
        """Have the layer named and styled when Processing loads it; a name that a model gave it stays."""
        if not context.willLoadLayerOnCompletion(output):
            return
        details = context.layerToLoadOnCompletionDetails(output)
        description = self.parameterDefinition(self.OUTPUT).description()
        details.setPostProcessor(dresser(description if details.name == description else "", self.STYLE))

    def band_ref(self, name: str, layer_parameter: str, band_parameter: str, parameters: dict[str, Any], context: QgsProcessingContext) -> BandRef:
        """The band that a raster parameter and a band parameter choose together; a band left empty is the first."""
        layer = self.parameterAsRasterLayer(parameters, layer_parameter, context)
        label = self.parameterDefinition(layer_parameter).description()
        path = file_of(layer, label) if layer is not None else path_as_given(parameters.get(layer_parameter), label)
        given = self._is_number(band_parameter, parameters, whole=True)
        return BandRef(name, path, self.parameterAsInt(parameters, band_parameter, context) if given else 1)

    def add_output_parameter(self, description: str, help_text: str) -> None:
        destination = QgsProcessingParameterRasterDestination(self.OUTPUT, description)
        destination.setHelp(help_text)
        self.addParameter(destination)

    def add_advanced(self, parameter: QgsProcessingParameterDefinition) -> None:
        parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        self.addParameter(parameter)

    def add_common_parameters(self, scaling: Scaling = Scaling.AUTOMATIC) -> None:
        """The advanced parameters, the same for every algorithm but for the default of ``RADIOMETRY``."""
        number = QgsProcessingParameterNumber
        radiometry = QgsProcessingParameterEnum(
            self.RADIOMETRY,
            translate("Bandwise", "Scale and offset"),
            options=[translate("Bandwise", "Automatic"), translate("Bandwise", "Stored values as they are"), translate("Bandwise", "Custom")],
            defaultValue=scaling.value,
        )
        scale = number(self.SCALE, translate("Bandwise", "Custom scale"), number.Type.Double, 1.0)
        offset = number(self.OFFSET, translate("Bandwise", "Custom offset"), number.Type.Double, 0.0)
        nodata = number(self.SOURCE_NODATA, translate("Bandwise", "Nodata value of the inputs"), number.Type.Double, None, True)
        for decimal in (scale, offset, nodata):
            decimal.setMetadata({"widget_wrapper": {"decimals": 12}})  # the dialog's six would turn 0.0000275 into 0.000028
        options = QgsProcessingParameterString(self.CREATION_OPTIONS, translate("Bandwise", "Creation options"), "", False, True)
        options.setMetadata({"widget_wrapper": _CREATION_OPTIONS_EDITOR})
        workers = number(self.WORKERS, translate("Bandwise", "Workers (0: all cores)"), number.Type.Integer, 0, False, 0, 1024)
        memory = number(self.MEMORY, translate("Bandwise", "Memory (MB)"), number.Type.Integer, 512, False, 1)
        helps = (
            (
                radiometry,
                translate(
                    "Bandwise",
                    "How stored values become reflectance. Automatic: scale and offset tags of the band, else the Sentinel-2 or Landsat "
                    "Collection 2 metadata of the product that the file belongs to, else the stored values. The log says what was found."
                ),
            ),
            (scale, translate("Bandwise", "Reflectance = stored value x scale + offset. Used when scale and offset are Custom; default 1.")),
            (
                offset,
                translate("Bandwise", "In units of reflectance, such as -0.1 for Sentinel-2 since baseline 04.00. Used when Custom; default 0."),
            ),
            (
                nodata,
                translate("Bandwise", "The stored value that means nodata, for all inputs. Empty (default): what the file or its product declares."),
            ),
            (
                options,
                translate(
                    "Bandwise",
                    "Creation options of GDAL's GTiff driver as NAME=VALUE|NAME=VALUE. Empty (default): tiles of 512 x 512, DEFLATE with "
                    "floating-point predictor, BIGTIFF when needed."
                ),
            ),
            (workers, translate("Bandwise", "Threads that read and compute. 0 (default): as many as the machine has cores.")),
            (memory, translate("Bandwise", "Upper bound, in MB, for buffers and GDAL's cache; default 512. The pixels do not depend on it.")),
        )
        for parameter, text in helps:
            parameter.setHelp(text)
            self.add_advanced(parameter)

    def add_number_outputs(self) -> None:
        """What the log says of the result, for models and scripts."""
        for name, description in (
            ("VALID_PIXELS", translate("Bandwise", "Valid pixels")),
            ("NODATA_PIXELS", translate("Bandwise", "Nodata pixels")),
            ("MINIMUM", translate("Bandwise", "Minimum")),
            ("MAXIMUM", translate("Bandwise", "Maximum")),
            ("MEAN", translate("Bandwise", "Mean")),
            ("STANDARD_DEVIATION", translate("Bandwise", "Standard deviation")),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, description))


def _numbers(report: Report) -> dict[str, Any]:
    """Statistics of the first result band; those of no pixels are None."""
    band = report.statistics[0]
    return {
        "VALID_PIXELS": band.valid,
        "NODATA_PIXELS": band.invalid,
        "MINIMUM": band.minimum if band.valid else None,
        "MAXIMUM": band.maximum if band.valid else None,
        "MEAN": band.mean if band.valid else None,
        "STANDARD_DEVIATION": band.standard_deviation if band.valid else None,
    }


@contextmanager
def engine_imports() -> Iterator[None]:
    """Around imports of what needs rasterio, which may be missing, or there and broken: a clash of versions or libraries."""
    try:
        yield
    except ImportError as error:
        text = messages.translate("Bandwise", "The Python package rasterio of this QGIS cannot be loaded ({reason}); to install it again, {how}.")
        raise OptionError(text.format(reason=str(error).splitlines()[0][:200], how=how_to_install(sys.platform))) from error


def _prepare(job: Job) -> None:
    with engine_imports():
        from ..engine.plan import prepare
    prepare(job)


def _run(job: Job, feedback: QgsProcessingFeedback) -> Report:
    with engine_imports():
        from ..engine.pipeline import run

    def progress(fraction: float, note: Note | None) -> None:
        feedback.setProgress(100 * fraction)
        if note is not None:
            (feedback.pushWarning if note.caution else feedback.pushInfo)(_in_users_language(note.text))

    return run(job, progress=progress, cancelled=feedback.isCanceled)


def _in_users_language(text: Text) -> str:
    return text.in_language(lambda template: translate("Bandwise", template))
