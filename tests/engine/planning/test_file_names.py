# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of files by a pattern: fields of a scene, and what no disk takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from bandwise.engine.errors import OptionError
from bandwise.engine.planning.jobs.many.file_names import name_pattern
from bandwise.engine.scenes.scene import Scene
from bench import Bench

SCENE = Scene("S2A_MSIL2A_X", "Sentinel-2", "L2A", "2022-10-05", "29UNU", ())
BARE = Scene("20220401_084707", "PlanetScope", "SR", "2022-04-01", "", ())


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{date}_{tile}_{index}", "2022-10-05_29UNU_NDVI"),
        ("{index} of {sensor} {level}, {scene}", "NDVI of Sentinel-2 L2A, S2A_MSIL2A_X"),
        ("{scene}.tif", "S2A_MSIL2A_X"),
        ("{scene}.TIFF", "S2A_MSIL2A_X"),
        ("{date}-a{{b}}", "2022-10-05-a{b}"),
        ("a:b*{date}?x", "a_b_2022-10-05_x"),
        ("..{date}. ", "2022-10-05"),
    ],
)
def test_a_pattern(pattern: str, name: str) -> None:
    assert name_pattern(pattern).file_name(SCENE, "NDVI") == f"{name}.tif"


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{date}_{tile}_{index}", "2022-04-01_NDVI"),
        ("{tile}_{date}", "2022-04-01"),
        ("{date} - {tile}", "2022-04-01"),
        ("{tile}", "20220401_084707"),
    ],
)
def test_a_field_that_is_not_known_goes_with_its_separator(pattern: str, name: str) -> None:
    assert name_pattern(pattern).file_name(BARE, "NDVI") == f"{name}.tif"


@pytest.mark.parametrize(
    "hostile",
    [
        "../../etc/passwd",
        "a\\b",
        "C:x",
        "a\0b",
        "con",
        "NUL.x",
        "a\nb",
        "x" * 400,
        "ü" * 300,
        "...",
    ],
)
def test_names_that_no_disk_takes(bench: Bench, hostile: str) -> None:
    scene = Scene(hostile, "s", "", "", "", ())
    name = name_pattern("{scene}").file_name(scene)
    assert len(name.encode()) <= 204 and name.endswith(".tif")
    assert not set(name) & set('<>:"/\\|?*\0\n')
    assert name.partition(".")[0].lower() not in ("con", "nul")
    path = Path(bench.path(name))
    path.write_bytes(b"")
    assert path.parent == bench.folder


def test_whether_each_index_has_a_file() -> None:
    assert name_pattern("{scene}_{index}").has_index
    assert not name_pattern("{scene}").has_index


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "is not understood"),
        ("ndvi", "ndvi is not understood; write a name with fields, such as {date}_{tile}_{index}"),
        ("{date", "is not understood"),
        ("date}", "is not understood"),
        ("{date:%Y}", "is not understood"),
        ("{date!r}", "is not understood"),
        ("{day}_{index}", "there is no field {day}; the fields are {date}, {tile}"),
        ("{}", "there is no field {}"),
        ("{0}", "there is no field {0}"),
        ("{scene.name}", "there is no field {scene.name}"),
        ("{tile}/{date}", "has a folder in it"),
        ("..\\{date}", "has a folder in it"),
        ("{index}", "gives all scenes one name"),
    ],
)
def test_one_sentence_for_what_is_no_pattern(pattern: str, words: str) -> None:
    with pytest.raises(OptionError) as raised:
        name_pattern(pattern)
    assert words in str(raised.value) and "\n" not in str(raised.value)
