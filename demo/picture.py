# SPDX-License-Identifier: GPL-2.0-or-later
"""A picture of a result as QGIS styles it, with its legend, its histogram and facts about it."""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from qgis.core import (
    QgsApplication,
    QgsBilinearRasterResampler,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QPointF, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QBrush, QColor, QFont, QImage, QLinearGradient, QPainter, QPen

WIDTH, HEIGHT = 1920, 1180
_PAPER, _INK, _QUIET, _LINE = (
    QColor("#fbfaf6"),
    QColor("#20261f"),
    QColor("#666c62"),
    QColor("#d9d7cc"),
)
_MAP = QRectF(60, 150, 900, 900)
_LEGEND = QRectF(60, 1082, 740, 26)
_NODATA = QRectF(840, 1082, 26, 26)
_PLOT = QRectF(1050, 210, 810, 430)
_FACTS = QRectF(1050, 735, 810, 405)


class Histogram(NamedTuple):
    """``counts`` of pixels between neighbouring ``edges``, of which there is one more."""

    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]


class Texts(NamedTuple):
    """What the picture says: ``facts`` are pairs of a label and a value."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]


def draw(raster: Path, style: Path, histogram: Histogram, texts: Texts, target: Path) -> None:
    """Draw band 1 of ``raster`` in the QGIS ``style`` and all else into the PNG ``target``."""
    with _qgis():
        layer = QgsRasterLayer(str(raster), "NDVI")
        message, loaded = layer.loadNamedStyle(str(style))
        if not (layer.isValid() and loaded):
            raise ValueError(f"QGIS cannot show {raster} with {style}: {message}")
        image = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
        image.fill(_PAPER)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        ramp = _Ramp(layer)
        _write(painter, QRectF(60, 34, 1800, 56), texts.title, size=44, bold=True)
        _write(painter, QRectF(60, 92, 1800, 40), texts.subtitle, size=25, colour=_QUIET)
        _draw_map(painter, layer)
        _draw_legend(painter, ramp)
        _draw_histogram(painter, histogram, ramp)
        _draw_facts(painter, texts.facts)
        painter.end()
        del layer, ramp
        if not image.save(str(target)):
            raise OSError(f"cannot write {target}")


@contextmanager
def _qgis():  # type: ignore[no-untyped-def]
    """QGIS without a window and without the user's profile."""
    with tempfile.TemporaryDirectory() as profile:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        os.environ.setdefault("XDG_RUNTIME_DIR", profile)
        application = QgsApplication([], False, profile)
        application.initQgis()
        try:
            yield
        finally:
            application.exitQgis()


class _Ramp:
    """The colours that the layer's style gives to values, from ``low`` to ``high``."""

    def __init__(self, layer: QgsRasterLayer) -> None:
        renderer = layer.renderer()
        self.low, self.high = renderer.classificationMin(), renderer.classificationMax()
        self._function = renderer.shader().rasterShaderFunction()

    def colour(self, value: float) -> QColor:
        _, red, green, blue, alpha = self._function.shade(float(value))
        return QColor(red, green, blue, alpha)

    def along(self, box: QRectF) -> QBrush:
        gradient = QLinearGradient(box.topLeft(), box.topRight())
        for step in np.linspace(0, 1, 101):
            gradient.setColorAt(step, self.colour(self.low + step * (self.high - self.low)))
        return QBrush(gradient)


def _draw_map(painter: QPainter, layer: QgsRasterLayer) -> None:
    layer.resampleFilter().setZoomedOutResampler(QgsBilinearRasterResampler())
    layer.resampleFilter().setMaxOversampling(3)
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(layer.extent())
    settings.setOutputSize(QSize(round(_MAP.width()), round(_MAP.height())))
    settings.setBackgroundColor(QColor(Qt.GlobalColor.transparent))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    for box in (_MAP, _NODATA):
        painter.fillRect(box, QColor("#efede4"))
        painter.fillRect(box, QBrush(QColor("#c9c6b8"), Qt.BrushStyle.BDiagPattern))
    painter.drawImage(_MAP, job.renderedImage())
    painter.setPen(QPen(_INK, 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRects(_MAP, _NODATA)


def _draw_legend(painter: QPainter, ramp: _Ramp) -> None:
    painter.setPen(QPen(_INK, 1.5))
    painter.setBrush(ramp.along(_LEGEND))
    painter.drawRect(_LEGEND)
    _write(
        painter,
        QRectF(_NODATA.right() + 10, _NODATA.top() - 3, 100, 30),
        "nodata",
        size=22,
        colour=_QUIET,
    )
    for value in np.linspace(ramp.low, ramp.high, 9):
        at = _LEGEND.left() + (value - ramp.low) / (ramp.high - ramp.low) * _LEGEND.width()
        box = QRectF(at - 60, _LEGEND.bottom() + 8, 120, 30)
        align = Qt.AlignmentFlag.AlignHCenter
        if value in (ramp.low, ramp.high):
            left = value == ramp.low
            box.moveLeft(_LEGEND.left() if left else _LEGEND.right() - 120)
            align = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
        _write(painter, box, f"{value:g}", size=22, colour=_QUIET, align=align)


def _draw_histogram(painter: QPainter, histogram: Histogram, ramp: _Ramp) -> None:
    """Bars in the colours of their values; the axis covers the values that occur."""
    _write(painter, QRectF(_PLOT.left(), 150, _PLOT.width(), 40), "Histogram", size=29, bold=True)
    shares = histogram.counts / max(histogram.counts.sum(), 1)
    middles = (histogram.edges[:-1] + histogram.edges[1:]) / 2
    seen = middles[shares > 2e-4]
    low, high = np.floor(seen.min() * 5) / 5, np.ceil(seen.max() * 5) / 5
    top = shares.max() * 1.06
    width = (histogram.edges[1] - histogram.edges[0]) / (high - low) * _PLOT.width()
    for share in _round_steps(top):
        at = _PLOT.bottom() - share / top * _PLOT.height()
        painter.setPen(QPen(_LINE, 1.5))
        painter.drawLine(QPointF(_PLOT.left(), at), QPointF(_PLOT.right(), at))
        _write(
            painter,
            QRectF(_PLOT.left(), at - 30, 200, 28),
            f"{100 * share:g} %",
            size=20,
            colour=_QUIET,
        )
    painter.setPen(Qt.PenStyle.NoPen)
    for share, middle in zip(shares, middles):
        if low <= middle <= high:
            height = share / top * _PLOT.height()
            at = _PLOT.left() + (middle - low) / (high - low) * _PLOT.width()
            painter.fillRect(
                QRectF(at - width / 2 + 0.6, _PLOT.bottom() - height, width - 1.2, height),
                ramp.colour(middle),
            )
    painter.setPen(QPen(_INK, 2))
    painter.drawLine(_PLOT.bottomLeft(), _PLOT.bottomRight())
    for value in np.arange(low, high + 0.1, 0.2):
        at = _PLOT.left() + (value - low) / (high - low) * _PLOT.width()
        text = f"{round(value, 1) + 0:g}"
        painter.drawLine(QPointF(at, _PLOT.bottom()), QPointF(at, _PLOT.bottom() + 7))
        _write(
            painter,
            QRectF(at - 60, _PLOT.bottom() + 12, 120, 30),
            text,
            size=22,
            colour=_QUIET,
            align=Qt.AlignmentFlag.AlignHCenter,
        )
        painter.setPen(QPen(_INK, 2))


def _round_steps(top: float) -> list[float]:
    """Two to five round numbers above 0 and below ``top``."""
    size = 10.0 ** math.floor(math.log10(top))
    step = next(size * part for part in (0.2, 0.5, 1.0, 2.0) if top / (size * part) < 5.5)
    return [round(step * number, 6) for number in range(1, math.ceil(top / step))]


def _draw_facts(painter: QPainter, facts: Sequence[tuple[str, str]]) -> None:
    height = _FACTS.height() / len(facts)
    for number, (label, value) in enumerate(facts):
        line = QRectF(_FACTS.left(), _FACTS.top() + number * height, _FACTS.width(), height)
        painter.setPen(QPen(_LINE, 1.5))
        painter.drawLine(line.topLeft(), line.topRight())
        _write(painter, line, label, size=25, colour=_QUIET)
        _write(painter, line, value, size=25, bold=True, align=Qt.AlignmentFlag.AlignRight)


def _write(
    painter: QPainter,
    box: QRectF,
    text: str,
    *,
    size: int,
    bold: bool = False,
    colour: QColor = _INK,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    """Write one line in ``box``, ``size`` pixels high, with true minus signs."""
    text = re.sub(r"(?<![A-Za-z])-(?=\d)|(?<=\de)-(?=\d)", "\N{MINUS SIGN}", text)
    font = QFont("DejaVu Sans")
    font.setPixelSize(size)
    font.setBold(bold)
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(box, int(align | Qt.AlignmentFlag.AlignVCenter), text)
