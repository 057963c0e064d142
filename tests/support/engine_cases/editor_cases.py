# SPDX-License-Identifier: GPL-2.0-or-later
"""The editor of expressions with real keys, for Qt 5 within QGIS and for Qt 6 alone: import the tests with ``*``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bandwise.engine.expression.dialects import DialectChoice
from bandwise.engine.expression.editing.parts import Part
from bandwise.engine.indices.catalogue import listed_indices
from bandwise.engine.messages import Field
from bandwise.engine.planning.editing.check import Options
from bandwise.engine.planning.editing.described import DescribedBand, DescribedRaster, Nameable
from bandwise.engine.radiometry.band_names import BandName
from bandwise.engine.radiometry.scaling import Scaling
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtGui import QColor, QPalette, QTextCharFormat
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QWidget

RED = BandName("B04", "Sentinel-2", frozenset({"red"}))
NIR = BandName("B08", "Sentinel-2", frozenset({"nir"}))
SCENE = DescribedRaster(
    "summer 2023", "/a.tif", (DescribedBand(1, name=RED), DescribedBand(2, name=NIR))
)
OTHER = DescribedRaster("other", "/b.tif", (DescribedBand(1),))
NAMES = Nameable((SCENE, OTHER))
PATIENCE = 10  #: seconds that an answer may take on a busy machine


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "what is waited for does not come"
        QApplication.processEvents()
        time.sleep(0.005)


def answered(panel: Any) -> Any:
    """Return the answer to the text as it is now."""
    wait_for(lambda: not panel.check.is_busy and panel.check.answer.text == panel.text())
    return panel.check.answer


@pytest.fixture
def windows() -> Iterator[list[QWidget]]:
    """Windows of a test, which are closed and deleted with it."""
    shown: list[QWidget] = []
    yield shown
    for window in shown:
        window.close()
        window.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def panel(windows: list[QWidget]) -> Any:
    from bandwise.gui.expression.panel import ExpressionPanel

    panel = ExpressionPanel(str)
    panel.set_surroundings(NAMES, Options())
    panel.show()
    windows.append(panel)
    panel.activateWindow()
    panel.edit.setFocus()
    wait_for(panel.edit.hasFocus)
    return panel


@pytest.fixture
def dialog(windows: list[QWidget], tmp_path: Path) -> Any:
    from bandwise.gui.expression.dialog import ExpressionDialog
    from bandwise.gui.expression.saved import SavedExpressions

    store = SavedExpressions(str(tmp_path / "bandwise" / "expressions.json"))
    dialog = ExpressionDialog("A@1", store, str, tuple(listed_indices().values()))
    dialog.set_surroundings(NAMES, Options())
    dialog.show()
    windows.append(dialog)
    return dialog


def press(widget: QWidget, key: Any, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(widget, key, modifier)


def type_keys(panel: Any, text: str) -> None:
    """Press keys as a person does: an open list of names gets them first."""
    for character in text:
        popup = panel.edit.completer.popup()
        QTest.keyClicks(popup if popup.isVisible() else panel.edit, character)


def underlined(panel: Any) -> list[str]:
    """Return the texts that are marked as errors."""
    wave = QTextCharFormat.UnderlineStyle.WaveUnderline
    return [
        mark.cursor.selectedText()
        for mark in panel.edit.extraSelections()
        if mark.format.underlineStyle() == wave
    ]


def test_typing_is_answered_below(panel: Any) -> None:
    type_keys(panel, "(A@2 - A@1) / B")
    press(panel.edit.completer.popup(), Qt.Key.Key_Escape)
    checked = answered(panel)
    assert checked.error is None and checked.bands == ("A@1", "A@2", "B@1")
    assert "bands: A@1, A@2, B@1" in panel.line.text()
    assert underlined(panel) == []


def test_an_error_is_underlined_at_its_place(panel: Any) -> None:
    panel.set_text("A@1 +\nwrong(B)")
    checked = answered(panel)
    assert (checked.start, checked.end) == (6, 11)
    assert underlined(panel) == ["wrong"]
    assert "Line 2, column 1" in panel.line.text()
    assert "there is no function wrong" in panel.line.accessibleDescription()
    panel.set_text("A@1")
    answered(panel)
    assert underlined(panel) == []


def test_the_place_of_an_error_behind_wide_characters(panel: Any) -> None:
    panel.set_text("# \U0001f33f\U0001f33f\nA + wrong(B)")
    answered(panel)
    assert underlined(panel) == ["wrong"]
    panel.edit.insert(" + A")
    assert panel.text().endswith("wrong(B) + A") and panel.edit.position() == len(panel.text())


def test_an_error_at_the_end_is_marked_too(panel: Any) -> None:
    panel.set_text("A +")
    answered(panel)
    assert underlined(panel) == ["+"]


def test_completion_of_a_function(panel: Any) -> None:
    popup = panel.edit.completer.popup()
    type_keys(panel, "s")
    assert not popup.isVisible()
    type_keys(panel, "q")
    assert popup.isVisible() and "the square root" in popup.model().index(0, 0).data()
    press(popup, Qt.Key.Key_Return)
    assert not popup.isVisible() and panel.text() == "sqrt()"
    type_keys(panel, "A")
    assert panel.text() == "sqrt(A)"
    panel.edit.undo()
    panel.edit.undo()
    assert panel.text() in ("sqrt()", "", "sq")


def test_completion_of_bands_by_what_they_are(panel: Any) -> None:
    popup = panel.edit.completer.popup()
    type_keys(panel, "A@")
    offered = [popup.model().index(row, 0).data() for row in range(popup.model().rowCount())]
    assert [text.split()[0] for text in offered] == ["A@1", "A@B04", "A@2", "A@B08"]
    press(popup, Qt.Key.Key_Escape)
    assert not popup.isVisible()
    panel.set_text("")
    type_keys(panel, "infra")
    press(popup, Qt.Key.Key_Tab)
    assert panel.text() == "A@2"
    panel.set_text("")
    type_keys(panel, '"su')
    press(popup, Qt.Key.Key_Return)
    assert panel.text() == '"summer 2023@1"'
    assert answered(panel).dialect is DialectChoice.QGIS


def test_completion_of_results_named_before(panel: Any) -> None:
    panel.set_text("green := A@2 > 0; ")
    panel.edit.moveCursor(panel.edit.textCursor().MoveOperation.End)
    type_keys(panel, "gree")
    press(panel.edit.completer.popup(), Qt.Key.Key_Return)
    assert panel.text() == "green := A@2 > 0; green"
    assert answered(panel).error is None


def test_completion_is_asked_for_and_left(panel: Any) -> None:
    popup = panel.edit.completer.popup()
    press(panel.edit, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert popup.isVisible() and popup.model().rowCount() > 50
    press(popup, Qt.Key.Key_Escape)
    type_keys(panel, "# sq")
    assert not popup.isVisible() and panel.text() == "# sq"


def test_a_function_goes_around_what_is_selected(panel: Any) -> None:
    panel.set_text("A - B")
    panel.edit.selectAll()
    panel.edit.insert("abs()")
    assert panel.text() == "abs(A - B)"


@pytest.mark.parametrize(("place", "marked"), [(0, ["(", ")"]), (5, [")", "("]), (2, [])])
def test_pairs_of_brackets(panel: Any, place: int, marked: list[str]) -> None:
    panel.set_text("(A+B)")
    cursor = panel.edit.textCursor()
    cursor.setPosition(place)
    panel.edit.setTextCursor(cursor)
    assert [each.cursor.selectedText() for each in panel.edit.extraSelections()] == marked


def test_the_keyboard_leaves_the_editor_by_tab(dialog: Any) -> None:
    dialog.activateWindow()
    dialog.panel.edit.setFocus()
    order = [dialog.panel.edit]
    while order[-1].nextInFocusChain() not in order:
        order.append(order[-1].nextInFocusChain())
    reached = [dialog.panel.edit, dialog.panel.line, dialog.search, dialog.tree]
    assert sorted(map(order.index, reached)) == [order.index(each) for each in reached]
    press(dialog.panel.edit, Qt.Key.Key_Tab)
    assert dialog.text() == "A@1"
    for widget in (dialog.panel.edit, dialog.panel.line, dialog.search, dialog.tree):
        assert widget.accessibleName()
    assert dialog.saved.tree.accessibleName() and dialog.saved.search.accessibleName()


def test_a_long_text_is_checked_beside_the_window(panel: Any) -> None:
    text = "; ".join(f"r{number} := A@1 * {number} + B" for number in range(400))
    assert len(text) > 4 * 2000
    panel.set_text(text)
    panel.set_text(text + " +")  # the former answer is outdated
    assert answered(panel).error is not None
    panel.set_text(text)
    assert len(answered(panel).results) == 400


def test_a_window_that_closes_while_a_text_is_checked(windows: list[QWidget]) -> None:
    from bandwise.gui.expression.panel import ExpressionPanel

    panel = ExpressionPanel(str)
    panel.set_text("; ".join(f"A@1 + {number}" for number in range(3000)))
    panel.check.start()
    assert panel.check.is_busy
    panel.deleteLater()
    for _ in range(20):
        QApplication.processEvents()
        time.sleep(0.01)


def test_a_caution_is_mended_by_its_link(panel: Any) -> None:
    from bandwise.engine.messages import Setting, Text
    from bandwise.engine.planning.editing.check import Caution, Checked

    asked: list[Any] = []
    panel.mended.connect(asked.append)
    setting = Setting(Field.SCALING, Scaling.AUTOMATIC)
    caution = Caution(Text("stored <values>", {}), setting)
    panel.check.checked.emit(Checked("A", DialectChoice.BANDWISE, cautions=(caution,)))
    assert "stored &lt;values&gt;" in panel.line.text() and '<a href="0"' in panel.line.text()
    panel.line.linkActivated.emit("0")
    assert asked == [setting]


def test_the_tree_inserts_by_mouse_keyboard_and_drag(dialog: Any) -> None:
    tree = dialog.tree
    band = tree.topLevelItem(0).child(0).child(1)
    assert [band.text(0), band.text(1)] == ["A@2", "B08, near infrared"]
    dialog.panel.set_text("")
    rect = tree.visualItemRect(band)
    place = QPoint(rect.left() + 5, rect.center().y())
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert dialog.text() == "A@2"
    dialog.search.setText("square root")
    shown = [each for each in rows(tree.topLevelItem(3)) if not each.isHidden()]
    assert {each.text(0) for each in shown if not each.childCount()} == {"hypot(a, b)", "sqrt(a)"}
    dialog.panel.edit.selectAll()
    tree.setCurrentItem(next(each for each in shown if each.text(0) == "sqrt(a)"))
    assert "Example: sqrt(A)" in dialog.help.text()
    press(tree, Qt.Key.Key_Return)
    assert dialog.text() == "sqrt(A@2)"
    assert tree.mimeData([band]).text() == "A@2"
    dialog.search.setText("")
    assert not tree.topLevelItem(0).isHidden()


def test_enter_goes_from_a_search_to_what_was_found(dialog: Any) -> None:
    dialog.activateWindow()
    wait_for(dialog.isActiveWindow)
    for search, tree, text in (
        (dialog.search, dialog.tree, "hyperbolic cosine"),
        (dialog.saved.search, dialog.saved.tree, "decibels"),
    ):
        search.setFocus()
        QTest.keyClicks(search, text)
        press(search, Qt.Key.Key_Return)
        assert dialog.isVisible() and tree.hasFocus()
        press(tree, Qt.Key.Key_Return)
    assert dialog.text() == "10 * log10(A)"
    dialog.panel.edit.undo()
    assert dialog.text() in ("A@1cosh()", "cosh()A@1")


def test_a_drag_is_dropped_into_the_text(dialog: Any) -> None:
    data = dialog.tree.mimeData([dialog.tree.topLevelItem(0).child(1).child(0)])
    dialog.panel.edit.moveCursor(dialog.panel.edit.textCursor().MoveOperation.End)
    assert dialog.panel.edit.canInsertFromMimeData(data)
    dialog.panel.edit.insertFromMimeData(data)
    assert dialog.text() == "A@1B@1"


def test_the_keyboard_accepts(dialog: Any) -> None:
    dialog.activateWindow()
    dialog.panel.edit.setFocus()
    wait_for(dialog.panel.edit.hasFocus)
    press(dialog.panel.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert dialog.result() == 1 and dialog.text() == "A@1"


def rows(item: Any) -> Iterator[Any]:
    """Yield all rows below an item."""
    for row in range(item.childCount()):
        yield item.child(row)
        yield from rows(item.child(row))


def test_the_tree_has_results_and_indices_of_the_bands(dialog: Any) -> None:
    dialog.panel.set_text("low := A@1; high := low * 2; low + high")
    answered(dialog.panel)
    tree = dialog.tree
    assert [each.text(0) for each in rows(tree.topLevelItem(2))] == ["low", "high"]
    indices = {each.text(0): each for each in rows(tree.topLevelItem(5))}
    assert "NDVI" in indices and "NBR" not in indices
    dialog.panel.edit.selectAll()
    tree.itemDoubleClicked.emit(indices["NDVI"], 0)
    assert dialog.text() == "((A@2 - A@1) / (A@2 + A@1))"
    assert answered(dialog.panel).error is None


@pytest.mark.parametrize("colours", [("#ffffff", "#000000"), ("#1e1e1e", "#e0e0e0")])
def test_colours_can_be_read_in_light_and_dark(colours: tuple[str, str], panel: Any) -> None:
    """Contrast of at least 4.5, by the formula of WCAG 2.1 (1.4.3)."""
    from bandwise.gui.expression.highlighter import error_colour, formats, tinted

    def luminance(colour: QColor) -> float:
        parts = [part / 255 for part in colour.getRgb()[:3]]
        linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    palette = QPalette()
    background = QColor(colours[0])
    palette.setColor(QPalette.ColorRole.Base, background)
    palette.setColor(QPalette.ColorRole.Text, QColor(colours[1]))
    used = {part: look.foreground().color() for part, look in formats(palette).items()}
    shown = [used[part] for part in (Part.BAND, Part.FUNCTION, Part.NUMBER, Part.COMMENT)]
    for colour in (*shown, error_colour(palette), tinted(palette, 40)):
        high, low = sorted((luminance(colour), luminance(background)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, colour.name()
    panel.setPalette(palette)  # and a change of the theme is followed
    panel.set_text("A + 1")
    answered(panel)


def test_saved_expressions_in_the_window(dialog: Any, tmp_path: Path) -> None:
    from bandwise.gui.expression.saved import Saved
    from bandwise.gui.expression.saved_widget import SaveDialog

    saved = dialog.saved
    save = SaveDialog("A@1 * 2", dialog)
    save.name.setText(" Twice ")
    save.tags.setText("test, , two words")
    assert save.saved() == Saved("Twice", "A@1 * 2", "", ("test", "two words"))
    saved.save(save.saved())
    saved.search.setText("two words")
    (row,) = [item for item in saved.rows() if not item.isHidden()]
    assert [row.text(column) for column in range(2)] == ["Twice", "A@1 * 2"]
    row.setSelected(True)
    QTest.mouseClick(saved.buttons["use"], Qt.MouseButton.LeftButton)
    assert dialog.text() == "A@1 * 2"
    saved.export_file(str(tmp_path / "out.json"))
    saved.search.setText("")
    next(item for item in saved.rows() if item.text(0) == "Twice").setSelected(True)
    QTest.mouseClick(saved.buttons["delete"], Qt.MouseButton.LeftButton)
    assert "Twice" not in [item.text(0) for item in saved.rows()]
    saved.import_file(str(tmp_path / "out.json"))
    assert "Twice" in [item.text(0) for item in saved.rows()] and "1" in saved.note.text()
    saved.import_file(str(tmp_path / "missing.json"))
    assert "does not exist" in saved.note.text()
    empty = SaveDialog("", dialog)
    empty.name.setText("x")
    kinds = type(empty.box).StandardButton
    assert not empty.box.button(kinds.Ok).isEnabled() and save.box.button(kinds.Ok).isEnabled()
