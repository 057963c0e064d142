# SPDX-License-Identifier: GPL-2.0-or-later
"""Spectral indices of many scenes: a result of each product in a folder."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import messages
from ...engine.errors import Cancelled, OutputError
from ...engine.indices.catalogue import Index, load_catalogue
from ...engine.indices.selection import chosen_indices, with_constants
from ...engine.job import Job, RunOptions
from ..last_resort import sentence_of
from ..layers import taken_as_layers
from ..resources import own_indices_path
from ..running import one_sentence, progress_to
from ..shared.choices import Existing
from ..shared.index_parameters import index_parameters
from ..shared.names import ManyNames
from ..spectralindices import SpectralIndices
from .closing import counts, last_lines, load_results, make_folder
from .parameters import SUMMARY, destinations, result_parameters, scenes_parameters
from .period import period_of

if TYPE_CHECKING:
    from ...engine.execution.batch import Batch
    from ...engine.planning.jobs.many.many_scenes import Task
    from ...engine.scenes.scene import Scene

translate = QCoreApplication.translate


class ManyScenes(ManyNames, SpectralIndices):
    """:class:`SpectralIndices` of each scene in a folder."""

    _options = RunOptions()

    def name(self) -> str:
        return "scenes"

    def displayName(self) -> str:
        return translate("Bandwise", "Spectral indices of many scenes")

    def tags(self) -> list[str]:
        more = translate("Bandwise", "batch,many,scenes,folder,season,time series,summary,csv")
        return [*super().tags(), *more.split(",")]

    def shortDescription(self) -> str:
        return translate("Bandwise", "Computes spectral indices of all products in a folder")

    def shortHelpString(self) -> str:
        return translate(
            "Bandwise",
            "Computes spectral indices, such as\n\nNDVI;EVI;NBR\n\n"
            "of every product in a folder and the folders below it, one after the other: Sentinel-2, Landsat, "
            "HLS, MODIS, PlanetScope and STAC items, unpacked or in archives. Bands, scale and offset "
            "and the mask of clouds are found in each, as in Spectral indices.\n\n"
            "Results are called by a pattern. What a former run completed with the same options is skipped, so a "
            "run that was cancelled goes on, and a folder that grows needs only its new scenes. A "
            "scene that cannot be computed stops no other.\n\n"
            "A table (CSV) tells for each scene and index the file, the number of valid pixels, minimum, "
            "maximum, mean, standard deviation, and what went wrong.",
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        for parameter in (*scenes_parameters(), *index_parameters(), *result_parameters()):
            self.addParameter(parameter)
        self.add_mask_clouds()
        self.add_shared_parameters()
        for parameter in destinations():
            self.addParameter(parameter)
        for name, description in (
            (self.DONE, translate("Bandwise", "Scenes that were computed")),
            (self.SKIPPED, translate("Bandwise", "Scenes that were skipped")),
            (self.FAILED, translate("Bandwise", "Scenes that failed")),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, description))

    def checkParameterValues(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Let the engine check all that does not need the scenes opened; no exception escapes."""
        try:
            self.run_options(self.layer_options(parameters, context), parameters, context)
            self._check(parameters, context)
            replaced = taken_as_layers(parameters, self.parameterDefinitions())
            return QgsProcessingAlgorithm.checkParameterValues(self, replaced, context)
        except Exception as error:  # qgis_process aborts on what escapes
            return False, sentence_of(error)

    def _check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise :class:`BandwiseError` for what is wrong whatever the scenes are."""
        from ...engine.execution.summary import check_summary
        from ...engine.planning.jobs.many.file_names import name_pattern
        from ...engine.scenes.folder import checked_folder

        folder = self.parameterAsString(parameters, self.OUTPUT_FOLDER, context)
        if os.path.isfile(folder):
            text = messages.translate("Bandwise", "{folder} is a file; choose a folder.")
            raise OutputError(text.format(folder=folder))
        summary = self.parameterAsString(parameters, self.SUMMARY, context)
        if summary and summary != QgsProcessing.TEMPORARY_OUTPUT:
            check_summary(summary)
        name_pattern(self.parameterAsString(parameters, self.NAME_PATTERN, context))
        self.choice(self.EXISTING, Existing, parameters, context)
        period_of(self, parameters, context).check()
        constants = self.parameterAsString(parameters, self.CONSTANTS, context)
        with_constants(
            self._chosen_indices(parameters, context), constants, defaultdict(lambda: 1.0)
        )
        checked_folder(self.parameterAsString(parameters, self.SCENES, context))

    def prepareAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> bool:
        """Read layers as paths and numbers, in the main thread, to which they belong."""
        with one_sentence():
            layers = self.layer_options(parameters, context)
            self._options = self.run_options(layers, parameters, context)
        return True

    def processAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        from ...engine.execution.summary import tabulated

        with one_sentence():
            self._check(parameters, context)
            folder = self.parameterAsFileOutput(parameters, self.OUTPUT_FOLDER, context)
            summary = self.parameterAsFileOutput(parameters, self.SUMMARY, context)
            batch = self._batch(parameters, context, feedback)
            try:
                tasks = self._tasks(folder, batch, parameters, context)
            except Cancelled:
                feedback.pushInfo(translate("Bandwise", "Cancelled; nothing was written."))
                return {}
            if batch.dry:
                return counts(list(batch.rows(tasks)))
            make_folder(folder)
            table = tabulated(batch.rows(tasks), summary or os.path.join(folder, SUMMARY))
            last_lines(table, feedback)
            if self.parameterAsBool(parameters, self.LOAD, context):
                load_results(table.rows, context)
            return {self.OUTPUT_FOLDER: folder, self.SUMMARY: table.path, **counts(table.rows)}

    def _batch(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> Batch:
        from ...engine.execution.batch import Batch

        return Batch(
            sentence=sentence_of,
            again=self.choice(self.EXISTING, Existing, parameters, context) is Existing.AGAIN,
            dry=self.parameterAsBool(parameters, self.DRY_RUN, context),
            progress=progress_to(feedback),
            cancelled=feedback.isCanceled,
        )

    def _tasks(
        self,
        folder: str,
        batch: Batch,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
    ) -> list[Task]:
        """Return the results to be made of the scenes of the folder."""
        from ...engine.planning.jobs.many.file_names import name_pattern
        from ...engine.planning.jobs.many.many_scenes import candidates, tasks
        from ...engine.reading.opening import subdatasets_of

        scenes, notes = candidates(
            self.parameterAsString(parameters, self.SCENES, context),
            period_of(self, parameters, context),
            subdatasets_of,
            batch.cancelled,
        )
        for note in notes:
            batch.progress(0.0, note)
        names = [index.name for index in self._chosen_indices(parameters, context)]
        pattern = name_pattern(self.parameterAsString(parameters, self.NAME_PATTERN, context))

        def make(scene: Scene, indices: Sequence[str], file: str) -> Job:
            of_task = {**parameters, self.INDICES: ";".join(indices)}
            return self.job(((), scene), of_task, context, file, self._options)

        return tasks(scenes, names, folder, pattern, make)

    def _chosen_indices(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> list[Index]:
        catalogue = load_catalogue(own_indices_path())
        return chosen_indices(catalogue, self.indices(parameters, context))
