# SPDX-License-Identifier: GPL-2.0-or-later
"""The base class of all algorithms: the border between QGIS's vocabulary and the engine's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterRasterDestination,
    QgsProperty,
)
from qgis.PyQt.QtCore import QCoreApplication, QUrl
from qgis.PyQt.QtGui import QIcon

from ..engine.errors import Cancelled
from ..engine.job import BandRef, Job, Report, RunOptions
from ..engine.radiometry.scaling import Scaling
from .last_resort import sentence_of
from .layers import (
    destination_path,
    file_of,
    load_instead,
    no_folder,
    path_as_given,
    rasters_of,
    taken_as_layers,
)
from .resources import help_path, icon_path, style_when_loaded
from .running import dry_run, one_sentence, prepare, run
from .shared.options import SharedOptions
from .shared.outputs import look_of, numbers, report_text, reported, save_job_file
from .shared.parameters import shared_parameters
from .shared.value_parameters import job_parameter, report_parameter
from .styling.about import about

translate = QCoreApplication.translate


class BandwiseAlgorithm(SharedOptions):
    """An algorithm that makes a :class:`~engine.job.Job` of parameters and lets the engine run it.

    A subclass has its identity, its input parameters, :meth:`inputs` and :meth:`job`; ``STYLE`` names the file of
    ``resources/styles`` that its layer is shown with, if any; without one the first band is
    shown by its statistics.
    """

    OUTPUT = "OUTPUT"
    REPORT = "REPORT"

    STYLE = ""

    _chosen: tuple[Any, RunOptions] = (None, RunOptions())

    @abstractmethod
    def inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Any:
        """Return the layers that the parameters choose, as paths and names; called in the main thread.

        Raises
        ------
        InputError
            For a layer that is no file, or missing.
        """

    @abstractmethod
    def job(
        self,
        inputs: Any,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        output: str,
        options: RunOptions,
    ) -> Job:
        """Return the job for what :meth:`inputs` returned.

        Raises
        ------
        BandwiseError
            For parameters from which no job can be made.
        """

    def createInstance(self) -> QgsProcessingAlgorithm:
        return type(self)()

    def icon(self) -> QIcon:
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        return icon_path(self.name())

    def helpUrl(self) -> str:
        return QUrl.fromLocalFile(help_path(self.name())).toString()

    def checkParameterValues(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Let the engine check everything before any work; no exception escapes."""
        try:
            chosen = self.inputs(parameters, context), self.layer_options(parameters, context)
            self.check_report_file(parameters, context)
            prepare(
                self._job(
                    chosen, parameters, context, destination_path(parameters.get(self.OUTPUT))
                )
            )
            return super().checkParameterValues(
                taken_as_layers(parameters, self.parameterDefinitions()), context
            )
        except Exception as error:  # qgis_process aborts on what escapes
            return False, sentence_of(error)

    def prepareAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> bool:
        """Read layers as paths and numbers, in the main thread, to which they belong."""
        with one_sentence():
            self._chosen = self.inputs(parameters, context), self.layer_options(parameters, context)
        return True

    def processAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        with one_sentence():
            output = destination_path(parameters.get(self.OUTPUT))
            if path := self.parameterAsFileOutput(parameters, self.JOB_FILE, context):
                job = self._job(self._chosen, parameters, context, output)
                save_job_file(job, path, feedback)
                return {self.JOB_FILE: path}
            self.check_report_file(parameters, context)
            report_file = self.parameterAsFileOutput(parameters, self.REPORT_FILE, context)
            if self.parameterAsBool(parameters, self.DRY_RUN, context):
                text = dry_run(self._job(self._chosen, parameters, context, output), feedback)
                return {self.REPORT: text, **reported(text, report_file, feedback)}
            output = self.parameterAsOutputLayer(parameters, self.OUTPUT, context)
            job = self._job(self._chosen, parameters, context, output)
            try:
                report = run(job, feedback)
            except Cancelled:
                feedback.pushInfo(translate("Bandwise", "Cancelled; nothing was written."))
                return {}
            load_instead(output, report.output, context)
            self._style(report.output, context, job, report)
            return {
                self.OUTPUT: report.output,
                **reported(report_text(report), report_file, feedback),
                **numbers(report),
            }

    def job_later(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Callable[[], Job]:
        """Read layers in the main thread, and return what makes the job, without an output, in any.

        Raises
        ------
        BandwiseError
            As :meth:`inputs` does.
        """
        chosen = self.inputs(parameters, context), self.layer_options(parameters, context)
        return lambda: self._job(chosen, parameters, context, "")

    def _job(
        self,
        chosen: tuple[Any, RunOptions],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        output: str,
    ) -> Job:
        output.encode("utf-8")  # as GDAL needs it; an error becomes a sentence
        inputs, layers = chosen
        options = self.run_options(layers, parameters, context)
        return self.job(inputs, parameters, context, output, options)

    def style(self, job: Job) -> str:
        """The file of ``resources/styles`` for the layer of a job; empty for none."""
        return self.STYLE

    def layer_name(self, job: Job) -> str:
        """The name of a job's layer; empty for that of the output parameter."""
        return ""

    def unit(self) -> str:
        """The unit of the results, for the layer's properties."""
        return translate("Bandwise", "that which the formula gives")

    def _style(self, output: str, context: QgsProcessingContext, job: Job, report: Report) -> None:
        """Have the layer named and styled when Processing loads it; a name that a model gave it stays."""
        if not context.willLoadLayerOnCompletion(output):
            return
        details = context.layerToLoadOnCompletionDetails(output)
        description = self.parameterDefinition(self.OUTPUT).description()
        name = (self.layer_name(job) or description) if details.name == description else ""
        shown = look_of(report, job.data_type)
        style_when_loaded(details, name, self.style(job), shown, about(job, self.unit()))

    def band_ref(
        self,
        name: str,
        layer_parameter: str,
        band_parameter: str,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
    ) -> BandRef:
        """Return the band that a raster parameter and a band parameter choose; no band means the first.

        Raises
        ------
        InputError
            If no raster is given, or a folder.
        """
        layer = self.parameterAsRasterLayer(parameters, layer_parameter, context)
        label = self.parameterDefinition(layer_parameter).description()
        path = (
            file_of(layer, label)
            if layer is not None
            else no_folder(path_as_given(parameters.get(layer_parameter), label), label)
        )
        given = self.is_number(band_parameter, parameters, integer=True)
        return BandRef(
            name, path, self.parameterAsInt(parameters, band_parameter, context) if given else 1
        )

    def rasters(
        self, name: str, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[tuple[str, str], ...]:
        """Return (layer name, path) of each raster that a list parameter chooses."""
        value = parameters.get(name)
        if isinstance(value, QgsProperty):
            value = self.parameterAsLayerList(parameters, name, context)
        return rasters_of(value, self.parameterDefinition(name).description(), context)

    def add_output_parameter(self, description: str, help_text: str) -> None:
        """Add the parameters of the result, of the report and of the file of the job."""
        destination = QgsProcessingParameterRasterDestination(self.OUTPUT, description)
        destination.setHelp(help_text)
        self.addParameter(destination)
        self.addParameter(report_parameter())
        self.addParameter(job_parameter())

    def add_advanced(self, parameter: QgsProcessingParameterDefinition) -> None:
        """Add an advanced parameter."""
        parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        self.addParameter(parameter)

    def add_shared_parameters(self, scaling: Scaling = Scaling.AUTOMATIC) -> None:
        """Add the parameters of all algorithms; ``scaling`` is the default of ``RADIOMETRY``."""
        for parameter in shared_parameters(scaling):
            self.addParameter(parameter)

    def add_number_outputs(self) -> None:
        """Add the outputs for models and scripts: the numbers that the log has, too."""
        self.addOutput(
            QgsProcessingOutputString(
                self.REPORT, translate("Bandwise", "Report of a dry run (JSON)")
            )
        )
        for name, description in (
            ("VALID_PIXELS", translate("Bandwise", "Valid pixels")),
            ("NODATA_PIXELS", translate("Bandwise", "Nodata pixels")),
            ("MINIMUM", translate("Bandwise", "Minimum")),
            ("MAXIMUM", translate("Bandwise", "Maximum")),
            ("MEAN", translate("Bandwise", "Mean")),
            ("STANDARD_DEVIATION", translate("Bandwise", "Standard deviation")),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, description))
