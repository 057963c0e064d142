# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run gives beside the layer: numbers, the report, or the file of the job."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingFeedback, QgsProcessingUtils
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import messages
from ...engine.compute.statistics import Statistics
from ...engine.errors import OptionError, OutputError
from ...engine.job import Job, Report
from ...engine.radiometry.storage import DataType, storage_of
from ..last_resort import sentence_of
from ..styling.looks import MOST_CLASSES, Look
from .names import Names

translate = QCoreApplication.translate


def reported(text: str, path: str, feedback: QgsProcessingFeedback) -> dict[str, str]:
    """Write the report where there is a ``path``, and return the output for it.

    The result is there already, so a report that cannot be written is a warning.
    """
    from ...engine.files.text_files import write_report

    if not path:
        return {}
    try:
        return {Names.REPORT_FILE: write_report(text, path)}
    except OutputError as error:
        feedback.pushWarning(sentence_of(error))
        return {}


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


def look_of(report: Report, data_type: DataType) -> Look | None:
    """Return how the first band of a result without a style of its own is shown."""
    storage = storage_of(data_type)
    integers = storage.integer and not storage.scaled
    return look(report.statistics[0], report.ranges[0], integers=integers)


def look(
    band: Statistics, percentiles: tuple[float, float] | None = None, *, integers: bool = False
) -> Look | None:
    """Return how a band without a style of its own is shown; None where it has no values.

    Without ``percentiles`` two standard deviations around the mean take their place. With
    ``integers`` a few values are classes.
    """
    if not band.valid:
        return None
    if integers and band.maximum - band.minimum < MOST_CLASSES:
        return Look(band.minimum, band.maximum, classes=True)
    spread = 2 * band.standard_deviation
    low, high = percentiles or (band.mean - spread, band.mean + spread)
    low, high = max(band.minimum, low), min(band.maximum, high)
    whole = not (math.isfinite(high - low) and low < high)
    return Look(band.minimum, band.maximum) if whole else Look(low, high)


def save_job_file(job: Job, path: str, feedback: QgsProcessingFeedback) -> None:
    """Write a job to a file, and tell in the log how to run it.

    Raises
    ------
    BandwiseError
        For a job that cannot be run, or not be written to a file, and for a temporary result.
    """
    from ...engine.execution.saving import save_job

    if Path(QgsProcessingUtils.tempFolder()) in Path(job.output).parents:
        sentence = messages.translate(
            "Bandwise",
            "The result of a job that others run needs a name; choose a file that they can write, "
            "not a temporary one.",
        )
        raise OptionError(sentence.format())
    save_job(job, path)
    text = translate("Bandwise", "The job is in {file}; nothing was computed. To run it: {command}")
    plugin = Path(__file__).resolve().parents[2]
    python = os.path.basename(sys.executable) if "python" in sys.executable else "python3"
    command = f'cd "{plugin}" && {python} -m cluster run "{path}"'
    feedback.pushInfo(text.format(file=path, command=command))


def _facts(band: Statistics) -> dict[str, Any]:
    return {
        "valid_pixels": band.valid,
        "nodata_pixels": band.invalid,
        "minimum": band.minimum if band.valid else None,
        "maximum": band.maximum if band.valid else None,
        "mean": band.mean if band.valid else None,
        "standard_deviation": band.standard_deviation if band.valid else None,
    }
