# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters of a composite beside those of all algorithms."""

from __future__ import annotations

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine.compute.composite.statistic import Statistic
from ..shared.choices import choice_parameter
from ..shared.index_parameters import index_parameters
from ..shared.names import CompositeNames, IndexNames, SceneNames
from ..shared.value_parameters import Declared
from .period import period_parameters

translate = QCoreApplication.translate


def composite_parameters() -> list[QgsProcessingParameterDefinition]:
    """Return new definitions; ``PERCENTILE`` and ``CONSTANTS`` are advanced."""
    parameters = []
    period = ((each, each.help()) for each in period_parameters())
    for parameter, help_text in (*_scenes(), *_index(), *period, *_statistics()):
        parameter.setHelp(help_text)
        parameters.append(parameter)
    constants = [each for each in index_parameters() if each.name() == IndexNames.CONSTANTS]
    (percentile,) = (each for each in parameters if each.name() == CompositeNames.PERCENTILE)
    percentile.setFlags(percentile.flags() | percentile.Flag.FlagAdvanced)
    return [*parameters, *constants]


def _scenes() -> Declared:
    scenes = QgsProcessingParameterMultipleLayers(
        CompositeNames.SCENES,
        translate("Bandwise", "Scenes"),
        QgsProcessing.SourceType.TypeFile,
        optional=True,
    )
    folder = QgsProcessingParameterFile(
        CompositeNames.SCENES_FOLDER,
        translate("Bandwise", "Folder of scenes"),
        QgsProcessingParameterFile.Behavior.Folder,
        optional=True,
    )
    return (
        (
            scenes,
            translate(
                "Bandwise",
                "Products: of each its metadata file, any band of it, its zip or tar archive, a STAC item, "
                "or its folder typed as text. Sensors may differ.",
            ),
        ),
        (
            folder,
            translate(
                "Bandwise",
                "All scenes in it and in folders below it are taken, beside those that are listed.",
            ),
        ),
    )


def _index() -> Declared:
    index = QgsProcessingParameterString(
        CompositeNames.INDEX, translate("Bandwise", "Index"), "NDVI"
    )
    return (
        (
            index,
            translate(
                "Bandwise",
                "A name of the list of spectral indices, such as NDVI, or an expression over roles or names "
                "of bands, such as (nir - swir1) / (nir + swir1) or red. Default: NDVI.",
            ),
        ),
    )


def _statistics() -> Declared:
    statistics = choice_parameter(
        CompositeNames.STATISTICS,
        translate("Bandwise", "Statistics"),
        Statistic,
        allowMultiple=True,
        defaultValue=[Statistic.MEDIAN.value],
    )
    percentile = QgsProcessingParameterNumber(
        CompositeNames.PERCENTILE,
        translate("Bandwise", "Input: percentile"),
        QgsProcessingParameterNumber.Type.Double,
        90.0,
        minValue=0.0,
        maxValue=100.0,
    )
    clouds = QgsProcessingParameterBoolean(
        SceneNames.MASK_CLOUDS, translate("Bandwise", "Leave out the clouds of each scene"), True
    )
    return (
        (
            statistics,
            translate(
                "Bandwise",
                "Each becomes a band of the result, in this order. Dates are days since 1970-01-01; of equal "
                "maxima the first counts. Default: median.",
            ),
        ),
        (
            percentile,
            translate(
                "Bandwise",
                "From 0 to 100, for the statistic of that name, linear between two values; default 90.",
            ),
        ),
        (
            clouds,
            translate(
                "Bandwise",
                "By the scene's own mask, with the classes and flags of the mask options; default yes. A mask "
                "raster that is given leaves pixels out of the result.",
            ),
        ),
    )
