# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose windows and workers by the memory of a run."""

from __future__ import annotations

import math

from ..errors import ResourceError
from ..grids.windows import LEAST_CACHE, TARGET_PIXELS, Cost, WindowPlan, plan_windows
from ..messages import translate
from ..reading.inputs import Input, ReadPlan
from ..reading.sources import HELD_BYTES
from ..writing.creation import is_uncompressed
from .log import MEGABYTE
from .plan import Plan

#: Copies of a window's values while it is encoded, as measured; the heap keeps some of them
_ENCODER_COPIES = 5
_ENCODERS_START = 3 * MEGABYTE  #: memory of encoders for windows of any size
#: Other memory of heap and threads; GDAL also decodes one block more than its cache holds
_RUN_START = 2 * MEGABYTE
#: What a worker holds of all scenes of a composite, if blocks allow it
_SCENES_BYTES = 24 * MEGABYTE
_PART = 64  #: rows of an uncompressed block that are written at a time, or a divisor of these


def window_plan(plan: Plan, result_block: tuple[int, int]) -> WindowPlan:
    """Return the windows of a run.

    Parameters
    ----------
    result_block
        The (width, height) of the blocks of the result. A window may end inside a block that is
        written in parts.
    """
    result_block = _whole_blocks(plan, result_block)
    compressed = plan.profile["COMPRESS"].upper() != "NONE"
    shape = plan_windows(
        plan.grid,
        result_block=result_block,
        source_blocks=[band_input.block for band_input in plan.all_inputs],
        cost=_cost(plan, result_block, compressed=compressed),
        workers=plan.workers,
        memory=plan.job.memory * MEGABYTE,
        pixels=_target_pixels(plan, compressed=compressed),
    )
    return _with_blocks(plan, shape)


def _with_blocks(plan: Plan, shape: WindowPlan) -> WindowPlan:
    """Return the plan with memory for blocks of resampled bands: those that a row of windows and
    the next one touch, as far as there is room. Scenes of a composite are too many to keep theirs.
    """
    if plan.composite:
        return shape
    warped = [band_input for band_input in plan.read.all_inputs if band_input.warp]
    decoding = shape.workers * max(map(_block_bytes, warped), default=0)
    wanted = sum(_blocks_in_use(band_input, shape) for band_input in warped)
    blocks = min(wanted, plan.job.memory * MEGABYTE - shape.memory - decoding)
    if blocks <= 0:
        return shape
    return shape._replace(memory=shape.memory + blocks + decoding, blocks=blocks)


def _block_bytes(band_input: Input) -> int:
    """Return the bytes of a block with its flags, one for each pixel."""
    return math.prod(band_input.band.block) * (band_input.band.dtype.itemsize + 1)


def _blocks_in_use(band_input: Input, shape: WindowPlan) -> int:
    (width, height), source = band_input.band.block, band_input.band.grid
    across, down = math.ceil(source.width / width), math.ceil(source.height / height)
    scale = band_input.warp.scale[1] if band_input.warp else 1.0
    rows = min(down, math.ceil(shape.height / scale / height) + 1)
    # windows that run ahead in the next row
    return (rows * across + 2 * shape.workers) * _block_bytes(band_input)


def _target_pixels(plan: Plan, *, compressed: bool) -> int:
    """Return the size of windows that is aimed at."""
    # encoders need two more windows of memory, and are as fast with small ones
    pixels = TARGET_PIXELS // 2 if compressed else TARGET_PIXELS
    return min(pixels, _SCENES_BYTES // plan.composite.held_bytes) if plan.composite else pixels


def with_workers(shape: WindowPlan, workers: int, memory: int) -> WindowPlan:
    """Return the same windows for another number of threads: as many as ``memory``, in bytes, allows.

    At least one; ``workers`` is the largest number.
    """
    per_worker = max(1, shape.memory // shape.workers)
    count = max(1, min(workers, memory // per_worker))
    cache = max(LEAST_CACHE, shape.cache * count // shape.workers)
    return shape._replace(workers=count, cache=cache, memory=per_worker * count)


def _whole_blocks(plan: Plan, block: tuple[int, int]) -> tuple[int, int]:
    """Return the least (width, height) that can be written at a time."""
    width, height = block
    if is_uncompressed(plan.profile):
        height = math.gcd(height, _PART)
    if plan.overviews and height % 2:
        height *= 2  # two rows of pixels become one of the first overview
    return width, height


def _cost(plan: Plan, block: tuple[int, int], *, compressed: bool) -> Cost:
    """Return the memory that a run needs."""
    halo = plan.read.halo
    per_read = max(map(_read_bytes, plan.reads)) + (plan.area is not None)
    result = plan.kernel.storage.dtype.itemsize * len(plan.job.formula.results)
    decoded = max(map(_decoded_bytes, plan.reads))
    # blocks of overviews that are not complete yet
    overviews = plan.grid.width * block[1] * result if plan.overviews else 0
    around = 2 * halo * (plan.grid.width + plan.grid.height + 2 * halo)
    fixed = plan.kernel.scratch_bytes(plan.grid.width)
    if plan.composite:
        per_read += plan.composite.held_bytes
        fixed += plan.composite.fixed_bytes
        fixed += min(HELD_BYTES, sum(map(_decoded_bytes, plan.reads)))
    return Cost(
        per_pixel=result + (_ENCODER_COPIES * result if compressed else 0),
        per_read=per_read,
        fixed=fixed
        + decoded
        + max(band_input.scratch + band_input.band.decoder for band_input in plan.all_inputs)
        + around * per_read,
        per_blocks=decoded + 2 * block[0] * block[1] * result,
        shared=_RUN_START + decoded + overviews + (_ENCODERS_START if compressed else 0),
    )


def _read_bytes(read: ReadPlan) -> int:
    """Return the bytes of a pixel of what is read at a time."""
    planes = sum(len(band_input.masks) for band_input in read.all_inputs)
    values = sum(band_input.dtype.itemsize for band_input in read.all_inputs)
    return values + planes + 3 * (read.mask is not None)


def _decoded_bytes(read: ReadPlan) -> int:
    """Return the bytes of blocks that are read at a time."""
    return sum({each.band.path: each.decoded for each in read.all_inputs}.values())


def check_memory(shape: WindowPlan, available: float) -> None:
    """Raise :class:`ResourceError` where the smallest windows need more memory than the machine has."""
    if shape.memory > available:
        text = translate(
            "Bandwise",
            "The smallest windows need {needed} MB and this machine has {memory} MB; convert the "
            "rasters to smaller tiles.",
        )
        raise ResourceError(
            text.format(needed=shape.memory // 10**6, memory=int(available) // 10**6)
        )
