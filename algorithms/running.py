# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine's runs with QGIS's feedback: progress, lines for the log, and errors as one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qgis.core import QgsProcessingException, QgsProcessingFeedback

from ..engine.job import Job, Note, Report
from .last_resort import sentence_of, translated


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn every error into QGIS's exception with one sentence."""
    try:
        yield
    except QgsProcessingException:
        raise
    except Exception as error:
        raise QgsProcessingException(sentence_of(error)) from error


def prepare(job: Job) -> None:
    """Check a job, and read no pixel."""
    from ..engine.planning.plan import prepare as prepared

    prepared(job)


def run(job: Job, feedback: QgsProcessingFeedback) -> Report:
    """Do a job."""
    from ..engine.execution.pipeline import run as done

    return done(job, progress=progress_to(feedback), cancelled=feedback.isCanceled)


def dry_run(job: Job, feedback: QgsProcessingFeedback) -> str:
    """Log what a job would do, and return the report."""
    from ..engine.execution.pipeline import dry_run as told

    return told(job, progress=progress_to(feedback))


def progress_to(feedback: QgsProcessingFeedback) -> Callable[[float, Note | None], None]:
    """Return what hears of progress, from 0 to 1, and of lines for the log."""

    def progress(fraction: float, note: Note | None) -> None:
        feedback.setProgress(100 * fraction)
        if note is not None:
            (feedback.pushWarning if note.warning else feedback.pushInfo)(translated(note.text))

    return progress
