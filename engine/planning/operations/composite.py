# SPDX-License-Identifier: GPL-2.0-or-later
"""The operations of a composite: the index of each scene, and the statistics over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...compute.compiler import BandValue, compile_formula
from ...compute.composite.reducer import Reducer
from ...compute.composite.statistic import Reduction
from ...compute.kernel import KernelSpec
from ...compute.operation import FormulaOperation
from ...expression.formula import Band, Formula
from ...expression.typed_nodata import typed_nodata
from ...grids.grid import Grid
from ...job import Composite, CompositeScene, Note
from ...radiometry.nodata import Stack
from ...radiometry.scaling import Radiometry
from ...radiometry.storage import Storage
from ...reading.inputs import Input, ReadPlan, read_plan
from ..user_mask import UserMask, mask_band, mask_note, user_mask
from .formula import operation_of

MOST_KERNELS = 4  #: of different kinds that a thread keeps; each has some megabytes


@dataclass(frozen=True)
class ScenePart:
    """What is read of a scene, how its index is computed, and its mask of clouds."""

    read: ReadPlan
    kernel: KernelSpec
    mask: UserMask | None


@dataclass(frozen=True)
class CompositePlan:
    """The scenes of a composite, the statistics over them, and the type of the index of each scene."""

    scenes: tuple[ScenePart, ...]
    reduction: Reduction
    dtype: np.dtype[Any]

    @property
    def held_bytes(self) -> int:
        """Number of bytes of a pixel that are held from scene to scene."""
        return Reducer.bytes_per_pixel(self.reduction, self.dtype)

    @property
    def fixed_bytes(self) -> int:
        """Number of bytes for scenes and statistics, for windows of any size."""
        kinds = {repr(scene.kernel): scene.kernel.scratch_bytes() for scene in self.scenes}
        fixed = Reducer.fixed_bytes(self.reduction, self.dtype)
        return fixed + sum(sorted(kinds.values())[-MOST_KERNELS:])


def composite_plan(
    composite: Composite,
    inputs: Sequence[Input],
    radiometries: Sequence[Radiometry],
    grid: Grid,
    storage: Storage,
) -> CompositePlan:
    """Return how the scenes of a composite are computed."""
    scenes = tuple(
        _part(
            scene,
            [inputs[band] for band in scene.bands],
            [radiometries[band] for band in scene.bands],
            grid,
            storage,
        )
        for scene in composite.scenes
    )
    return CompositePlan(scenes, composite.reduction, _values_type(storage))


def _part(
    scene: CompositeScene,
    inputs: Sequence[Input],
    radiometries: Sequence[Radiometry],
    grid: Grid,
    storage: Storage,
) -> ScenePart:
    typed = typed_nodata(scene.formula, storage.nodata)
    operation = operation_of(typed.formula, inputs, radiometries, storage)
    mask = user_mask(scene.mask, mask_band(scene.mask), grid) if scene.mask else None
    read = read_plan(inputs, operation.bands, mask.input if mask else None)
    values = Storage(_values_type(storage), np.nan)
    return ScenePart(read, KernelSpec(operation, (None,), read.stacks, values), mask)


def _values_type(storage: Storage) -> np.dtype[Any]:
    """Return the type of the index of each scene: float64 if the result is more exact than float32."""
    exact = storage.integer or storage.dtype.itemsize > 4
    return np.dtype(np.float64 if exact else np.float32)


def statistics_kernel(formula: Formula, storage: Storage) -> KernelSpec:
    """Return how statistics, NaN where there is none, become the results of a job's ``formula``."""
    dtype, bands = _values_type(storage), tuple(range(len(formula.results)))
    results = tuple(result._replace(node=band) for band, result in zip(bands, formula.results))
    program = compile_formula(
        Formula(tuple(map(Band, bands)), results, ""),
        [BandValue(dtype)] * len(bands),
        double=dtype.itemsize > 4,
    )
    return KernelSpec(
        FormulaOperation(program, None, bands),
        tuple(result.valid_range for result in results),
        (Stack(bands, dtype, dtype.type(np.nan)),),
        storage,
    )


def scene_mask_notes(plan: CompositePlan, grid: Grid) -> list[Note]:
    """Return a line on each scene's mask."""
    return [mask_note(scene.mask, grid) for scene in plan.scenes if scene.mask]
