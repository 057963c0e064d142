# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin's icons, help pages and styles, and how a layer gets its style."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsRasterLayer,
)
from qgis.PyQt import sip

from .styling.about import describe
from .styling.looks import Look, show

_RESOURCES = Path(__file__).parents[1] / "resources"


def icon_path(name: str) -> str:
    """Return the path of an SVG icon."""
    return str(_RESOURCES / "icons" / f"{name}.svg")


def help_path(name: str) -> str:
    """Return the path of an algorithm's help page."""
    return str(_RESOURCES / "help" / f"{name}.html")


def style_path(name: str) -> str:
    """Return the path of a style by the name of its file."""
    return str(_RESOURCES / "styles" / name)


def own_indices_path() -> str:
    """Path of the user's own indices, which need not exist."""
    return str(Path(QgsApplication.qgisSettingsDirPath()) / "bandwise" / "indices.json")


class LayerStyler(QgsProcessingLayerPostProcessorInterface):
    """Names a layer and loads its style once Processing has loaded it; what is empty stays as it is.

    Without a style a ``look`` shows the first band. Its metadata are ``about`` it.
    """

    def __init__(self, name: str, style: str, look: Look | None = None, about: str = "") -> None:
        super().__init__()
        self.name, self.style, self.look, self.about = name, style, look, about

    def postProcessLayer(
        self, layer: Any, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        if not isinstance(layer, QgsRasterLayer):
            return
        # it may be a layer of the project that still shows the former pixels of this file
        layer.reload()
        if self.name:
            layer.setName(self.name)
        if self.style:
            layer.loadNamedStyle(style_path(self.style))
        elif self.look:
            show(layer, self.look)
        if self.about:
            describe(layer, self.about)
        layer.triggerRepaint()


def style_when_loaded(
    details: QgsProcessingContext.LayerDetails,
    name: str,
    style: str,
    look: Look | None = None,
    about: str = "",
) -> None:
    """Have the layer of ``details`` called ``name`` and shown with ``style`` of ``resources/styles``,
    or else the ``look``, when it is loaded.

    The processing context owns the post-processor and deletes it, so each run has its own. Its Python
    object has to exist until then, although ``details`` and, in a model, the algorithm are deleted
    long before. So it is its own owner, which sip releases when C++ deletes it. (With None as the
    owner Python deletes it, and QGIS calls a method that does not exist.)
    """
    styler = LayerStyler(name, style, look, about)
    details.setPostProcessor(styler)
    sip.transferto(styler, styler)
