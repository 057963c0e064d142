# SPDX-License-Identifier: GPL-2.0-or-later
"""Targets for the engine as a whole process, and whether the measurements meet them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from ..cases import PEERS, TEN_INDICES
from .tables import ratio

HEAD = ("case", "against", "target", "measured", "")
_THREADED = (*PEERS, "gdal_calc-threads", "plain-threads")

#: Case, label, peers (the fastest counts), and how many times as fast the engine has to be.
FASTER: tuple[tuple[str, str, tuple[str, ...], float], ...] = (
    ("1", "gdal_calc.py", ("gdal_calc",), 3.0),
    ("1", "gdal_calc.py --hideNoData", ("gdal_calc-hide",), 3.0),
    ("1", "dask", ("dask",), 3.0),
    ("1", "OTB", ("otb",), 3.5),
    ("1", "QGIS", ("qgis", "qgis-chroot"), 4.5),
    ("1", "rasterio, threads and locks", ("plain",), 2.0),
    ("2a", "best peer", PEERS, 1.4),
    ("2a", "best peer, NUM_THREADS", _THREADED, 1.4),
    ("2b", "best peer", PEERS, 1.8),
    ("2b", "best peer, NUM_THREADS", _THREADED, 1.8),
    ("2c", "best peer", PEERS, 1.5),
    ("2c", "best peer, NUM_THREADS", _THREADED, 1.5),
    ("3", "best peer", PEERS, 1.0),
    ("4", "gdal_calc.py", ("gdal_calc",), 3.2),
    ("4", "dask", ("dask",), 3.0),
    ("4", "OTB", ("otb",), 4.5),
    ("5", "gdal_calc.py", ("gdal_calc",), 5.0),
    ("5", "gdal_calc.py, astype(float)", ("gdal_calc-double",), 5.0),
    ("5", "dask", ("dask",), 4.0),
    ("5", "OTB", ("otb",), 10.0),
    ("5", "QGIS", ("qgis", "qgis-chroot"), 20.0),
    ("6", "gdal_calc.py", ("gdal_calc",), 3.0),
    ("growth-30000", "gdal_calc.py", ("gdal_calc",), 2.5),
)
#: Case, label, lower bound, and how many times its time the engine may take.
WITHIN = (
    ("1", "own copy of a band", "engine-copy", 1.05),
    ("3", "decoding both bands, all cores", "decode", 1.05),
)
_OVERVIEWS = ("overviews", "overviews-2b")
#: Case, label, tool, and how many times its CPU time the engine may take for all indices.
_INDICES = (
    *((case, "one of the indices", "engine-one", 2.5) for case in TEN_INDICES),
    ("10a", "decoding the bands, all cores", "decode", 1.15),
)


def rows(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the rows of the table; a case that was not measured is left out."""
    cases = {entry["name"]: entry for entry in data["cases"]}
    lines: list[tuple[str, ...]] = []
    for case, label, peers, least in FASTER:
        tools = cases.get(case, {}).get("tools", {})
        ratios = [ratio(tools[peer], tools.get("engine")) for peer in peers if peer in tools]
        measured = min((number for number in ratios if number), default=None)
        if measured:
            lines.append(
                (case, label, f"{least:g}x faster", f"{measured:.2f}x", _met(measured >= least))
            )
    for case, label, floor, most in WITHIN:
        tools = cases.get(case, {}).get("tools", {})
        measured = ratio(tools.get("engine", {}), tools.get(floor))
        if measured:
            lines.append(
                (case, label, f"within {most:g}x", f"{measured:.2f}x", _met(measured <= most))
            )
    for case in _OVERVIEWS:
        tools = cases.get(case, {}).get("tools", {})
        measured = ratio(tools.get("engine-overviews", {}), tools.get("engine"))
        if measured:
            lines.append(
                (
                    case,
                    "the run without them",
                    "a third of the run at most",
                    f"{100 * (1 - 1 / measured):.0f} %",
                    _met(measured <= 1.5),
                )
            )
    for case, label, tool, most in _INDICES:
        tools = cases.get(case, {}).get("tools", {})
        measured = ratio(tools.get("engine", {}), tools.get(tool), of="cpu")
        if measured:
            target = f"within {most:g}x its CPU time"
            lines.append((case, label, target, f"{measured:.2f}x", _met(measured <= most)))
    lines += _growth([entry for name, entry in cases.items() if name.startswith("growth")])
    return [
        *lines,
        *(line for entry in cases.values() for line in _memory(entry)),
        *_start(cases.get("startup")),
    ]


LIMITS_HEAD = (
    "case",
    "against",
    "target",
    "seconds that it allows",
    "the engine",
    "of these Python's start and end",
    "the same bands, added",
)


def limits(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a row for each target of speed that is not met: the seconds that it allows, and those
    of the start and of a sum of the same bands.
    """
    lines = []
    for case, label, peers, least in FASTER:
        tools: Mapping[str, Any] = next(
            (entry["tools"] for entry in data["cases"] if entry["name"] == case), {}
        )
        engine, added = tools.get("engine", {}), tools.get("engine-sum", {})
        measured = [
            (number, peer) for peer in peers if (number := ratio(tools.get(peer, {}), engine))
        ]
        if measured and min(measured)[0] < least and added.get("seconds"):
            seconds = median(engine["seconds"])
            start = seconds - median(run["seconds in the engine"] for run in engine["profile"])
            leaves = median(tools[min(measured)[1]]["seconds"]) / least
            lines.append(
                (
                    case,
                    label,
                    f"{least:g}x faster",
                    *(
                        f"{number:.2f}"
                        for number in (leaves, seconds, start, median(added["seconds"]))
                    ),
                )
            )
    return lines


def _met(kept: bool) -> str:
    return "met" if kept else "not met"


def _growth(entries: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    engines = [
        (entry["size"], entry["tools"]["engine"])
        for entry in entries
        if entry["tools"].get("engine", {}).get("seconds")
    ]
    if len(engines) < 2:
        return []
    per_pixel = [
        (size, median(run["seconds in the engine"] for run in facts["profile"]) / size**2)
        for size, facts in engines
    ]
    peaks = [max(facts["peak"]) / 1e6 for _, facts in engines]
    more = peaks[-1] - peaks[0]
    lines = []
    # also without the smallest, of which opening and planning take a share
    for times in (per_pixel, per_pixel[1:]):
        spread = max(seconds for _, seconds in times) / min(seconds for _, seconds in times) - 1
        itself = f"itself, {times[0][0]} to {times[-1][0]} pixels a side"
        lines.append(
            (
                "growth",
                itself,
                "time a pixel in the engine flat within 15 %",
                f"{100 * spread:.0f} %",
                _met(spread <= 0.15),
            )
        )
    itself = f"itself, {per_pixel[0][0]} to {per_pixel[-1][0]} pixels a side"
    flat = _met(abs(more) <= 20 and max(peaks) < 200)
    return [
        *lines,
        (
            "growth",
            itself,
            "peak within 20 MB and under 200 MB",
            f"{more:+.0f} MB, {peaks[-1]:.0f} MB",
            flat,
        ),
    ]


def _memory(entry: Mapping[str, Any]) -> list[tuple[str, ...]]:
    tools = entry["tools"]
    peaks = {
        name: max(tools[name]["peak"])
        for name in ("engine", *PEERS)
        if tools.get(name, {}).get("peak")
    }
    mine = peaks.pop("engine", None)
    if not mine or not peaks:
        return []
    best = min(peaks, key=lambda name: peaks[name])
    share = f"{mine / 1e6:.0f} of {peaks[best] / 1e6:.0f} MB"
    return [
        (
            entry["name"],
            f"memory of {tools[best]['title']}",
            "at most a quarter",
            share,
            _met(mine <= peaks[best] / 4),
        )
    ]


def _start(entry: Mapping[str, Any] | None) -> list[tuple[str, ...]]:
    ours, empty = (
        (entry or {"tools": {}})["tools"].get(name, {}).get("seconds", [])
        for name in ("bandwise", "qgis-empty")
    )
    if not ours or not empty:
        return []
    more = median(mine - other for mine, other in zip(ours, empty))
    return [
        (
            "startup",
            "an empty algorithm in QGIS",
            "at most 0.3 s more",
            f"{more:.2f} s",
            _met(more <= 0.3),
        )
    ]
