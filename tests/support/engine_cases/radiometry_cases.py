# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of radiometry have in common: rasters, tables and fixtures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from bandwise.engine.radiometry.scaling import (
    Declared,
    Radiometry,
    RadiometryChoice,
    Scaling,
)
from bench import Bench

STORED, CUSTOM = (
    RadiometryChoice(Scaling.STORED),
    RadiometryChoice(Scaling.CUSTOM, scale=0.002, offset=0.5),
)


UINT16 = Declared("uint16")


def sentinel2(
    level: str = "L2A",
    *,
    quantification: str = "10000",
    offsets: dict[str, str] | None = None,
    uri: str = "",
    body: str = "",
) -> str:
    """A product file as ESA writes it, cut to what matters; ``offsets`` by band id."""
    name, add = (
        ("BOA_QUANTIFICATION_VALUE", "BOA_ADD_OFFSET")
        if level == "L2A"
        else ("QUANTIFICATION_VALUE", "RADIO_ADD_OFFSET")
    )
    listed = "".join(
        f'<{add} band_id="{band}">{value}</{add}>' for band, value in (offsets or {}).items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-{level[1:]}_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-{level[1:]}.xsd">
<PRODUCT_URI>{uri}</PRODUCT_URI>
<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
<Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>
<{name} unit="none">{quantification}</{name}><AOT_QUANTIFICATION_VALUE>1000.0</AOT_QUANTIFICATION_VALUE>
{listed}{body}
</n1:Level-{level[1:]}_User_Product>
"""


@pytest.fixture
def safe(bench: Bench) -> Callable[..., str]:
    """A function from (text or file of metadata, name of the band file, level) to the path of a
    band in a SAFE folder (not yet a raster).
    """

    def make(
        metadata: str | Path | None,
        name: str = "T33UUU_20220413T150759_B04_10m.jp2",
        *,
        level: str = "L2A",
    ) -> str:
        inner = "IMG_DATA" if level == "L1C" else f"IMG_DATA/R{name.rpartition('.')[0][-3:]}"
        target = Path(bench.path(f"PRODUCT.SAFE/MTD_MSI{level}.xml"))
        if isinstance(metadata, Path):
            shutil.copyfile(metadata, target)
        elif metadata is not None:
            target.write_text(metadata)
        return bench.path(
            f"PRODUCT.SAFE/GRANULE/{level}_T33UUU_A000001_20220413T150759/{inner}/{name}"
        )

    return make


def facts(radiometry: Radiometry) -> tuple[float, float, float | None, float | None]:
    return radiometry.scale, radiometry.offset, radiometry.nodata, radiometry.saturated


def nested_entities() -> str:
    """A billion laughs: ten levels of ten entities each."""
    entities = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 '
        f'"lol">{entities}]><x><BOA_QUANTIFICATION_VALUE>&e9;</BOA_QUANTIFICATION_VALUE></x>'
    )
