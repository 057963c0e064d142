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

from scripts.console import show_every_name
from scripts.qgis_profile import Profile, Run

from .picture import Histogram, Texts, draw
from .scene import CACHE, LARGEST, Product, write_product

ROOT = Path(__file__).resolve().parent.parent
_EXPECTED_EXACTNESS = 1e-6
_BINS = 200


class Reference(NamedTuple):
    """NDVI computed in float64: valid pixels, mean, histogram, and the largest difference to the result."""

    valid: int
    mean: float
    difference: float
    histogram: Histogram


def radiometry(product: Product, band_id: int) -> tuple[float, float]:
    """Read a band's scale and offset from the XML: reflectance = (stored + add offset) / quantification."""
    tree = ElementTree.parse(product.metadata)
    quantification = float(tree.findtext(".//BOA_QUANTIFICATION_VALUE", ""))
    offset = float(tree.findtext(f".//BOA_ADD_OFFSET[@band_id='{band_id}']", ""))
    return 1 / quantification, offset / quantification


def windows(size: int, block: int = 1024) -> Iterator[Window]:
    """Yield the windows of a square raster, each of whole JPEG 2000 tiles."""
    for top in range(0, size, block):
        for left in range(0, size, block):
            yield Window(left, top, min(block, size - left), min(block, size - top))


def expected(product: Product, result: Path) -> Reference:
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
            values = _ndvi(stored, scaling)
            computed = ndvi.read(1, window=window)
            valid_mask = np.isfinite(values)
            if not np.array_equal(valid_mask, computed != ndvi.nodata):
                raise SystemExit(f"{result}: nodata is not where the bands are 0, in {window}")
            valid += int(valid_mask.sum())
            total += float(values[valid_mask].sum())
            difference = max(
                difference, float(np.abs(computed - values).max(where=valid_mask, initial=0))
            )
            counts += np.histogram(computed[valid_mask], edges)[0]
    return Reference(valid, total / max(valid, 1), difference, Histogram(counts, edges))


def _ndvi(
    stored: list[npt.NDArray[np.uint16]], scaling: tuple[tuple[float, float], ...]
) -> npt.NDArray[np.float64]:
    """Compute NDVI from red and near infrared; NaN where a band is nodata."""
    red, nir = (
        np.where(band == 0, np.nan, band.astype(np.float64) * scale + offset)
        for band, (scale, offset) in zip(stored, scaling)
    )
    ndvi: npt.NDArray[np.float64] = (nir - red) / (nir + red)
    return ndvi


def facts(run: Run, reference: Reference, size: int) -> list[tuple[str, str]]:
    """Return the numbers of a run, each as a label and a text."""
    number = {
        name: float(text) for name, text in run.results.items() if name not in ("OUTPUT", "REPORT")
    }
    return [
        ("Valid pixels", f"{number['VALID_PIXELS']:,.0f}"),
        ("Nodata pixels", f"{number['NODATA_PIXELS']:,.0f}"),
        ("Minimum, maximum", f"{number['MINIMUM']:.4f}, {number['MAXIMUM']:.4f}"),
        ("Standard deviation", f"{number['STANDARD_DEVIATION']:.6f}"),
        ("Mean", f"{number['MEAN']:.6f}"),
        ("Mean in float64, from the XML", f"{reference.mean:.6f}"),
        ("Largest difference of a pixel", f"{reference.difference:.1e}"),
        (
            "Time, QGIS's start included",
            f"{run.seconds:.1f} s ({size * size / 1e6 / run.seconds:.1f} megapixels/s)",
        ),
        ("Peak memory of the process", f"{run.peak_memory:.0f} MB"),
    ]


def main() -> None:
    show_every_name()
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
        reference = expected(product, result)
        lines = facts(run, reference, arguments.size)
        texts = Texts("NDVI of a Sentinel-2-like product", subtitle, lines)
        draw(
            result, ROOT / "resources" / "styles" / "ndvi.qml", reference.histogram, texts, picture
        )
    print()
    for label, text in [
        ("Product", str(product.folder)),
        ("Result", str(result)),
        ("Picture", str(picture)),
        *lines,
    ]:
        print(f"{label + ':':<34}{text}")
    right = (
        abs(float(run.results["MEAN"]) - reference.mean) < _EXPECTED_EXACTNESS
        and reference.difference < _EXPECTED_EXACTNESS
    )
    if not right or int(run.results["VALID_PIXELS"]) != reference.valid:
        raise SystemExit("The result is not what the product's XML implies.")
    print("The result is what the product's XML implies.")


if __name__ == "__main__":
    main()
