# SPDX-License-Identifier: GPL-2.0-or-later
"""What QGIS's porting script would change or warn about is found, and nothing else."""

from __future__ import annotations

import pytest

pytest.importorskip("qgis.core")
from scripts.qt6_rules import faults

CORE = "from qgis.core import Qgis, QgsProcessingParameterNumber as Number\n"
QT = "from qgis.PyQt.QtCore import QDate, QDateTime, QTime, QVariant, Qt\n"

REFUSED = {
    "import PyQt5.QtCore": "import Qt from qgis.PyQt",
    "from PyQt5.QtGui import QIcon": "import Qt from qgis.PyQt",
    "from PyQt6.QtGui import QIcon": "import Qt from qgis.PyQt",
    "from qgis.PyQt.QtCore import QRegExp": "no QRegExp",
    "from . import resources_rc": "no compiled resources",
    "import icons_rc": "no compiled resources",
    "from qgis.PyQt.QtWidgets import qApp": "no qApp",
    "qApp.quit()": "no qApp",
    "dialog.exec_()": "called exec()",
    "class Dialog:\n    def exec_(self): ...": "called exec()",
    "menu.addAction(icon, text, receiver, shortcut)": "make a QAction",
    "QApplication.desktop()": "no QDesktopWidget",
    "QVariant()": "NULL of qgis.core",
    QT + "QVariant(QVariant.Int)": "NULL of qgis.core",
    QT + "QVariant.String": "QMetaType.Type",
    QT + "QVariant.Type.Int": "QMetaType.Type",
    "QDateTime(2026, 1, 2, 3, 4, 5, 6, 0)": "a QDate and a QTime",
    "QDateTime(QDate(2026, 1, 2))": "a QDate and a QTime",
    "QFontMetrics(font).width(text)": "horizontalAdvance",
    "label.fontMetrics().width(text)": "horizontalAdvance",
    "metrics = QFontMetricsF(font)\nmetrics.width(text)": "horizontalAdvance",
    "box.activated[str].connect(slot)": "textActivated",
    "Qt.MidButton": "MouseButton.MiddleButton",
    "QPainter.HighQualityAntialiasing": "RenderHint.Antialiasing",
    QT + "Qt.AlignLeft": "Qt.AlignmentFlag.AlignLeft",
    QT + "Qt.AlignLeft | Qt.AlignmentFlag.AlignTop": "Qt.AlignmentFlag.AlignLeft",
    CORE + "Number('A', type=Number.Double)": ".Double",  # the enum's name is another in newer QGIS
    CORE + "Qgis.Warning": "Qgis.MessageLevel.Warning",
    "def f():\n    from qgis.core import QgsProcessing\n    QgsProcessing.TypeRaster": "SourceType",
    # an enum of a class above
    "from qgis.PyQt.QtWidgets import QDialog\nQDialog.DrawChildren": "RenderFlag",
}

TAKEN = (
    QT + "Qt.AlignmentFlag.AlignLeft",
    CORE + "Number.Type.Double",
    CORE + "Qgis.MessageLevel.Warning",
    CORE + "Qgis.QGIS_VERSION_INT",
    "from qgis.PyQt.QtCore import QCoreApplication\nQCoreApplication.translate('a', 'b')",
    "from qgis.PyQt.QtCore import Qt, QRegularExpression",
    "dialog.exec()",
    "menu.addAction(action)",
    QT + "QVariant(3)",
    "QDateTime(QDate(2026, 1, 2), QTime(0, 0))",
    "QDateTime(2026, 1, 2, 3, 4)",
    "image.width()",
    "box.activated.connect(slot)",
    "desktop(1)",
)


@pytest.mark.parametrize(("source", "words"), REFUSED.items())
def test_what_qt_6_does_not_take_is_found(source: str, words: str) -> None:
    found = faults(source)
    assert found and any(words in sentence for _, sentence in found), found
    assert all(1 <= line <= source.count("\n") + 1 for line, _ in found)


@pytest.mark.parametrize("source", TAKEN)
def test_what_both_take_is_left_alone(source: str) -> None:
    assert faults(source) == []
