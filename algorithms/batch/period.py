# SPDX-License-Identifier: GPL-2.0-or-later
"""The first and the last day of scenes that are wanted: their parameters, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qgis.core import QgsProcessingAlgorithm, QgsProcessingContext, QgsProcessingParameterDateTime
from qgis.PyQt.QtCore import QCoreApplication, Qt

from ..shared.names import ManyNames

if TYPE_CHECKING:
    from ...engine.planning.jobs.period import Period

translate = QCoreApplication.translate


def period_parameters() -> list[QgsProcessingParameterDateTime]:
    """New definitions of ``START`` and ``END``."""
    day = QgsProcessingParameterDateTime.Type.Date
    start, end = (
        QgsProcessingParameterDateTime(name, description, day, None, True)
        for name, description in (
            (ManyNames.START, translate("Bandwise", "First day")),
            (ManyNames.END, translate("Bandwise", "Last day")),
        )
    )
    start.setHelp(
        translate(
            "Bandwise",
            "Scenes before it are left out, such as 2024-05-01. Empty (default): no limit.",
        )
    )
    end.setHelp(translate("Bandwise", "Scenes after it are left out. Empty (default): no limit."))
    return [start, end]


def period_of(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Period:
    """Return what is given; of a text that is no date the engine says what is wrong."""
    from ...engine.planning.jobs.period import Period

    days = []
    for name in (ManyNames.START, ManyNames.END):
        given = parameters.get(name)
        day = algorithm.parameterAsDateTime(parameters, name, context).date()
        text = str(day.toString(Qt.DateFormat.ISODate)) if day.isValid() else str(given)
        # QGIS has a NULL of its own
        days.append("" if given in (None, "") or str(given) == "NULL" else text)
    return Period(*days)
