# SPDX-License-Identifier: GPL-2.0-or-later
"""The Processing provider ``bandwise``."""

from __future__ import annotations

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .bandmath import BandMath
from .batch.composite import Composite
from .batch.scenes import ManyScenes
from .ndvi import Ndvi
from .resources import icon_path
from .spectralindices import SpectralIndices

ALGORITHMS = (Ndvi, BandMath, SpectralIndices, ManyScenes, Composite)


class BandwiseProvider(QgsProcessingProvider):
    """All algorithms of the plugin."""

    def id(self) -> str:
        return "bandwise"

    def name(self) -> str:
        return "Bandwise"

    def icon(self) -> QIcon:
        return QIcon(icon_path("bandwise"))

    def svgIconPath(self) -> str:
        return icon_path("bandwise")

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        return ["tif", "tiff"]

    def defaultRasterFileExtension(self) -> str:
        return "tif"

    def supportsNonFileBasedOutput(self) -> bool:
        return False

    def loadAlgorithms(self) -> None:
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())
