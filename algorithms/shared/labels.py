# SPDX-License-Identifier: GPL-2.0-or-later
"""Options of a run as users know them: labels of parameters in the dialog, and names in scripts."""

from __future__ import annotations

from ...engine.messages import Field, Setting
from ...engine.radiometry.scaling import Scaling
from ..batch.composite_parameters import composite_parameters
from ..batch.parameters import many_scenes_parameters
from .choices import labels
from .index_parameters import index_parameters
from .names import CompositeNames, IndexNames, ManyNames, Names
from .parameters import shared_parameters
from .value_parameters import report_parameter

#: The parameter of each option in the engine's sentences.
PARAMETERS = {
    Field.AREA: Names.AOI,
    Field.BANDS: IndexNames.BANDS,
    Field.CLEAR_CLASSES: Names.SCL_KEEP,
    Field.COG: Names.COG,
    Field.CONSTANTS: IndexNames.CONSTANTS,
    Field.END: ManyNames.END,
    Field.FILE_KIND: Names.FILE_KIND,
    Field.GRID: Names.GRID,
    Field.HIGHEST: Names.CLAMP_MAX,
    Field.INDEX: CompositeNames.INDEX,
    Field.INDICES: IndexNames.INDICES,
    Field.LOWEST: Names.CLAMP_MIN,
    Field.MASK_RULE: Names.MASK_RULE,
    Field.MEMORY: Names.MEMORY,
    Field.NAME_PATTERN: ManyNames.NAME_PATTERN,
    Field.OFFSET: Names.OFFSET,
    Field.PERCENTILE: CompositeNames.PERCENTILE,
    Field.REFERENCE: Names.REFERENCE,
    Field.REPORT_FILE: Names.REPORT_FILE,
    Field.SCALE: Names.SCALE,
    Field.SCALING: Names.RADIOMETRY,
    Field.SCENES: CompositeNames.SCENES,
    Field.SOURCE_NODATA: Names.SOURCE_NODATA,
    Field.START: ManyNames.START,
    Field.STATISTICS: CompositeNames.STATISTICS,
    Field.SUMMARY: ManyNames.SUMMARY,
    Field.WORKERS: Names.WORKERS,
}


def with_name(label: str, name: str) -> str:
    """Return a parameter by its label in the dialog and its name in scripts: “Mask: values” (MASK_RULE)."""
    return f"“{label}” ({name})"


def label(item: Field | Setting) -> str:
    """Return an option, or a choice of one, by its parameter, in the user's language."""
    field = item.field if isinstance(item, Setting) else item
    name = PARAMETERS[field]
    definitions = (
        *shared_parameters(Scaling.AUTOMATIC),
        *index_parameters(),
        *many_scenes_parameters(),
        *composite_parameters(),
        report_parameter(),
    )
    descriptions = {each.name(): each.description() for each in definitions}
    if isinstance(item, Setting):
        choice = labels()[item.choice]
        return f"“{descriptions[name]}” to {choice} ({name}={item.choice.value})"
    return with_name(descriptions[name], name)
