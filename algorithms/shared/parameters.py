# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters that all algorithms share: layers, masks and grids, and the list of all."""

from __future__ import annotations

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine.grids.layout import ExtentRule, GridRule, Resampling
from ...engine.radiometry.masks import CLEAR_CLASSES, REJECTED_FLAGS, MaskRule, QaFlag
from ...engine.radiometry.scaling import Scaling
from .choices import choice_parameter
from .names import Names
from .value_parameters import Declared, file_parameters, resource_parameters, value_parameters

translate = QCoreApplication.translate


def shared_parameters(scaling: Scaling) -> list[QgsProcessingParameterDefinition]:
    """Return new definitions of the parameters of all algorithms; all but the first are advanced.

    They are in the order of their use. QGIS 3.22 has no groups, so labels begin with the group.
    ``scaling`` is the default of ``RADIOMETRY``.
    """
    area, help_text = _area()
    area.setHelp(help_text)
    parameters = [area]
    advanced = (
        *_masks(),
        *_grids(),
        *value_parameters(scaling),
        *file_parameters(),
        *resource_parameters(),
    )
    for parameter, help_text in advanced:
        parameter.setHelp(help_text)
        parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        parameters.append(parameter)
    return parameters


def _area() -> tuple[QgsProcessingParameterDefinition, str]:
    area = QgsProcessingParameterFeatureSource(
        Names.AOI,
        translate("Bandwise", "Area of interest"),
        [QgsProcessing.SourceType.TypeVectorPolygon],
        None,
        True,
    )
    return area, translate(
        "Bandwise",
        "Polygons, in any CRS; pixels whose centre lies in none are nodata. Empty (default): all pixels.",
    )


def _masks() -> Declared:
    mask = QgsProcessingParameterRasterLayer(
        Names.MASK, translate("Bandwise", "Mask: raster"), None, True
    )
    rule = choice_parameter(
        Names.MASK_RULE,
        translate("Bandwise", "Mask: values"),
        MaskRule,
        defaultValue=MaskRule.AUTOMATIC.value,
    )
    keep = QgsProcessingParameterString(
        Names.SCL_KEEP,
        translate("Bandwise", "Mask: SCL classes to keep"),
        ",".join(map(str, CLEAR_CLASSES)),
        False,
        True,
    )
    reject = choice_parameter(
        Names.QA_REJECT,
        translate("Bandwise", "Mask: QA flags to leave out"),
        QaFlag,
        allowMultiple=True,
        defaultValue=[flag.value for flag in REJECTED_FLAGS],
        optional=True,
    )
    return (
        (
            mask,
            translate(
                "Bandwise",
                "A raster whose band says which pixels to leave out, on any grid. Sentinel-2 SCL, "
                "Landsat QA_PIXEL, HLS Fmask, MODIS state and Planet UDM2 are recognised.",
            ),
        ),
        (
            rule,
            translate(
                "Bandwise",
                "How the mask is read. Automatic (default) recognises masks of products, such as SCL and "
                "QA_PIXEL, by the name of the file or band.",
            ),
        ),
        (
            keep,
            translate(
                "Bandwise",
                "Only for masks that are Sentinel-2's SCL: classes that count as clear, separated by "
                "commas; default 4,5,6,7,11: vegetation, bare soil, water, unclassified, snow.",
            ),
        ),
        (
            reject,
            translate(
                "Bandwise",
                "Only for masks of quality flags (Landsat's QA_PIXEL, HLS's Fmask, MODIS's state, "
                "PlanetScope's UDM2): flags that make a pixel nodata; default all but snow.",
            ),
        ),
    )


def _grids() -> Declared:
    grid = choice_parameter(
        Names.GRID,
        translate("Bandwise", "Grid: CRS and pixel size"),
        GridRule,
        defaultValue=GridRule.FINEST.value,
    )
    reference = QgsProcessingParameterRasterLayer(
        Names.REFERENCE, translate("Bandwise", "Grid: reference raster"), None, True
    )
    rule = choice_parameter(
        Names.GRID_EXTENT,
        translate("Bandwise", "Grid: extent"),
        ExtentRule,
        defaultValue=ExtentRule.INTERSECTION.value,
    )
    extent = QgsProcessingParameterExtent(
        Names.EXTENT, translate("Bandwise", "Grid: extent in coordinates"), None, True
    )
    resampling = choice_parameter(
        Names.RESAMPLING,
        translate("Bandwise", "Grid: resampling"),
        Resampling,
        defaultValue=Resampling.BILINEAR.value,
    )
    return (
        (
            grid,
            translate(
                "Bandwise",
                "The raster whose CRS, pixel size and origin the result has. Inputs on that grid are "
                "used unchanged, others are resampled while "
                "they are read. Default: the input with the smallest pixels; the first of several. "
                "Band math considers only rasters that its expression "
                "uses, in the order of their letters; A if it uses none.",
            ),
        ),
        (
            reference,
            translate(
                "Bandwise",
                "The raster whose grid the result has, if the grid is that of the reference raster.",
            ),
        ),
        (
            rule,
            translate(
                "Bandwise",
                "Extent of the result if no coordinates are given. Default: the intersection of the inputs.",
            ),
        ),
        (
            extent,
            translate(
                "Bandwise",
                "The extent of the result, enlarged to whole pixels. Empty (default): as chosen above.",
            ),
        ),
        (
            resampling,
            translate(
                "Bandwise",
                "How measurements are resampled to another grid; default bilinear. Classes and masks are "
                "always taken from the nearest pixel. For "
                "larger pixels, average uses all pixels that lie in one. Cubic and Lanczos have "
                "negative weights: their results can leave "
                "the range of the input; beside nodata, they are nodata if the weights of the valid "
                "pixels almost cancel out.",
            ),
        ),
    )
