# SPDX-License-Identifier: GPL-2.0-or-later
"""An error that nobody foresaw is one sentence that asks for a report; its traceback is in QGIS's
log, and nothing aborts.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
from qgis.core import QgsApplication, QgsProcessingException, QgsProcessingFeedback
from rasterio.transform import Affine

ROOT = Path(__file__).resolve().parents[2]

#: A plugin whose algorithms are Bandwise's NDVI with a fault in it.
FAULTY = """
from qgis.core import QgsApplication, QgsProcessingProvider

def classFactory(iface):
    return Plugin()

class Plugin:
    def initProcessing(self):
        from bandwise.algorithms.ndvi import Ndvi

        class InInputs(Ndvi):
            def name(self):
                return "in_inputs"

            def inputs(self, parameters, context):
                return 1 // 0

        class NoMemory(Ndvi):
            def name(self):
                return "no_memory"

            def inputs(self, parameters, context):
                raise MemoryError

        class InRun(Ndvi):
            jobs = 0

            def name(self):
                return "in_run"

            def job(self, *arguments, **options):
                InRun.jobs += 1
                return super().job(*arguments, **options) if InRun.jobs == 1 else 1 // 0

        class Provider(QgsProcessingProvider):
            def id(self):
                return "faulty"

            def name(self):
                return "faulty"

            def loadAlgorithms(self):
                for kind in (InInputs, NoMemory, InRun):
                    self.addAlgorithm(kind())

        self.provider = Provider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self):
        self.initProcessing()

    def unload(self):
        pass
"""


@pytest.fixture(scope="module")
def faulty(qgis_process, tmp_path_factory):
    """Runs ``qgis_process`` in a profile that has the faulty plugin too."""
    home = tmp_path_factory.mktemp("faulty")
    plugins = home / "profiles" / "default" / "python" / "plugins"
    (plugins / "faulty").mkdir(parents=True)
    (plugins / "bandwise").symlink_to(ROOT)
    (plugins / "faulty" / "__init__.py").write_text(FAULTY, encoding="utf-8")
    versions = "qgisMinimumVersion=3.22\nqgisMaximumVersion=4.99\nversion=1\n"
    metadata = f"[general]\nname=Faulty\nhasProcessingProvider=yes\n{versions}"
    (plugins / "faulty" / "metadata.txt").write_text(metadata, encoding="utf-8")
    environment = {**qgis_process.environment, "QGIS_CUSTOM_CONFIG_PATH": str(home)}

    def run(*arguments):
        return subprocess.run(
            [qgis_process.program, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    for name in ("bandwise", "faulty"):
        assert run("plugins", "enable", name).returncode == 0
    return run


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("in_inputs", "please report it"),
        ("no_memory", "There is not enough memory"),
        ("in_run", "please report it"),
    ],
)
def test_qgis_process_says_one_sentence_and_does_not_abort(faulty, scene, tmp_path, name, words):
    out = tmp_path / "out.tif"
    ended = faulty(
        "run", f"faulty:{name}", "--", f"RED={scene.red}", f"NIR={scene.nir}", f"OUTPUT={out}"
    )
    assert ended.returncode == 1, ended.stderr
    assert words in " ".join((ended.stdout + ended.stderr).split())
    if "report" in words:
        assert "ZeroDivisionError" in ended.stdout + ended.stderr
    assert not list(tmp_path.glob("out*"))


def test_the_traceback_is_in_the_log(provider, scene, tmp_path, context):
    from bandwise.algorithms.ndvi import Ndvi

    class Faulty(Ndvi):
        def inputs(self, parameters, context):
            return 1 // 0

    messages = []
    QgsApplication.messageLog().messageReceived.connect(lambda *message: messages.append(message))
    parameters = {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(tmp_path / "out.tif")}
    fine, sentence = Faulty().create().checkParameterValues(parameters, context)
    assert not fine
    assert (
        "ZeroDivisionError" in sentence and "please report it" in sentence and "\n" not in sentence
    )
    tracebacks = [text for text, tag, _ in messages if tag == "Bandwise"]
    assert len(tracebacks) == 1
    assert "return 1 // 0" in tracebacks[0]
    with pytest.raises(QgsProcessingException, match="please report it"):
        Faulty().prepareAlgorithm(parameters, context, QgsProcessingFeedback())


def test_an_output_name_that_cannot_be_encoded_is_one_sentence(provider, scene, tmp_path, context):
    ndvi = QgsApplication.processingRegistry().createAlgorithmById("bandwise:ndvi")
    for directory in ("", "\udcfe/"):
        parameters = {
            "RED": scene.red,
            "NIR": scene.nir,
            "OUTPUT": str(tmp_path / f"{directory}a\udcff.tif"),
        }
        fine, sentence = ndvi.checkParameterValues(parameters, context)
        assert not fine
        assert "cannot be encoded" in sentence
        assert "report" not in sentence
        sentence.encode("utf-8")
    assert sorted(os.listdir(tmp_path)) == ["inputs"]


def described(path):
    """A band whose description is not UTF-8: a TIFF with GDAL's tag, its bytes changed in the file."""
    save(path, descriptions=("B04_abcdef",))
    content = path.read_bytes()
    assert b"B04_abcdef" in content
    path.write_bytes(content.replace(b"B04_abcdef", b"B04_\xff\xfe\xfa\xf1ef"))
    return {}


def giant(path):
    """A VRT whose header says 2e9 x 2e9."""
    path.write_text(
        '<VRTDataset rasterXSize="2000000000" rasterYSize="2000000000"><VRTRasterBand '
        'dataType="Byte" band="1"/></VRTDataset>',
        encoding="utf-8",
    )
    return {}


def save(path, transform=None, **more):
    with rasterio.open(
        path, "w", driver="GTiff", width=30, height=20, count=1, dtype="uint16", crs="EPSG:32632",
        transform=transform or Affine(10, 0, 600000, 0, -10, 5100000),
    ) as dataset:  # fmt: skip
        dataset.write(np.full((1, 20, 30), 7, np.uint16))
        for number, text in enumerate(more.get("descriptions", ()), 1):
            dataset.set_band_description(number, text)


def far(path):
    """A geotransform of 1e300."""
    save(path, Affine(1e300, 0, 1e300, 0, -1e300, 1e300))
    return {}


def tiny_scale(path):
    save(path)
    return {"RADIOMETRY": 2, "SCALE": "1e-320", "OFFSET": 1}


def huge_offset(path):
    save(path)
    return {"RADIOMETRY": 2, "SCALE": "1e300", "OFFSET": "1e308"}


@pytest.mark.parametrize("make", [described, giant, far, tiny_scale, huge_offset])
def test_hostile_facts_never_abort_qgis_process(qgis_process, tmp_path, make):
    hostile = tmp_path / ("hostile.vrt" if make is giant else "hostile.tif")
    options = [f"{name}={value}" for name, value in make(hostile).items()]
    expression = "A@B04 + 1" if make is described else "A + 1"
    out = tmp_path / "out.tif"
    ended = qgis_process(
        "run",
        "bandwise:bandmath",
        "--",
        f"LAYERS={hostile}",
        f"EXPRESSION={expression}",
        *options,
        f"OUTPUT={out}",
    )
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    assert (ended.returncode == 0) == out.exists()
