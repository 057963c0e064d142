# SPDX-License-Identifier: GPL-2.0-or-later
"""The kinds of run that are killed, cancelled and limited: small, of many windows, each with pixels
from float64 numpy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from bandwise.engine.grids.layout import GridRule, Layout, Resampling
from bandwise.engine.job import Job
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bandwise.engine.radiometry.storage import DataType
from fault_server import FaultServer
from second_reader import Counted, assert_read_alike

WIDTH, HEIGHT = 700, 600
EXPRESSION = "(A - B) / (A + B)"
TRANSFORM = rasterio.Affine(10, 0, 300000, 0, -10, 5000040)

#: Name -> inputs (A and B) and options of the job.
KINDS: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {
    "plain": (("nir.tif", "red.tif"), {}),
    "warped": (
        ("nir.tif", "coarse.tif"),
        {"layout": Layout(rule=GridRule.FIRST, resampling=Resampling.NEAREST)},
    ),
    "masked": (("nir.tif", "red.tif"), {"mask": "clear.tif"}),
    "jp2": (("nir.jp2", "red.jp2"), {}),
    "remote": (("remote:nir.tif", "remote:red.tif"), {}),
    "cog": (("nir.tif", "red.tif"), {"overviews": True, "cog": True}),
    "overviews": (
        ("nir.tif", "red.tif"),
        {"overviews": True, "creation_options": "BLOCKXSIZE=128|BLOCKYSIZE=128"},
    ),
}

#: Name -> options of the job: the ways that a result is written.
WRITERS: dict[str, dict[str, Any]] = {
    "deflate": {},
    "none": {"creation_options": "COMPRESS=NONE"},
    "zstd": {"creation_options": "COMPRESS=ZSTD"},
    "lzw": {"creation_options": "COMPRESS=LZW"},
    "packbits": {"creation_options": "COMPRESS=PACKBITS"},
    "lzma": {"creation_options": "COMPRESS=LZMA"},
    "strips": {"creation_options": "TILED=NO|BLOCKYSIZE=16"},
    "strips, overviews": {"creation_options": "TILED=NO|BLOCKYSIZE=16", "overviews": True},
    "plain strips, overviews": {"creation_options": "TILED=NO|COMPRESS=NONE", "overviews": True},
    "oblong tiles": {"creation_options": "BLOCKXSIZE=256|BLOCKYSIZE=64"},
    "oblong tiles, overviews": {
        "creation_options": "BLOCKXSIZE=256|BLOCKYSIZE=64",
        "overviews": True,
    },
    "overviews": {"creation_options": "BLOCKXSIZE=128|BLOCKYSIZE=128", "overviews": True},
    "plain overviews": {
        "creation_options": "BLOCKXSIZE=128|BLOCKYSIZE=128|COMPRESS=NONE",
        "overviews": True,
    },
    "bigtiff": {"creation_options": "BIGTIFF=YES|COMPRESS=ZSTD", "overviews": True},
    "cog": {"overviews": True, "cog": True},
    "cog of bytes": {"data_type": DataType.UINT8_SCALED, "overviews": True, "cog": True},
    "scaled integers": {"data_type": DataType.INT16_SCALED},
    "scaled integers, overviews": {"data_type": DataType.INT16_SCALED, "overviews": True},
}


class Scenarios:
    """Inputs in a folder, and a server of it; a context."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        generator = np.random.default_rng(150)
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        self.nir = (2000 + 3 * columns + rows + generator.integers(0, 500, (HEIGHT, WIDTH))).astype(
            np.uint16
        )
        self.red = (1000 + columns + 2 * rows + generator.integers(0, 500, (HEIGHT, WIDTH))).astype(
            np.uint16
        )
        self.nir[:40, :90] = 0
        self.coarse = self.red[::2, ::2].copy()
        self.clear = (generator.random((HEIGHT, WIDTH)) < 0.9).astype(np.uint8)
        tiles = {"tiled": True, "blockxsize": 128, "blockysize": 128, "compress": "deflate"}
        self._save("nir.tif", self.nir, nodata=0, **tiles)
        self._save("red.tif", self.red, nodata=0, **tiles)
        self._save(
            "coarse.tif",
            self.coarse,
            rasterio.Affine(20, 0, 300000, 0, -20, 5000040),
            nodata=0,
            **tiles,
        )
        self._save("clear.tif", self.clear, **tiles)
        jp2 = {
            "driver": "JP2OpenJPEG",
            "QUALITY": "100",
            "REVERSIBLE": "YES",
            "BLOCKXSIZE": "128",
            "BLOCKYSIZE": "128",
        }
        self._save("nir.jp2", self.nir, **jp2)
        self._save("red.jp2", self.red, **jp2)
        self.server = FaultServer(folder)

    def __enter__(self) -> Scenarios:
        self.server.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.__exit__(*error)

    def _save(self, name: str, values: Any, transform: Any = TRANSFORM, **options: Any) -> None:
        profile = {
            "driver": "GTiff",
            "count": 1,
            "height": values.shape[0],
            "width": values.shape[1],
            "dtype": values.dtype.name,
        }
        with rasterio.open(
            self.folder / name,
            "w",
            **{**profile, "crs": "EPSG:32633", "transform": transform, **options},
        ) as dataset:
            dataset.write(values, 1)

    def path(self, name: str) -> str:
        return (
            self.server.address(name.removeprefix("remote:"))
            if name.startswith("remote:")
            else str(self.folder / name)
        )

    def job(self, kind: str, output: str, **options: Any) -> Job:
        """The job of a kind; ``options`` change it."""
        names, more = KINDS[kind]
        more = {"memory": 24, "workers": 2, **more, **options}
        if "mask" in more:
            more["mask"] = MaskChoice(str(self.folder / more["mask"]), rule=MaskRule.KEEP_NONZERO)
        nodata = 0.0 if kind == "jp2" else None
        radiometry = RadiometryChoice(scaling=Scaling.STORED, nodata=nodata)
        return bandmath_job(
            [(name, self.path(name)) for name in names],
            EXPRESSION,
            output,
            radiometry=radiometry,
            **more,
        )

    def values(self, kind: str = "plain") -> Any:
        """The right result in float64, NaN where it is nodata."""
        nir, red = self.nir.astype(float), self.red.astype(float)
        if kind == "warped":
            red = np.repeat(np.repeat(self.coarse, 2, axis=0), 2, axis=1).astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(nir == 0, np.nan, (nir - red) / (nir + red))
        return np.where(self.clear == 0, np.nan, values) if kind == "masked" else values

    def assert_complete(
        self, path: str, kind: str = "plain", data_type: DataType = DataType.FLOAT32
    ) -> Counted:
        """The file at ``path`` is whole, for a second reader too, and its pixels are right; so are
        its overviews, as far as a mean can tell.
        """
        counted = assert_read_alike(path)
        values = self.values(kind)
        with rasterio.open(path) as dataset:
            stored, nodata, scale, offset = (
                dataset.read(1),
                dataset.nodata,
                dataset.scales[0],
                dataset.offsets[0],
            )
            levels = dataset.overviews(1)
        valid = np.isfinite(values)
        np.testing.assert_array_equal(stored != nodata, valid)
        physical = stored[valid].astype(float) * scale + offset
        tolerance = (
            {"rtol": 1e-6} if data_type is DataType.FLOAT32 else {"atol": scale * 0.5001, "rtol": 0}
        )
        np.testing.assert_allclose(physical, values[valid], **tolerance)
        for number in range(len(levels)):
            with rasterio.open(path, overview_level=number) as dataset:
                reduced = dataset.read(1, masked=True).astype(float) * scale + offset
            assert abs(float(reduced.mean()) - float(np.nanmean(values))) < 0.02, (
                f"overview {number + 1} is of other pixels"
            )
        return counted
