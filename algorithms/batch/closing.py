# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run over many scenes leaves: its folder, counts, last lines of the log, and layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingUtils
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import messages
from ...engine.errors import InputError, OutputError
from ..last_resort import sentence_of
from ..resources import style_when_loaded
from ..shared.names import ManyNames
from ..shared.outputs import look
from ..spectralindices import style_of

if TYPE_CHECKING:
    from ...engine.execution.batch import Row
    from ...engine.execution.summary import Table

translate = QCoreApplication.translate


def make_folder(folder: str) -> None:
    """Make the folder of the results where it does not exist. Raises :class:`OutputError`."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = messages.translate(
            "Bandwise", "The folder {folder} cannot be made ({reason}); choose another."
        )
        raise OutputError(text.format(folder=folder, reason=error.strerror)) from error


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """Return how many scenes were computed, skipped, or failed in any index."""
    of_scene: dict[str, set[str]] = {}
    for row in rows:
        of_scene.setdefault(row.candidate.source, set()).add(row.status.value)
    order = (ManyNames.FAILED, ManyNames.DONE, ManyNames.SKIPPED)
    worst = [
        next((name for name in order if name.lower() in found), "") for found in of_scene.values()
    ]
    return {name: worst.count(name) for name in order}


def last_lines(table: Table, feedback: QgsProcessingFeedback) -> None:
    """Write the last lines of the log.

    Raises :class:`InputError` where no scene could be computed.
    """
    numbers = {name.lower(): count for name, count in counts(table.rows).items()}
    feedback.pushInfo(
        translate(
            "Bandwise", "{done} scenes were computed, {skipped} skipped, and {failed} failed."
        ).format(**numbers)
    )
    if table.path:
        feedback.pushInfo(translate("Bandwise", "Summary: {file}").format(file=table.path))
    if table.fault:
        feedback.pushWarning(sentence_of(table.fault))
    if table.cancelled:
        feedback.pushInfo(
            translate("Bandwise", "Cancelled; what was completed stays, and the next run skips it.")
        )
    elif table.rows and not numbers["done"] + numbers["skipped"]:
        first = next(row for row in table.rows if row.message)
        text = messages.translate(
            "Bandwise", "None of the {count} scenes could be computed; of the first one: {message}"
        )
        raise InputError(text.format(count=numbers["failed"], message=first.message))


def load_results(rows: Sequence[Row], context: QgsProcessingContext) -> None:
    """Have the results loaded as layers, called by their files and styled as a single one is."""
    files: dict[str, list[Row]] = {}
    for row in rows:
        if row.statistics is not None:
            files.setdefault(row.file, []).append(row)
    for file, bands in files.items():
        name = Path(file).stem
        details = QgsProcessingContext.LayerDetails(
            name, context.project(), name, QgsProcessingUtils.LayerHint.Raster
        )
        context.addLayerToLoadOnCompletion(file, details)
        shown = look(bands[0].statistics) if bands[0].statistics else None
        style_when_loaded(
            context.layerToLoadOnCompletionDetails(file),
            name,
            style_of([row.index for row in bands]),
            shown,
        )
