# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of every type in random layouts, read back by tifffile: every block of every image, every
overview, against rasterio's pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bandwise.engine.radiometry.storage import DataType
from scenarios import Scenarios
from second_reader import assert_read_alike
from stress_case import Case, Tally

CODECS = ("NONE", "DEFLATE", "ZSTD", "LZW", "PACKBITS", "LZMA")
MULTI = "ndvi := (a - b) / (a + b); sum := a + b; copy := a"


def _layout(random: Any) -> str:
    options = [f"COMPRESS={random.choice(CODECS)}"]
    if random.random() < 0.4:
        options += ["TILED=NO", f"BLOCKYSIZE={random.choice((1, 7, 16, 64, 128, 256, 1000))}"]
    else:
        side = random.choice((16, 64, 128, 256, 512))
        options += [f"BLOCKXSIZE={side}", f"BLOCKYSIZE={random.choice((side, side, 16, 48, 128))}"]
    options += random.choice(([], ["BIGTIFF=YES"], ["ENDIANNESS=BIG"], ["SPARSE_OK=YES"]))
    options += random.choice(([], ["INTERLEAVE=PIXEL"], ["INTERLEAVE=BAND"]))
    if options[0].endswith(("DEFLATE", "ZSTD", "LZW")):
        options += random.choice(([], ["PREDICTOR=1"], ["PREDICTOR=2"]))
    return "|".join(options)


def test_a_result_is_read_back(
    case: Case, scenarios: Scenarios, tmp_path: Path, tally: Tally
) -> None:
    random = case.random
    several, cog = random.random() < 0.4, random.random() < 0.15
    formula = named_formula(MULTI if several else "ndvi := (a - b) / (a + b)", ("a", "b"))
    job = Job(
        tuple(BandRef(letter, scenarios.path(f"{name}.tif")) for letter, name in zip("ab", ("nir", "red"))),
        formula,
        str(tmp_path / "out.tif"),
        radiometry=RadiometryChoice(scaling=Scaling.STORED),
        data_type=random.choice(list(DataType)), creation_options="" if cog else _layout(random),
        overviews=random.random() < 0.7, cog=cog, workers=random.randint(1, 4), memory=random.choice((24, 64)),
    )  # fmt: skip
    what = f"{job._replace(formula=None)}"  # type: ignore[arg-type]
    run(job)
    try:
        counted = assert_read_alike(job.output)
    except Exception as error:
        raise AssertionError(what) from error
    if job.data_type in (DataType.FLOAT32, DataType.FLOAT64):
        with rasterio.open(job.output) as dataset:
            pixels = dataset.read(1).astype(float)
        right = scenarios.values()
        np.testing.assert_allclose(
            pixels, np.where(np.isfinite(right), right, -9999), rtol=1e-6, err_msg=what
        )
    tally("images read", counted.images)
    tally("blocks read", counted.blocks)
