# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person does in QGIS's window, for test_window.py: run by ``qgis --code`` with the folder
in ``SESSION_FOLDER``.

Every step presses the real buttons; what it led to is written to ``facts.json`` in that folder, for the test to judge.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import shutil
import time
import traceback
from pathlib import Path

import processing
from other_systems import refusing
from processing.gui.AlgorithmDialog import AlgorithmDialog
from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog
from processing.modeler.ModelerUtils import ModelerUtils
from processing.tools import dataobjects
from qgis.core import (
    Qgis,
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
)
from qgis.PyQt.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qgis.PyQt.QtGui import QDragEnterEvent, QDropEvent
from qgis.PyQt.QtWidgets import QApplication, QTextEdit
from qgis.utils import iface

faulthandler.enable()  # a crash says where Python was

FOLDER = Path(os.environ["SESSION_FOLDER"])
PATIENCE = 15  #: seconds that one step may take
INPUTS = {"RED": str(FOLDER / "red.tif"), "NIR": str(FOLDER / "nir.tif")}
LARGE = {"RED": str(FOLDER / "large_red.tif"), "NIR": str(FOLDER / "large_nir.tif")}

facts: dict = {"steps": {}, "messages": [], "failure": ""}
registry = QgsApplication.processingRegistry()
project = QgsProject.instance()


def session():
    """Each yield is a condition to wait for."""
    yield lambda: registry.algorithmById("bandwise:ndvi")
    yield from dialogs()
    yield from changed_parameters()
    yield from batch()
    yield from model()
    for number in range(3):
        with Step(f"runAndLoadResults {number}"):
            processing.runAndLoadResults(
                "bandwise:ndvi", {**INPUTS, "OUTPUT": output(f"console_{number}")}
            )
    yield from replaced()
    yield from kept()
    yield from at_once()
    yield from cancelled()
    yield from menus()
    yield from dropped()


class Step:
    """The layers that appear between enter and exit, as facts."""

    def __init__(self, name: str, dialog=None) -> None:
        self.name, self.dialog = name, dialog

    def __enter__(self) -> Step:
        self.before = set(project.mapLayers())
        return self

    def new(self) -> list:
        return [layer for key, layer in project.mapLayers().items() if key not in self.before]

    def __exit__(self, *exception) -> None:
        log = (
            "".join(text.toPlainText() for text in self.dialog.findChildren(QTextEdit))
            if self.dialog
            else ""
        )
        layers = [
            (
                layer.name(),
                type(layer.renderer()).__name__,
                layer.isValid(),
                Path(layer.source()).name,
            )
            for layer in self.new()
        ]
        facts["steps"][self.name] = {"layers": sorted(layers), "log": log}
        gc.collect()  # what Python alone holds goes, as in a long session


def output(name: str) -> str:
    return str(FOLDER / f"{name}.tif")


def pressed(dialog):
    """Press Run and wait for the end."""
    ended = []
    dialog.algorithmFinished.connect(lambda *results: ended.append(results))
    dialog.runButton().click()
    yield lambda: ended


def dialogs():
    for number in range(5):
        name, inputs = "bandwise:ndvi", INPUTS
        if number % 2:
            name, inputs = (
                "bandwise:bandmath",
                {"LAYERS": list(INPUTS.values()), "EXPRESSION": "(B - A) / (B + A)"},  # type: ignore[dict-item]
            )
        dialog = processing.createAlgorithmDialog(
            name, {**inputs, "OUTPUT": output(f"dialog_{number}")}
        )
        dialog.show()
        with Step(f"dialog {number}", dialog):
            yield from pressed(dialog)
        dialog.close()


def changed_parameters():
    dialog = processing.createAlgorithmDialog(
        "bandwise:ndvi", {**INPUTS, "OUTPUT": output("changed_0")}
    )
    dialog.show()
    for number in range(3):
        if number:
            dialog.changeParametersButton().click()
            dialog.setParameters({**INPUTS, "OUTPUT": output(f"changed_{number}")})
        with Step(f"changed {number}", dialog):
            yield from pressed(dialog)
    dialog.close()


def batch():
    dialog = BatchAlgorithmDialog(
        registry.createAlgorithmById("bandwise:ndvi"), parent=iface.mainWindow()
    )
    dialog.show()
    panel, context = dialog.mainWidget(), dataobjects.createContext()
    panel.checkLoadLayersOnCompletion.setChecked(True)
    panel.addRow(2)
    for row in range(3):
        for name, value in INPUTS.items():
            panel.wrappers[row][panel.parameter_to_column[name]].setParameterValue(value, context)
        panel.tblParameters.cellWidget(row + 1, panel.parameter_to_column["OUTPUT"]).setValue(
            output(f"batch_{row}")
        )
    with Step("batch", dialog) as step:
        dialog.runButton().click()
        yield lambda: len(step.new()) == 3 and dialog.runButton().isEnabled()
    dialog.close()


def model():
    shutil.copy(FOLDER / "two_outputs.model3", ModelerUtils.modelsFolders()[0])
    registry.providerById("model").refreshAlgorithms()
    (chain,) = registry.providerById("model").algorithms()
    places = [definition.name() for definition in chain.destinationParameterDefinitions()]
    for number in range(2):
        outputs = {place: output(f"model_{number}_{at}") for at, place in enumerate(places)}
        dialog = processing.createAlgorithmDialog(chain.id(), {**INPUTS, **outputs})
        dialog.show()
        with Step(f"model {number}", dialog):
            yield from pressed(dialog)
        dialog.close()


def replaced():
    """A result that is open in the project, and drawn, is written again with other pixels."""
    path = output("replaced")
    with Step("first result"):
        processing.runAndLoadResults("bandwise:ndvi", {**INPUTS, "OUTPUT": path})
    (old,) = [layer for layer in project.mapLayers().values() if layer.source() == path]
    iface.setActiveLayer(old)
    iface.zoomToActiveLayer()
    yield lambda: not iface.mapCanvas().isDrawing()
    dialog = processing.createAlgorithmDialog(
        "bandwise:ndvi", {"RED": INPUTS["NIR"], "NIR": INPUTS["RED"], "OUTPUT": path}
    )
    dialog.show()
    with Step("second result", dialog):
        yield from pressed(dialog)
        yield lambda: not iface.mapCanvas().isDrawing()
    centre = old.extent().center()
    shown = [layer for layer in project.mapLayers().values() if layer.source() == path]
    facts["shown"] = [layer.dataProvider().sample(centre, 1) for layer in shown]
    dialog.close()


def kept():
    """The same where, as on Windows, a file that is open cannot be replaced."""
    path, replace = output("kept"), os.replace
    with Step("shown result"):
        processing.runAndLoadResults("bandwise:ndvi", {**INPUTS, "OUTPUT": path})
    os.replace = refusing(replace, 2)
    dialog = processing.createAlgorithmDialog(
        "bandwise:ndvi", {"RED": INPUTS["NIR"], "NIR": INPUTS["RED"], "OUTPUT": path}
    )
    dialog.show()
    with Step("kept result", dialog):
        yield from pressed(dialog)
    os.replace = replace
    dialog.close()


def at_once():
    """Two runs as background tasks of one QGIS, twice: the second time into files that are there."""
    for number in range(2):
        runs, ended, most = [], [], []
        for name in ("first", "second"):
            context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
            context.setProject(project)
            parameters = {**LARGE, "OUTPUT": output(f"task_{name}")}
            task = QgsProcessingAlgRunnerTask(
                registry.algorithmById("bandwise:ndvi"), parameters, context, feedback
            )
            task.executed.connect(
                lambda successful, results, ended=ended: ended.append((successful, results))
            )
            runs.append((task, context, feedback))
        for task, *_ in runs:
            QgsApplication.taskManager().addTask(task)

        def both(ended=ended, most=most):
            most.append(QgsApplication.taskManager().countActiveTasks())
            return len(ended) == 2

        yield both
        facts["steps"][f"tasks {number}"] = {
            "successful": [successful for successful, _ in ended],
            "valid": [results.get("VALID_PIXELS") for _, results in ended],
            "log": "".join(feedback.textLog() for *_, feedback in runs),
            "most": max(most),
        }


def cancelled():
    """A run of seconds is cancelled by the dialog's button once it computes."""
    text = "+".join(f"sin(A@1 * {number}) * atan(B@1)" for number in range(60))
    parameters = {
        "LAYERS": list(LARGE.values()),
        "EXPRESSION": text,
        "WORKERS": 1,
        "OUTPUT": output("cancelled"),
    }
    dialog = processing.createAlgorithmDialog("bandwise:bandmath", parameters)
    dialog.show()

    def log():
        return "".join(edit.toPlainText() for edit in dialog.findChildren(QTextEdit))

    with Step("cancelled", dialog):
        dialog.runButton().click()
        yield lambda: "workers" in log() or "worker;" in log()
        dialog.cancelButton().click()
        yield dialog.runButton().isEnabled
    dialog.close()


def menus():
    """The entries of *Raster > Bandwise*, and that of a raster layer's own menu, used twice."""
    (menu,) = [
        action.menu() for action in iface.rasterMenu().actions() if action.text() == "Bandwise"
    ]
    facts["menu"] = [action.text() for action in menu.actions()]
    facts["band math"] = []
    for name in ("RED", "NIR"):
        layer = iface.addRasterLayer(INPUTS[name], name)
        iface.setActiveLayer(layer)
        of_layer = iface.layerTreeView().menuProvider().createContextMenu()
        (entry,) = [action for action in of_layer.actions() if action.text() == "Band math…"]
        QTimer.singleShot(0, entry.trigger)
        yield shown_dialogs
        (dialog,) = shown_dialogs()
        value = dialog.mainWidget().wrappers["LAYERS"].parameterValue()
        facts["band math"].append([Path(source).name for source in value])
        dialog.close()
        yield lambda: not shown_dialogs()


def shown_dialogs() -> list:
    windows = QApplication.topLevelWidgets()
    return [each for each in windows if isinstance(each, AlgorithmDialog) and each.isVisible()]


def dropped():
    """Folders that are dropped on the dialog, one after the other; several at once are not taken."""
    dialog = processing.createAlgorithmDialog("bandwise:ndvi", {})
    dialog.show()
    line, facts["dropped"] = dialog.mainWidget().wrappers["SCENE"], []
    for names in (["S2A.SAFE"], ["L8 scene"], ["a", "b"]):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(FOLDER / name)) for name in names])
        for make in (QDragEnterEvent, QDropEvent):
            place = QPointF(5, 5) if make is QDropEvent else QPoint(5, 5)
            event = make(
                place,
                Qt.DropAction.CopyAction,
                data,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.NoModifier,
            )
            QApplication.sendEvent(dialog, event)
        facts["dropped"].append(line.parameterValue())
    dialog.close()
    yield lambda: True


class Driver:
    """Goes on with the session where its condition holds, and lets Qt work in between."""

    def __init__(self) -> None:
        self.steps = session()
        self.condition, self.deadline = bool, 0.0
        self.timer = QTimer()
        self.timer.timeout.connect(self.step)
        self.timer.start(20)
        self.advance()

    def step(self) -> None:
        if self.condition():
            self.advance()
        elif time.monotonic() > self.deadline:
            self.guarded(
                lambda: self.steps.throw(TimeoutError("what a step waits for does not come"))
            )

    def advance(self) -> None:
        self.guarded(lambda: next(self.steps))

    def guarded(self, go_on) -> None:
        try:
            self.condition = go_on()
            self.deadline = time.monotonic() + PATIENCE
        except StopIteration:
            self.leave()
        except Exception:
            facts["failure"] = traceback.format_exc()
            self.leave()

    def leave(self) -> None:
        self.timer.stop()
        (FOLDER / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
        project.clear()
        QgsApplication.processEvents()
        # the viewer of results that the batch dialog opens keeps QGIS 3.22 from ending by itself,
        # whatever ran
        os._exit(0)


def keep(text: str, tag: str, level) -> None:
    if level not in (Qgis.MessageLevel.Info, Qgis.MessageLevel.Success):
        facts["messages"].append((tag, text))


QgsApplication.messageLog().messageReceived.connect(keep)
driver = Driver()
