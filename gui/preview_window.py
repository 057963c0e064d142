# SPDX-License-Identifier: GPL-2.0-or-later
"""A window beside an algorithm's dialog that shows what its parameters give, before Run."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QCoreApplication, QObject, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QCloseEvent, QShowEvent
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QVBoxLayout, QWidget
from qgis.utils import iface

from ..algorithms.last_resort import sentence_of, translated
from ..algorithms.resources import LayerStyler, style_path
from ..algorithms.styling.looks import Look
from ..engine.errors import BandwiseError, Cancelled
from ..engine.grids.layout import Extent
from .preview_panel import PreviewPanel
from .preview_picture import ramp_of_style

if TYPE_CHECKING:
    from ..engine.execution.preview.run import Preview
    from ..engine.job import Job

translate = QCoreApplication.translate

_NAME = "bandwise_preview"  #: of the button, among a dialog's widgets
DELAY = 250  #: milliseconds after the last change of a parameter
_POLL = 20  #: milliseconds between looks for the end of a thread


class _Work(NamedTuple):
    """What is computed in a thread, and what stops it; the main thread holds it until that has ended,
    since it deletes objects of QGIS.
    """

    job: Callable[[], Job]
    extent: Extent | None
    stop: threading.Event
    results: list[Any]


class Background(QObject):
    """Computes one preview after another in a thread; the last that was asked for is told by
    :attr:`done`, or an exception in its place.

    The thread touches nothing of Qt: it may end after the window was closed.
    """

    done = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._next: _Work | None = None
        self._now: _Work | None = None
        self._thread: threading.Thread | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL)
        self._timer.timeout.connect(self._look)

    @property
    def is_busy(self) -> bool:
        """Whether a thread works."""
        return self._thread is not None

    def start(self, job: Callable[[], Job], extent: Extent | None) -> None:
        """Have a preview computed, in place of the one that is under way or waits."""
        self.stop()
        self._next = _Work(job, extent, threading.Event(), [])
        if self._thread is None:
            self._begin()

    def stop(self) -> None:
        """Cancel what is under way; nobody hears of it."""
        self._next = None
        if self._now is not None:
            self._now.stop.set()

    def _begin(self) -> None:
        self._now, self._next = self._next, None
        if self._now is not None:
            self._thread = threading.Thread(target=_work, args=self._now, daemon=True)
            self._thread.start()
            self._timer.start()

    def _look(self) -> None:
        if self._thread is None or self._now is None or self._thread.is_alive():
            return
        self._timer.stop()
        work, self._thread, self._now = self._now, None, None
        if self._next is not None:
            self._begin()
        elif work.results and not work.stop.is_set():
            self.done.emit(work.results[0])


def _work(
    job: Callable[[], Job], extent: Extent | None, stop: threading.Event, results: list[Any]
) -> None:
    from ..engine.execution.preview.run import preview

    try:
        results.append(preview(job(), extent, cancelled=stop.is_set))
    except Exception as error:  # told in the main thread
        results.append(error)


#: The last ones, kept so that none is deleted in a preview's thread, wherever Python collects: QGIS
#: has to delete them in the main thread.
_CONTEXTS: deque[QgsProcessingContext] = deque(maxlen=32)


class PreviewWindow(QDialog):
    """Follows ``parameters``, which gives an algorithm's parameters as they are now.

    Parameters
    ----------
    parameters
        Returns them, or raises for one that is missing or wrong.
    canvas
        The map; None where there is none.
    """

    def __init__(
        self,
        algorithm: Any,
        parameters: Callable[[], dict[str, Any]],
        canvas: Any = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._algorithm, self._parameters = algorithm.create(), parameters
        self._canvas = canvas
        title = translate("Bandwise", "Preview: {algorithm}")
        self.setWindowTitle(title.format(algorithm=algorithm.displayName()))
        self.setModal(False)
        self.panel = PreviewPanel(translated, has_map=canvas is not None)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.panel, 1)
        layout.addWidget(buttons)
        self.background = Background(self)
        self.background.done.connect(self._show)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self.refresh)
        self.panel.area_changed.connect(self.refresh)
        self.panel.map_wanted.connect(self.add_to_map)
        if canvas is not None:
            canvas.extentsChanged.connect(self._canvas_moved)

    @property
    def is_busy(self) -> bool:
        """Whether another picture is still to come."""
        return bool(self._timer.isActive()) or self.background.is_busy

    def refresh_later(self, *_: Any) -> None:
        """Cancel what is under way, and compute anew in a moment; a window that is hidden does not."""
        self.background.stop()
        if self.isVisible():
            self.panel.set_busy(True)
            self._timer.start()

    def refresh(self) -> None:
        """Compute a preview of the parameters as they are now."""
        context = QgsProcessingContext()
        context.setProject(QgsProject.instance())
        _CONTEXTS.append(context)
        try:
            job = self._algorithm.job_later(self._parameters(), context)
        except Exception as error:
            self.background.stop()
            self.panel.set_error(_sentence(error))
            return
        self.panel.set_busy(True)
        extent = _extent_of(self._canvas) if self.panel.wants_map_extent else None
        self.background.start(job, extent)

    def add_to_map(self) -> None:
        """Add the result that is shown to the project, below all other layers."""
        preview = self.panel.preview
        if preview is None:
            return
        from ..engine.execution.preview.saving import save

        result = self.panel.result
        try:
            path = save(preview, result, QgsProcessingUtils.generateTempFilename("preview.tif"))
        except BandwiseError as error:
            self.panel.set_error(sentence_of(error))
            return
        name = translate("Bandwise", "Preview of {result}").format(result=preview.names[result])
        layer = QgsRasterLayer(path, name)
        stretch = preview.stretch(result)
        look = Look(*stretch) if stretch else None
        styler = LayerStyler(name, self._style(preview), look)
        styler.postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
        project = QgsProject.instance()
        project.addMapLayer(layer, False)
        project.layerTreeRoot().addLayer(layer)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh_later()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        self.background.stop()
        super().closeEvent(event)

    def _canvas_moved(self) -> None:
        if self.panel.wants_map_extent:
            self.refresh_later()

    def _style(self, preview: Preview) -> str:
        return str(self._algorithm.style(preview.job))

    def _show(self, outcome: Any) -> None:
        if isinstance(outcome, Cancelled):
            return
        if isinstance(outcome, Exception):
            self.panel.set_error(sentence_of(outcome))
            return
        style = self._style(outcome)
        self.panel.set_preview(outcome, ramp_of_style(style_path(style)) if style else None)


def _sentence(error: Exception) -> str:
    """Return what is wrong with a parameter, as QGIS's dialog has found or the engine."""
    parameter = getattr(error, "parameter", None)
    if parameter is not None:
        text = translate("Bandwise", "“{parameter}” is missing or wrong.")
        return text.format(parameter=parameter.description())
    return str(getattr(error, "message", "")) or sentence_of(error)


def _extent_of(canvas: Any) -> Extent:
    box, crs = canvas.extent(), canvas.mapSettings().destinationCrs()
    wkt = crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT2_2019)
    return Extent(box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum(), wkt)


def open_preview(
    algorithm: Any, parameters: Callable[[], dict[str, Any]], parent: QWidget
) -> PreviewWindow:
    """Return a window with the preview, beside ``parent``, which it is closed with."""
    canvas = iface.mapCanvas() if iface is not None else None
    window = PreviewWindow(algorithm, parameters, canvas, parent)
    window.show()
    return window


class _Opener:
    """Opens the window of a dialog, or brings it to the front; the window follows the dialog's widgets."""

    def __init__(self, dialog: Any, wrappers: Iterable[Any]) -> None:
        self._dialog, self._wrappers = dialog, tuple(wrappers)
        self._window: PreviewWindow | None = None

    def open(self) -> None:
        """Open it."""
        window = self._window
        if window is not None:
            window.show()
            window.raise_()
            return
        dialog = self._dialog
        window = open_preview(dialog.algorithm(), dialog.createProcessingParameters, dialog)
        self._window = window
        for wrapper in self._wrappers:
            changes = getattr(wrapper, "widgetValueHasChanged", None)
            if changes is not None:
                changes.connect(window.refresh_later)


def offer_preview(dialog: Any, wrappers: Iterable[Any]) -> None:
    """Put a button that opens the preview beside Run in the dialog of an algorithm."""
    if not hasattr(dialog.algorithm(), "job_later") or dialog.findChild(QPushButton, _NAME):
        return
    button = QPushButton(translate("Bandwise", "Preview…"))
    button.setObjectName(_NAME)
    button.setToolTip(translate("Bandwise", "Show what these parameters give, before Run"))
    opener = _Opener(dialog, wrappers)
    # a subclass of the button would lose its Python part with that of the box, which nobody holds
    button.clicked.connect(lambda *_: opener.open())
    dialog.buttonBox().addButton(button, QDialogButtonBox.ButtonRole.ResetRole)
