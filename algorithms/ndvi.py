# SPDX-License-Identifier: GPL-2.0-or-later
"""NDVI from a red and a near-infrared band."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext
from qgis.PyQt.QtCore import QCoreApplication

from ..engine import messages
from ..engine.errors import InputError
from ..engine.expression.names import named_formula
from ..engine.job import BandRef, Job, RunOptions
from .base import BandwiseAlgorithm
from .shared.bands import Described, band_parameters

translate = QCoreApplication.translate


class Ndvi(BandwiseAlgorithm):
    """NDVI = (NIR - red) / (NIR + red); Rouse et al. (1974), Third ERTS Symposium, NASA SP-351, 309-317."""

    RED = "RED"
    RED_BAND = "RED_BAND"
    NIR = "NIR"
    NIR_BAND = "NIR_BAND"

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
            "of two bands, from two files or from one. The raster may be of any size: windows are "
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
            "outside -1 to 1, which negative reflectance gives, are kept and counted in the log.",
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        red = (
            Described(
                self.RED,
                translate("Bandwise", "Red raster"),
                translate(
                    "Bandwise",
                    "The raster with the red band, such as B04 of Sentinel-2 or B4 of Landsat 8 and 9.",
                ),
            ),
            Described(
                self.RED_BAND,
                translate("Bandwise", "Red band"),
                translate("Bandwise", "Number of the red band in its raster; default 1."),
            ),
        )
        nir = (
            Described(
                self.NIR,
                translate("Bandwise", "Near-infrared raster"),
                translate(
                    "Bandwise",
                    "The raster with the near-infrared band, such as B08 of Sentinel-2 or B5 of "
                    "Landsat 8 and 9; it may be the red raster.",
                ),
            ),
            Described(
                self.NIR_BAND,
                translate("Bandwise", "Near-infrared band"),
                translate("Bandwise", "Number of the near-infrared band in its raster; default 1."),
            ),
        )
        for parameter in (*band_parameters(*red), *band_parameters(*nir)):
            self.addParameter(parameter)
        self.add_shared_parameters()
        self.add_output_parameter(
            translate("Bandwise", "NDVI"),
            translate(
                "Bandwise", "The result: a tiled GeoTIFF, by default of Float32 with nodata -9999."
            ),
        )
        self.add_number_outputs()

    def inputs(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[BandRef, ...]:
        red = self.band_ref("red", self.RED, self.RED_BAND, parameters, context)
        nir = self.band_ref("nir", self.NIR, self.NIR_BAND, parameters, context)
        if (red.path, red.number) == (nir.path, nir.number):
            raise InputError(
                messages.translate(
                    "Bandwise",
                    "Red and near infrared are both band {band} of {file}; choose two different bands.",
                ).format(band=red.number, file=red.path)
            )
        return red, nir

    def job(
        self,
        inputs: tuple[BandRef, ...],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        output: str,
        options: RunOptions,
    ) -> Job:
        formula = named_formula(
            "NDVI := (nir - red) / (nir + red)",
            [band.name for band in inputs],
            valid_range=(-1.0, 1.0),
        )
        return options.job(inputs, formula, output)
