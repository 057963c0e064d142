# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the benchmark's inputs: one landscape in the formats that users have, with nodata 0 and a swath edge.

Stored values are those of ``scene.py``; the other bands are derived from red and near infrared. A
scene is a folder with ``bands.json``, the file and number of each band; an existing one is kept.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.shutil
from rasterio.windows import Window

from demo.scene import (
    CACHE,
    JPEG2000,
    PRODUCT,
    image_path,
    metadata,
    write_plain,
    write_product,
)

from .cases import scene_bands, scene_folder

BANDS = ("blue", "green", "red", "nir")
_TILES = {"TILED": "YES", "BLOCKXSIZE": "512", "BLOCKYSIZE": "512"}
_DEFLATE = {"COMPRESS": "DEFLATE", "PREDICTOR": "2", "NUM_THREADS": "ALL_CPUS"}
#: Creation options of the forms that are copies of the tiled one.
COPIES = {
    "deflate": {**_TILES, **_DEFLATE},
    "striped": {},
    "striped-deflate": {**_DEFLATE, "BLOCKYSIZE": "16"},
}
#: Bands of 20 m in a Sentinel-2 product, and the side of its JPEG 2000 tiles for them.
COARSE, COARSE_TILE = ("swir1", "swir2"), "640"
_SENTINEL2 = {
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "nir": "B08",
    "swir1": "B11",
    "swir2": "B12",
}
_STEP = 2048
_PATTERN = 2560


def write(folder: Path, form: str, size: int) -> Path:
    """Write the scene in that form, unless it exists, and return its folder."""
    scene = scene_folder(folder, form, size)
    if (scene / "bands.json").exists():
        return scene
    shutil.rmtree(scene, ignore_errors=True)
    scene.mkdir(parents=True)
    with rasterio.Env(GDAL_CACHEMAX=CACHE):
        bands = {
            name: (path, number) for name, path, number in _FORMS[form](folder, scene, form, size)
        }
    listed = {
        name: (str(path.relative_to(scene)), number) for name, (path, number) in bands.items()
    }
    (scene / "bands.json").write_text(json.dumps(listed), encoding="utf-8")
    return scene


Written = Iterator["tuple[str, Path, int]"]


def _plain(folder: Path, scene: Path, form: str, size: int) -> Written:
    """Write red and near infrared alone, for a small scene."""
    write_plain(scene / "red.tif", scene / "nir.tif", size)
    for name in ("red", "nir"):
        with rasterio.open(scene / f"{name}.tif", "r+") as dataset:
            dataset.nodata = 0
        yield name, scene / f"{name}.tif", 1


def _tiled(folder: Path, scene: Path, form: str, size: int) -> Written:
    yield from _plain(folder, scene, form, size)
    with ExitStack() as stack:
        sources = [
            stack.enter_context(rasterio.open(scene / f"{name}.tif")) for name in ("red", "nir")
        ]
        targets = [
            stack.enter_context(rasterio.open(scene / f"{name}.tif", "w", **sources[0].profile))
            for name in ("green", "blue")
        ]
        for window in windows(size):
            for target, values in zip(
                targets, derived(*(source.read(1, window=window) for source in sources))
            ):
                target.write(values, 1, window=window)
    yield "green", scene / "green.tif", 1
    yield "blue", scene / "blue.tif", 1


def _six(folder: Path, scene: Path, form: str, size: int) -> Written:
    """Write the bands that most indices use, all with pixels of 10 m."""
    yield from _tiled(folder, scene, form, size)
    with ExitStack() as stack:
        red, nir = (
            stack.enter_context(rasterio.open(scene / f"{name}.tif")) for name in ("red", "nir")
        )
        targets = [
            stack.enter_context(rasterio.open(scene / f"{name}.tif", "w", **red.profile))
            for name in COARSE
        ]
        for window in windows(size):
            pair = red.read(1, window=window), nir.read(1, window=window)
            for target, values in zip(targets, infrared(*pair)):
                target.write(values, 1, window=window)
    for name in COARSE:
        yield name, scene / f"{name}.tif", 1


def _six_deflate(folder: Path, scene: Path, form: str, size: int) -> Written:
    for name, (path, number) in scene_bands(write(folder, "six", size)).items():
        rasterio.shutil.copy(path, scene / f"{name}.tif", driver="GTiff", **COPIES["deflate"])
        yield name, scene / f"{name}.tif", number


def _sentinel2(folder: Path, scene: Path, form: str, size: int) -> Written:
    """Write the bands as a Sentinel-2 product has them: JPEG 2000, the short-wave ones with pixels of 20 m."""
    root = scene / PRODUCT
    root.mkdir()
    (root / "MTD_MSIL2A.xml").write_text(metadata(), encoding="utf-8")
    for name, (path, number) in scene_bands(write(folder, "six", size)).items():
        image = image_path(_SENTINEL2[name], 20 if name in COARSE else 10)
        target = root / image
        target.parent.mkdir(parents=True, exist_ok=True)
        if name not in COARSE:
            rasterio.shutil.copy(path, target, driver="JP2OpenJPEG", **JPEG2000)
        else:
            coarse = _coarsened(Path(path), scene / f"{name}.tif")
            tiles = {**JPEG2000, "BLOCKXSIZE": COARSE_TILE, "BLOCKYSIZE": COARSE_TILE}
            rasterio.shutil.copy(coarse, target, driver="JP2OpenJPEG", **tiles)
            coarse.unlink()
        yield name, target, number


def _coarsened(path: Path, target: Path) -> Path:
    """Write means of 2 x 2 pixels, 0 where one of them is 0."""
    with rasterio.open(path) as source:
        side = source.width // 2
        transform = source.transform * source.transform.scale(2, 2)
        profile = {**source.profile, "width": side, "height": side, "transform": transform}
        with rasterio.open(target, "w", **profile) as coarse:
            for window in windows(side):
                fine = Window(*(2 * number for number in window.flatten()))
                values = source.read(1, window=fine)
                fours = values.reshape(window.height, 2, window.width, 2)
                means = np.rint(fours.mean(axis=(1, 3)))
                coarse.write(
                    np.where(fours.min(axis=(1, 3)) == 0, 0, means).astype(np.uint16),
                    1,
                    window=window,
                )
    return target


def _copied(folder: Path, scene: Path, form: str, size: int) -> Written:
    for name in ("red", "nir"):
        rasterio.shutil.copy(
            write(folder, "tiled", size) / f"{name}.tif",
            scene / f"{name}.tif",
            driver="GTiff",
            **COPIES[form],
        )
        yield name, scene / f"{name}.tif", 1


def _stack(folder: Path, scene: Path, form: str, size: int) -> Written:
    """Write all bands to one file, interleaved by pixel."""
    tiled, path = write(folder, "tiled", size), scene / "bands.tif"
    with rasterio.open(tiled / "red.tif") as red:
        profile = {**red.profile, "count": len(BANDS), "interleave": "pixel"}
    with ExitStack() as stack:
        sources = [stack.enter_context(rasterio.open(tiled / f"{name}.tif")) for name in BANDS]
        target = stack.enter_context(rasterio.open(path, "w", **profile))
        for window in windows(size):
            target.write(
                np.stack([source.read(1, window=window) for source in sources]), window=window
            )
    for number, name in enumerate(BANDS, start=1):
        yield name, path, number


def _jp2(folder: Path, scene: Path, form: str, size: int) -> Written:
    product = write_product(scene, size)
    yield "red", product.red, 1
    yield "nir", product.nir, 1


def _repeated(folder: Path, scene: Path, form: str, size: int) -> Written:
    """Write a part of the landscape again and again, which is as fast as the disk."""
    pattern = write(folder, "plain", _PATTERN)
    for name in ("red", "nir"):
        with rasterio.open(pattern / f"{name}.tif") as source:
            values = source.read(1)
            profile = {**source.profile, "width": size, "height": size, "BIGTIFF": "IF_SAFER"}
        with rasterio.open(scene / f"{name}.tif", "w", **profile) as target:
            for window in windows(size, _PATTERN):
                target.write(values[: window.height, : window.width], 1, window=window)
        yield name, scene / f"{name}.tif", 1


_FORMS = {
    "plain": _plain,
    "tiled": _tiled,
    **dict.fromkeys(COPIES, _copied),
    "stack": _stack,
    "jp2": _jp2,
    "six": _six,
    "six-deflate": _six_deflate,
    "sentinel2": _sentinel2,
    "repeated": _repeated,
}


def derived(
    red: npt.NDArray[np.uint16], nir: npt.NDArray[np.uint16]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    """Return stored values of green and blue for those of red and near infrared; 0 stays 0."""
    green = np.where(red == 0, 0, 0.55 * red + 0.08 * nir + 350).astype(np.uint16)
    blue = np.where(red == 0, 0, 0.6 * red + 400).astype(np.uint16)
    return green, blue


def infrared(
    red: npt.NDArray[np.uint16], nir: npt.NDArray[np.uint16]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    """Return stored values of the two short-wave infrared bands, likewise."""
    first = np.where(red == 0, 0, 0.7 * red + 0.3 * nir + 120).astype(np.uint16)
    second = np.where(red == 0, 0, 0.8 * red + 0.1 * nir + 160).astype(np.uint16)
    return first, second


def windows(size: int, step: int = _STEP) -> Iterator[Window]:
    """Yield windows of a square raster, clipped at its edge."""
    for top in range(0, size, step):
        for left in range(0, size, step):
            yield Window(left, top, min(step, size - left), min(step, size - top))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where scenes lie")
    parser.add_argument("form", choices=sorted(_FORMS))
    parser.add_argument("size", type=int, help="pixels a side")
    arguments = parser.parse_args()
    write(arguments.folder, arguments.form, arguments.size)


if __name__ == "__main__":
    main()
