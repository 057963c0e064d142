# SPDX-License-Identifier: GPL-2.0-or-later
"""The names of the parameters that several algorithms share, or that sentences of the engine are about."""

from __future__ import annotations


class Names:
    """Names of the shared parameters; models, scripts and batch files depend on them."""

    MASK = "MASK"
    MASK_RULE = "MASK_RULE"
    SCL_KEEP = "SCL_KEEP"
    QA_REJECT = "QA_REJECT"
    AOI = "AOI"
    EXTENT = "EXTENT"
    GRID = "GRID"
    REFERENCE = "REFERENCE"
    GRID_EXTENT = "GRID_EXTENT"
    RESAMPLING = "RESAMPLING"
    RADIOMETRY = "RADIOMETRY"
    SCALE = "SCALE"
    OFFSET = "OFFSET"
    SOURCE_NODATA = "SOURCE_NODATA"
    DATA_TYPE = "DATA_TYPE"
    CLAMP_MIN = "CLAMP_MIN"
    CLAMP_MAX = "CLAMP_MAX"
    FILE_KIND = "FILE_KIND"
    OVERVIEWS = "OVERVIEWS"
    COG = "COG"
    CREATION_OPTIONS = "CREATION_OPTIONS"
    WORKERS = "WORKERS"
    MEMORY = "MEMORY"
    DRY_RUN = "DRY_RUN"
    JOB_FILE = "JOB_FILE"
    REPORT_FILE = "REPORT_FILE"


class IndexNames:
    """Names of the parameters of spectral indices."""

    INDICES = "INDICES"
    CONSTANTS = "CONSTANTS"
    BANDS = "BANDS"


class ManyNames:
    """Names of the parameters, and outputs, of many scenes."""

    SCENES = "SCENES"
    START = "START"
    END = "END"
    NAME_PATTERN = "NAME_PATTERN"
    EXISTING = "EXISTING"
    LOAD = "LOAD"
    OUTPUT_FOLDER = "OUTPUT_FOLDER"
    SUMMARY = "SUMMARY"
    DONE = "DONE"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


class BandNames:
    """Names of the parameters of a red and a near-infrared band."""

    RED = "RED"
    RED_BAND = "RED_BAND"
    NIR = "NIR"
    NIR_BAND = "NIR_BAND"


class SceneNames:
    """Names of the parameters of a scene."""

    SCENE = "SCENE"
    MASK_CLOUDS = "MASK_CLOUDS"


class CompositeNames:
    """Names of the parameters of a composite beside those of a scene and an index."""

    SCENES = "SCENES"
    SCENES_FOLDER = "SCENES_FOLDER"
    INDEX = "INDEX"
    STATISTICS = "STATISTICS"
    PERCENTILE = "PERCENTILE"


#: The editor of expressions by its name, as QGIS loads it, and only where there is a dialog.
EXPRESSION_EDITOR = (
    f"{__name__.partition('.algorithms.')[0]}.gui.expression.wrapper.ExpressionWrapper"
)
