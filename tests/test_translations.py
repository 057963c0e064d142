# SPDX-License-Identifier: GPL-2.0-or-later
"""Qt's own tool finds every sentence of the plugin."""

from __future__ import annotations

import ast
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted([*ROOT.glob("engine/**/*.py"), *ROOT.glob("algorithms/*.py"), ROOT / "plugin.py"])


def sentences(path: Path) -> set[str]:
    """The literals of all calls of ``translate`` in a file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "translate" and len(node.args) == 2:
            context, text = node.args
            if isinstance(context, ast.Constant) and isinstance(text, ast.Constant):
                assert context.value == "Bandwise"
                found.add(text.value)
    return found


@pytest.mark.skipif(not shutil.which("pylupdate5"), reason="needs Qt's pylupdate5")
def test_pylupdate5_extracts_every_sentence(tmp_path: Path) -> None:
    ts = tmp_path / "bandwise.ts"
    subprocess.run(["pylupdate5", *map(str, FILES), "-ts", str(ts)], check=True, capture_output=True)
    extracted = {source.text for source in ElementTree.parse(ts).iter("source")}
    spoken = set().union(*map(sentences, FILES))
    assert len(spoken) > 100
    assert spoken - extracted == set()
