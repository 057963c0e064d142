# SPDX-License-Identifier: GPL-2.0-or-later
"""The real QGIS with the plugin's provider in it, and small scenes whose NDVI is known."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest

pytest.importorskip("qgis.core")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import rasterio
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelOutput,
    QgsProcessingProvider,
    QgsProject,
)
from rasterio.transform import Affine

ROOT = Path(__file__).resolve().parents[2]
TRANSFORM = Affine(10.0, 0.0, 600000.0, 0.0, -10.0, 5100000.0)


class Scene(NamedTuple):
    """Paths of two bands and of one file with both, and the NDVI they amount to (float64, NaN where nodata)."""

    red: str
    nir: str
    stack: str
    ndvi: Any


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """257 rows of 511 columns, uint16, nodata 0 in the first 11 columns; NIR rises along rows, red along columns."""
    rows, columns = np.mgrid[0:257, 0:511]
    red = (500 + 3 * columns).astype(np.uint16)
    nir = (1000 + 7 * rows).astype(np.uint16)
    red[:, :11] = nir[:, :11] = 0
    wide_red, wide_nir = red.astype(float), nir.astype(float)
    with np.errstate(invalid="ignore"):
        ndvi = np.where(red == 0, np.nan, (wide_nir - wide_red) / (wide_nir + wide_red))
    paths = {}
    for name, bands in (("red", [red]), ("nir", [nir]), ("stack", [red, nir])):
        paths[name] = str(tmp_path / "inputs" / f"{name}.tif")
        (tmp_path / "inputs").mkdir(exist_ok=True)
        with rasterio.open(
            paths[name],
            "w",
            driver="GTiff",
            width=511,
            height=257,
            count=len(bands),
            dtype="uint16",
            nodata=0,
            crs="EPSG:32632",
            transform=TRANSFORM,
        ) as dataset:
            dataset.write(np.array(bands))
    return Scene(paths["red"], paths["nir"], paths["stack"], ndvi)


@pytest.fixture
def provider(qgis_app: QgsApplication, qgis_processing: None) -> Iterator[QgsProcessingProvider]:
    """The plugin as QGIS without a window starts it (``iface`` is None), and unloads it."""
    from bandwise import classFactory

    plugin = classFactory(None)
    plugin.initProcessing()
    yield plugin.provider
    plugin.unload()


class Log(QgsProcessingFeedback):
    """A feedback that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(False)
        self.info: list[str] = []
        self.warnings: list[str] = []
        self.fractions: list[float] = []
        self.progressChanged.connect(self.fractions.append)

    def pushInfo(self, info: str) -> None:
        self.info.append(info)

    def pushWarning(self, warning: str) -> None:
        self.warnings.append(warning)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def context(qgis_app: QgsApplication) -> Iterator[QgsProcessingContext]:
    """Its layers go with the test: one that outlives QGIS closes a dataset of a GDAL that has ended."""
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    yield context
    context.temporaryLayerStore().removeAllMapLayers()
    QgsProject.instance().removeAllMapLayers()


@pytest.fixture(scope="session")
def qgis_process(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ``qgis_process`` in a profile of its own, in which this checkout is the enabled plugin ``bandwise``.

    Its attributes ``environment`` and ``program`` are for tests that start it themselves.
    """
    from shutil import which

    home = tmp_path_factory.mktemp("home")
    plugins = home / "profiles" / "default" / "python" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "bandwise").symlink_to(ROOT)
    program = which("qgis_process.bin") or which("qgis_process")
    assert program, "qgis_process belongs to every QGIS"
    # the first python3 there is the one that QGIS embeds
    search = os.pathsep.join((str(Path(program).parent), os.environ["PATH"]))
    environment = {
        **os.environ,
        "PATH": search,
        "QGIS_CUSTOM_CONFIG_PATH": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("VIRTUAL_ENV", None)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    run.environment, run.program = environment, program  # type: ignore[attr-defined]
    enabled = run("plugins", "enable", "bandwise")
    assert enabled.returncode == 0, enabled.stderr
    return run


def values(path: str) -> Any:
    """A result's first band as float64, NaN where it is nodata."""
    with rasterio.open(path) as dataset:
        assert dataset.nodata == -9999
        stored = dataset.read(1)
    return np.where(stored == -9999, np.nan, stored.astype(np.float64))


@pytest.fixture
def read_values() -> Callable[[str], Any]:
    return values


@pytest.fixture(scope="session")
def add_step() -> Callable[..., None]:
    """Adds an algorithm to a model as the child ``name``, its parameters from ``sources``; its
    layer is the model's output ``kept``.
    """

    def add(model: Any, name: str, algorithm: str, sources: dict[str, Any], kept: str = "") -> None:
        child = QgsProcessingModelChildAlgorithm(algorithm)
        child.setChildId(name)
        for parameter, source in sources.items():
            child.addParameterSources(parameter, source if isinstance(source, list) else [source])
        if kept:
            output = QgsProcessingModelOutput(kept)
            output.setChildOutputName("OUTPUT")
            output.setChildId(name)
            child.setModelOutputs({kept: output})
        model.addChildAlgorithm(child)
        model.updateDestinationParameters()

    return add
