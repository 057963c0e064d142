# SPDX-License-Identifier: GPL-2.0-or-later
"""Raster parameters, each with the parameter of a band in it."""

from __future__ import annotations

from typing import NamedTuple

from qgis.core import (
    QgsProcessingParameterBand,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterRasterLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

from .names import BandNames

translate = QCoreApplication.translate


class Described(NamedTuple):
    """A parameter's name, its label in the dialog, and its help."""

    name: str
    label: str
    help: str


def _band_parameters(
    raster: Described, band: Described
) -> tuple[QgsProcessingParameterDefinition, QgsProcessingParameterDefinition]:
    """Return optional parameters that choose a raster and a band of it, by default the first."""
    layer = QgsProcessingParameterRasterLayer(raster.name, raster.label, None, True)
    layer.setHelp(raster.help)
    # QGIS 3.22's qgis_process demands a band parameter that is not optional
    number = QgsProcessingParameterBand(band.name, band.label, 1, raster.name, True)
    number.setHelp(band.help)
    return layer, number


def red_and_nir() -> tuple[QgsProcessingParameterDefinition, ...]:
    """Return the parameters of a red and a near-infrared band, in place of which a scene may be given."""
    red = (
        Described(
            BandNames.RED,
            translate("Bandwise", "Red raster"),
            translate(
                "Bandwise",
                "The raster with the red band, such as B04 of Sentinel-2 or B4 of Landsat 8 and 9.",
            ),
        ),
        Described(
            BandNames.RED_BAND,
            translate("Bandwise", "Red band"),
            translate("Bandwise", "Number of the red band in its raster; default 1."),
        ),
    )
    nir = (
        Described(
            BandNames.NIR,
            translate("Bandwise", "Near-infrared raster"),
            translate(
                "Bandwise",
                "The raster with the near-infrared band, such as B08 of Sentinel-2 or B5 of "
                "Landsat 8 and 9; it may be the red raster.",
            ),
        ),
        Described(
            BandNames.NIR_BAND,
            translate("Bandwise", "Near-infrared band"),
            translate("Bandwise", "Number of the near-infrared band in its raster; default 1."),
        ),
    )
    return *_band_parameters(*red), *_band_parameters(*nir)
