# SPDX-License-Identifier: GPL-2.0-or-later
"""``kill -9`` at any moment: the old file as it was or the new one complete; the next run removes what is left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from children import Children, Order
from scenarios import HEIGHT, TRANSFORM, WIDTH, Scenarios
from stress_case import Case, Tally

KINDS = ("plain", "overviews", "cog")
OLD = 7.0  #: every pixel of the old file and of its overviews
Durations = dict[tuple[str, bool], tuple[float, int]]


@pytest.fixture(scope="module")
def durations(
    scenarios: Scenarios, children: Children, tmp_path_factory: pytest.TempPathFactory
) -> Durations:
    """(kind, whether it replaces a file) -> seconds and file operations of a run that nobody kills."""
    found = {}
    for kind in KINDS:
        for existing in (False, True):
            output = tmp_path_factory.mktemp("timing") / "out.tif"
            if existing:
                make_old(output)
            (outcome,) = children.run(Order(scenarios.job(kind, str(output))))
            assert not outcome.error, outcome
            found[kind, existing] = (outcome.seconds, outcome.operations)
    return found


def make_old(path: Path) -> None:
    """A former result of the same size, with overviews and statistics beside it."""
    profile = {
        "driver": "GTiff",
        "count": 1,
        "height": HEIGHT,
        "width": WIDTH,
        "dtype": "float32",
        "crs": "EPSG:32633",
        "transform": TRANSFORM,
    }
    with rasterio.open(path, "w", nodata=-9999, **profile) as dataset:
        dataset.write(np.full((HEIGHT, WIDTH), OLD, np.float32), 1)
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4])
    Path(f"{path}.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><Metadata><MDI '
        'key="STATISTICS_MEAN">7</MDI></Metadata></PAMRasterBand></PAMDataset>',
        encoding="utf-8",
    )
    assert Path(f"{path}.ovr").exists()


def test_kill(
    case: Case,
    scenarios: Scenarios,
    children: Children,
    durations: Durations,
    tmp_path: Path,
    tally: Tally,
) -> None:
    kind, existing = KINDS[case.number % 3], case.number // 3 % 2 == 1
    seconds, operations = durations[kind, existing]
    output = tmp_path / "out.tif"
    if existing:
        make_old(output)
    old = output.read_bytes() if existing else None
    by_time = case.random.random() < 0.5
    order = Order(
        scenarios.job(kind, str(output)),
        after=case.random.uniform(0, 1.1 * seconds) if by_time else None,
        operation=None if by_time else case.random.randrange(operations),
    )
    (outcome,) = children.run(order)
    moment = (
        f"{kind}, killed after {order.after:.3f} s: {outcome}"
        if by_time
        else f"before operation {order.operation} of {operations}: {outcome}"
    )
    assert outcome.signal in (0, 9) and not outcome.error, moment
    assert outcome.signal or by_time, moment
    state = _state(output, old, scenarios, kind, moment)
    temporaries = sorted(
        path.name for path in tmp_path.iterdir() if not path.name.startswith("out.tif")
    )
    tally(state)
    tally("with a temporary left" if temporaries else "with nothing left")
    (following,) = children.run(Order(scenarios.job("plain", str(tmp_path / "next.tif"))))
    assert not following.error and not following.signal, following
    left = sorted(
        path.name
        for path in tmp_path.iterdir()
        if not path.name.startswith(("out.tif", "next.tif"))
    )
    assert not left, f"{moment}: the next run left {left}"
    assert _state(output, old, scenarios, kind, moment) == state
    scenarios.assert_complete(str(tmp_path / "next.tif"))


def _state(output: Path, old: bytes | None, scenarios: Scenarios, kind: str, moment: str) -> str:
    """Which file stands there: nothing else can."""
    if not output.exists():
        assert old is None, f"{moment}: the old file is lost"
        return "no file, as before"
    if old is not None and output.read_bytes() == old:
        with rasterio.open(output) as dataset:
            overview = dataset.read(1, out_shape=(HEIGHT // 2, WIDTH // 2))
        assert (overview == OLD).all(), f"{moment}: other overviews over the old pixels"
        return "the old file"
    scenarios.assert_complete(str(output), kind)
    return "the new file, complete"
