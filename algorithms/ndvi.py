# SPDX-License-Identifier: GPL-2.0-or-later
"""NDVI from a red and a near-infrared band."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qgis.core import QgsProcessingContext, QgsProcessingParameterBoolean
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import messages
from ..engine.errors import InputError
from ..engine.expression.names import named_formula
from ..engine.job import BandRef, Job, RunOptions
from .base import BandwiseAlgorithm
from .shared.bands import red_and_nir
from .shared.names import BandNames
from .shared.scenes import SceneOptions

if TYPE_CHECKING:
    from ..engine.scenes.scene import Scene

translate = QCoreApplication.translate


class Ndvi(BandNames, SceneOptions, BandwiseAlgorithm):
    """NDVI = (NIR - red) / (NIR + red); Rouse et al. (1974), Third ERTS Symposium, NASA SP-351, 309-317."""

    CLAMP_NDVI = "CLAMP_NDVI"

    STYLE = "ndvi.qml"

    def name(self) -> str:
        return "ndvi"

    def displayName(self) -> str:
        return translate("Bandwise", "NDVI")

    def group(self) -> str:
        return translate("Bandwise", "Vegetation indices")

    def groupId(self) -> str:
        return "vegetationindices"

    def tags(self) -> list[str]:
        return translate(
            "Bandwise",
            "ndvi,vegetation,index,normalized difference,red,near infrared,nir,band "
            "math,sentinel-2,landsat,reflectance",
        ).split(",")

    def shortDescription(self) -> str:
        return translate(
            "Bandwise", "Normalized Difference Vegetation Index of rasters of any size"
        )

    def shortHelpString(self) -> str:
        return translate(
            "Bandwise",
            "Computes the Normalized Difference Vegetation Index\n\nNDVI = (NIR - red) / (NIR + red)\n\n"
            "of two bands, from two files or from one, or of a scene: then choose the product, and its "
            "bands and its mask of clouds are found in it. The raster may be of any size: windows are "
            "read and computed in parallel, and memory "
            "stays flat.\n\n"
            "The bands are taken as reflectance: scale and offset come from the band's own tags, "
            "from the metadata of the Sentinel-2 or "
            "Landsat Collection 2 product that the file lies in, or from you. Sentinel-2 products "
            "since baseline 04.00 have an offset of -1000 "
            "that is not in the image files; without it NDVI is too small.\n\n"
            "Bands on different grids are resampled while they are read. A mask, such as "
            "Sentinel-2's SCL, and polygons leave pixels out.\n\n"
            "Pixels that are nodata, masked or saturated in a band, or whose NDVI is not a number, "
            "are nodata (-9999) in the result. Values "
            "outside -1 to 1, which negative reflectance gives, are counted in the log, and kept unless "
            "you choose to clamp them.",
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        self.add_scene_parameters()
        for parameter in red_and_nir():
            self.addParameter(parameter)
        clamp = QgsProcessingParameterBoolean(
            self.CLAMP_NDVI, translate("Bandwise", "Clamp NDVI to -1 to 1"), False
        )
        clamp.setHelp(
            translate(
                "Bandwise",
                "Smaller values become -1, larger ones 1; the log counts them. The limits of the output "
                "options, where given, take precedence. Default no: values are kept as computed.",
            )
        )
        self.addParameter(clamp)
        self.add_shared_parameters()
        self.add_output_parameter(
            translate("Bandwise", "NDVI"),
            translate(
                "Bandwise", "The result: a tiled GeoTIFF, by default of Float32 with nodata -9999."
            ),
        )
        self.add_number_outputs()

    def unit(self) -> str:
        return translate("Bandwise", "none; NDVI is a ratio")

    def inputs(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[tuple[BandRef, ...], Scene | None]:
        from ..engine.planning.jobs.scenes import bands_of

        scene = self.scene((self.RED, self.NIR), parameters, context)
        if scene:
            return bands_of(scene, ("red", "nir")), scene
        red = self.band_ref("red", self.RED, self.RED_BAND, parameters, context)
        nir = self.band_ref("nir", self.NIR, self.NIR_BAND, parameters, context)
        if (red.path, red.number) == (nir.path, nir.number):
            raise InputError(
                messages.translate(
                    "Bandwise",
                    "Red and near infrared are both band {band} of {file}; choose two different bands.",
                ).format(band=red.number, file=red.path)
            )
        return (red, nir), None

    def job(
        self,
        inputs: tuple[tuple[BandRef, ...], Scene | None],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        output: str,
        options: RunOptions,
    ) -> Job:
        from ..engine.planning.jobs.scenes import files_of

        bands, scene = inputs
        formula = named_formula(
            "NDVI := (nir - red) / (nir + red)",
            [band.name for band in bands],
            valid_range=(-1.0, 1.0),
        )
        if self.parameterAsBool(parameters, self.CLAMP_NDVI, context):
            low, high = options.clamp
            clamp = (-1.0 if low is None else low, 1.0 if high is None else high)
            options = replace(options, clamp=clamp)
        options, notes = self.without_clouds(scene, options, parameters, context)
        if scene:
            notes += self.ignored(scene, (self.RED_BAND, self.NIR_BAND), parameters)
        listed = files_of(scene) if scene else ()
        return options.job(bands, formula, output, notes=notes, listed=listed)
