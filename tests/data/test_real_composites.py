# SPDX-License-Identifier: GPL-2.0-or-later
"""Composites of real products: Sentinel-2 with an offset that differs, and Landsat, held to numpy in float64."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from bandwise.engine.compute.composite.statistic import Statistic
from bandwise.engine.radiometry.masks import CLEAR_CLASSES
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from composite_cases import composite, job

SAFE = "S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE"
ALL = (Statistic.MEDIAN, Statistic.MAXIMUM, Statistic.COUNT, Statistic.DATE_OF_MAXIMUM)
DAYS = (19265, 19275)  #: 2022-09-30 and 2022-10-10, as days since 1970-01-01


def product(bench: Bench, real: Path, day: str, offset: int) -> Path:
    """The 60 m bands of a real product, its SCL among them, as of another day and offset."""
    folder = Path(bench.path(SAFE.replace("20221005", day)))
    for path in real.rglob("*_60m.jp2"):
        target = folder / str(path.relative_to(real)).replace("20221005", day)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    text = (real / "MTD_MSIL2A.xml").read_text("utf-8").replace("20221005", day)
    text = re.sub(r"(<BOA_ADD_OFFSET[^>]*>)-?\d+", rf"\g<1>{offset}", text)
    (folder / "MTD_MSIL2A.xml").write_text(text, "utf-8")
    return folder


def ndvi(red: Any, nir: Any, scale: float, offset: float, hidden: Any) -> Any:
    r, n = (values.astype(np.float64) * scale + offset for values in (red, nir))
    with np.errstate(all="ignore"):
        return np.where(hidden | (r + n == 0), np.nan, (n - r) / (n + r))


def test_sentinel2(bench: Bench, shared: Any) -> None:
    """The same real pixels on two days, -1000 and 0 to be added."""
    real = shared("sentinel2_safe_N0400_original_jp2", SAFE)
    folders = [
        product(bench, real, day, offset) for day, offset in (("20220930", -1000), ("20221010", 0))
    ]

    def stored(band: str) -> Any:
        return bench.read(str(next(folders[0].rglob(f"*_{band}_60m.jp2"))))

    red, nir, scl = map(stored, ("B04", "B8A", "SCL"))
    hidden = ~np.isin(scl, CLEAR_CLASSES)
    for band in (red, nir):
        hidden |= (band == 0) | (band == 65535)
    cube = np.stack([ndvi(red, nir, 1e-4, offset, hidden) for offset in (-0.1, 0.0)])
    paths = [str(folder) for folder in folders]
    median, most, count, day = composite(bench, paths, statistics=ALL, data_type=DataType.FLOAT64)
    tolerance: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-12}
    assert 0.1 < np.isfinite(cube[0]).mean() < 1
    np.testing.assert_allclose(median, np.median(cube, axis=0), **tolerance)
    np.testing.assert_allclose(most, np.max(cube, axis=0), **tolerance)
    np.testing.assert_array_equal(count, np.isfinite(cube).sum(axis=0))
    first = np.where(cube[0] >= cube[1], *DAYS)
    np.testing.assert_array_equal(day, np.where(np.isnan(cube[0]), np.nan, first))


def test_landsat(bench: Bench, shared: Any) -> None:
    """One scene by its MTL: flags of QA_PIXEL, 2.75e-05 and -0.2. The other scenes lie elsewhere."""
    folders = sorted(
        path for path in shared("landsat8_c2l2_stactools").glob("LC08*") if path.is_dir()
    )
    asked = job(bench, [str(folder) for folder in folders])
    assert asked.composite is not None and len(asked.composite.scenes) == 1
    left = [str(note.text) for note in asked.notes if note.warning]
    assert sum("is left out: " in text for text in left) == len(folders) - 1
    name = asked.composite.scenes[0].name
    (folder,) = (folder for folder in folders if name in str(next(folder.rglob("*_B4.TIF"))))

    def stored(part: str) -> Any:
        return bench.read(str(next(folder.rglob(f"*_{part}.TIF"))))

    red, nir, flags = map(stored, ("SR_B4", "SR_B5", "QA_PIXEL"))
    hidden = (flags & 0b11111 != 0) | (red == 0) | (nir == 0) | (red == 65535) | (nir == 65535)
    right = ndvi(red, nir, 2.75e-05, -0.2, hidden)
    found = composite(bench, [str(folder)], statistics=ALL, data_type=DataType.FLOAT64)
    np.testing.assert_allclose(found[0], right, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(found[2], np.isfinite(right))


def test_products_without_a_common_area(bench: Bench, shared: Any) -> None:
    folders = [
        str(next(shared(name).glob("*.SAFE")))
        for name in ("sentinel2_safe_N0400_original_jp2", "sentinel2_safe_N0214_downsampled_jp2")
    ]
    asked = job(bench, folders, clouds=None)
    assert asked.composite is not None
    assert [scene.date for scene in asked.composite.scenes] == ["2021-01-22"]
    (text,) = (str(note.text) for note in asked.notes if "left out" in str(note.text))
    assert "20221005" in text and "it does not fit the scenes before it" in text
