# SPDX-License-Identifier: GPL-2.0-or-later
"""Spectral indices: any of the Awesome Spectral Indices list, or of the user's own, from recognised bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingParameterMultipleLayers,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..engine.indices.catalogue import load_catalogue
from ..engine.job import Job, RunOptions
from .base import BandwiseAlgorithm
from .resources import own_indices_path
from .shared.index_parameters import index_parameters
from .shared.names import IndexNames
from .shared.scenes import SceneOptions

if TYPE_CHECKING:
    from ..engine.scenes.scene import Scene

translate = QCoreApplication.translate


class SpectralIndices(IndexNames, SceneOptions, BandwiseAlgorithm):
    """Indices by name; Montero et al. (2023), Scientific Data 10, 197, doi:10.1038/s41597-023-02096-0."""

    LAYERS = "LAYERS"

    def name(self) -> str:
        return "spectralindices"

    def displayName(self) -> str:
        return translate("Bandwise", "Spectral indices")

    def group(self) -> str:
        return translate("Bandwise", "Spectral indices")

    def groupId(self) -> str:
        return "spectralindices"

    def tags(self) -> list[str]:
        return translate(
            "Bandwise",
            "index,indices,spectral,vegetation,water,burn,snow,soil,urban,radar,kernel,ndvi,evi,savi,ndwi,"
            "mndwi,nbr,ndsi,ndbi,sentinel-2,landsat,reflectance",
        ).split(",")

    def shortDescription(self) -> str:
        return translate(
            "Bandwise", "Computes spectral indices by name from the bands of a scene of any size"
        )

    def shortHelpString(self) -> str:
        return translate(
            "Bandwise",
            "Computes spectral indices by name, such as\n\nNDVI;EVI;NBR\n\n"
            "All of the Awesome Spectral Indices list are known: vegetation, water, burn, snow, soil, "
            "urban, radar and kernel indices. docs/indices.md of the plugin's repository lists them with "
            "formula, sensors and source.\n\n"
            "Choose the rasters of the bands: which is red and which near infrared is known by the names "
            "of files and the descriptions of bands, and can be said in “Input: bands”. Or choose a scene, whose "
            "bands and mask of clouds are found. Values are reflectance: "
            "scale and offset come from the metadata, as in NDVI.\n\n"
            "Each index becomes a band of the result, named, with its formula, constants and source as "
            "tags. Each input is read once, whatever the number of indices. Of several indices the "
            "first is shown.\n\n"
            "Your own indices are read from bandwise/indices.json in the folder of your QGIS profile, a "
            "list of texts such as “name := (nir - red) / (nir + red)”.",
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        layers = QgsProcessingParameterMultipleLayers(
            self.LAYERS,
            translate("Bandwise", "Rasters of the bands"),
            QgsProcessing.SourceType.TypeRaster,
            optional=True,
        )
        layers.setHelp(
            translate(
                "Bandwise",
                "The files of the bands, or rasters of several bands; in “Input: bands” the first is A, the "
                "second B.",
            )
        )
        self.add_scene_parameters()
        for parameter in (layers, *index_parameters()):
            self.addParameter(parameter)
        self.add_shared_parameters()
        self.add_output_parameter(
            translate("Bandwise", "Spectral indices"),
            translate(
                "Bandwise",
                "The result: a tiled GeoTIFF, by default of Float32 with nodata -9999, one band an index.",
            ),
        )
        self.add_number_outputs()

    def inputs(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[tuple[tuple[str, str], ...], Scene | None]:
        scene = self.scene((self.LAYERS,), parameters, context)
        return () if scene else self.rasters(self.LAYERS, parameters, context), scene

    def job(
        self,
        inputs: tuple[tuple[tuple[str, str], ...], Scene | None],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        output: str,
        options: RunOptions,
    ) -> Job:
        from ..engine.planning.jobs.spectralindices import spectralindices_job

        constants, bands = (
            self.parameterAsString(parameters, name, context)
            for name in (self.CONSTANTS, self.BANDS)
        )
        rasters, scene = inputs
        options, notes = self.without_clouds(scene, options, parameters, context)
        return spectralindices_job(
            rasters,
            self.indices(parameters, context),
            output,
            constants=constants,
            bands=bands,
            own_indices=own_indices_path(),
            scene=scene,
            notes=notes,
            **vars(options),
        )

    def indices(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """Return the names of indices as text; a script may give a list."""
        listed = parameters.get(self.INDICES)
        if isinstance(listed, (list, tuple)):
            return ";".join(map(str, listed))
        return str(self.parameterAsString(parameters, self.INDICES, context))

    def style(self, job: Job) -> str:
        return style_of([result.name for result in job.formula.results])


def style_of(indices: Sequence[str]) -> str:
    """Return the customary style of a single index; empty where there is none."""
    index = load_catalogue(own_indices_path()).indices.get(indices[0])
    return f"{index.style}.qml" if index and index.style and len(indices) == 1 else ""
