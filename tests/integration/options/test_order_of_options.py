# SPDX-License-Identifier: GPL-2.0-or-later
"""The order of the options in every dialog, and which of them are shown before *Advanced*."""

from __future__ import annotations

import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterRasterLayer,
    QgsProject,
    QgsRasterLayer,
)

MOST_SHOWN = 8
GROUPS = ("Input", "Mask", "Grid", "Radiometry", "Output", "Machine")
MOST_LETTERS = 50
ADVANCED = QgsProcessingParameterDefinition.Flag.FlagAdvanced


@pytest.fixture
def dialogs(provider):
    """Each algorithm's parameters that are no destinations, which stand below *Advanced*."""
    registry = QgsApplication.processingRegistry()
    made = [registry.createAlgorithmById(each.id()) for each in provider.algorithms()]
    yield {
        each.name(): [one for one in each.parameterDefinitions() if not one.isDestination()]
        for each in made
    }


def test_no_more_than_eight_widgets_before_advanced(dialogs):
    for name, parameters in dialogs.items():
        shown = [one.name() for one in parameters if not one.flags() & ADVANCED]
        assert 0 < len(shown) <= MOST_SHOWN, f"{name}: {shown}"


def test_advanced_options_stand_in_groups_in_the_order_of_their_use(dialogs):
    for name, parameters in dialogs.items():
        labels = [one.description() for one in parameters if one.flags() & ADVANCED]
        groups = [label.partition(": ")[0] for label in labels]
        assert set(groups) <= set(GROUPS), f"{name}: {labels}"
        shared = groups[groups.index("Mask") :]
        assert shared == sorted(shared, key=GROUPS.index), f"{name}: {labels}"
        assert set(shared) == set(GROUPS) - {"Input"}, f"{name}: {labels}"


def test_labels_are_short_and_differ(dialogs):
    for name, parameters in dialogs.items():
        labels = [one.description() for one in parameters]
        assert len(set(labels)) == len(labels), name
        for label in labels:
            assert len(label) <= MOST_LETTERS and label[0].isupper(), f"{name}: {label}"


def test_raster_boxes_start_empty_with_layers_in_the_project(dialogs, scene, context):
    """The second box of a form would else hold the first one's layer."""
    from qgis.gui import QgsGui, QgsProcessingGui

    layers = [QgsRasterLayer(path, name) for path, name in ((scene.red, "red"), (scene.nir, "nir"))]
    QgsProject.instance().addMapLayers(layers)
    kind, boxes = QgsProcessingParameterRasterLayer, []
    for name, parameters in dialogs.items():
        for parameter in (one for one in parameters if isinstance(one, kind)):
            wrapper = QgsGui.processingGuiRegistry().createParameterWidgetWrapper(
                parameter, QgsProcessingGui.WidgetType.Standard
            )
            widget = wrapper.createWrappedWidget(context)
            assert wrapper.parameterValue() is None, f"{name}: {parameter.name()}"
            boxes.append((name, parameter.name()))
            widget.deleteLater()
    assert {("ndvi", "RED"), ("ndvi", "NIR"), ("bandmath", "MASK"), ("scenes", "REFERENCE")} <= set(
        boxes
    )
