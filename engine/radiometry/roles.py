# SPDX-License-Identifier: GPL-2.0-or-later
"""Roles of bands, by which indices name them, and a table a sensor: which of its bands has which role.

Roles are those of the Awesome Spectral Indices list: Montero et al. (2023), doi:10.1038/s41597-023-02096-0.
"""

from __future__ import annotations

from typing import NamedTuple

from ..messages import Text, translate

#: The role of each code of the Awesome Spectral Indices list.
ROLES_BY_CODE = {
    "A": "coastal", "B": "blue", "G1": "green1", "G": "green", "Y": "yellow", "R": "red",
    "RE1": "rededge1", "RE2": "rededge2", "RE3": "rededge3", "N": "nir", "N2": "nir2",
    "WV": "watervapour", "S1": "swir1", "S2": "swir2", "T": "thermal", "T1": "thermal1",
    "T2": "thermal2", "HV": "hv", "VH": "vh", "HH": "hh", "VV": "vv",
}  # fmt: skip
#: All roles; some have no code, for no index of the list uses them.
ROLES = (*ROLES_BY_CODE.values(), "pan", "cirrus")

ROLE_TEXTS = {
    "coastal": translate("Bandwise", "coastal blue").format(),
    "blue": translate("Bandwise", "blue").format(),
    "green1": translate("Bandwise", "green at 531 nm").format(),
    "green": translate("Bandwise", "green").format(),
    "yellow": translate("Bandwise", "yellow").format(),
    "red": translate("Bandwise", "red").format(),
    "rededge1": translate("Bandwise", "red edge at 705 nm").format(),
    "rededge2": translate("Bandwise", "red edge at 740 nm").format(),
    "rededge3": translate("Bandwise", "red edge at 783 nm").format(),
    "nir": translate("Bandwise", "near infrared").format(),
    "nir2": translate("Bandwise", "narrow near infrared at 865 nm").format(),
    "watervapour": translate("Bandwise", "water vapour").format(),
    "swir1": translate("Bandwise", "shortwave infrared at 1.6 µm").format(),
    "swir2": translate("Bandwise", "shortwave infrared at 2.2 µm").format(),
    "thermal": translate("Bandwise", "thermal infrared").format(),
    "thermal1": translate("Bandwise", "thermal infrared at 10.9 µm").format(),
    "thermal2": translate("Bandwise", "thermal infrared at 12 µm").format(),
    "hv": translate("Bandwise", "radar polarisation HV").format(),
    "vh": translate("Bandwise", "radar polarisation VH").format(),
    "hh": translate("Bandwise", "radar polarisation HH").format(),
    "vv": translate("Bandwise", "radar polarisation VV").format(),
    "pan": translate("Bandwise", "panchromatic").format(),
    "cirrus": translate("Bandwise", "cirrus").format(),
}


class SensorBand(NamedTuple):
    """A band of a sensor: its ``roles``, and its central ``wavelength`` in nm (0 for radar)."""

    name: str
    wavelength: float
    roles: tuple[str, ...]


def _table(*rows: tuple[str, float, str]) -> tuple[SensorBand, ...]:
    return tuple(
        SensorBand(name, wavelength, tuple(roles.split())) for name, wavelength, roles in rows
    )


#: Sentinel-2A; ESA, Sentinel-2 Spectral Response Functions (COPE-GSEG-EOPG-TN-15-0007). Products of
#: 20 and 60 m have no B08: there B8A is the near infrared.
_SENTINEL2 = _table(
    ("B01", 442.7, "coastal"),
    ("B02", 492.4, "blue"),
    ("B03", 559.8, "green"),
    ("B04", 664.6, "red"),
    ("B05", 704.1, "rededge1"),
    ("B06", 740.5, "rededge2"),
    ("B07", 782.8, "rededge3"),
    ("B08", 832.8, "nir"),
    ("B8A", 864.7, "nir2 nir"),
    ("B09", 945.1, "watervapour"),
    ("B10", 1373.5, "cirrus"),
    ("B11", 1613.7, "swir1"),
    ("B12", 2202.4, "swir2"),
)
#: USGS, What are the band designations for the Landsat satellites? Each wavelength is the middle of
#: its band. B5 of OLI, 850 to 880 nm, is the near infrared and is as narrow as Sentinel-2's B8A.
_OLI = _table(
    ("B1", 440.0, "coastal"),
    ("B2", 480.0, "blue"),
    ("B3", 560.0, "green"),
    ("B4", 655.0, "red"),
    ("B5", 865.0, "nir nir2"),
    ("B6", 1610.0, "swir1"),
    ("B7", 2200.0, "swir2"),
    ("B8", 590.0, "pan"),
    ("B9", 1370.0, "cirrus"),
    ("B10", 10895.0, "thermal1"),
    ("B11", 12005.0, "thermal2"),
)
_TM = _table(
    ("B1", 485.0, "blue"),
    ("B2", 560.0, "green"),
    ("B3", 660.0, "red"),
    ("B4", 830.0, "nir"),
    ("B5", 1650.0, "swir1"),
    ("B6", 11450.0, "thermal"),
    ("B7", 2215.0, "swir2"),
)
_ETM = _table(
    *(("B1", 485.0, "blue"), ("B2", 560.0, "green"), ("B3", 660.0, "red"), ("B4", 835.0, "nir")),
    *(("B5", 1650.0, "swir1"), ("B6", 11450.0, "thermal"), ("B7", 2220.0, "swir2")),
    ("B8", 710.0, "pan"),
)
_MSS_1_TO_3 = _table(
    *(("B4", 550.0, "green"), ("B5", 650.0, "red"), ("B6", 750.0, "nir"), ("B7", 950.0, "nir")),
)
_MSS_4_AND_5 = _table(
    *(("B1", 550.0, "green"), ("B2", 650.0, "red"), ("B3", 750.0, "nir"), ("B4", 950.0, "nir")),
)
#: NASA, Harmonized Landsat Sentinel-2 (HLS) Product User Guide, version 2.0, table 5.
#: Of S30 only B8A is adjusted to the near infrared of L30.
_HLS_S30 = (
    *(band for band in _SENTINEL2 if band.name not in ("B08", "B8A")),
    *_table(("B8A", 864.7, "nir nir2"), ("B08", 832.8, "nir")),
)
_HLS_L30 = _table(
    ("B01", 440.0, "coastal"),
    ("B02", 480.0, "blue"),
    ("B03", 560.0, "green"),
    ("B04", 655.0, "red"),
    ("B05", 865.0, "nir nir2"),
    ("B06", 1610.0, "swir1"),
    ("B07", 2200.0, "swir2"),
    ("B09", 1370.0, "cirrus"),
    ("B10", 10895.0, "thermal1"),
    ("B11", 12005.0, "thermal2"),
)
#: NASA, MODIS Surface Reflectance User's Guide, collection 6; B11 is that of the ocean bands.
_MODIS = _table(
    ("B1", 645.0, "red"),
    ("B2", 858.5, "nir nir2"),
    ("B3", 469.0, "blue"),
    ("B4", 555.0, "green"),
    ("B5", 1240.0, ""),
    ("B6", 1640.0, "swir1"),
    ("B7", 2130.0, "swir2"),
    ("B11", 531.0, "green1"),
)
#: Planet Labs, Planet Imagery Product Specifications: bands by their descriptions.
_PLANETSCOPE = _table(
    ("coastal_blue", 441.5, "coastal"),
    ("blue", 490.0, "blue"),
    ("green_i", 531.0, "green1"),
    ("green", 565.0, "green"),
    ("yellow", 610.0, "yellow"),
    ("red", 665.0, "red"),
    ("rededge", 705.0, "rededge1"),
    ("nir", 865.0, "nir nir2"),
)
_SENTINEL1 = _table(("VV", 0.0, "vv"), ("VH", 0.0, "vh"), ("HH", 0.0, "hh"), ("HV", 0.0, "hv"))

#: The bands of each sensor; of several with one role the first is the usual one.
SENSORS = {
    "Sentinel-2": _SENTINEL2,
    **{f"Landsat {number}": _OLI for number in (8, 9)},
    **{f"Landsat {number}": _TM for number in (4, 5)},
    "Landsat 7": _ETM,
    **{f"Landsat {number} MSS": _MSS_1_TO_3 for number in (1, 2, 3)},
    **{f"Landsat {number} MSS": _MSS_4_AND_5 for number in (4, 5)},
    "HLS S30": _HLS_S30,
    "HLS L30": _HLS_L30,
    "MODIS": _MODIS,
    "PlanetScope": _PLANETSCOPE,
    "Sentinel-1": _SENTINEL1,
}


def role_text(role: str) -> Text | str:
    """Return a role in words."""
    return ROLE_TEXTS.get(role, role)


def bands_of_role(sensor: str, role: str) -> tuple[str, ...]:
    """Return the names of a sensor's bands of a role, the usual one first."""
    return tuple(band.name for band in SENSORS.get(sensor, ()) if role in band.roles)
