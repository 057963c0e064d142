# SPDX-License-Identifier: GPL-2.0-or-later
"""Format the measurements for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .tables import (
    FIXED_HEAD,
    GROWTH_HEAD,
    HEAD,
    STEPS_HEAD,
    fixed_row,
    growth_rows,
    profiles,
    remarks,
    rows,
    step_rows,
)


def text_table(entry: dict[str, Any]) -> str:
    """Return the table of a case for a terminal, with the version of the tool alone."""
    lines = [(line[0], line[1].partition(",")[0], *line[2:]) for line in [HEAD, *rows(entry)]]
    return "\n".join([_title(entry), *_aligned(lines), *_aligned(profiles(entry)), *remarks(entry)])


def _aligned(lines: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines)]
    return [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    ]


def _title(entry: dict[str, Any]) -> str:
    rounds = max((len(facts.get("seconds", ())) for facts in entry["tools"].values()), default=0)
    return f"{entry['name']}. {entry['title']}: {entry['size']} x {entry['size']} pixels, {rounds} rounds"


def markdown(
    data: dict[str, Any], targets: Sequence[tuple[str, ...]], limits: Sequence[tuple[str, ...]]
) -> str:
    """Return all cases as Markdown; ``targets`` and ``limits`` are the rows of further tables, their heads first."""
    machine = data["machine"]
    parts = [
        "## Measurements",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']} GB, "
        f"{machine['system']}; {machine['day']}.",
        "Whole processes, their start included, inputs in the page cache. Within a case the tools "
        "ran in turn, round after round: seconds, CPU "
        "seconds and ratios are medians of the rounds (a ratio compares the runs of one round). "
        "Peak memory is the largest of the whole process tree; below 20 MB it may be that of the "
        "measuring program. Every tool got the same creation options. "
        "Max error is the largest difference to float64 numpy where that is valid; validity counts "
        "the pixels that are valid in the reference alone "
        "(lost) or in the result alone (invented).",
    ]
    parts += ["", "### Targets", "", *_markdown_table(targets[0], targets[1:])]
    if limits[1:]:
        parts += [
            "",
            "Targets that are not met with uncompressed bands: the seconds that the target allows, "
            "beside a sum of the same bands:",
        ]
        parts += ["", *_markdown_table(limits[0], limits[1:])]
    parts += [
        "",
        "### Where the engine's time goes",
        "",
        "Seconds, medians. Reading, computing and writing are those of both workers together, by "
        "the clock; waiting is the part of these in which "
        "the thread did not run: for the interpreter, a lock or a core.",
        "",
        *_markdown_table(STEPS_HEAD, step_rows(data["cases"])),
    ]
    for entry in data["cases"]:
        if entry["name"].startswith("growth"):
            continue
        parts += [
            "",
            f"### {_title(entry)}",
            "",
            *_markdown_table(HEAD, rows(entry)),
            *(f"\n{remark}" for remark in remarks(entry)),
        ]
        by_workers = profiles(entry)
        if by_workers:
            parts += ["", *_markdown_table(by_workers[0], by_workers[1:])]
    growth = [entry for entry in data["cases"] if entry["name"].startswith("growth")]
    if growth:
        parts += [
            "",
            "### Growth: NDVI, uncompressed",
            "",
            *_markdown_table(GROWTH_HEAD, growth_rows(growth)),
        ]
        parts += [f"\n{remark}" for entry in growth for remark in remarks(entry)]
    smallest = [
        facts["profile"]
        for entry in data["cases"]
        for facts in entry["tools"].values()
        if entry["name"] == "startup" and "profile" in facts
    ]
    if smallest:
        parts += [
            "",
            "Time that does not depend on size: milliseconds of a run of 16 x 16 pixels, by step of "
            "the caller's thread.",
            "",
        ]
        parts += _markdown_table(FIXED_HEAD, map(fixed_row, smallest))
    return "\n".join(parts) + "\n"


def _markdown_table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    rule = ["---" if place == 0 else "---:" for place in range(len(head))]
    return ["| " + " | ".join(line) + " |" for line in (head, rule, *lines)]
