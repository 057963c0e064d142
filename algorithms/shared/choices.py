# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameters with choices, built from the engine's enums: a label for each member, in the order of their values."""

from __future__ import annotations

import enum
from typing import Any

from qgis.core import QgsProcessingParameterEnum
from qgis.PyQt.QtCore import QCoreApplication

from ...engine.compute.composite.statistic import Statistic
from ...engine.expression.dialects import DialectChoice
from ...engine.grids.layout import ExtentRule, GridRule, Resampling
from ...engine.radiometry.masks import MaskRule, QaFlag
from ...engine.radiometry.scaling import Scaling
from ...engine.radiometry.storage import DataType

translate = QCoreApplication.translate


class Overviews(enum.Enum):
    """Whether a result has overviews."""

    NONE = 0
    BUILT = 1


class FileKind(enum.Enum):
    """What the file of a result is made for."""

    BALANCED = 0
    FAST = 1
    SMALL = 2
    CLOUD_OPTIMIZED = 3
    CUSTOM = 4


#: Creation options of the kinds that have any; options that are given replace them by name.
CREATION_OPTIONS = {FileKind.FAST: "COMPRESS=NONE", FileKind.SMALL: "COMPRESS=DEFLATE|ZLEVEL=9"}


class Existing(enum.Enum):
    """What becomes of results that are there already."""

    SKIPPED = 0
    AGAIN = 1


def labels() -> dict[enum.Enum, str]:
    """Return the label of each member of each enum, in the user's language."""
    return {
        MaskRule.AUTOMATIC: translate("Bandwise", "Automatic"),
        MaskRule.KEEP_NONZERO: translate("Bandwise", "Keep what is not zero"),
        MaskRule.KEEP_ZERO: translate("Bandwise", "Keep what is zero"),
        MaskRule.SCL: translate("Bandwise", "Sentinel-2 scene classification (SCL)"),
        MaskRule.QA_PIXEL: translate("Bandwise", "Landsat quality flags (QA_PIXEL)"),
        MaskRule.FMASK: translate("Bandwise", "HLS quality flags (Fmask)"),
        MaskRule.MODIS_STATE: translate("Bandwise", "MODIS state flags (state_1km)"),
        QaFlag.FILL: translate("Bandwise", "Fill"),
        QaFlag.DILATED_CLOUD: translate("Bandwise", "Dilated cloud"),
        QaFlag.CIRRUS: translate("Bandwise", "Cirrus"),
        QaFlag.CLOUD: translate("Bandwise", "Cloud"),
        QaFlag.CLOUD_SHADOW: translate("Bandwise", "Cloud shadow"),
        QaFlag.SNOW: translate("Bandwise", "Snow"),
        GridRule.FINEST: translate("Bandwise", "Finest input"),
        GridRule.FIRST: translate("Bandwise", "First input"),
        GridRule.COARSEST: translate("Bandwise", "Coarsest input"),
        GridRule.REFERENCE: translate("Bandwise", "Reference raster"),
        ExtentRule.INTERSECTION: translate("Bandwise", "Intersection of the inputs"),
        ExtentRule.UNION: translate("Bandwise", "Union of the inputs"),
        ExtentRule.GRID: translate("Bandwise", "That of the grid's raster"),
        Resampling.NEAREST: translate("Bandwise", "Nearest neighbour"),
        Resampling.BILINEAR: translate("Bandwise", "Bilinear"),
        Resampling.CUBIC: translate("Bandwise", "Cubic"),
        Resampling.AVERAGE: translate("Bandwise", "Average"),
        Resampling.CUBIC_SPLINE: translate("Bandwise", "Cubic spline"),
        Resampling.LANCZOS: translate("Bandwise", "Lanczos"),
        Statistic.MEDIAN: translate("Bandwise", "Median"),
        Statistic.MEAN: translate("Bandwise", "Mean"),
        Statistic.MINIMUM: translate("Bandwise", "Minimum"),
        Statistic.MAXIMUM: translate("Bandwise", "Maximum"),
        Statistic.PERCENTILE: translate("Bandwise", "Percentile"),
        Statistic.COUNT: translate("Bandwise", "Number of valid scenes"),
        Statistic.DATE_OF_MAXIMUM: translate("Bandwise", "Date of the maximum"),
        Scaling.AUTOMATIC: translate("Bandwise", "Automatic"),
        Scaling.STORED: translate("Bandwise", "Stored values as they are"),
        Scaling.CUSTOM: translate("Bandwise", "Custom"),
        DataType.FLOAT32: "Float32",
        DataType.FLOAT64: "Float64",
        DataType.INT16_SCALED: translate("Bandwise", "Int16 holding value x 10000"),
        DataType.UINT8_SCALED: translate("Bandwise", "UInt8 holding (value + 1) x 100"),
        DataType.UINT8: "UInt8",
        DataType.INT16: "Int16",
        DataType.UINT16: "UInt16",
        DataType.INT32: "Int32",
        FileKind.BALANCED: translate("Bandwise", "Balanced"),
        FileKind.FAST: translate("Bandwise", "Fast: not compressed"),
        FileKind.SMALL: translate("Bandwise", "Small: compressed more, slower"),
        FileKind.CLOUD_OPTIMIZED: translate("Bandwise", "Cloud Optimized GeoTIFF"),
        FileKind.CUSTOM: translate("Bandwise", "Custom: as the options below say"),
        Overviews.NONE: translate("Bandwise", "None"),
        Overviews.BUILT: translate("Bandwise", "Built"),
        Existing.SKIPPED: translate("Bandwise", "Skip those of the same job"),
        Existing.AGAIN: translate("Bandwise", "Compute again"),
        DialectChoice.AUTOMATIC: translate("Bandwise", "Automatic"),
        DialectChoice.BANDWISE: "Bandwise",
        DialectChoice.QGIS: "QGIS",
        DialectChoice.GDAL_CALC: "gdal_calc",
        DialectChoice.OTB: "OTB",
    }


def choice_parameter(
    name: str, description: str, kind: type[enum.Enum], **more: Any
) -> QgsProcessingParameterEnum:
    """Return a parameter whose options are the members of an enum; a member's value is its number."""
    label_of = labels()
    members = sorted(kind, key=lambda member: member.value)
    options = [label_of[member] for member in members]
    return QgsProcessingParameterEnum(name, description, options=options, **more)
