# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of parts have in common: a run in parts in this process, and what two results share."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

from bandwise.engine.execution.parts import PartedRun, assemble, compute_part, parted
from bandwise.engine.planning.tags import result_spec
from bandwise.engine.writing.parts.assembly import AssembledGeoTiff
from bandwise.engine.writing.parts.part_file import copy_blocks, layout_of
from bandwise.engine.writing.tiff import block_index, directories, fixed_fields


def run_in_parts(job: Any, folder: Path, *, side: int, seed: int = 0) -> PartedRun:
    """Compute the parts of a job in any order, each with a number of threads by chance, and assemble them."""
    run = parted(job, side=side)
    folder.mkdir(exist_ok=True)
    chance = random.Random(seed)
    numbers = list(run.parts())
    paths = {number: folder / f"r{number[0]}c{number[1]}.tif" for number in numbers}
    for number in chance.sample(numbers, len(numbers)):
        compute_part(run, *number, paths[number], facts={}, workers=chance.randint(1, 3))
    with AssembledGeoTiff(result_spec(run.plan)) as sink:
        placed = []
        for number in numbers:
            layout = layout_of(paths[number])
            assert layout
            placed.append(sink.room(run.window(*number), paths[number], layout))
        for part in chance.sample(placed, len(placed)):
            segments = sink.segments(part, run.tiling.levels)
            assert copy_blocks(part.path, sink.temporary, segments)
        assemble(run, sink, placed)
    return run


def contents(path: str) -> dict[str, Any]:
    """Of each image of a TIFF its fields and the hash of every block; of the file all its tags."""
    import rasterio

    data = Path(path).read_bytes()
    images: list[Any] = []
    for number, _ in enumerate(directories(data)):
        offsets, sizes = block_index(data, number).read(data)
        images.append(
            [
                hashlib.sha256(data[start : start + size]).hexdigest() if size else ""
                for start, size in zip(offsets.tolist(), sizes.tolist())
            ]
        )
    with rasterio.open(path) as dataset:
        bands = [dataset.tags(band) for band in dataset.indexes]
        facts = dataset.profile, dataset.scales, dataset.offsets, dataset.descriptions
        structure = dataset.tags(ns="IMAGE_STRUCTURE")
        tags = dataset.tags()
    return {
        "blocks": images,
        "fields": fixed_fields(data),
        "tags": tags,
        "bands": bands,
        "facts": str(facts),
        "structure": structure,
    }
