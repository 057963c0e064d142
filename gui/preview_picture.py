# SPDX-License-Identifier: GPL-2.0-or-later
"""A picture of values with a cursor, and a histogram."""

from __future__ import annotations

from typing import Any, NamedTuple
from xml.etree import ElementTree  # nosec B405

import numpy as np
from qgis.PyQt.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from qgis.PyQt.QtWidgets import QSizePolicy, QWidget

_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class Ramp(NamedTuple):
    """Values in rising order and the colour of each, of shape (n, 3); colours between are mixed."""

    values: Any
    colours: Any


def grey(low: float, high: float) -> Ramp:
    """Return the ramp from black to white; of one value, the grey in the middle."""
    if not low < high:
        return Ramp(np.array([low]), np.full((1, 3), 128.0))
    return Ramp(np.array([low, high]), np.array([[0.0] * 3, [255.0] * 3]))


def ramp_of_style(path: str) -> Ramp | None:
    """Return the colour ramp of a QGIS style; None where it has none."""
    root = ElementTree.parse(path).getroot()  # noqa: S314  # nosec B314
    items = root.findall(".//colorrampshader/item")
    if not items:
        return None
    colours = [QColor(item.get("color")) for item in items]
    return Ramp(
        np.array([float(item.get("value", "nan")) for item in items]),
        np.array([[each.red(), each.green(), each.blue()] for each in colours], float),
    )


def coloured(values: Any, ramp: Ramp) -> QImage:
    """Return values of shape (rows, columns) as a picture, transparent where they are NaN."""
    height, width = values.shape
    pixels = np.zeros((height, width, 4), np.uint8)
    valid = np.isfinite(values)
    for channel in range(3):
        colours = ramp.colours[:, channel]
        pixels[valid, channel] = np.rint(np.interp(values[valid], ramp.values, colours))
    pixels[valid, 3] = 255
    image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.copy()  # which owns its pixels


class PictureView(QWidget):
    """:attr:`pointed` tells the column and row under the mouse, or that arrow keys moved to; -1, -1 for none."""

    pointed = pyqtSignal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self._place = (-1, -1)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 160)

    def sizeHint(self) -> QSize:
        return QSize(420, 420)

    def image(self) -> QImage:
        return self._image

    def set_image(self, image: QImage) -> None:
        """Show another picture."""
        self._image = image
        self._point(*self._place)
        self.update()

    def _frame(self) -> QRectF:
        """Return where the picture lies: as large as fits, in the middle."""
        if self._image.isNull():
            return QRectF()
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        return QRectF(left, top, size.width(), size.height())

    def place_at(self, position: QPointF) -> tuple[int, int]:
        """Return column and row at a place of the widget; -1, -1 beside the picture."""
        frame = self._frame()
        if not frame.contains(position):
            return -1, -1
        column = int((position.x() - frame.left()) * self._image.width() / frame.width())
        row = int((position.y() - frame.top()) * self._image.height() / frame.height())
        return min(column, self._image.width() - 1), min(row, self._image.height() - 1)

    def _point(self, column: int, row: int) -> None:
        if column >= self._image.width() or row >= self._image.height():
            column, row = -1, -1
        self._place = column, row
        self.pointed.emit(column, row)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position() if hasattr(event, "position") else event.localPos()
        self._point(*self.place_at(at))

    def leaveEvent(self, event: QEvent) -> None:
        self._point(-1, -1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None or self._image.isNull():
            super().keyPressEvent(event)
            return
        size = self._image.width(), self._image.height()
        middle = (size[0] // 2, size[1] // 2)
        start = self._place if self._place != (-1, -1) else middle
        column, row = (
            min(max(place + by, 0), length - 1) for place, by, length in zip(start, step, size)
        )
        self._point(column, row)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
        frame = self._frame()
        if frame.isEmpty():
            return
        painter.drawImage(frame, self._image)
        if self._place != (-1, -1):
            scale = frame.width() / self._image.width()
            column, row = self._place
            left, top = frame.left() + column * scale, frame.top() + row * scale
            for colour, grown in ((Qt.GlobalColor.black, 2), (Qt.GlobalColor.white, 1)):
                painter.setPen(QColor(colour))
                side = scale + 2 * grown
                painter.drawRect(QRectF(left - grown, top - grown, side, side))


class HistogramView(QWidget):
    """Bars of counts, in the colours of the picture."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: Any = np.zeros(0, int)
        self._colours: list[QColor] = []
        self._ends = "", ""
        self.setMinimumHeight(90)

    def set_counts(self, counts: Any, colours: list[QColor], ends: tuple[str, str]) -> None:
        """Show counts, each bar in its colour, and the ``ends`` of their range below."""
        self._counts, self._colours, self._ends = counts, colours, ends
        self.setAccessibleDescription(" … ".join(filter(None, ends)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
        most = int(self._counts.max()) if self._counts.size else 0
        if not most:
            return
        width = self.width() / self._counts.size
        below = self.fontMetrics().height()
        top = self.height() - below
        line = QRectF(2, top, self.width() - 4, below)
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        for end, side in zip(self._ends, (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight)):
            painter.drawText(line, side | Qt.AlignmentFlag.AlignVCenter, end)
        outline = self.palette().color(QPalette.ColorRole.Mid)
        for number, count in enumerate(self._counts):
            height = top * int(count) / most
            bar = QRectF(number * width, top - height, width, height)
            painter.fillRect(bar, outline)
            if height > 2:
                painter.fillRect(bar.adjusted(0, 1, 0, 0), self._colours[number])
