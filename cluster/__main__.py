# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: ``python -m bandwise.cluster``, or ``python -m cluster`` in the plugin's folder."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path


def registered() -> str:
    """Return the name of the plugin's package; its folder is registered as ``bandwise``, whatever it is called."""
    above = (__package__ or "").rpartition(".")[0]
    if above:
        return above
    root = Path(__file__).resolve().parents[1]
    if "bandwise" not in sys.modules:
        package = types.ModuleType("bandwise")
        package.__path__ = [str(root)]
        sys.modules["bandwise"] = package
    return "bandwise"


if __name__ == "__main__":
    sys.exit(importlib.import_module(f"{registered()}.cluster.command").main())
