# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of bad input have in common: rasters, tables and fixtures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.errors import (
    BandwiseError,
)
from bandwise.engine.execution.pipeline import run
from bench import Bench


@pytest.fixture
def good(bench: Bench) -> str:
    """A stack of two bands, 4 x 4 pixels: 3 and 1."""
    return bench.save("good.tif", np.array([[[3] * 4] * 4, [[1] * 4] * 4], np.uint16))


def refused(bench: Bench, job: Any, error: type[BandwiseError], *words: str) -> str:
    """The one sentence that a job is refused with, the folder being as it was."""
    before = bench.listing()
    with pytest.raises(BandwiseError) as caught:
        run(job)
    assert type(caught.value) is error
    assert len(caught.value.args) == 1
    sentence = caught.value.args[0]
    assert "\n" not in sentence and "Traceback" not in sentence and sentence.endswith(".")
    assert len(sentence) < 1000
    for word in words:
        assert word in sentence, sentence
    assert bench.listing() == before
    return sentence


def simple_vrt(
    bench: Bench, name: str, source: str, *, width: int = 4, height: int = 4, band: str = "UInt16"
) -> str:
    """A VRT of one band over band 1 of ``source``."""
    path = bench.path(name)
    Path(path).write_text(
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}"><SRS>EPSG:32633</SRS>'
        "<GeoTransform>300000, 10, 0, 5000040, 0, -10</GeoTransform>"
        f'<VRTRasterBand dataType="{band}" band="1"><SimpleSource><SourceFilename '
        f'relativeToVRT="0">{source}</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    return path
