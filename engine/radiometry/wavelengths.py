# SPDX-License-Identifier: GPL-2.0-or-later
"""The roles of bands by their wavelengths, for sensors that no table knows.

Ranges are those of the common names of the STAC extension ``eo`` 2.0, parted where they overlap; the
centres are those of Sentinel-2, MODIS and Landsat, for whose bands most indices were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_WIDE = 150.0  #: nm; what sees more of the visible light is panchromatic
_NARROW = 60.0  #: nm


class Spectrum(NamedTuple):
    """The central ``wavelength`` of a band and its ``width`` at half of its maximum, in nm; 0 where not known."""

    wavelength: float
    width: float = 0.0


class _Range(NamedTuple):
    """Wavelengths of a role from ``low`` to below ``high``, in nm; the usual one is ``centre``.

    Widths are those from ``least`` to ``widest``: with a least one, those that are told.
    """

    role: str
    low: float
    high: float
    centre: float
    widest: float = _WIDE
    least: float = 0.0


_RANGES = (
    _Range("coastal", 400, 450, 443),
    _Range("blue", 450, 515, 490),
    _Range("green1", 521, 541, 531, _NARROW, 1),
    _Range("green", 515, 585, 560),
    _Range("yellow", 585, 620, 610),
    _Range("red", 620, 690, 660),
    _Range("rededge1", 690, 725, 705, _NARROW),
    _Range("rededge2", 725, 760, 740, _NARROW),
    _Range("rededge3", 760, 800, 783, _NARROW),
    _Range("nir", 760, 900, 835, 1e9),
    _Range("nir2", 850, 880, 865, _NARROW),
    _Range("watervapour", 900, 1000, 945, _NARROW),
    _Range("cirrus", 1350, 1400, 1375, 1e9),
    _Range("swir1", 1550, 1750, 1610, 1e9),
    _Range("swir2", 2080, 2350, 2200, 1e9),
    _Range("thermal1", 10_400, 11_300, 10_900, 1e9),
    _Range("thermal", 11_300, 11_600, 11_450, 1e9),
    _Range("thermal2", 11_600, 12_500, 12_000, 1e9),
)


def roles_by_wavelength(bands: Sequence[Spectrum]) -> list[tuple[str, ...]]:
    """Return the roles of each band, the one whose centre is nearest first.

    Of several bands in the range of a role the nearest to its centre has it, and all that are as near.
    """
    found: list[list[tuple[float, str]]] = [[] for _ in bands]
    for row in _RANGES:
        distances = {
            place: abs(band.wavelength - row.centre)
            for place, band in enumerate(bands)
            if row.low <= band.wavelength < row.high and row.least <= band.width <= row.widest
        }
        nearest = min(distances.values(), default=0.0)
        for place, distance in distances.items():
            if distance == nearest:
                found[place].append((distance, row.role))
    return [tuple(role for _, role in sorted(roles)) for roles in found]
