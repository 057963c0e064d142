# SPDX-License-Identifier: GPL-2.0-or-later
"""Composites: statistics of each pixel of an index over the scenes of a period."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from qgis.core import QgsProcessingContext, QgsProperty
from qgis.PyQt.QtCore import QCoreApplication

from ...engine.compute.composite.statistic import Statistic
from ...engine.indices.catalogue import load_catalogue
from ...engine.job import Job, RunOptions
from ..base import BandwiseAlgorithm
from ..layers import files_given
from ..resources import own_indices_path
from ..shared.names import CompositeNames, IndexNames, SceneNames
from .composite_parameters import composite_parameters
from .period import period_of

if TYPE_CHECKING:
    from ...engine.planning.jobs.scene_series import SceneSeries

translate = QCoreApplication.translate


class Composite(CompositeNames, SceneNames, IndexNames, BandwiseAlgorithm):
    """Median, mean, extremes, percentile, count and date of the maximum over scenes."""

    STRETCH = True

    def name(self) -> str:
        return "composite"

    def displayName(self) -> str:
        return translate("Bandwise", "Composite of scenes")

    def group(self) -> str:
        return translate("Bandwise", "Spectral indices")

    def groupId(self) -> str:
        return "spectralindices"

    def tags(self) -> list[str]:
        return translate(
            "Bandwise",
            "composite,time series,season,median,mean,minimum,maximum,percentile,count,date,cloud-free,mosaic,"
            "ndvi,index,sentinel-2,landsat,hls",
        ).split(",")

    def shortDescription(self) -> str:
        return translate(
            "Bandwise", "Statistics of an index over the scenes of a period, without their clouds"
        )

    def shortHelpString(self) -> str:
        return translate(
            "Bandwise",
            "Computes for each pixel statistics of a spectral index over many scenes, such as the\n\n"
            "median of NDVI from May to September\n\n"
            "Choose products, or a folder that holds them: bands, reflectance, dates and masks of clouds are found "
            "in each. Sensors may differ. A scene that cannot be read, lacks a band, lies outside of the period, "
            "or shares no area with those before it is left out, and a warning says why.\n\n"
            "Median, mean, minimum, maximum, percentile, the number of valid scenes, and the date of the "
            "maximum become bands of the result, named and tagged. Dates are days since 1970-01-01. "
            "A pixel is nodata where no scene is valid, but its number of valid scenes is 0.\n\n"
            "The result has the grid of the finest scene and the area that all have in common, unless the "
            "grid options say otherwise; other scenes are resampled while they are read.\n\n"
            "Scenes are read one after the other, window by window: memory does not grow with the raster, "
            "and with the number of scenes only for median and percentile, up to the limit that you set.",
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        for parameter in composite_parameters():
            self.addParameter(parameter)
        self.add_shared_parameters()
        self.add_output_parameter(
            translate("Bandwise", "Composite"),
            translate(
                "Bandwise",
                "The result: a tiled GeoTIFF, by default of Float32 with nodata -9999, one band a statistic.",
            ),
        )
        self.add_number_outputs()

    def inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> SceneSeries:
        from ...engine.planning.jobs.scene_series import scene_series
        from ...engine.reading.opening import subdatasets_of

        period = period_of(self, parameters, context)
        return scene_series(self._paths(parameters, context), subdatasets_of, period)

    def job(
        self,
        inputs: SceneSeries,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        output: str,
        options: RunOptions,
    ) -> Job:
        from ...engine.planning.jobs.composite import composite_job

        self.is_number(self.PERCENTILE, parameters)
        is_masked = self.parameterAsBool(parameters, self.MASK_CLOUDS, context)
        return composite_job(
            inputs,
            self.parameterAsString(parameters, self.INDEX, context),
            output,
            statistics=self.choices(self.STATISTICS, Statistic, parameters, context),
            percentile=self.parameterAsDouble(parameters, self.PERCENTILE, context),
            constants=self.parameterAsString(parameters, self.CONSTANTS, context),
            clouds=self.mask_choice("", parameters, context) if is_masked else None,
            own_indices=own_indices_path(),
            **vars(options),
        )

    def style(self, job: Job) -> str:
        """The customary one of the index for a single value of it; empty where there is none."""
        tags = [dict(result.tags) for result in job.formula.results]
        index = load_catalogue(own_indices_path()).indices.get(tags[0].get("BANDWISE_INDEX", ""))
        statistics = job.composite.reduction.statistics if job.composite else ()
        is_value = len(statistics) == 1 and statistics[0].is_index
        return f"{index.style}.qml" if index and index.style and is_value else ""

    def _paths(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """Return the scenes that are listed, those in folders among them, and those in the folder."""
        from ...engine.scenes.folder import scenes_in

        value = parameters.get(self.SCENES)
        if isinstance(value, QgsProperty):
            value, _ = value.value(context.expressionContext())
        paths: list[str] = []
        for path in files_given(value):
            paths += (scenes_in(path) if os.path.isdir(path) else ()) or (path,)
        folder = self.parameterAsString(parameters, self.SCENES_FOLDER, context).strip()
        return [*paths, *((scenes_in(folder) or (folder,)) if folder else ())]
