# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of guarantees names every kind of stress, and only tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def test_every_kind_is_promised_and_every_test_exists() -> None:
    text = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    kinds = {
        f"tests/stress/{path.name}"
        for path in HERE.glob("test_*.py")
        if path != Path(__file__).resolve()
    }
    assert kinds <= named
    assert all((ROOT / path).is_file() for path in named)
    writer = (HERE / "guarantees.py").read_text(encoding="utf-8")
    assert all(f'"{Path(kind).name}"' in writer for kind in kinds)
