# SPDX-License-Identifier: GPL-2.0-or-later
"""NDVI from end to end: a Sentinel-2-like product, the real ``qgis_process``, the numbers checked, a picture."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.windows import Window

from scripts.qgis_profile import Profile, Run

from .picture import Histogram, Texts, draw
from .scene import CACHE, LARGEST, Product, write_product

ROOT = Path(__file__).resolve().parent.parent
_EXPECTED_EXACTNESS = 1e-6
_BINS = 200


class Truth(NamedTuple):
    """What float64 arithmetic makes of the product: pixel count and mean, and the largest difference to the result."""

    valid: int
    mean: float
    difference: float
    histogram: Histogram


def radiometry(product: Product, band_id: int) -> tuple[float, float]:
    """Scale and offset of a band from the product's XML: reflectance = (stored value + add offset) / quantification."""
    tree = ElementTree.parse(product.metadata)
    quantification = float(tree.findtext(".//BOA_QUANTIFICATION_VALUE", ""))
    offset = float(tree.findtext(f".//BOA_ADD_OFFSET[@band_id='{band_id}']", ""))
    return 1 / quantification, offset / quantification


def windows(size: int, block: int = 1024) -> Iterator[Window]:
    """The windows of a square raster that cover whole JPEG 2000 tiles."""
    for top in range(0, size, block):
        for left in range(0, size, block):
            yield Window(left, top, min(block, size - left), min(block, size - top))


def expected(product: Product, result: Path) -> Truth:
    """Compute NDVI in float64 by the formula of the XML, window by window, and compare every pixel of the result."""
    scaling = radiometry(product, 3), radiometry(product, 7)
    valid, total, difference = 0, 0.0, 0.0
    counts = np.zeros(_BINS, np.int64)
    edges = np.linspace(-1, 1, _BINS + 1)
    with (
        rasterio.open(product.red) as red,
        rasterio.open(product.nir) as nir,
        rasterio.open(result) as ndvi,
    ):
        for window in windows(ndvi.width):
            stored = [band.read(1, window=window) for band in (red, nir)]
            truth = _ndvi(stored, scaling)
            found = ndvi.read(1, window=window)
            there = np.isfinite(truth)
            if not np.array_equal(there, found != ndvi.nodata):
                raise SystemExit(f"{result}: nodata is not where the bands are 0, in {window}")
            valid += int(there.sum())
            total += float(truth[there].sum())
            difference = max(difference, float(np.abs(found - truth).max(where=there, initial=0)))
            counts += np.histogram(found[there], edges)[0]
    return Truth(valid, total / max(valid, 1), difference, Histogram(counts, edges))


def _ndvi(
    stored: list[npt.NDArray[np.uint16]], scaling: tuple[tuple[float, float], ...]
) -> npt.NDArray[np.float64]:
    """NDVI of red and near infrared; NaN where a band is nodata."""
    red, nir = (
        np.where(band == 0, np.nan, band.astype(np.float64) * scale + offset)
        for band, (scale, offset) in zip(stored, scaling)
    )
    ndvi: npt.NDArray[np.float64] = (nir - red) / (nir + red)
    return ndvi


def facts(run: Run, truth: Truth, size: int) -> list[tuple[str, str]]:
    """The run's numbers, a label and a text each."""
    number = {
        name: float(text) for name, text in run.results.items() if name not in ("OUTPUT", "REPORT")
    }
    return [
        ("Valid pixels", f"{number['VALID_PIXELS']:,.0f}"),
        ("Nodata pixels", f"{number['NODATA_PIXELS']:,.0f}"),
        ("Minimum, maximum", f"{number['MINIMUM']:.4f}, {number['MAXIMUM']:.4f}"),
        ("Standard deviation", f"{number['STANDARD_DEVIATION']:.6f}"),
        ("Mean", f"{number['MEAN']:.6f}"),
        ("Mean in float64, from the XML", f"{truth.mean:.6f}"),
        ("Largest difference of a pixel", f"{truth.difference:.1e}"),
        (
            "Time, QGIS's start included",
            f"{run.seconds:.1f} s ({size * size / 1e6 / run.seconds:.1f} megapixels/s)",
        ),
        ("Peak memory of the process", f"{run.peak_memory:.0f} MB"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where everything is written")
    parser.add_argument(
        "--size",
        type=int,
        default=4096,
        help=f"pixels a side, at most {LARGEST}; default %(default)s",
    )
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    print(
        f"Writing a Sentinel-2-like product, {arguments.size} x {arguments.size} pixels ...",
        flush=True,
    )
    product = write_product(folder, arguments.size)
    result = folder / "ndvi.tif"
    run = Profile(folder / "profile", ROOT).run(
        "bandwise:ndvi", {"RED": product.red, "NIR": product.nir, "OUTPUT": result}
    )
    subtitle = (
        f"bandwise:ndvi from two {arguments.size} × {arguments.size} JPEG 2000 bands; scale "
        f"and offset from MTD_MSIL2A.xml"
    )
    picture = folder / "ndvi.png"
    with rasterio.Env(GDAL_CACHEMAX=CACHE):
        truth = expected(product, result)
        lines = facts(run, truth, arguments.size)
        texts = Texts("NDVI of a Sentinel-2-like product", subtitle, lines)
        draw(result, ROOT / "resources" / "styles" / "ndvi.qml", truth.histogram, texts, picture)
    print()
    for label, text in [
        ("Product", str(product.folder)),
        ("Result", str(result)),
        ("Picture", str(picture)),
        *lines,
    ]:
        print(f"{label + ':':<34}{text}")
    right = (
        abs(float(run.results["MEAN"]) - truth.mean) < _EXPECTED_EXACTNESS
        and truth.difference < _EXPECTED_EXACTNESS
    )
    if not right or int(run.results["VALID_PIXELS"]) != truth.valid:
        raise SystemExit("The result is not what the product's XML implies.")
    print("The result is what the product's XML implies.")


if __name__ == "__main__":
    main()
