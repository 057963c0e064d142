# SPDX-License-Identifier: GPL-2.0-or-later
"""What the plugin does with Qt alone, on Qt 6: sentences in the user's language, icons, help pages, and every
name of Qt that its modules use.
"""

from __future__ import annotations

import ast
import importlib
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from functools import partial, reduce
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PyQt6.QtCore import QT_VERSION_STR, QCoreApplication, QLocale, Qt, QTranslator
from PyQt6.QtGui import QIcon, QTextDocument
from PyQt6.QtWidgets import QDialogButtonBox

from scripts import sentences

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    [ROOT / "plugin.py", *(ROOT / "algorithms").rglob("*.py"), *(ROOT / "gui").rglob("*.py")]
)


def modules_of_qgis(path: Path) -> dict[str, list[str]]:
    """Return what a source imports from QGIS, by module."""
    return {
        str(node.module): [alias.name for alias in node.names]
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("qgis.")
    }


def spoken() -> set[str]:
    """Return every sentence of the plugin and the engine."""
    texts = {
        text
        for path in sentences.sources()
        for found in sentences.sentences(ROOT / path).values()
        for text in found
    }
    assert len(texts) > 100
    return texts


class Capitals(QTranslator):
    """A language in which everything of the plugin is said in capitals; gaps for values stay."""

    def translate(
        self, context: str, source: str, disambiguation: str | None = None, n: int = -1
    ) -> str:
        if context != "Bandwise":
            return ""
        parts = re.split(r"(\{[^}]*\})", source)
        return "".join(part if part.startswith("{") else part.upper() for part in parts)

    def isEmpty(self) -> bool:
        return False


@pytest.fixture
def capitals() -> Iterator[None]:
    translator = Capitals()
    assert QCoreApplication.installTranslator(translator)
    yield
    assert QCoreApplication.removeTranslator(translator)


def test_it_is_qt_6() -> None:
    assert QT_VERSION_STR.startswith("6.")
    assert "PyQt5" not in sys.modules


def test_modules_that_need_qt_alone_load() -> None:
    """The others are classes of Processing."""
    pure = [
        path
        for path in SOURCES
        if (used := modules_of_qgis(path)) and all(name.startswith("qgis.PyQt") for name in used)
    ]
    assert ROOT / "algorithms" / "language.py" in pure
    for path in pure:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        importlib.import_module(f"bandwise.{name}")
    assert "qgis.core" not in sys.modules


def test_the_list_of_indices() -> None:
    from bandwise.engine.indices.catalogue import listed_indices
    from bandwise.gui.indices_dialog import IndicesDialog

    dialog = IndicesDialog(listed_indices().values(), ["SAVI"], ["nir", "red"])
    rows = {item.text(0): item for item in dialog.items() if not item.isHidden()}
    assert "NDVI" in rows and "NBR" not in rows
    rows["NDVI"].setCheckState(0, Qt.CheckState.Checked)
    dialog.search.setText("soil")
    assert dialog.names() == ["SAVI", "NDVI"] and rows["NDVI"].isHidden()
    for place, kind in enumerate(("Cancel", "Ok")):
        buttons = dialog.findChild(QDialogButtonBox)
        buttons.button(QDialogButtonBox.StandardButton[kind]).click()
        assert dialog.result() == place


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_name_of_qt_is_there(path: Path) -> None:
    """Those that are imported, and what is reached through them: ``QUrl.fromLocalFile``."""
    known = {
        name: getattr(importlib.import_module(module), name)
        for module, names in modules_of_qgis(path).items()
        if module.startswith("qgis.PyQt")
        for name in names
    }
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            first, *names = ast.unparse(node).split(".")
            if first in known and all(name.isidentifier() for name in names):
                reduce(getattr, names, known[first])


def test_every_sentence_can_be_translated(capitals: None) -> None:
    for text in spoken():
        said = QCoreApplication.translate("Bandwise", text)
        assert re.sub(r"\{[^}]*\}", "", said) == re.sub(r"\{[^}]*\}", "", text).upper()
        assert re.findall(r"\{[^}]*\}", said) == re.findall(r"\{[^}]*\}", text)


def test_the_language_of_the_user_is_loaded(tmp_path: Path) -> None:
    from bandwise.algorithms.language import install_translator

    QLocale.setDefault(QLocale("de_AT"))
    assert install_translator(tmp_path) is None
    (tmp_path / "bandwise_de.qm").write_bytes(compiled("Vegetation indices", "Vegetationsindizes"))
    translator = install_translator(tmp_path)
    assert translator is not None
    assert QCoreApplication.translate("Bandwise", "Vegetation indices") == "Vegetationsindizes"
    assert QCoreApplication.removeTranslator(translator)
    assert QCoreApplication.translate("Bandwise", "Vegetation indices") == "Vegetation indices"


def compiled(source: str, translation: str) -> bytes:
    """Return a file of translations, as Qt's ``lrelease`` writes it, with one sentence."""
    value = 0
    for byte in source.encode():
        value = (value << 4) + byte
        value ^= (value & 0xF0000000) >> 24
        value &= 0x0FFFFFFF

    def tagged(tag: int, data: bytes) -> bytes:
        return struct.pack(">BI", tag, len(data)) + data

    message = tagged(3, translation.encode("utf-16-be")) + tagged(6, source.encode())
    message += tagged(7, b"Bandwise") + b"\x01"
    magic = bytes.fromhex("3cb86418caef9c95cd211cbf60a1bddd")
    return magic + tagged(0x42, struct.pack(">II", value, 0)) + tagged(0x69, message)


def test_a_sentence_of_the_engine_is_translated(capitals: None) -> None:
    from bandwise.engine.messages import translate

    inner = translate("Bandwise", "no such band").format()
    text = translate("Bandwise", "{name}: {reason}; check the path.").format(
        name="a.tif", reason=inner
    )
    assert text == "a.tif: no such band; check the path."
    said = text.in_language(partial(QCoreApplication.translate, "Bandwise"))
    assert said == "a.tif: NO SUCH BAND; CHECK THE PATH."


@pytest.mark.parametrize(
    "path", sorted((ROOT / "resources" / "icons").iterdir()), ids=lambda path: path.name
)
def test_every_icon_is_drawn(path: Path) -> None:
    image = QIcon(str(path)).pixmap(24, 24).toImage()
    pixels = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    assert len(pixels) > 2


@pytest.mark.parametrize(
    "path", sorted((ROOT / "resources" / "help").glob("*.html")), ids=lambda path: path.name
)
def test_every_help_page_is_text(path: Path) -> None:
    document = QTextDocument()
    document.setHtml(path.read_text("utf-8"))
    assert len(document.toPlainText()) > 500
    assert "</" not in document.toPlainText()


def test_pylupdate6_finds_every_sentence(tmp_path: Path) -> None:
    """In the sources, and in the twins that are made for ``pylupdate5``."""
    program = Path(sys.executable).with_name("pylupdate6")
    for name, files in (
        ("sources", [ROOT / path for path in sentences.sources()]),
        ("twins", sentences.write_twins(tmp_path / "twins")),
    ):
        ts = tmp_path / f"{name}.ts"
        subprocess.run([program, "--ts", ts, *files], check=True, capture_output=True)
        extracted = {source.text for source in ElementTree.parse(ts).iter("source")}
        assert spoken() - extracted == set(), name
