# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin's icons, help pages and styles, and putting a style on a layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsRasterLayer,
)
from qgis.PyQt import sip

_RESOURCES = Path(__file__).parents[1] / "resources"


def icon_path(name: str) -> str:
    """Path of an SVG icon."""
    return str(_RESOURCES / "icons" / f"{name}.svg")


def help_path(name: str) -> str:
    """Path of an algorithm's help page."""
    return str(_RESOURCES / "help" / f"{name}.html")


class LayerStyler(QgsProcessingLayerPostProcessorInterface):
    """Names a layer and loads its style once Processing has loaded it; what is empty stays as it is."""

    def __init__(self, name: str, style: str) -> None:
        super().__init__()
        self.name, self.style = name, style

    def postProcessLayer(
        self, layer: Any, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        if not isinstance(layer, QgsRasterLayer):
            return
        # QGIS takes a layer of the project that shows this file, which may still show what the file
        # held before
        layer.reload()
        if self.name:
            layer.setName(self.name)
        if self.style:
            layer.loadNamedStyle(str(_RESOURCES / "styles" / self.style))
        layer.triggerRepaint()


def style_when_loaded(details: QgsProcessingContext.LayerDetails, name: str, style: str) -> None:
    """Have the layer of ``details`` called ``name`` and shown with ``style`` of ``resources/styles`` when it is loaded.

    The processing context owns a post-processor and deletes it, so each run has one of its own. Its
    Python half has to live until then, though ``details`` and, in a model, the algorithm are gone
    long before: as its own owner it keeps itself, and sip lets go of it when C++ deletes it. (With
    None as the owner nothing keeps it, and QGIS calls a method that is not there.)
    """
    styler = LayerStyler(name, style)
    details.setPostProcessor(styler)
    sip.transferto(styler, styler)
