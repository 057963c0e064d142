# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin's icons, help pages and styles, and putting a style on a layer."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingLayerPostProcessorInterface, QgsRasterLayer

_RESOURCES = Path(__file__).parents[1] / "resources"


def icon_path(name: str) -> str:
    """Path of an SVG icon."""
    return str(_RESOURCES / "icons" / f"{name}.svg")


def help_path(name: str) -> str:
    """Path of an algorithm's help page."""
    return str(_RESOURCES / "help" / f"{name}.html")


class _Dresser(QgsProcessingLayerPostProcessorInterface):
    """Names and styles a layer once it is loaded."""

    def __init__(self, name: str, style: str) -> None:
        super().__init__()
        self.name, self.style = name, style

    def postProcessLayer(self, layer: Any, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        if not isinstance(layer, QgsRasterLayer):
            return
        if self.name:
            layer.setName(self.name)
        if self.style:
            layer.loadNamedStyle(str(_RESOURCES / "styles" / self.style))
            layer.triggerRepaint()


@cache
def dresser(name: str, style: str) -> QgsProcessingLayerPostProcessorInterface:
    """A post-processor that names a layer and loads ``style`` of ``resources/styles``; what is empty is left as it is.

    Processing keeps a bare pointer to it, and a model deletes its child algorithms before it loads layers: so
    post-processors live as long as the plugin does.
    """
    return _Dresser(name, style)
