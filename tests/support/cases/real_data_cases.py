# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of real data have in common: rasters, tables and fixtures."""

from __future__ import annotations

import numpy as np

N0400 = "sentinel2_safe_N0400_original_jp2"


SAFE = f"{N0400}/S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE"


R60M = f"{SAFE}/GRANULE/L2A_T29UNU_A038058_20221005T115407/IMG_DATA/R60m/T29UNU_20221005T115411"


OLD = "sentinel2_safe_N0214_downsampled_jp2/esa_S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500.SAFE"


OLD_R10M = f"{OLD}/GRANULE/L2A_T22HBD_A020270_20210122T133224/IMG_DATA/R10m/T22HBD_20210122T133229"


LANDSAT = [
    "LC08_L2SP_001070_20190114_20200830_02_T2",
    "LC08_L2SP_008059_20191201_20200825_02_T1",
    "LC08_L2SR_099120_20191129_20201016_02_T2",
]


def float64_ndvi(near: np.ndarray, visible: np.ndarray, scale: float, offset: float) -> np.ndarray:
    a, b = near.astype(np.float64) * scale + offset, visible.astype(np.float64) * scale + offset
    with np.errstate(all="ignore"):
        return (a - b) / (a + b)
