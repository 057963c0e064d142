# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of the tables that compare tools, from the measurements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Any

#: A result that differs more than this from float64 arithmetic is marked as wrong.
EXACTNESS = 1e-6


HEAD = (
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


def ratio(
    facts: dict[str, Any], reference: dict[str, Any] | None, of: str = "seconds"
) -> float | None:
    """Return the median over the rounds of the time of one tool over the time of the other; ``of``
    is "cpu" for that of all cores.
    """
    pairs = list(zip(facts.get(of, ()), (reference or {}).get(of, ())))
    return median(mine / other for mine, other in pairs) if pairs else None


def is_wrong(facts: dict[str, Any]) -> bool:
    """Return whether the pixels of a result are marked as wrong."""
    return bool(facts.get("difference", 0) > EXACTNESS)


def rows(entry: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the rows of a case's table, fastest first."""
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
    """Return how many pixels are valid only in the reference or only in the result."""
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


_STEP_LABELS = [
    label
    for step in ("reading", "computing", "writing")
    for label in (step, f"waiting while {step}")
]


def profiles(entry: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the engine's own measurements (``bare_engine.profile``) by number of workers: a head
    and rows of medians; nothing for cases of another kind.
    """
    measured = [
        (facts["title"], facts["profile"])
        for facts in entry["tools"].values()
        if facts.get("profile")
    ]
    if not entry["name"].startswith("scaling") or not measured:
        return []
    labels = ["workers", "windows", "seconds in the engine", *_STEP_LABELS]
    lines = [
        (title, *(f"{median(run[label] for run in runs):.4g}" for label in labels))
        for title, runs in measured
    ]
    return [("tool", *labels), *lines]


def remarks(entry: dict[str, Any]) -> list[str]:
    """Return sentences on what is not in the table, and why."""
    sentences = [entry["skipped"]] if "skipped" in entry else []
    for facts in entry["tools"].values():
        name = f"{facts['title']} {facts.get('version', '')}".strip()
        if "absent" in facts:
            sentences.append(f"Not run: {name}: {facts['absent']}.")
        if "failed" in facts:
            sentences.append(f"Failed: {name}: {facts['failed']}")
    if "bandwise" in entry["tools"] and "qgis-empty" in entry["tools"]:
        ours, empty = (
            entry["tools"][name].get("seconds", []) for name in ("bandwise", "qgis-empty")
        )
        if ours and empty:
            more = median(mine - other for mine, other in zip(ours, empty))
            sentences.append(
                f"Bandwise takes {more:.2f} s more than an algorithm that does nothing (median of paired differences)."
            )
    return sentences


STEPS_HEAD = (
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


def step_rows(entries: Iterable[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Yield for each case, but growth and start-up, the seconds of the engine's steps."""
    for entry in entries:
        facts = entry["tools"].get("engine", {})
        if (
            facts.get("profile")
            and facts.get("seconds")
            and not entry["name"].startswith(("growth", "startup"))
        ):
            inside = median(run["seconds in the engine"] for run in facts["profile"])
            steps = (median(run[label] for run in facts["profile"]) for label in _STEP_LABELS)
            whole = median(facts["seconds"])
            yield (
                f"{entry['name']}. {entry['title']}",
                f"{whole:.2f}",
                f"{whole - inside:.2f}",
                *(f"{seconds:.2f}" for seconds in steps),
            )


_STEPS = ("seconds in the engine", "reading", "computing", "writing")


GROWTH_HEAD = (
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


def growth_rows(entries: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Return for each size nanoseconds per pixel: of the process, the engine, and each step of all workers."""
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


FIXED_HEAD = (
    "the engine",
    *_FIXED[:4],
    "in these, the first rasterio.open",
    "the other calls of it",
)


def fixed_row(runs: Sequence[dict[str, float]]) -> tuple[str, ...]:
    """Return the milliseconds that a run takes whatever its size, by step."""
    inside, *steps, first, opened = (
        median(run[label] for run in runs) * 1e3 for label in ("seconds in the engine", *_FIXED)
    )
    return tuple(f"{number:.1f}" for number in (inside, *steps, first, opened - first))
