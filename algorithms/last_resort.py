# SPDX-License-Identifier: GPL-2.0-or-later
"""One sentence for the user for every error, also for an unexpected one."""

from __future__ import annotations

import traceback

from qgis.core import Qgis, QgsMessageLog
from qgis.PyQt.QtCore import QCoreApplication

from ..engine.errors import BandwiseError
from ..engine.messages import Field, Text
from .shared.labels import label

translate = QCoreApplication.translate

LOG = "Bandwise"  #: the tab of QGIS's log messages panel


def sentence_of(error: Exception) -> str:
    """Return one sentence in the user's language; write the traceback of an unexpected error to QGIS's log.

    No exception may escape from ``checkParameterValues`` and ``canExecute``: ``qgis_process`` aborts on it.
    """
    if isinstance(error, BandwiseError):
        return translated(error.args[0])
    if isinstance(error, MemoryError):
        return translate(
            "Bandwise",
            "There is not enough memory; close other programs or lower {memory} and {workers}.",
        ).format(memory=label(Field.MEMORY), workers=label(Field.WORKERS))
    if isinstance(error, UnicodeEncodeError):
        return translate(
            "Bandwise",
            "The name {name} has characters that cannot be encoded as UTF-8; choose another name.",
        ).format(name=_readable(str(error.object)))
    QgsMessageLog.logMessage(
        _readable("".join(traceback.format_exception(type(error), error, error.__traceback__))),
        LOG,
        Qgis.MessageLevel.Critical,
    )
    return translate(
        "Bandwise",
        "An unexpected error occurred in Bandwise ({error}); please report it, with the inputs, "
        "the parameters and the traceback that "
        "QGIS's log messages panel shows under Bandwise.",
    ).format(
        error=_readable(
            " ".join(traceback.format_exception_only(type(error), error)[-1].split())[:200]
        )
    )


def translated(text: Text) -> str:
    """Return a sentence of the engine in the user's language, with the labels of parameters."""
    return text.in_language(lambda template: translate("Bandwise", template), label)


def _readable(text: str) -> str:
    """Return ``text`` with escapes for what cannot be encoded as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
