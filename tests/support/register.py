# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin's package for processes of their own."""

from __future__ import annotations

from pathlib import Path

from other_systems import PLAY, SYSTEM

ROOT = Path(__file__).resolve().parents[2]

#: What a bare Python process needs before it can ``from bandwise.engine.execution.pipeline import run``.
REGISTER = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("bandwise", {str(ROOT / "__init__.py")!r},
    submodule_search_locations=[{str(ROOT)!r}])
sys.modules["bandwise"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["bandwise"])
"""
REGISTER += PLAY if SYSTEM else ""
