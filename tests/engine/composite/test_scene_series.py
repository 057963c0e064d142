# SPDX-License-Identifier: GPL-2.0-or-later
"""Which scenes a composite takes, which it leaves out and why; many open files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.compute.composite.statistic import Statistic
from bandwise.engine.errors import InputError, OptionError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.grids.layout import Extent, ExtentRule, GridRule, Layout
from bandwise.engine.scenes.folder import scenes_in
from bench import Bench
from composite_cases import CLOUDS, composite, expected, job, product, season
from scene_cases import zipped

PLAIN = np.full((6, 8), 3000, np.uint16)
FAR = (10.0, 0.0, 900000.0, 0.0, -10.0, 5000040.0)


def warnings(asked: Any) -> list[str]:
    return [str(note.text) for note in asked.notes if note.warning]


def test_scenes_are_sorted_by_date_and_taken_once(bench: Bench) -> None:
    dates = ("2022-07-01", "2022-05-01", "2022-06-01")
    made = [product(bench, date, PLAIN, PLAIN * 2) for date in dates]
    again = f"{made[0].path}/MTD_MSIL2A.xml"
    asked = job(bench, [*(scene.path for scene in made), again], clouds=None)
    assert asked.composite is not None
    assert [scene.date for scene in asked.composite.scenes] == sorted(dates)
    assert len(asked.bands) == 6 and not warnings(asked)


def test_folders_and_archives(bench: Bench) -> None:
    made = season(bench, 3)
    archive = zipped(made[1].path, bench.path("b.zip"), top=f"{Path(made[1].path).name}/")
    shutil.rmtree(made[1].path)
    paths = scenes_in(str(bench.folder))
    assert len(paths) == 3 and archive in paths
    (found,) = composite(bench, paths)
    np.testing.assert_allclose(found, expected(made, Statistic.MEDIAN), rtol=1e-6, atol=1e-7)


def test_a_period_has_both_its_days(bench: Bench) -> None:
    made = season(bench, 4)
    asked = job(
        bench, [scene.path for scene in made], start=made[1].date, end=made[2].date, clouds=None
    )
    assert asked.composite is not None
    assert [scene.date for scene in asked.composite.scenes] == [made[1].date, made[2].date]
    assert [text for text in warnings(asked) if made[0].date in text and "outside" in text]
    assert len(warnings(asked)) == 2


def test_what_cannot_be_used_is_left_out(bench: Bench) -> None:
    """Nothing there, no product, a damaged file, damaged metadata, no such band, no common area."""
    good = season(bench, 2)
    far = product(bench, "2022-08-01", PLAIN, PLAIN, transform=FAR)
    cut = product(bench, "2022-08-06", PLAIN, PLAIN)
    (band,) = Path(cut.path).rglob("*B08*")
    band.write_bytes(b"no image")
    wrong = product(bench, "2022-08-11", PLAIN, PLAIN)
    Path(wrong.path, "MTD_MSIL2A.xml").write_text("<x")
    lacking = product(bench, "2022-08-16", PLAIN, PLAIN)
    next(Path(lacking.path).rglob("*B04*")).unlink()
    empty = bench.path("empty/x")
    left = [far.path, cut.path, wrong.path, lacking.path, str(Path(empty).parent), "/no/such"]
    asked = job(bench, [*left, *(scene.path for scene in good)])
    assert asked.composite is not None and len(asked.composite.scenes) == 2
    texts = "\n".join(text for text in warnings(asked) if "left out" in text)
    assert texts.count("is left out: ") == len(left)
    for words in (
        "it does not fit the scenes before it or the extent",
        "cannot be opened as a raster",
        "has no file of red",
        "There is no scene /no/such",
    ):
        assert words in texts, words
    run(asked)
    found = bench.read(asked.output)
    right = np.nan_to_num(expected(good, Statistic.MEDIAN), nan=-9999)
    np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-7)


def test_no_scene_is_one_sentence(bench: Bench) -> None:
    with pytest.raises(InputError, match="No scene is given; choose them in scenes"):
        job(bench, [])
    far = product(bench, "2022-08-01", PLAIN, PLAIN * 2, transform=FAR)
    here = Layout(extent=Extent(300000.0, 4999900.0, 300080.0, 5000040.0, ""))
    with pytest.raises(
        InputError, match=r"No scene can be used: The scene S2A.* is left out: .*no area"
    ):
        job(bench, [far.path], layout=here, clouds=None)


def test_a_union_takes_all(bench: Bench) -> None:
    made = product(bench, "2022-05-01", PLAIN, PLAIN * 2)
    beside = product(
        bench,
        "2022-06-01",
        PLAIN,
        PLAIN * 3,
        transform=(10.0, 0.0, 300080.0, 0.0, -10.0, 5000040.0),
    )
    paths, union = [made.path, beside.path], Layout(extent_rule=ExtentRule.UNION)
    alone = job(bench, paths, clouds=None)
    assert alone.composite is not None and len(alone.composite.scenes) == 1
    (found,) = composite(bench, paths, layout=union, clouds=None)
    np.testing.assert_allclose(found, np.hstack([made.ndvi, beside.ndvi]), rtol=1e-6)


def test_the_grid_of_a_reference(bench: Bench) -> None:
    made = season(bench, 2)
    reference = bench.save(
        "r.tif", np.zeros((10, 12), np.uint8), transform=(10, 0, 300050, 0, -10, 4999940)
    )
    layout = Layout(rule=GridRule.REFERENCE, reference=reference, extent_rule=ExtentRule.GRID)
    (found,) = composite(bench, [scene.path for scene in made], layout=layout)
    right = expected(made, Statistic.MEDIAN)[10:20, 5:17]
    np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-7)


def test_one_overpass_twice_is_warned_of(bench: Bench) -> None:
    made = product(bench, "2022-05-01", PLAIN, PLAIN * 2)
    copy = shutil.copytree(made.path, bench.path("copy/" + Path(made.path).name))
    asked = job(bench, [made.path, str(copy)], clouds=None)
    (text,) = warnings(asked)
    assert "tile 29UNU, of 2022-05-01" in text and "counts more than once" in text


def test_a_scene_without_a_mask_keeps_its_clouds(bench: Bench) -> None:
    made = product(bench, "2022-05-01", PLAIN, PLAIN * 2)
    (text,) = warnings(job(bench, [made.path], clouds=CLOUDS))
    assert "has no mask of clouds; they stay" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "31.5.2024"}, "first day is a date such as 2024-05-31, not 31.5.2024"),
        ({"start": "2022-02-30"}, "first day is a date"),
        ({"start": "2022-02-03", "end": "2022-02-02"}, "last day is 2022-02-02, before first day"),
        ({"statistics": ()}, "statistics is empty"),
        ({"percentile": 101.0}, "percentile is a number from 0 to 100, not 101"),
        ({"index": " "}, "index is empty"),
        ({"index": "NDVJ"}, "There is no index NDVJ; near names are "),
        ({"index": "nir - infrared"}, "there is no band infrared"),
        ({"index": "a := nir; b := red"}, "index gives 2 results"),
        ({"index": "3"}, "index uses no band"),
        ({"index": "nir / red", "constants": "L=1"}, "constants are for an index of the list"),
        ({"constants": "L=1"}, "none of the indices has a constant L"),
    ],
)
def test_one_sentence_for_what_means_nothing(
    bench: Bench, options: dict[str, Any], words: str
) -> None:
    made = product(bench, "2022-05-01", PLAIN, PLAIN * 2)
    options = dict(options)
    with pytest.raises(OptionError, match=words):
        job(bench, [made.path], options.pop("index", "NDVI"), **options)


FEW = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))
sys.path += {paths!r}
from pathlib import Path
from bench import Bench
from composite_cases import job
from bandwise.engine.execution.pipeline import run
report = run(job(Bench(Path(".")), {scenes!r}, workers=3, memory=24))
print(report.handles, report.windows)
"""


@pytest.mark.posix
def test_more_files_than_the_system_lets_open(bench: Bench) -> None:
    """20 scenes of three files for three workers, where 64 may be open."""
    made = season(bench, 20, (140, 160))
    support = Path(__file__).parents[2] / "support"
    paths = [str(support), *(str(path) for path in support.iterdir() if path.is_dir())]
    script = FEW.format(limit=64, paths=paths, scenes=[scene.path for scene in made])
    result = bench.python(script)
    assert result.returncode == 0, result.stderr
    handles, _ = map(int, result.stdout.split())
    assert handles <= 32
    found = bench.read(bench.path("composite.tif"))
    right = np.nan_to_num(expected(made, Statistic.MEDIAN), nan=-9999)
    np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-7)
