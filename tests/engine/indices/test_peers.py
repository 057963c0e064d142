# SPDX-License-Identifier: GPL-2.0-or-later
"""Beside the indices of GRASS GIS and OTB: what the tools answered, as ``make peers-indices`` keeps it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bandwise.engine.indices.catalogue import listed_indices
from bandwise.engine.planning.jobs.spectralindices import spectralindices_job
from bench import Bench

from scripts.indices.peers import GRASS, OTB, PEERS, ROLES, PeerIndex, by_the_formula, reflectance

KEPT = Path(__file__).resolve().parents[2] / "corpus" / "peer_indices.json"
FLOAT32 = {"rtol": 3e-7, "atol": 3e-8}
SAME = [peer for peer in PEERS if peer.ours and not peer.why]
OTHER = [peer for peer in PEERS if peer.ours and peer.why]
#: What the tools write where a denominator is zero; OTB takes NDVI for 0 also in sqrt(NDVI + 0.5)
UNDEFINED = {GRASS: (-1.0, 0.0, float("inf"), float("-inf")), OTB: (0.0, 0.70710677)}


@cache
def answers() -> dict[tuple[str, str], np.ndarray]:
    lines = json.loads(KEPT.read_text("utf-8"))["answers"]
    return {(line["tool"], line["name"]): np.array(line["pixels"], float) for line in lines}


def computed(bench: Bench, names: str, **options: Any) -> dict[str, np.ndarray]:
    """Our own results by index as Float32, NaN for nodata."""
    scene = bench.save("scene.tif", np.stack(list(reflectance().values())))
    bands = "; ".join(f"{role}=A@{number}" for number, role in enumerate(ROLES, start=1))
    job = spectralindices_job(
        [("scene", scene)], names, bench.path("out.tif"), bands=bands, **options
    )
    bench.run(job)
    results = (bench.read(job.output, number) for number in range(1, 1 + len(job.formula.results)))
    return {
        result.name: np.where(pixels == -9999, np.nan, pixels.astype(float)).ravel()
        for result, pixels in zip(job.formula.results, results)
    }


def compare(peer: PeerIndex, ours: np.ndarray) -> None:
    """Equal to the precision of Float32 where the formula is defined; else nodata here, and there what is known."""
    theirs = answers()[peer.tool, peer.name]
    defined = np.isfinite(ours)
    # i.vi has a value of its own where all bands, or red and near infrared, are zero
    defined[0] = False
    assert defined.sum() >= 40, peer
    np.testing.assert_allclose(ours[defined], theirs[defined], **FLOAT32, err_msg=str(peer))  # type: ignore[call-overload]
    for value in theirs[~np.isfinite(ours)]:
        assert np.isnan(value) or value in UNDEFINED[peer.tool], peer


def test_every_index_of_the_tools_was_asked() -> None:
    assert set(answers()) == {(peer.tool, peer.name) for peer in PEERS}
    assert len(PEERS) == 39 and len(SAME) >= 23
    assert {peer.ours for peer in SAME + OTHER} <= set(listed_indices())
    assert {peer.name for peer in OTHER} == {
        *("msavi", "vari", "Vegetation:TSAVI", "Vegetation:MSAVI", "Vegetation:GEMI")
    }


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: f"{peer.tool}-{peer.name}")
def test_a_tool_computes_the_formula_that_we_say(peer: PeerIndex) -> None:
    compare(peer, by_the_formula(peer).ravel())


def test_ours_are_theirs(bench: Bench) -> None:
    """Of all that no difference is told of."""
    found = computed(bench, ";".join({peer.ours for peer in SAME}))
    for peer in SAME:
        compare(peer, found[peer.ours])


@pytest.mark.parametrize("peer", OTHER, ids=lambda peer: f"{peer.tool}-{peer.name}")
def test_ours_differ_where_we_say_so(bench: Bench, peer: PeerIndex) -> None:
    ours = computed(bench, peer.ours, constants=peer.constants)[peer.ours]
    theirs = answers()[peer.tool, peer.name]
    assert np.nanmax(np.abs(ours - theirs)) > 0.01


def test_their_formulas_as_indices_of_ones_own(bench: Bench) -> None:
    """As the page says: what ours does not have can be in the user's file, and gives what the tool does."""
    own, peers = Path(bench.path("indices.json")), [peer for peer in PEERS if peer not in SAME]
    entries = [f"peer{number} := {peer.formula}" for number, peer in enumerate(peers)]
    own.write_text(json.dumps(entries), "utf-8")
    names = ";".join(f"peer{number}" for number in range(len(peers)))
    found = computed(bench, names, own_indices=str(own))
    for number, peer in enumerate(peers):
        compare(peer, found[f"peer{number}"])
