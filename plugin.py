# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin: it brings the Processing provider, and takes it away again."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

from .algorithms.language import install_translator
from .algorithms.provider import BandwiseProvider


class BandwisePlugin:
    """``iface`` is None under ``qgis_process``; everything here is for Processing, so it is not needed."""

    def __init__(self, iface: Any) -> None:
        del iface
        self.provider: BandwiseProvider | None = None
        self.translator: QTranslator | None = None

    def initProcessing(self) -> None:  # noqa: N802
        self.translator = install_translator()
        self.provider = BandwiseProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:  # noqa: N802
        self.initProcessing()

    def unload(self) -> None:
        QgsApplication.processingRegistry().removeProvider(self.provider)
        self.provider = None
        if self.translator is not None:
            QCoreApplication.removeTranslator(self.translator)
            self.translator = None
