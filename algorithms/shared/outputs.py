# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run gives beside the layer: numbers and the report."""

from __future__ import annotations

import json
import math
from typing import Any

from ...engine.compute.statistics import Statistics
from ...engine.job import Report


def numbers(report: Report) -> dict[str, Any]:
    """Return the statistics of the first result band; those of no pixels are None."""
    return {name.upper(): value for name, value in _facts(report.statistics[0]).items()}


def report_text(report: Report) -> str:
    """Return what was known before the run, with the statistics of each result band, as JSON."""
    facts = json.loads(report.estimate)
    facts["results"] = [
        {"name": name, **_facts(band)}
        for name, band in zip(facts["output"]["bands"], report.statistics)
    ]
    return json.dumps(facts, ensure_ascii=False)


def stretch(band: Statistics) -> tuple[float, float] | None:
    """Return the values that are shown black and white: two standard deviations around the mean of
    a band, as far as there are values.
    """
    if not band.valid:
        return None
    spread = 2 * band.standard_deviation
    low, high = max(band.minimum, band.mean - spread), min(band.maximum, band.mean + spread)
    return (low, high) if math.isfinite(spread) and low < high else (band.minimum, band.maximum)


def _facts(band: Statistics) -> dict[str, Any]:
    return {
        "valid_pixels": band.valid,
        "nodata_pixels": band.invalid,
        "minimum": band.minimum if band.valid else None,
        "maximum": band.maximum if band.valid else None,
        "mean": band.mean if band.valid else None,
        "standard_deviation": band.standard_deviation if band.valid else None,
    }
