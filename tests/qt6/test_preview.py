# SPDX-License-Identifier: GPL-2.0-or-later
"""The picture and the histogram of the preview on Qt 6."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bandwise.gui.preview_picture import (
    HistogramView,
    PictureView,
    coloured,
    grey,
    ramp_of_style,
)
from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtGui import QColor, QKeyEvent, QMouseEvent

STYLE = Path(__file__).resolve().parents[2] / "resources" / "styles" / "ndvi.qml"


def test_colours_are_those_of_the_style_and_nodata_is_transparent() -> None:
    ramp = ramp_of_style(str(STYLE))
    assert ramp is not None
    image = coloured(np.array([[-1.0, 0.0, 1.0, np.nan]]), ramp)
    assert [image.pixelColor(column, 0).name() for column in range(3)] == [
        "#0a1f5c",
        "#f2e8cf",
        "#033818",
    ]
    assert image.pixelColor(3, 0).alpha() == 0


def test_grey_is_linear_and_one_value_is_in_the_middle() -> None:
    image = coloured(np.array([[0.0, 5.0, 10.0, 99.0]]), grey(0, 10))
    assert [image.pixelColor(column, 0).red() for column in range(4)] == [0, 128, 255, 255]
    assert coloured(np.array([[7.0]]), grey(7, 7)).pixelColor(0, 0).red() == 128


def test_mouse_and_arrow_keys_point_at_pixels() -> None:
    view, places = PictureView(), []
    view.resize(400, 200)
    view.set_image(coloured(np.arange(8.0).reshape(2, 4), grey(0, 7)))
    view.pointed.connect(lambda *place: places.append(place))
    none = Qt.KeyboardModifier.NoModifier
    buttons = Qt.MouseButton.NoButton
    at = QPointF(250, 150)
    view.mouseMoveEvent(QMouseEvent(QEvent.Type.MouseMove, at, at, buttons, buttons, none))
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Left):
        view.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, key, none))
    view.leaveEvent(QEvent(QEvent.Type.Leave))
    assert places == [(2, 1), (3, 1), (3, 1), (3, 0), (2, 0), (-1, -1)]


def test_everything_is_drawn() -> None:
    view, bars = PictureView(), HistogramView()
    view.resize(100, 100)
    view.set_image(coloured(np.array([[1.0]]), grey(0, 1)))
    assert view.grab().toImage().pixelColor(50, 50).name() == "#ffffff"
    bars.resize(100, 80)
    bars.set_counts(np.array([1, 4]), [QColor("red"), QColor("blue")], ("", ""))
    picture = bars.grab().toImage()
    bottom = 79 - bars.fontMetrics().height()
    assert picture.pixelColor(25, bottom).name() == "#ff0000"
    assert picture.pixelColor(75, 10).name() == "#0000ff"
    assert picture.pixelColor(25, 10).name() not in ("#ff0000", "#0000ff")
