# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters of spectral indices beside the rasters."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterString
from qgis.PyQt.QtCore import QCoreApplication

from .names import IndexNames

translate = QCoreApplication.translate

#: By its name, as QGIS loads it, and only where there is a dialog.
_EDITOR = f"{__name__.partition('.algorithms.')[0]}.gui.indices_wrapper.IndicesWrapper"


def index_parameters() -> tuple[QgsProcessingParameterString, ...]:
    """New definitions of ``INDICES``, ``CONSTANTS`` and ``BANDS``; the last two are advanced."""
    text = QgsProcessingParameterString
    indices = text(IndexNames.INDICES, translate("Bandwise", "Indices"), "NDVI", False, True)
    indices.setHelp(
        translate(
            "Bandwise",
            "Names of the indices, such as NDVI;EVI;NBR; each becomes a band of the result, in this "
            "order. In the dialog … opens the list. Default: NDVI.",
        )
    )
    indices.setMetadata({"widget_wrapper": {"class": _EDITOR}})
    constants = text(
        IndexNames.CONSTANTS, translate("Bandwise", "Input: constants"), "", False, True
    )
    constants.setHelp(
        translate(
            "Bandwise",
            "Numbers for constants of the formulas, such as L=0.5; g=2.5, or SAVI.L=0.5 for one "
            "index alone. Empty (default): those of the list.",
        )
    )
    bands = text(IndexNames.BANDS, translate("Bandwise", "Input: bands"), "", False, True)
    bands.setHelp(
        translate(
            "Bandwise",
            "Which band has which role, such as nir=A@2; red=B, where A is the first raster. Empty "
            "(default): by names of files and descriptions of bands.",
        )
    )
    for parameter in (constants, bands):
        parameter.setFlags(parameter.flags() | parameter.Flag.FlagAdvanced)
    return indices, constants, bands
