# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the results of many scenes, one after the other: what is there is skipped, and a bad scene stops no other."""

from __future__ import annotations

import enum
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ..compute.statistics import Statistics
from ..errors import Cancelled
from ..job import Job, Note
from ..messages import Text, translate
from ..planning.jobs.many.finished import finished, with_digest
from ..planning.jobs.many.many_scenes import Candidate, Task, title
from .pipeline import dry_run, run
from .progress import Cancel, Progress


class Status(enum.Enum):
    """What became of a result."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    PLANNED = "planned"  #: of a run that only reports


@dataclass(frozen=True)
class Row:
    """What became of an index of a scene; ``statistics`` are None where it failed."""

    candidate: Candidate
    index: str
    file: str
    status: Status
    statistics: Statistics | None = None
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class Batch:
    """How the tasks of a run are done.

    Attributes
    ----------
    again
        Whether results that are there are made again.
    dry
        Whether nothing is computed, but all is checked.
    sentence
        Says an error to people.
    """

    sentence: Callable[[Exception], str] = str
    again: bool = False
    dry: bool = False
    progress: Progress = lambda fraction, note: None
    cancelled: Cancel = lambda: False

    def rows(self, tasks: Sequence[Task]) -> Iterator[Row]:
        """Do all tasks; yield a row for each index of each.

        Raises
        ------
        Cancelled
            Where it is cancelled; nothing of the task that was under way is left on disk, and
            those before it are complete.
        """
        count = len({task.candidate.source for task in tasks})
        number, source, complaint = 0, "", ""
        for position, task in enumerate(tasks):
            if self.cancelled():
                raise Cancelled(translate("Bandwise", "Cancelled").format())
            start = position / len(tasks)
            if task.candidate.source != source:
                number, source, complaint = number + 1, task.candidate.source, ""
                self.progress(start, Note(title(task.candidate, number, count)))
            rows = self._rows(task, partial(self._within, start, 1 / len(tasks)))
            for row in rows:
                known = bool(complaint) and row.message == complaint
                complaint = row.message
                self.progress((position + 1) / len(tasks), None if known else _note(row, task))
                yield row

    def _within(self, start: float, share: float, fraction: float, note: Note | None) -> None:
        """Report the progress of a task as its share of all; of its log only warnings."""
        self.progress(start + share * fraction, note if note and note.warning else None)

    def _rows(self, task: Task, progress: Progress) -> list[Row]:
        started = time.monotonic()
        try:
            if task.make is None:
                raise task.candidate.error or ValueError("a task without a job")
            job = task.make()
            result = self._result(job, task, progress)
        except Cancelled:
            raise
        except Exception as error:
            message = self.sentence(error)
            return [
                Row(task.candidate, index, task.file, Status.FAILED, message=message)
                for index in task.indices
            ]
        seconds = time.monotonic() - started
        file, status, statistics = result
        return [
            Row(task.candidate, index, file, status, of_index, seconds)
            for index, of_index in zip(task.indices, statistics)
        ]

    def _result(
        self, job: Job, task: Task, progress: Progress
    ) -> tuple[str, Status, tuple[Statistics, ...]]:
        scene = task.candidate.scene
        name, date = (scene.name, scene.date) if scene else ("", "")
        job = with_digest(job, BANDWISE_SCENE=name, BANDWISE_DATE=date)
        statistics = finished(job)
        if statistics is not None and not self.again:
            return job.output, Status.SKIPPED, statistics
        if self.dry:
            dry_run(job._replace(output=_in_folder(job.output)), progress=progress)
            return job.output, Status.PLANNED, (Statistics(),) * len(task.indices)
        report = run(job, progress=progress, cancelled=self.cancelled)
        return report.output, Status.DONE, report.statistics


def _in_folder(file: str) -> str:
    """Return a name for a check in the nearest folder that exists; others are made by a run."""
    folder = os.path.dirname(file)
    while not os.path.lexists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return os.path.join(folder, os.path.basename(file))


def _note(row: Row, task: Task) -> Note:
    """Return the line for the log on a row."""
    if row.status is Status.FAILED:
        text = translate("Bandwise", "{indices} failed: {message}")
        indices = ";".join(task.indices)
        return Note(text.format(indices=indices, message=row.message), warning=True)
    return Note(_line(row))


def _line(row: Row) -> Text:
    statistics = row.statistics or Statistics()
    total = statistics.valid + statistics.invalid
    facts = {
        "index": row.index,
        "file": os.path.basename(row.file),
        "mean": statistics.mean,
        "percent": 100 * statistics.valid / total if total else 0.0,
        "seconds": row.seconds,
    }
    if row.status is Status.SKIPPED:
        return translate("Bandwise", "{index}: {file} is there already, so it is skipped").format(
            **facts
        )
    if row.status is Status.PLANNED:
        return translate("Bandwise", "{index}: {file} would be computed").format(**facts)
    if not statistics.valid:
        text = translate("Bandwise", "{index}: {file}, no valid pixel, {seconds:.1f} s")
        return text.format(**facts)
    text = translate(
        "Bandwise",
        "{index}: {file}, mean {mean:.4g}, {percent:.1f} % of the pixels valid, {seconds:.1f} s",
    )
    return text.format(**facts)
