# SPDX-License-Identifier: GPL-2.0-or-later
"""Sentences are plain English for the engine, and can be said again in another language."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from bandwise.engine.errors import BandwiseError, GridError, InputError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.messages import Text, join, translate
from bench import Bench

GERMAN = {
    "{file} has no {thing}": "{file} hat keine {thing}",
    "band {number}": "Nummer {number} der Bänder",
    "{first}; {second}": "{first} und {second}",
}


def sentence() -> Text:
    inner = translate("Bandwise", "band {number}").format(number=3)
    return translate("Bandwise", "{file} has no {thing}").format(file="a{b}.tif", thing=inner)


def test_a_text_is_a_string() -> None:
    assert sentence() == "a{b}.tif has no band 3"
    assert isinstance(sentence(), str)
    assert sentence().template == "{file} has no {thing}"


def test_nested_texts_are_translated_too() -> None:
    assert (
        sentence().in_language(lambda template: GERMAN.get(template, template))
        == "a{b}.tif hat keine Nummer 3 der Bänder"
    )


def test_joined_texts_are_translated_too() -> None:
    joined = join([sentence(), sentence(), sentence()])
    assert joined == "; ".join([str(sentence())] * 3)
    german = "a{b}.tif hat keine Nummer 3 der Bänder"
    assert joined.in_language(GERMAN.__getitem__) == " und ".join([german] * 3)
    assert join([sentence()]) == sentence()


def test_formats_are_kept_in_another_language() -> None:
    text = translate("Bandwise", "{value:.2f} m of {value:.0f}").format(value=3.14159)
    assert text == "3.14 m of 3"
    assert text.in_language(lambda _: "von {value:.0f}: {value:.3f} m") == "von 3: 3.142 m"


@pytest.mark.parametrize(
    "travel", [lambda text: pickle.loads(pickle.dumps(text)), copy.copy, copy.deepcopy]
)
def test_texts_travel_with_their_template(travel: Any) -> None:
    again = travel(sentence())
    assert again == sentence() and type(again) is Text
    assert (
        again.in_language(lambda template: GERMAN.get(template, template))
        == "a{b}.tif hat keine Nummer 3 der Bänder"
    )


def test_errors_travel_with_their_text() -> None:
    again = pickle.loads(pickle.dumps(InputError(sentence())))
    assert type(again) is InputError and again.args == (sentence(),) and type(again.args[0]) is Text


def test_everything_that_a_run_says_can_be_translated(bench: Bench) -> None:
    """Notes, and an error with a clause inside: each word of the engine's passes through the translator."""
    import numpy as np

    near, visible = (
        bench.save("nir.tif", np.full((4, 4), 3, np.uint16)),
        bench.save("red.tif", np.full((4, 4), 1, np.uint16), crs=None),
    )
    heard: list[Any] = []
    run(
        bench.job(near, near),
        progress=lambda fraction, note: heard.append(note.text) if note else None,
    )
    with pytest.raises(GridError) as caught:
        run(bench.job(near, visible))
    heard.append(caught.value.args[0])
    assert len(heard) > 5
    for text in heard:
        assert type(text) is Text
        seen: list[str] = []

        def listen(template: str, seen: list[str] = seen) -> str:
            seen.append(template)
            return template

        assert text.in_language(listen) == str(text)
        assert text.template in seen
    assert isinstance(caught.value, BandwiseError)
