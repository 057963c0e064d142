# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of indices, held to spyndex: every formula on random reflectance, names, and what is corrected."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import spyndex
from bandwise.engine.expression.dialects import DIALECTS, DialectChoice
from bandwise.engine.expression.formula import Band, Call, Formula, Number
from bandwise.engine.expression.functions import FUNCTIONS
from bandwise.engine.expression.names import NamedBands
from bandwise.engine.expression.parser import parse
from bandwise.engine.indices.catalogue import TABLE, listed_indices
from bandwise.engine.indices.selection import with_constants
from bandwise.engine.radiometry.roles import ROLES_BY_CODE, SENSORS
from indices_cases import CORRECTED, LISTED, by_spyndex, by_the_source

INDICES = listed_indices()
DEFAULTS = {name: constant.default for name, constant in spyndex.constants.items()}
#: Of Sentinel-2, for those that ask for wavelengths.
WAVELENGTHS = {role: band.wavelength for band in SENSORS["Sentinel-2"] for role in band.roles[:1]}
NUMBERS = np.random.default_rng(18)
REFLECTANCE = {role: NUMBERS.uniform(0.01, 0.6, 10_000) for role in ROLES_BY_CODE.values()}
#: Whose defaults differ from the list's, and the words in which the table says why.
OTHER_DEFAULTS = {
    **dict.fromkeys(("SAVI", "GSAVI", "SARVI", "SAVIT", "MNLI", "IBI", "NBUI"), "Huete (1988)"),
    **dict.fromkeys(("NDPI", "sNIRvNDPI"), "Wang et al. (2017)"),
    **dict.fromkeys(("WCI1", "WCI2"), "epsilon"),
    **dict.fromkeys(("NDTI4RE", "SNDTI4RE", "STI4RE", "RVI4RE"), "its version 1 has"),
    **dict.fromkeys(("NDVI4RE", "SAVI4RE", "NDWIns", "SNDTI"), "its version 1 has"),
}


def evaluated(formula: Formula, bands: list[np.ndarray]) -> np.ndarray:
    """A formula's first result in float64, node by node: no compiler, no windows."""
    values: list[np.ndarray] = []
    for node in formula.nodes:
        if isinstance(node, Band):
            values.append(bands[node.index])
        elif isinstance(node, Number):
            values.append(np.full(bands[0].shape, node.value))
        else:
            assert isinstance(node, Call)
            values.append(np.empty(bands[0].shape))
            with np.errstate(all="ignore"):
                FUNCTIONS[node.function].compute(
                    *(values[argument] for argument in node.arguments), out=values[-1]
                )
    return values[formula.results[0].node]


def test_the_table_has_every_index_of_the_list() -> None:
    assert set(INDICES) >= set(LISTED) and len(LISTED) >= 247
    for name, entry in LISTED.items():
        index = INDICES[name]
        assert (index.name, index.long_name) == (name, entry.long_name)
        assert (index.domain, index.source) == (entry.application_domain, entry.reference)


@pytest.mark.parametrize("name", LISTED)
def test_a_formula_gives_what_spyndex_gives(name: str) -> None:
    text = "PAR=400" if "PAR" in INDICES[name].constants else ""
    (chosen,) = with_constants([INDICES[name]], text, WAVELENGTHS)
    roles = list(INDICES[name].bands)
    formula = parse(chosen.expression, DIALECTS[DialectChoice.BANDWISE], NamedBands(roles))
    found = evaluated(formula, [REFLECTANCE[role] for role in roles])
    expected = by_the_source(name, REFLECTANCE, chosen.constants)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)
    assert np.isfinite(expected).mean() > 0.4


@pytest.mark.parametrize("name", LISTED)
def test_constants_have_the_lists_defaults_or_a_note(name: str) -> None:
    index = INDICES[name]
    assert ("default" in index.note) == (name in OTHER_DEFAULTS)
    if name in OTHER_DEFAULTS:
        assert OTHER_DEFAULTS[name] in index.note
        return
    for constant, default in index.constants.items():
        assert default == DEFAULTS[constant] or default in WAVELENGTHS


@pytest.mark.parametrize("name", CORRECTED)
def test_a_corrected_formula_differs_from_the_list_and_says_why(name: str) -> None:
    index = INDICES[name]
    constants = {"gamma": 1.0, "L": 0.5}
    listed = by_spyndex(name, REFLECTANCE, constants)
    assert np.abs(listed - by_the_source(name, REFLECTANCE, constants)).mean() > 0.05
    assert "the list" in index.note and "doi:" in index.note
    if name == "ARVI":
        blue = by_spyndex("BNDVI", REFLECTANCE, {})
        np.testing.assert_allclose(listed, blue, err_msg="the list's ARVI is BNDVI", atol=1e-12)
        same = by_spyndex("IAVI", REFLECTANCE, constants)
        np.testing.assert_allclose(by_the_source(name, REFLECTANCE, constants), same, atol=1e-12)


def test_dois_are_well_formed() -> None:
    dois = {index.doi for index in INDICES.values() if index.doi}
    assert len(dois) > 150
    for doi in dois:
        assert re.fullmatch(r"10\.\d{4,9}/[!-~]+", doi) and not doi.endswith((".", "/", "v1")), doi
        assert doi.count("(") == doi.count(")")


@pytest.mark.parametrize("name", INDICES)
def test_a_row_names_what_its_formula_uses(name: str) -> None:
    """Also one that was added by hand."""
    index = INDICES[name]
    names = [*index.bands, *index.constants]
    formula = parse(index.formula, DIALECTS[DialectChoice.BANDWISE], NamedBands(names))
    assert len(formula.bands()) == len(names) and set(index.bands) <= set(REFLECTANCE)
    assert index.long_name and index.domain and index.source


def test_what_is_corrected() -> None:
    """SAVI's L is Huete's 0.5, EVI's stays 1; B5 of Landsat 8 and 9 is nir and nir2."""
    assert INDICES["SAVI"].constants == {"L": 0.5} and INDICES["EVI"].constants["L"] == 1.0
    assert DEFAULTS["L"] == 1.0
    (band,) = [band for band in SENSORS["Landsat 8"] if band.name == "B5"]
    assert band.roles == ("nir", "nir2")
    for name in ("AshburnVI", "NBRplus", "CRSWIR"):
        assert "B5 of Landsat 8 and 9" in INDICES[name].note
        assert LISTED[name].platforms == ["Sentinel-2"]


def test_kernel_indices_say_their_kernel() -> None:
    kernels = {name for name, index in INDICES.items() if index.domain == "kernel"}
    assert kernels == {"kEVI", "kIPVI", "kNDVI", "kRVI", "kVARI"}
    for name, index in INDICES.items():
        assert index.kernel.startswith("RBF: ") == (name in kernels)


def test_a_row_is_a_line() -> None:
    text = TABLE.read_text("utf-8")
    lines = text.splitlines()
    assert len(lines) == len(INDICES) + 3
    assert all(json.loads(line.rstrip(","))["name"] for line in lines[2:-1])
    assert re.search(r"spyndex \d+\.\d+", text)
