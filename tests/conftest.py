# SPDX-License-Identifier: GPL-2.0-or-later
"""Registers the repository root as the package ``bandwise``, whatever its folder is called."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if "bandwise" not in sys.modules:
    spec = importlib.util.spec_from_file_location("bandwise", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bandwise"] = module
    spec.loader.exec_module(module)
