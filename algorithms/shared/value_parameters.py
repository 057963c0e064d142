# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared parameters of values, files and resources."""

from __future__ import annotations

from qgis.core import (
    Qgis,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine.radiometry.scaling import Scaling
from ...engine.radiometry.storage import DataType
from .choices import FileKind, Overviews, choice_parameter
from .names import Names

translate = QCoreApplication.translate

#: Parameters, each with its help.
Declared = tuple[tuple[QgsProcessingParameterDefinition, str], ...]

_CREATION_OPTIONS_EDITOR = (
    {"widget_type": "rasteroptions"}
    if Qgis.QGIS_VERSION_INT >= 34000  # since then the editor is elsewhere, without that class
    else {"class": "processing.algs.gdal.ui.RasterOptionsWidget.RasterOptionsWidgetWrapper"}
)


def value_parameters(scaling: Scaling) -> Declared:
    """Return the parameters of scale, offset, nodata and the data type of the result."""
    number = QgsProcessingParameterNumber
    radiometry = choice_parameter(
        Names.RADIOMETRY,
        translate("Bandwise", "Radiometry: scale and offset"),
        Scaling,
        defaultValue=scaling.value,
    )
    scale = number(
        Names.SCALE, translate("Bandwise", "Radiometry: custom scale"), number.Type.Double, 1.0
    )
    offset = number(
        Names.OFFSET, translate("Bandwise", "Radiometry: custom offset"), number.Type.Double, 0.0
    )
    nodata = number(
        Names.SOURCE_NODATA,
        translate("Bandwise", "Radiometry: nodata value of the inputs"),
        number.Type.Double,
        None,
        True,
    )
    data_type = choice_parameter(
        Names.DATA_TYPE,
        translate("Bandwise", "Output: data type"),
        DataType,
        defaultValue=DataType.FLOAT32.value,
    )
    lowest = number(
        Names.CLAMP_MIN,
        translate("Bandwise", "Output: clamp to at least"),
        number.Type.Double,
        None,
        True,
    )
    highest = number(
        Names.CLAMP_MAX,
        translate("Bandwise", "Output: clamp to at most"),
        number.Type.Double,
        None,
        True,
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
                "values. The log says which were used.",
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
                "the range of the type without its nodata; "
                "those that hold a multiple have scale and offset tags, by which QGIS shows the unscaled values.",
            ),
        ),
        (
            lowest,
            translate(
                "Bandwise",
                "Smaller values are replaced by this one, in units of the result, and counted. "
                "Empty (default): no limit.",
            ),
        ),
        (
            highest,
            translate(
                "Bandwise",
                "Larger values are replaced by this one, in units of the result, and counted. "
                "Empty (default): no limit.",
            ),
        ),
    )


def file_parameters() -> Declared:
    """Return the parameters of the file of the result, and the dry run."""
    kind = choice_parameter(
        Names.FILE_KIND,
        translate("Bandwise", "Output: file"),
        FileKind,
        defaultValue=FileKind.BALANCED.value,
    )
    overviews = choice_parameter(
        Names.OVERVIEWS,
        translate("Bandwise", "Output: overviews"),
        Overviews,
        defaultValue=None,
        optional=True,
    )
    cog = QgsProcessingParameterBoolean(
        Names.COG, translate("Bandwise", "Output: Cloud Optimized GeoTIFF"), False
    )
    options = QgsProcessingParameterString(
        Names.CREATION_OPTIONS, translate("Bandwise", "Output: creation options"), "", False, True
    )
    options.setMetadata({"widget_wrapper": _CREATION_OPTIONS_EDITOR})
    dry_run = QgsProcessingParameterBoolean(
        Names.DRY_RUN, translate("Bandwise", "Output: none, only report what would be done"), False
    )
    return (
        (
            kind,
            translate(
                "Bandwise",
                "Balanced (default): compressed fast, without loss. Fast: not compressed, for results "
                "that are soon used and deleted. Small: compressed as far as DEFLATE goes, a few percent "
                "smaller than balanced, and slower. Cloud Optimized: laid out for reading over the web, with "
                "overviews. Custom: as overviews, layout and creation options below say. Beside the "
                "other kinds these three, where given, take precedence.",
            ),
        ),
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
        (
            dry_run,
            translate(
                "Bandwise",
                "Check everything and report grid, size, memory and how inputs are read, in the log "
                "and the output REPORT, but compute and write no result; default no.",
            ),
        ),
    )


def resource_parameters() -> Declared:
    """Return the parameters of workers and memory."""
    number = QgsProcessingParameterNumber
    workers = number(
        Names.WORKERS,
        translate("Bandwise", "Machine: workers (0: all cores)"),
        number.Type.Integer,
        0,
        False,
        0,
        1024,
    )
    memory = number(
        Names.MEMORY,
        translate("Bandwise", "Machine: memory (MB)"),
        number.Type.Integer,
        512,
        False,
        1,
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
    )


def report_parameter() -> QgsProcessingParameterFileDestination:
    """Return a new definition of ``REPORT_FILE``."""
    report = QgsProcessingParameterFileDestination(
        Names.REPORT_FILE,
        translate("Bandwise", "Report of the run"),
        translate("Bandwise", "JSON files (*.json)"),
        None,
        True,
        False,
    )
    report.setHelp(
        translate(
            "Bandwise",
            "Grid, windows, memory, how each input was read, and the statistics of each result band, "
            "as JSON. Empty (default): none is written.",
        )
    )
    return report


def job_parameter() -> QgsProcessingParameterFileDestination:
    """Return a new definition of ``JOB_FILE``."""
    job = QgsProcessingParameterFileDestination(
        Names.JOB_FILE,
        translate("Bandwise", "Job for other machines, in place of the result"),
        translate("Bandwise", "Jobs of Bandwise (*.json)"),
        None,
        True,
        False,
    )
    job.setHelp(
        translate(
            "Bandwise",
            "Write all choices to this file and compute nothing: other machines, or many "
            "together, make the result of it. Empty (default): the result is computed here.",
        )
    )
    return job
