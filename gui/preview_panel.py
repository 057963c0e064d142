# SPDX-License-Identifier: GPL-2.0-or-later
"""The preview's picture, histogram and numbers, without QGIS."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from qgis.PyQt.QtCore import QCoreApplication, QSignalBlocker, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QImage
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ..engine.messages import Text
from .preview_picture import HistogramView, PictureView, Ramp, coloured, grey

if TYPE_CHECKING:
    from ..engine.execution.preview.run import Preview

translate = QCoreApplication.translate


class PreviewPanel(QWidget):
    """``say`` turns a sentence of the engine into the user's language.

    :attr:`area_changed` tells that another area is wanted, :attr:`map_wanted` that the result that
    is shown is to be put on the map. Without a map ``has_map`` is false.
    """

    area_changed = pyqtSignal()
    map_wanted = pyqtSignal()

    def __init__(
        self, say: Callable[[Text], str], *, has_map: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._say = say
        self.preview: Preview | None = None
        self._ramp: Ramp | None = None
        self.area = _choice(translate("Bandwise", "Area that is shown"))
        self.area.addItem(translate("Bandwise", "Whole raster"), False)
        if has_map:
            self.area.addItem(translate("Bandwise", "Extent of the map"), True)
        self.area.currentIndexChanged.connect(lambda *_: self.area_changed.emit())
        self.results = _choice(translate("Bandwise", "Result that is shown"))
        self.results.currentIndexChanged.connect(lambda *_: self._show())
        self.picture = PictureView()
        self.picture.setAccessibleName(translate("Bandwise", "Picture of the result"))
        self.picture.pointed.connect(self._point)
        self.values = _line(translate("Bandwise", "Values under the cursor"))
        self.histogram = HistogramView()
        self.histogram.setAccessibleName(translate("Bandwise", "Histogram of the result"))
        self.numbers = _line(translate("Bandwise", "Statistics of what is shown"))
        self.sentence = _line(translate("Bandwise", "What is shown"))
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        self.busy.setMaximumHeight(6)
        keep = self.busy.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.busy.setSizePolicy(keep)
        self.map_button = QPushButton(translate("Bandwise", "Show on map"))
        self.map_button.setToolTip(
            translate("Bandwise", "Add what is shown as a temporary layer below all others")
        )
        self.map_button.clicked.connect(lambda *_: self.map_wanted.emit())
        self.map_button.setVisible(has_map)
        self.map_button.setAutoDefault(False)  # the Enter key adds nothing
        self._arrange()
        self.set_busy(False)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.area)
        top.addWidget(self.results, 1)
        top.addWidget(self.map_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.busy)
        layout.addWidget(self.picture, 1)
        for widget in (self.values, self.histogram, self.numbers, self.sentence):
            layout.addWidget(widget)

    def set_busy(self, busy: bool) -> None:
        """Tell whether another preview is on its way."""
        self.busy.setVisible(busy)
        self.map_button.setEnabled(self.preview is not None and not busy)

    def set_preview(self, preview: Preview, ramp: Ramp | None) -> None:
        """Show a preview; without a ``ramp`` in grey, from the second percentile to the 98th."""
        chosen = max(0, self.results.currentIndex())
        self.preview, self._ramp = preview, ramp
        with QSignalBlocker(self.results):
            self.results.clear()
            self.results.addItems(list(preview.names))
            self.results.setCurrentIndex(min(chosen, len(preview.names) - 1))
        self.results.setVisible(len(preview.names) > 1)
        self.set_busy(False)
        self._show()

    def set_error(self, sentence: str) -> None:
        """Show why there is no preview."""
        self.preview = None
        self.set_busy(False)
        self.picture.set_image(QImage())
        self.histogram.set_counts(np.zeros(0, int), [], ("", ""))
        self.numbers.setText("")
        self.sentence.setText(sentence)

    @property
    def wants_map_extent(self) -> bool:
        """Whether the map's extent is to be shown, and not the whole raster."""
        return bool(self.area.currentData())

    @property
    def result(self) -> int:
        """The number of the result that is shown."""
        return max(0, int(self.results.currentIndex()))

    def _show(self) -> None:
        preview = self.preview
        if preview is None:
            return
        counts, low, high = preview.histogram(self.result)
        ramp = self._ramp or grey(*(preview.stretch(self.result) or (0.0, 1.0)))
        self.picture.set_image(coloured(preview.values[self.result], ramp))
        ends = (f"{low:.4g}", f"{high:.4g}") if counts.any() else ("", "")
        self.histogram.set_counts(counts, _colours(ramp, low, high, len(counts)), ends)
        self.numbers.setText(self._statistics(preview))
        self.sentence.setText(self._say(preview.summary()))

    def _statistics(self, preview: Preview) -> str:
        share = preview.nodata_share(self.result)
        band = preview.statistics[self.result]
        if not band.valid:
            return translate("Bandwise", "All that is shown is nodata.")
        return translate(
            "Bandwise",
            "Minimum {minimum:.6g}, maximum {maximum:.6g}, mean {mean:.6g}, nodata {share:.1%}",
        ).format(minimum=band.minimum, maximum=band.maximum, mean=band.mean, share=share)

    def _point(self, column: int, row: int) -> None:
        preview = self.preview
        if preview is None or column < 0:
            self.values.setText(
                translate("Bandwise", "Point at the picture, or move there with the arrow keys.")
            )
            return
        x, y = preview.grid.xy(row + 0.5, column + 0.5)
        place = translate("Bandwise", "At {x:.10g}, {y:.10g}: ").format(x=x, y=y)
        results = zip(preview.names, preview.values[:, row, column])
        inputs = zip(preview.input_names, preview.inputs[:, row, column])
        self.values.setText(place + "; ".join(map(_listed, (results, inputs))))


def _listed(named: object) -> str:
    return ", ".join(f"{name} = {_number(value)}" for name, value in named)  # type: ignore[attr-defined]


def _number(value: float) -> str:
    return translate("Bandwise", "nodata") if math.isnan(value) else f"{value:.6g}"


def _colours(ramp: Ramp, low: float, high: float, count: int) -> list[QColor]:
    """Return the colour of each bar between two values."""
    if not math.isfinite(high - low):
        return [QColor(Qt.GlobalColor.gray)] * count
    middles = low + (np.arange(count) + 0.5) / count * (high - low)
    channels = [np.interp(middles, ramp.values, ramp.colours[:, each]) for each in range(3)]
    return [QColor(*(int(part) for part in parts)) for parts in zip(*channels)]


def _choice(name: str) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setToolTip(name)
    return combo


def _line(name: str) -> QLabel:
    label = QLabel()
    label.setAccessibleName(name)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label
