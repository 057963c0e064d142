# SPDX-License-Identifier: GPL-2.0-or-later
"""How a layer is shown that has no style of its own: by its statistics, in a perceptual ramp.

The ramp is viridis (Smith and van der Walt, 2015, CC0): as bright as the value is large, also for
people who cannot tell red from green, and in print without colours.
"""

from __future__ import annotations

from typing import NamedTuple

from qgis.core import (
    QgsColorRampShader,
    QgsContrastEnhancement,
    QgsGradientColorRamp,
    QgsGradientStop,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsRasterShader,
    QgsSingleBandGrayRenderer,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtGui import QColor

VIRIDIS = (
    *("#440154", "#472d7b", "#3b528b", "#2c728e", "#21908c"),
    *("#27ad81", "#5dc863", "#aadc32", "#fde725"),
)
MOST_CLASSES = 8  #: that are told apart by their colours


class Look(NamedTuple):
    """The values of the ramp's ends; with ``classes`` each whole number between has a colour of its own."""

    low: float
    high: float
    classes: bool = False


def show(layer: QgsRasterLayer, look: Look) -> None:
    """Show the first band; QGIS would take three bands for red, green and blue."""
    if look.low == look.high:
        _show_in_grey(layer, look.low)
    elif look.classes:
        _show_classes(layer, range(round(look.low), round(look.high) + 1))
    else:
        _show_ramp(layer, look.low, look.high)


def viridis() -> QgsGradientColorRamp:
    """Return the ramp; QGIS's own of that name could have been changed in the user's profile."""
    first, *between, last = (QColor(name) for name in VIRIDIS)
    stops = [
        QgsGradientStop(number / (len(between) + 1), color)
        for number, color in enumerate(between, start=1)
    ]
    return QgsGradientColorRamp(first, last, False, stops)


def _show_ramp(layer: QgsRasterLayer, low: float, high: float) -> None:
    function = QgsColorRampShader(low, high, viridis())
    function.setClassificationMode(QgsColorRampShader.ClassificationMode.Continuous)
    function.classifyColorRamp()
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(function)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, shader)
    renderer.setClassificationMin(low)
    renderer.setClassificationMax(high)
    layer.setRenderer(renderer)


def _show_classes(layer: QgsRasterLayer, values: range) -> None:
    ramp = viridis()
    classes = [
        QgsPalettedRasterRenderer.Class(value, ramp.color(number / (len(values) - 1)), str(value))
        for number, value in enumerate(values)
    ]
    layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, classes))


def _show_in_grey(layer: QgsRasterLayer, value: float) -> None:
    enhancement = QgsContrastEnhancement(layer.dataProvider().dataType(1))
    enhancement.setMinimumValue(value)
    enhancement.setMaximumValue(value)
    enhancement.setContrastEnhancementAlgorithm(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum
    )
    renderer = QgsSingleBandGrayRenderer(layer.dataProvider(), 1)
    renderer.setContrastEnhancement(enhancement)
    layer.setRenderer(renderer)
