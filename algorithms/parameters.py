# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters that all algorithms share, declared once."""

from __future__ import annotations

from qgis.core import (
    Qgis,
    QgsProcessing,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..engine.grids.layout import ExtentRule, GridRule, Resampling
from ..engine.radiometry.masks import CLEAR_CLASSES, REJECTED_FLAGS, MaskRule
from ..engine.radiometry.scaling import Scaling
from ..engine.radiometry.storage import DataType
from .names import Names

translate = QCoreApplication.translate

_CREATION_OPTIONS_EDITOR = (
    {"widget_type": "rasteroptions"}
    if Qgis.QGIS_VERSION_INT >= 34000  # where the editor moved, and its former class went
    else {"class": "processing.algs.gdal.ui.RasterOptionsWidget.RasterOptionsWidgetWrapper"}
)


def shared_parameters(scaling: Scaling) -> list[QgsProcessingParameterDefinition]:
    """New definitions, the same for every algorithm but for ``scaling``, the default of
    ``RADIOMETRY``; all but the first three are advanced.
    """
    parameters = []
    for parameter, help_text in _layers():
        parameter.setHelp(help_text)
        parameters.append(parameter)
    for parameter, help_text in (*_masks(), *_grids(), *_values(scaling), *_files(), *_resources()):
        parameter.setHelp(help_text)
        parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        parameters.append(parameter)
    return parameters


_Declared = tuple[tuple[QgsProcessingParameterDefinition, str], ...]


def _layers() -> _Declared:
    mask = QgsProcessingParameterRasterLayer(Names.MASK, translate("Bandwise", "Mask"), None, True)
    area = QgsProcessingParameterFeatureSource(
        Names.AOI,
        translate("Bandwise", "Area of interest"),
        [QgsProcessing.SourceType.TypeVectorPolygon],
        None,
        True,
    )
    extent = QgsProcessingParameterExtent(Names.EXTENT, translate("Bandwise", "Extent"), None, True)
    return (
        (
            mask,
            translate(
                "Bandwise",
                "A raster whose band says which pixels to leave out, on any grid. A Sentinel-2 SCL "
                "or Landsat QA_PIXEL is recognised.",
            ),
        ),
        (
            area,
            translate(
                "Bandwise",
                "Polygons, in any CRS; pixels whose centre lies in none are nodata. Empty (default): all pixels.",
            ),
        ),
        (
            extent,
            translate(
                "Bandwise",
                "The extent of the result, made larger to whole pixels. Empty (default): what the grid options say.",
            ),
        ),
    )


def _masks() -> _Declared:
    rule = QgsProcessingParameterEnum(
        Names.MASK_RULE,
        translate("Bandwise", "Mask values"),
        options=[
            translate("Bandwise", "Automatic"),
            translate("Bandwise", "Keep what is not zero"),
            translate("Bandwise", "Keep what is zero"),
            translate("Bandwise", "Sentinel-2 scene classification (SCL)"),
            translate("Bandwise", "Landsat quality flags (QA_PIXEL)"),
        ],
        defaultValue=MaskRule.AUTOMATIC.value,
    )
    keep = QgsProcessingParameterString(
        Names.SCL_KEEP,
        translate("Bandwise", "SCL classes to keep"),
        ",".join(map(str, CLEAR_CLASSES)),
        False,
        True,
    )
    reject = QgsProcessingParameterEnum(
        Names.QA_REJECT,
        translate("Bandwise", "QA_PIXEL flags to leave out"),
        options=[
            *(
                translate("Bandwise", "Fill"),
                translate("Bandwise", "Dilated cloud"),
                translate("Bandwise", "Cirrus"),
            ),
            *(
                translate("Bandwise", "Cloud"),
                translate("Bandwise", "Cloud shadow"),
                translate("Bandwise", "Snow"),
            ),
        ],
        allowMultiple=True,
        defaultValue=[flag.value for flag in REJECTED_FLAGS],
        optional=True,
    )
    return (
        (
            rule,
            translate(
                "Bandwise",
                "How the mask is read. Automatic (default) tells SCL and QA_PIXEL by the name of the file or band.",
            ),
        ),
        (
            keep,
            translate(
                "Bandwise",
                "Classes that count as clear, parted by commas; default 4,5,6,7,11: vegetation, "
                "bare soil, water, unclassified, snow.",
            ),
        ),
        (reject, translate("Bandwise", "Flags that make a pixel nodata; default all but snow.")),
    )


def _grids() -> _Declared:
    grid = QgsProcessingParameterEnum(
        Names.GRID,
        translate("Bandwise", "Grid of the result"),
        options=[
            translate("Bandwise", "Finest input"),
            translate("Bandwise", "First input"),
            translate("Bandwise", "Coarsest input"),
            translate("Bandwise", "Reference raster"),
        ],
        defaultValue=GridRule.FINEST.value,
    )
    reference = QgsProcessingParameterRasterLayer(
        Names.REFERENCE, translate("Bandwise", "Reference raster"), None, True
    )
    extent = QgsProcessingParameterEnum(
        Names.GRID_EXTENT,
        translate("Bandwise", "Extent of the result"),
        options=[
            translate("Bandwise", "Intersection of the inputs"),
            translate("Bandwise", "Union of the inputs"),
            translate("Bandwise", "That of the grid's raster"),
        ],
        defaultValue=ExtentRule.INTERSECTION.value,
    )
    resampling = QgsProcessingParameterEnum(
        Names.RESAMPLING,
        translate("Bandwise", "Resampling"),
        options=[
            *(translate("Bandwise", "Nearest neighbour"), translate("Bandwise", "Bilinear")),
            *(translate("Bandwise", "Cubic"), translate("Bandwise", "Average")),
            translate("Bandwise", "Cubic spline"),
            translate("Bandwise", "Lanczos"),
        ],
        defaultValue=Resampling.BILINEAR.value,
    )
    return (
        (
            grid,
            translate(
                "Bandwise",
                "Whose CRS, pixel size and origin the result has. Inputs on that grid are used as "
                "they are, others are resampled while "
                "they are read. Default: the input with the smallest pixels; the first of several. "
                "Band math counts the rasters that its expression "
                "uses, in the order of their letters, or A where it uses none.",
            ),
        ),
        (
            reference,
            translate(
                "Bandwise",
                "The raster whose grid is taken where the grid of the result is that of a reference raster.",
            ),
        ),
        (
            extent,
            translate(
                "Bandwise",
                "How far the result reaches, where no extent is given. Default: where all inputs are.",
            ),
        ),
        (
            resampling,
            translate(
                "Bandwise",
                "How measurements come onto another grid; default bilinear. Classes and masks are "
                "always taken from the nearest pixel. Onto "
                "larger pixels, average takes all pixels that lie in one. Cubic and Lanczos have "
                "negative weights: their results can leave "
                "the range of the input, and are nodata where the weights of the valid pixels "
                "beside nodata almost cancel out.",
            ),
        ),
    )


def _values(scaling: Scaling) -> _Declared:
    number = QgsProcessingParameterNumber
    radiometry = QgsProcessingParameterEnum(
        Names.RADIOMETRY,
        translate("Bandwise", "Scale and offset"),
        options=[
            translate("Bandwise", "Automatic"),
            translate("Bandwise", "Stored values as they are"),
            translate("Bandwise", "Custom"),
        ],
        defaultValue=scaling.value,
    )
    scale = number(Names.SCALE, translate("Bandwise", "Custom scale"), number.Type.Double, 1.0)
    offset = number(Names.OFFSET, translate("Bandwise", "Custom offset"), number.Type.Double, 0.0)
    nodata = number(
        Names.SOURCE_NODATA,
        translate("Bandwise", "Nodata value of the inputs"),
        number.Type.Double,
        None,
        True,
    )
    data_type = QgsProcessingParameterEnum(
        Names.DATA_TYPE,
        translate("Bandwise", "Data type of the result"),
        options=[
            "Float32",
            "Float64",
            translate("Bandwise", "Int16 holding value x 10000"),
            translate("Bandwise", "UInt8 holding (value + 1) x 100"),
            "UInt8",
            "Int16",
            "UInt16",
            "Int32",
        ],
        defaultValue=DataType.FLOAT32.value,
    )
    lowest = number(
        Names.CLAMP_MIN, translate("Bandwise", "Clamp to at least"), number.Type.Double, None, True
    )
    highest = number(
        Names.CLAMP_MAX, translate("Bandwise", "Clamp to at most"), number.Type.Double, None, True
    )
    for decimal in (scale, offset, nodata, lowest, highest):
        # the dialog's six would turn 0.0000275 into 0.000028
        decimal.setMetadata({"widget_wrapper": {"decimals": 12}})
    return (
        (
            radiometry,
            translate(
                "Bandwise",
                "How stored values become reflectance. Automatic: scale and offset tags of the "
                "band, else the Sentinel-2 or Landsat "
                "Collection 2 metadata of the product that the file belongs to, else the stored "
                "values. The log says what was found.",
            ),
        ),
        (
            scale,
            translate(
                "Bandwise",
                "Reflectance = stored value x scale + offset. Used when scale and offset are Custom; default 1.",
            ),
        ),
        (
            offset,
            translate(
                "Bandwise",
                "In units of reflectance, such as -0.1 for Sentinel-2 since baseline 04.00. Used "
                "when Custom; default 0.",
            ),
        ),
        (
            nodata,
            translate(
                "Bandwise",
                "The stored value that means nodata, for all inputs. Empty (default): what the "
                "file or its product declares.",
            ),
        ),
        (
            data_type,
            translate(
                "Bandwise",
                "Default Float32, nodata -9999. Integers are rounded half to even and clamped to "
                "what the type holds beside its nodata; "
                "those that hold a multiple have scale and offset tags, by which QGIS shows the values themselves.",
            ),
        ),
        (
            lowest,
            translate(
                "Bandwise",
                "Smaller values become this one, in units of the result, and are counted. Empty (default): none do.",
            ),
        ),
        (
            highest,
            translate(
                "Bandwise",
                "Larger values become this one, in units of the result, and are counted. Empty (default): none do.",
            ),
        ),
    )


def _files() -> _Declared:
    overviews = QgsProcessingParameterEnum(
        Names.OVERVIEWS,
        translate("Bandwise", "Overviews"),
        options=[translate("Bandwise", "None"), translate("Bandwise", "Built")],
        defaultValue=None,
        optional=True,
    )
    cog = QgsProcessingParameterBoolean(
        Names.COG, translate("Bandwise", "Cloud Optimized GeoTIFF"), False
    )
    options = QgsProcessingParameterString(
        Names.CREATION_OPTIONS, translate("Bandwise", "Creation options"), "", False, True
    )
    options.setMetadata({"widget_wrapper": _CREATION_OPTIONS_EDITOR})
    return (
        (
            overviews,
            translate(
                "Bandwise",
                "Smaller copies inside the result, by which it is drawn fast. Not set (default): "
                "built when a side is longer than 4096 pixels.",
            ),
        ),
        (
            cog,
            translate(
                "Bandwise",
                "Lay the result out as a Cloud Optimized GeoTIFF, with overviews; default no.",
            ),
        ),
        (
            options,
            translate(
                "Bandwise",
                "Creation options of GDAL's GTiff driver as NAME=VALUE|NAME=VALUE. Empty "
                "(default): tiles of 512 x 512, DEFLATE with "
                "predictor, BIGTIFF when needed.",
            ),
        ),
    )


def _resources() -> _Declared:
    number = QgsProcessingParameterNumber
    workers = number(
        Names.WORKERS,
        translate("Bandwise", "Workers (0: all cores)"),
        number.Type.Integer,
        0,
        False,
        0,
        1024,
    )
    memory = number(
        Names.MEMORY, translate("Bandwise", "Memory (MB)"), number.Type.Integer, 512, False, 1
    )
    dry_run = QgsProcessingParameterBoolean(
        Names.DRY_RUN, translate("Bandwise", "Only report what would be done"), False
    )
    return (
        (
            workers,
            translate(
                "Bandwise",
                "Threads that read and compute. 0 (default): as many as the machine has cores.",
            ),
        ),
        (
            memory,
            translate(
                "Bandwise",
                "Upper bound, in MB, for buffers and GDAL's cache; default 512. The pixels do not depend on it.",
            ),
        ),
        (
            dry_run,
            translate(
                "Bandwise",
                "Check everything and report grid, size, memory and how inputs are read, but "
                "compute and write nothing; default no.",
            ),
        ),
    )
