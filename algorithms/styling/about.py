# SPDX-License-Identifier: GPL-2.0-or-later
"""What the properties of a result's layer say of it: formulas, unit and sources."""

from __future__ import annotations

from qgis.core import QgsRasterLayer
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import __version__
from ...engine.credentials import file_name, without_credentials
from ...engine.job import Job

translate = QCoreApplication.translate

_MOST_LETTERS = 2000  #: of a formula


def about(job: Job, unit: str) -> str:
    """Return a line for each result, for the unit, and for each band that was read."""
    formulas = job.formula.understood([band.name for band in job.bands])
    lines = [
        without_credentials(f"{result.name} = {formula}")[:_MOST_LETTERS]
        for result, formula in zip(job.formula.results, formulas)
    ]
    lines.append(translate("Bandwise", "Unit: {unit}").format(unit=unit))
    source = translate("Bandwise", "{name}: band {band} of {file}")
    lines += [
        source.format(name=band.name, band=band.number, file=file_name(band.path))
        for band in job.bands
    ]
    return "\n".join(lines)


def describe(layer: QgsRasterLayer, text: str) -> None:
    """Fill in the metadata that QGIS shows of a layer and keeps in the project."""
    metadata = layer.metadata()
    metadata.setTitle(layer.name())
    metadata.setAbstract(text)
    metadata.setType("dataset")
    metadata.setHistory([f"Bandwise {__version__}"])
    layer.setMetadata(metadata)
