# SPDX-License-Identifier: GPL-2.0-or-later
"""A raster parameter and the parameter of a band in it."""

from __future__ import annotations

from typing import NamedTuple

from qgis.core import (
    QgsProcessingParameterBand,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterRasterLayer,
)


class Described(NamedTuple):
    """A parameter's name, its label in the dialog, and its help."""

    name: str
    label: str
    help: str


def band_parameters(
    raster: Described, band: Described
) -> tuple[QgsProcessingParameterDefinition, QgsProcessingParameterDefinition]:
    """Return parameters that choose a raster and a band of it, by default the first."""
    layer = QgsProcessingParameterRasterLayer(raster.name, raster.label)
    layer.setHelp(raster.help)
    # QGIS 3.22's qgis_process demands a band parameter that is not optional
    number = QgsProcessingParameterBand(band.name, band.label, 1, raster.name, True)
    number.setHelp(band.help)
    return layer, number
