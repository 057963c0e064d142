# SPDX-License-Identifier: GPL-2.0-or-later
"""Format the measurements as tables for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Any

#: A result further than this from float64 arithmetic is marked as wrong.
EXACTNESS = 1e-6
_HEAD = (
    "tool",
    "version",
    "seconds",
    "min-max",
    "/ engine",
    "/ Bandwise",
    "CPU s",
    "peak MB",
    "file MB",
    "tiles",
    "max error",
    "validity",
)


def ratio(facts: dict[str, Any], reference: dict[str, Any] | None) -> float | None:
    """The median of what each round says: time of the one over time of the other."""
    pairs = list(zip(facts.get("seconds", ()), (reference or {}).get("seconds", ())))
    return median(mine / other for mine, other in pairs) if pairs else None


def is_wrong(facts: dict[str, Any]) -> bool:
    return bool(facts.get("difference", 0) > EXACTNESS)


def rows(entry: dict[str, Any]) -> list[tuple[str, ...]]:
    """The lines of a case's table, fastest first."""
    tools = entry["tools"]
    measured = [facts for facts in tools.values() if facts.get("seconds")]
    return [
        _row(facts, tools) for facts in sorted(measured, key=lambda facts: median(facts["seconds"]))
    ]


def _row(facts: dict[str, Any], tools: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    seconds = facts["seconds"]
    against = [ratio(facts, tools.get(name)) for name in ("engine", "bandwise")]
    checked = "difference" in facts
    error = f"{facts['difference']:.1e}" + (" WRONG" if is_wrong(facts) else "") if checked else ""
    return (
        facts["title"],
        facts["version"],
        _seconds(median(seconds)),
        f"{_seconds(min(seconds))}-{_seconds(max(seconds))}",
        *("" if number is None else f"{number:.2f}" for number in against),
        f"{median(facts['cpu']):.2f}",
        f"{max(facts['peak']) / 1e6:.0f}",
        f"{facts['bytes'] / 1e6:.1f}" if "bytes" in facts else "",
        "x".join(map(str, reversed(facts["block"]))) if checked else "",
        error,
        _validity(facts) if checked else "",
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds >= 0.1 else f"{seconds:.3f}"


def _validity(facts: dict[str, Any]) -> str:
    """Pixels that are valid only in the reference or only in the result."""
    lost, invented = facts["missing"], facts["invented"]
    return (
        " ".join(
            [
                *([f"{lost:,} lost"] if lost else []),
                *([f"{invented:,} invented"] if invented else []),
            ]
        )
        or "same"
    )


def profiles(entry: dict[str, Any]) -> list[tuple[str, ...]]:
    """What the engine tells of its own runs (``bare_engine.profile``), medians, with a head;
    nothing where it was not asked by workers.
    """
    told = [
        (facts["title"], facts["profile"])
        for facts in entry["tools"].values()
        if facts.get("profile")
    ]
    if not entry["name"].startswith("scaling") or not told:
        return []
    labels = ["workers", "windows", "seconds in the engine", *_STEP_LABELS]
    lines = [
        (title, *(f"{median(run[label] for run in runs):.4g}" for label in labels))
        for title, runs in told
    ]
    return [("tool", *labels), *lines]


def remarks(entry: dict[str, Any]) -> list[str]:
    """Sentences on what is not in the table, and why."""
    found = [entry["skipped"]] if "skipped" in entry else []
    for facts in entry["tools"].values():
        name = f"{facts['title']} {facts.get('version', '')}".strip()
        if "absent" in facts:
            found.append(f"Not run: {name}: {facts['absent']}.")
        if "failed" in facts:
            found.append(f"Failed: {name}: {facts['failed']}")
    if "bandwise" in entry["tools"] and "qgis-empty" in entry["tools"]:
        ours, empty = (
            entry["tools"][name].get("seconds", []) for name in ("bandwise", "qgis-empty")
        )
        if ours and empty:
            more = median(mine - other for mine, other in zip(ours, empty))
            found.append(
                f"Bandwise takes {more:.2f} s more than an algorithm that does nothing (median of paired differences)."
            )
    return found


def text_table(entry: dict[str, Any]) -> str:
    """The case for a terminal, with the version of the tool alone."""
    lines = [(line[0], line[1].partition(",")[0], *line[2:]) for line in [_HEAD, *rows(entry)]]
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
    """All cases as Markdown; ``targets`` and ``limits`` are the lines of tables of their own, their heads first."""
    machine = data["machine"]
    parts = [
        "## Measurements",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']} GB, "
        f"{machine['system']}; {machine['day']}.",
        "Whole processes, their start included, inputs in the page cache. Within a case the tools "
        "ran in turn, round after round: seconds, CPU "
        "seconds and ratios are medians of the rounds (a ratio compares the runs of one round), "
        "peak memory is the largest of the whole process "
        "tree, and below 20 MB not told from the measuring program's. Every tool got the same creation options. "
        "Max error is the largest difference to float64 numpy where that is valid; validity counts "
        "the pixels that are valid in the truth alone "
        "(lost) or in the result alone (invented).",
    ]
    parts += ["", "### Targets", "", *_markdown_table(targets[0], targets[1:])]
    if limits[1:]:
        parts += [
            "",
            "Where uncompressed bands leave a target unmet, the seconds that it leaves, beside a "
            "sum of the same bands:",
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
        *_markdown_table(_STEPS_HEAD, _steps(data["cases"])),
    ]
    for entry in data["cases"]:
        if entry["name"].startswith("growth"):
            continue
        parts += [
            "",
            f"### {_title(entry)}",
            "",
            *_markdown_table(_HEAD, rows(entry)),
            *(f"\n{remark}" for remark in remarks(entry)),
        ]
        told = profiles(entry)
        if told:
            parts += ["", *_markdown_table(told[0], told[1:])]
    growth = [entry for entry in data["cases"] if entry["name"].startswith("growth")]
    if growth:
        parts += [
            "",
            "### Growth: NDVI, uncompressed",
            "",
            *_markdown_table(_GROWTH_HEAD, _growth(growth)),
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
            "What does not grow: milliseconds of a run of 16 x 16 pixels, by what the caller's thread does.",
            "",
        ]
        parts += _markdown_table(_FIXED_HEAD, map(_fixed, smallest))
    return "\n".join(parts) + "\n"


_STEP_LABELS = [
    label
    for step in ("reading", "computing", "writing")
    for label in (step, f"waiting while {step}")
]
_STEPS_HEAD = (
    "case",
    "whole process",
    "start and end",
    "reading",
    "waiting",
    "computing",
    "waiting",
    "writing",
    "waiting",
)


def _steps(entries: Iterable[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """What the engine tells of its runs in every case that is one by itself."""
    for entry in entries:
        facts = entry["tools"].get("engine", {})
        if (
            facts.get("profile")
            and facts.get("seconds")
            and not entry["name"].startswith(("growth", "startup"))
        ):
            inside = median(run["seconds in the engine"] for run in facts["profile"])
            told = (median(run[label] for run in facts["profile"]) for label in _STEP_LABELS)
            whole = median(facts["seconds"])
            yield (
                f"{entry['name']}. {entry['title']}",
                f"{whole:.2f}",
                f"{whole - inside:.2f}",
                *(f"{seconds:.2f}" for seconds in told),
            )


_STEPS = ("seconds in the engine", "reading", "computing", "writing")
_GROWTH_HEAD = (
    "pixels a side",
    "tool",
    "seconds",
    "ns a pixel",
    "in the engine",
    "reading",
    "computing",
    "writing",
    "peak MB",
    "max error",
)


def _growth(entries: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Nanoseconds a pixel of the whole process, of the engine, and of each step by all workers together."""
    return [
        (
            f"{entry['size']}",
            facts["title"],
            f"{median(facts['seconds']):.2f}",
            f"{median(facts['seconds']) / entry['size'] ** 2 * 1e9:.2f}",
            *(
                f"{median(run[step] for run in facts['profile']) / entry['size'] ** 2 * 1e9:.2f}"
                if "profile" in facts
                else ""
                for step in _STEPS
            ),
            f"{max(facts['peak']) / 1e6:.0f}",
            f"{facts['difference']:.1e}" if "difference" in facts else "",
        )
        for entry in entries
        for facts in entry["tools"].values()
        if facts.get("seconds")
    ]


_FIXED = (
    "planning",
    "making the file",
    "opening the inputs",
    "finishing the file",
    "first rasterio.open",
    "rasterio.open",
)
_FIXED_HEAD = (
    "the engine",
    *_FIXED[:4],
    "in these, the first rasterio.open",
    "the other calls of it",
)


def _fixed(runs: Sequence[dict[str, float]]) -> tuple[str, ...]:
    inside, *steps, first, opened = (
        median(run[label] for run in runs) * 1e3 for label in ("seconds in the engine", *_FIXED)
    )
    return tuple(f"{number:.1f}" for number in (inside, *steps, first, opened - first))


def _markdown_table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    rule = ["---" if place == 0 else "---:" for place in range(len(head))]
    return ["| " + " | ".join(line) + " |" for line in (head, rule, *lines)]
