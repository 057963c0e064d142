# SPDX-License-Identifier: GPL-2.0-or-later
"""PyQt6 as QGIS 4's ``qgis.PyQt`` hands it on, and the plugin's package; of QGIS there is nothing else.

``make test`` runs this folder in an environment of its own, without the fixtures of the folders above.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import PyQt6
import pytest
from PyQt6 import QtCore, QtGui, QtTest, QtWidgets, sip

ROOT = Path(__file__).resolve().parents[2]

sys.modules["qgis"] = ModuleType("qgis")
sys.modules["qgis.PyQt"] = PyQt6
for module in (QtCore, QtGui, QtTest, QtWidgets, sip):
    sys.modules[module.__name__.replace("PyQt6", "qgis.PyQt")] = module

spec = importlib.util.spec_from_file_location(
    "bandwise", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
)
assert spec is not None and spec.loader is not None
sys.modules["bandwise"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["bandwise"])


@pytest.fixture(scope="session", autouse=True)
def application() -> Iterator[QtWidgets.QApplication]:
    yield QtWidgets.QApplication(["test", "-platform", "offscreen"])
