# SPDX-License-Identifier: GPL-2.0-or-later
"""For ``dask worker --preload``: makes the plugin's folder importable as ``bandwise`` in a worker."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any


def dask_setup(worker: Any) -> None:
    """Called by dask in each worker when it starts."""
    del worker
    if "bandwise" not in sys.modules:
        root = Path(__file__).resolve().parents[1]
        package = types.ModuleType("bandwise")
        package.__path__ = [str(root)]
        sys.modules["bandwise"] = package
