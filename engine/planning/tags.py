# SPDX-License-Identifier: GPL-2.0-or-later
"""Tags of a result, from which the run can be repeated."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import __version__
from ..arrays import NDArray
from ..backend.choice import library_versions
from ..compute.histogram import bins, percentiles, sampling_step
from ..compute.statistics import Statistics
from ..credentials import file_name, without_credentials
from ..job import BandRef, Job
from ..radiometry.scaling import Radiometry
from ..radiometry.storage import Storage
from ..writing.creation import ResultSpec
from .log import placement
from .plan import Plan
from .user_mask import mask_note

_MOST_LETTERS = 2000  #: of a description
_SHOWN = (0.02, 0.98)  #: shares of the pixels below the values that are shown darkest and brightest


def input_facts(ref: BandRef, radiometry: Radiometry) -> dict[str, Any]:
    """Return the file and scaling of a band, ready for JSON."""
    return {
        "path": os.path.abspath(ref.path)
        if os.path.exists(ref.path)
        else without_credentials(ref.path),
        "band": ref.number,
        "scale": radiometry.scale,
        "offset": radiometry.offset,
        "scaling_source": str(radiometry.scaling_source),
        "nodata": None if radiometry.nodata is None else _for_json(float(radiometry.nodata)),
        "saturated": radiometry.saturated,
        "nodata_source": str(radiometry.nodata_source),
    }


def _for_json(number: float) -> float | str:
    """Return a number, or text for NaN and infinity, which JSON does not have."""
    return number if math.isfinite(number) else str(number)


def run_tags(plan: Plan) -> dict[str, str]:
    """Return formula, inputs and mask as tags of the result."""
    job, grid = plan.job, plan.grid
    names: Sequence[str] = [band.name for band in job.bands]
    if job.composite:
        names = job.composite.scenes[0].roles
    tags = {
        "TIFFTAG_IMAGEDESCRIPTION": description(job, names),
        "TIFFTAG_SOFTWARE": f"Bandwise {__version__}",
        "BANDWISE_VERSION": __version__,
        "BANDWISE_BACKEND": library_versions(),
        "BANDWISE_EXPRESSION": without_credentials(job.formula.text),
    }
    results = job.formula.results
    for number, (result, text) in enumerate(zip(results, job.formula.understood(names)), start=1):
        name = "BANDWISE_FORMULA" if len(results) == 1 else f"BANDWISE_FORMULA_{number}"
        tags[name] = without_credentials(f"{result.name} = {text}")
    for ref, band_input, radiometry in zip(job.bands, plan.read.inputs, plan.radiometries):
        facts = input_facts(ref, radiometry)
        if band_input.warp is not None or band_input.shift != (0, 0) or not band_input.covered:
            facts["placement"] = str(placement(band_input, grid))
        tags[f"BANDWISE_INPUT_{ref.name.upper()}"] = json.dumps(facts, ensure_ascii=False)
    if plan.mask is not None:
        facts = {
            "path": without_credentials(plan.mask.choice.path),
            "read": str(mask_note(plan.mask, grid).text),
        }
        tags["BANDWISE_MASK"] = json.dumps(facts, ensure_ascii=False)
    if job.composite:
        tags["BANDWISE_SCENES"] = json.dumps(scene_facts(job), ensure_ascii=False)
    return tags


def scene_facts(job: Job) -> list[dict[str, Any]]:
    """Return the scenes of a job's composite, ready for JSON; none without one."""
    return [
        {
            "name": scene.name,
            "sensor": scene.sensor,
            "date": scene.date,
            "bands": {role: job.bands[band].name for role, band in zip(scene.roles, scene.bands)},
            "formula": scene.formula.understood(scene.roles)[0],
            "mask": without_credentials(scene.mask.path) if scene.mask else None,
        }
        for scene in (job.composite.scenes if job.composite else ())
    ]


def result_spec(plan: Plan) -> ResultSpec:
    """Return what is written for a plan."""
    return ResultSpec(
        target=plan.job.output,
        grid=plan.grid,
        names=tuple(without_credentials(result.name) for result in plan.job.formula.results),
        storage=plan.kernel.storage,
        profile=plan.profile,
        overviews=plan.overviews,
        cog=plan.job.cog,
    )


def result_tags(
    plan: Plan, statistics: Sequence[Statistics], histograms: NDArray[np.int64]
) -> list[dict[str, str]]:
    """Return the tags of each band of the result; see :func:`band_tags`."""
    step = sampling_step(plan.grid)
    return [
        {**dict(result.tags), **band_tags(band, counts, step)}
        for result, band, counts in zip(plan.job.formula.results, statistics, histograms)
    ]


def description(job: Job, names: Sequence[str]) -> str:
    """Return what the file holds, in the field that every program shows first: formulas and sources."""
    texts = job.formula.understood(names)
    formulas = [f"{result.name} = {text}" for result, text in zip(job.formula.results, texts)]
    sources = [f"{band.name}: band {band.number} of {file_name(band.path)}" for band in job.bands]
    return without_credentials("; ".join([*formulas, *sources]))[:_MOST_LETTERS]


def band_tags(statistics: Statistics, counts: NDArray[np.int64], step: int) -> dict[str, str]:
    """Return statistics and histogram of a result band as tags, so that no reader has to compute them.

    The histogram is in a domain of its own: it fills a page where all tags are shown.

    Parameters
    ----------
    statistics
        Of stored values, as in GDAL's tags.
    counts
        As :meth:`Histogram.counts` returns them for the band.
    step
        See :func:`sampling_step`.
    """
    total = statistics.valid + statistics.invalid
    tags = {
        "STATISTICS_VALID_PERCENT": f"{100 * statistics.valid / total:.4g}",
        "BANDWISE_VALID_PIXELS": str(statistics.valid),
        "BANDWISE_NODATA_PIXELS": str(statistics.invalid),
    }
    if statistics.valid:
        tags["STATISTICS_MINIMUM"] = repr(statistics.minimum)
        tags["STATISTICS_MAXIMUM"] = repr(statistics.maximum)
        tags["STATISTICS_MEAN"] = repr(statistics.mean)
        tags["STATISTICS_STDDEV"] = repr(statistics.standard_deviation)
        low, high = statistics.minimum, statistics.maximum
        tags["BANDWISE/HISTOGRAM"] = json.dumps(
            {"minimum": low, "maximum": high, "step": step, "buckets": bins(counts, low, high)}
        )
    return tags


def shown_range(
    storage: Storage, statistics: Statistics, counts: NDArray[np.int64]
) -> tuple[float, float]:
    """Return the 2nd and 98th percentile of the values that stored values stand for."""
    low, high = percentiles(counts, _SHOWN, statistics.minimum, statistics.maximum)
    return (storage.value(low), storage.value(high)) if storage.scaled else (low, high)


def in_physical_units(statistics: Statistics, storage: Storage) -> Statistics:
    """Return statistics of the values that stored values stand for."""
    if not storage.scaled:
        return statistics
    moments = (
        storage.value(number)
        for number in (statistics.minimum, statistics.maximum, statistics.mean)
    )
    minimum, maximum, mean = moments
    return statistics._replace(
        minimum=minimum, maximum=maximum, mean=mean, squares=statistics.squares / storage.factor**2
    )
