# SPDX-License-Identifier: GPL-2.0-or-later
"""Find what QGIS's own porting script, ``pyqt5_to_pyqt6.py``, changes or warns about: it fails on Qt 6.

    python -m scripts.qt6_rules FILE_OR_FOLDER ...

Enums are looked up in the QGIS and Qt that run this: a member has to be reached through its enum.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_IMPORTS = {
    "QRegExp": "Qt 6 has no QRegExp; use QRegularExpression",
    "resources_rc": "Qt 6 has no compiled resources; load the files by their path",
    "qApp": "Qt 6 has no qApp; use QApplication.instance()",
    "QDesktopWidget": "Qt 6 has no QDesktopWidget; ask QScreen",
}
_RENAMED = {
    "MidButton": "MouseButton.MiddleButton",
    "TextColorRole": "ItemDataRole.ForegroundRole",
    "BackgroundColorRole": "ItemDataRole.BackgroundRole",
    "HighQualityAntialiasing": "RenderHint.Antialiasing",
}
_METRICS = ("QFontMetrics", "QFontMetricsF", "fontMetrics")
_ENUM_TYPES = ("enumtype", "EnumMeta", "EnumType")  # of PyQt5, Python 3.9, Python 3.11


def faults(source: str) -> list[tuple[int, str]]:
    """Return the line and a sentence for each part of a Python source that Qt 6 does not take."""
    tree = ast.parse(source)
    imported = _imported(tree)
    metrics = _names_of_font_metrics(tree)
    found: set[tuple[int, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            sentences = _of_import(node)
        elif isinstance(node, ast.Call):
            sentences = _of_call(node)
        elif isinstance(node, ast.Attribute):
            sentences = _of_attribute(node, metrics, imported)
        elif isinstance(node, ast.Subscript):
            sentences = _of_subscript(node)
        elif isinstance(node, ast.FunctionDef) and node.name == "exec_":
            sentences = iter(["exec_() is called exec() in Qt 6"])
        else:
            continue
        found |= {(node.lineno, sentence) for sentence in sentences}
    return sorted(found)


def _of_import(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    module = getattr(node, "module", "") or ""
    names = [alias.name for alias in node.names]
    if any(name.split(".")[0] in ("PyQt4", "PyQt5", "PyQt6") for name in (module, *names)):
        yield "import Qt from qgis.PyQt, which is the Qt of the QGIS that runs"
    if module == "qgis.PyQt.Qt":
        yield "Qt 6 has no module Qt; import from QtCore, QtGui or QtWidgets"
    for name in names:
        if name in _IMPORTS or name.endswith("_rc"):
            yield _IMPORTS.get(name, _IMPORTS["resources_rc"])


def _of_call(node: ast.Call) -> Iterator[str]:
    name = _last_name(node.func)
    first = node.args[0] if len(node.args) == 1 else None
    if name == "exec_":
        yield "exec_() is called exec() in Qt 6"
    elif name == "addAction" and len(node.args) >= 4:
        yield "Qt 6 orders the arguments of addAction() differently; make a QAction and add it"
    elif name == "desktop" and not node.args and isinstance(node.func, ast.Attribute):
        yield _IMPORTS["QDesktopWidget"]
    elif name == "QVariant" and (not node.args or _chain(first)[:1] == ["QVariant"]):
        yield "an invalid QVariant is NULL of qgis.core"
    elif name == "QDateTime" and (
        len(node.args) == 8 or (isinstance(first, ast.Call) and _last_name(first.func) == "QDate")
    ):
        yield "Qt 6 makes a QDateTime of a QDate and a QTime"


def _of_attribute(
    node: ast.Attribute, metrics: set[str], imported: dict[str, Any]
) -> Iterator[str]:
    chain = _chain(node)
    if chain[:1] == ["qApp"]:
        yield _IMPORTS["qApp"]
    if chain[:1] == ["QVariant"] and len(chain) == 2:
        yield "types of QVariant are QMetaType.Type in Qt 6"
    if node.attr == "width":
        made = _last_name(node.value.func) if isinstance(node.value, ast.Call) else ""
        if made in _METRICS or _last_name(node.value) in metrics:
            yield "Qt 6 has no QFontMetrics.width(); use horizontalAdvance()"
    if chain[:1] in (["Qt"], ["QPainter"]) and node.attr in _RENAMED:
        yield f"{node.attr} is called {_RENAMED[node.attr]} in Qt 6"
    enum = _enum_left_out(chain, imported)
    if enum:
        yield f"{'.'.join(chain)} needs its enum: {'.'.join(chain[:-1])}.{enum}.{node.attr}"


def _of_subscript(node: ast.Subscript) -> Iterator[str]:
    if _last_name(node.value) == "activated" and _last_name(node.slice) == "str":
        yield "Qt 6 has no activated[str]; use textActivated"


def _enum_left_out(chain: list[str], imported: dict[str, Any]) -> str:
    """Return the name of the enum that stands between a class and its member; empty if it is there."""
    if len(chain) < 2 or chain[0] not in imported:
        return ""
    owner, value = None, imported[chain[0]]
    for name in chain[1:]:
        owner, value = value, getattr(value, name, None)
    enum = type(value)
    if type(enum).__name__ not in _ENUM_TYPES or not isinstance(owner, type) or owner is enum:
        return ""
    return enum.__name__


def _imported(tree: ast.Module) -> dict[str, Any]:
    """Return what a source imports from QGIS and its Qt, by the name it has there."""
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("qgis."):
            module = importlib.import_module(str(node.module))
            found |= {
                alias.asname or alias.name: getattr(module, alias.name, None)
                for alias in node.names
            }
    return found


def _names_of_font_metrics(tree: ast.Module) -> set[str]:
    """Return the variables that hold font metrics."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        if isinstance(target, ast.Name) and _last_name(node.value.func) in _METRICS
    }


def _last_name(node: ast.AST | None) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def _chain(node: ast.AST | None) -> list[str]:
    """Return ``a.b.c`` as a list of its names; empty where it starts with anything but a name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id, *names] if isinstance(node, ast.Name) else []


def main(arguments: list[str]) -> None:
    paths = [Path(argument) for argument in arguments]
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))]
    lines = [
        f"{file}:{line}: {sentence}"
        for file in sorted(files)
        for line, sentence in faults(file.read_text("utf-8"))
    ]
    if lines or not files:
        sys.exit("\n".join(lines) or "No Python file is in what was given.")


if __name__ == "__main__":
    main(sys.argv[1:])
