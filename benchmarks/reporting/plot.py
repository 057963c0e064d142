# SPDX-License-Identifier: GPL-2.0-or-later
"""Draw the measurements: a panel for each case, with a bar of seconds and the peak memory of each tool."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

mpl.use("Agg")

#: The cases that are shown, in the order of the panels; growth has the last panel.
SHOWN = ("1", "2b", "3", "4", "5")
_INK, _QUIET, _GRID = "#1d2b26", "#6b7772", "#dfe5e2"
_OURS, _PEER, _FLOOR = "#1b7f5c", "#b9c4bf", "#e9dcc3"
_OF_OURS = ("bandwise", "engine")
_FLOORS = {"engine-copy": "(copy of one band)", "decode": "(decoding alone)"}
_HIDDEN = ("bandwise-default", "gdal_calc-double", "gdal_calc-threads", "cp")


def panel(axes: Axes, entry: dict[str, Any]) -> None:
    """Draw a case: a bar for each tool, fastest first, those of Bandwise in colour."""
    tools = [
        (name, facts)
        for name, facts in entry["tools"].items()
        if facts.get("seconds") and name not in _HIDDEN
    ]
    tools.sort(key=lambda tool: median(tool[1]["seconds"]), reverse=True)
    seconds = [median(facts["seconds"]) for _, facts in tools]
    colours = [
        _OURS if name in _OF_OURS else _FLOOR if name in _FLOORS else _PEER for name, _ in tools
    ]
    bars = axes.barh(range(len(tools)), seconds, color=colours, height=0.72)
    for bar, (name, facts), length in zip(bars, tools, seconds):
        text = f"{length:.1f} s" if length >= 1 else f"{length:.2f} s"
        axes.annotate(
            f"{text}   {max(facts['peak']) / 1e6:.0f} MB"
            + ("   wrong" if facts.get("difference", 0) > 1e-6 else ""),
            (length, bar.get_y() + bar.get_height() / 2),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9.5,
            color=_INK if name in _OF_OURS else _QUIET,
            fontweight="bold" if name in _OF_OURS else "normal",
        )
    axes.set_yticks(range(len(tools)), [label(name, facts) for name, facts in tools], fontsize=9.5)
    for text, (name, _) in zip(axes.get_yticklabels(), tools):
        text.set_color(_INK)
        text.set_fontweight("bold" if name in _OF_OURS else "normal")
    axes.set_xlim(0, max(seconds) * 1.32)
    axes.set_title(entry["title"], loc="left", fontsize=12, fontweight="bold", color=_INK, pad=8)
    _clean(axes)


def label(name: str, facts: dict[str, Any]) -> str:
    """Return the label of a tool, with a version if there are two of it."""
    if name.startswith("qgis"):
        return f"QGIS {'.'.join(facts['version'].split('.')[:2])} raster calculator"
    return _FLOORS.get(name, str(facts["title"]).replace(", NUM_THREADS", ",\nNUM_THREADS"))


def growth(axes: Axes, entries: list[dict[str, Any]]) -> None:
    """Draw peak memory and time per pixel of the engine over the size of the raster."""
    engines = [
        (entry["size"], entry["tools"]["engine"])
        for entry in entries
        if entry["tools"].get("engine", {}).get("seconds")
    ]
    sizes = [size / 1000 for size, _ in engines]
    memory = [max(facts["peak"]) / 1e6 for _, facts in engines]
    speed = [median(facts["seconds"]) / size**2 * 1e9 for size, facts in engines]
    for values, colour, text, offset in (
        (memory, _OURS, "{:.0f} MB", 8),
        (speed, "#a8672b", "{:.1f} ns", -15),
    ):
        scaled = [value / max(values) for value in values]
        axes.plot(sizes, scaled, color=colour, marker="o", linewidth=2)
        for x, y, value in zip(sizes, scaled, values):
            axes.annotate(
                text.format(value),
                (x, y),
                xytext=(0, offset),
                textcoords="offset points",
                ha="center",
                fontsize=9,
                color=colour,
            )
    axes.set_ylim(0, 1.3)
    axes.set_yticks([])
    axes.set_xticks(sizes, [f"{size:g}k" for size in sizes])
    axes.set_xlabel("pixels a side", fontsize=9.5, color=_QUIET)
    axes.set_title(
        "By size: peak memory, time per pixel",
        loc="left",
        fontsize=12,
        fontweight="bold",
        color=_INK,
        pad=8,
    )
    _clean(axes)


def _clean(axes: Axes) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)
    axes.tick_params(length=0, labelcolor=_INK)
    axes.tick_params(axis="x", labelcolor=_QUIET, labelsize=9)
    axes.xaxis.grid(visible=True, color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def draw(data: dict[str, Any], target: Path) -> None:
    """Draw the cases that were measured; write nothing if there are none."""
    cases = {entry["name"]: entry for entry in data["cases"]}
    shown = [
        cases[name]
        for name in SHOWN
        if name in cases and any(facts.get("seconds") for facts in cases[name]["tools"].values())
    ]
    sizes = [
        entry
        for entry in data["cases"]
        if entry["name"].startswith("growth") and entry["tools"].get("engine", {}).get("seconds")
    ]
    count = len(shown) + bool(sizes)
    if not count:
        return
    mpl.rcParams["font.family"] = ["DejaVu Sans"]
    columns = min(count, 2)
    figure, grid = plt.subplots(
        -(-count // columns),
        columns,
        figsize=(7.6 * columns, 3.9 * -(-count // columns) + 1),
        squeeze=False,
    )
    panels = list(grid.flat)
    for axes, entry in zip(panels, shown):
        panel(axes, entry)
    if sizes:
        growth(panels[len(shown)], sizes)
    for axes in panels[count:]:
        axes.set_visible(False)
    machine = data["machine"]
    title = f"{data['size']} × {data['size']} pixels, uint16 to Float32: seconds and peak memory"
    figure.suptitle(title, x=0.012, ha="left", fontsize=15, color=_INK)
    figure.text(
        0.012,
        0.008,
        f"Whole processes, run in turn, medians; {machine['cores']} cores, {machine['system']}. "
        "Every result was compared with float64 numpy. Less is better.",
        fontsize=9.5,
        color=_QUIET,
    )
    figure.tight_layout(rect=(0, 0.025, 1, 0.985), h_pad=2.2, w_pad=2)
    figure.savefig(target, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="performance.json")
    parser.add_argument("picture", type=Path, help="the PNG")
    arguments = parser.parse_args()
    draw(json.loads(arguments.data.read_text(encoding="utf-8")), arguments.picture)


if __name__ == "__main__":
    main()
