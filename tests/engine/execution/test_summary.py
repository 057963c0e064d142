# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of many scenes, as spreadsheets and other programs read it."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from bandwise.engine.compute.statistics import Statistics
from bandwise.engine.errors import Cancelled, OptionError
from bandwise.engine.execution.batch import Row, Status
from bandwise.engine.execution.summary import COLUMNS, check_summary, tabulated, write_summary
from bandwise.engine.planning.jobs.many.many_scenes import Candidate
from bandwise.engine.scenes.scene import Scene
from bench import Bench

NUMBERS = Statistics(valid=3, masked=1, minimum=-0.5, maximum=1.25, mean=1 / 3, squares=0.75)


def row(name: str = "scene", **changes: object) -> Row:
    scene = Scene(name, "Sentinel-2", "L2A", "2022-10-05", "29UNU", ())
    facts = {"statistics": NUMBERS, "seconds": 1.23456, **changes}
    return Row(Candidate(f"/in/{name}", scene), "NDVI", "/out/a.tif", Status.DONE, **facts)  # type: ignore[arg-type]


def read(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_numbers_have_a_point_and_all_digits(bench: Bench) -> None:
    (found,) = read(write_summary([row()], bench.path("t.csv")))
    assert list(found) == list(COLUMNS)
    assert [found[name] for name in ("scene", "date", "tile", "sensor", "level", "index")] == [
        *("scene", "2022-10-05", "29UNU", "Sentinel-2", "L2A", "NDVI")
    ]
    assert (found["file"], found["status"], found["seconds"]) == ("a.tif", "done", "1.235")
    assert (found["valid_pixels"], found["nodata_pixels"]) == ("3", "1")
    assert (found["minimum"], found["maximum"], found["standard_deviation"]) == (
        "-0.5",
        "1.25",
        "0.5",
    )
    assert float(found["mean"]) == 1 / 3
    assert found["source"] == "/in/scene"


def test_what_is_not_known_is_empty(bench: Bench) -> None:
    failed = Row(Candidate("/in/x.zip", None), "NDVI", "", Status.FAILED, message="It is broken.")
    nothing = row(statistics=Statistics(nodata=4))
    first, second = read(write_summary([failed, nothing], bench.path("t.csv")))
    assert (first["scene"], first["status"], first["message"]) == (
        "x.zip",
        "failed",
        "It is broken.",
    )
    assert all(first[name] == "" for name in ("date", "file", "valid_pixels", "mean", "seconds"))
    assert (second["valid_pixels"], second["nodata_pixels"]) == ("0", "4")
    assert all(second[name] == "" for name in ("minimum", "mean", "standard_deviation"))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_compute(bench: Bench, start: str) -> None:
    name = f"{start}cmd|' /C calc'!A0"
    (found,) = read(write_summary([row(name)], bench.path("t.csv")))
    assert found["scene"] == f"'{name}"
    assert found["minimum"] == "-0.5", "a number is none"


def test_quotes_commas_and_lines_come_back(bench: Bench) -> None:
    name = 'a "scene", with\nlines; and = signs'
    (found,) = read(write_summary([row(name)], bench.path("t.csv")))
    assert found["scene"] == name


def test_a_byte_order_mark_where_the_text_needs_one(bench: Bench) -> None:
    plain, other = (bench.path(name) for name in ("plain.csv", "other.csv"))
    write_summary([row()], plain)
    write_summary([row("Zürich")], other)
    assert Path(plain).read_bytes().startswith(b"scene,")
    assert Path(other).read_bytes().startswith(b"\xef\xbb\xbfscene,")
    assert read(other)[0]["scene"] == "Zürich"
    write_summary([row("\udcff")], plain)


@pytest.mark.skipif(not shutil.which("ogrinfo"), reason="needs GDAL's ogrinfo")
def test_gdal_reads_it(bench: Bench) -> None:
    path = write_summary([row("Zürich"), row()], bench.path("t.csv"))
    ended = subprocess.run(
        ["ogrinfo", "-al", "-oo", "AUTODETECT_TYPE=YES", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Feature Count: 2" in ended.stdout and "mean: Real" in ended.stdout
    assert "scene (String) = Zürich" in ended.stdout


def test_no_former_table_is_lost_where_a_new_one_cannot_be_written(bench: Bench) -> None:
    path = bench.path("folder/t.csv")
    write_summary([row()], path)
    before = bench.listing()
    os.rename(bench.folder / "folder", bench.folder / "gone")
    table = tabulated([row()], path)
    assert (
        table.path == ""
        and "cannot be written" in str(table.fault)
        and "cannot be written" in str(table.fault)
    )
    os.rename(bench.folder / "gone", bench.folder / "folder")
    assert bench.listing() == before, "no temporary file either"


def test_a_table_that_cannot_be_replaced_stays(bench: Bench) -> None:
    Path(bench.path("t.csv/x")).parent.mkdir(
        exist_ok=True
    )  # as good as a file that is open on Windows
    assert write_summary([row()], bench.path("t.csv")) == bench.path("t_1.csv")
    assert write_summary([row()], bench.path("t.csv")) == bench.path("t_2.csv")


def test_the_rows_before_a_cancel(bench: Bench) -> None:
    def rows() -> Iterator[Row]:
        yield row()
        raise Cancelled("Cancelled")

    table = tabulated(rows(), bench.path("t.csv"))
    assert table.cancelled and len(read(table.path)) == len(table.rows) == 1


def test_names_of_tables(bench: Bench) -> None:
    check_summary(bench.path("t.CSV"))
    with pytest.raises(OptionError, match=r"ends in \.csv"):
        check_summary(bench.path("t.xlsx"))
    with pytest.raises(OptionError, match="does not exist"):
        check_summary(str(bench.folder / "nowhere" / "t.csv"))
