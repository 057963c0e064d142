# SPDX-License-Identifier: GPL-2.0-or-later
"""JOB_FILE of every algorithm: a file from which the command line makes the result of a run here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio
from options_cases import run

ROOT = Path(__file__).resolve().parents[3]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cluster", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("more", [{}, {"DATA_TYPE": 2, "OVERVIEWS": 1, "GRID_EXTENT": 1}])
def test_the_result_of_a_job_file_is_that_of_a_run_here(
    provider, scene, tmp_path, context, log, more
):
    out, job = tmp_path / "out.tif", tmp_path / "job.json"
    parameters = {"RED": scene.red, "NIR": scene.nir, "OUTPUT": str(out), **more}
    result, fine = run({**parameters, "JOB_FILE": str(job)}, context, log)
    assert fine, log.warnings
    assert result == {"JOB_FILE": str(job)}
    assert not out.exists() and context.layersToLoadOnCompletion() == {}
    assert any(f'-m cluster run "{job}"' in line for line in log.info)
    contents = json.loads(job.read_text("utf-8"))
    assert contents["job"]["output"] == str(out)
    assert [Path(each["path"]).name for each in contents["inputs"]] == ["nir.tif", "red.tif"]
    done = command("run", str(job), "--processes", "1")
    assert (done.returncode, done.stdout) == (0, f"{out}\n"), done.stderr
    with rasterio.open(out) as dataset:
        elsewhere = dataset.read(1), dataset.tags(), dataset.tags(1), dataset.overviews(1)
    _, fine = run(parameters, context, log)  # in the same session, now here
    assert fine
    with rasterio.open(out) as dataset:
        assert (elsewhere[0] == dataset.read(1)).all()
        assert elsewhere[1:] == (dataset.tags(), dataset.tags(1), dataset.overviews(1))


def test_a_temporary_result_and_a_bad_folder_get_one_sentence(
    provider, scene, tmp_path, context, log
):
    import processing
    from qgis.core import QgsProcessingException

    parameters = {"RED": scene.red, "NIR": scene.nir, "OUTPUT": "TEMPORARY_OUTPUT"}
    job = str(tmp_path / "job.json")
    with pytest.raises(QgsProcessingException, match="needs a name"):
        processing.run("bandwise:ndvi", {**parameters, "JOB_FILE": job}, context=context)
    parameters["OUTPUT"] = str(tmp_path / "out.tif")
    with pytest.raises(QgsProcessingException, match="cannot be written"):
        processing.run(
            "bandwise:ndvi",
            {**parameters, "JOB_FILE": str(tmp_path / "no" / "job.json")},
            context=context,
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inputs"]


def test_qgis_process_writes_it(qgis_process, scene, tmp_path):
    out, job = tmp_path / "out.tif", tmp_path / "job.json"
    rasters = (f"LAYERS={scene.red}", f"LAYERS={scene.nir}", "EXPRESSION=B@1 - A@1")
    done = qgis_process(
        "run", "bandwise:bandmath", "--", *rasters, f"OUTPUT={out}", f"JOB_FILE={job}"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not out.exists()
    assert json.loads(job.read_text("utf-8"))["job"]["formula"]["text"] == "B@1 - A@1"
