# SPDX-License-Identifier: GPL-2.0-or-later
"""Which role a band has, of every sensor: by names of files, and by descriptions that only together tell."""

from __future__ import annotations

import pytest
from bandwise.engine.radiometry.band_names import (
    completed,
    name_of_band,
    name_of_file,
    wavelength_of,
)
from bandwise.engine.radiometry.roles import ROLE_TEXTS, ROLES, SENSORS

FILES = {
    "T29UNU_20221005T115411_B01_60m.jp2": "coastal",
    "T29UNU_20221005T115411_B05_20m.jp2": "rededge1",
    "T29UNU_20221005T115411_B8A_20m.jp2": "nir nir2",
    "T29UNU_20221005T115411_B11_20m.jp2": "swir1",
    "T29UNU_20221005T115411_SCL_20m.jp2": "",
    "LC08_L2SP_001070_20190114_20200830_02_T2_SR_B5.TIF": "nir nir2",
    "LC08_L2SP_001070_20190114_20200830_02_T2_SR_B6.TIF": "swir1",
    "LC08_L2SP_001070_20190114_20200830_02_T2_ST_B10.TIF": "thermal1",
    "LE07_L2SP_001070_20000114_20200830_02_T1_ST_B6.TIF": "thermal",
    "LE07_L2SP_001070_20000114_20200830_02_T1_SR_B4.TIF": "nir",
    "LC08_L1TP_195025_20130707_20170503_01_T1_B8.TIF": "pan",
    "LM01_L1TP_195025_19730707_20180503_02_T2_B4.TIF": "green",
    "HLS.S30.T18TYN.2019001T155641.v2.0.B8A.tif": "nir nir2",
    "HLS.L30.T18TYN.2019001T155641.v2.0.B05.tif": "nir nir2",
    "HLS.L30.T18TYN.2019001T155641.v2.0.B06.tif": "swir1",
    "HLS.L30.T18TYN.2019001T155641.v2.0.Fmask.tif": "",
    "s1a-iw-grd-vh-20190101t155641-20190101t155706-025287-02cc1a-002.tiff": "vh",
}


@pytest.mark.parametrize("name", FILES)
def test_the_roles_of_a_file(name: str) -> None:
    found = name_of_file(name)
    assert found is not None and found.roles == set(FILES[name].split())
    assert found.classes == ("SCL" in name or "Fmask" in name)
    if found.roles and "vh" not in found.roles:
        assert wavelength_of(found)


@pytest.mark.parametrize(
    ("description", "roles"),
    [
        ("sur_refl_b02_1", "nir nir2"),
        ("Nadir_Reflectance_Band6", "swir1"),
        ("Sigma0_VV_db", "vv"),
        ("coastal_blue", "coastal"),
        ("green_i", "green1"),
        ("rededge", "rededge1"),
        ("nir08", "nir2 nir"),
        ("lwir11", "thermal1"),
        ("Yellow", "yellow"),
        ("swir", ""),
    ],
)
def test_the_roles_of_a_description(description: str, roles: str) -> None:
    found = name_of_band(description)
    assert found is not None and found.roles == set(roles.split())


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        ("B2 B3 B4 B8 B8A B11 B12", "blue green red nir nir+nir2 swir1 swir2"),
        ("B02 B03 B04 B08", "blue green red nir"),
        ("SR_B3 SR_B4 SR_B5 ST_B10", "green red nir+nir2 thermal1"),
        ("SR_B3 SR_B4 SR_B5 ST_B6", "red nir swir1 thermal"),
        ("B02 B05 B06 B10 B07 B09", None),
        ("B3 B4 B5", None),
    ],
)
def test_bands_that_together_tell_their_sensor(names: str, roles: str | None) -> None:
    found = completed([name_of_band(name) for name in names.split()])
    kinds = [set() if band is None else set(band.roles) for band in found]
    if roles is None:
        assert any(len(kind) > 2 or {"red", "green"} <= kind for kind in kinds), "ambiguous"
    else:
        assert kinds == [set(each.split("+")) for each in roles.split()]


def test_tables_are_whole() -> None:
    assert set(ROLE_TEXTS) == set(ROLES)
    for bands in SENSORS.values():
        assert {role for band in bands for role in band.roles} <= set(ROLES)
        assert len({band.name for band in bands}) == len(bands)
