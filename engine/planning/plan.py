# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run will do, decided before any pixel moves; every bad input is found here."""

from __future__ import annotations

import math
import os
from typing import NamedTuple

import numpy as np

from ..backend.crs import same_crs
from ..compute.compiler import BandValue, compile_formula
from ..compute.kernel import KernelSpec
from ..errors import GridError, OptionError, SpaceError
from ..expression.typed_nodata import typed_nodata
from ..files.disk import behind_links, free_bytes
from ..files.output_checks import check_output
from ..grids.grid import Grid
from ..grids.layout import GridRule, Resampling
from ..grids.windows import TARGET_PIXELS, Cost, WindowPlan, plan_windows
from ..job import Job, Note
from ..messages import translate
from ..radiometry.band_names import BandName
from ..radiometry.masks import MaskRule, recognised, rule_of
from ..radiometry.products import Products
from ..radiometry.scaling import Radiometry, Stack, as_stored, resolve
from ..radiometry.storage import storage_of
from ..reading.bands import BandFacts, describe, descriptions_of
from ..reading.inputs import Input, stacked
from ..reading.polygon_mask import PolygonMask
from ..reading.warp import Warp
from ..writing.creation import check_profile, is_uncompressed
from ..writing.options import cog_profile, creation_profile
from .checks import job_warnings, unused_scaling
from .log import MEGABYTE, exclusion_notes, input_notes, typed_nodata_notes
from .resources import resources_named
from .role_checks import role_warnings
from .target_grid import Raster, check_georeference, result_grid

_MOST_PIXELS_IN_ONE = 16_000_000  #: with the margins of the method
#: Of a window's values, that a codec makes room for by measurement, of which the heap keeps some
_ENCODER_COPIES = 5
_ENCODERS_START = 3 * MEGABYTE  #: and what it takes once
#: What the heap and the threads take beside; GDAL decodes one block more than its cache holds
_RUN_START = 2 * MEGABYTE
_PART = 64  #: rows, a divisor of theirs, that are written of a block at least
_LARGE = 4096  #: pixels of a side, beyond which a raster is drawn slowly without overviews
_LARGE_FOR_COG = 512  #: and beyond which a COG has them


class Plan(NamedTuple):
    """A checked job: its inputs, those of the formula first and then its mask, the stacks of those
    that are read, the result's grid, the recipe and the creation profile.
    """

    job: Job
    inputs: tuple[Input, ...]
    radiometries: tuple[Radiometry, ...]
    stacks: tuple[Stack, ...]
    grid: Grid
    recipe: KernelSpec
    mask_rule: MaskRule | None
    area: PolygonMask | None
    profile: dict[str, str]
    overviews: bool
    cog: bool
    workers: int
    notes: tuple[Note, ...]
    names: tuple[BandName | None, ...]

    @property
    def stored_bytes_per_pixel(self) -> int:
        return sum(one.dtype.itemsize for one in self.inputs)

    def windows(self, result_block: tuple[int, int]) -> WindowPlan:
        """The windows for a result whose blocks are ``result_block`` (width, height); a window may
        end within one where that is written in parts.
        """
        result_block = (
            (result_block[0], math.gcd(result_block[1], _PART))
            if is_uncompressed(self.profile)
            else result_block
        )
        if self.overviews and result_block[1] % 2:
            # two rows of pixels make one of the first overview
            result_block = (result_block[0], 2 * result_block[1])
        masks = (
            sum(len(one.masks) for one in self.inputs)
            + 3 * (self.mask_rule is not None)
            + (self.area is not None)
        )
        result = self.recipe.storage.dtype.itemsize * len(self.job.formula.results)
        compressed = self.profile["COMPRESS"].upper() != "NONE"
        encoding = _ENCODER_COPIES * result if compressed else 0
        # rows of their blocks that are not full yet
        overviews = self.grid.width * result_block[1] * result if self.overviews else 0
        decoded = sum({one.band.path: one.decoded for one in self.inputs}.values())
        cost = Cost(
            per_pixel=result + encoding,
            per_read=self.stored_bytes_per_pixel + masks,
            fixed=self.recipe.scratch_bytes
            + decoded
            + max(one.scratch + one.band.decoder for one in self.inputs),
            per_blocks=decoded + 2 * result_block[0] * result_block[1] * result,
            shared=_RUN_START + decoded + overviews + (_ENCODERS_START if compressed else 0),
        )
        return plan_windows(
            self.grid,
            result_block=result_block,
            source_blocks=[one.block for one in self.inputs],
            cost=cost,
            workers=self.workers,
            memory=self.job.memory * MEGABYTE,
            # a codec holds a window twice more, and does not mind small ones
            pixels=TARGET_PIXELS // 2 if compressed else TARGET_PIXELS,
        )


@resources_named()
def prepare(job: Job) -> Plan:
    """Check ``job`` and decide everything that can be decided without reading pixels; nothing is written.

    Raises the fitting leaf of :class:`~engine.errors.BandwiseError`, one clear sentence, for what cannot be run.
    """
    if job.workers < 0 or job.memory < 1:
        raise OptionError(
            translate(
                "Bandwise",
                "Workers must be 0 (all cores) or more and memory at least 1 MB, not {workers} and {memory}.",
            ).format(workers=job.workers, memory=job.memory)
        )
    job.radiometry.check()
    storage = storage_of(job.data_type, *job.clamp)
    bands = tuple(describe(ref.path, ref.number) for ref in job.bands)
    others = tuple(describe(path, number) for path, number in _others(job))
    reference = (
        Raster(job.layout.reference, others[-1].grid)
        if job.layout.rule is GridRule.REFERENCE and job.layout.reference
        else None
    )
    grid = result_grid([Raster(band.path, band.grid) for band in bands], job.layout, reference)
    products = Products()
    radiometries = tuple(
        resolve(band.path, band.declared, job.radiometry, band=band.number, products=products)
        for band in bands
    )
    names = tuple(
        products.band_name(band.path, band.number, band.declared.description, band.declared.name)
        for band in bands
    )
    inputs = [
        _input(band, radiometry, grid, job.layout.resampling)
        for band, radiometry in zip(bands, radiometries)
    ]
    mask_rule = rule_of(job.mask, others[0].declared.description) if job.mask else None
    if job.mask:
        check_georeference(Raster(bands[0].path, grid), Raster(others[0].path, others[0].grid))
        inputs.append(
            _input(others[0], None, grid, Resampling.NEAREST)._replace(
                nodata=_unknown(others[0], mask_rule)
            )
        )
    area = PolygonMask(job.area, grid) if job.area else None
    workers = job.workers or _cores()
    profile = creation_profile(job.creation_options, storage.dtype)
    if job.cog:
        profile = cog_profile(profile)
    check_profile(profile, storage)
    check_output(job.output, _input_names(job, (*bands, *others)), profile)
    overviews = (
        max(grid.width, grid.height) > (_LARGE_FOR_COG if job.cog else _LARGE)
        if job.overviews is None
        else job.overviews
    )
    size = grid.width * grid.height * storage.dtype.itemsize * len(job.formula.results)
    room = _check_space(
        job, int(size * (4 / 3 if overviews else 1) * (2 if job.cog else 1)), profile
    )
    values = [_band_value(one, radiometry) for one, radiometry in zip(inputs, radiometries)]
    exact = storage.whole or storage.dtype.itemsize > 4
    meant = typed_nodata(job.formula, storage.nodata)
    program, clean = (
        compile_formula(meant.formula, some, double=exact)
        for some in (values, [value._replace(gaps=False) for value in values])
    )
    stacks = stacked(
        inputs,
        [*job.formula.bands(), *range(len(bands), len(inputs))],
        masked=mask_rule is not None,
    )
    recipe = KernelSpec(
        program=program,
        clean=clean if clean.dtype == program.dtype else program,
        ranges=tuple(result.valid_range for result in job.formula.results),
        stacks=stacks if mask_rule is None else stacks[:-1],
        storage=storage,
    )
    lines = (
        *input_notes(job, inputs, radiometries, grid),
        *exclusion_notes(job, inputs, mask_rule, grid),
        *typed_nodata_notes(meant.values),
    )
    first = unused_scaling(job, inputs, radiometries)
    notes = (
        *first,
        *role_warnings(job, inputs, names),
        *job.notes,
        *lines,
        *job_warnings(job, inputs, radiometries),
        *room,
    )
    return Plan(
        job,
        tuple(inputs),
        radiometries,
        stacks,
        grid,
        recipe,
        mask_rule,
        area,
        profile,
        overviews,
        job.cog,
        workers,
        notes,
        names,
    )


def _others(job: Job) -> list[tuple[str, int]]:
    """Rasters, with a band, beside those of the formula: the mask, then the reference."""
    mask = [(job.mask.path, job.mask.number or _mask_band(job.mask.path))] if job.mask else []
    reference = (
        [(job.layout.reference, 1)]
        if job.layout.rule is GridRule.REFERENCE and job.layout.reference
        else []
    )
    return mask + reference


def _mask_band(path: str) -> int:
    """The band that is described as a mask, else the first."""
    known = [recognised("", description) is not None for description in descriptions_of(path)]
    return known.index(True) + 1 if True in known else 1


def _unknown(mask: BandFacts, rule: MaskRule | None) -> np.generic | None:
    """The value by which a mask that keeps what is not zero says that it does not know."""
    return as_stored(mask.declared.nodata, mask.dtype) if rule is MaskRule.KEEP_NONZERO else None


def _input(
    band: BandFacts, radiometry: Radiometry | None, grid: Grid, resampling: Resampling
) -> Input:
    """How a band comes onto the result's grid; without a radiometry it is a mask, whose values all count."""
    nodata, saturated = (
        as_stored(value, band.dtype)
        for value in ((radiometry.nodata, radiometry.saturated) if radiometry else (None, None))
    )
    shift = band.grid.pixel_offset(grid) if same_crs(band.grid.crs, grid.crs) else None
    if shift is not None:
        place = grid.window.offset(*shift)
        return Input(band, nodata, saturated, shift, place.intersection(band.grid.window) == place)
    if not (band.grid.crs and grid.crs):
        raise GridError(
            translate(
                "Bandwise",
                "{file} or the result has no CRS, so one cannot be brought onto the grid of the "
                "other; assign the right CRS to both.",
            ).format(file=band.path)
        )
    warp = Warp.between(band.grid, grid, Resampling.NEAREST if band.classes else resampling)
    if warp.source_pixels > _MOST_PIXELS_IN_ONE:
        text = translate(
            "Bandwise",
            "A pixel of the result is made of over {count} pixels of {file}; resample that file to "
            "a coarser grid first.",
        )
        raise GridError(text.format(count=_MOST_PIXELS_IN_ONE, file=band.path))
    return Input(band, nodata, saturated, warp=warp)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _band_value(one: Input, radiometry: Radiometry) -> BandValue:
    gaps = bool(one.masks) or any(marker is not None for marker in one.markers)
    return BandValue(one.dtype, radiometry.scale, radiometry.offset, gaps)


def _input_names(job: Job, bands: tuple[BandFacts, ...]) -> list[str]:
    """The rasters that the user named, used or not, and the files that GDAL lists for those that are read."""
    return [
        *job.listed,
        *filter(None, [job.layout.reference]),
        *(file for band in bands for file in band.files),
    ]


def _check_space(job: Job, size: int, profile: dict[str, str]) -> tuple[Note, ...]:
    """Compressed indices measured half to three quarters of their size; below a half a run is hopeless."""
    compressed = profile.get("COMPRESS", "NONE").upper() != "NONE"
    free = free_bytes(behind_links(job.output).parent)
    if free < (size // 2 if compressed else size):
        raise SpaceError(
            translate(
                "Bandwise",
                "{file} needs about {size} MB and its disk has {free} MB free; make room or choose another folder.",
            ).format(
                file=job.output,
                size=max(1, (size // 2 if compressed else size) // MEGABYTE),
                free=free // MEGABYTE,
            )
        )
    if free < size:
        text = translate(
            "Bandwise",
            "The disk of {file} has {free} MB free and the result may need up to {size} MB.",
        )
        return (
            Note(
                text.format(file=job.output, free=free // MEGABYTE, size=size // MEGABYTE),
                warning=True,
            ),
        )
    return ()
