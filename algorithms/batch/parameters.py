# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters of many scenes: which, and what their results are called."""

from __future__ import annotations

from qgis.core import (
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..shared.choices import Existing, choice_parameter
from ..shared.names import ManyNames
from .period import period_parameters

translate = QCoreApplication.translate

PATTERN = "{date}_{tile}_{index}"
SUMMARY = "bandwise_summary.csv"  #: in the folder of the results

Definitions = list[QgsProcessingParameterDefinition]


def many_scenes_parameters() -> Definitions:
    """New definitions of the parameters beside those of indices, masks and shared options."""
    return [*scenes_parameters(), *result_parameters(), *destinations()]


def scenes_parameters() -> Definitions:
    """New definitions of the folder of scenes and the dates."""
    folder = QgsProcessingParameterFile(
        ManyNames.SCENES,
        translate("Bandwise", "Folder of scenes"),
        QgsProcessingParameterFile.Behavior.Folder,
    )
    folder.setHelp(
        translate(
            "Bandwise",
            "All products in it and in the folders below it: Sentinel-2, Landsat, HLS, MODIS and PlanetScope, in "
            "folders, flat or in zip and tar archives, and STAC items.",
        )
    )
    return [folder, *period_parameters()]


def result_parameters() -> Definitions:
    """New definitions of what results are called, what becomes of former ones, and loading."""
    pattern = QgsProcessingParameterString(
        ManyNames.NAME_PATTERN, translate("Bandwise", "Names of the results"), PATTERN
    )
    pattern.setHelp(
        translate(
            "Bandwise",
            "A text with fields in braces: date, tile, sensor, level, scene, index. With the field index each "
            "index has a file of its own; without it the indices are bands of one file a scene, and "
            "each input is read only once.",
        )
    )
    existing = choice_parameter(
        ManyNames.EXISTING,
        translate("Bandwise", "Output: results that are there"),
        Existing,
        defaultValue=Existing.SKIPPED.value,
    )
    existing.setHelp(
        translate(
            "Bandwise",
            "Skip (default) what a former run completed with the same inputs, indices and options; or "
            "compute all again.",
        )
    )
    load = QgsProcessingParameterBoolean(
        ManyNames.LOAD, translate("Bandwise", "Load the results as layers"), False
    )
    load.setHelp(translate("Bandwise", "Default no: many layers at once are seldom wanted."))
    existing.setFlags(existing.flags() | existing.Flag.FlagAdvanced)
    return [pattern, existing, load]


def destinations() -> Definitions:
    """New definitions of the folder of results and of the table."""
    folder = QgsProcessingParameterFolderDestination(
        ManyNames.OUTPUT_FOLDER, translate("Bandwise", "Folder of the results")
    )
    folder.setHelp(translate("Bandwise", "Made where it does not exist."))
    summary = QgsProcessingParameterFileDestination(
        ManyNames.SUMMARY,
        translate("Bandwise", "Summary at another place than with the results"),
        translate("Bandwise", "CSV files (*.csv)"),
        None,
        True,
        False,
    )
    summary.setHelp(
        translate(
            "Bandwise",
            "A table (CSV) with a row for each index of each scene: file, status, statistics, message. Empty "
            "(default): bandwise_summary.csv in the folder of the results.",
        )
    )
    return [folder, summary]
