# SPDX-License-Identifier: GPL-2.0-or-later
"""A formula over inputs as an operation."""

from __future__ import annotations

from collections.abc import Sequence

from ...compute.compiler import BandValue
from ...compute.operation import FormulaOperation, formula_operation
from ...expression.formula import Formula
from ...radiometry.scaling import Radiometry
from ...radiometry.storage import Storage
from ...reading.inputs import Input


def operation_of(
    formula: Formula,
    inputs: Sequence[Input],
    radiometries: Sequence[Radiometry],
    storage: Storage,
) -> FormulaOperation:
    """Return the operation of a formula over bands that are read as ``radiometries`` say."""
    exact = storage.integer or storage.dtype.itemsize > 4
    return formula_operation(formula, _band_values(inputs, radiometries), double=exact)


def _band_values(inputs: Sequence[Input], radiometries: Sequence[Radiometry]) -> list[BandValue]:
    """Return how each band is computed with; one that is used with two scales is read once."""
    values, sources = [], dict[object, int]()
    for position, (band_input, radiometry) in enumerate(zip(inputs, radiometries)):
        band = band_input.band
        key = band.path, band.number, radiometry.nodata, radiometry.saturated
        nodata = bool(band_input.masks) or any(marker is not None for marker in band_input.markers)
        scaling = radiometry.scale, radiometry.offset
        source = sources.setdefault(key, position)
        values.append(BandValue(band_input.dtype, *scaling, nodata, source))
    return values
