# SPDX-License-Identifier: GPL-2.0-or-later
"""Band math: any per-pixel expression over any bands of any number of rasters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..engine.expression.dialects import DialectChoice
from ..engine.job import Job, RunOptions
from ..engine.radiometry.scaling import Scaling
from .base import BandwiseAlgorithm
from .shared.choices import choice_parameter
from .shared.names import EXPRESSION_EDITOR
from .shared.scenes import SceneOptions

if TYPE_CHECKING:
    from ..engine.scenes.scene import Scene

translate = QCoreApplication.translate

_UNNAMED = re.compile(r"result( \d+)?")  #: as the parser calls results without a name


class BandMath(SceneOptions, BandwiseAlgorithm):
    """Computes typed expressions; nothing that is typed is ever executed as code."""

    LAYERS = "LAYERS"
    EXPRESSION = "EXPRESSION"
    DIALECT = "DIALECT"

    def name(self) -> str:
        return "bandmath"

    def displayName(self) -> str:
        return translate("Bandwise", "Band math")

    def group(self) -> str:
        return translate("Bandwise", "Raster calculator")

    def groupId(self) -> str:
        return "rastercalculator"

    def tags(self) -> list[str]:
        return translate(
            "Bandwise",
            "raster calculator,band math,map algebra,expression,formula,gdal_calc,bandmath,numpy,index,threshold,mask",
        ).split(",")

    def shortDescription(self) -> str:
        return translate(
            "Bandwise", "Computes any expression over the bands of rasters or a scene of any size"
        )

    def shortHelpString(self) -> str:
        return translate(
            "Bandwise",
            "Computes per-pixel expressions over the bands of one or more rasters of any size, on "
            "one grid or on several.\n\n"
            "Of a scene, and of rasters whose product is known by their names, bands are called by role "
            "or by name, and are reflectance; the same text works for every sensor:\n\n"
            "(nir - red) / (nir + red)\nB8A / B04\n\n"
            "The rasters are called A, B, C ... in the order of the list. A band is A@2, or A for "
            "the first; also “layer name@2” in double "
            "quotes as in QGIS, im1b2 as in OTB, or A@B08 by the band's description. Examples:\n\n"
            "(B - A) / (B + A)\nwhere(A > 0.3 and B > 100, 1, 0)\n(A & 8) > 0\nndvi := (B - A) / "
            "(B + A); green := ndvi > 0.4\n\n"
            "Expressions from QGIS's raster calculator, gdal_calc.py and OTB BandMath are read as "
            "by these tools: the dialect is recognised by how bands "
            "are named, or chosen. Several results, separated by semicolons, become bands of the "
            "output. Comments begin with #.\n\n"
            "A pixel is nodata if a value that it uses is nodata, or if the result is not a "
            "number; isnodata(A) and coalesce(A, 0) "
            "allow for nodata.\n\n"
            "Unlike NDVI, rasters that are called by letter or layer have their stored values unless you "
            "choose otherwise: "
            "most expressions contain the scaling. Sentinel-2 "
            "products since baseline 04.00 and Landsat Collection 2 Level-2 have an offset, which "
            "(B - A) / (B + A) of stored values leaves out: "
            "the result is too small. Set “Radiometry: scale and offset” to Automatic to apply it, or write "
            "it, as in (B - A) / (B + A - 2000); a warning "
            "says where metadata would give another result.",
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        layers = QgsProcessingParameterMultipleLayers(
            self.LAYERS,
            translate("Bandwise", "Rasters, in the order of the letters A, B, C ..."),
            QgsProcessing.SourceType.TypeRaster,
            optional=True,
        )
        layers.setHelp(
            translate(
                "Bandwise",
                "The first is A, the second B and so on. Those on another grid than the result's are "
                "resampled. May be empty if a scene is given.",
            )
        )
        self.add_scene_parameters()
        self.addParameter(layers)
        expression = QgsProcessingParameterString(
            self.EXPRESSION, translate("Bandwise", "Expression"), None, True
        )
        expression.setHelp(
            translate(
                "Bandwise",
                "Such as (nir - red) / (nir + red) of a scene, or (B - A) / (B + A) of rasters; several "
                "results are separated by ; and may be named with :=",
            )
        )
        expression.setMetadata({"widget_wrapper": {"class": EXPRESSION_EDITOR}})
        self.addParameter(expression)
        dialect = choice_parameter(
            self.DIALECT,
            translate("Bandwise", "Input: dialect of the expression"),
            DialectChoice,
            defaultValue=DialectChoice.AUTOMATIC.value,
        )
        dialect.setHelp(
            translate(
                "Bandwise",
                "Whose rules the expression follows. Automatic (default): layer names are QGIS's, "
                "im1b1 is OTB's, letters are Bandwise's own, "
                "where ^ is power and precedence is Python's.",
            )
        )
        self.add_advanced(dialect)
        self.add_shared_parameters(Scaling.STORED)
        self.add_output_parameter(
            translate("Bandwise", "Band math"),
            translate(
                "Bandwise",
                "The result: a tiled GeoTIFF, by default of Float32 with nodata -9999, one band a result.",
            ),
        )
        self.add_number_outputs()

    def inputs(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[tuple[tuple[str, str], ...], Scene | None]:
        scene = self.scene((self.LAYERS,), parameters, context, beside=True)
        return self.rasters(self.LAYERS, parameters, context), scene

    def job(
        self,
        inputs: tuple[tuple[tuple[str, str], ...], Scene | None],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        output: str,
        options: RunOptions,
    ) -> Job:
        from ..engine.planning.bandmath import bandmath_job

        dialect = self.choice(self.DIALECT, DialectChoice, parameters, context)
        expression = self.parameterAsString(parameters, self.EXPRESSION, context)
        rasters, scene = inputs
        options, notes = self.without_clouds(scene, options, parameters, context)
        return bandmath_job(
            rasters,
            expression,
            output,
            dialect=dialect,
            scene=scene,
            notes=notes,
            **vars(options),
        )

    def layer_name(self, job: Job) -> str:
        """The names that were given to results."""
        names = [result.name for result in job.formula.results]
        given = [name for name in names if not _UNNAMED.fullmatch(name)]
        return self.name_of_results(given or [self.displayName()])
