# SPDX-License-Identifier: GPL-2.0-or-later
"""Many scenes: a right result of each, what is there skipped, a bad one no end, cancelled and taken up again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.errors import InputError, OptionError
from bandwise.engine.execution.batch import Batch, Row, Status
from bandwise.engine.job import Note
from bandwise.engine.planning.jobs.many.many_scenes import candidates
from bandwise.engine.planning.jobs.period import Period
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from many_cases import BROKEN, FILES, broken, landsat, planned, products, run_all, statuses
from scene_cases import LC08, LT05, PLANET, S30, SAFE, no_parts, touch


def assert_right(bench: Bench, expected: dict[str, Any], folder: str = "out") -> None:
    for scene, name in FILES.items():
        values = bench.read(str(bench.folder / folder / name)).astype(float)
        wanted = expected[scene]
        np.testing.assert_array_equal(values == -9999, np.isnan(wanted))
        np.testing.assert_allclose(values[1:], wanted[1:], rtol=1e-6, atol=1e-7)


def test_each_scene_has_a_result_and_the_table_its_numbers(bench: Bench) -> None:
    expected = products(bench)
    table = run_all(bench)
    assert sorted(path.name for path in (bench.folder / "out").iterdir()) == sorted(FILES.values())
    assert_right(bench, expected)
    assert statuses(table) == ["done"] * 4 and not table.cancelled
    for row in table.rows:
        assert row.candidate.scene is not None and row.statistics is not None
        wanted = expected[row.candidate.scene.name]
        found = row.statistics
        assert (found.valid, found.invalid) == (570, 30)
        assert found.mean == pytest.approx(np.nanmean(wanted), abs=1e-6)
        assert found.minimum == pytest.approx(np.nanmin(wanted), rel=1e-6)
        assert found.standard_deviation == pytest.approx(np.nanstd(wanted), rel=1e-5)


def test_a_second_run_skips_and_gives_the_same_numbers(bench: Bench) -> None:
    products(bench)
    first, before = run_all(bench), bench.listing()
    second = run_all(bench)
    assert statuses(second) == ["skipped"] * 4 and bench.listing() == before
    for one, other in zip(first.rows, second.rows):
        assert one.file == other.file and one.statistics and other.statistics
        assert one.statistics.valid == other.statistics.valid
        assert other.statistics.mean == pytest.approx(one.statistics.mean, rel=1e-11)
        deviations = (
            each.statistics.standard_deviation for each in (one, other) if each.statistics
        )
        assert len({f"{value:.9g}" for value in deviations}) == 1


def test_a_new_scene_alone_is_computed(bench: Bench) -> None:
    products(bench)
    run_all(bench)
    landsat(bench, BROKEN, (4, 5), 7, "in/landsat")
    assert sorted(statuses(run_all(bench))) == ["done", *["skipped"] * 4]


@pytest.mark.parametrize(
    "change",
    [
        {"data_type": DataType.INT16_SCALED},
        {"clamp": (0.0, None)},
        {"mask": None},
        {"creation_options": "COMPRESS=LZW"},
        {"cog": True},
        {"overviews": True},
    ],
)
def test_another_option_computes_again(bench: Bench, change: dict[str, Any]) -> None:
    products(bench)
    run_all(bench)
    assert statuses(run_all(bench, **change)) == ["done"] * 4
    again = run_all(bench, **change)
    assert statuses(again) == ["skipped"] * 4
    assert all(row.statistics and row.statistics.maximum < 1 for row in again.rows)


def test_options_that_do_not_matter_to_the_result_do_not_count(bench: Bench) -> None:
    products(bench)
    run_all(bench)
    assert statuses(run_all(bench, workers=1, memory=100)) == ["skipped"] * 4
    shutil.move(bench.folder / "in", bench.folder / "elsewhere")
    (bench.folder / "in").symlink_to(bench.folder / "elsewhere")
    assert statuses(run_all(bench)) == ["skipped"] * 4


def test_a_constant_is_a_part_of_the_job(bench: Bench) -> None:
    products(bench)
    options: dict[str, Any] = {"indices": "SAVI", "constants": "L=0.25"}
    run_all(bench, **options)
    assert statuses(run_all(bench, **options)) == ["skipped"] * 4
    assert statuses(run_all(bench, indices="SAVI")) == ["done"] * 4


def test_a_changed_input_computes_its_scene_again(bench: Bench) -> None:
    products(bench)
    run_all(bench)
    expected = landsat(bench, LC08, (4, 5), 99, "in/landsat")
    table = run_all(bench)
    assert [row.status for row in table.rows].count(Status.DONE) == 1
    values = bench.read(str(bench.folder / "out" / FILES[LC08]))
    np.testing.assert_allclose(values[1:], expected[1:], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("product", [LC08, SAFE])
def test_changed_metadata_compute_their_scene_again(bench: Bench, product: str) -> None:
    products(bench)
    names = {LC08: f"landsat/{LC08}_MTL.txt", SAFE: f"{SAFE}.SAFE/MTD_MSIL2A.xml"}
    path = Path(bench.path(f"in/{names[product]}"))
    right = path.read_text("utf-8")
    path.write_text(right.replace("2.75e-05", "2e-05").replace("-1000", "0"), "utf-8")
    run_all(bench)
    path.write_text(right, "utf-8")
    table = run_all(bench)
    again = [row.candidate.scene for row in table.rows if row.status is Status.DONE]
    assert [scene.name for scene in again if scene] == [product]


def test_all_again_where_it_is_wanted(bench: Bench) -> None:
    products(bench)
    run_all(bench)
    assert statuses(run_all(bench, batch=Batch(again=True))) == ["done"] * 4


def test_a_result_that_was_cut_off_is_made_again(bench: Bench) -> None:
    """A COG has its tags in front of its blocks, which a copy that ended early lacks."""
    expected = products(bench)
    run_all(bench, cog=True)
    path = bench.folder / "out" / FILES[S30]
    path.write_bytes(path.read_bytes()[:-200])
    assert statuses(run_all(bench, cog=True)).count("done") == 1
    assert_right(bench, expected)


@pytest.mark.parametrize("content", [b"", b"mine", None])
def test_a_file_of_somebody_else_stays(bench: Bench, content: bytes | None) -> None:
    products(bench)
    path = Path(bench.path(f"out/{FILES[S30]}"))
    if content is None:
        bench.save(f"out/{FILES[S30]}", np.ones((3, 3), np.float32))
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    for again in (False, True):
        table = run_all(bench, batch=Batch(again=again))
        (row,) = (row for row in table.rows if row.status is Status.FAILED)
        assert "exists and is no complete result" in row.message
        assert path.read_bytes() == before


def test_a_bad_scene_stops_no_other(bench: Bench) -> None:
    expected = products(bench)
    broken(bench)
    notes: list[Note] = []
    batch = Batch(progress=lambda _, note: notes.append(note) if note else None)
    table = run_all(bench, batch=batch)
    assert sorted(statuses(table)) == [*["done"] * 4, "failed", "failed"]
    assert_right(bench, expected)
    failed = [row for row in table.rows if row.status is Status.FAILED]
    assert {os.path.basename(row.candidate.source) for row in failed} == {
        f"{BROKEN}_MTL.txt",
        "download.zip",
    }
    assert all("\n" not in row.message and len(row.message) > 20 for row in failed)
    warnings = [str(note.text) for note in notes if note.warning]
    assert len([line for line in warnings if line.startswith("NDVI failed: ")]) == 2
    assert str(notes[0].text).startswith("Scene 1 of 6: ")


def test_an_index_that_a_scene_does_not_allow_fails_there_alone(bench: Bench) -> None:
    products(bench)
    bench.save(f"in/{S30}.B11.tif", np.full((20, 30), 500, np.int16), nodata=-9999)
    table = run_all(bench, indices="NDVI;NDMI")
    found = {
        (row.candidate.scene.name, row.index): row for row in table.rows if row.candidate.scene
    }
    assert found[S30, "NDMI"].status is Status.DONE
    assert found[LC08, "NDVI"].status is Status.DONE
    assert "NDMI needs the band swir1" in found[LC08, "NDMI"].message


def test_one_file_of_all_indices(bench: Bench) -> None:
    expected = products(bench)
    table = run_all(bench, indices="SR;NDVI", pattern="{sensor} {level} {date}")
    assert [row.index for row in table.rows] == ["SR", "NDVI"] * 4
    names = {os.path.basename(row.file) for row in table.rows}
    assert names == {
        "Landsat 5 L2SP 1990-07-01.tif",
        "Landsat 8 L2SP 2020-07-01.tif",
        "HLS S30 2020-07-01.tif",
        "Sentinel-2 L2A 2022-10-05.tif",
    }
    values = bench.read(str(bench.folder / "out" / "HLS S30 2020-07-01.tif"), None)
    assert values.shape[0] == 2
    np.testing.assert_allclose(values[1, 1:], expected[S30][1:], rtol=1e-6, atol=1e-7)
    again = run_all(bench, indices="SR;NDVI", pattern="{sensor} {level} {date}")
    assert statuses(again) == ["skipped"] * 8
    means = [
        [row.statistics.mean for row in rows if row.statistics] for rows in (table.rows, again.rows)
    ]
    assert means[1] == pytest.approx(means[0], rel=1e-11)


def test_a_file_of_all_indices_has_all_or_is_not_there(bench: Bench) -> None:
    products(bench)
    bench.save(f"in/{S30}.B11.tif", np.full((20, 30), 500, np.int16), nodata=-9999)
    notes: list[str] = []
    batch = Batch(progress=lambda _, note: notes.append(str(note.text)) if note else None)
    table = run_all(bench, indices="NDVI;NDMI", pattern="{scene}", batch=batch)
    done = {
        row.candidate.scene.name for row in table.rows if row.statistics and row.candidate.scene
    }
    assert done == {S30}
    assert sorted(path.name for path in (bench.folder / "out").iterdir()) == [f"{S30}.tif"]
    failures = [note for note in notes if " failed: " in note]
    assert len(failures) == 3
    assert all(note.startswith("NDVI;NDMI failed: NDMI needs the band swir1") for note in failures)


def test_a_cancel_leaves_what_is_complete_and_the_next_run_goes_on(bench: Bench) -> None:
    expected = products(bench)
    fractions: list[float] = []

    def cancelled() -> bool:
        return bool(fractions) and fractions[-1] > 0.5

    batch = Batch(progress=lambda fraction, _: fractions.append(fraction), cancelled=cancelled)
    table = run_all(bench, batch=batch, table="t.csv")
    assert table.cancelled and statuses(table) == ["done"] * 2
    files = sorted(path.name for path in (bench.folder / "out").iterdir())
    assert files == sorted(
        FILES[row.candidate.scene.name] for row in table.rows if row.candidate.scene
    )
    assert len(Path(table.path).read_text("utf-8").splitlines()) == 3
    assert fractions == sorted(fractions) and fractions[-1] <= 0.75
    assert sorted(statuses(run_all(bench))) == ["done", "done", "skipped", "skipped"]
    assert_right(bench, expected)


def test_a_cancel_before_the_first_scene(bench: Bench) -> None:
    products(bench)
    table = run_all(bench, batch=Batch(cancelled=lambda: True), table="t.csv")
    assert table.cancelled and table.rows == () and table.path == ""
    assert not (bench.folder / "t.csv").exists()


def test_a_dry_run_writes_nothing_and_finds_what_is_wrong(bench: Bench) -> None:
    products(bench)
    broken(bench)
    before = bench.listing()
    table = run_all(bench, batch=Batch(dry=True))
    assert sorted(statuses(table)) == ["failed", "failed", *["planned"] * 4]
    assert bench.listing() == before


def test_two_scenes_of_one_name_are_refused_before_any_work(bench: Bench) -> None:
    touch(bench, f"in/{PLANET}_3B_AnalyticMS_SR.tif")
    touch(bench, f"in/{PLANET.replace('084707', '101112')}_3B_AnalyticMS_SR.tif")
    with pytest.raises(
        OptionError, match=r"would both be written to 2022-04-01_NDVI.tif; add {scene}"
    ):
        planned(bench)
    assert len(planned(bench, pattern="{scene}_{index}")) == 2


def test_two_levels_of_a_scene_have_one_name(bench: Bench) -> None:
    touch(bench, *(f"in/{PLANET}_3B_AnalyticMS{kind}.tif" for kind in ("", "_SR")))
    with pytest.raises(OptionError, match=r"add {level} to it"):
        planned(bench)
    names = [
        os.path.basename(task.file) for task in planned(bench, pattern="{date}_{level}_{index}")
    ]
    assert names == ["2022-04-01_TOA_NDVI.tif", "2022-04-01_SR_NDVI.tif"]


def test_indices_whose_names_differ_in_capitals_alone(bench: Bench) -> None:
    products(bench)
    made = planned(bench, indices="BAI;BaI", pattern="{scene}")
    assert {task.indices for task in made} == {("BAI", "BaI")}
    with pytest.raises(
        OptionError, match=r"BAI and BaI would both be written .* leave {index} out"
    ):
        planned(bench, indices="BAI;BaI", pattern="{scene}_{index}")


def test_a_product_that_lies_there_twice_is_computed_once(bench: Bench) -> None:
    products(bench)
    shutil.copytree(bench.folder / "in" / "landsat", bench.folder / "in" / "copy")
    scenes, notes = candidates(str(bench.folder / "in"), Period(), no_parts)
    assert len(scenes) == 4
    assert (
        len([note for note in notes if note.warning and "is the same scene as" in note.text]) == 2
    )


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2020-07-01", "2022-10-04", [LC08, S30]),
        ("2020-07-02", "", [SAFE]),
        ("", "1990-07-01", [LT05]),
        ("2022-10-05", "2022-10-05", [SAFE]),
    ],
)
def test_a_period(bench: Bench, start: str, end: str, expected: list[str]) -> None:
    products(bench)
    scenes, notes = candidates(str(bench.folder / "in"), Period(start, end), no_parts)
    assert sorted(each.scene.name for each in scenes if each.scene) == sorted(expected)
    left_out = 4 - len(expected)
    assert f"4 scenes in {bench.folder / 'in'}, {left_out} of them of other dates" in notes[0].text


def test_one_sentence_where_there_is_no_scene(bench: Bench) -> None:
    products(bench)
    with pytest.raises(InputError, match=r"None of the 4 scenes .* is of these dates"):
        candidates(str(bench.folder / "in"), Period("2024-01-01", ""), no_parts)
    with pytest.raises(OptionError, match="last day is 2020-01-01, before first day"):
        candidates(str(bench.folder / "in"), Period("2024-01-01", "2020-01-01"), no_parts)
    touch(bench, "empty/readme.txt")
    with pytest.raises(InputError, match="There is no scene in"):
        candidates(str(bench.folder / "empty"), Period(), no_parts)


def test_rows_come_one_by_one(bench: Bench) -> None:
    products(bench)
    rows = Batch().rows(planned(bench))
    first: Row = next(rows)
    assert first.status is Status.DONE
    assert len(list((bench.folder / "out").iterdir())) == 1
    assert len(list(rows)) == 3
