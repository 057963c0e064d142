# SPDX-License-Identifier: GPL-2.0-or-later
"""QGIS's raster calculator, gdal_calc.py and OTB BandMath as functions: expression -> array, or the tool's error text.

Needs the system's Python with ``qgis`` and ``osgeo``, and ``otbcli_BandMath`` (Debian: ``otb-bin``).
"""

from __future__ import annotations

import atexit
import os
import re
import subprocess
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Union

import numpy as np
from osgeo import gdal, osr
from osgeo_utils import gdal_calc

Answer = Union[np.ndarray, str]

# float32's largest number: OTB writes infinity as it.
_LARGEST = float(np.finfo("float32").max)


def write(path: Path, bands: np.ndarray, integer: bool = False) -> None:
    """Write ``bands`` (bands, rows, columns) as a GeoTIFF of Float64, or of Int32."""
    count, rows, columns = bands.shape
    dataset = gdal.GetDriverByName("GTiff").Create(
        str(path), columns, rows, count, gdal.GDT_Int32 if integer else gdal.GDT_Float64
    )
    dataset.SetGeoTransform((500000, 10, 0, 4600000, 0, -10))
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32633)
    dataset.SetProjection(crs.ExportToWkt())
    for number, band in enumerate(bands, 1):
        dataset.GetRasterBand(number).WriteArray(band)


def _read(path: Path) -> tuple[np.ndarray, float | None]:
    dataset = gdal.Open(str(path))
    band = dataset.GetRasterBand(1)
    return band.ReadAsArray(), band.GetNoDataValue()


@cache
def _qgis() -> object:
    """QGIS, started once, without a window and without OpenCL (which is off unless a user's settings say otherwise)."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from qgis.core import QgsApplication

    gdal.PushErrorHandler("CPLQuietErrorHandler")
    application = QgsApplication([], False)
    application.initQgis()
    # QGIS must end before Python clears its modules.
    atexit.register(application.exitQgis)
    return application


class Qgis:
    """``QgsRasterCalculator`` on layers by name; its results are Float32 with nodata where the tool says nodata."""

    def __init__(self, folder: Path, layers: Mapping[str, Path]) -> None:
        from qgis.analysis import QgsRasterCalculator, QgsRasterCalculatorEntry
        from qgis.core import QgsCoordinateTransformContext, QgsRasterLayer

        _qgis()
        self._calculator = QgsRasterCalculator
        self._context = QgsCoordinateTransformContext()
        self._out = folder / "qgis.tif"
        self._entries = []
        self._layers = []
        for name, path in layers.items():
            layer = QgsRasterLayer(str(path), name)
            self._layers.append(layer)
            for band in range(1, layer.bandCount() + 1):
                entry = QgsRasterCalculatorEntry()
                entry.raster, entry.bandNumber, entry.ref = layer, band, f"{name}@{band}"
                self._entries.append(entry)

    def __call__(self, text: str) -> Answer:
        """The result of ``text``, masked where QGIS writes nodata; the sentence where it refuses."""
        layer = self._layers[0]
        calculator = self._calculator(
            text,
            str(self._out),
            "GTiff",
            layer.extent(),
            layer.width(),
            layer.height(),
            self._entries,
            self._context,
        )
        result = int(calculator.processCalculation())
        if result:
            return f"error {result} {calculator.lastError()}".strip()
        values, nodata = _read(self._out)
        return np.ma.masked_array(values.astype(float), values == np.float32(nodata))


class GdalCalc:
    """``gdal_calc.py --type=Float64`` on single-band files by letter; capital and small letters are the same files.

    The program's own entry point is called with its command line; a new process for each text would take minutes.
    """

    def __init__(self, folder: Path, letters: Mapping[str, Path]) -> None:
        self._out = folder / "gdal_calc.tif"
        self._files = [
            part
            for letter, path in letters.items()
            for part in (f"-{letter}", str(path), f"-{letter.lower()}", str(path))
        ]

    def __call__(self, text: str) -> Answer:
        """The result of ``text`` as float64, or the error it ends with."""
        self._out.unlink(missing_ok=True)
        # With "=": argparse takes a separate text that starts with a dash for an option.
        options = [
            f"--calc={text}",
            f"--outfile={self._out}",
            "--type=Float64",
            "--hideNoData",
            "--quiet",
        ]
        said = StringIO()
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(said):
            warnings.simplefilter("ignore")
            failed = gdal_calc.main(["gdal_calc.py", *self._files, *options])
        if failed:
            return "error " + said.getvalue().strip().splitlines()[-1]
        return _read(self._out)[0]


class Otb:
    """``otbcli_BandMath`` with ``double`` output; its numbers are float32 all the same."""

    def __init__(self, folder: Path, images: Sequence[Path]) -> None:
        self._folder = folder
        self._files = [str(path) for path in images]

    def __call__(self, text: str, place: int) -> Answer:
        """The result of ``text`` with float32's largest number read as infinity, or what muParser says against it."""
        out = self._folder / f"otb{place}.tif"
        out.unlink(missing_ok=True)
        run = ["otbcli_BandMath", "-il", *self._files, "-out", str(out), "double", "-exp", text]
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        if done.returncode or not out.exists():
            said = re.search(r"Message: *(.*)", done.stdout + done.stderr) or re.search(
                r"ERROR: *(.*)", done.stdout + done.stderr
            )
            return (
                f"error {said.group(1).strip()}" if said else f"error exit code {done.returncode}"
            )
        values = _read(out)[0]
        return np.where(abs(values) == _LARGEST, np.copysign(np.inf, values), values)


Tool = Union[Qgis, GdalCalc, Otb]


def evaluate(tool: Tool, texts: Sequence[str]) -> list[Answer]:
    """The answers to ``texts`` in order; OTB's, which need a process each, as many at a time as there are cores."""
    if not isinstance(tool, Otb):
        return [tool(text) for text in texts]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(tool, texts, range(len(texts))))
