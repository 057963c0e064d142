# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin: it brings the Processing provider, and takes it away again."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

from .algorithms.language import install_translator
from .algorithms.provider import BandwiseProvider


class BandwisePlugin:
    """``iface`` is the window of QGIS; None under ``qgis_process``, where there is no menu."""

    def __init__(self, iface: Any) -> None:
        self.iface = iface
        self.menu: Any = None
        self.provider: BandwiseProvider | None = None
        self.translator: QTranslator | None = None

    def initProcessing(self) -> None:  # noqa: N802
        self.translator = install_translator()
        self.provider = BandwiseProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:  # noqa: N802
        self.initProcessing()
        if self.iface is not None:
            from .gui.menu import Menu

            self.menu = Menu(self.iface)

    def unload(self) -> None:
        if self.menu is not None:
            self.menu.remove()
            self.menu = None
        QgsApplication.processingRegistry().removeProvider(self.provider)
        self.provider = None
        if self.translator is not None:
            QCoreApplication.removeTranslator(self.translator)
            self.translator = None
