# SPDX-License-Identifier: GPL-2.0-or-later
"""Qt's own tool finds every sentence of the plugin."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]
_spec = importlib.util.spec_from_file_location("sentences", ROOT / "scripts" / "sentences.py")
assert _spec is not None and _spec.loader is not None
tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tool)


def test_the_tool_knows_the_sentences() -> None:
    spoken = [
        text
        for path in tool.sources()
        for texts in tool.sentences(ROOT / path).values()
        for text in texts
    ]
    assert len(set(spoken)) > 100


@pytest.mark.skipif(not shutil.which("pylupdate5"), reason="needs Qt's pylupdate5")
def test_pylupdate5_extracts_every_sentence(tmp_path: Path) -> None:
    twins = tool.write_twins(tmp_path)
    ts = tmp_path / "bandwise.ts"
    subprocess.run(
        ["pylupdate5", *map(str, twins), "-ts", str(ts)], check=True, capture_output=True
    )
    extracted = {source.text for source in ElementTree.parse(ts).iter("source")}
    spoken = {
        text
        for path in tool.sources()
        for texts in tool.sentences(ROOT / path).values()
        for text in texts
    }
    assert spoken - extracted == set()
