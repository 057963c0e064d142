# SPDX-License-Identifier: GPL-2.0-or-later
"""Write ``docs/indices.md`` from the table of indices: formula, constants, sensors and source of each.

python -m scripts.indices.page
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from engine.indices.catalogue import Index, listed_indices
from engine.radiometry.roles import ROLE_TEXTS, ROLES_BY_CODE, SENSORS

from .peers import PEERS, PeerIndex

PAGE = Path(__file__).resolve().parents[2] / "docs" / "indices.md"
_HEAD = """# Spectral indices

Made from `resources/indices.json` by `python -m scripts.indices.page`; do not edit. `bandwise:spectralindices` computes
these {count} indices: all of the [Awesome Spectral Indices](https://github.com/awesome-spectral-indices/awesome-spectral-indices)
list (Montero et al. 2023, [doi:10.1038/s41597-023-02096-0](https://doi.org/10.1038/s41597-023-02096-0)). Formulas are
expressions over roles of bands and constants, with the constants' defaults beside them; `λ` stands for the central
wavelength of a band in nm, which is taken from the sensor.

Sensors are those that have all of the bands: S2 Sentinel-2 and HLS S30, L8 Landsat 8 and 9 and HLS L30, L5 Landsat 4
and 5, L7 Landsat 7, MSS Landsat 1 to 5, MODIS, PS PlanetScope with eight bands, S1 Sentinel-1.

| role | code of the list | what it is |
|---|---|---|
{roles}
"""
_PEERS = """## Other tools

What `i.vi` of GRASS GIS 8.2.1 and RadiometricIndices of OTB 8.1.1 compute, and which index here is the same or is
meant. `make peers-indices` asks them again; tests hold their answers to these formulas, and to ours within the
precision of Float32 where no difference is named. Where a denominator is zero, OTB writes 0, `i.vi` -1, 0, infinity or
nodata, and Bandwise nodata. A formula that is not in the list can be typed in band math, or be an index of one's own.

| tool | its name | its formula | here | difference |
|---|---|---|---|---|
{rows}
"""
_SENSORS = {
    "S2": "Sentinel-2", "L8": "Landsat 8", "L7": "Landsat 7", "L5": "Landsat 5", "MSS": "Landsat 1 MSS",
    "MODIS": "MODIS", "PS": "PlanetScope", "S1": "Sentinel-1",
}  # fmt: skip


def page() -> str:
    """The whole page."""
    indices = listed_indices().values()
    codes = {role: f"`{code}`" for code, role in ROLES_BY_CODE.items()}
    roles = "\n".join(
        f"| `{role}` | {codes.get(role, '')} | {text} |" for role, text in ROLE_TEXTS.items()
    )
    parts = [_HEAD.format(count=len(indices), roles=roles)]
    for domain in dict.fromkeys(index.domain for index in indices):
        parts.append(
            "\n".join(_section(domain, [each for each in indices if each.domain == domain]))
        )
    parts.append(_PEERS.format(rows="\n".join(map(_peer, PEERS))))
    return "\n".join(parts)


def _peer(peer: PeerIndex) -> str:
    """The row of an index of another tool."""
    ours = f"**{peer.ours}**" if peer.ours else ""
    ours += f" with {peer.constants}" if peer.constants else ""
    cells = (peer.tool, peer.name, f"`{peer.formula}`", ours, peer.why)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def sensors_of(index: Index) -> list[str]:
    """The sensors, in short, that have all bands of an index."""
    return [
        short
        for short, name in _SENSORS.items()
        if set(index.bands) <= {role for band in SENSORS[name] for role in band.roles}
    ]


def _section(domain: str, indices: list[Index]) -> Iterator[str]:
    yield f"## {domain.capitalize()}\n"
    yield "| index | name | formula | constants | sensors | source |"
    yield "|---|---|---|---|---|---|"
    notes = []
    for index in sorted(indices, key=lambda each: each.name.lower()):
        cells = (
            f"**{index.name}**",
            index.long_name,
            f"`{index.formula}`",
            ", ".join(_constant(*each) for each in index.constants.items()),
            " ".join(sensors_of(index)),
            _source(index),
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        notes += [f"* **{index.name}**: {text}." for text in (index.kernel, index.note) if text]
    yield ""
    if notes:
        yield from ("Notes:\n", *notes, "")


def _constant(name: str, default: float | str | None) -> str:
    if default is None:
        return f"{name}: to be given"
    return f"{name} = λ({default})" if isinstance(default, str) else f"{name} = {default:g}"


def _source(index: Index) -> str:
    address = re.sub(r"[()]", lambda match: f"%{ord(match[0]):02X}", index.source)
    return f"[{'doi:' + index.doi.replace('|', '') if index.doi else 'paper'}]({address})"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
