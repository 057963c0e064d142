# SPDX-License-Identifier: GPL-2.0-or-later
"""A job as a file: the same again after a round trip, and refused in a sentence where it is not what it says."""

from __future__ import annotations

import inspect
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bandwise.engine import __version__
from bandwise.engine.errors import BandwiseError, InputError, OptionError
from bandwise.engine.expression.names import named_formula
from bandwise.engine.grids.layout import Extent, ExtentRule, GridRule, Layout, Resampling
from bandwise.engine.job import BandRef, Composite, CompositeScene, Job, Note
from bandwise.engine.job_file.job_file import InputState, read_job_file, write_job_file
from bandwise.engine.job_file.job_kind import JOB
from bandwise.engine.job_file.kinds import Record
from bandwise.engine.messages import Field, translate
from bandwise.engine.planning.bandmath import bandmath_job
from bandwise.engine.radiometry.formats.metadata_file import ProductFacts
from bandwise.engine.radiometry.masks import Area, MaskChoice, MaskRule, QaFlag
from bandwise.engine.radiometry.scaling import RadiometryChoice, Scaling
from bandwise.engine.radiometry.storage import DataType
from bench import Bench
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mean_operation import Mean

FORMULA = named_formula(
    "NDVI := (nir - red) / (nir + red)", ("nir", "red"), valid_range=(-1.0, 1.0)
)


def made(kind: Any, *values: Any) -> Any:
    """A strategy of objects with these values; ``st.builds`` would ask for types of the others, too."""
    return st.tuples(*values).map(lambda drawn: kind(*drawn))


words = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=20)
paths = st.from_regex(r"/data/[a-z{}é ]{1,12}\.tif", fullmatch=True)
numbers = st.floats(allow_nan=True)
optional = st.none() | numbers
sentences = words.map(
    lambda name: translate("Bandwise", "{name}: {{}} {field}").format(name=name, field=Field.GRID)
)
facts = made(ProductFacts, sentences, numbers, numbers, optional, optional, st.booleans())
pairs = st.tuples(numbers, numbers)
jobs = st.fixed_dictionaries(
    {
        "bands": st.tuples(
            made(BandRef, words, paths, st.integers(1, 99), st.none() | facts),
            made(BandRef, words, paths, st.integers(1, 99)),
        ),
        "formula": st.just(FORMULA),
        "output": paths,
        "radiometry": made(RadiometryChoice, st.sampled_from(Scaling), numbers, numbers, optional),
        "creation_options": st.sampled_from(["", "COMPRESS=ZSTD|ZSTD_LEVEL=3"]),
        "workers": st.integers(0, 64),
        "memory": st.integers(1, 10**6),
        "notes": st.lists(made(Note, sentences, st.booleans()), max_size=3).map(tuple),
        "listed": st.lists(paths, max_size=3).map(tuple),
        "layout": made(
            Layout,
            st.sampled_from(GridRule),
            paths | st.just(""),
            st.sampled_from(ExtentRule),
            st.none() | made(Extent, numbers, numbers, numbers, numbers, words),
            st.sampled_from(Resampling),
        ),
        "mask": st.none()
        | made(
            MaskChoice,
            paths,
            st.integers(0, 9),
            st.sampled_from(MaskRule),
            st.lists(st.integers(0, 11)).map(tuple),
            st.lists(st.sampled_from(QaFlag)).map(tuple),
        ),
        "area": st.none()
        | made(Area, st.lists(st.tuples(st.lists(pairs).map(tuple))).map(tuple), words),
        "data_type": st.sampled_from(DataType),
        "clamp": st.tuples(optional, optional),
        "overviews": st.sampled_from([None, True, False]),
        "cog": st.booleans(),
    }
).map(lambda fields: Job(**fields))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(job=jobs, size=st.integers(0, 2**62))
def test_a_job_is_the_same_after_a_round_trip(tmp_path: Path, job: Job, size: int) -> None:
    inputs = (InputState("/data/é.tif", size, 5), InputState("http://host/a", -1, "Mon, 1"))
    write_job_file(str(tmp_path / "job.json"), job, inputs)
    again = read_job_file(str(tmp_path / "job.json"))
    assert repr(again.job) == repr(job)  # by text, as NaN equals nothing
    assert again == (again.job, __version__, inputs)


@pytest.mark.parametrize(
    "text",
    [
        "where(A@1 > 3, coalesce(A@1, B@1, 5), -9999)",
        "X := A@1; Y := isnodata(B@1) and bitwise_or(A@1, 4) > 1e-300",
        "hypot(A@1, B@1) ^ 2 - 0.1",
    ],
)
def test_formulas_are_the_same_after_a_round_trip(bench: Bench, text: str) -> None:
    path = bench.save("a.tif", [[1, 2]])
    job = bandmath_job([("a", path), ("b", path)], text, bench.path("out.tif"))
    write_job_file(bench.path("job.json"), job, ())
    assert read_job_file(bench.path("job.json")).job == job


def job(**options: Any) -> Job:
    bands = (BandRef("nir", "/data/nir.tif"), BandRef("red", "/data/red.tif"))
    return Job(bands, FORMULA, "/data/out.tif", **options)


@pytest.mark.parametrize(
    "path", ["https://user:pw@host/a.tif", "/vsicurl?header.Authorization=Bearer%20x&url=http://a"]
)
def test_credentials_never_lie_in_a_file(tmp_path: Path, path: str) -> None:
    bands = (BandRef("nir", path), BandRef("red", "/data/red.tif"))
    with pytest.raises(OptionError, match="holds a password, a key or a signature"):
        write_job_file(str(tmp_path / "job.json"), job()._replace(bands=bands), ())
    assert list(tmp_path.iterdir()) == []


def test_code_has_no_form_in_a_file(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="is a program and no formula"):
        write_job_file(str(tmp_path / "job.json"), job(operation=Mean((0,))), ())


def changed(path: str, value: Any) -> Any:
    """A change of the contents: ``value`` at a path of keys; without one the key goes."""

    def change(contents: Any) -> Any:
        *keys, last = path.split("/")
        for key in keys:
            contents = contents[int(key) if key.isdigit() else key]
        contents[int(last) if last.isdigit() else last] = value
        return contents

    return change


HOSTILE = {
    "newer format": (changed("bandwise_job", 2), r"format 2\) and this is"),
    "newer engine": (changed("engine", "99.0"), "written by Bandwise 99.0"),
    "unknown field": (changed("job/command", "rm -rf"), "unknown field 'command'"),
    "a class": (changed("job/layout/rule", "__class__"), "layout.rule is none of FINEST"),
    "a node of another class": (changed("job/formula/nodes/0/is", "os"), "none of band, number"),
    "a node that depends on itself": (
        changed("job/formula/nodes/2/arguments", [0, 2]),
        "no function of earlier nodes",
    ),
    "a function of code": (changed("job/formula/nodes/2/function", "eval"), "no function of"),
    "a band that is not there": (changed("job/formula/nodes/0/index", 9), "a band that is not"),
    "a result that is not there": (changed("job/formula/results/0/node", 99), "names a node"),
    "a negative node": (changed("job/formula/results/0/node", -1), "no whole number"),
    "no bands": (changed("job/bands", []), "no list of at least 1"),
    "true for a number": (changed("job/workers", True), "no whole number"),
    "a huge number": (changed("job/memory", 10**400), "no whole number"),
    "a zero byte": (changed("job/output", "/data/\0.tif"), "no text that fits"),
    "a list for a mapping": (changed("job", []), "job is no mapping"),
    "a text for inputs": (changed("inputs", "all"), "inputs is no list"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    change, sentence = HOSTILE[name]
    path = tmp_path / "job.json"
    write_job_file(str(path), job(), ())
    contents = json.loads(path.read_text("utf-8"))
    change(contents)
    path.write_text(json.dumps(contents), "utf-8")
    with pytest.raises(InputError, match=sentence) as refusal:
        read_job_file(str(path))
    assert "\n" not in str(refusal.value)


NO_JSON = {
    "a pickle": pickle.dumps({"bandwise_job": 1}),
    "an empty file": b"",
    "deep nesting": b"[" * 200_000,
    "a field twice": b'{"bandwise_job": 1, "bandwise_job": 1}',
    "NaN": b'{"bandwise_job": NaN}',
    "a list": b"[1]",
    "true for the format": b'{"bandwise_job": true}',
    "another file": b'{"type": "FeatureCollection"}',
}


@pytest.mark.parametrize("name", NO_JSON)
def test_what_is_no_file_of_a_job_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "job.json").write_bytes(NO_JSON[name])
    with pytest.raises(InputError, match="is no file of a Bandwise job"):
        read_job_file(str(tmp_path / "job.json"))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "no.json", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_job_file(str(path))
    with pytest.raises(BandwiseError, match="cannot be written"):
        write_job_file(str(tmp_path / "no" / "job.json"), job(), ())


def records(kind: Any) -> Iterator[Record]:
    """Every record in a kind."""
    if isinstance(kind, Record):
        yield kind
    inner: list[Any] = [getattr(kind, "kind", None), *getattr(kind, "fields", {}).values()]
    of_kinds = getattr(kind, "kinds", ())
    if isinstance(of_kinds, tuple):
        inner += of_kinds
    else:
        inner += [record for _, record in of_kinds.values()]
    for each in filter(None, inner):
        yield from records(each)


def test_no_field_of_a_job_is_forgotten() -> None:
    """One that a file leaves out would have its default on the other machine, without a word."""
    found = {each.made: set(each.fields) for each in records(JOB)}
    assert set(found) >= {Job, BandRef, Composite, CompositeScene, MaskChoice}
    for made, fields in found.items():
        expected = set(inspect.signature(made).parameters) - {"operation"}
        assert expected == fields, made
