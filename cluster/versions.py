# SPDX-License-Identifier: GPL-2.0-or-later
"""Versions that pixels or bytes of a result may depend on; they are the same on all machines."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine import __version__
from ..engine.backend.choice import backend
from ..engine.errors import InputError
from ..engine.messages import shown, translate


def own_versions() -> dict[str, str]:
    """Return the versions of this machine, by the name of what has them."""
    library = backend()
    return {
        "Bandwise": __version__,
        library.name: library.version,
        "GDAL": ".".join(map(str, library.gdal_version)),
        "PROJ": library.proj_version,
        "numpy": np.__version__,
    }


def check_versions(wanted: Any, whose: str, own: dict[str, str] | None = None) -> None:
    """Raise :class:`InputError` where versions differ from those of ``whose``."""
    own = own_versions() if own is None else own
    if wanted != own:
        wanted = wanted if isinstance(wanted, dict) else {}
        text = translate(
            "Bandwise",
            "{whose} has {wanted} and this machine has {own}; use the same versions on all machines, "
            "for others may give other pixels.",
        )
        names = [name for name in {**wanted, **own} if wanted.get(name) != own.get(name)]
        raise InputError(
            text.format(whose=whose, wanted=_listed(names, wanted), own=_listed(names, own))
        )


def _listed(names: list[str], versions: dict[str, Any]) -> str:
    return ", ".join(shown(f"{name} {versions.get(name, '-')}") for name in names) or "-"
