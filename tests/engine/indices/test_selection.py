# SPDX-License-Identifier: GPL-2.0-or-later
"""Choosing indices, constants and the user's own indices: what is taken, and the sentence for what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bandwise.engine.errors import OptionError
from bandwise.engine.indices.catalogue import load_catalogue
from bandwise.engine.indices.selection import (
    check_bands,
    chosen_indices,
    near_names,
    role_of,
    with_constants,
)

LIST = load_catalogue()


def chosen(text: str) -> list[str]:
    return [index.name for index in chosen_indices(LIST, text)]


def test_names_come_in_their_order_each_once() -> None:
    assert chosen("NDVI;EVI;NBR") == ["NDVI", "EVI", "NBR"]
    assert chosen(" NBR ,ndvi\nNDVI; ") == ["NBR", "NDVI"]
    assert chosen("BaI;BAI;kndvi") == ["BaI", "BAI", "kNDVI"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty; give names such as NDVI;EVI;NBR"),
        (" ; ", "is empty"),
        ("NDVII", "There is no index NDVII; near names are NDVI"),
        ("bai", "near names are BAI, BaI"),
        ("burn ratio", "near names are .*NBR"),
        ("xyzzyq", "There is no index xyzzyq; docs/indices.md lists them"),
    ],
)
def test_an_unknown_index_is_one_sentence_with_near_names(text: str, words: str) -> None:
    with pytest.raises(OptionError, match=words) as caught:
        chosen(text)
    assert "\n" not in str(caught.value)


def test_near_names_by_long_name() -> None:
    assert "NDSI" in near_names(LIST, "snow index")


def test_an_impossible_index_names_the_missing_role() -> None:
    wanted = chosen_indices(LIST, "NDVI;NBR")
    check_bands(wanted, {"nir": 1, "red": 1, "swir2": 1}, {})
    with pytest.raises(OptionError, match=r"NBR needs the band swir2 \(shortwave infrared at 2.2"):
        check_bands(wanted, {"nir": 1, "red": 1}, {})
    with pytest.raises(OptionError, match="recognised are none"):
        check_bands(wanted, {}, {})


@pytest.mark.parametrize(
    ("names", "text", "expected"),
    [
        ("SAVI", "", {"SAVI": {"L": 0.5}}),
        ("SAVI", "L=0.25", {"SAVI": {"L": 0.25}}),
        (
            "SAVI;EVI",
            "L=0.25",
            {"SAVI": {"L": 0.25}, "EVI": {"g": 2.5, "C1": 6, "C2": 7.5, "L": 0.25}},
        ),
        (
            "SAVI;EVI",
            "SAVI.L=0.25; g=3",
            {"SAVI": {"L": 0.25}, "EVI": {"g": 3, "C1": 6, "C2": 7.5, "L": 1}},
        ),
        ("NIRvP", "PAR=400", {"NIRvP": {"PAR": 400}}),
        ("NIRvH2", "lambdaN=800", {"NIRvH2": {"k": 0, "lambdaN": 800, "lambdaR": 660}}),
    ],
)
def test_constants(names: str, text: str, expected: dict[str, dict[str, float]]) -> None:
    found = with_constants(chosen_indices(LIST, names), text, {"red": 660.0, "nir": None})
    assert {each.index.name: each.constants for each in found} == expected


def test_numbers_stand_in_place_of_constants() -> None:
    (savi,) = with_constants(chosen_indices(LIST, "SAVI"), "L=-0.5", {})
    assert savi.expression == "(1 + (-0.5)) * (nir - red) / (nir + red + (-0.5))"
    (ndvi,) = with_constants(chosen_indices(LIST, "NDVI"), "", {})
    assert (ndvi.expression, ndvi.valid_range) == ("(nir - red) / (nir + red)", (-1, 1))
    assert savi.valid_range is None


@pytest.mark.parametrize(
    ("names", "text", "words"),
    [
        ("SAVI", "M=1", "none of the indices has a constant M; theirs are L"),
        ("NDVI", "L=1", "a constant L; theirs are none"),
        ("SAVI", "L", "L is not understood; write L=0.5; g=2.5"),
        ("SAVI", "L=nan", "L=nan is not understood"),
        ("SAVI", "L=1e999", "is not understood"),
        ("NIRvP", "", "NIRvP needs the constant PAR; give it in constants, such as PAR=1"),
        ("NIRvH2", "", "NIRvH2 needs lambdaN, the central wavelength of the band nir in nm"),
    ],
)
def test_a_wrong_constant_is_one_sentence(names: str, text: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        with_constants(chosen_indices(LIST, names), text, {})


def test_roles_by_their_codes() -> None:
    assert [role_of(word) for word in ("nir", " NIR", "N", "N2", "S1", "x", "")] == [
        *("nir", "nir", "nir", "nir2", "swir1", "", ""),
    ]


OWN = [
    "Mine := (nir - red) / (nir + red + 0.3)  # soil",
    {"expression": "Wet := a * green - swir1;", "constants": {"a": 2}, "long_name": "How wet"},
]
BAD = {
    "NDVI := nir - red": "there is an index NDVI already",
    "ndvi := nir - red": "there is an index NDVI already",
    "MINE := nir - red": "there is an index Mine already",
    "Bad := nir - infrared": "there is no band infrared",
    "Bad := (nir - red": "that closes this is missing",
    "nir - red": "no single “name := expression”",
    "A := nir; B := red": "no single",
    "": "empty",
    "red := nir": "red",
    "Bad := __import__('os')": "",
}


CONSTANTS = (
    *({"a": "b"}, {"a": None}, {"a": float("inf")}, {"a": float("nan")}, {"a": 10**400}),
    *({"a": True}, {"nir": 1}, {"sqrt": 2}, {"a b": 2}),
)


def test_own_indices(tmp_path: Path) -> None:
    path = tmp_path / "indices.json"
    path.write_text(json.dumps([*OWN, *BAD, 3, {"a": 1}]))
    catalogue = load_catalogue(str(path))
    assert set(catalogue.indices) - set(LIST.indices) == {"Mine", "Wet"}
    assert catalogue.indices["NDVI"] is LIST.indices["NDVI"]
    wet = catalogue.indices["Wet"]
    assert (wet.formula, wet.bands, wet.long_name) == (
        "a * green - swir1",
        ("green", "swir1"),
        "How wet",
    )
    assert catalogue.indices["Mine"].formula == "(nir - red) / (nir + red + 0.3)"
    assert len(catalogue.warnings) == len(BAD) + 2
    for number, (text, words) in enumerate(zip(catalogue.warnings, BAD.values()), start=3):
        assert f"Entry {number} of your indices in {path} is left out: " in text
        assert words in text and "\n" not in text


@pytest.mark.parametrize("constants", CONSTANTS, ids=str)
def test_constants_of_own_indices_that_are_none(
    tmp_path: Path, constants: dict[str, object]
) -> None:
    path = tmp_path / "indices.json"
    path.write_text(json.dumps([{"expression": "X := nir", "constants": constants}]))
    catalogue = load_catalogue(str(path))
    (text,) = catalogue.warnings
    assert "its constants are no numbers by names of their own" in text
    assert "X" not in catalogue.indices


UNUSABLE = {
    b"{}": "it is no list; write",
    b"[": "it is no list in JSON",
    b"": "it is no list in JSON",
    b"\xff": "it is no list in JSON",
    '["Mine := nir - red"]'.encode("utf-16"): "it is no list in JSON",
    b"[" * 100_000: "it is no list in JSON",
    b" " * 1_000_001: "it is larger than 1 MB",
}


@pytest.mark.parametrize("content", UNUSABLE, ids=lambda content: repr(content[:8]))
def test_an_unusable_file_of_own_indices_is_one_warning(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "indices.json"
    path.write_bytes(content)
    catalogue = load_catalogue(str(path))
    assert catalogue.indices == LIST.indices
    (text,) = catalogue.warnings
    assert f"Your indices in {path} are not used: {UNUSABLE[content]}" in text
    assert "\n" not in text and len(text) < 500


def test_a_folder_in_place_of_own_indices_is_one_warning(tmp_path: Path) -> None:
    (text,) = load_catalogue(str(tmp_path)).warnings
    assert f"Your indices in {tmp_path} are not used: it cannot be read (" in text
    assert text.count(str(tmp_path)) == 1


def test_who_asks_for_an_own_index_that_is_left_out_is_told_why(tmp_path: Path) -> None:
    """Not that it does not exist alone; also where the whole file cannot be used."""
    path = tmp_path / "indices.json"
    path.write_text(json.dumps(["Good := nir - red", "Bad := infrared"]))
    catalogue = load_catalogue(str(path))
    with pytest.raises(OptionError, match=r"no index bad; .*\. Entry 2 .*: there is no band infra"):
        chosen_indices(catalogue, "bad")
    with pytest.raises(OptionError, match=r"no index Beer; docs/indices.md lists them\.$"):
        chosen_indices(catalogue, "Beer")
    path.write_text("[")
    with pytest.raises(OptionError, match=r"no index Good; .*\. Your indices in .* are not used: "):
        chosen_indices(load_catalogue(str(path)), "NDVI;Good")


def test_many_bad_entries_are_few_warnings(tmp_path: Path) -> None:
    path = tmp_path / "indices.json"
    path.write_text(json.dumps(["x"] * 1000 + ["Good := nir"]))
    catalogue = load_catalogue(str(path))
    assert len(catalogue.warnings) == 21 and "Good" in catalogue.indices
    assert f"980 more entries of your indices in {path} are left out" in catalogue.warnings[-1]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_own_indices_as_editors_of_windows_write_them(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "indices.json"
    path.write_bytes(mark + b'["Mine :=\tnir - red"]\r\n'.replace(b"\t", b" "))
    catalogue = load_catalogue(str(path))
    assert "Mine" in catalogue.indices and not catalogue.warnings


def test_no_file_of_own_indices_is_no_warning(tmp_path: Path) -> None:
    assert not load_catalogue(str(tmp_path / "none.json")).warnings
